/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_cache.h - a cache, what each CPU and node keeps of it, and the layer.
 *
 * What a call touches comes first in each structure, so that the fast path gets
 * by with a line of the cache, one of its CPU's, and one of the slab.
 *
 *   struct rmm_kmem_cache   | cpu, reciprocal, random, size, ... | node, ...
 *   ..._cpu                 | freelist, base, limit, two counts  | slab, ...
 *   struct rmm_slab         | head, cache, word, base, links     |
 */
#ifndef REFMM_SLAB_CACHE_H
#define REFMM_SLAB_CACHE_H

#include "slab.h"

/* struct kmem_cache_cpu: the first line is what most calls touch */
struct rmm_kmem_cache_cpu {
	uintptr_t freelist; /* of `slab`, next to be given out; 0: none */
	uintptr_t base;	    /* the slab's; its objects end at base + limit */
	uint64_t limit;	    /* 0: no slab */
	uint64_t multiple;  /* n * this < this: n is a multiple of the size */
	uint64_t random;    /* the cache's, as `multiple` and `offset` */
	uint64_t offset;
	uint64_t alloc_fastpath, free_fastpath;
	struct rmm_slab *slab;
	struct rmm_slab *partial; /* the rest of CPU's slabs, newest first */
	struct rmm_sheaf *main, *spare, *rcu_free;
	struct rmm_slab_stat stat;
} __attribute__((aligned(64)));

struct rmm_slab_list {
	struct rmm_slab *first, *last;
	uint64_t count;
};

/* struct kmem_cache_node, and its barn */
struct rmm_kmem_cache_node {
	uint8_t lock, barn_lock;
	struct rmm_slab_list partial;
	struct rmm_slab_list full; /* debug: so that every slab is found */
	uint64_t nr_slabs, total_objects;
	struct rmm_sheaf *sheaves_full, *sheaves_empty;
	unsigned int nr_full, nr_empty;
} __attribute__((aligned(64)));

/* struct kmem_cache_order_objects */
struct rmm_order_objects {
	unsigned int order, objects;
};

struct rmm_kmem_cache {
	/* Read by every call */
	struct rmm_kmem_cache_cpu *cpu;
	uint64_t reciprocal; /* of size */
	uint64_t random;     /* hides free pointers */
	unsigned int size;   /* from object to object */
	unsigned int offset; /* of the free pointer in it */
	unsigned int watch;  /* gfp bits that need more than the fast path */
	unsigned int nr_cpus;
	bool backed, threads;
	bool debug;	/* any of RMM_SLAB_DEBUG_FLAGS */
	bool cpu_slabs; /* CPUs have slabs of their own; not in 7.x */
	/* The rest */
	struct rmm_kmem_cache_node *node;
	struct rmm_slab_layer *layer;
	struct rmm_order_objects oo, min;
	unsigned int object_size, inuse, align, flags, red_left_pad;
	unsigned int allocflags, usersize;
	unsigned int cpu_partial, cpu_partial_slabs;
	uint64_t min_partial, pages; /* pages: of all its slabs */
	unsigned int sheaf_capacity;
	unsigned int aliases; /* users but the first; layer->lock */
	bool dying;	      /* its last user goes; layer->lock */
	bool object_poison;   /* the object's own bytes are poisoned */
	void (*ctor)(void *object);
	uint16_t *random_seq; /* order in which a new slab is filled, or NULL */
	struct rmm_kmem_cache *next, *prev;
	char *name;
};

struct rmm_slab_layer {
	/* Read by every free */
	struct rmm_slab *slabs; /* [end_pfn] */
	uintptr_t page_offset;
	uintptr_t bytes; /* of the direct map */
	unsigned int page_shift;
	bool threads;
	/* The rest */
	struct rmm *rmm;
	struct rmm_slab_config config;
	struct rmm_kmem_cache *first, *last;
	void *kmalloc; /* the layer above: its tables */
	struct rmm_slab_meta *meta;
	struct rmm_slab_rcu *rcu;
	uint64_t clock, random;
	uint8_t lock; /* slab_mutex: the list of caches */
};

/** rmm_slab_word() - a slab's word, and what was written before it */
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

#endif
