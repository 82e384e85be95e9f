/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * highatomic.c - pageblocks kept for high-order atomic requests.
 *
 * An interrupt handler that needs order 3 cannot wait for compaction. When such
 * a request has been served, its pageblock becomes HIGHATOMIC, so the next one
 * finds something too. When memory runs out they are given back, one pageblock
 * at a time.
 *
 *   nr_reserved_highatomic <= ALIGN(managed / 100, pageblock); 0 if
 *	managed / 100 < pageblock
 *   6.1: another pageblock as long as it is below managed / 100 + pageblock
 *
 * Locking: takes the zone lock.
 *
 * Modelled: reserve_highatomic_pageblock, unreserve_highatomic_pageblock.
 * (6.12 and 6.1, mm/page_alloc.c; not in LKD3)
 */
#include "alloc.h"

/* As long as less is reserved there may be more. */
static uint64_t most_reserved(const struct rmm_zone *z)
{
	uint64_t block = 1ull << z->pageblock_order, max = z->managed / 100;

	if (rmm_is_61(z->rmm))
		return max + block;
	return max < block ? 0 : (max + block - 1) / block * block;
}

/** rmm_reserve_highatomic_pageblock() - keep the pageblock(s) of a block that
 *  was just allocated */
void rmm_reserve_highatomic_pageblock(struct rmm_zone *z, unsigned int cpu,
				      rmm_pfn pfn, unsigned int order)
{
	uint64_t block = 1ull << z->pageblock_order, max = most_reserved(z);

	if (RMM_READ(z->nr_reserved_highatomic) >= max)
		return;
	rmm_zone_lock(z, cpu);
	if (z->nr_reserved_highatomic >= max ||
	    rmm_block_type(z, pfn) >= RMM_PCPTYPES)
		goto out;
	if (order < z->pageblock_order) {
		if (rmm_move_freepages_block(z, pfn, RMM_HIGHATOMIC) < 0)
			goto out;
		z->nr_reserved_highatomic += block;
	} else {
		rmm_change_pageblock_range(z, pfn, order, RMM_HIGHATOMIC);
		z->nr_reserved_highatomic += 1ull << order;
	}
	rmm_set_unusable_highatomic(z);
	z->stat->highatomic_reserve++;
out:
	rmm_zone_unlock(z);
}

/* Give the pageblock(s) of the free block @pfn to type @mt. */
static bool unreserve_block(struct rmm_zone *z, rmm_pfn pfn, int mt)
{
	unsigned int order = z->memmap[pfn].order;
	uint64_t size = 1ull << z->pageblock_order;

	if (order > z->pageblock_order)
		size = 1ull << order;
	if (rmm_block_type(z, pfn) == RMM_HIGHATOMIC)
		z->nr_reserved_highatomic -=
			size < z->nr_reserved_highatomic
				? size
				: z->nr_reserved_highatomic;
	rmm_set_unusable_highatomic(z);
	z->stat->highatomic_unreserve++;
	/* Free buddies that were kept apart now lie side by side. */
	z->loose |= RMM_LOOSE_MERGE;
	if (order < z->pageblock_order)
		return rmm_move_freepages_block(z, pfn, mt) > 0;
	rmm_move_to_free_list(z, pfn, mt);
	rmm_change_pageblock_range(z, pfn, order, mt);
	return true;
}

static bool unreserve_zone(struct rmm_zone *z, int mt)
{
	for (unsigned int o = 0; o <= z->max_order; o++) {
		rmm_pfn pfn = z->free_area[o].free_list[RMM_HIGHATOMIC].first;

		if (pfn != RMM_NIL && unreserve_block(z, pfn, mt))
			return true;
	}
	return false;
}

/**
 * rmm_unreserve_highatomic_pageblock() - give one back to @ac's migrate type
 * @force: even a zone's last one
 *
 * Return: whether free pages came of it.
 */
bool rmm_unreserve_highatomic_pageblock(struct rmm_alloc_context *ac,
					bool force)
{
	for (unsigned int i = ac->begin; i < ac->end; i++) {
		struct rmm_zone *z = rmm_ac_zone(ac, i);
		bool done;

		if (z->type > ac->highest)
			continue;
		if (!force && RMM_READ(z->nr_reserved_highatomic) <=
				      1ull << z->pageblock_order)
			continue;
		rmm_zone_lock(z, ac->cpu);
		done = unreserve_zone(z, ac->want.migratetype);
		rmm_zone_unlock(z);
		if (done)
			return true;
	}
	return false;
}
