/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_percpu_load.h - begin with the chunks of per-CPU memory that another
 * machine has (refmm/percpu_load.c).
 */
#ifndef KMEMLAB_REFMM_PERCPU_LOAD_H
#define KMEMLAB_REFMM_PERCPU_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/refmm_percpu.h>

struct rmm_percpu_load_area {
	uint32_t offset, bytes; /* in a unit, from where the chunk begins */
};

struct rmm_percpu_load {
	bool first;    /* the first chunk, which is there */
	bool isolated; /* out of use until reclaim has seen to it */
	int slot;      /* as of rmm_percpu_info(): 0, the sidelined slot; others
			  are where the chunk belongs */
	const uint64_t *populated; /* a bit for each page of a unit; not of the
				      first chunk, whose pages are there */
	const struct rmm_percpu_load_area *area; /* by offset */
	size_t n;
};

/** rmm_percpu_load() - a chunk is there, before anything is allocated; it comes
 *  behind those of its slot. @name gets @n names, which rmm_free_percpu()
 *  takes. -EINVAL: no chunk can have such areas; -ENOMEM; nothing changes */
int rmm_percpu_load(struct rmm *rmm, const struct rmm_percpu_load *l,
		    rmm_percpu *name);

#endif
