/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * requests.h - a trace's events as requests to an allocator.
 *
 *   mm_page_alloc   alloc, remember where; without a page: try, and keep nothing
 *   mm_page_free    free of what is there; block sizes that differ are split or
 *                   taken together first
 *   stack_page      alloc, if the page is not known as live; so does bulk_page
 *   page_split      a live block becomes single pages
 *   migrate         the block is known by its new frame from here on
 *   isolate         free pages that the kernel takes for itself: none of our business,
 *                   nor is their free
 *   contig          alloc of each page
 *   compact_begin,  told to the allocator, which may compact by itself: what it moves
 *   compact_end     it says by requests_moved()
 *
 * The placement events (zone_locked, drain, extfrag) are the kernel's business.
 * The allocator chooses its own places. `to` says where: by the traced frame of a
 * live block's first page, the allocator's frame.
 */
#ifndef KMEMLAB_REPLAY_REQUESTS_H
#define KMEMLAB_REPLAY_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "replay/calltimer.h"
#include "replay/gfp.h"

struct host;
struct kmt_class;
struct start;
struct trace_event;

#define REQUESTS_NONE UINT32_MAX /* no frame */

/* What the allocator does. Frames are its own. */
struct requests_ops {
	/* A block for @e under @gfp (enum rmm_gfp); REQUESTS_NONE: it has none */
	uint32_t (*alloc)(void *ctx, const struct trace_event *e, uint32_t gfp);
	/* The kernel refused @e, after whatever it did to make room: try likewise, and keep
	 * nothing. Return: whether there was a block; NULL: not asked for */
	bool (*refused)(void *ctx, const struct trace_event *e, uint32_t gfp);
	/* Requests on @cpu so far, by what serves them: the first is not counted, as a
	 * request that none of the others counted was a hit; may be NULL */
	void (*paths)(void *ctx, unsigned int cpu, uint64_t counts[PATHS]);
	/* Take back a block that alloc gave, or that was loaded, or a page of one that
	 * was split. Not 0: refused, which is a defect */
	int (*free)(void *ctx, unsigned int cpu, uint32_t at, unsigned int order);
	/* A block becomes 2^@order single pages. Not 0: refused */
	int (*split)(void *ctx, uint32_t at, unsigned int order);
	/* Reserved frames come into use; false: they were not reserved */
	bool (*grow)(void *ctx, uint64_t pfn, unsigned int order);
	/* The recorded kernel frees what is at @at: true: here it is not freed now, but by
	 * the allocator itself, when it likes; may be NULL */
	bool (*keep)(void *ctx, unsigned int cpu, uint32_t at);
	/* Direct reclaim: KMT_RECLAIM_BEGIN and END; may be NULL */
	void (*reclaim)(void *ctx, const struct trace_event *e);
	/* Somebody compacts: KMT_COMPACT_BEGIN and END of a zone, KMT_MIGRATE_TO for
	 * each block that he moved; may be NULL */
	void (*compact)(void *ctx, const struct trace_event *e);
	/* Time has reached requests.wake_ns */
	void (*wake)(void *ctx);
};

/* What does not match, in blocks unless it says pages. */
struct requests_counts {
	uint64_t events;
	uint64_t load_refused;	    /* start blocks that the allocator would not take */
	uint64_t alloc_failed;	    /* the kernel had one, the allocator has none */
	uint64_t alloc_below_marks; /* only without watermarks: counted by the allocator */
	uint64_t alloc_compacted;   /* only after compaction at the hardest: likewise */
	uint64_t alloc_of_live;	    /* an unseen free came before: made up for */
	uint64_t listed_live;	    /* the same, known sooner: from the kernel's lists */
	uint64_t free_of_reclaimed; /* pages: the allocator's own reclaim had freed them */
	uint64_t free_of_failed;    /* nothing to free: its allocation failed here */
	uint64_t free_unknown;	    /* its allocation was not seen */
	uint64_t free_refused;	    /* the allocator says no: a defect */
	uint64_t split_live;	    /* came back in parts */
	uint64_t joined_live;	    /* came back whole, known in parts */
	uint64_t kernel_failed;	    /* refused by the kernel: tried here, see ops->refused */
	uint64_t served_refused;    /* of them, the allocator had one: given back at once */
	uint64_t unusable;	    /* class lost, frame outside all zones */
	uint64_t grown_pages;	    /* reserved before, freed by the kernel */
	uint64_t grown_early;	    /* of them, because the allocator ran out first */
};

struct requests {
	const struct requests_ops *ops;
	void *ctx;
	uint32_t *to;	  /* by traced pfn */
	uint32_t *traced; /* by the allocator's frame: where `to` says so, or stale */
	uint8_t *order;	  /* of the live block that begins there */
	uint32_t *task;	  /* by CPU: class of the TASK that runs; UINT32_MAX: unknown */
	uint64_t *moving; /* by CPU: the frame that MIGRATE_FROM named; nr_pfns: none */
	uint64_t nr_pfns;
	uint64_t t_ns;	  /* the start state's; earlier events are in it */
	uint64_t now_ns;  /* of the event at hand */
	uint64_t allocs;  /* PAGE_ALLOC events after t_ns, the one at hand left out */
	uint64_t wake_ns; /* when ops->wake is due; the allocator sets it */
	const struct gfp_map *gfp;
	struct call_timer *timer; /* of ops->alloc; NULL: none */
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	unsigned int nr_cpus;
	struct requests_counts counts;
};

/** requests_init() - nothing is live yet; zeroed but for ops, ctx, gfp. 0, -ENOMEM */
int requests_init(struct requests *q, const struct start *s, const struct host *h);
void requests_destroy(struct requests *q);

/** requests_load() - a block that is live at the start, at the same frame here */
void requests_load(struct requests *q, uint64_t pfn, unsigned int order);
/** requests_grow_early() - give @pfn to its zone before the kernel does, unless it
 *  is live or given already. Return: whether it was */
bool requests_grow_early(struct requests *q, uint64_t pfn, unsigned int order);

/** requests_moved() - the allocator wants to move what is at @from to @to, both its
 *  own frames. Return: whether that may be, and if so, it has */
bool requests_moved(struct requests *q, uint32_t from, uint32_t to);

/** requests_reclaimed() - the allocator frees the block at its frame @at by itself.
 *  Return: whether the recorded kernel has it still; its free will not be asked for */
bool requests_reclaimed(struct requests *q, uint32_t at, unsigned int order);

/** requests_feed() - make @n events' requests */
void requests_feed(struct requests *q, const struct trace_event *e, long n);

#endif
