/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_kmalloc.h - memory by the byte, from caches of fixed sizes (LKD3 ch.
 * 12, "kmalloc()"). Larger requests become whole pages.
 */
#ifndef KMEMLAB_REFMM_KMALLOC_H
#define KMEMLAB_REFMM_KMALLOC_H

#include <stddef.h>
#include <stdint.h>

#include <kmemlab/refmm_types.h>

struct rmm_kmem_cache;

enum { RMM_KMALLOC_MAX_CACHE_BYTES = 8192 }; /* larger: whole pages */
/* What kmalloc(0) returns; freeing it does nothing. */
#define RMM_ZERO_SIZE_PTR ((void *)16)

/* Requests that ordinary caches do not serve, or not as they are */
#define RMM_KMALLOC_SPECIAL                                                    \
	(RMM_GFP_DMA | RMM_GFP_RECLAIMABLE | RMM_GFP_ACCOUNT | RMM_GFP_ZERO)

/** rmm__kmalloc() - __kmalloc(): of a size that shows only at run time */
void *rmm__kmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		   unsigned int gfp);
/** rmm__kmalloc_cache() - __kmalloc_cache(): of class @index, which fits @size,
 *  and with a @gfp that is not special. For rmm_kmalloc() alone. */
void *rmm__kmalloc_cache(struct rmm *rmm, unsigned int cpu, size_t size,
			 unsigned int gfp, size_t index);

/** rmm_kmalloc_index() - kmalloc_index(): class of @size, which is a constant
 *  from 1 to RMM_KMALLOC_MAX_CACHE_BYTES */
static inline unsigned int rmm_kmalloc_index(size_t size)
{
	if (size > 64 && size <= 96)
		return 1;
	if (size > 128 && size <= 192)
		return 2;
	return size <= 8 ? 3 : 64 - (unsigned int)__builtin_clzl(size - 1);
}

/** rmm_kmalloc() - kmalloc(): if the compiler knows the size, it looks up the
 *  class, too */
static inline void *rmm_kmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
				unsigned int gfp)
{
	if (__builtin_constant_p(size) && __builtin_constant_p(gfp) && size &&
	    size <= RMM_KMALLOC_MAX_CACHE_BYTES && !(gfp & RMM_KMALLOC_SPECIAL))
		return rmm__kmalloc_cache(rmm, cpu, size, gfp,
					  rmm_kmalloc_index(size));
	return rmm__kmalloc(rmm, cpu, size, gfp);
}

void *rmm_kmalloc_node(struct rmm *rmm, unsigned int cpu, size_t size,
		       unsigned int gfp, int nid);
void *rmm_kzalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		  unsigned int gfp);
/** rmm_kmalloc_array(), rmm_kcalloc() - NULL if @n * @size overflows */
void *rmm_kmalloc_array(struct rmm *rmm, unsigned int cpu, size_t n,
			size_t size, unsigned int gfp);
void *rmm_kcalloc(struct rmm *rmm, unsigned int cpu, size_t n, size_t size,
		  unsigned int gfp);
/** rmm_krealloc() - moves only if the object's slot is too small; size 0 frees.
 *  NULL and @object stays as it is: no memory, or it was not kmalloc()'s */
void *rmm_krealloc(struct rmm *rmm, unsigned int cpu, void *object, size_t size,
		   unsigned int gfp);
int rmm_kfree(struct rmm *rmm, unsigned int cpu, const void *object);
/** rmm_ksize() - usable bytes of an object; 0 for NULL and for size 0 */
size_t rmm_ksize(const struct rmm *rmm, const void *object);
/** rmm_kmalloc_size_roundup() - bytes that a request of @size really gets */
size_t rmm_kmalloc_size_roundup(const struct rmm *rmm, size_t size);
/** rmm_kmalloc_slab() - cache that serves @size under @gfp; NULL: too large */
struct rmm_kmem_cache *rmm_kmalloc_slab(const struct rmm *rmm, size_t size,
					unsigned int gfp);

/* What a class has given out and what was asked for: the rest is waste */
struct rmm_kmalloc_usage {
	const char *name;	  /* cache, or "pages" for larger requests */
	unsigned int object_size; /* 0: pages */
	uint64_t objects;	  /* live */
	uint64_t requested_bytes, given_bytes;
};

/** rmm_kmalloc_usage() - of the @n-th class, at rest, with
 *  rmm_slab_config.kmalloc_account; false: there are fewer. What was given back
 *  otherwise than by kfree() counts until somebody else has its slot. */
bool rmm_kmalloc_usage(const struct rmm *rmm, unsigned int n,
		       struct rmm_kmalloc_usage *out);

#endif
