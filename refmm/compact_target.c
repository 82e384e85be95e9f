/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compact_target.c - the free blocks that compaction has taken to move pages
 * to.
 *
 *   free lists --(take)--> cc->free[order] --(halve)--> target of a page
 *        ^                      |     ^                       |
 *        +----(not needed)------+     +------(it stayed)------+
 *
 * They are in no list of the zone: ALLOCATED, without a reference. Only what
 * leaves the zone above its min mark is taken:
 *
 *   free after taking 2^order  >  min + 2^order	(__isolate_free_page)
 *
 * 6.1 keeps single pages, in free[0]: it splits each block at once, gives out
 * the last page of the last block first, and what is left goes back page by
 * page, by the CPU's lists.
 *
 * Invariant: nr_freepages = sum over orders o: nr(free[o]) * 2^o
 *
 * Locking: blocks are taken under the zone lock; the lists are the run's own.
 *
 * Modelled: __isolate_free_page, split_map_pages (6.1), compaction_alloc,
 * compaction_free, release_free_list. (6.12 and 6.1, mm/compaction.c,
 * mm/page_alloc.c; not in LKD3)
 */
#include "compact.h"

/**
 * rmm__isolate_free_page() - __isolate_free_page(): take a free block whole
 *
 * A pageblock that is half taken becomes movable, as that is what comes.
 * Locked. @no_marks: even if the zone gets too low.
 *
 * Return: its pages; 0 if the zone would get too low.
 */
unsigned int rmm__isolate_free_page(struct rmm_zone *z, rmm_pfn pfn,
				    bool no_marks)
{
	const struct rmm_want order0 = {.alloc_flags = RMM_ALLOC_CMA};
	unsigned int order = z->memmap[pfn].order;
	int mt = z->memmap[pfn].migratetype, half = z->pageblock_order - 1;
	rmm_pfn nr = 1u << order, block = 1u << z->pageblock_order;

	if (mt != RMM_ISOLATE && !no_marks &&
	    !rmm__zone_watermark_ok(z, &order0, z->wmark[RMM_WMARK_MIN] + nr,
				    RMM_ZONE_DMA, z->nr_free_seen))
		return 0;
	if (rmm_should_fail(z->rmm, RMM_FAULT_ISOLATE_FREE, 0, order))
		return 0;
	rmm_del_page_from_free_list(z, pfn);
	rmm_account_freepages(z, -(int64_t)nr, mt);
	RMM_WRITE(z->memmap[pfn].word,
		  rmm_page_word(-1, RMM_PG_ALLOCATED, order, RMM_MOVABLE));
	for (rmm_pfn p = pfn; (int)order >= half && p < pfn + nr; p += block)
		if (rmm_block_type(z, p) < RMM_PCPTYPES)
			rmm_move_freepages_block(z, p, RMM_MOVABLE);
	return nr;
}

/** rmm_free_target() - a target that was not needed, back among cc->free */
void rmm_free_target(struct rmm_compact *cc, rmm_pfn pfn, unsigned int order)
{
	RMM_WRITE(cc->z->memmap[pfn].word,
		  rmm_page_word(-1, RMM_PG_ALLOCATED, order, RMM_MOVABLE));
	rmm_list_add(cc->z->memmap, &cc->free[order], pfn);
	cc->nr_freepages += 1u << order;
}

/** rmm_add_target() - a free block was taken: among those to move to, as the
 *  last. 6.1 splits it, and gives out the last page of the last one first. */
void rmm_add_target(struct rmm_compact *cc, rmm_pfn pfn, unsigned int order)
{
	struct rmm_page *map = cc->z->memmap;
	rmm_pfn nr = 1u << order;

	if (!rmm_is_61(cc->z->rmm)) {
		rmm_list_add_tail(map, &cc->free[order], pfn);
		cc->nr_freepages += nr;
		return;
	}
	for (rmm_pfn p = pfn; p < pfn + nr; p++)
		rmm_free_target(cc, p, 0);
}

/** rmm_compaction_alloc() - compaction_alloc(): a frozen block of @order out of
 *  the isolated ones, halved until it fits */
rmm_pfn rmm_compaction_alloc(struct rmm_compact *cc, unsigned int order)
{
	struct rmm_page *map = cc->z->memmap;
	unsigned int o = order;
	rmm_pfn pfn;

	for (int tried = 0;; tried++) {
		for (o = order; o < RMM_NR_ORDERS; o++)
			if (!rmm_list_empty(&cc->free[o]))
				break;
		if (o < RMM_NR_ORDERS)
			break;
		if (tried)
			return RMM_NO_PFN;
		rmm_isolate_freepages(cc);
	}
	pfn = cc->free[o].first;
	rmm_list_del_first(map, &cc->free[o]);
	cc->nr_freepages -= 1u << o;
	while (o > order) {
		o--;
		rmm_free_target(cc, pfn + (1u << o), o);
	}
	/* 6.1 goes on to look for as many as it had at first. */
	if (cc->nr_migratepages >= 1u << order && !rmm_is_61(cc->z->rmm))
		cc->nr_migratepages -= 1u << order;
	return pfn;
}

/** rmm_release_freepages() - release_free_list(): what was not needed goes
 * back; the next run's free scanner shall see it */
void rmm_release_freepages(struct rmm_compact *cc)
{
	struct rmm_zone *z = cc->z;
	rmm_pfn high = 0;

	for (unsigned int o = 0; o < RMM_NR_ORDERS; o++)
		while (!rmm_list_empty(&cc->free[o])) {
			rmm_pfn pfn = cc->free[o].first;

			rmm_list_del_first(z->memmap, &cc->free[o]);
			rmm_free_unused(z->rmm, cc->cpu, pfn, o);
			if (pfn > high)
				high = pfn;
		}
	cc->nr_freepages = 0;
	high = rmm_block_start(z, high);
	if (high > RMM_READ(z->compact.free_pfn))
		RMM_WRITE(z->compact.free_pfn, high);
	if (high > cc->free_pfn)
		cc->free_pfn = high;
}
