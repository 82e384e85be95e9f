/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu.h - chunks of per-CPU memory, and what the parts of that layer share.
 *
 * A chunk is an address area with one unit for each CPU, all alike: what is at
 * offset x of one unit belongs to what is at x of the others. So one bitmap
 * serves all of them, a bit for 4 bytes:
 *
 *      chunk   |  unit 0 (CPU 0)  |  unit 1 (CPU 1)  |  unit 2 ...
 *                 ^ x                ^ x                ^ x
 *      bitmap  |1111000011|    block = the bits of one page; each has hints
 *      pages   |pp..      |    populated: the same pages in every unit
 *
 * Chunks stand in slots by their largest free area, so that the fullest that
 * may do is tried first:
 *
 *      slot 0    nothing free        1 ... n    2^(slot + 2) bytes and more
 *      sidelined depopulated, used only if nothing else does
 *      free      nothing allocated   to_depopulate   reclaim works on it
 *
 * Invariants: free_bytes = 4 * clear bits of alloc_map; nr_populated = set bits
 * of populated; every allocated bit lies in a populated page; empty_pop_pages =
 * populated pages without an allocated bit; each chunk is in one slot.
 *
 * Locking: state->mutex (chunks come and go, pages are populated) before
 * state->lock (everything else); the page allocator is called with the mutex
 * alone. Atomic requests take the lock only.
 *
 * Modelled: struct pcpu_chunk, struct pcpu_block_md, the pcpu_* variables.
 * Simplified: areas are equally large and numbered; the kernel searches vmalloc
 * space for room (pcpu_get_vm_areas), and finds a chunk through page->index.
 * Omitted: memory cgroups, allocation tags. (6.12, mm/percpu-internal.h; LKD3
 * ch. 12 "The New percpu Interface")
 */
#ifndef REFMM_PERCPU_H
#define REFMM_PERCPU_H

#include <kmemlab/refmm_percpu.h>

#include "layers.h"
#include "percpu_bitmap.h"

enum {
	RMM_PCPU_SHIFT = 2,	      /* PCPU_MIN_ALLOC_SHIFT */
	RMM_PCPU_SLOT_BASE_SHIFT = 5, /* below 2^5 bytes: slot 1 */
	RMM_PCPU_SLOT_FAIL = 3,	      /* PCPU_SLOT_FAIL_THRESHOLD */
	RMM_PCPU_EMPTY_LOW = 2,	      /* PCPU_EMPTY_POP_PAGES_LOW */
	RMM_PCPU_EMPTY_HIGH = 4,
	RMM_PCPU_SLOTS = 40, /* room for units up to 2^31 bytes */
};

/* struct pcpu_block_md: what is known of the free areas of a block, or of a
 * whole chunk; in bits, positions from its beginning */
struct rmm_pcpu_md {
	int contig_hint, contig_hint_start; /* the largest */
	int scan_hint, scan_hint_start;	    /* a large one before it; 0: none */
	int left_free, right_free;	    /* at its edges */
	int first_free;
	int nr_bits;
};

struct rmm_pcpu_chunk {
	struct rmm_pcpu_chunk *prev, *next; /* in its slot */
	int slot;			    /* that it stands in; -1: none */
	int nr_alloc;
	size_t max_alloc_size;
	int free_bytes;
	struct rmm_pcpu_md chunk_md;
	uint64_t *alloc_map;	       /* a bit for 4 bytes */
	uint64_t *bound_map;	       /* where allocations begin, and end */
	struct rmm_pcpu_md *md_blocks; /* one per page */
	uint64_t *populated;	       /* a bit per page */
	rmm_pfn *pages; /* [cpu * nr_pages + page]; NULL: boot's */
	uintptr_t base_addr;
	unsigned int area;	      /* number of its address area */
	bool immutable;		      /* pages stay as they are */
	bool isolated;		      /* out of the active slots */
	int start_offset, end_offset; /* bytes that are not its own */
	int nr_pages, nr_populated, nr_empty_pop_pages;
};

/* A list of chunks; the head is the next to be tried. */
struct rmm_pcpu_slot {
	struct rmm_pcpu_chunk *first, *last;
};

struct rmm_pcpu {
	uint8_t lock;  /* pcpu_lock */
	uint8_t mutex; /* pcpu_alloc_mutex */
	bool backed;
	bool atomic_alloc_failed;
	bool balance_needed;	/* pcpu_balance_work is queued */
	int nr_empty_pop_pages; /* reserved and isolated chunks' not counted */
	struct rmm *rmm;
	struct rmm_percpu_info info;
	unsigned int nr_cpus;
	int page_size, block_bits, unit_pages, min_unit_size;
	int *unit_map;		 /* CPU -> unit */
	uintptr_t window;	 /* of all areas; area 0 is the first chunk's */
	size_t area_bytes;	 /* nr_units * unit_size */
	unsigned int max_chunks; /* areas */
	size_t static_used;

	struct rmm_pcpu_chunk *first_chunk, *reserved_chunk;
	struct rmm_pcpu_chunk **areas; /* [max_chunks]; NULL: free */
	struct rmm_pcpu_slot slots[RMM_PCPU_SLOTS];
	uint64_t nr_populated;
	struct rmm_percpu_stat stat;
};

/* percpu_hints.c */
void rmm_pcpu_init_md_blocks(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c);
void rmm_pcpu_block_update(struct rmm_pcpu_md *md, int start, int end);
void rmm_pcpu_block_update_scan(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
				int start, int bits);
void rmm_pcpu_block_update_hint_alloc(struct rmm_pcpu *p,
				      struct rmm_pcpu_chunk *c, int start,
				      int bits);
void rmm_pcpu_block_update_hint_free(struct rmm_pcpu *p,
				     struct rmm_pcpu_chunk *c, int start,
				     int bits);
int rmm_pcpu_next_hint(const struct rmm_pcpu_md *md, int bits);

#endif
