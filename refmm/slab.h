/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab.h - slabs, caches, and what CPUs and nodes keep of them.
 *
 *   struct rmm_slab_layer --+-- slabs[]   one struct rmm_slab per frame
 *                           +-- caches, in order of creation
 *
 *   struct rmm_kmem_cache --+-- cpu[]     the slab it allocates from, partial
 *                           |             slabs, sheaves
 *                           +-- node[]    partial slabs; full sheaves
 *
 * A slab is a block of pages cut into equal objects:
 *
 *   base        base + size                                    page's end
 *   | object 0  | object 1  | ...  | object n-1  | waste < size |
 *
 * where base is the block's address plus the left red zone, if there is one.
 *
 *   inuse + free on the slab's own list = objects
 *
 * and a slab is in one place: a CPU's (frozen), a CPU's partial list, its
 * node's partial list, its node's full list (debug only), or nowhere (full).
 *
 * Locking: what a CPU keeps is that CPU's alone. A slab's word changes by
 * compare and exchange; its links belong to whoever holds the list: the CPU or
 * node->lock. Inside node->lock no other lock is taken.
 */
#ifndef REFMM_SLAB_H
#define REFMM_SLAB_H

#include "layers.h"

enum {
	RMM_SLAB_MAX_OBJECTS = 32767, /* MAX_OBJS_PER_PAGE: 15 bits */
	RMM_SLAB_NIL = 32767,	      /* as a link: end of the list */
	RMM_SLAB_LIVE = 65535,	      /* as a link: the object is in use */
	RMM_SLAB_MAX_SIZE = 1 << 22,
	RMM_SLAB_MAX_SHIFT = 23,  /* of a slab's bytes */
	RMM_SLAB_RECIPROCAL = 45, /* size * slab bytes <= 2^45 */
};

/* Where a slab is, as far as its links say */
enum rmm_slab_where {
	RMM_SLAB_NOWHERE, /* full, or a CPU's */
	RMM_SLAB_ON_PARTIAL,
	RMM_SLAB_ON_FULL,
	RMM_SLAB_ON_CPU, /* a CPU's partial list */
	RMM_SLAB_IN_RCU, /* dead, but for its readers */
};

/*
 * The kernel's freelist and counters, 16 bytes there, packed: the first free
 * object's number, objects given out, objects there are, and whether a CPU has
 * the slab.
 *
 *   bit 0        16        32        47      48
 *   | freelist   | inuse   | objects | frozen | 0
 */
struct rmm_slab_word {
	union {
		struct {
			uint16_t freelist; /* RMM_SLAB_NIL: none */
			uint16_t inuse;
			uint16_t objects : 15;
			uint16_t frozen : 1;
			uint16_t zero;
		};
		uint64_t word;
	};
};
_Static_assert(sizeof(struct rmm_slab_word) == 8, "one compare and exchange");

/* struct slab: of a slab's first frame. Of its other frames only `head`. */
struct rmm_slab {
	struct rmm_slab *head; /* NULL: this frame is in no slab */
	struct rmm_kmem_cache *cache;
	uint64_t word;	/* struct rmm_slab_word */
	uintptr_t base; /* address of object 0 */
	struct rmm_slab *next, *prev;
	uint16_t *link; /* without memory: each object's next free one */
	uint8_t node, order;
	uint8_t where;	 /* enum rmm_slab_where */
	uint8_t damaged; /* debug: not to be trusted any more */
	uint32_t slabs;	 /* on a CPU's partial list: this and those behind it */
};
_Static_assert(sizeof(struct rmm_slab) == 64, "shifted; one cache line");

/* struct track: who had an object, and when */
struct rmm_track {
	uint64_t when; /* counted in such events; 0: never */
	uint32_t caller, cpu;
	uint64_t size; /* requested */
	uint64_t pad;
};
_Static_assert(sizeof(struct rmm_track) == 32, "the kernel's, for its sizes");

enum rmm_track_item { RMM_TRACK_ALLOC, RMM_TRACK_FREE };

/* struct kmem_cache_cpu: the first line is what most calls touch */
struct rmm_kmem_cache_cpu {
	uintptr_t freelist; /* of `slab`, next to be given out; 0: none */
	struct rmm_slab *slab;
	struct rmm_slab *partial; /* the rest of CPU's slabs, newest first */
	struct rmm_sheaf *main, *spare, *rcu_free;
	uint64_t alloc_fastpath, free_fastpath;
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
	unsigned int sheaf_capacity, aliases;
	bool object_poison; /* the object's own bytes are poisoned */
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

#endif
