/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Splitting, merging and where blocks go on their lists: refmm/buddy.c. */
#include "machine.h"

static void test_buddy_split_puts_upper_halves_on_lists(void **state)
{
	struct rmm *rmm = machine(2, false);

	(void)state;
	/* |0 taken|1|2 3|4 ... 7|8 ... */
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 0);
	for (unsigned int o = 0; o < 10; o++) {
		char want[16];

		snprintf(want, sizeof(want), "%u", 1u << o);
		assert_string_equal(free_list(rmm, o, RMM_MOVABLE), want);
	}
	assert_int_equal(stats(rmm).split, 10);
	check_destroy(rmm);
}

static void test_buddy_free_merges_back_to_the_top(void **state)
{
	struct rmm *rmm = machine(2, false);
	uint64_t before = stats(rmm).merge;

	(void)state;
	put(rmm, get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 0);
	assert_string_equal(free_list(rmm, 10, RMM_MOVABLE), "0");
	assert_int_equal(stats(rmm).merge - before, 10);
	assert_int_equal(rmm_nr_free_pages(rmm), 2 * BLOCK);
	check_destroy(rmm);
}

static void test_buddy_second_split_comes_from_smallest(void **state)
{
	struct rmm *rmm = machine(2, false);

	(void)state;
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 0);
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 1);
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 2);
	assert_string_equal(free_list(rmm, 0, RMM_MOVABLE), "3");
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 2), 4);
	check_destroy(rmm);
}

/* Frames 0..7 in use; free 0, then 2 (its pair's pair is whole?) */
static void test_buddy_free_goes_to_tail_if_merge_is_likely(void **state)
{
	struct rmm *rmm = machine(2, false);

	(void)state;
	for (rmm_pfn p = 0; p < 8; p++)
		assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), p);
	put(rmm, 4, 0); /* parent 4..5; 6..7 in use: head */
	put(rmm, 6, 0); /* 4..5 is not whole: head */
	assert_string_equal(free_list(rmm, 0, RMM_MOVABLE), "6 4");
	put(rmm, 1, 0);
	put(rmm, 0, 0); /* 0..1 whole, order 1 */
	assert_string_equal(free_list(rmm, 1, RMM_MOVABLE), "0");
	put(rmm, 2, 0); /* parent 2..3, its buddy 0..1 is free: tail */
	assert_string_equal(free_list(rmm, 0, RMM_MOVABLE), "6 4 2");
	check_destroy(rmm);
}

static void test_buddy_just_below_top_is_never_likely(void **state)
{
	struct rmm *rmm = machine(4, false);
	rmm_pfn a = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 9);
	rmm_pfn b = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 9);
	rmm_pfn c = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 9);

	(void)state;
	/* 3 * 512 is free. Freeing order 9 whose parent's buddy is free: head */
	put(rmm, a, 9);
	assert_string_equal(free_list(rmm, 9, RMM_MOVABLE), "0 1536");
	put(rmm, b, 9);
	put(rmm, c, 9);
	assert_string_equal(free_list(rmm, 10, RMM_MOVABLE), "1024 0");
	check_destroy(rmm);
}

static void test_buddy_two_below_top_can_be_likely(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	rmm = machine_new(&m);
	rmm_load_allocated(rmm, 0, 8, RMM_MOVABLE);
	rmm_load_allocated(rmm, 256, 8, RMM_MOVABLE);
	rmm_load_free(rmm, 512, 9, RMM_MOVABLE);
	rmm_load_free(rmm, 1024, 8, RMM_MOVABLE);
	rmm_setup_done(rmm);
	put(rmm, 0, 8); /* with 256 it would be order 9, with 512 order 10 */
	assert_string_equal(free_list(rmm, 8, RMM_MOVABLE), "1024 0");
	check_destroy(rmm);
}

static void test_buddy_highatomic_does_not_merge_with_movable(void **state)
{
	struct rmm *rmm = machine(2, false);
	rmm_pfn a = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 9);

	(void)state;
	rmm_set_pageblock_migratetype(rmm, a, RMM_HIGHATOMIC);
	put(rmm, a, 9);
	assert_string_equal(free_list(rmm, 9, RMM_HIGHATOMIC), "0");
	assert_string_equal(free_list(rmm, 9, RMM_MOVABLE), "512");
	assert_int_equal(rmm_nr_free(rmm, 0, 10, -1), 0);
	assert_int_equal(rmm->zone[0].nr_free_highatomic, BLOCK);
	check_destroy(rmm);
}

static void test_buddy_mergeable_types_merge_and_take_the_freed_type(void **state)
{
	struct rmm *rmm = machine(2, false);
	rmm_pfn a = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 9);

	(void)state;
	rmm_set_pageblock_migratetype(rmm, a, RMM_UNMOVABLE);
	put(rmm, a, 9);
	assert_string_equal(free_list(rmm, 10, RMM_UNMOVABLE), "0");
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 512), RMM_UNMOVABLE);
	check_destroy(rmm);
}

/* A block beyond max_order, such as a gigantic page, comes back in pageblocks. */
static void test_buddy_gigantic_block_is_freed_by_pageblock(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 16);
	rmm = machine_new(&m);
	assert_int_equal(rmm_load_allocated(rmm, 0, 13, RMM_MOVABLE), 0);
	rmm_set_pageblock_migratetype(rmm, 1024, RMM_UNMOVABLE);
	rmm_set_pageblock_migratetype(rmm, 1536, RMM_UNMOVABLE);
	assert_int_equal(rmm_setup_done(rmm), 0);
	put(rmm, 0, 13);
	assert_int_equal(rmm_nr_free(rmm, 0, 10, RMM_MOVABLE), 7);
	assert_string_equal(free_list(rmm, 10, RMM_UNMOVABLE), "1024");
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buddy_split_puts_upper_halves_on_lists),
		cmocka_unit_test(test_buddy_free_merges_back_to_the_top),
		cmocka_unit_test(test_buddy_second_split_comes_from_smallest),
		cmocka_unit_test(test_buddy_free_goes_to_tail_if_merge_is_likely),
		cmocka_unit_test(test_buddy_just_below_top_is_never_likely),
		cmocka_unit_test(test_buddy_two_below_top_can_be_likely),
		cmocka_unit_test(test_buddy_highatomic_does_not_merge_with_movable),
		cmocka_unit_test(test_buddy_mergeable_types_merge_and_take_the_freed_type),
		cmocka_unit_test(test_buddy_gigantic_block_is_freed_by_pageblock),
	};

	return RUN(tests);
}
