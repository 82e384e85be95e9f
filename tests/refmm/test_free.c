/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frees, wrong frees, split pages, bulk allocation: refmm/free.c, bulk.c. */
#include "machine.h"

static void test_free_wrong_free_is_refused_and_named(void **state)
{
	struct rmm *rmm = machine(4, true), *other = machine(2, true);
	struct rmm_page *map = rmm->memmap;
	rmm_pfn p = get(rmm, RMM_GFP_KERNEL, 3), b = get(rmm, RMM_GFP_KERNEL, 5);
	struct rmm_stat before, after;
	const struct {
		struct rmm_page *page;
		unsigned int order;
		const char *says;
	} cases[] = {
		{&map[p + 1], 0, "tail page of pfn"},
		{&map[p], 2, "wrong order, allocated as order 3"},
		{&map[1000], 0, "double free, it is free on a buddy list of order"},
		{other->memmap + 5, 0, "foreign page"},
		{(struct rmm_page *)((char *)&map[p] + 8), 3, "foreign page"},
		{&map[4 * BLOCK], 0, "foreign page"},
		{NULL, 0, "foreign page"},
	};

	(void)state;
	before = stats(rmm);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(rmm_free_pages(rmm, 0, cases[i].page, cases[i].order), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), cases[i].says));
	}
	after = stats(rmm);
	assert_memory_equal(&before, &after, sizeof(before));
	put(rmm, p, 3);
	put(rmm, b, 5);
	check_destroy(rmm);
	check_destroy(other);
}

static void test_free_frames_end_with_the_memmap(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *map = rmm->memmap;

	(void)state;
	assert_true(rmm_is_page(rmm, map) && rmm_is_page(rmm, &map[rmm->end_pfn - 1]));
	assert_false(rmm_is_page(rmm, map - 1) || rmm_is_page(rmm, &map[rmm->end_pfn]));
	check_destroy(rmm);
}

static void test_free_twice_is_refused_and_named(void **state)
{
	struct rmm *rmm = machine(4, true);
	rmm_pfn a = get(rmm, RMM_GFP_KERNEL, 0), b = get(rmm, RMM_GFP_KERNEL, 9);

	(void)state;
	put(rmm, a, 0);
	assert_int_equal(rmm_free_pages(rmm, 0, &rmm->memmap[a], 0), -EINVAL);
	assert_string_equal(rmm_last_error(rmm), "cannot free pfn 0: double free, it is free on "
						 "a per-CPU list of order 0");
	put(rmm, b, 9);
	rmm_drain_pages(rmm, 0);
	assert_int_equal(rmm_free_pages(rmm, 0, &rmm->memmap[a], 0), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "double free, it is free on a buddy list"));
	assert_int_equal(rmm_free_pages(rmm, 7, &rmm->memmap[a], 0), -EINVAL);
	check_destroy(rmm);
}

/* Pages of two zones in turn: each goes to the list of its own. */
/* Half a frame behind another's, where what an owner wrote looks like a frame
 * that may be freed */
static void test_free_pointer_into_a_frame_is_refused(void **state)
{
	struct rmm *rmm = machine(4, true);
	rmm_pfn p = get(rmm, RMM_GFP_KERNEL, 1);
	struct rmm_page *page = &rmm->memmap[p];

	(void)state;
	page[0].private = page[1].private = rmm_page_word(0, RMM_PG_ALLOCATED, 0, RMM_UNMOVABLE);
	page = (struct rmm_page *)((char *)page + 8);
	assert_int_equal(rmm_free_pages(rmm, 0, page, 0), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "foreign page"));
	put(rmm, p, 1);
	check_destroy(rmm);
}

static void test_free_page_goes_to_its_zones_list(void **state)
{
	rmm_pfn low[8], high[8];
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	machine_zone(&m, 0, RMM_ZONE_MOVABLE, 4 * BLOCK, 4 * BLOCK);
	rmm = machine_boot(&m);
	for (int i = 0; i < 8; i++) {
		low[i] = get(rmm, RMM_GFP_KERNEL | RMM_GFP_MOVABLE, 0);
		high[i] = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0);
		assert_true(low[i] < 4 * BLOCK && high[i] >= 4 * BLOCK);
	}
	rmm_drain_pages(rmm, 0);
	for (uint32_t i = 0; i < 8; i++) {
		put(rmm, low[i], 0);
		put(rmm, high[i], 0);
		check(rmm);
	}
	check_destroy(rmm);
}

static void test_free_reserved_page_is_refused(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 2);
	rmm = machine_new(&m);
	assert_int_equal(rmm_free_pages(rmm, 0, rmm->memmap, 0), -EINVAL);
	assert_string_equal(rmm_last_error(rmm), "cannot free pfn 0: reserved, never allocated");
	check_destroy(rmm);
}

static void test_free_split_block_comes_back_page_by_page(void **state)
{
	struct rmm *rmm = machine(2, false);
	rmm_pfn p = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 9);

	(void)state;
	assert_int_equal(rmm_split_page(rmm, &rmm->memmap[p], 8), -EINVAL);
	assert_string_equal(rmm_last_error(rmm), "cannot split pfn 0 as order 8: wrong order, "
						 "allocated as order 9");
	assert_int_equal(rmm_split_page(rmm, &rmm->memmap[p + 1], 8), -EINVAL);
	assert_string_equal(rmm_last_error(rmm), "cannot split pfn 1: tail page of pfn 0, order 9");
	assert_int_equal(rmm_split_page(rmm, NULL, 8), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "cannot split page"));
	assert_int_equal(rmm_split_page(rmm, &rmm->memmap[p], 9), 0);
	check(rmm);
	for (rmm_pfn i = 0; i < 512; i++)
		put(rmm, p + i, 0);
	assert_int_equal(rmm_nr_free(rmm, 0, 10, RMM_MOVABLE), 1);
	check_destroy(rmm);
}

static void test_bulk_fills_the_holes_of_the_array(void **state)
{
	struct rmm *rmm = machine(64, true);
	struct rmm_page *pages[100] = {0}, *keep;

	(void)state;
	keep = pages[0] = pages[50] = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 0);
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 100, pages), 100);
	assert_ptr_equal(pages[50], keep);
	assert_int_equal(stats(rmm).alloc[0], 99);
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 100, pages), 100);
	assert_int_equal(stats(rmm).alloc[0], 99);
	check_destroy(rmm);
}

static void test_bulk_without_room_gives_one_page(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *pages[1500] = {0};

	(void)state;
	rmm->zone[0].wmark[RMM_WMARK_LOW] = 1000; /* 1000 + 1500 > 2048 */
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 1500, pages), 1);
	assert_non_null(pages[0]);
	assert_null(pages[1]);
	check_destroy(rmm);
}

static void test_bulk_runs_dry_in_the_middle(void **state)
{
	struct rmm *rmm = machine(4, true);
	static struct rmm_page *pages[2048];
	size_t n;

	(void)state;
	rmm->zone[0].wmark[RMM_WMARK_LOW] = 0;
	rmm->zone[0].nr_free_seen += 10; /* the check believes in pages that are not there */
	n = rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 2048, pages);
	rmm->zone[0].nr_free_seen -= 10;
	assert_int_equal(n, 2048);
	assert_int_equal(rmm_nr_free_pages(rmm), 0);
	pages[3] = NULL;
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 2048, pages), 3);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_free_wrong_free_is_refused_and_named),
		cmocka_unit_test(test_free_frames_end_with_the_memmap),
		cmocka_unit_test(test_free_twice_is_refused_and_named),
		cmocka_unit_test(test_free_pointer_into_a_frame_is_refused),
		cmocka_unit_test(test_free_page_goes_to_its_zones_list),
		cmocka_unit_test(test_free_reserved_page_is_refused),
		cmocka_unit_test(test_free_split_block_comes_back_page_by_page),
		cmocka_unit_test(test_bulk_fills_the_holes_of_the_array),
		cmocka_unit_test(test_bulk_without_room_gives_one_page),
		cmocka_unit_test(test_bulk_runs_dry_in_the_middle),
	};

	return RUN(tests);
}
