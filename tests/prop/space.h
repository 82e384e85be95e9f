/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * space.h - the states of a zone of 16 pages, for prop_exhaustive.c.
 *
 * A state is what decides about the future: each block with its kind, order and
 * type, the order of the per-CPU lists, the types of the two pageblocks, and the
 * marks and counters that steer. Two things are left out, and made up for:
 *
 *   The order of the free lists. space_unpack() puts any block at the heads, so
 *   a search that tries all of them covers every order there can be.
 *
 *   Which half is which. Buddies may change places with all they contain:
 *
 *	|a|b| c |       d       |   is   |       d       | c |b|a|
 *
 *   as the allocator knows left from right only by the order of its lists.
 *   space_canon() sorts, so one state stands for up to 2^15.
 */
#ifndef KMEMLAB_TESTS_SPACE_H
#define KMEMLAB_TESTS_SPACE_H

#include <string.h>

#include "../../refmm/alloc.h"

enum { SPACE_PAGES = 16, SPACE_BLOCK_ORDER = 3, SPACE_TOP = 4 };

struct space_state {
	uint16_t page[SPACE_PAGES]; /* 0: inside a block; else SPACE_CELL */
	uint8_t block_type[2];
	uint8_t boost, boosted, below_high;
	uint8_t high, free_count, flags, alloc_factor, free_factor;
};

/* Of a head */
#define SPACE_CELL(kind, order, type) ((uint16_t)((kind) | (order) << 3 | (type) << 6))

/* What a head on a per-CPU list has besides: its place there, and the list's type.
 * That need not be its own: a refill takes a block of another type where it claims
 * no pageblock, and the block still notes which free list it was on. */
#define SPACE_ON_LIST(type, rank) ((uint16_t)((rank) << 9 | (type) << 13))

static inline unsigned int space_kind(uint16_t cell)
{
	return cell & 7;
}

static inline unsigned int space_order(uint16_t cell)
{
	return cell >> 3 & 7;
}

static inline int space_type(uint16_t cell)
{
	return cell >> 6 & 7;
}

static inline unsigned int space_rank(uint16_t cell)
{
	return cell >> 9 & 15;
}

static inline unsigned int space_list_type(uint16_t cell)
{
	return cell >> 13;
}

/* Where the block at @pfn lies when all frames are renumbered by ^ @mirror */
static inline rmm_pfn space_mirror(rmm_pfn pfn, unsigned int order, unsigned int mirror)
{
	return (pfn ^ mirror) & ~((1u << order) - 1);
}

/* Sort the halves of each block that is no single block */
static inline void space_canon_block(uint16_t *page, unsigned int order)
{
	unsigned int half = order ? 1u << (order - 1) : 0;
	uint16_t swap[SPACE_PAGES / 2];

	if (!half || (page[0] && space_order(page[0]) >= order))
		return;
	space_canon_block(page, order - 1);
	space_canon_block(page + half, order - 1);
	if (memcmp(page, page + half, half * sizeof(*page)) <= 0)
		return;
	memcpy(swap, page, half * sizeof(*page));
	memcpy(page, page + half, half * sizeof(*page));
	memcpy(page + half, swap, half * sizeof(*page));
}

static inline void space_canon(struct space_state *s)
{
	const unsigned int half = SPACE_PAGES / 2;
	uint16_t swap[SPACE_PAGES / 2];
	uint8_t type = s->block_type[0];
	int differ;

	if (s->page[0] && space_order(s->page[0]) > SPACE_BLOCK_ORDER) {
		differ = type - s->block_type[1];
	} else {
		space_canon_block(s->page, SPACE_BLOCK_ORDER);
		space_canon_block(s->page + half, SPACE_BLOCK_ORDER);
		differ = memcmp(s->page, s->page + half, half * sizeof(*s->page));
		differ = differ ? differ : type - s->block_type[1];
		memcpy(swap, s->page, sizeof(swap));
		if (differ > 0) {
			memcpy(s->page, s->page + half, sizeof(swap));
			memcpy(s->page + half, swap, sizeof(swap));
		}
	}
	if (differ > 0) {
		s->block_type[0] = s->block_type[1];
		s->block_type[1] = type;
	}
}

static inline void space_pack_pcp(const struct rmm *rmm, struct space_state *s)
{
	const struct rmm_pcp *pcp = &rmm->zone[0].pcp[0];

	for (unsigned int l = 0; l < RMM_PCP_LISTS; l++) {
		unsigned int rank = 0;

		for (; rank < rmm_ring_count(&pcp->lists[l]) && rank < SPACE_PAGES; rank++)
			s->page[rmm_ring_at(&pcp->lists[l], rank)] |=
				SPACE_ON_LIST(l % RMM_PCPTYPES, rank);
	}
	s->high = (uint8_t)pcp->high;
	s->free_count = (uint8_t)pcp->free_count;
	s->flags = pcp->flags;
	s->alloc_factor = pcp->alloc_factor;
	s->free_factor = pcp->free_factor;
}

/* The machine's state, not sorted */
static inline void space_pack(const struct rmm *rmm, struct space_state *s)
{
	const struct rmm_zone *z = &rmm->zone[0];

	memset(s, 0, sizeof(*s));
	for (rmm_pfn p = 0; p < SPACE_PAGES; p++) {
		const struct rmm_page *page = &rmm->memmap[p];

		if (page->state != RMM_PG_RESERVED)
			s->page[p] = SPACE_CELL(page->state, page->order, page->migratetype);
	}
	space_pack_pcp(rmm, s);
	s->block_type[0] = rmm->blocks[0].migratetype;
	s->block_type[1] = rmm->blocks[1].migratetype;
	s->boost = (uint8_t)z->boost;
	s->boosted = z->boosted;
	s->below_high = z->below_high;
}

static inline void space_clear(struct rmm *rmm, const struct space_state *s)
{
	struct rmm_zone *z = &rmm->zone[0];
	struct rmm_pcp *pcp = &z->pcp[0];

	memset(rmm->memmap, 0, SPACE_PAGES * sizeof(*rmm->memmap));
	for (unsigned int o = 0; o <= SPACE_TOP; o++)
		for (int mt = 0; mt < RMM_PCPTYPES; mt++)
			rmm_list_init(&z->free_area[o].free_list[mt]);
	for (unsigned int l = 0; l < RMM_PCP_LISTS; l++)
		pcp->lists[l].head = pcp->lists[l].tail = 0;
	z->nr_free = z->nr_free_seen = 0;
	z->boost = s->boost;
	z->boosted = s->boosted;
	z->below_high = s->below_high;
	pcp->count = 0;
	pcp->high = s->high;
	pcp->free_count = s->free_count;
	pcp->flags = s->flags;
	pcp->alloc_factor = s->alloc_factor;
	pcp->free_factor = s->free_factor;
}

static inline void space_put_block(struct rmm *rmm, rmm_pfn pfn, uint16_t cell)
{
	struct rmm_zone *z = &rmm->zone[0];
	struct rmm_page *page = &rmm->memmap[pfn];

	if (space_kind(cell) == RMM_PG_BUDDY) {
		rmm_add_to_free_list(z, pfn, space_order(cell), space_type(cell), true);
		z->nr_free += 1ll << space_order(cell);
		z->nr_free_seen = z->nr_free;
		return;
	}
	/* One reference; or on a list of CPU 0 */
	page->word = rmm_page_word(space_kind(cell) == RMM_PG_ALLOCATED ? 0 : -1, space_kind(cell),
				   space_order(cell), (unsigned int)space_type(cell));
}

static inline void space_put_pcp(struct rmm *rmm, rmm_pfn pfn, uint16_t cell)
{
	struct rmm_zone *z = &rmm->zone[0];
	unsigned int list = space_order(cell) * RMM_PCPTYPES + space_list_type(cell);

	if (!rmm_ring_has_room(rmm, &z->pcp[0].lists[list], 1))
		abort();
	rmm_ring_add_tail(&z->pcp[0].lists[list], pfn);
	z->pcp[0].count += 1 << space_order(cell);
}

/* Put the @nth member behind the first */
static inline void space_bring_second(struct rmm *rmm, struct rmm_list *list, unsigned int nth)
{
	rmm_pfn first = list->first, pfn = first;

	if (nth < 2 || list->count <= nth)
		return;
	for (unsigned int i = 0; i < nth; i++)
		pfn = rmm->memmap[pfn].next;
	rmm_list_del(rmm->memmap, list, pfn);
	rmm_list_del(rmm->memmap, list, first);
	rmm_list_add(rmm->memmap, list, pfn);
	rmm_list_add(rmm->memmap, list, first);
}

/**
 * space_unpack() - make the machine be in state @s
 * @mirror: 0..15, renumbers the frames; the free lists are in their order
 * @second: which member of each free list comes second, if over 1
 */
static inline void space_unpack(struct rmm *rmm, const struct space_state *s, unsigned int mirror,
				unsigned int second)
{
	uint16_t page[SPACE_PAGES] = {0};

	space_clear(rmm, s);
	rmm->blocks[mirror >> SPACE_BLOCK_ORDER].migratetype = s->block_type[0];
	rmm->blocks[!(mirror >> SPACE_BLOCK_ORDER)].migratetype = s->block_type[1];
	for (rmm_pfn p = 0; p < SPACE_PAGES; p++)
		if (s->page[p])
			page[space_mirror(p, space_order(s->page[p]), mirror)] = s->page[p];
	for (rmm_pfn p = 0; p < SPACE_PAGES; p++)
		if (page[p])
			space_put_block(rmm, p, page[p]);
	for (unsigned int rank = 0; rank < SPACE_PAGES; rank++)
		for (rmm_pfn p = 0; p < SPACE_PAGES; p++)
			if (space_kind(page[p]) == RMM_PG_PCP && space_rank(page[p]) == rank)
				space_put_pcp(rmm, p, page[p]);
	if (second < 2)
		return;
	for (unsigned int o = 0; o <= SPACE_TOP; o++)
		for (int mt = 0; mt < RMM_PCPTYPES; mt++)
			space_bring_second(rmm, &rmm->zone[0].free_area[o].free_list[mt], second);
}

#endif
