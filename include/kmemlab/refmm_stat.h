/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_stat.h - what an instance reports while it runs: path counts that need
 * no clock, and callbacks that mirror the kernel's tracepoints.
 */
#ifndef KMEMLAB_REFMM_STAT_H
#define KMEMLAB_REFMM_STAT_H

#include <kmemlab/refmm_types.h>

/* Path counts, kept per CPU; rmm_stat() adds them up. */
struct rmm_stat {
	uint64_t pcp_hit;	   /* allocation served by a non-empty list */
	uint64_t pcp_refill;	   /* calls of rmqueue_bulk */
	uint64_t pcp_refill_pages; /* pages they took from the buddy lists */
	uint64_t pcp_free;	   /* frees that ended on a per-CPU list */
	uint64_t pcp_drain;	   /* calls of free_pcppages_bulk */
	uint64_t pcp_drain_pages;
	uint64_t buddy_alloc; /* allocations straight from the buddy lists */
	uint64_t buddy_free;  /* frees straight to them */
	uint64_t split;	      /* blocks halved */
	uint64_t merge;	      /* buddies joined */
	uint64_t zone_lock;   /* times a zone lock was taken */
	uint64_t slow_path; /* allocations that the first walk did not serve */
	uint64_t direct_reclaim; /* calls of the reclaim hook */
	uint64_t compact;	 /* direct compactions, or calls of the hook */
	uint64_t compact_captured; /* of them, handed the block they made */
	uint64_t compact_migrate_scanned; /* frames, by each scanner */
	uint64_t compact_free_scanned;
	uint64_t compact_isolated; /* free pages taken as targets */
	uint64_t migrate_success;  /* blocks moved; that stayed */
	uint64_t migrate_fail;
	uint64_t failed;	     /* allocations that returned NULL */
	uint64_t boost;		     /* fallbacks that raised a watermark */
	uint64_t highatomic_reserve; /* pageblocks reserved, given back */
	uint64_t highatomic_unreserve;
	uint64_t alloc_pages; /* base pages handed to callers, taken back */
	uint64_t free_pages;
	uint64_t alloc[RMM_NR_ORDERS]; /* calls, by order */
	uint64_t free[RMM_NR_ORDERS];
	/* Fallbacks, [type asked for][type of the block]: the whole pageblock
	 * changed type; only its free pages moved (6.1); one block was taken.
	 */
	uint64_t fallback_claim[RMM_MIGRATE_TYPES][RMM_MIGRATE_TYPES];
	uint64_t fallback_pollute[RMM_MIGRATE_TYPES][RMM_MIGRATE_TYPES];
	uint64_t fallback_steal[RMM_MIGRATE_TYPES][RMM_MIGRATE_TYPES];
};

/* Arguments of mm_page_alloc_extfrag. */
struct rmm_extfrag {
	rmm_pfn pfn;
	uint8_t alloc_order, fallback_order;
	uint8_t alloc_type, fallback_type;
	bool change_ownership; /* the pageblock changed type */
};

/*
 * All may be NULL. `cpu` is the CPU the operation was issued on. Tracepoint
 * hooks are called with the zone lock held and must not call refmm, except for
 * queries. reclaim and compact are called with no lock held and may free and
 * allocate pages; migrate likewise, but should not. What they allocate, on the
 * CPU they are called on, is given without regard to watermarks and calls no
 * hook to make room (the kernel's PF_MEMALLOC).
 */
struct rmm_hooks {
	void *ctx;
	/* mm_page_alloc_zone_locked: a block leaves the buddy lists */
	void (*zone_locked)(void *ctx, unsigned int cpu, rmm_pfn pfn,
			    unsigned int order, int mt, bool percpu_refill);
	/* mm_page_alloc_extfrag */
	void (*extfrag)(void *ctx, unsigned int cpu,
			const struct rmm_extfrag *e);
	/* mm_page_pcpu_drain: a per-CPU page goes back to the buddy lists */
	void (*pcpu_drain)(void *ctx, unsigned int cpu, rmm_pfn pfn,
			   unsigned int order, int mt);
	/* wakeup_kswapd: the zone is below its low mark, or boosted */
	void (*wake_kswapd)(void *ctx, unsigned int zone, unsigned int order);
	/* Direct reclaim; returns how many pages it freed (0: no progress, and
	 * asking again is no use, unless the request must not fail) */
	uint64_t (*reclaim)(void *ctx, unsigned int cpu, unsigned int gfp,
			    unsigned int order);
	/* A movable block moves: it must be found at @to from now on, and is
	 * freed there. Flags, private and memory have moved already. Only a
	 * page that its owner alone refers to moves, and nobody can refer to
	 * @from meanwhile. Returns false if it must stay. Without this hook
	 * nothing is ever moved. */
	bool (*migrate)(void *ctx, unsigned int cpu, rmm_pfn from, rmm_pfn to,
			unsigned int order);
	/* Direct compaction instead of refmm's own; returns whether it is worth
	 * looking again */
	bool (*compact)(void *ctx, unsigned int cpu, unsigned int gfp,
			unsigned int order);
};

#endif
