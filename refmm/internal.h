/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * internal.h - the instance: machine, zones, per-CPU lists, locks.
 *
 *   struct rmm --+-- memmap[]   one struct rmm_page per frame
 *                +-- blocks[]   one struct rmm_pageblock per pageblock
 *                +-- cpu[]      counters of each CPU
 *                +-- zone[] ----+-- free_area[order].free_list[migratetype]
 *                               +-- pcp[cpu].lists[...]
 *
 * Names: rmm_x() answers to the kernel's x(), rmm__x() to its __x().
 *
 * Locking: a CPU's pcp->lock, then a zone's lock; never two of a kind. Whoever
 * holds a zone lock is noted in the zone (cpu, stat), so that what runs under
 * the lock need not be told. On one thread the locks are counted, not taken.
 */
#ifndef REFMM_INTERNAL_H
#define REFMM_INTERNAL_H

#include "ring.h"

enum {
	RMM_COSTLY_ORDER = 3,	 /* PAGE_ALLOC_COSTLY_ORDER */
	RMM_PCP_SCALE_MAX = 5,	 /* CONFIG_PCP_BATCH_SCALE_MAX */
	RMM_LOWORDER_LISTS = 12, /* NR_LOWORDER_PCP_LISTS */
	RMM_PCP_LISTS = 14,	 /* and up to two for huge pages */
	RMM_PREV_FREE_HIGH = 1,	 /* PCPF_PREV_FREE_HIGH_ORDER */
	RMM_LOOSE_MERGE = 1,	 /* buddies may lie unmerged */
	RMM_LOOSE_TYPE =
		2, /* a free block's list may differ from its pageblock */
	RMM_LOOSE_CMA = 4, /* even if one of them is CMA's */
	RMM_ERROR_BYTES = 256,
	RMM_ERROR_TEXTS = 64, /* threads that may fail at a time */
};

/* In rmm->watch: no allocation at all may go the quick way. No gfp bit. */
#define RMM_WATCH_ALL (1u << 31)

struct rmm_free_area {
	struct rmm_list free_list[RMM_MIGRATE_TYPES];
};

/* struct per_cpu_pages: one zone's lists for one CPU */
struct rmm_pcp {
	int count; /* base pages on the lists */
	int high;  /* drain from here on; clamped to the next two */
	int high_min, high_max;
	int batch;	/* pages to move at a time */
	int free_count; /* frees without an allocation between */
	int loaded;	/* pages that a snapshot put here */
	int free_diff;	/* vm_stat_diff of NR_FREE_PAGES; zone's lock */
	union {
		struct {
			uint8_t flags;	      /* RMM_PREV_FREE_HIGH */
			uint8_t alloc_factor; /* doublings of the next refill */
		};
		uint16_t untuned; /* a free changes one of them */
	};
	uint8_t free_factor; /* 6.1: doublings of the next drain */
	uint8_t lock;
	struct rmm_zone *zone;
	uint64_t nr_quick; /* frees that rmm_stat() adds to the others */
	uint64_t word;	   /* of a page on the lists, without order and type */
	struct rmm_ring lists[RMM_PCP_LISTS];
} __attribute__((aligned(64)));

/* What compaction remembers of a zone, from run to run */
struct rmm_zone_compact {
	rmm_pfn migrate_pfn[2]; /* where to begin; [1]: synchronous */
	rmm_pfn free_pfn;
	uint8_t considered, defer_shift, order_failed;
	bool blockskip_flush; /* kswapd shall clear the skip hints */
	/* A run of rmm_compact_step() that is not through; order 0: none */
	bool step_whole;
	uint8_t step_order;
	rmm_pfn step_migrate, step_free, step_last;
};

struct rmm_zone {
	/* Read on every allocation */
	struct rmm *rmm;
	struct rmm_page *memmap;
	struct rmm_pageblock *blocks;
	struct rmm_pcp *pcp;	      /* [nr_cpus] */
	uint64_t wmark[RMM_NR_WMARK]; /* _watermark */
	uint64_t boost;		      /* watermark_boost */
	int64_t lowmem_reserve[RMM_ZONE_TYPES];
	int64_t nr_free_seen;	     /* NR_FREE_PAGES, as watermarks see it */
	int64_t nr_free;	     /* all but isolated: exact */
	int64_t nr_free_cma;	     /* NR_FREE_CMA_PAGES */
	int64_t unusable_highatomic; /* what ordinary requests leave of it */
	uint8_t id, type, node;
	uint8_t pageblock_order, max_order;
	uint8_t nofragment; /* requests that prefer this zone avoid mixing */
	uint8_t stat_threshold; /* of free_diff; 0: nothing is put off */
	union {
		struct {
			uint8_t below_high;	/* ZONE_BELOW_HIGH */
			uint8_t boosted;	/* ZONE_BOOSTED_WATERMARK */
			uint8_t reclaim_active; /* ZONE_RECLAIM_ACTIVE */
			uint8_t zero;
		};
		uint32_t pressure; /* any of them */
	};

	/* Set up once */
	rmm_pfn start_pfn;
	uint32_t spanned, present, managed;
	uint32_t pcp_batch, pcp_high_min, pcp_high_max;
	uint64_t nr_given; /* pages that are not reserved */

	/* Under the lock */
	uint8_t lock __attribute__((aligned(64)));
	uint8_t loose;	       /* invariants that do not hold: RMM_LOOSE_* */
	unsigned int cpu;      /* who holds the lock */
	struct rmm_stat *stat; /* and where it counts */
	struct rmm_capture *capture; /* and what it compacts for; or NULL */
	uint64_t random;	     /* shuffle: its sequence */
	uint64_t nr_reserved_highatomic;
	int64_t nr_free_highatomic; /* part of nr_free */
	struct rmm_free_area free_area[RMM_NR_ORDERS];
	struct rmm_zone_compact compact;
};

/* struct capture_control: who compacts wants to have the block that it makes */
struct rmm_capture {
	const struct rmm_zone *zone;
	unsigned int order;
	int migratetype;
	rmm_pfn pfn; /* the block; RMM_NO_PFN: none so far */
};

struct rmm_cpu {
	struct rmm_stat stat;
	struct rmm_capture *capture; /* what runs here waits for it; or NULL */
	struct rmm_zone *preferred[RMM_ZONE_TYPES]; /* first to try; or NULL */
	uint32_t caller;	/* page_owner: who acts here */
	uint32_t preempt_count; /* may what runs here sleep? */
	uint8_t node;
	bool memalloc; /* PF_MEMALLOC: it reclaims or compacts for a request */
} __attribute__((aligned(64)));

/* Zones in the order in which a node's requests try them. */
struct rmm_zonelist {
	struct rmm_zone *zone[RMM_MAX_ZONES];
	uint16_t nr, nr_local; /* the first nr_local are the node's own */
	uint8_t first[RMM_ZONE_TYPES]; /* where type <= index begins */
};

/* What is built on pages, from the bottom up. A layer's own code fills in its
 * entry, so that the page side can check it and end it without knowing it. */
enum rmm_layer_id {
	RMM_LAYER_SLAB,
	RMM_LAYER_VMALLOC,
	RMM_LAYER_PERCPU,
	RMM_LAYER_STACK,
	RMM_LAYER_HIGHMEM,
	RMM_LAYERS,
};

struct rmm_layer {
	void *state; /* NULL: not in use */
	/* Frees @state and what libc gave it; pages die with the machine */
	void (*destroy)(struct rmm *rmm, void *state);
	/* As rmm_validate() */
	int (*validate)(const struct rmm *rmm, const void *state, char *msg,
			size_t size);
};

/* What went wrong last for one thread; see error.c */
struct rmm_error_text {
	uintptr_t thread; /* 0: nobody's */
	char text[RMM_ERROR_BYTES];
};

struct rmm {
	struct rmm_config config;
	struct rmm_layer layer[RMM_LAYERS];
	struct rmm_hooks hooks;
	struct rmm_page *memmap;
	struct rmm_pageblock *blocks;
	struct rmm_zone *zone;
	struct rmm_cpu *cpu;
	struct rmm_zonelist *zonelist; /* [nr_nodes] */
	rmm_pfn end_pfn; /* of memmap; a multiple of 2^max_order */
	unsigned int nr_zones, nr_nodes, nr_blocks;
	unsigned int thp_order; /* HPAGE_PMD_ORDER */
	/* [nr_cpus]: the zone's lists that the last single page went to */
	struct rmm_pcp **freed_to;
	/* CPUs whose single pages may be freed the quick way, without threads
	 * and with: all or none */
	unsigned int quick_cpus, locked_cpus;
	unsigned int pcp_orders; /* bit per order with per-CPU lists */
	uint64_t min_free_kbytes;
	struct rmm_page_owner *owner; /* [end_pfn], or NULL: no history */
	uint64_t owner_clock;
	void *arena;		 /* backed mode: memory of frame 0 */
	int arena_fd;		 /* what it maps; -1: cannot be mapped again */
	uintptr_t *page_virtual; /* [end_pfn]: where kmap() shows a page of high
				    memory; or NULL */
	uintptr_t page_offset;	 /* PAGE_OFFSET: address of frame 0 */
	unsigned int watch;	 /* gfp bits that the quick way cannot serve */
	/* kmalloc()'s quick way: on CPUs below kmalloc_cpus, which is 0 while
	 * there is none, and kmalloc_quick_cpus if nobody makes slabs fail */
	unsigned int kmalloc_cpus, kmalloc_quick_cpus;
	struct rmm_kmalloc_cpu *kmalloc_cpu; /* [kmalloc_cpus] */
	const uint8_t *kmalloc_index;	     /* by (size - 1) / 8 */
	struct rmm_fault fault;
	uint64_t fault_calls, faults; /* that passed its filters; that failed */
	size_t memmap_bytes;
	bool has_dma32; /* CONFIG_ZONE_DMA32: a zone of that type was given */
	bool loaded;	/* lists have the order of a snapshot: not shuffled */
	bool ready;	/* rmm_setup_done() was called */
	uint8_t gfp_zone[32], gfp_migratetype[32]; /* by RMM_GFP_INDEX */
	uint8_t error_lock;
	unsigned int error_turn;
	struct rmm_error_text error[RMM_ERROR_TEXTS];
};

#endif
