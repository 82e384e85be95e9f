/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_kmalloc.h - memory by the byte, from caches of fixed sizes (LKD3 ch.
 * 12, "kmalloc()"). Larger requests become whole pages.
 */
#ifndef KMEMLAB_REFMM_KMALLOC_H
#define KMEMLAB_REFMM_KMALLOC_H

#include <stddef.h>

#include <kmemlab/refmm_types.h>

struct rmm_kmem_cache;

enum { RMM_KMALLOC_MAX_CACHE_BYTES = 8192 }; /* larger: whole pages */
/* What kmalloc(0) returns; freeing it does nothing. */
#define RMM_ZERO_SIZE_PTR ((void *)16)

void *rmm_kmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		  unsigned int gfp);
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
