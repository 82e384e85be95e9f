/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pageblocks that change type: refmm/pageblock.c. */
#include "machine.h"

static void test_pageblock_isolate_breaks_up_a_larger_block(void **state)
{
	struct rmm *rmm = machine(4, false);

	(void)state;
	assert_int_equal(rmm_set_pageblock_migratetype(rmm, 512 + 7, RMM_ISOLATE), 0);
	assert_string_equal(free_list(rmm, 9, RMM_ISOLATE), "512");
	assert_string_equal(free_list(rmm, 9, RMM_MOVABLE), "0");
	assert_int_equal(rmm_nr_free_pages(rmm), 3 * BLOCK); /* isolated: not counted */
	check_destroy(rmm);
}

static void test_pageblock_isolated_frees_are_not_allocated(void **state)
{
	struct rmm *rmm = machine(2, true);
	rmm_pfn p = get(rmm, RMM_GFP_KERNEL, 0);

	(void)state;
	rmm_set_pageblock_migratetype(rmm, p, RMM_ISOLATE);
	put(rmm, p, 0);
	assert_int_equal(rmm->memmap[p].state, RMM_PG_BUDDY); /* not on a per-CPU list */
	assert_int_equal(rmm->memmap[p].migratetype, RMM_ISOLATE);
	check_destroy(rmm);
}

static void test_pageblock_move_takes_free_blocks_only(void **state)
{
	struct rmm *rmm = machine(2, false);

	(void)state;
	for (rmm_pfn p = 0; p < 8; p++)
		get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0);
	put(rmm, 2, 0);
	put(rmm, 5, 0);
	rmm_zone_lock(&rmm->zone[0], 0);
	assert_int_equal(rmm_move_freepages_block(&rmm->zone[0], 3, RMM_UNMOVABLE), 506);
	rmm_zone_unlock(&rmm->zone[0]);
	assert_string_equal(free_list(rmm, 0, RMM_UNMOVABLE), "2 5"); /* by address */
	assert_string_equal(free_list(rmm, 9, RMM_MOVABLE), "512");
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_UNMOVABLE);
	check_destroy(rmm);
}

static void test_pageblock_count_tells_free_and_movable(void **state)
{
	struct rmm *rmm = machine(2, false);
	struct rmm_block_count n;
	rmm_pfn start;

	(void)state;
	get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 3); /* 8 movable */
	rmm_set_pageblock_migratetype(rmm, 512, RMM_UNMOVABLE);
	rmm->memmap[get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 2)].migratetype = RMM_UNMOVABLE;
	assert_true(rmm_prep_move_freepages_block(&rmm->zone[0], 100, &start, &n));
	assert_int_equal(start, 0);
	assert_int_equal(n.movable, 8);
	assert_int_equal(n.free, 512 - 8 - 4);
	check_destroy(rmm);
}

static void test_pageblock_at_zone_edge_is_not_moved(void **state)
{
	struct machine m;
	struct rmm *rmm;
	rmm_pfn start;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 100, 1000); /* 100..1099 */
	rmm = machine_boot(&m);
	assert_false(rmm_prep_move_freepages_block(&rmm->zone[0], 200, &start, NULL));
	assert_true(rmm_prep_move_freepages_block(&rmm->zone[0], 600, &start, NULL));
	assert_false(rmm_prep_move_freepages_block(&rmm->zone[0], 1050, &start, NULL));
	check_destroy(rmm);
}

static void test_pageblock_set_type_refuses_nonsense(void **state)
{
	struct rmm *rmm = machine(2, false);

	(void)state;
	assert_int_equal(rmm_set_pageblock_migratetype(rmm, 4096, RMM_MOVABLE), -ERANGE);
	assert_int_equal(rmm_set_pageblock_migratetype(rmm, 0, 6), -EINVAL);
	assert_string_equal(rmm_last_error(rmm),
			    "cannot set the type of pfn 0: 6 is no migrate type");
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pageblock_isolate_breaks_up_a_larger_block),
		cmocka_unit_test(test_pageblock_isolated_frees_are_not_allocated),
		cmocka_unit_test(test_pageblock_move_takes_free_blocks_only),
		cmocka_unit_test(test_pageblock_count_tells_free_and_movable),
		cmocka_unit_test(test_pageblock_at_zone_edge_is_not_moved),
		cmocka_unit_test(test_pageblock_set_type_refuses_nonsense),
	};

	return RUN(tests);
}
