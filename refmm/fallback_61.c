/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fallback_61.c - the older fallback policy, of Linux 6.1 (RMM_FALLBACK_STEAL).
 *
 * One search instead of two: the largest block of another type is taken as it
 * comes. What then moves to the requester's list:
 *
 *   order >= pageblock_order         the block, and its pageblocks change type
 *   pageblock worth converting       all free blocks of the pageblock; it
 *                                    changes type if half is free or alike
 *   otherwise                        the block alone
 *
 * A movable request that may not convert restarts from the smallest block, as
 * it does no lasting harm there. The second row is the difference to the newer
 * policy: free blocks leave although the pageblock keeps its type, so lists and
 * pageblocks disagree, and frees bring the mixture back.
 *
 * Locking: everything runs under the zone lock.
 *
 * Modelled: __rmqueue_fallback, steal_suitable_fallback. (6.1,
 * mm/page_alloc.c; not in LKD3)
 */
#include "layers.h"

/* Lower than any order: nothing found */
#define NO_ORDER (-1)

struct found {
	int order, type;
	bool can_claim;
};

/* Move all free blocks of the pageblock around @pfn; false if it cannot be */
static bool steal_pageblock(struct rmm_zone *z, rmm_pfn pfn, int mt)
{
	int block_type = rmm_block_type(z, pfn);
	struct rmm_block_count n;
	rmm_pfn start;

	if (!rmm_prep_move_freepages_block(z, pfn, &start, &n))
		return false;
	rmm__move_freepages_block(z, start, mt);
	if (rmm_may_claim(z, block_type, mt, &n)) {
		z->stat->fallback_claim[mt][block_type]++;
		return true;
	}
	rmm_change_pageblock_range(z, start, z->pageblock_order, block_type);
	z->stat->fallback_pollute[mt][block_type]++;
	return true;
}

/* steal_suitable_fallback() */
static void steal_suitable_fallback(struct rmm_zone *z, rmm_pfn pfn,
				    const struct rmm_want *want,
				    bool whole_block)
{
	unsigned int order = z->memmap[pfn].order;
	int other = z->memmap[pfn].migratetype, mt = want->migratetype;

	if (rmm_block_type(z, pfn) == RMM_HIGHATOMIC)
		goto single;
	if (order >= z->pageblock_order) {
		rmm_change_pageblock_range(z, pfn, order, mt);
		z->stat->fallback_claim[mt][other]++;
		rmm_move_to_free_list(z, pfn, mt);
		return;
	}
	if (rmm_boost_watermark(z) && (want->alloc_flags & RMM_ALLOC_KSWAPD))
		RMM_WRITE(z->boosted, 1);
	if (whole_block && steal_pageblock(z, pfn, mt))
		return;
single:
	z->stat->fallback_steal[mt][other]++;
	rmm_move_to_free_list(z, pfn, mt);
}

/* The largest block that another type has */
static struct found find_largest(const struct rmm_zone *z,
				 const struct rmm_want *want)
{
	struct found f = {NO_ORDER, -1, false};
	int min_order = (int)want->order;

	if (min_order < z->pageblock_order &&
	    (want->alloc_flags & RMM_ALLOC_NOFRAGMENT))
		min_order = z->pageblock_order;
	for (int order = z->max_order; order >= min_order; order--) {
		f.type = rmm_find_suitable_fallback(z, (unsigned int)order,
						    want->migratetype,
						    &f.can_claim);
		if (f.type < 0)
			continue;
		f.order = order;
		break;
	}
	return f;
}

/* The smallest; there is one, as find_largest() found some */
static struct found find_smallest(const struct rmm_zone *z,
				  const struct rmm_want *want)
{
	struct found f = {NO_ORDER, -1, false};

	for (int order = (int)want->order; order <= z->max_order; order++) {
		f.type = rmm_find_suitable_fallback(z, (unsigned int)order,
						    want->migratetype,
						    &f.can_claim);
		f.order = order;
		if (f.type >= 0)
			break;
	}
	return f;
}

/**
 * rmm__rmqueue_fallback() - bring blocks of another type to @want's lists
 *
 * Return: whether there is one now; the caller then looks again.
 */
bool rmm__rmqueue_fallback(struct rmm_zone *z, const struct rmm_want *want)
{
	struct found f = find_largest(z, want);
	rmm_pfn pfn;

	if (f.order == NO_ORDER)
		return false;
	if (!f.can_claim && want->migratetype == RMM_MOVABLE &&
	    f.order > (int)want->order)
		f = find_smallest(z, want);
	pfn = z->free_area[f.order].free_list[f.type].first;
	steal_suitable_fallback(z, pfn, want, f.can_claim);
	rmm_trace_extfrag(z, pfn, want, (unsigned int)f.order, f.type);
	return true;
}
