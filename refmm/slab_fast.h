/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_fast.h - the hot half of the slab layer: an object off the CPU's list,
 * and back onto it. Inlined into slab_alloc.c, slab_free.c and kmalloc.c.
 *
 *   alloc   freelist --> A --> B --> C        freelist --> B --> C
 *   free    freelist --> B --> C              freelist --> A --> B --> C
 *
 * A free object holds the address of the next one, with memory behind it in the
 * object itself (at s->offset), XORed with a secret and with where it lies, as
 * CONFIG_SLAB_FREELIST_HARDENED has it. That is also how a free object is told
 * from a live one: its word decodes to an address in its slab, or to the list's
 * end, which no other word does, but for a chance of 2^-40. Allocation wipes
 * the word. Without memory the slab has an array of links, by object number,
 * and says there which objects live.
 *
 * Modelled: slab_alloc_node's and do_slab_free's fast paths, get_freepointer,
 * set_freepointer, freelist_ptr_encode, virt_to_slab, obj_to_index. Simplified:
 * a CPU's list needs no transaction id, as a simulated CPU is one thread; wrong
 * frees are refused always, not only with hardening or debugging. (6.12,
 * mm/slub.c, mm/slab.h; LKD3 ch. 12 "Slab Layer")
 */
#ifndef REFMM_SLAB_FAST_H
#define REFMM_SLAB_FAST_H

#include "slab.h"

#define rmm_likely(x)	__builtin_expect(!!(x), 1)
#define rmm_unlikely(x) __builtin_expect(!!(x), 0)

/* slab_alloc.c, slab_free.c: the cold halves */
void *rmm__slab_alloc_node(struct rmm *rmm, unsigned int cpu,
			   struct rmm_kmem_cache *s, unsigned int gfp, int nid,
			   size_t size);
int rmm__slab_free(struct rmm *rmm, unsigned int cpu, struct rmm_slab *slab,
		   uintptr_t object);
int rmm_slab_refuse(struct rmm *rmm, unsigned int cpu,
		    const struct rmm_kmem_cache *s, uintptr_t object);

static inline struct rmm_slab_layer *rmm_slab_layer(const struct rmm *rmm)
{
	return rmm->layer[RMM_LAYER_SLAB].state;
}

/** rmm_virt_to_slab() - virt_to_slab(): NULL if there is none */
static inline struct rmm_slab *rmm_virt_to_slab(const struct rmm_slab_layer *l,
						uintptr_t address)
{
	uintptr_t at = address - l->page_offset;

	if (rmm_unlikely(at >= l->bytes))
		return NULL;
	return RMM_READ(l->slabs[at >> l->page_shift].head);
}

/** rmm_obj_to_index() - obj_to_index(): exact for any address in the slab */
static inline uint64_t rmm_obj_to_index(const struct rmm_kmem_cache *s,
					const struct rmm_slab *slab,
					uintptr_t object)
{
	return (object - slab->base) * s->reciprocal >> RMM_SLAB_RECIPROCAL;
}

static inline uintptr_t rmm_index_to_obj(const struct rmm_kmem_cache *s,
					 const struct rmm_slab *slab,
					 unsigned int index)
{
	return slab->base + (uintptr_t)index * s->size;
}

static inline struct rmm_slab_word rmm_slab_word(const struct rmm_slab *slab)
{
	return (struct rmm_slab_word){
		.word = __atomic_load_n(&slab->word, __ATOMIC_ACQUIRE)};
}

/** rmm_slab_cas() - slab_update_freelist(): @new in place of @old, or false */
static inline bool rmm_slab_cas(const struct rmm_kmem_cache *s,
				struct rmm_slab *slab, struct rmm_slab_word old,
				struct rmm_slab_word new)
{
	if (!s->threads) {
		slab->word = new.word;
		return true;
	}
	return __atomic_compare_exchange_n(&slab->word, &old.word, new.word,
					   false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/** rmm_freelist_decode() - freelist_ptr_decode(), and encode: its own inverse
 */
static inline uintptr_t rmm_freelist_decode(const struct rmm_kmem_cache *s,
					    uintptr_t word, uintptr_t at)
{
	return word ^ s->random ^ __builtin_bswap64(at);
}

/** rmm_get_freepointer() - next free object, 0: none */
static inline uintptr_t rmm_get_freepointer(const struct rmm_kmem_cache *s,
					    const struct rmm_slab *slab,
					    uintptr_t object)
{
	uintptr_t at = object + s->offset;
	unsigned int next;

	if (rmm_likely(s->backed))
		return rmm_freelist_decode(s, *(const uintptr_t *)at, at);
	next = slab->link[rmm_obj_to_index(s, slab, object)];
	return next == RMM_SLAB_NIL ? 0 : rmm_index_to_obj(s, slab, next);
}

/** rmm_set_freepointer() - @object is free, @next comes after it */
static inline void rmm_set_freepointer(const struct rmm_kmem_cache *s,
				       const struct rmm_slab *slab,
				       uintptr_t object, uintptr_t next)
{
	uintptr_t at = object + s->offset;

	if (rmm_likely(s->backed))
		*(uintptr_t *)at = rmm_freelist_decode(s, next, at);
	else
		slab->link[rmm_obj_to_index(s, slab, object)] =
			next ? (uint16_t)rmm_obj_to_index(s, slab, next)
			     : RMM_SLAB_NIL;
}

/** rmm_wipe_freepointer() - maybe_wipe_obj_freeptr(): @object is live */
static inline void rmm_wipe_freepointer(const struct rmm_kmem_cache *s,
					const struct rmm_slab *slab,
					uintptr_t object)
{
	if (rmm_likely(s->backed))
		*(uintptr_t *)(object + s->offset) = 0;
	else
		slab->link[rmm_obj_to_index(s, slab, object)] = RMM_SLAB_LIVE;
}

/** rmm_object_is_live() - does @object's free pointer say that it is none? */
static inline bool rmm_object_is_live(const struct rmm_kmem_cache *s,
				      const struct rmm_slab *slab,
				      uintptr_t object)
{
	uintptr_t at = object + s->offset, next;

	if (!rmm_likely(s->backed))
		return slab->link[rmm_obj_to_index(s, slab, object)] ==
		       RMM_SLAB_LIVE;
	next = rmm_freelist_decode(s, *(const uintptr_t *)at, at);
	/* One comparison for both: 0 is far from any slab's base. */
	return next && (next - slab->base) >> RMM_SLAB_MAX_SHIFT;
}

/** rmm_is_object() - does an object of @slab begin at @object? */
static inline bool rmm_is_object(const struct rmm_kmem_cache *s,
				 const struct rmm_slab *slab, uintptr_t object)
{
	uint64_t index = rmm_obj_to_index(s, slab, object);

	return index * s->size == object - slab->base &&
	       index < rmm_slab_word(slab).objects;
}

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
