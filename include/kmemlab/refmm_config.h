/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_config.h - what a machine is made of and how it behaves: zones, sizes,
 * and the kernel's settings under the kernel's names.
 */
#ifndef KMEMLAB_REFMM_CONFIG_H
#define KMEMLAB_REFMM_CONFIG_H

#include <kmemlab/refmm_types.h>

/* What happens when a migrate type has no free block (refmm/fallback.c). */
enum rmm_fallback {
	RMM_FALLBACK_CLAIM = 0, /* 6.12.117, 6.18: claim pageblock, or steal */
	RMM_FALLBACK_STEAL = 1, /* 6.1: move what is free, largest first; also
				   6.1's HIGHATOMIC reserve, MOVABLE's marks,
				   and pageblocks that keep types in merges */
};

enum rmm_mobility {
	RMM_MOBILITY_OFF = 0,
	RMM_MOBILITY_ON = 1,
	RMM_MOBILITY_AUTO = 2, /* as at boot: off if there are fewer pageblocks
				  than migrate types */
};

enum rmm_pcp_mode {
	RMM_PCP_AUTO = 0,  /* 6.7+: high is tuned */
	RMM_PCP_FIXED = 1, /* 6.1: one high mark */
};

/*
 * A populated zone. `spanned` frames from `start_pfn`; zones neither overlap
 * nor share a pageblock. `wmark` and `lowmem_reserve` are read only when
 * rmm_config.given_watermarks is set (from /proc/zoneinfo: min, low, high,
 * promo, protection), lowmem_reserve only without rmm_config.compute_reserve.
 * `pcp_*` 0 means compute. A machine with a DMA32 zone, even an empty one, has
 * a kernel with CONFIG_ZONE_DMA32; without, GFP_DMA32 means NORMAL, and
 * requests that prefer NORMAL do not avoid mixing types.
 */
struct rmm_zone_config {
	uint8_t node, type; /* enum rmm_zone_type */
	rmm_pfn start_pfn;
	uint32_t spanned, present, managed;
	uint32_t pcp_batch, pcp_high_min, pcp_high_max;
	uint64_t wmark[RMM_NR_WMARK];
	uint64_t lowmem_reserve[RMM_ZONE_TYPES];
};

/* rmm_config_init() sets the defaults named here. */
struct rmm_config {
	unsigned int nr_cpus;	 /* 1 */
	const uint8_t *cpu_node; /* node of each CPU; NULL: all on node 0 */
	/* Distance from node i to j at [i * nr_nodes + j], as in the SLIT;
	 * NULL: 10 to itself, 20 to others. nr_nodes 0: those that zones and
	 * CPUs name; needed with a table. Both until rmm_create() returns. */
	const uint8_t *node_distance;
	unsigned int nr_nodes;
	unsigned int page_shift;      /* 12 */
	unsigned int pageblock_order; /* 9 */
	unsigned int max_order;	      /* 10, inclusive (MAX_PAGE_ORDER) */
	const struct rmm_zone_config *zones; /* until rmm_setup_done() */
	unsigned int nr_zones;

	int64_t min_free_kbytes; /* -1: compute as the kernel does at boot */
	bool thp; /* true: min_free_kbytes as khugepaged raises it, PCP lists */
	bool given_watermarks; /* false: compute */
	bool compute_reserve;  /* false; true: not the zones' lowmem_reserve */
	unsigned int watermark_scale_factor; /* 10, in 1/10000 */
	unsigned int watermark_boost_factor; /* 15000, in 1/10000 */
	unsigned int lowmem_reserve_ratio[RMM_ZONE_TYPES]; /* 256 256 32 0 0 */
	bool defrag_mode;		/* false; vm.defrag_mode of 6.15+ */
	enum rmm_mobility mobility;	/* on: group pages by mobility */
	enum rmm_fallback fallback;	/* RMM_FALLBACK_CLAIM */
	enum rmm_pcp_mode pcp_mode;	/* RMM_PCP_AUTO */
	unsigned int pcp_thp_lists;	/* 2 (movable, other); 6.1: 1 */
	unsigned int pcp_high_fraction; /* 0; percpu_pagelist_high_fraction */
	uint32_t pcp_high, pcp_batch;	/* 0: compute; override every zone */
	bool compute_pcp_high;	  /* false; true: zones do not give the marks */
	bool pcp_free_high_batch; /* true; CPUs have > 3 batches of cache */
	bool pcp_free_high_patient; /* false; 6.16+: high-order frees empty a
				       list after batch + high_min / 2 pages,
				       not after a batch */
	bool pcp; /* true; false: every page straight to the buddy lists */
	bool stat_threshold; /* false; true: watermarks see sums that are late,
				as the kernel's counters per CPU make them */
	bool threads;	     /* false: one thread; true: take the locks */
	unsigned int compaction_proactiveness; /* 20; 0..100, 0: never */
	int extfrag_threshold; /* 500; costly orders: compact above it only */
	bool compact_unevictable_allowed; /* true */
	bool shuffle; /* false; page_alloc.shuffle: free lists of max_order in
			 random order, frees of it at a random end */
	uint64_t shuffle_seed;
	bool page_owner;  /* false; for debugging: remember who had each page,
			     so that errors tell (32 bytes a frame) */
	bool isolate_bit; /* false; 6.18+: isolation does not change the type */
	bool backed;	  /* false; true: memory lies behind the pages */
	bool remappable;  /* false; backed: pages can show up at other addresses
			     too (vmalloc, kmap). A memfd lies behind the arena
			     then, so children of fork() share the memory. */
	void *arena; /* NULL: map one; else frame 0, up to the last zone's end,
			rounded up to a block of max_order, and one more */
	uintptr_t page_offset; /* direct map if not backed; x86-64's */
};

#endif
