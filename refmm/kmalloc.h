/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kmalloc.h - kmalloc's tables, and the way from a size to a cache.
 *
 *   size    1..8  9..16  17..32  33..64  65..96  97..128  129..192  193..256
 * ... index    3      4      5       6       1       7         2         8
 *   cache    8     16     32      64      96     128       192       256
 *
 * Index n is the cache of 2^n bytes; 1 and 2 are those of 96 and 192, which
 * save a quarter where many objects are a little too large for 64 and 128.
 */
#ifndef REFMM_KMALLOC_H
#define REFMM_KMALLOC_H

#include "slab_fast.h"

/* enum kmalloc_cache_type, in the order in which caches are created. Not
 * derived: KMALLOC_RANDOM_START + n (CONFIG_RANDOM_KMALLOC_CACHES), which a
 * secret and the call site decide, and buckets, which belong to a caller. */
enum rmm_kmalloc_type {
	RMM_KMALLOC_NORMAL,
	RMM_KMALLOC_RECLAIM,
	RMM_KMALLOC_DMA,
	RMM_KMALLOC_CGROUP,
	RMM_KMALLOC_TYPES,
};

enum {
	RMM_KMALLOC_SHIFT_HIGH = 13,
	RMM_KMALLOC_INDEXES = RMM_KMALLOC_SHIFT_HIGH + 1,
	RMM_KMALLOC_STEPS = RMM_KMALLOC_MAX_CACHE_BYTES / 8,
};

/* What the fast paths of a CPU take: the CPU's side of each NORMAL cache, or of
 * a cache that never has anything, where there is no fast path; and the one
 * that last gave an object, as that often comes back soon. */
struct rmm_kmalloc_cpu {
	struct rmm_kmem_cache_cpu *last;
	struct rmm_kmem_cache_cpu *of[RMM_KMALLOC_INDEXES];
	uint64_t pad;
};
_Static_assert(sizeof(struct rmm_kmalloc_cpu) == 128, "shifted");

/* What one CPU has given out less what it has taken back, so that only the sum
 * over CPUs means something; see kmalloc_account.c */
struct rmm_kmalloc_count {
	int64_t objects, requested, given; /* bytes */
};

struct rmm_kmalloc {
	struct rmm_kmem_cache *caches[RMM_KMALLOC_TYPES][RMM_KMALLOC_INDEXES];
	uint8_t size_index[RMM_KMALLOC_STEPS]; /* kmalloc_size_index */
	unsigned int shift_low;		       /* KMALLOC_SHIFT_LOW */
	/* [CPU][type][index]; NULL: nobody asked. Index 0: whole pages. */
	struct rmm_kmalloc_count (
		*count)[RMM_KMALLOC_TYPES][RMM_KMALLOC_INDEXES];
	uint16_t *sizes; /* requested, of the object at each 8 bytes */
	size_t sizes_bytes;
	struct rmm_kmem_cache_cpu nothing; /* see struct rmm_kmalloc_cpu */
	struct rmm_kmalloc_cpu cpu[];
};

/** rmm_kmalloc_type() - kmalloc_type(): DMA before RECLAIM before CGROUP */
static inline enum rmm_kmalloc_type rmm_kmalloc_type(unsigned int gfp)
{
	if (rmm_likely(!(gfp & (RMM_GFP_DMA | RMM_GFP_RECLAIMABLE |
				RMM_GFP_ACCOUNT))))
		return RMM_KMALLOC_NORMAL;
	if (gfp & RMM_GFP_DMA)
		return RMM_KMALLOC_DMA;
	return gfp & RMM_GFP_RECLAIMABLE ? RMM_KMALLOC_RECLAIM
					 : RMM_KMALLOC_CGROUP;
}

/** rmm_kmalloc_size_index() - of @size, 1..RMM_KMALLOC_MAX_CACHE_BYTES */
static inline unsigned int rmm_kmalloc_size_index(const struct rmm_kmalloc *k,
						  size_t size)
{
	return k->size_index[(size - 1) / 8];
}

static inline struct rmm_kmalloc *rmm_kmalloc_tables(const struct rmm *rmm)
{
	const struct rmm_slab_layer *l = rmm_slab_layer(rmm);

	return rmm_likely(l) ? l->kmalloc : NULL;
}

/* kmalloc.c: what kmalloc_fast.c leaves */
void *rmm__do_kmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		      unsigned int gfp);
int rmm__kfree(struct rmm *rmm, unsigned int cpu, uintptr_t address);

/* kmalloc_caches.c */
int rmm_create_kmalloc_caches(struct rmm *rmm);
void rmm_destroy_kmalloc_caches(struct rmm_slab_layer *l);
bool rmm_is_kmalloc_cache(const struct rmm_kmem_cache *s);

/* kmalloc_large.c */
void *rmm_kmalloc_large_node(struct rmm *rmm, unsigned int cpu, size_t size,
			     unsigned int gfp, int nid);
int rmm_free_large_kmalloc(struct rmm *rmm, unsigned int cpu,
			   uintptr_t address);
struct rmm_page *rmm_kmalloc_large_page(const struct rmm *rmm,
					uintptr_t address);
size_t rmm_large_ksize(const struct rmm *rmm, uintptr_t address);

/* kmalloc_account.c; only with k->count */
int rmm_kmalloc_account_create(struct rmm *rmm, struct rmm_kmalloc *k);
void rmm_kmalloc_account(struct rmm *rmm, unsigned int cpu, uintptr_t object,
			 size_t size);

/* A block's first page says in its private word that it is kmalloc()'s, and for
 * how many bytes. */
#define RMM_KMALLOC_MARK      ((uint64_t)0x6b6d << 48)
#define RMM_KMALLOC_MARK_SIZE (((uint64_t)1 << 48) - 1)

static inline size_t rmm_kmalloc_large_size(const struct rmm_page *page)
{
	return page->private & RMM_KMALLOC_MARK_SIZE;
}

static inline void rmm_kmalloc_set_large_size(struct rmm_page *page,
					      size_t size)
{
	page->private = RMM_KMALLOC_MARK | size;
}

#endif
