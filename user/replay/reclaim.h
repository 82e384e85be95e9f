/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reclaim.h - a model of reclaim that answers to the watermarks, for what-if runs.
 *
 *   free pages
 *     |\            /\            /\        low:  a request wakes kswapd
 *   high . \ . . . / . \ . . . . / . \      high: where it stops, plus the boost
 *   low  . . \ . / . . . \ . . / . . . \
 *   min  . . . . . . . . . . . . . . . .    below: requests reclaim for themselves
 *
 * With the recorded marks a replay frees what the kernel freed, when it did. With others
 * that is wrong: more, or less, would have been freed, and at other times. So here
 *
 *   a recorded free of kswapd or direct reclaim  is not made: the page stays, and is the
 *						  next to be reclaimed
 *   kswapd, direct reclaim			  take the oldest pages of the page cache,
 *						  last what the kernel never reclaimed
 *   the recorded free of a page taken early	  is not made
 *
 * What is known of the page cache: pages of files in the start snapshot, and allocations
 * that look as the page cache makes them (reclaim_takes()). Oldest first stands in for the
 * kernel's lists, whose order depends on accesses that no event shows. kswapd's pace is
 * that of the recording.
 *
 * Modelled: balance_pgdat (passes over size >> priority pages from 12 down, until balanced;
 * boosts first; with lru_gen's first priority, batches of 64 and should_abort_scan),
 * wakeup_kswapd, pgdat_balanced, direct reclaim by 32 pages, or one batch of lru_gen.
 * Simplified: all of the page cache is inactive. Omitted: what would have been read again
 * after it was taken early (refaults), writing dirty pages, anonymous pages and swap,
 * shrinkers, orders, memory cgroups (their reclaim is replayed), the OOM killer. (6.12,
 * mm/vmscan.c)
 */
#ifndef KMEMLAB_REPLAY_RECLAIM_H
#define KMEMLAB_REPLAY_RECLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include <kmemlab/refmm.h>

#include "replay/kswapd.h"
#include "replay/lru.h"

struct requests;
struct trace_event;

/* In pages, but for wakes and full. */
struct reclaim_counts {
	uint64_t wakes;	   /* of kswapd */
	uint64_t kswapd;   /* taken by it */
	uint64_t direct;   /* taken for a request */
	uint64_t early;	   /* of both: while the recorded kernel still had them */
	uint64_t late;	   /* of both: of those deferred */
	uint64_t deferred; /* the recorded kernel reclaimed them, the model not then */
	uint64_t gave_up;  /* times that nothing was left to take */
};

struct reclaim_node {
	bool active;
	unsigned int cpu;	/* where its kswapd runs */
	unsigned int seen_on;	/* where the recorded one ran last, plus 1; 0: not seen */
	unsigned int priority;	/* of the next pass */
	uint64_t pass, boosted; /* pages left of this pass; to take for a boost */
	uint64_t batch;		/* pages taken since it looked whether it is done */
	uint64_t done_ns;	/* work up to here is done */
};

struct reclaim {
	struct rmm *rmm;
	struct requests *requests;
	const struct kswapd_spans *spans;
	const uint8_t *cpu_node;
	struct lru lru;
	bool lru_gen;	  /* the kernel keeps generations, not active and inactive pages */
	bool *in_reclaim; /* by class of a TASK: between BEGIN and END */
	unsigned int nodes;
	uint8_t zone_node[RMM_MAX_ZONES];
	uint64_t ns_per_page; /* kswapd's pace */
	uint64_t next_ns;     /* when reclaim_tick() is due; UINT64_MAX: never */
	struct reclaim_node node[LRU_NODES];
	struct reclaim_counts counts;
};

/** reclaim_init() - @m zeroed but for lru_gen; @q is initialised. 0 or -ENOMEM */
int reclaim_init(struct reclaim *m, struct rmm *rmm, struct requests *q,
		 const struct kswapd_spans *spans, const uint8_t *cpu_node);
void reclaim_destroy(struct reclaim *m);

/** reclaim_takes() - does the page cache allocate so? @gfp: enum rmm_gfp */
bool reclaim_takes(uint32_t gfp, unsigned int order);
/** reclaim_add() - a block of the page cache, at frame @at
 *  @kept: the recorded reclaim left it alone (fates.h) */
void reclaim_add(struct reclaim *m, uint32_t at, unsigned int order, bool kept);
/** reclaim_gone() - the block at @at is freed */
void reclaim_gone(struct reclaim *m, uint32_t at);
/** reclaim_moved() - the block at @from is at @to. Return: whether it was known here */
bool reclaim_moved(struct reclaim *m, uint32_t from, uint32_t to);

/** reclaim_defers() - the recorded kernel frees the block at @at on @cpu: is that
 *  reclaim, and so the model's business? */
bool reclaim_defers(struct reclaim *m, unsigned int cpu, uint32_t at);

/** reclaim_note() - KMT_RECLAIM_BEGIN or END */
void reclaim_note(struct reclaim *m, const struct trace_event *e);

/** reclaim_wake() - a request on @cpu found @node low, or boosted it */
void reclaim_wake(struct reclaim *m, unsigned int node, unsigned int cpu, uint64_t now_ns);
/** reclaim_tick() - next_ns has come */
void reclaim_tick(struct reclaim *m, uint64_t now_ns);
/** reclaim_direct() - for a request on @cpu; returns how many pages; 0: none left, or
 *  what @order lacks is not free pages (compaction_ready()) */
uint64_t reclaim_direct(struct reclaim *m, unsigned int cpu, unsigned int order);

#endif
