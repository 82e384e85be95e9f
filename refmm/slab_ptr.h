/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_ptr.h - from an object to its slab, its number, and the next free one.
 *
 * A free object holds the address of the next one, with memory behind it in the
 * object itself (at s->offset), XORed with a secret and with where it lies, as
 * CONFIG_SLAB_FREELIST_HARDENED has it:
 *
 *   word = next ^ s->random ^ bswap(address of the word)
 *
 * That is also how a free object is told from a live one: its word decodes to
 * an address in its slab, or to 0, the list's end, which no other word does,
 * but for a chance of 2^-40. Allocation wipes the word. Without memory the slab
 * has an array of links, by object number, and says there which objects live.
 *
 *   index = (object - base) * (2^45 / size, rounded up) >> 45
 *
 * is exact for every address of a slab, as size * slab bytes <= 2^45.
 *
 * Locking: an object's word belongs to its owner, or to the list it is on. The
 * slab's word is read and changed atomically.
 *
 * Modelled: virt_to_slab, obj_to_index, get_freepointer, set_freepointer,
 * freelist_ptr_encode, maybe_wipe_obj_freeptr, slab_update_freelist.
 * Simplified: hardened always. (6.12, mm/slub.c, mm/slab.h; not in LKD3)
 */
#ifndef REFMM_SLAB_PTR_H
#define REFMM_SLAB_PTR_H

#include "slab_cache.h"

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

/** rmm_set_cpu_slab() - what @c allocates from, from now on; NULL: nothing */
static inline void rmm_set_cpu_slab(const struct rmm_kmem_cache *s,
				    struct rmm_kmem_cache_cpu *c,
				    struct rmm_slab *slab)
{
	c->slab = slab;
	c->base = slab ? slab->base : 0;
	c->limit = slab ? (uint64_t)rmm_slab_word(slab).objects * s->size : 0;
}

/** rmm_is_object() - does an object of @slab begin at @object? */
static inline bool rmm_is_object(const struct rmm_kmem_cache *s,
				 const struct rmm_slab *slab, uintptr_t object)
{
	uint64_t index = rmm_obj_to_index(s, slab, object);

	return index * s->size == object - slab->base &&
	       index < rmm_slab_word(slab).objects;
}

#endif
