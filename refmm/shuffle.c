/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * shuffle.c - free lists in random order (page_alloc.shuffle).
 *
 * Meant to make memory-side caches collide less, and addresses harder to guess.
 * Only the largest blocks are shuffled, once at setup, each with another one
 * drawn from the zone; afterwards those that come back go to a random end.
 *
 *      before   |0|1024|2048|3072|4096| ...    after   |3072|0|4096|1024| ...
 *
 * Lists loaded from a snapshot keep their order. Chance is a sequence per zone
 * from rmm_config.shuffle_seed, so a run can be repeated.
 *
 * Locking: under the zone lock.
 *
 * Modelled: __shuffle_zone, shuffle_pick_tail. Simplified: one random number a
 * bit. (6.12, mm/shuffle.c; not in LKD3)
 */
#include "layers.h"

enum { SHUFFLE_RETRY = 10 };

/* splitmix64 */
static uint64_t draw(struct rmm_zone *z)
{
	uint64_t r = z->random += 0x9e3779b97f4a7c15ull;

	r = (r ^ (r >> 30)) * 0xbf58476d1ce4e5b9ull;
	r = (r ^ (r >> 27)) * 0x94d049bb133111ebull;
	return r ^ (r >> 31);
}

/** rmm_shuffle_pick_tail() - shuffle_pick_tail() */
bool rmm_shuffle_pick_tail(struct rmm_zone *z)
{
	return draw(z) & 1;
}

/* shuffle_valid_page(): is a free block of the largest order there? */
static bool is_candidate(const struct rmm_zone *z, uint64_t pfn)
{
	const struct rmm_page *page = &z->memmap[pfn];

	return pfn >= z->start_pfn && pfn < z->start_pfn + z->spanned &&
	       page->state == RMM_PG_BUDDY && page->order == z->max_order;
}

/* list_swap(): each takes the other's place */
static void swap(struct rmm_zone *z, rmm_pfn a, rmm_pfn b)
{
	struct rmm_page *map = z->memmap;
	struct rmm_list *list =
		&z->free_area[z->max_order].free_list[map[a].migratetype];
	rmm_pfn before = map[a].prev;

	if (before == b) { /* neighbours: enough to put b behind a */
		swap(z, b, a);
		return;
	}
	rmm_list_del(map, list, a);
	rmm_list_add_before(map, list, a, b);
	rmm_list_del(map, list, b);
	if (before == RMM_NIL)
		rmm_list_add(map, list, b);
	else
		rmm_list_add_before(map, list, b, map[before].next);
}

/** rmm_shuffle_zone() - __shuffle_zone() */
void rmm_shuffle_zone(struct rmm_zone *z)
{
	uint64_t step = 1ull << z->max_order, j = 0;
	uint64_t first = (z->start_pfn + step - 1) & ~(step - 1);

	for (uint64_t i = first; i < (uint64_t)z->start_pfn + z->spanned;
	     i += step) {
		int retry = 0;

		if (!is_candidate(z, i))
			continue;
		for (; retry < SHUFFLE_RETRY; retry++) {
			j = z->start_pfn + draw(z) % z->spanned;
			j &= ~(step - 1);
			if (j != i && is_candidate(z, j))
				break;
		}
		if (retry < SHUFFLE_RETRY &&
		    z->memmap[i].migratetype == z->memmap[j].migratetype)
			swap(z, (rmm_pfn)i, (rmm_pfn)j);
	}
}
