/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * isolation.c - take pageblocks out of use.
 *
 * What is free in an isolated pageblock is on the ISOLATE lists: not counted as
 * free, and nobody gets it. What is freed there comes to them too. So once all
 * that is used has moved away, the pageblock is empty and stays so.
 *
 *      MOVABLE  |.#..#.|   isolate   |i#ii#i|   empty it   |iiiiii|
 *
 * Up to 6.17 ISOLATE is a migrate type like others: the type before is
 * forgotten, and undoing sets the type that the caller names. Since 6.18 it is
 * a bit beside the type (rmm_config.isolate_bit): undoing clears it.
 *
 *   a range is isolated whole, or not at all
 *   a pageblock is isolated whole: what cannot move in it is a reason to refuse
 *   even where the range ends before it
 *
 * Locking: takes the zone lock, for one pageblock at a time.
 *
 * Modelled: start_isolate_page_range, undo_isolate_page_range,
 * set_migratetype_isolate, unset_migratetype_isolate, has_unmovable_pages,
 * test_pages_isolated, isolate_single_pageblock for free blocks. Simplified: a
 * block in use that reaches out of the range is refused, not migrated first.
 * (6.12 and 6.18, mm/page_isolation.c; not in LKD3)
 */
#include <errno.h>

#include "compact.h"

/* has_unmovable_pages(): the first frame of the pageblock at @pfn that can
 * never become free, or RMM_NO_PFN. CMA's pageblocks are CMA's alone (@mt), and
 * for it all in them counts as movable. */
static rmm_pfn find_unmovable(const struct rmm_zone *z, rmm_pfn pfn, int mt)
{
	const struct rmm *rmm = z->rmm;
	rmm_pfn end = rmm_block_end(z, pfn);

	if (rmm_block_type(z, pfn) == RMM_CMA)
		return mt == RMM_CMA ? RMM_NO_PFN : pfn;
	while (pfn < end) {
		rmm_pfn head = rmm_find_head(rmm, pfn);
		uint64_t word;

		if (head == RMM_NO_PFN)
			return pfn; /* reserved */
		word = RMM_READ(rmm->memmap[head].word);
		if (rmm_word_state(word) == RMM_PG_ALLOCATED &&
		    (rmm_word_type(word) != RMM_MOVABLE ||
		     rmm_word_order(word) > rmm->config.max_order))
			return pfn;
		pfn = head + (1u << rmm_word_order(word));
	}
	return RMM_NO_PFN;
}

/* set_migratetype_isolate(): the pageblock at @pfn, all of it, to become @mt */
static int isolate_block(struct rmm_zone *z, unsigned int cpu, rmm_pfn pfn,
			 int mt)
{
	struct rmm *rmm = z->rmm;
	rmm_pfn bad;
	int type;

	rmm_zone_lock(z, cpu);
	type = rmm_block_type(z, pfn);
	bad = type == RMM_ISOLATE ? pfn : find_unmovable(z, pfn, mt);
	if (bad == RMM_NO_PFN &&
	    !rmm_should_fail(rmm, RMM_FAULT_ISOLATE_BLOCK, 0, 0)) {
		z->blocks[pfn >> z->pageblock_order].saved = (uint8_t)type;
		rmm_move_freepages_block_isolate(z, pfn, RMM_ISOLATE);
		rmm_zone_unlock(z);
		return 0;
	}
	rmm_zone_unlock(z);
	if (bad == RMM_NO_PFN)
		bad = pfn;
	return rmm_error(rmm, -EBUSY,
			 "cannot isolate pfn %u..%u: pfn %u is unmovable, "
			 "reserved, CMA's, or isolated already",
			 pfn, rmm_block_end(z, pfn) - 1, bad);
}

/* unset_migratetype_isolate(): free blocks that could not merge over the edge
 * may now, so the first one is freed anew */
static void unisolate_block(struct rmm_zone *z, unsigned int cpu, rmm_pfn pfn,
			    int mt)
{
	int was = z->blocks[pfn >> z->pageblock_order].saved;
	unsigned int order;
	uint64_t word;

	if (z->rmm->config.isolate_bit)
		mt = was;
	rmm_zone_lock(z, cpu);
	/* 6.1: per-CPU pages keep their note, and are drained as what the
	 * pageblock was, which does not merge with what it is. */
	if (rmm_is_61(z->rmm) && was != mt && was >= RMM_PCPTYPES)
		z->loose |= RMM_LOOSE_MERGE;
	rmm_move_freepages_block_isolate(z, pfn, mt);
	word = RMM_READ(z->memmap[pfn].word);
	order = rmm_word_order(word);
	if (rmm_word_state(word) == RMM_PG_BUDDY &&
	    order >= z->pageblock_order && order < z->max_order) {
		rmm_del_page_from_free_list(z, pfn);
		rmm_account_freepages(z, -(1ll << order),
				      (int)rmm_word_type(word));
		rmm__free_one_page(z, pfn, order, rmm_block_type(z, pfn), true);
	}
	rmm_zone_unlock(z);
}

/** rmm_undo_isolate_page_range() - undo_isolate_page_range(): @mt, or what each
 *  pageblock was */
void rmm_undo_isolate_page_range(struct rmm_zone *z, unsigned int cpu,
				 rmm_pfn start, rmm_pfn end, int mt)
{
	for (rmm_pfn p = rmm_block_start(z, start); p < end;
	     p = rmm_block_end(z, p))
		unisolate_block(z, cpu, p, mt);
}

/**
 * rmm_start_isolate_page_range() - isolate all pageblocks of [@start, @end)
 * @mt: for whom, MOVABLE or CMA; also what pageblocks become that must be given
 *	back, if a later one refuses
 *
 * Return: 0, or -EBUSY and none is isolated.
 */
int rmm_start_isolate_page_range(struct rmm_zone *z, unsigned int cpu,
				 rmm_pfn start, rmm_pfn end, int mt)
{
	for (rmm_pfn p = rmm_block_start(z, start); p < end;
	     p = rmm_block_end(z, p)) {
		int err = isolate_block(z, cpu, p, mt);

		if (!err)
			continue;
		if (p > rmm_block_start(z, start))
			rmm_undo_isolate_page_range(z, cpu, start, p, mt);
		return err;
	}
	return 0;
}

/** rmm_test_pages_isolated() - __test_page_isolated_in_pageblock(): the first
 *  frame of [@start, @end) that is not free and isolated, or RMM_NO_PFN; under
 *  the zone lock */
rmm_pfn rmm_test_pages_isolated(const struct rmm_zone *z, rmm_pfn start,
				rmm_pfn end)
{
	for (rmm_pfn p = start; p < end;) {
		rmm_pfn head = rmm_find_head(z->rmm, p);
		uint64_t word;

		if (head == RMM_NO_PFN)
			return p;
		word = RMM_READ(z->memmap[head].word);
		if (rmm_word_state(word) != RMM_PG_BUDDY ||
		    rmm_word_type(word) != RMM_ISOLATE)
			return p;
		p = head + (1u << rmm_word_order(word));
	}
	return RMM_NO_PFN;
}
