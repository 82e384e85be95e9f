/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_slab_load.h - begin with the partly free slabs that another machine has
 * (refmm/slab_load.c).
 */
#ifndef KMEMLAB_REFMM_SLAB_LOAD_H
#define KMEMLAB_REFMM_SLAB_LOAD_H

#include <stddef.h>

#include <kmemlab/refmm_types.h>

struct rmm_kmem_cache;

enum rmm_slab_place {
	RMM_SLAB_BEHIND, /* the last of its node's partial list */
	RMM_SLAB_ON_TOP, /* the first of @cpu's */
};

struct rmm_slab_load {
	enum rmm_slab_place place;
	unsigned int cpu;
	void *const *object; /* of one slab; the last is given out first */
	size_t nr;
};

/** rmm_slab_load() - live objects of a full slab, on no list and no CPU's, are
 *  free from now on, and the slab is on a list. -EINVAL: they are not, or the
 *  cache is one with debug flags; nothing changes */
int rmm_slab_load(struct rmm *rmm, struct rmm_kmem_cache *s,
		  const struct rmm_slab_load *l);

#endif
