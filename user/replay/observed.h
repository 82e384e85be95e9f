/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * observed.h - the kernel's own placement: the page events of a trace, applied
 * to the start snapshot.
 *
 *                 zone_locked (refill)            mm_page_alloc
 *        FREE ------------------------> PCP --------------------> LIVE
 *         ^ \   <----------------------  ^                       / |
 *         |  \        pcpu_drain         '----------------------'  |
 *         |   \ zone_locked, extfrag        mm_page_free (PCP order)
 *         |    '----------> TAKEN -- mm_page_alloc -> LIVE         |
 *         '--------------------------------------------------------'
 *                        mm_page_free (other orders)
 *
 * KMT_STACK_PAGE stands for the allocation that no tracepoint shows, unless the
 * page is allocated already: the kernel keeps a few stacks for reuse. KMT_BULK_PAGE
 * is that allocation, unless the page has an event of its own. What compaction
 * isolates (KMT_PAGE_ISOLATE) counts as allocated; its migrations' targets come from
 * there, or were allocated.
 *
 * An event that finds a page elsewhere than the picture says is applied all the
 * same, since it is what happened, and counted by what it is and what it found.
 *
 * mm_page_alloc_extfrag comes in two styles. "Claim" kernels (6.12.117, 6.18)
 * emit it after the page has left the lists: after a zone_locked of the same
 * page if the pageblock changed hands, alone otherwise. "Steal" kernels (6.1)
 * emit it before, and the zone_locked that follows takes the page. So what it
 * says about a page that is still free is held back until the CPU's next event.
 */
#ifndef KMEMLAB_OBSERVED_H
#define KMEMLAB_OBSERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/trace.h>

#include "replay/pagemap.h"
#include "replay/chunks.h"

struct trace_event;

#define OBSERVED_NO_FREE UINT32_MAX /* of last_free: not on a list by a free */

enum observed_limits {
	OBSERVED_STACK = 5, /* row of KMT_STACK_PAGE; the first page events: their kind */
	OBSERVED_BULK = 6,
	OBSERVED_ISOLATE = 7,
	OBSERVED_MIGRATE = 8,	  /* KMT_MIGRATE_TO */
	OBSERVED_MIGRATE_PTE = 9, /* what is taken unseen, where nothing better shows it */
	OBSERVED_SPLIT = 10,
	OBSERVED_KEEP = 11,
	OBSERVED_KINDS = 12,
	OBSERVED_TYPES = 8, /* migrate types */
	OBSERVED_NO_TYPE = 0xff,
};

/* Fallbacks of one pair of types. */
struct observed_fallback {
	uint64_t events;
	uint64_t claimed; /* the pageblock changed hands */
	uint64_t stolen;  /* one block was taken */
};

struct observed_counts {
	uint64_t found[OBSERVED_KINDS][PAGE_KINDS]; /* pages, by what was found */
	uint64_t events[OBSERVED_KINDS];
	uint64_t before_snapshot;  /* events the start snapshot shows already */
	uint64_t reconciled;	   /* pages whose event may be in it or not */
	uint64_t split_live;	   /* allocated blocks that came back in parts */
	uint64_t joined_live;	   /* blocks that came back whole, known in parts */
	uint64_t out_of_range;	   /* events on frames outside all zones */
	uint64_t unaligned_free;   /* pages in the snapshot's free blocks that cannot be */
	uint64_t kernel_failed;	   /* allocations that the kernel refused */
	uint64_t class_unknown;	   /* class lost with a damaged block */
	uint64_t to_pcp, to_buddy; /* frees by where they went */
	uint64_t bypassed;	   /* pages freed past the lists */
	uint64_t refill, direct;   /* pages leaving the buddy lists */
	uint64_t extfrag_removed, extfrag_announced;
	struct observed_fallback fallback[OBSERVED_TYPES][OBSERVED_TYPES];
};

struct observed_pending {
	bool active;
	uint32_t class_id;
	uint64_t pfn;
};

struct observed {
	struct pagemap map;
	uint8_t *block_type; /* by pageblock: migrate type, OBSERVED_NO_TYPE */
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	bool thp_pcp;
	unsigned int nr_cpus;
	struct observed_pending *pending; /* by CPU */
	int64_t *pcp_hidden;		  /* by zone: pages on lists that no event showed yet */
	uint64_t pcp_since_ns;		  /* when they were counted */
	/* Frees that went past the per-CPU lists, by number; see scout.h */
	const uint32_t *bypass;
	size_t bypasses, next_bypass;
	uint32_t frees;	     /* to PCP orders, so far */
	uint32_t *last_free; /* scouting: by pfn, number of the free; else NULL */
	struct paths *paths; /* is told every event; NULL: nobody */
	void (*found_bypass)(void *ctx, uint32_t number);
	void *ctx;
	const struct snapshot *start; /* NULL once its last chunk is behind */
	struct observed_counts counts;
};

/** observed_row() - row of an event's kind in observed_counts; -1: no page event */
static inline int observed_row(unsigned int kind)
{
	switch (kind) {
	case KMT_STACK_PAGE:
		return OBSERVED_STACK;
	case KMT_BULK_PAGE:
		return OBSERVED_BULK;
	case KMT_PAGE_ISOLATE:
		return OBSERVED_ISOLATE;
	case KMT_MIGRATE_TO:
		return OBSERVED_MIGRATE;
	case KMT_MIGRATE_PTE:
		return OBSERVED_MIGRATE_PTE;
	case KMT_PAGE_KEEP:
		return OBSERVED_KEEP;
	case KMT_PAGE_SPLIT:
		return OBSERVED_SPLIT;
	default:
		return kind <= KMT_PCPU_DRAIN ? (int)kind : -1;
	}
}

/** observed_expects() - is it as the picture above says? */
bool observed_expects(unsigned int row, enum page_kind found);

/** observed_init() - nothing known of any page; 0 or -ENOMEM */
int observed_init(struct observed *o, const struct host *h, const struct kmt_class *const *classes,
		  uint32_t nr_classes);
void observed_destroy(struct observed *o);

/** observed_load() - the start snapshot; 0 or -errno. @s must outlive @o */
int observed_load(struct observed *o, const struct snapshot *s, struct trace_reader *r);

/** observed_feed() - apply @n events in order of time; other kinds are ignored */
void observed_feed(struct observed *o, const struct trace_event *e, long n);

/** observed_note_bypass() - scouting: what is on lists in [@pfn, @pfn + @n) was
 *  freed past them after all */
void observed_note_bypass(struct observed *o, uint64_t pfn, uint64_t n);

/** observed_pcp_pages() - on @zone's per-CPU lists, seen there or not */
static inline uint64_t observed_pcp_pages(const struct observed *o, unsigned int zone)
{
	int64_t pages = (int64_t)o->map.pcp_pages[zone] + o->pcp_hidden[zone];

	return pages > 0 ? (uint64_t)pages : 0;
}

/** observed_finish() - apply what is still held back */
void observed_finish(struct observed *o);

#endif
