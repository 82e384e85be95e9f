/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_pagemap.c - blocks split and join; accounting against a naive recount. */
#include "../support/test.h"

#include <stdlib.h>
#include <string.h>

#include "replay/pagemap.h"

enum { PAGES = 4096, BOUNDARY = 3072 };

static int setup(void **state)
{
	static struct host h;
	struct pagemap *m = malloc(sizeof(*m));

	h.nr_zones = 2;
	h.zones[0].spanned = BOUNDARY;
	h.zones[1].start_pfn = BOUNDARY;
	h.zones[1].spanned = PAGES - BOUNDARY;
	h.nr_pfns = PAGES;
	h.pageblock_order = 4;
	h.max_order = 10;
	*state = m;
	return m ? pagemap_init(m, &h) : -1;
}

static int teardown(void **state)
{
	pagemap_destroy(*state);
	free(*state);
	return 0;
}

/* Every count anew from the heads; every pair of free buddies must have joined. */
static void check(const struct pagemap *m)
{
	uint64_t blocks[2][HOST_ORDERS] = {{0}}, pcp[2] = {0};
	uint16_t in_block[PAGES >> 4] = {0};

	for (uint64_t p = 0; p < PAGES; p++) {
		unsigned int order = page_head_order(m->head[p]), zone = p >= BOUNDARY;

		if (page_head_kind(m->head[p]) == PAGE_PCP)
			pcp[zone] += 1ull << order;
		if (page_head_kind(m->head[p]) != PAGE_FREE)
			continue;
		blocks[zone][order]++;
		for (uint64_t i = p; i < p + (1ull << order); i++)
			in_block[i >> 4]++;
		if (order < 10 && (p ^ 1ull << order) < PAGES &&
		    ((p ^ 1ull << order) >= BOUNDARY) == zone)
			assert_int_not_equal(m->head[p ^ 1ull << order], m->head[p]);
	}
	assert_memory_equal(blocks, m->free_blocks, sizeof(blocks));
	assert_memory_equal(pcp, m->pcp_pages, sizeof(pcp));
	assert_memory_equal(in_block, m->block_free, sizeof(in_block));
}

static void test_pagemap_put_free_joins_up_to_max_order(void **state)
{
	struct pagemap *m = *state;

	for (uint64_t p = 0; p < 2048; p++)
		pagemap_put_free(m, p ^ 5, 0);
	check(m);
	assert_int_equal(m->free_blocks[0][10], 2);
	assert_int_equal(page_head_order(m->head[1024]), 10);
}

static void test_pagemap_put_free_stops_at_zone_boundary(void **state)
{
	struct pagemap *m = *state;

	pagemap_put_free(m, 2048, 10);
	pagemap_put_free(m, 3072, 10);
	assert_int_equal(m->free_blocks[0][10], 1);
	assert_int_equal(m->free_blocks[1][10], 1);
	check(m);
}

static void test_pagemap_take_head_leaves_rest_split(void **state)
{
	struct pagemap *m = *state;

	pagemap_put_free(m, 0, 3);
	pagemap_take_head(m, 0, 0);
	assert_int_equal(m->head[0], 0);
	assert_int_equal(m->head[1], PAGE_HEAD(PAGE_FREE, 0));
	assert_int_equal(m->head[2], PAGE_HEAD(PAGE_FREE, 1));
	assert_int_equal(m->head[4], PAGE_HEAD(PAGE_FREE, 2));
	check(m);
}

static void test_pagemap_detach_middle_keeps_rest_of_each_kind(void **state)
{
	static const enum page_kind kinds[] = {PAGE_FREE, PAGE_PCP, PAGE_LIVE};
	struct pagemap *m = *state;

	for (size_t i = 0; i < 3; i++) {
		uint64_t pages[PAGE_KINDS] = {0}, base = i * 64;
		uint8_t head;

		if (kinds[i] == PAGE_FREE)
			pagemap_put_free(m, base, 4);
		else
			pagemap_put(m, base, 4, kinds[i]);
		pagemap_detach(m, base + 6, 1, pages);
		assert_int_equal(pages[kinds[i]], 2);
		assert_int_equal(pagemap_find(m, base + 6, &head), base + 6);
		assert_int_equal(head, 0);
		assert_int_equal(pagemap_find(m, base + 5, &head), base + 4);
		assert_int_equal(head, PAGE_HEAD(kinds[i], 1));
		assert_int_equal(pagemap_find(m, base + 15, &head), base + 8);
		assert_int_equal(head, PAGE_HEAD(kinds[i], 3));
		check(m);
	}
}

static void test_pagemap_detach_counts_mixed_kinds(void **state)
{
	uint64_t pages[PAGE_KINDS] = {0};
	struct pagemap *m = *state;

	pagemap_put_free(m, 16, 1);
	pagemap_put(m, 18, 0, PAGE_PCP);
	pagemap_put(m, 20, 2, PAGE_LIVE);
	pagemap_put(m, 24, 0, PAGE_RESERVED);
	pagemap_detach(m, 16, 4, pages);
	assert_int_equal(pages[PAGE_FREE], 2);
	assert_int_equal(pages[PAGE_PCP], 1);
	assert_int_equal(pages[PAGE_LIVE], 4);
	assert_int_equal(pages[PAGE_RESERVED], 1);
	assert_int_equal(pages[PAGE_NONE], 8);
	assert_int_equal(m->block_known[1], 9); /* what was reserved or unseen */
	check(m);
}

static void test_pagemap_random_operations_keep_invariants(void **state)
{
	struct pagemap *m = *state;
	uint64_t seed = 1;

	for (int i = 0; i < 4000; i++) {
		uint64_t pages[PAGE_KINDS] = {0}, pfn;
		unsigned int order;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		order = (unsigned int)(seed >> 60) % 11;
		pfn = (seed >> 30) % PAGES >> order << order;
		pagemap_detach(m, pfn, order, pages);
		if (seed >> 20 & 1)
			pagemap_put_free(m, pfn, order);
		else
			pagemap_put(m, pfn, order, PAGE_PCP);
		check(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_pagemap_put_free_joins_up_to_max_order),
		T(test_pagemap_put_free_stops_at_zone_boundary),
		T(test_pagemap_take_head_leaves_rest_split),
		T(test_pagemap_detach_middle_keeps_rest_of_each_kind),
		T(test_pagemap_detach_counts_mixed_kinds),
		T(test_pagemap_random_operations_keep_invariants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
