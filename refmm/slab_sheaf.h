/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_sheaf.h - arrays of free objects, and what waits for a grace period:
 * what slab_sheaf.c, slab_barn.c and slab_rcu.c offer.
 */
#ifndef REFMM_SLAB_SHEAF_H
#define REFMM_SLAB_SHEAF_H

#include "slab_cache.h"

/* slab_bulk.c: past the sheaves, all or none */
bool rmm_bulk_from_slabs(struct rmm_kmem_cache *s, unsigned int cpu,
			 unsigned int gfp, unsigned int nr, void **objects);

/* slab_sheaf.c */
struct rmm_sheaf {
	struct rmm_sheaf *next; /* in a barn, or waiting for readers */
	struct rmm_kmem_cache *cache;
	unsigned int size, node;
	void *objects[]; /* [sheaf_capacity] */
};
enum { RMM_MAX_FULL_SHEAVES = 10 }; /* of a barn */
void rmm_set_sheaf_capacity(struct rmm_kmem_cache *s, unsigned int asked);
bool rmm_create_sheaves(struct rmm_kmem_cache *s);
void rmm_destroy_sheaves(struct rmm_kmem_cache *s);
uintptr_t rmm_alloc_from_pcs(struct rmm_kmem_cache *s, unsigned int cpu,
			     unsigned int gfp, int nid);
bool rmm_free_to_pcs(struct rmm_kmem_cache *s, unsigned int cpu,
		     struct rmm_slab *slab, uintptr_t object);
void rmm_flush_pcs(struct rmm_kmem_cache *s, unsigned int cpu, unsigned int of);
void rmm_flush_sheaf(struct rmm_kmem_cache *s, unsigned int cpu,
		     struct rmm_sheaf *sheaf);
bool rmm_rcu_to_pcs(struct rmm_kmem_cache *s, unsigned int cpu, void *object);
int rmm_rcu_free_sheaf(unsigned int cpu, struct rmm_sheaf *sheaf);

/* slab_barn.c */
struct rmm_sheaf *rmm_alloc_empty_sheaf(struct rmm_kmem_cache *s);
void rmm_free_empty_sheaf(struct rmm_sheaf *sheaf);
struct rmm_kmem_cache_node *rmm_barn_of(const struct rmm_kmem_cache *s,
					unsigned int cpu);
struct rmm_sheaf *rmm_barn_replace_empty(struct rmm_kmem_cache *s,
					 unsigned int cpu,
					 struct rmm_sheaf *empty);
struct rmm_sheaf *rmm_barn_get_empty(struct rmm_kmem_cache *s,
				     unsigned int cpu);
void rmm_barn_put_empty(struct rmm_kmem_cache *s, unsigned int cpu,
			struct rmm_sheaf *empty);
bool rmm_barn_put_full(struct rmm_kmem_cache *s, unsigned int cpu,
		       struct rmm_sheaf *full);
void rmm_shrink_barns(struct rmm_kmem_cache *s, unsigned int cpu);

/* slab_rcu.c */
int rmm_slab_rcu_create(struct rmm_slab_layer *l);
void rmm_slab_rcu_slab(struct rmm_kmem_cache *s, struct rmm_slab *slab);
void rmm_slab_rcu_sheaf(struct rmm_slab_layer *l, struct rmm_sheaf *sheaf);

#endif
