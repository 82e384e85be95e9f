/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pageblock.c - pageblocks: the unit in which memory has a migrate type.
 *
 * The kernel groups pages by mobility: what can be moved or reclaimed is kept
 * apart from what cannot, in pageblocks of the size of a huge page, so that
 * whole pageblocks can become free.
 *
 *      pageblock     0           1           2           3
 *      type      |unmovable |  movable |  movable |reclaimable|
 *      frames    0         512       1024       1536       2048
 *
 * When a pageblock changes type, its free blocks move to the lists of the new
 * type, at the tails. What is allocated in it stays where it is.
 *
 * Invariant (policy claim): rmm_block_type(pfn) = type of the list that a free
 * block at pfn is on, for every pageblock that the block covers.
 *
 * Locking: everything runs under the zone lock; types may be read without it.
 *
 * Modelled: set_pageblock_migratetype, change_pageblock_range,
 * prep_move_freepages_block, __move_freepages_block,
 * move_freepages_block_isolate. Simplified: "movable" is a page that was
 * allocated as such (the kernel asks PageLRU and __PageMovable). (6.12,
 * mm/page_alloc.c; not in LKD3, which describes 2.6.34)
 */
#include <errno.h>

#include "layers.h"

static rmm_pfn pageblock_start(const struct rmm_zone *z, rmm_pfn pfn)
{
	return pfn & ~((1u << z->pageblock_order) - 1);
}

/* set_pageblock_migratetype() */
static void set_type(struct rmm_zone *z, rmm_pfn pfn, int mt)
{
	RMM_WRITE(z->blocks[pfn >> z->pageblock_order].migratetype,
		  (uint8_t)rmm_grouped_type(z->rmm, mt));
}

/** rmm_change_pageblock_range() - all pageblocks of a block become @mt */
void rmm_change_pageblock_range(struct rmm_zone *z, rmm_pfn pfn,
				unsigned int order, int mt)
{
	for (rmm_pfn p = pfn; p - pfn < 1u << order;
	     p += 1u << z->pageblock_order)
		set_type(z, p, mt);
}

/* Frames from @pfn to the end of its block, or to @end if that is nearer. Any
 * frame that begins no block is passed over singly. */
static rmm_pfn next_block(const struct rmm_zone *z, rmm_pfn pfn, rmm_pfn end)
{
	const struct rmm_page *page = &z->memmap[pfn];
	uint64_t next = (uint64_t)pfn + 1;

	if (RMM_READ(page->state) != RMM_PG_RESERVED)
		next = (uint64_t)pfn + (1ull << RMM_READ(page->order));
	return next < end ? (rmm_pfn)next : end;
}

/**
 * rmm_prep_move_freepages_block() - may the pageblock of @pfn change type?
 * @start: its first frame
 * @n: what it holds; may be NULL
 *
 * Return: false if the pageblock reaches out of the zone.
 */
bool rmm_prep_move_freepages_block(struct rmm_zone *z, rmm_pfn pfn,
				   rmm_pfn *start, struct rmm_block_count *n)
{
	rmm_pfn end, next;

	*start = pageblock_start(z, pfn);
	end = *start + (1u << z->pageblock_order);
	if (*start < z->start_pfn || end - z->start_pfn > z->spanned)
		return false;
	if (!n)
		return true;
	*n = (struct rmm_block_count){0};
	for (rmm_pfn p = *start; p < end; p = next) {
		const struct rmm_page *page = &z->memmap[p];

		next = next_block(z, p, end);
		switch (RMM_READ(page->state)) {
		case RMM_PG_BUDDY:
			n->free += next - p;
			break;
		case RMM_PG_ALLOCATED:
			if (RMM_READ(page->migratetype) == RMM_MOVABLE)
				n->movable += next - p;
		}
	}
	return true;
}

/**
 * rmm__move_freepages_block() - a pageblock becomes @mt, with its free blocks
 * @start: its first frame
 *
 * Return: pages moved.
 */
unsigned int rmm__move_freepages_block(struct rmm_zone *z, rmm_pfn start,
				       int mt)
{
	rmm_pfn end = start + (1u << z->pageblock_order), next;
	unsigned int moved = 0;

	mt = rmm_grouped_type(z->rmm, mt); /* set_type() says so too */
	for (rmm_pfn p = start; p < end; p = next) {
		next = next_block(z, p, end);
		if (RMM_READ(z->memmap[p].state) != RMM_PG_BUDDY)
			continue;
		rmm_move_to_free_list(z, p, mt);
		moved += next - p;
	}
	set_type(z, start, mt);
	return moved;
}

/** rmm_move_freepages_block() - the same for any @pfn in it; -1: it cannot */
int rmm_move_freepages_block(struct rmm_zone *z, rmm_pfn pfn, int mt)
{
	rmm_pfn start;

	if (!rmm_prep_move_freepages_block(z, pfn, &start, NULL))
		return -1;
	return (int)rmm__move_freepages_block(z, start, mt);
}

/**
 * rmm_move_freepages_block_isolate() - the same, whatever free block covers it
 *
 * A free block larger than the pageblock is broken up first, as its other
 * pageblocks keep their types.
 */
void rmm_move_freepages_block_isolate(struct rmm_zone *z, rmm_pfn pfn, int mt)
{
	rmm_pfn start = pageblock_start(z, pfn);
	rmm_pfn head = rmm_find_head(z->rmm, start);
	uint64_t word = head != RMM_NO_PFN ? RMM_READ(z->memmap[head].word) : 0;
	unsigned int order = rmm_word_order(word);

	if (rmm_word_state(word) == RMM_PG_BUDDY &&
	    order > z->pageblock_order) {
		rmm_account_freepages(z, -(1ll << order),
				      (int)rmm_word_type(word));
		rmm_del_page_from_free_list(z, head);
		set_type(z, start, mt);
		rmm_split_large_buddy(z, head, order, false);
		return;
	}
	rmm__move_freepages_block(z, start, mt);
}

/** rmm_get_pageblock_migratetype() - type of @pfn's pageblock; -ERANGE */
int rmm_get_pageblock_migratetype(const struct rmm *rmm, rmm_pfn pfn)
{
	int zone = rmm_pfn_zone(rmm, pfn);

	return zone < 0 ? -ERANGE : rmm_block_type(&rmm->zone[zone], pfn);
}

/**
 * rmm_set_pageblock_migratetype() - type of the pageblock of @pfn
 *
 * While loading this only sets it. Afterwards the pageblock's free blocks move
 * along, as start_isolate_page_range() and its inverse make them.
 */
int rmm_set_pageblock_migratetype(struct rmm *rmm, rmm_pfn pfn, int mt)
{
	int zone = rmm_pfn_zone(rmm, pfn);
	struct rmm_zone *z;

	if (zone < 0)
		return rmm_error(rmm, -ERANGE,
				 "cannot set the type of pfn %u: in no zone",
				 pfn);
	if (mt < 0 || mt >= RMM_MIGRATE_TYPES)
		return rmm_error(rmm, -EINVAL,
				 "cannot set the type of pfn %u: %d is no "
				 "migrate type",
				 pfn, mt);
	z = &rmm->zone[zone];
	if (!rmm->ready) {
		set_type(z, pfn, mt);
		return 0;
	}
	rmm_zone_lock(z, 0);
	z->loose |= RMM_LOOSE_MERGE; /* what may merge has changed */
	if ((rmm_block_type(z, pfn) == RMM_CMA) != (mt == RMM_CMA) &&
	    rmm->config.fallback == RMM_FALLBACK_STEAL)
		z->loose |= RMM_LOOSE_CMA; /* per-CPU pages keep their note */
	rmm_move_freepages_block_isolate(z, pfn, mt);
	rmm_zone_unlock(z);
	return 0;
}
