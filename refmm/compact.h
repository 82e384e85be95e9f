/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compact.h - what the parts of compaction share: compaction.c decides when to
 * run and when to stop, compact_scan.c finds pages and places, migrate.c moves
 * them, contig.c uses both to empty a range.
 */
#ifndef REFMM_COMPACT_H
#define REFMM_COMPACT_H

#include "alloc.h"

enum {
	RMM_COMPACT_CLUSTER = 32, /* COMPACT_CLUSTER_MAX: pages at a time */
	RMM_COMPACT_MOST = 512,	  /* blocks, if a pageblock shall be finished */
	RMM_COMPACT_MAX_DEFER = 6, /* COMPACT_MAX_DEFER_SHIFT */
	RMM_COMPACT_ALL = -1, /* as an order: no request waits, do the zone */
};

/* enum compact_priority: how hard to try, hardest first */
enum rmm_compact_priority {
	RMM_COMPACT_SYNC_FULL,
	RMM_COMPACT_SYNC_LIGHT,
	RMM_COMPACT_ASYNC,
};

/* struct compact_control: one run over one zone */
struct rmm_compact {
	struct rmm_zone *z;
	unsigned int cpu;
	int order; /* that somebody needs, or RMM_COMPACT_ALL */
	int migratetype;
	enum rmm_migrate_mode mode;
	unsigned int alloc_flags, highest;
	bool direct;	/* on behalf of a request */
	bool proactive; /* until the score is low enough */
	bool whole_zone;
	bool ignore_skip, ignore_suitable, no_set_skip;
	bool no_marks; /* however low the zone is by now */
	bool contig;   /* for rmm_alloc_contig_range() */
	bool finish_pageblock;
	struct rmm_capture *capture;   /* for a request: the block; or NULL */
	rmm_pfn migrate_pfn, free_pfn; /* the scanners */
	/* The searches of free lists: where to begin, failures in a row, lowest
	 * block that they found, RMM_NO_PFN: none, or used up */
	int search_order;
	unsigned int fast_search_fail;
	rmm_pfn fast_start;
	bool fast_started;
	rmm_pfn last_migrated; /* pageblock to flush for, or RMM_NO_PFN */
	rmm_pfn from[RMM_COMPACT_MOST]; /* isolated, to be moved */
	unsigned int nr_from, nr_migratepages, nr_freepages;
	struct rmm_list free[RMM_NR_ORDERS]; /* isolated free blocks */
};

static inline rmm_pfn rmm_block_start(const struct rmm_zone *z, rmm_pfn pfn)
{
	return pfn & ~((1u << z->pageblock_order) - 1);
}

/* Is @pfn the first of its pageblock that is in the zone? */
static inline bool rmm_begins_block(const struct rmm_zone *z, rmm_pfn pfn)
{
	return pfn == z->start_pfn || pfn == rmm_block_start(z, pfn);
}

static inline rmm_pfn rmm_block_end(const struct rmm_zone *z, rmm_pfn pfn)
{
	return rmm_block_start(z, pfn) + (1u << z->pageblock_order);
}

static inline rmm_pfn rmm_zone_end(const struct rmm_zone *z)
{
	return z->start_pfn + z->spanned;
}

static inline void rmm_compact_init_lists(struct rmm_compact *cc)
{
	for (unsigned int o = 0; o < RMM_NR_ORDERS; o++)
		rmm_list_init(&cc->free[o]);
}

/* migrate.c */
bool rmm_isolate_page(struct rmm_compact *cc, rmm_pfn pfn);
void rmm_putback_pages(struct rmm_compact *cc);
int rmm_migrate_pages(struct rmm_compact *cc,
		      rmm_pfn (*get)(struct rmm_compact *cc,
				     unsigned int order));

/* compact_scan.c */
bool rmm_isolate_migratepages(struct rmm_compact *cc);
void rmm_isolate_migratepages_block(struct rmm_compact *cc, rmm_pfn pfn,
				    rmm_pfn end);
void rmm_isolate_freepages(struct rmm_compact *cc);
void rmm_reset_isolation_suitable(struct rmm_zone *z);
void rmm_reset_cached_positions(struct rmm_zone *z);
bool rmm_scanners_met(const struct rmm_compact *cc);

void rmm_isolate_around(struct rmm_compact *cc, rmm_pfn pfn);

/* compact_target.c */
unsigned int rmm__isolate_free_page(struct rmm_zone *z, rmm_pfn pfn,
				    bool no_marks);
void rmm_add_target(struct rmm_compact *cc, rmm_pfn pfn, unsigned int order);
void rmm_free_target(struct rmm_compact *cc, rmm_pfn pfn, unsigned int order);
rmm_pfn rmm_compaction_alloc(struct rmm_compact *cc, unsigned int order);
void rmm_release_freepages(struct rmm_compact *cc);

/* compact_fast.c */
rmm_pfn rmm_fast_find_migrateblock(struct rmm_compact *cc);
void rmm_fast_isolate_freepages(struct rmm_compact *cc);

/* isolation.c */
int rmm_start_isolate_page_range(struct rmm_zone *z, unsigned int cpu,
				 rmm_pfn start, rmm_pfn end, int mt);
void rmm_undo_isolate_page_range(struct rmm_zone *z, unsigned int cpu,
				 rmm_pfn start, rmm_pfn end, int mt);
rmm_pfn rmm_test_pages_isolated(const struct rmm_zone *z, rmm_pfn start,
				rmm_pfn end);

/* compaction.c */
bool rmm_compaction_deferred(struct rmm_zone *z, int order);
void rmm_compaction_defer_reset(struct rmm_zone *z, int order, bool success);
void rmm_defer_compaction(struct rmm_zone *z, int order);
enum rmm_compact_result rmm_compact_begin(struct rmm_compact *cc);
enum rmm_compact_result rmm_compact_once(struct rmm_compact *cc);
void rmm_compact_end(struct rmm_compact *cc);
enum rmm_compact_result rmm_compact_zone(struct rmm_compact *cc);
bool rmm_compaction_zonelist_suitable(const struct rmm_alloc_context *ac);
enum rmm_compact_result rmm_try_to_compact_pages(struct rmm_alloc_context *ac,
						 enum rmm_compact_priority prio,
						 rmm_pfn *capture);

/* kcompactd.c */
unsigned int rmm_fragmentation_score_zone(const struct rmm_zone *z);
unsigned int rmm_fragmentation_score_wmark(const struct rmm *rmm, bool low);

#endif
