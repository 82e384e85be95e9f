/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Compaction, where one line more or less decides; see tests/mutants. */
#include "owners.h"

static struct owners w;

/* Eight pageblocks, every @keep-th page in use and movable, no per-CPU lists */
static struct rmm *fragmented(unsigned int keep)
{
	struct machine m;

	machine_init(&m, 8);
	m.config.pcp = false;
	owners_init(&w, machine_boot(&m));
	owners_fragment(&w, keep);
	return w.rmm;
}

static void free_block(unsigned int block)
{
	for (unsigned int id = 0; id < w.n; id++)
		if (w.pfn[id] != RMM_NO_PFN && w.pfn[id] / BLOCK == block)
			owners_put(&w, id);
}

/* A run for @order over zone 0, not begun: the scanners at both ends */
static struct rmm_compact run(struct rmm *rmm, int order)
{
	struct rmm_compact cc = {
		.z = &rmm->zone[0],
		.order = order,
		.migratetype = RMM_MOVABLE,
		.mode = RMM_MIGRATE_SYNC_LIGHT,
		.free_pfn = 7 * BLOCK,
		.last_migrated = RMM_NO_PFN,
	};

	rmm_compact_init_lists(&cc);
	return cc;
}

static void test_compact_order_that_failed_is_deferred(void **state)
{
	struct rmm *rmm = fragmented(2);
	struct rmm_zone *z = &rmm->zone[0];

	(void)state;
	rmm_compaction_defer_reset(z, 9, true); /* 10 has failed, as far as known */
	rmm_defer_compaction(z, 9);
	assert_int_equal(z->compact.order_failed, 9);
	assert_true(rmm_compaction_deferred(z, 9));
	assert_false(rmm_compaction_deferred(z, 8));
	owners_destroy(&w);
}

static void test_compact_little_fragmentation_is_no_reason(void **state)
{
	struct rmm *rmm = fragmented(2);

	(void)state;
	rmm->config.extfrag_threshold = 1000;
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_SKIPPED);
	rmm->config.extfrag_threshold = 500;
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_CONTINUE);
	owners_destroy(&w);
}

/* A zone that has the block now: the next one is left alone. */
static void test_compact_stops_after_the_first_zone(void **state)
{
	rmm_pfn at[OWNERS];
	struct machine m;

	(void)state;
	machine_init(&m, 6);
	machine_zone(&m, 0, RMM_ZONE_MOVABLE, 6 * BLOCK, 8 * BLOCK);
	owners_init(&w, machine_boot(&m));
	owners_fragment(&w, 5);
	memcpy(at, w.pfn, sizeof(at));
	assert_true(owners_get(&w, RMM_GFP_TRANSHUGE, 9));
	assert_true(w.moves > 0);
	for (unsigned int id = 0; id + 1 < w.n; id++)
		if (at[id] < 6 * BLOCK)
			assert_int_equal(w.pfn[id], at[id]);
	owners_destroy(&w);
}

static void test_compact_async_leaves_other_types_alone(void **state)
{
	struct rmm *rmm = fragmented(2);
	struct rmm_compact cc = run(rmm, 9);

	(void)state;
	cc.mode = RMM_MIGRATE_ASYNC;
	cc.direct = true;
	cc.migratetype = RMM_UNMOVABLE;
	assert_false(rmm_isolate_migratepages(&cc));
	rmm_set_pageblock_migratetype(rmm, 3 * BLOCK, RMM_UNMOVABLE);
	cc.migrate_pfn = 0;
	assert_true(rmm_isolate_migratepages(&cc));
	assert_int_equal(cc.from[0] / BLOCK, 3);
	rmm_putback_pages(&cc);
	owners_destroy(&w);
}

/* Targets come from the last pageblock that may give some. */
static void test_compact_target_is_no_large_block_nor_unmovable(void **state)
{
	struct rmm *rmm = fragmented(4);
	struct rmm_compact cc = run(rmm, 9);
	rmm_pfn pfn;

	(void)state;
	free_block(7); /* one block of order 9: what is being worked for */
	rmm_set_pageblock_migratetype(rmm, 6 * BLOCK, RMM_UNMOVABLE);
	cc.nr_migratepages = 1;
	pfn = rmm_compaction_alloc(&cc, 0);
	assert_int_equal(pfn / BLOCK, 5);
	rmm_free_target(&cc, pfn, 0);
	rmm->zone[0].compact.free_pfn = 0;
	rmm_release_freepages(&cc);
	assert_int_equal(rmm->zone[0].compact.free_pfn, 5 * BLOCK);
	owners_destroy(&w);
}

static void test_compact_free_cma_block_ends_a_movable_run(void **state)
{
	struct rmm *rmm = fragmented(4);
	struct rmm_compact cc = run(rmm, 9);

	(void)state;
	free_block(3);
	rmm_zone_lock(&rmm->zone[0], 0);
	rmm_move_freepages_block(&rmm->zone[0], 3 * BLOCK, RMM_CMA);
	rmm_zone_unlock(&rmm->zone[0]);
	assert_int_equal(rmm_nr_free(rmm, 0, 9, RMM_CMA), 1);
	assert_int_equal(rmm_compact_once(&cc), RMM_COMPACT_SUCCESS);
	owners_destroy(&w);
}

static void test_compact_proactive_run_ends_when_kswapd_begins(void **state)
{
	struct rmm *rmm = fragmented(4);
	struct rmm_compact cc = run(rmm, RMM_COMPACT_ALL);

	(void)state;
	cc.proactive = true;
	rmm_set_reclaim_active(rmm, 0, true);
	assert_int_equal(rmm_compact_once(&cc), RMM_COMPACT_PARTIAL_SKIPPED);
	owners_destroy(&w);
}

static void test_compact_useless_pageblock_is_skipped(void **state)
{
	struct rmm *rmm = fragmented(2);
	struct rmm_compact cc = run(rmm, 9);

	(void)state;
	for (int i = 0; i < 2; i++)
		rmm_set_pageblock(&rmm->blocks[i], RMM_PB_SKIP, true);
	assert_true(rmm_isolate_migratepages(&cc));
	assert_int_equal(cc.from[0] / BLOCK, 2);
	rmm_putback_pages(&cc);
	owners_destroy(&w);
}

/* 32 pages at a time, be they single or in blocks; and not as large as wanted */
static void test_compact_batch_is_32_pages(void **state)
{
	struct machine m;
	struct rmm_compact cc;

	(void)state;
	machine_init(&m, 8);
	m.config.pcp = false;
	owners_init(&w, machine_boot(&m));
	while (owners_get(&w, RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_MEMALLOC, 3))
		;
	cc = run(w.rmm, 9);
	rmm_isolate_migratepages_block(&cc, 0, BLOCK);
	assert_int_equal(cc.nr_migratepages, 32);
	assert_int_equal(cc.nr_from, 4);
	assert_int_equal(cc.migrate_pfn, 32);
	assert_int_equal(stats(w.rmm).compact_migrate_scanned, 32);
	rmm_putback_pages(&cc);
	cc = run(w.rmm, 3);
	rmm_isolate_migratepages_block(&cc, 0, BLOCK);
	assert_int_equal(cc.nr_from, 0);
	owners_destroy(&w);
}

static void test_compact_scanners_that_met_start_afresh(void **state)
{
	struct rmm *rmm = fragmented(2);
	struct rmm_zone_compact *zc = &rmm->zone[0].compact;
	struct rmm_compact cc = run(rmm, 9);

	(void)state;
	cc.free_pfn = cc.migrate_pfn = 4 * BLOCK;
	zc->migrate_pfn[0] = 3 * BLOCK;
	assert_int_equal(rmm_compact_once(&cc), RMM_COMPACT_PARTIAL_SKIPPED);
	assert_int_equal(zc->free_pfn, 7 * BLOCK);
	assert_int_equal(zc->migrate_pfn[0], 0);
	owners_destroy(&w);
}

static void test_compact_kswapd_takes_boost_and_hints_back(void **state)
{
	struct rmm *rmm = fragmented(2);
	struct rmm_zone *z = &rmm->zone[0];

	(void)state;
	z->boost = 7;
	rmm_set_pageblock(&z->blocks[2], RMM_PB_SKIP, true);
	rmm_kswapd_done(rmm, 0);
	assert_int_equal(z->boost, 0);
	assert_true(rmm_get_pageblock(&z->blocks[2], RMM_PB_SKIP));
	z->compact.blockskip_flush = true;
	rmm_kswapd_done(rmm, 0);
	assert_false(rmm_get_pageblock(&z->blocks[2], RMM_PB_SKIP));
	owners_destroy(&w);
}

static void test_compact_step_goes_on_where_the_last_ended(void **state)
{
	struct rmm *rmm = fragmented(2);
	struct rmm_zone_compact *zc = &rmm->zone[0].compact;
	rmm_pfn at;

	(void)state;
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_CONTINUE);
	at = zc->step_migrate;
	assert_true(at > 0);
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_CONTINUE);
	assert_true(zc->step_migrate > at);
	owners_destroy(&w);
}

static void test_compact_score_weighs_by_present_pages(void **state)
{
	struct rmm *rmm = fragmented(2);
	uint32_t managed = rmm->zone[0].managed;

	(void)state;
	rmm->zone[0].managed = 1;
	assert_int_equal(rmm_fragmentation_score(rmm, 0), 4096 * 100 / 4097);
	rmm->zone[0].managed = managed;
	owners_destroy(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact_order_that_failed_is_deferred),
		cmocka_unit_test(test_compact_little_fragmentation_is_no_reason),
		cmocka_unit_test(test_compact_stops_after_the_first_zone),
		cmocka_unit_test(test_compact_async_leaves_other_types_alone),
		cmocka_unit_test(test_compact_target_is_no_large_block_nor_unmovable),
		cmocka_unit_test(test_compact_free_cma_block_ends_a_movable_run),
		cmocka_unit_test(test_compact_proactive_run_ends_when_kswapd_begins),
		cmocka_unit_test(test_compact_useless_pageblock_is_skipped),
		cmocka_unit_test(test_compact_batch_is_32_pages),
		cmocka_unit_test(test_compact_scanners_that_met_start_afresh),
		cmocka_unit_test(test_compact_step_goes_on_where_the_last_ended),
		cmocka_unit_test(test_compact_score_weighs_by_present_pages),
		cmocka_unit_test(test_compact_kswapd_takes_boost_and_hints_back),
	};

	return RUN(tests);
}
