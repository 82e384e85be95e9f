/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_fast.h - the hot half of the slab layer: an object off the CPU's list,
 * and back onto it. Inlined into slab_alloc.c, slab_free.c and kmalloc.c.
 *
 *   alloc   freelist --> A --> B --> C        freelist --> B --> C
 *   free    freelist --> B --> C              freelist --> A --> B --> C
 *
 * Everything out of the ordinary (no CPU slab, zeroing, debugging, sheaves, a
 * fault that is due) shows in one look at s->watch, and is left to the callees.
 * What is wrong with an object that is freed is found here, from its slab
 * alone:
 *
 *   its page is no slab's, or another cache's     one load each
 *   no object begins there                        two multiplications
 *   it is free                                    its free pointer
 *
 * Locking: none; the list is the CPU's.
 *
 * Modelled: slab_alloc_node's and do_slab_free's fast paths. Simplified: a
 * CPU's list needs no transaction id, as a simulated CPU is one thread; wrong
 * frees are refused always, not only with hardening or debugging. (6.12,
 * mm/slub.c, mm/slab.h; LKD3 ch. 12 "Slab Layer")
 */
#ifndef REFMM_SLAB_FAST_H
#define REFMM_SLAB_FAST_H

#include "slab_ptr.h"

/* slab_alloc.c, slab_free.c: the cold halves */
void *rmm__slab_alloc_node(struct rmm *rmm, unsigned int cpu,
			   struct rmm_kmem_cache *s, unsigned int gfp, int nid,
			   size_t size);
int rmm__slab_free(struct rmm *rmm, unsigned int cpu, struct rmm_slab *slab,
		   uintptr_t object);
int rmm_slab_refuse(struct rmm *rmm, unsigned int cpu,
		    const struct rmm_kmem_cache *s, uintptr_t object);

/**
 * rmm_slab_alloc() - kmem_cache_alloc()'s way for everybody: @size bytes of an
 * object of @s (s->object_size, or less for kmalloc's sake)
 */
static inline void *rmm_slab_alloc(struct rmm *rmm, unsigned int cpu,
				   struct rmm_kmem_cache *s, unsigned int gfp,
				   size_t size)
{
	struct rmm_kmem_cache_cpu *c;
	uintptr_t object;

	if (rmm_unlikely(cpu >= s->nr_cpus ||
			 (s->watch & (gfp | RMM_WATCH_ALL)) ||
			 (rmm->fault.points & RMM_FAULT_SLAB)))
		return rmm__slab_alloc_node(rmm, cpu, s, gfp, -1, size);
	c = &s->cpu[cpu];
	object = c->freelist;
	if (rmm_unlikely(!object))
		return rmm__slab_alloc_node(rmm, cpu, s, gfp, -1, size);
	c->freelist = rmm_get_freepointer(s, c->slab, object);
	c->alloc_fastpath++;
	rmm_wipe_freepointer(s, c->slab, object);
	return (void *)object;
}

/**
 * rmm_slab_free() - kfree()'s and kmem_cache_free()'s way: @s NULL for the
 * object's own cache. Return: 0, or as rmm_kmem_cache_free()
 */
static inline int rmm_slab_free(struct rmm *rmm, unsigned int cpu,
				const struct rmm_kmem_cache *s,
				uintptr_t object)
{
	const struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	struct rmm_slab *slab = rmm_virt_to_slab(l, object);
	const struct rmm_kmem_cache *own;
	struct rmm_kmem_cache_cpu *c;

	if (rmm_unlikely(!slab))
		return rmm_slab_refuse(rmm, cpu, s, object);
	own = slab->cache;
	if (rmm_unlikely((s && s != own) || cpu >= own->nr_cpus ||
			 !rmm_is_object(own, slab, object)))
		return rmm_slab_refuse(rmm, cpu, s, object);
	c = &own->cpu[cpu];
	if (rmm_unlikely(c->slab != slab || (own->watch & RMM_WATCH_ALL)))
		return rmm__slab_free(rmm, cpu, slab, object);
	if (rmm_unlikely(!rmm_object_is_live(own, slab, object)))
		return rmm_slab_refuse(rmm, cpu, s, object);
	rmm_set_freepointer(own, slab, object, c->freelist);
	c->freelist = object;
	c->free_fastpath++;
	return 0;
}

#endif
