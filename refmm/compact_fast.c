/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compact_fast.c - short cuts of compaction's scanners, by the free lists.
 *
 * To walk a zone pageblock by pageblock takes long where most have nothing to
 * offer. What is free is listed, so both scanners look there first:
 *
 *   migrate   a free block of the order below the one that is wanted, or a
 *             little smaller: its pageblock has the least to move. Only for
 *             more than PAGE_ALLOC_COSTLY_ORDER, and in the first half of what
 *             lies between the scanners, later in the first eighth of it
 *   free      the largest free block that is of no use for the request, in the
 *             last quarter between the scanners, else in the last half
 *
 *      start   |<-- eighth -->|                  |<- quarter ->|     end
 *        migrate_pfn                                       free_pfn
 *
 * They look at a few blocks of a list only, fewer after each failure, and take
 * the list round, so that the next search sees others.
 *
 * Locking: the zone lock is taken for each list.
 *
 * Modelled: fast_find_migrateblock, fast_isolate_freepages,
 * fast_isolate_around, next_search_order. (6.12, mm/compaction.c; not in LKD3)
 */
#include "compact.h"

static unsigned int max_of(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

/* freelist_scan_limit() */
static unsigned int scan_limit(const struct rmm_compact *cc)
{
	unsigned int shift =
		cc->fast_search_fail < 31 ? cc->fast_search_fail : 31;

	return ((unsigned int)RMM_COMPACT_CLUSTER >> shift) + 1;
}

/* ---- For the migrate scanner -------------------------------------------- */

static bool is_wanted(const struct rmm_compact *cc)
{
	rmm_pfn pfn = cc->migrate_pfn;

	if (cc->ignore_skip || cc->finish_pageblock)
		return false;
	/* Amid a pageblock: it goes on there. */
	if (!rmm_begins_block(cc->z, pfn))
		return false;
	if (cc->order <= RMM_COSTLY_ORDER)
		return false;
	return !cc->direct || cc->migratetype == RMM_MOVABLE;
}

/* A pageblock below @high of which a block of @order is free, or RMM_NO_PFN */
static rmm_pfn find_source(struct rmm_compact *cc, unsigned int order,
			   rmm_pfn high, unsigned int *scanned)
{
	struct rmm_zone *z = cc->z;
	struct rmm_list *list = &z->free_area[order].free_list[RMM_MOVABLE];
	unsigned int limit = scan_limit(cc);
	rmm_pfn pfn, found = RMM_NO_PFN;

	rmm_zone_lock(z, cc->cpu);
	for (pfn = list->first; pfn != RMM_NIL; pfn = z->memmap[pfn].next) {
		bool enough = (*scanned)++ >= limit;

		if (!enough &&
		    (pfn >= high ||
		     rmm_get_pageblock(&z->blocks[pfn >> z->pageblock_order],
				       RMM_PB_SKIP)))
			continue;
		if (!enough)
			found = pfn;
		if (!enough && rmm_is_61(z->rmm))
			rmm_set_pageblock(&z->blocks[pfn >> z->pageblock_order],
					  RMM_PB_SKIP, true);
		/* What was looked at comes last from here on. */
		if (z->memmap[pfn].next != RMM_NIL)
			rmm_list_rotate(z->memmap, list, z->memmap[pfn].next);
		break;
	}
	rmm_zone_unlock(z);
	return found;
}

/* reinit_migrate_pfn(): walk on from the lowest that was found */
static rmm_pfn walk_from(struct rmm_compact *cc)
{
	if (cc->fast_started && cc->fast_start != RMM_NO_PFN) {
		cc->migrate_pfn = cc->fast_start;
		cc->fast_start = RMM_NO_PFN;
	}
	return cc->migrate_pfn;
}

/** rmm_fast_find_migrateblock() - fast_find_migrateblock(): where to look for
 *  pages to move; cc->migrate_pfn if nothing better was found */
rmm_pfn rmm_fast_find_migrateblock(struct rmm_compact *cc)
{
	const struct rmm_zone *z = cc->z;
	rmm_pfn distance, high, found = RMM_NO_PFN;
	unsigned int scanned = 0;

	if (!is_wanted(cc))
		return cc->migrate_pfn;
	distance = (cc->free_pfn - cc->migrate_pfn) >> 1;
	if (cc->migrate_pfn != z->start_pfn)
		distance >>= 2;
	high = rmm_block_start(z, cc->migrate_pfn + distance);
	for (int order = cc->order - 1;
	     order >= RMM_COSTLY_ORDER && found == RMM_NO_PFN &&
	     scanned < scan_limit(cc);
	     order--)
		found = find_source(cc, (unsigned int)order, high, &scanned);
	z->rmm->cpu[cc->cpu].stat.compact_migrate_scanned += scanned;
	if (found == RMM_NO_PFN) {
		cc->fast_search_fail++;
		return walk_from(cc);
	}
	cc->fast_search_fail = 0;
	if (!cc->fast_started ||
	    (cc->fast_start != RMM_NO_PFN && found < cc->fast_start))
		cc->fast_start = found;
	cc->fast_started = true;
	found = rmm_block_start(z, found);
	return found < z->start_pfn ? z->start_pfn : found;
}

/* ---- For the free scanner ----------------------------------------------- */

/* One search of all orders */
struct search {
	rmm_pfn low, min, highest; /* a quarter and a half below; last seen */
	unsigned int limit, scanned;
	rmm_pfn found;
};

/* next_search_order(): round robin; -1: all were searched */
static int next_order(struct rmm_compact *cc, int order)
{
	order = order ? order - 1 : cc->order - 1;
	if (order != cc->search_order)
		return order;
	cc->search_order = order ? order - 1 : cc->order - 1;
	return -1;
}

/* The first of the list from its tail that lies high enough; else the highest
 * in the upper half. Where the search ended the list begins from here on. */
static rmm_pfn look_through(struct rmm_compact *cc, struct search *s, int order,
			    unsigned int *scanned)
{
	struct rmm_zone *z = cc->z;
	struct rmm_list *list = &z->free_area[order].free_list[RMM_MOVABLE];
	rmm_pfn pfn, candidate = 0;

	for (pfn = list->last; pfn != RMM_NIL; pfn = z->memmap[pfn].prev) {
		rmm_pfn block = rmm_block_start(z, pfn);

		++*scanned;
		s->scanned++;
		if (pfn >= s->highest)
			s->highest =
				block > z->start_pfn ? block : z->start_pfn;
		if (pfn >= s->low) {
			cc->fast_search_fail = 0;
			cc->search_order = order;
			rmm_list_rotate(z->memmap, list, pfn);
			return pfn;
		}
		if (pfn >= s->min && pfn > candidate) {
			candidate = pfn;
			s->limit >>= 1;
		}
		if (*scanned >= s->limit)
			break;
	}
	if (candidate)
		pfn = candidate;
	if (pfn != RMM_NIL)
		rmm_list_rotate(z->memmap, list, pfn);
	return candidate ? candidate : RMM_NO_PFN;
}

/* Search one order's list, and take what was found; false: the search ends */
static bool search_list(struct rmm_compact *cc, struct search *s, int order)
{
	struct rmm_zone *z = cc->z;
	unsigned int scanned = 0, nr = 0;
	rmm_pfn pfn;

	rmm_zone_lock(z, cc->cpu);
	pfn = look_through(cc, s, order, &scanned);
	if (pfn != RMM_NO_PFN)
		nr = rmm__isolate_free_page(z, pfn, cc->no_marks);
	rmm_zone_unlock(z);
	if (nr) {
		s->found = pfn;
		s->scanned += nr - 1;
		rmm_add_target(cc, pfn, (unsigned int)order);
		z->rmm->cpu[cc->cpu].stat.compact_isolated += nr;
		return false;
	}
	if (scanned >= s->limit)
		s->limit = max_of(1, s->limit >> 1);
	return pfn == RMM_NO_PFN; /* else the zone is low */
}

/* Nothing was found at the very beginning: begin with the highest block that
 * was seen, or half-way. Returns a frame of the pageblock, or RMM_NO_PFN. */
static rmm_pfn begin_lower(struct rmm_compact *cc, const struct search *s)
{
	if (s->highest >= s->min)
		return cc->free_pfn = s->highest;
	if (!cc->direct)
		return RMM_NO_PFN;
	return cc->free_pfn = s->min;
}

/** rmm_fast_isolate_freepages() - fast_isolate_freepages(): a free block of the
 *  lists, if there is a good one */
void rmm_fast_isolate_freepages(struct rmm_compact *cc)
{
	struct rmm_zone *z = cc->z;
	rmm_pfn distance = cc->free_pfn - cc->migrate_pfn;
	bool start = cc->free_pfn >= rmm_block_start(z, rmm_zone_end(z) - 1);
	struct search s = {
		.limit = max_of(1, scan_limit(cc) >> 1),
		.low = rmm_block_start(z, cc->free_pfn - (distance >> 2)),
		.min = rmm_block_start(z, cc->free_pfn - (distance >> 1)),
		.found = RMM_NO_PFN,
	};
	bool more = true;

	if (cc->order <= 0)
		return;
	if (start)
		s.limit = 1u << z->pageblock_order >> 1;
	if (cc->search_order > cc->order - 1)
		cc->search_order = cc->order - 1;
	for (int order = cc->search_order; more && order >= 0;
	     order = next_order(cc, order))
		if (!rmm_list_empty(
			    &z->free_area[order].free_list[RMM_MOVABLE]))
			more = search_list(cc, &s, order);
	if (s.found == RMM_NO_PFN) {
		cc->fast_search_fail++;
		if (start)
			s.found = begin_lower(cc, &s);
	}
	if (s.highest && s.highest >= RMM_READ(z->compact.free_pfn))
		RMM_WRITE(z->compact.free_pfn,
			  s.highest - (1u << z->pageblock_order));
	z->rmm->cpu[cc->cpu].stat.compact_free_scanned += s.scanned;
	if (s.found != RMM_NO_PFN)
		rmm_isolate_around(cc, s.found);
}
