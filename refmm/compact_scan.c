/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compact_scan.c - the two scanners of compaction.
 *
 * One walks up and takes movable pages, the other walks down and takes free
 * ones. When they meet, what is movable lies at the end of the zone, and what
 * is free at its start:
 *
 *      start                                                     end
 *      |  #.#..#|#######|..U.#..|.#.....|#.#....|.......|....#..|
 *         ^ migrate_pfn -->                  <-- free_pfn ^
 *      |........|#######|..U....|.......|#.#..##|#######|#######|
 *
 * # movable, U unmovable, . free
 *
 * Both go by pageblocks and remember what led nowhere (`skip`). The free
 * scanner takes from movable and CMA pageblocks only, never from isolated ones.
 * What it takes goes to compact_target.c.
 *
 * Locking: free blocks are taken under the zone lock; frames in use are read
 * without it and taken by an atomic exchange (migrate.c). Several CPUs may
 * compact a zone: what it remembers are hints, read and written without a lock,
 * and the last to write wins.
 *
 * Modelled: isolate_migratepages, isolate_migratepages_block,
 * isolate_freepages, isolate_freepages_block, pageblock skip hints. The
 * searches of free lists for a short cut are in compact_fast.c. Simplified:
 * hints are cleared of all pageblocks, also of those that have nothing to move.
 * Omitted: contention, hugetlb. (6.12 and 6.1, mm/compaction.c; not in LKD3)
 */
#include "compact.h"

/** rmm_scanners_met() - compact_scanners_met(): in the same pageblock */
bool rmm_scanners_met(const struct rmm_compact *cc)
{
	unsigned int shift = cc->z->pageblock_order;

	return cc->free_pfn >> shift <= cc->migrate_pfn >> shift;
}

static struct rmm_pageblock *block_of(const struct rmm_zone *z, rmm_pfn pfn)
{
	return &z->blocks[pfn >> z->pageblock_order];
}

/* pageblock_pfn_to_page(): does the pageblock hold memory of this zone? */
static bool has_memory(const struct rmm_zone *z, rmm_pfn pfn)
{
	const struct rmm_pageblock *b = block_of(z, pfn);

	return b->zone == z->id && rmm_get_pageblock(b, RMM_PB_PRESENT);
}

/** rmm_reset_cached_positions() - reset_cached_positions(): the next run begins
 *  at the zone's ends */
void rmm_reset_cached_positions(struct rmm_zone *z)
{
	struct rmm_zone_compact *zc = &z->compact;

	RMM_WRITE(zc->migrate_pfn[0], z->start_pfn);
	RMM_WRITE(zc->migrate_pfn[1], z->start_pfn);
	RMM_WRITE(zc->free_pfn, rmm_block_start(z, rmm_zone_end(z) - 1));
}

/** rmm_reset_isolation_suitable() - __reset_isolation_suitable(): forget the
 *  hints and start anew */
void rmm_reset_isolation_suitable(struct rmm_zone *z)
{
	rmm_pfn end = rmm_zone_end(z);

	for (rmm_pfn p = z->start_pfn; p < end; p = rmm_block_end(z, p))
		rmm_set_pageblock(block_of(z, p), RMM_PB_SKIP, false);
	rmm_reset_cached_positions(z);
	RMM_WRITE(z->compact.blockskip_flush, false);
}

static bool is_skipped(const struct rmm_compact *cc, rmm_pfn pfn)
{
	return !cc->ignore_skip &&
	       rmm_get_pageblock(block_of(cc->z, pfn), RMM_PB_SKIP);
}

/* update_cached_migrate(): later runs begin behind @pfn */
static void update_cached_migrate(struct rmm_compact *cc, rmm_pfn pfn)
{
	struct rmm_zone_compact *zc = &cc->z->compact;

	if (cc->no_set_skip)
		return;
	if (pfn > RMM_READ(zc->migrate_pfn[0]))
		RMM_WRITE(zc->migrate_pfn[0], pfn);
	if (cc->mode != RMM_MIGRATE_ASYNC && pfn > RMM_READ(zc->migrate_pfn[1]))
		RMM_WRITE(zc->migrate_pfn[1], pfn);
}

/* ---- The migrate scanner ------------------------------------------------ */

/* skip_isolation_on_order(): moving it would need what is missing */
static bool too_large(const struct rmm_compact *cc, unsigned int order)
{
	if (cc->contig)
		return false;
	if (rmm_is_61(cc->z->rmm))
		return order > 0;
	if (cc->order != RMM_COMPACT_ALL && (int)order >= cc->order)
		return true;
	return order >= cc->z->pageblock_order && order > 0;
}

/* suitable_migration_source() */
static bool is_source(const struct rmm_compact *cc, rmm_pfn pfn)
{
	int type = rmm_block_type(cc->z, pfn);

	if (cc->mode != RMM_MIGRATE_ASYNC || !cc->direct)
		return true;
	if (cc->migratetype == RMM_MOVABLE)
		return type == RMM_MOVABLE || type == RMM_CMA;
	return type == cc->migratetype;
}

/* Where in a pageblock the scanner is, and what it may skip. An asynchronous
 * request wants one aligned block soon: where a page must stay, the others of
 * that block may stay as well. */
struct scan {
	rmm_pfn pfn, end, next_skip;
	bool give_up_blocks;
};

/* A frame that cannot be moved, @nr pages long */
static void cannot_move(struct rmm_compact *cc, struct scan *s, rmm_pfn nr)
{
	s->pfn += nr;
	if (!s->give_up_blocks)
		return;
	rmm_putback_pages(cc);
	if (s->pfn < s->next_skip)
		s->pfn = s->next_skip;
}

/* Frames to the end of the block that begins at @page */
static rmm_pfn frames(const struct rmm_page *page)
{
	unsigned int order = RMM_READ(page->order);

	return order < 31 ? 1u << order : 1u << 31;
}

static void scan_frame(struct rmm_compact *cc, struct scan *s)
{
	const struct rmm_page *page = &cc->z->memmap[s->pfn];
	unsigned int state = RMM_READ(page->state);

	if (state == RMM_PG_BUDDY) {
		s->pfn += frames(page);
		return;
	}
	if (state != RMM_PG_ALLOCATED) {
		cannot_move(cc, s, state == RMM_PG_PCP ? frames(page) : 1);
		return;
	}
	if (too_large(cc, RMM_READ(page->order)) ||
	    !rmm_isolate_page(cc, s->pfn)) {
		cannot_move(cc, s, frames(page));
		return;
	}
	s->pfn += frames(page);
}

/* Enough to be moved at a time: what is left of a pageblock that shall be
 * finished */
static bool is_batch(const struct rmm_compact *cc)
{
	if (cc->nr_from == RMM_COMPACT_MOST)
		return true;
	return cc->nr_migratepages >= RMM_COMPACT_CLUSTER &&
	       !cc->finish_pageblock;
}

static void set_skip(struct rmm_compact *cc, rmm_pfn pfn)
{
	if (!cc->no_set_skip)
		rmm_set_pageblock(block_of(cc->z, pfn), RMM_PB_SKIP, true);
}

/* 6.1: what the search of the free lists has found it marks (compact_fast.c),
 * and is left alone for that. */
static bool is_left_61(const struct rmm_compact *cc, rmm_pfn pfn)
{
	return rmm_is_61(cc->z->rmm) && !cc->contig &&
	       pfn == rmm_block_start(cc->z, pfn) && is_skipped(cc, pfn);
}

/* Does the batch in cc->from begin a pageblock? 6.1: with its very first page
 */
static bool begins(const struct rmm_compact *cc, rmm_pfn pfn)
{
	if (rmm_is_61(cc->z->rmm))
		return cc->from[0] == rmm_block_start(cc->z, pfn);
	return rmm_begins_block(cc->z, pfn);
}

/** rmm_isolate_migratepages_block() - take movable pages of [@pfn, @end), which
 *  lies in a pageblock; cc->migrate_pfn: where to go on */
void rmm_isolate_migratepages_block(struct rmm_compact *cc, rmm_pfn pfn,
				    rmm_pfn end)
{
	struct rmm_stat *stat = &cc->z->rmm->cpu[cc->cpu].stat;
	struct scan s = {.pfn = pfn, .end = end};
	rmm_pfn step = cc->order > 0 ? 1u << cc->order : 1;

	if (is_left_61(cc, pfn)) {
		cc->migrate_pfn = end;
		update_cached_migrate(cc, end);
		return;
	}
	s.give_up_blocks = cc->direct && cc->mode == RMM_MIGRATE_ASYNC;
	s.next_skip = (pfn & ~(step - 1)) + step;
	while (s.pfn < end) {
		if (s.give_up_blocks && s.pfn >= s.next_skip) {
			if (cc->nr_from)
				break;
			s.next_skip = (s.pfn & ~(step - 1)) + step;
		}
		scan_frame(cc, &s);
		if (is_batch(cc))
			break;
	}
	if (s.pfn > end)
		s.pfn = end;
	stat->compact_migrate_scanned += s.pfn - pfn;
	cc->migrate_pfn = s.pfn;
	/* Whoever begins a pageblock keeps others from it. */
	if (cc->nr_from && begins(cc, pfn) && !cc->ignore_skip)
		set_skip(cc, pfn);
	if (s.pfn < end || (cc->nr_from && !cc->finish_pageblock))
		return;
	if (rmm_begins_block(cc->z, pfn) &&
	    (!cc->nr_from || !rmm_is_61(cc->z->rmm)))
		set_skip(cc, pfn);
	update_cached_migrate(cc, s.pfn);
}

/** rmm_isolate_migratepages() - isolate_migratepages(): a batch from the first
 *  pageblock that may have some; false: nothing this time */
bool rmm_isolate_migratepages(struct rmm_compact *cc)
{
	const struct rmm_zone *z = cc->z;
	rmm_pfn low = rmm_fast_find_migrateblock(cc);
	rmm_pfn end = rmm_block_end(z, low);
	bool found = low != cc->migrate_pfn && !cc->fast_search_fail;

	for (; end <= cc->free_pfn; found = false, cc->migrate_pfn = low = end,
				    end = rmm_block_end(z, low)) {
		bool first = !found && (low == rmm_block_start(z, low) ||
					low == z->start_pfn);

		if (!has_memory(z, low) || (first && is_skipped(cc, low)))
			continue;
		if (!is_source(cc, low)) {
			update_cached_migrate(cc, end);
			continue;
		}
		rmm_isolate_migratepages_block(cc, low, end);
		break;
	}
	return cc->nr_from > 0;
}

/* ---- The free scanner --------------------------------------------------- */

/* suitable_migration_target() */
static bool is_target(const struct rmm_compact *cc, rmm_pfn pfn)
{
	const struct rmm_page *page = &cc->z->memmap[pfn];
	int order = cc->order > 0 ? cc->order : cc->z->pageblock_order;
	int type = rmm_block_type(cc->z, pfn);

	if (RMM_READ(page->state) == RMM_PG_BUDDY &&
	    (int)RMM_READ(page->order) >= order)
		return false; /* it is what we are working for */
	if (type == RMM_ISOLATE)
		return false;
	return cc->ignore_suitable || type == RMM_MOVABLE || type == RMM_CMA;
}

/* isolate_freepages_block(): free blocks of [@pfn, @end); returns where it
 * stopped, @end if not early */
static rmm_pfn isolate_freepages_block(struct rmm_compact *cc, rmm_pfn pfn,
				       rmm_pfn end, unsigned int stride)
{
	struct rmm_zone *z = cc->z;
	struct rmm_stat *stat = &z->rmm->cpu[cc->cpu].stat;
	rmm_pfn start = pfn;

	rmm_zone_lock(z, cc->cpu);
	while (pfn < end) {
		uint64_t word = RMM_READ(z->memmap[pfn].word);
		unsigned int nr;

		if (rmm_word_state(word) != RMM_PG_BUDDY) {
			pfn += stride;
			continue;
		}
		nr = rmm__isolate_free_page(z, pfn, cc->no_marks);
		if (!nr)
			break;
		rmm_add_target(cc, pfn, rmm_word_order(word));
		stat->compact_isolated += nr;
		pfn += nr;
		if (cc->nr_migratepages <= cc->nr_freepages)
			break;
	}
	rmm_zone_unlock(z);
	if (pfn > end)
		pfn = end;
	stat->compact_free_scanned += pfn - start;
	return pfn;
}

/* update_pageblock_skip(): all of it was looked at */
static void update_free_skip(struct rmm_compact *cc, rmm_pfn block)
{
	rmm_pfn below = rmm_is_61(cc->z->rmm)
				? block
				: block - (1u << cc->z->pageblock_order);
	rmm_pfn *cached = &cc->z->compact.free_pfn;

	if (cc->no_set_skip)
		return;
	rmm_set_pageblock(block_of(cc->z, block), RMM_PB_SKIP, true);
	if (block > cc->z->start_pfn && below < RMM_READ(*cached))
		RMM_WRITE(*cached, below);
}

/** rmm_isolate_around() - fast_isolate_around(): what else is free in the
 *  pageblock of @pfn, until there are enough */
void rmm_isolate_around(struct rmm_compact *cc, rmm_pfn pfn)
{
	struct rmm_zone *z = cc->z;
	rmm_pfn start = rmm_block_start(z, pfn), end = rmm_block_end(z, pfn);
	bool all;

	if (cc->nr_freepages >= cc->nr_migratepages ||
	    (cc->direct && cc->mode == RMM_MIGRATE_ASYNC) ||
	    !has_memory(z, start))
		return;
	if (start < z->start_pfn)
		start = z->start_pfn;
	if (end > rmm_zone_end(z))
		end = rmm_zone_end(z);
	all = isolate_freepages_block(cc, start, end, 1) == end;
	if (rmm_is_61(z->rmm))
		all = cc->nr_freepages < cc->nr_migratepages;
	if (all && !cc->no_set_skip)
		rmm_set_pageblock(block_of(z, start), RMM_PB_SKIP, true);
}

/** rmm_isolate_freepages() - isolate_freepages(): walk down until there are
 *  enough */
void rmm_isolate_freepages(struct rmm_compact *cc)
{
	struct rmm_zone *z = cc->z;
	rmm_pfn size = 1u << z->pageblock_order, at, block;
	rmm_pfn low = rmm_block_end(z, cc->migrate_pfn);
	unsigned int stride =
		cc->mode == RMM_MIGRATE_ASYNC ? RMM_COMPACT_CLUSTER : 1;

	rmm_fast_isolate_freepages(cc);
	if (cc->nr_freepages)
		return;
	at = cc->free_pfn;
	block = rmm_block_start(z, at);
	for (; block >= low; block -= size, at = block) {
		rmm_pfn end = block + size, zone_end = rmm_zone_end(z);
		unsigned int had = cc->nr_freepages;

		if (end > zone_end)
			end = zone_end;
		if (!has_memory(z, block) || !is_target(cc, block) ||
		    is_skipped(cc, block))
			continue;
		at = isolate_freepages_block(cc, at, end, stride);
		if (at == end)
			update_free_skip(cc, block);
		if (cc->nr_freepages >= cc->nr_migratepages) {
			if (at >= end)
				at = block - size;
			break;
		}
		if (at < end)
			break; /* the zone is low */
		stride = cc->nr_freepages > had		? 1
			 : stride < RMM_COMPACT_CLUSTER ? stride << 1
							: stride;
	}
	cc->free_pfn = at;
}
