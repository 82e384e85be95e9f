/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fallback.c - a migrate type is out of free blocks: claim, then steal.
 *
 * The lists of other types are tried in a fixed order (fallbacks[]). There are
 * two ways to take from them:
 *
 *   claim: from the largest block down. A block of pageblock_order or more
 *	    changes type as it is. For a smaller one, the pageblock around it
 *	    changes type if at least half of it is free or alike:
 *
 *	    movable pageblock | free 4 | F | M | free | U U | ... -> unmovable
 *
 *	    and its free blocks move over. Later frees then come back to the
 *	    right list.
 *   steal: from the smallest block up. Only that block is taken; the pageblock
 *	    keeps its type and is mixed now, which is what anti-fragmentation
 *	    wants to avoid. Never with NOFRAGMENT.
 *
 * "Alike" for a movable request: the movable pages. For others taking a movable
 * pageblock: what is neither free nor movable. Else nothing, as unmovable and
 * reclaimable pages cannot be told apart.
 *
 * Locking: everything runs under the zone lock.
 *
 * Modelled: fallbacks[], find_suitable_fallback, can_steal_fallback,
 * try_to_steal_block, __rmqueue_claim, __rmqueue_steal; boost. The older policy
 * is in fallback_61.c. (6.12.117 and 6.18, mm/page_alloc.c; not in LKD3)
 */
#include "layers.h"

static const uint8_t fallbacks[RMM_PCPTYPES][RMM_PCPTYPES - 1] = {
	[RMM_UNMOVABLE] = {RMM_RECLAIMABLE, RMM_MOVABLE},
	[RMM_MOVABLE] = {RMM_RECLAIMABLE, RMM_UNMOVABLE},
	[RMM_RECLAIMABLE] = {RMM_UNMOVABLE, RMM_MOVABLE},
};

/* can_steal_fallback(): is it worth converting whole pageblocks? A movable
 * request in a small block can be moved away again later. */
static bool worth_claiming(const struct rmm_zone *z, unsigned int order, int mt)
{
	return order >= z->pageblock_order / 2u || mt == RMM_RECLAIMABLE ||
	       mt == RMM_UNMOVABLE || !z->rmm->config.mobility;
}

/**
 * rmm_find_suitable_fallback() - a type that has a block of @order, for @mt
 * @can_claim: may its pageblock be claimed?
 *
 * Return: the type, or -1.
 */
int rmm_find_suitable_fallback(const struct rmm_zone *z, unsigned int order,
			       int mt, bool *can_claim)
{
	const struct rmm_list *list = z->free_area[order].free_list;

	*can_claim = false;
	for (int i = 0; i < RMM_PCPTYPES - 1; i++) {
		int other = fallbacks[mt][i];

		if (rmm_list_empty(&list[other]))
			continue;
		*can_claim = worth_claiming(z, order, mt);
		return other;
	}
	return -1;
}

/** rmm_may_claim() - is at least half of a pageblock free or alike? */
bool rmm_may_claim(const struct rmm_zone *z, int block_type, int mt,
		   const struct rmm_block_count *n)
{
	unsigned int block = 1u << z->pageblock_order, alike = 0;

	if (mt == RMM_MOVABLE)
		alike = n->movable;
	else if (block_type == RMM_MOVABLE)
		alike = block - (n->free + n->movable);
	return n->free + alike >= block / 2 || !z->rmm->config.mobility;
}

/** rmm_trace_extfrag() - trace_mm_page_alloc_extfrag()
 *  @order, @mt: of the block found */
void rmm_trace_extfrag(struct rmm_zone *z, rmm_pfn pfn,
		       const struct rmm_want *want, unsigned int order, int mt)
{
	const struct rmm_hooks *hooks = &z->rmm->hooks;
	struct rmm_extfrag e = {
		.pfn = pfn,
		.alloc_order = (uint8_t)want->order,
		.fallback_order = (uint8_t)order,
		.alloc_type = (uint8_t)want->migratetype,
		.fallback_type = (uint8_t)mt,
	};

	e.change_ownership = rmm_block_type(z, pfn) == want->migratetype;
	if (hooks->extfrag)
		hooks->extfrag(hooks->ctx, z->cpu, &e);
}

/* A block of whole pageblocks changes type as it is. */
static rmm_pfn claim_whole(struct rmm_zone *z, rmm_pfn pfn,
			   const struct rmm_want *want)
{
	struct rmm_page *page = &z->memmap[pfn];
	unsigned int order = page->order, added;

	rmm_account_freepages(z, -(1ll << order), page->migratetype);
	rmm_del_page_from_free_list(z, pfn);
	rmm_change_pageblock_range(z, pfn, order, want->migratetype);
	added = rmm_expand(z, pfn, want->order, order, want->migratetype);
	rmm_account_freepages(z, added, want->migratetype);
	return pfn;
}

/* try_to_steal_block(): claim the pageblock around the free block @pfn */
static rmm_pfn try_to_claim_block(struct rmm_zone *z, rmm_pfn pfn,
				  const struct rmm_want *want)
{
	int block_type = rmm_block_type(z, pfn);
	struct rmm_block_count n;
	rmm_pfn start;

	if (block_type == RMM_HIGHATOMIC)
		return RMM_NO_PFN;
	if (z->memmap[pfn].order >= z->pageblock_order)
		return claim_whole(z, pfn, want);
	if (rmm_boost_watermark(z) && (want->alloc_flags & RMM_ALLOC_KSWAPD))
		RMM_WRITE(z->boosted, 1);
	if (!rmm_prep_move_freepages_block(z, pfn, &start, &n))
		return RMM_NO_PFN;
	if (!rmm_may_claim(z, block_type, want->migratetype, &n))
		return RMM_NO_PFN;
	rmm__move_freepages_block(z, start, want->migratetype);
	return rmm__rmqueue_smallest(z, want->order, want->migratetype);
}

/** rmm__rmqueue_claim() - largest block first, with its pageblock */
rmm_pfn rmm__rmqueue_claim(struct rmm_zone *z, const struct rmm_want *want)
{
	int mt = want->migratetype, min_order = (int)want->order;

	/* Smaller blocks are parts of pageblocks that others use. */
	if (min_order < z->pageblock_order &&
	    (want->alloc_flags & RMM_ALLOC_NOFRAGMENT))
		min_order = z->pageblock_order;
	for (int order = z->max_order; order >= min_order; order--) {
		unsigned int o = (unsigned int)order;
		bool can_claim;
		int other = rmm_find_suitable_fallback(z, o, mt, &can_claim);
		rmm_pfn pfn;

		if (other < 0)
			continue;
		if (!can_claim)
			break;
		pfn = z->free_area[o].free_list[other].first;
		pfn = try_to_claim_block(z, pfn, want);
		if (pfn == RMM_NO_PFN)
			continue;
		z->stat->fallback_claim[mt][other]++;
		rmm_trace_extfrag(z, pfn, want, o, other);
		return pfn;
	}
	return RMM_NO_PFN;
}

/** rmm__rmqueue_steal() - smallest block first, and that alone */
rmm_pfn rmm__rmqueue_steal(struct rmm_zone *z, const struct rmm_want *want)
{
	int mt = want->migratetype;

	for (unsigned int o = want->order; o <= z->max_order; o++) {
		bool can_claim;
		int other = rmm_find_suitable_fallback(z, o, mt, &can_claim);
		rmm_pfn pfn;

		if (other < 0)
			continue;
		pfn = z->free_area[o].free_list[other].first;
		rmm_page_del_and_expand(z, pfn, want->order);
		z->stat->fallback_steal[mt][other]++;
		rmm_trace_extfrag(z, pfn, want, o, other);
		return pfn;
	}
	return RMM_NO_PFN;
}
