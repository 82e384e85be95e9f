/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_parts.h - what the slab layer's files offer each other, from the bottom
 * up. None calls upward, but for sheaves: slab_alloc.c and slab_free.c ask them
 * first, and they turn to slab_bulk.c when they are empty or full; and for
 * slab_rcu.c and slab_bulk.c, to which kmalloc()'s memory is given as well.
 */
#ifndef REFMM_SLAB_PARTS_H
#define REFMM_SLAB_PARTS_H

#include "slab_fast.h"
#include "slab_sheaf.h"

/* slab_meta.c */
struct rmm_slab_meta *rmm_slab_meta_create(void);
void rmm_slab_meta_destroy(struct rmm_slab_meta *m);
void *rmm_slab_meta_alloc(struct rmm_slab_layer *l, size_t bytes);
void rmm_slab_meta_free(struct rmm_slab_layer *l, void *p, size_t bytes);
size_t rmm_slab_meta_used(const struct rmm_slab_layer *l);

/* slab.c */
uint64_t rmm_slab_random(struct rmm_slab_layer *l);
uint64_t rmm_slab_clock(struct rmm_slab_layer *l);

/* slab_size.c */
unsigned int rmm_calculate_alignment(const struct rmm_slab_config *c,
				     unsigned int flags, unsigned int align,
				     unsigned int size);
int rmm_calculate_order(const struct rmm_slab_layer *l, unsigned int size);
bool rmm_calculate_sizes(struct rmm_kmem_cache *s,
			 const struct rmm_kmem_cache_args *args);
void rmm_set_cpu_partial(struct rmm_kmem_cache *s);
void rmm_set_min_partial(struct rmm_kmem_cache *s);

/* slab_page.c */
struct rmm_slab *rmm_new_slab(struct rmm_kmem_cache *s, unsigned int cpu,
			      unsigned int gfp, int nid);
void rmm_discard_slab(struct rmm_kmem_cache *s, unsigned int cpu,
		      struct rmm_slab *slab);
void rmm_free_slab_pages(struct rmm_kmem_cache *s, unsigned int cpu,
			 struct rmm_slab *slab);

/* slab_partial.c */
void rmm_slab_list_add(struct rmm_slab_list *list, struct rmm_slab *slab,
		       bool tail);
void rmm_slab_list_del(struct rmm_slab_list *list, struct rmm_slab *slab);
uintptr_t rmm_get_freelist(const struct rmm_kmem_cache *s,
			   struct rmm_slab *slab, bool freeze);
void rmm_deactivate_slab(struct rmm_kmem_cache *s, unsigned int cpu,
			 struct rmm_slab *slab, uintptr_t freelist);
void rmm_put_cpu_partial(struct rmm_kmem_cache *s, unsigned int cpu,
			 struct rmm_slab *slab, bool drain);
void rmm_put_partials(struct rmm_kmem_cache *s, unsigned int cpu,
		      struct rmm_slab *slab);
void rmm_flush_cpu_slab(struct rmm_kmem_cache *s, unsigned int cpu,
			unsigned int of);
struct rmm_slab *rmm_get_partial(struct rmm_kmem_cache *s, unsigned int cpu,
				 int nid, unsigned int gfp);

/* slab_alloc.c, slab_free.c: past the sheaves */
uintptr_t rmm_alloc_from_slabs(struct rmm_kmem_cache *s, unsigned int cpu,
			       unsigned int gfp, int nid);
void rmm_free_to_slab(struct rmm_kmem_cache *s, unsigned int cpu,
		      struct rmm_slab *slab, uintptr_t object);

/* slab_debug.c */
void rmm_init_slab_debug(struct rmm_kmem_cache *s, struct rmm_slab *slab);
void rmm_init_object_debug(struct rmm_kmem_cache *s, struct rmm_slab *slab,
			   uintptr_t object);
int rmm_check_object(const struct rmm_kmem_cache *s, struct rmm_slab *slab,
		     uintptr_t object, bool live, const char *verb);
void rmm_init_object(const struct rmm_kmem_cache *s, uintptr_t object,
		     bool live);
void rmm_red_zone_rest(const struct rmm_kmem_cache *s,
		       const struct rmm_slab *slab, uintptr_t object);
int rmm_check_slab_pad(const struct rmm_kmem_cache *s, struct rmm_slab *slab);
void rmm_track_alloc(struct rmm_kmem_cache *s, unsigned int cpu,
		     uintptr_t object, size_t size);
void rmm_track_free(struct rmm_kmem_cache *s, unsigned int cpu,
		    struct rmm_slab *slab, uintptr_t object);

/* slab_single.c: debug caches, one object at a time under the node's lock */
uintptr_t rmm_alloc_single(struct rmm_kmem_cache *s, unsigned int cpu,
			   unsigned int gfp, int nid);
int rmm_free_single(struct rmm_kmem_cache *s, unsigned int cpu,
		    struct rmm_slab *slab, uintptr_t object);

/** rmm_keeps_size() - slub_debug_orig_size(): does it know what was asked? */
static inline bool rmm_keeps_size(const struct rmm_kmem_cache *s)
{
	return (s->flags & RMM_SLAB_STORE_USER) &&
	       (s->flags & RMM_SLAB_KMALLOC);
}

/* slab_debug.c, slab_track.c */
size_t rmm_slab_meta_bytes(const struct rmm_kmem_cache *s,
			   unsigned int objects);
struct rmm_track *rmm_get_track(const struct rmm_kmem_cache *s,
				const struct rmm_slab *slab, uintptr_t object,
				enum rmm_track_item item);
/* What is wrong with an object, and what could therefore not be done */
struct rmm_slab_report {
	const struct rmm_slab *slab;
	uintptr_t object;
	const char *verb, *what;
};
int rmm_slab_error(struct rmm *rmm, int err, const struct rmm_slab_report *r);

/* slab_stat.c */
uint64_t rmm_count_free(const struct rmm_kmem_cache *s);

/* slab_validate.c */
int rmm_slab_validate(const struct rmm *rmm, const void *state, char *msg,
		      size_t size);

#endif
