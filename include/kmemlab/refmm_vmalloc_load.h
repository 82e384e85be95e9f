/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_vmalloc_load.h - begin with the areas that another machine has
 * (refmm/vmalloc_load.c).
 */
#ifndef KMEMLAB_REFMM_VMALLOC_LOAD_H
#define KMEMLAB_REFMM_VMALLOC_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include <kmemlab/refmm_types.h>

enum rmm_vm_state { RMM_VM_IN_USE, RMM_VM_IS_LAZY, RMM_VM_IN_POOL };

struct rmm_vm_load {
	uintptr_t address;
	size_t size; /* bytes, guard included */
	enum rmm_vm_state state;
	unsigned int node; /* lazy, pool: whose */
	unsigned int pool; /* node + 1 whose pool gets it one day; 0: none's */
};

/** rmm_vm_load() - an area is there, before anything is allocated; one in use
 *  goes by rmm_vfree(). -EEXIST: its addresses are not all free; -EINVAL */
int rmm_vm_load(struct rmm *rmm, const struct rmm_vm_load *l);

#endif
