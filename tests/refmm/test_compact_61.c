/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What compaction of 6.1 does otherwise: refmm/compact_scan.c, compact_fast.c,
 * compact_target.c, compaction.c. */
#include "owners.h"

static struct owners w;

static bool skips(const struct rmm *rmm, unsigned int block)
{
	return rmm_get_pageblock(&rmm->zone[0].blocks[block], RMM_PB_SKIP);
}

static void test_61_moves_to_single_pages_the_last_first(void **state)
{
	(void)state;
	for (int is_61 = 0; is_61 < 2; is_61++) {
		struct rmm *rmm = owners_fragmented_on(&w, is_61, 1, false);
		struct rmm_compact cc = {.z = &rmm->zone[0]};

		rmm_compact_init_lists(&cc);
		for (unsigned int id = 0; id < w.n; id++)
			if (w.pfn[id] < 8)
				owners_put(&w, id); /* one block of order 3 */
		rmm_zone_lock(cc.z, 0);
		assert_int_equal(rmm__isolate_free_page(cc.z, 0, true), 8);
		rmm_zone_unlock(cc.z);
		rmm_add_target(&cc, 0, 3);
		assert_int_equal(cc.nr_freepages, 8);
		assert_string_equal(members(rmm, &cc.free[0]), is_61 ? "7 6 5 4 3 2 1 0" : "");
		assert_string_equal(members(rmm, &cc.free[3]), is_61 ? "" : "0");
		rmm_release_freepages(&cc);
		assert_string_equal(free_list(rmm, 3, RMM_MOVABLE), "0");
		owners_destroy(&w);
	}
}

/* For each page of a batch a place is looked for, also for those that have one. */
static void test_61_goes_on_to_look_for_all_places(void **state)
{
	(void)state;
	for (int is_61 = 0; is_61 < 2; is_61++) {
		struct rmm *rmm = owners_fragmented_on(&w, is_61, 2, false);
		struct rmm_compact cc = {.z = &rmm->zone[0],
					 .mode = RMM_MIGRATE_SYNC_LIGHT,
					 .nr_migratepages = 2,
					 .free_pfn = 7 * BLOCK};
		rmm_pfn pfn;

		rmm_compact_init_lists(&cc);
		pfn = rmm_compaction_alloc(&cc, 0);
		assert_int_not_equal(pfn, RMM_NO_PFN);
		assert_int_equal(cc.nr_migratepages, is_61 ? 2 : 1);
		rmm_free_unused(rmm, 0, pfn, 0);
		rmm_release_freepages(&cc);
		owners_destroy(&w);
	}
}

static void test_61_moves_no_compound_page(void **state)
{
	(void)state;
	for (int is_61 = 0; is_61 < 2; is_61++) {
		struct rmm *rmm = owners_fragmented_on(&w, is_61, 1, false);
		struct rmm_compact cc = {.z = &rmm->zone[0], .order = 9};

		owners_put(&w, 0);
		owners_put(&w, 1);
		assert_true(owners_get(&w, RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_COMP, 1));
		rmm_isolate_migratepages_block(&cc, 0, 2);
		assert_int_equal(cc.nr_from, !is_61);
		rmm_putback_pages(&cc);
		owners_destroy(&w);
	}
}

/* 6.1 marks what the search finds, and then takes the mark for another's. */
static void test_61_leaves_what_its_search_has_found(void **state)
{
	(void)state;
	for (int is_61 = 0; is_61 < 2; is_61++) {
		struct rmm *rmm = owners_fragmented_on(&w, is_61, 2, false);

		for (unsigned int id = 0; id < w.n; id++)
			if (w.pfn[id] >= 2 * BLOCK && w.pfn[id] < 2 * BLOCK + 256)
				owners_put(&w, id);
		assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_CONTINUE);
		assert_int_equal(w.moves, is_61 ? 0 : RMM_COMPACT_CLUSTER);
		assert_true(skips(rmm, 2));
		/* Later runs begin behind it. */
		assert_int_equal(rmm->zone[0].compact.migrate_pfn[1], is_61 ? 3 * BLOCK : 0);
		owners_destroy(&w);
	}
}

/* Whoever begins a pageblock marks it; 6.1 if its first page is what he takes. */
static void test_61_marks_a_pageblock_by_its_first_page(void **state)
{
	(void)state;
	for (int is_61 = 0; is_61 < 2; is_61++)
		for (int free = 0; free < 2; free++) {
			struct rmm *rmm = owners_fragmented_on(&w, is_61, 2, false);

			for (unsigned int id = 0; free && id < w.n; id++)
				if (w.pfn[id] == 0)
					owners_put(&w, id);
			rmm_compact_step(rmm, 0, 0, 9);
			assert_int_equal(w.moves, RMM_COMPACT_CLUSTER);
			assert_int_equal(skips(rmm, 0), !is_61 || !free);
			owners_destroy(&w);
		}
}

/* Where pages have to stay: 6.1 leaves the rest of what a request wants at once, and does
 * not flush the CPU's lists for it; 6.12 takes the rest as well and is through with the
 * pageblock. kcompactd of 6.1 goes on amid it. */
static void test_61_leaves_a_block_that_failed(void **state)
{
	static const struct {
		bool is_61, direct, flushes;
		unsigned int fail;
		rmm_pfn next;
	} cases[] = {
		{false, true, true, BLOCK / 3 + 1, BLOCK},
		{true, true, false, RMM_COMPACT_CLUSTER, BLOCK},
		{true, false, false, RMM_COMPACT_CLUSTER, 3 * RMM_COMPACT_CLUSTER - 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = owners_fragmented_on(&w, cases[i].is_61, 3, true);
		struct rmm_compact cc = {.z = &rmm->zone[0],
					 .order = 9,
					 .search_order = 9,
					 .direct = cases[i].direct,
					 .mode = RMM_MIGRATE_ASYNC,
					 .migratetype = RMM_MOVABLE};
		int listed;

		rmm_compact_init_lists(&cc);
		w.refuse = true;
		assert_int_equal(rmm_compact_begin(&cc), RMM_COMPACT_CONTINUE);
		owners_put(&w, w.n - 1); /* hangs on the CPU's list */
		listed = rmm->zone[0].pcp[0].count;
		assert_int_equal(rmm_compact_once(&cc), RMM_COMPACT_CONTINUE);
		assert_int_equal(rmm->zone[0].pcp[0].count, cases[i].flushes ? 0 : listed);
		rmm_compact_end(&cc);
		assert_int_equal(stats(rmm).migrate_fail, cases[i].fail);
		assert_int_equal(cc.migrate_pfn, cases[i].next);
		w.refuse = false;
		owners_destroy(&w);
	}
}

/* The free scanner begins the next run at the pageblock that it went through, not below. */
static void test_61_looks_once_more_at_the_last_pageblock(void **state)
{
	(void)state;
	for (int is_61 = 0; is_61 < 2; is_61++) {
		struct rmm *rmm = owners_fragmented_on(&w, is_61, 1, false);
		struct rmm_compact cc = {.z = &rmm->zone[0],
					 .order = RMM_COMPACT_ALL,
					 .nr_migratepages = 1,
					 .free_pfn = 7 * BLOCK};

		rmm_compact_init_lists(&cc);
		rmm_isolate_freepages(&cc);
		assert_int_equal(rmm->zone[0].compact.free_pfn, (is_61 ? 2 : 1) * BLOCK - BLOCK);
		owners_destroy(&w);
	}
}

/* A pageblock that had just enough: 6.12 has seen all of it, for 6.1 it is good for more. */
static void test_61_keeps_a_pageblock_that_had_enough(void **state)
{
	(void)state;
	for (int is_61 = 0; is_61 < 2; is_61++)
		for (unsigned int more = 0; more < 2; more++) {
			struct rmm *rmm = owners_fragmented_on(&w, is_61, 2, false);
			struct rmm_compact cc = {.z = &rmm->zone[0],
						 .mode = RMM_MIGRATE_SYNC_LIGHT,
						 .nr_migratepages = BLOCK / 2 + more};

			rmm_compact_init_lists(&cc);
			rmm_isolate_around(&cc, 5 * BLOCK);
			assert_int_equal(cc.nr_freepages, BLOCK / 2);
			assert_int_equal(skips(rmm, 5), !is_61 || more);
			rmm_release_freepages(&cc);
			owners_destroy(&w);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_61_moves_to_single_pages_the_last_first),
		cmocka_unit_test(test_61_goes_on_to_look_for_all_places),
		cmocka_unit_test(test_61_moves_no_compound_page),
		cmocka_unit_test(test_61_leaves_what_its_search_has_found),
		cmocka_unit_test(test_61_marks_a_pageblock_by_its_first_page),
		cmocka_unit_test(test_61_leaves_a_block_that_failed),
		cmocka_unit_test(test_61_looks_once_more_at_the_last_pageblock),
		cmocka_unit_test(test_61_keeps_a_pageblock_that_had_enough),
	};

	return RUN(tests);
}
