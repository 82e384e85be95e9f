/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab.h - a slab, and what it is part of.
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

#endif
