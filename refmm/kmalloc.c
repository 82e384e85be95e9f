/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kmalloc.c - memory by the byte.
 *
 *   kmalloc(size, gfp) --+-- 0             ZERO_SIZE_PTR
 *                        +-- ..8192        a slot of the smallest class that
 *                        |                 holds it, of the type that gfp asks
 *                        +-- larger        a block of pages (kmalloc_large.c)
 *
 *   kfree(p) ------------+-- p in a slab   back to its cache
 *                        +-- p in a block  the block back to the pages
 *
 *   ksize(p) >= size asked for; ksize(p) = kmalloc_size_roundup(size)
 *
 * The caller tells kfree() no size, and need not: the page knows its slab, the
 * slab its cache. Memory is contiguous, physically too; who needs that not, and
 * much, takes vmalloc().
 *
 * Locking: none of its own.
 *
 * Modelled: __kmalloc, kmalloc_node, kzalloc, kmalloc_array, kcalloc, krealloc,
 * kfree, ksize, kmalloc_size_roundup, kmalloc_slab. Simplified: a slot whose
 * free pointer lies behind the object counts as large as the object. Omitted:
 * kfree_sensitive, KASAN, kmemleak. (6.12, mm/slub.c, mm/slab_common.c,
 * include/linux/slab.h; LKD3 ch. 12 "kmalloc()", "kfree()")
 */
#include <errno.h>
#include <string.h>

#include "kmalloc.h"
#include "slab_parts.h"

static inline bool zero_or_null(const void *p)
{
	return (uintptr_t)p <= (uintptr_t)RMM_ZERO_SIZE_PTR;
}

static void *not_set_up(struct rmm *rmm)
{
	rmm_error(rmm, -EINVAL,
		  "cannot kmalloc: no caches; call rmm_kmem_cache_init() "
		  "first");
	return NULL;
}

/* slab_post_alloc_hook(): all of the object is cleared. Only debug caches do it
 * themselves, as to them the end of it is out of bounds. */
static void *zeroed(const struct rmm_kmem_cache *s, void *p)
{
	return p && s->backed ? memset(p, 0, s->object_size) : p;
}

static void *from_cache(struct rmm *rmm, unsigned int cpu,
			const struct rmm_kmalloc *k, size_t size,
			unsigned int gfp)
{
	const unsigned int zero = RMM_GFP_ZERO;
	struct rmm_kmem_cache *s = k->caches[rmm_kmalloc_type(gfp)]
					    [rmm_kmalloc_size_index(k, size)];
	void *p;

	if ((gfp & zero) && !s->debug)
		return zeroed(s, rmm_kmalloc(rmm, cpu, size, gfp & ~zero));
	p = rmm_slab_alloc(rmm, cpu, s, gfp, size);
	if (rmm_unlikely(k->count) && p)
		rmm_kmalloc_account(rmm, cpu, (uintptr_t)p, size);
	return p;
}

/** rmm__do_kmalloc() - __do_kmalloc_node(): whatever is asked for */
void *rmm__do_kmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		      unsigned int gfp)
{
	const struct rmm_kmalloc *k = rmm_kmalloc_tables(rmm);

	if (rmm_unlikely(!k))
		return not_set_up(rmm);
	if (rmm_likely(size - 1 < RMM_KMALLOC_MAX_CACHE_BYTES))
		return from_cache(rmm, cpu, k, size, gfp);
	if (!size)
		return RMM_ZERO_SIZE_PTR;
	return rmm_kmalloc_large_node(rmm, cpu, size, gfp, -1);
}

/** rmm_kmalloc_node() - near node @nid */
void *rmm_kmalloc_node(struct rmm *rmm, unsigned int cpu, size_t size,
		       unsigned int gfp, int nid)
{
	const struct rmm_kmalloc *k = rmm_kmalloc_tables(rmm);
	struct rmm_kmem_cache *s;
	void *p;

	if (nid < 0 || !k || !size)
		return rmm_kmalloc(rmm, cpu, size, gfp);
	if (size > RMM_KMALLOC_MAX_CACHE_BYTES)
		return rmm_kmalloc_large_node(rmm, cpu, size, gfp, nid);
	s = k->caches[rmm_kmalloc_type(gfp)][rmm_kmalloc_size_index(k, size)];
	p = rmm__slab_alloc_node(rmm, cpu, s, gfp, nid, size);
	if (k->count && p)
		rmm_kmalloc_account(rmm, cpu, (uintptr_t)p, size);
	return p;
}

/** rmm_kzalloc() - full of zeros; they are there in backed mode only */
void *rmm_kzalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		  unsigned int gfp)
{
	return rmm_kmalloc(rmm, cpu, size, gfp | RMM_GFP_ZERO);
}

/** rmm_kmalloc_array() - @n times @size, a product that may not fit */
void *rmm_kmalloc_array(struct rmm *rmm, unsigned int cpu, size_t n,
			size_t size, unsigned int gfp)
{
	size_t bytes;

	if (!__builtin_mul_overflow(n, size, &bytes))
		return rmm_kmalloc(rmm, cpu, bytes, gfp);
	rmm_error(rmm, -EOVERFLOW,
		  "cannot kmalloc %zu objects of %zu bytes: over 2^64 bytes", n,
		  size);
	return NULL;
}

/** rmm_kcalloc() - the same, full of zeros */
void *rmm_kcalloc(struct rmm *rmm, unsigned int cpu, size_t n, size_t size,
		  unsigned int gfp)
{
	return rmm_kmalloc_array(rmm, cpu, n, size, gfp | RMM_GFP_ZERO);
}

/** rmm__kfree() - kfree() of whatever it is; see rmm_kfree() */
int rmm__kfree(struct rmm *rmm, unsigned int cpu, uintptr_t address)
{
	const struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	const struct rmm_kmalloc *k;

	if (address <= (uintptr_t)RMM_ZERO_SIZE_PTR)
		return 0;
	if (!l || !rmm_virt_to_slab(l, address))
		return rmm_free_large_kmalloc(rmm, cpu, address);
	k = l->kmalloc;
	if (rmm_unlikely(k->count))
		rmm_kmalloc_account(rmm, cpu, address, 0);
	return rmm_slab_free(rmm, cpu, NULL, address);
}

/* slab_ksize(): debug data and free pointers behind the object are not its
 * own */
static size_t slab_ksize(const struct rmm_kmem_cache *s)
{
	if (s->flags & (RMM_SLAB_RED_ZONE | RMM_SLAB_POISON))
		return s->object_size;
	if (s->flags & (RMM_SLAB_TYPESAFE_BY_RCU | RMM_SLAB_STORE_USER) ||
	    s->offset >= s->object_size)
		return s->inuse;
	return s->size;
}

/* skip_orig_size_check(): who asks how large an object is will use all of it,
 * so that its red zone begins behind it */
static void give_all(const struct rmm_slab *slab, uintptr_t object)
{
	const struct rmm_kmem_cache *s = slab->cache;
	struct rmm_track *t = rmm_get_track(s, slab, object, RMM_TRACK_ALLOC);

	if (t && (s->flags & RMM_SLAB_KMALLOC))
		t->size = s->object_size;
}

/** rmm_ksize() - see refmm_kmalloc.h; also 0 for what kmalloc() did not give */
size_t rmm_ksize(const struct rmm *rmm, const void *object)
{
	const struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	const struct rmm_slab *slab;

	if (!l || zero_or_null(object))
		return 0;
	slab = rmm_virt_to_slab(l, (uintptr_t)object);
	if (!slab)
		return rmm_large_ksize(rmm, (uintptr_t)object);
	if (!rmm_is_object(slab->cache, slab, (uintptr_t)object))
		return 0;
	give_all(slab, (uintptr_t)object);
	return slab_ksize(slab->cache);
}

/* The slot does: with __GFP_ZERO, what is left of it is cleared, as nobody
 * knows how much of it was in use. */
static void *stay(struct rmm *rmm, unsigned int cpu, void *object, size_t size,
		  unsigned int gfp)
{
	if (rmm->arena && (gfp & RMM_GFP_ZERO))
		memset((char *)object + size, 0, rmm_ksize(rmm, object) - size);
	if (rmm_kmalloc_tables(rmm)->count)
		rmm_kmalloc_account(rmm, cpu, (uintptr_t)object, size);
	return object;
}

/* What is free already must not be given out again by its old address. Return:
 * -EINVAL, or 0 for what kmalloc() gave, and for NULL */
static int check_realloc(struct rmm *rmm, const void *object, size_t slot)
{
	struct rmm_slab_report report = {
		.object = (uintptr_t)object,
		.verb = "krealloc",
		.what = "it is free",
	};

	if (zero_or_null(object))
		return 0;
	if (!slot)
		return rmm_error(rmm, -EINVAL,
				 "cannot krealloc 0x%llx: kmalloc() did not "
				 "give it",
				 (unsigned long long)report.object);
	report.slab = rmm_virt_to_slab(rmm_slab_layer(rmm), report.object);
	if (!report.slab ||
	    rmm_object_is_live(report.slab->cache, report.slab, report.object))
		return 0;
	return rmm_slab_error(rmm, -EINVAL, &report);
}

/** rmm_krealloc() - krealloc(): NULL and @object stays if there is no memory */
void *rmm_krealloc(struct rmm *rmm, unsigned int cpu, void *object, size_t size,
		   unsigned int gfp)
{
	size_t slot;
	void *p;

	if (!size)
		return rmm_kfree(rmm, cpu, object) ? NULL : RMM_ZERO_SIZE_PTR;
	slot = rmm_ksize(rmm, object);
	if (check_realloc(rmm, object, slot))
		return NULL;
	if (slot >= size)
		return stay(rmm, cpu, object, size, gfp);
	p = rmm_kmalloc(rmm, cpu, size, gfp);
	if (!p)
		return NULL;
	if (rmm->arena && slot)
		memcpy(p, object, slot);
	rmm_kfree(rmm, cpu, object);
	return p;
}

/** rmm_kmalloc_slab() - see refmm_kmalloc.h */
struct rmm_kmem_cache *rmm_kmalloc_slab(const struct rmm *rmm, size_t size,
					unsigned int gfp)
{
	const struct rmm_kmalloc *k = rmm_kmalloc_tables(rmm);

	if (!k || !size || size > RMM_KMALLOC_MAX_CACHE_BYTES)
		return NULL;
	return k->caches[rmm_kmalloc_type(gfp)]
			[rmm_kmalloc_size_index(k, size)];
}

/** rmm_kmalloc_size_roundup() - see refmm_kmalloc.h; @size itself where there
 *  is nothing to be had */
size_t rmm_kmalloc_size_roundup(const struct rmm *rmm, size_t size)
{
	const struct rmm_kmem_cache *s =
		rmm_kmalloc_slab(rmm, size, RMM_GFP_KERNEL);
	size_t bytes = (size_t)1 << rmm->config.page_shift;

	if (s)
		return s->object_size;
	if (!size || size > bytes << rmm->config.max_order)
		return size;
	while (bytes < size)
		bytes <<= 1;
	return bytes;
}
