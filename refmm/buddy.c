/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * buddy.c - the binary buddy system of one zone.
 *
 * Free memory lies in blocks of 2^order frames. Each order and migrate type has
 * a list. The buddy of a block is its neighbour in the next larger block:
 *
 *      order 2   |       0       |       4       |      buddy(p, o) = p ^ 2^o
 *      order 1   |   0   |   2   |   4   |   6   |      parent      = p & ~2^o
 *      order 0   | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
 *
 * Taking a block from a larger one halves it until it fits; the upper halves go
 * to the heads of their lists. Giving one back joins it with its buddy as long
 * as that is free and whole. Where it then goes decides about fragmentation: to
 * the head (warm, taken next), but to the tail if its parent's buddy is free
 * too, for then waiting may give a larger block. Shuffled (shuffle.c), the
 * largest blocks go to either end.
 *
 * Invariants, per zone:
 *   nr_free = sum over orders o, types t but ISOLATE: nr(o, t) * 2^o
 *   no two free buddies of one order below max_order that may merge
 *   (policy claim) a block on list t lies in a pageblock of type t
 *
 * Locking: everything here runs under the zone lock.
 *
 * Modelled: __free_one_page, expand, __rmqueue_smallest, split_large_buddy,
 * free_one_page, {add_to,del_from,move_to}_free_list. Omitted: guard pages,
 * capture by compaction, page reporting. (6.12, mm/page_alloc.c; LKD3 ch. 12
 * "Getting Pages")
 */
#include "layers.h"

/* migratetype_is_mergeable() */
static bool is_mergeable(int mt)
{
	return mt < RMM_PCPTYPES;
}

/**
 * rmm_account_freepages() - @nr pages of type @mt came (went, if negative)
 *
 * Isolated pages are on a list but nobody may have them: they do not count.
 * Watermarks look at a sum that each CPU adds to only when its own part is over
 * the threshold (__mod_zone_page_state()).
 */
inline void rmm_account_freepages(struct rmm_zone *z, int64_t nr, int mt)
{
	struct rmm_pcp *own = &z->pcp[z->cpu];
	int64_t diff;

	if (mt == RMM_ISOLATE)
		return;
	RMM_WRITE(z->nr_free, z->nr_free + nr);
	diff = own->free_diff + nr;
	if (diff > z->stat_threshold || diff < -z->stat_threshold) {
		RMM_WRITE(z->nr_free_seen, z->nr_free_seen + diff);
		diff = 0;
	}
	own->free_diff = (int)diff;
	if (rmm_likely(mt < RMM_PCPTYPES))
		return;
	if (mt == RMM_CMA)
		RMM_WRITE(z->nr_free_cma, z->nr_free_cma + nr);
	else if (mt == RMM_HIGHATOMIC) {
		RMM_WRITE(z->nr_free_highatomic, z->nr_free_highatomic + nr);
		rmm_set_unusable_highatomic(z);
	}
}

/** rmm_add_to_free_list() - __add_to_free_list(): not accounted */
inline void rmm_add_to_free_list(struct rmm_zone *z, rmm_pfn pfn,
				 unsigned int order, int mt, bool tail)
{
	struct rmm_list *list = &z->free_area[order].free_list[mt];

	RMM_WRITE(z->memmap[pfn].word,
		  rmm_page_word(-1, RMM_PG_BUDDY, order, (unsigned int)mt));
	if (tail)
		rmm_list_add_tail(z->memmap, list, pfn);
	else
		rmm_list_add(z->memmap, list, pfn);
}

/** rmm_del_page_from_free_list() - __del_page_from_free_list() */
void rmm_del_page_from_free_list(struct rmm_zone *z, rmm_pfn pfn)
{
	struct rmm_page *page = &z->memmap[pfn];
	struct rmm_free_area *area = &z->free_area[page->order];

	rmm_list_del(z->memmap, &area->free_list[page->migratetype], pfn);
	RMM_WRITE(page->state, RMM_PG_RESERVED);
}

/** rmm_move_to_free_list() - to the tail of list @mt, accounted */
void rmm_move_to_free_list(struct rmm_zone *z, rmm_pfn pfn, int mt)
{
	struct rmm_page *page = &z->memmap[pfn];
	struct rmm_free_area *area = &z->free_area[page->order];
	int64_t nr = 1ll << page->order;

	rmm_account_freepages(z, -nr, page->migratetype);
	rmm_account_freepages(z, nr, mt);
	rmm_list_del(z->memmap, &area->free_list[page->migratetype], pfn);
	page->migratetype = (uint8_t)mt;
	rmm_list_add_tail(z->memmap, &area->free_list[mt], pfn);
}

/* page_is_buddy(): free, whole, and in this zone, which ends with a pageblock
 */
static inline bool page_is_buddy(const struct rmm_zone *z, rmm_pfn buddy,
				 unsigned int order)
{
	if (!rmm_page_is(&z->memmap[buddy], RMM_PG_BUDDY, order))
		return false;
	return order < z->pageblock_order ||
	       z->blocks[buddy >> z->pageblock_order].zone == z->id;
}

/* From pageblock_order up, buddies may have types that must not mix: joined
 * with others, reserved or isolated pages could no longer be told apart. */
static inline bool types_may_merge(const struct rmm_zone *z, rmm_pfn buddy,
				   unsigned int order, int mt)
{
	int buddy_mt;

	if (order < z->pageblock_order)
		return true;
	buddy_mt = rmm_block_type(z, buddy);
	return buddy_mt == mt || (is_mergeable(mt) && is_mergeable(buddy_mt));
}

/* A free block of type @from becomes part of one of type @mt. Seldom, so it
 * stands apart. */
static __attribute__((noinline)) void change_type(struct rmm_zone *z,
						  rmm_pfn buddy,
						  unsigned int order, int from,
						  int mt)
{
	rmm_account_freepages(z, -(1ll << order), from);
	rmm_account_freepages(z, 1ll << order, mt);
	/* So that a later split puts the parts on the right lists. 6.1 does not
	 * care: there lists and pageblocks may differ. */
	if (order >= z->pageblock_order && !rmm_is_61(z->rmm))
		rmm_change_pageblock_range(z, buddy, order, mt);
}

/* Take the free @buddy off its list, to join a block of type @mt. */
static inline void absorb_buddy(struct rmm_zone *z, rmm_pfn buddy,
				unsigned int order, int mt)
{
	struct rmm_page *page = &z->memmap[buddy];
	int buddy_mt = page->migratetype;

	rmm_list_del(z->memmap, &z->free_area[order].free_list[buddy_mt],
		     buddy);
	RMM_WRITE(page->state, RMM_PG_RESERVED);
	z->stat->merge++;
	if (rmm_unlikely(buddy_mt != mt))
		change_type(z, buddy, order, buddy_mt, mt);
}

/* buddy_merge_likely(): is the parent's buddy free already? */
static inline bool merge_likely(const struct rmm_zone *z, rmm_pfn pfn,
				unsigned int order)
{
	rmm_pfn parent = pfn & ~(1u << order);

	if (order + 1 >= z->max_order)
		return false;
	return page_is_buddy(z, parent ^ (2u << order), order + 1);
}

/* task_capc(): who has the lock compacts this zone, and has no block yet */
static inline struct rmm_capture *task_capture(const struct rmm_zone *z)
{
	struct rmm_capture *c = z->capture;

	return rmm_unlikely(c) && c->zone == z && c->pfn == RMM_NO_PFN ? c
								       : NULL;
}

/*
 * compaction_capture(): shall who compacts have this block, before anybody else
 * can see it? CMA and isolated pageblocks are not to be polluted, nor movable
 * ones by a smaller block of another type; 6.1 leaves these to nobody.
 */
static __attribute__((noinline)) bool
capture(const struct rmm_zone *z, struct rmm_capture *c, rmm_pfn pfn, int mt)
{
	if (mt == RMM_CMA || mt == RMM_ISOLATE)
		return false;
	if (c->order < z->pageblock_order && mt == RMM_MOVABLE &&
	    (c->migratetype != RMM_MOVABLE || rmm_is_61(z->rmm)))
		return false;
	RMM_WRITE(z->memmap[pfn].word,
		  rmm_page_word(-1, RMM_PG_ALLOCATED, c->order, mt));
	c->pfn = pfn;
	return true;
}

/**
 * rmm__free_one_page() - put a block on the free lists, merging upward
 * @mt: list to put it on
 * @to_tail: FPI_TO_TAIL: it shall not be taken again soon
 *
 * On the way up it may become what somebody compacts for, who has it then.
 */
void rmm__free_one_page(struct rmm_zone *z, rmm_pfn pfn, unsigned int order,
			int mt, bool to_tail)
{
	struct rmm_capture *capc = task_capture(z);

	RMM_WRITE(z->memmap[pfn].state, RMM_PG_RESERVED);
	rmm_account_freepages(z, 1ll << order, mt);
	while (order < z->max_order) {
		rmm_pfn buddy = pfn ^ (1u << order);

		if (rmm_unlikely(capc) && order == capc->order &&
		    capture(z, capc, pfn, mt)) {
			rmm_account_freepages(z, -(1ll << order), mt);
			return;
		}
		if (!page_is_buddy(z, buddy, order) ||
		    !types_may_merge(z, buddy, order, mt))
			break;
		absorb_buddy(z, buddy, order, mt);
		pfn &= buddy;
		order++;
	}
	if (!to_tail)
		to_tail = rmm_is_shuffle_order(z, order)
				  ? rmm_shuffle_pick_tail(z)
				  : merge_likely(z, pfn, order);
	rmm_add_to_free_list(z, pfn, order, mt, to_tail);
}

/* Free a block in parts of at most order @most, each to the list of the type
 * that its first pageblock has. */
static void free_parts(struct rmm_zone *z, rmm_pfn pfn, unsigned int order,
		       unsigned int most, bool to_tail)
{
	uint64_t end = (uint64_t)pfn + (1ull << order);

	RMM_WRITE(z->memmap[pfn].word, 0); /* RESERVED, without its flags */
	if (order > most)
		order = most;
	for (uint64_t p = pfn; p < end; p += 1u << order)
		rmm__free_one_page(z, (rmm_pfn)p, order,
				   rmm_block_type(z, (rmm_pfn)p), to_tail);
}

/**
 * rmm_split_large_buddy() - free a block pageblock by pageblock
 *
 * A block larger than a pageblock may span several types.
 */
void rmm_split_large_buddy(struct rmm_zone *z, rmm_pfn pfn, unsigned int order,
			   bool to_tail)
{
	free_parts(z, pfn, order, z->pageblock_order, to_tail);
}

/**
 * rmm_free_one_page() - free_one_page(): a block that was in use
 *
 * 6.1 does not split it: a block over two pageblocks goes to the list of the
 * first one's type, whatever the second's is. Larger ones than the lists hold
 * come back in pageblocks there too (6.1 has each page of them freed).
 */
void rmm_free_one_page(struct rmm_zone *z, rmm_pfn pfn, unsigned int order,
		       bool to_tail)
{
	if (rmm_is_61(z->rmm) && order <= z->max_order)
		free_parts(z, pfn, order, order, to_tail);
	else
		rmm_split_large_buddy(z, pfn, order, to_tail);
}

/**
 * rmm_expand() - halve a block of order @high until @low, keep the lower part
 *
 * Return: pages put back on the lists; the caller accounts for them.
 */
unsigned int rmm_expand(struct rmm_zone *z, rmm_pfn pfn, unsigned int low,
			unsigned int high, int mt)
{
	unsigned int nr_added = 0;

	while (high > low) {
		high--;
		rmm_add_to_free_list(z, pfn + (1u << high), high, mt, false);
		nr_added += 1u << high;
		z->stat->split++;
	}
	return nr_added;
}

/** rmm_page_del_and_expand() - take a free block, cut down to order @low */
void rmm_page_del_and_expand(struct rmm_zone *z, rmm_pfn pfn, unsigned int low)
{
	unsigned int high = z->memmap[pfn].order;
	int mt = z->memmap[pfn].migratetype;
	int64_t nr = 1ll << high;

	rmm_del_page_from_free_list(z, pfn);
	nr -= rmm_expand(z, pfn, low, high, mt);
	rmm_account_freepages(z, -nr, mt);
}

/**
 * rmm__rmqueue_smallest() - a block from the smallest list of @mt that has one
 *
 * Return: its frame number, or RMM_NO_PFN.
 */
rmm_pfn rmm__rmqueue_smallest(struct rmm_zone *z, unsigned int order, int mt)
{
	const struct rmm_hooks *hooks = &z->rmm->hooks;

	for (unsigned int o = order; o <= z->max_order; o++) {
		rmm_pfn pfn = z->free_area[o].free_list[mt].first;

		if (pfn == RMM_NIL)
			continue;
		rmm_page_del_and_expand(z, pfn, order);
		if (hooks->zone_locked)
			hooks->zone_locked(
				hooks->ctx, z->cpu, pfn, order, mt,
				mt < RMM_PCPTYPES &&
					(z->rmm->pcp_orders >> order & 1));
		return pfn;
	}
	return RMM_NO_PFN;
}
