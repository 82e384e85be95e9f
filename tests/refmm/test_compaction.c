/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compaction: refmm/compaction.c, compact_scan.c, migrate.c, kcompactd.c.
 *
 * Eight pageblocks full of movable pages, of which every k-th stays, make a
 * machine in which much is free and nothing is large.
 */
#include "owners.h"

static struct owners w;

static struct rmm *fragmented(unsigned int keep, bool pcp)
{
	return owners_fragmented(&w, keep, pcp);
}

/* Step to the end; returns how it ended */
static int compact(struct rmm *rmm, unsigned int order)
{
	int result;

	do
		result = rmm_compact_step(rmm, 0, 0, order);
	while (result == RMM_COMPACT_CONTINUE);
	return result;
}

static void test_compaction_makes_a_huge_page_of_pieces(void **state)
{
	(void)state;
	for (unsigned int keep = 2; keep < 40; keep += 9) {
		struct rmm *rmm = fragmented(keep, keep % 2);
		uint64_t free = rmm_nr_free_pages(rmm);

		assert_int_equal(compact(rmm, 9), RMM_COMPACT_SUCCESS);
		assert_true(rmm_nr_free(rmm, 0, 9, -1) + rmm_nr_free(rmm, 0, 10, -1) > 0);
		assert_true(w.moves > 0 && stats(rmm).migrate_success == w.moves);
		rmm_drain_all_pages(rmm, 0);
		assert_int_equal(rmm_nr_free_pages(rmm), free);
		owners_destroy(&w);
	}
}

/* Whole nodes: afterwards the used pages lie at the end. */
static void test_compaction_of_a_node_moves_all_up(void **state)
{
	struct rmm *rmm = fragmented(4, false);

	(void)state;
	rmm_compact_node(rmm, 0, 0);
	assert_true(rmm_nr_free(rmm, 0, 10, -1) >= 2); /* 3 of 4 parts were free */
	assert_int_equal(rmm->memmap[0].state, RMM_PG_BUDDY);
	owners_destroy(&w);
}

static void test_compaction_without_hook_is_skipped(void **state)
{
	struct rmm *rmm = fragmented(2, false);

	(void)state;
	rmm_set_hooks(rmm, NULL);
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_SKIPPED);
	assert_int_equal(rmm_compact_step(rmm, 0, 1, 9), -EINVAL);
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 0), -EINVAL);
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 11), -EINVAL);
	owners_destroy(&w);
}

static void test_compaction_leaves_what_must_stay(void **state)
{
	struct rmm *rmm = fragmented(2, false);
	static const unsigned int flags[] = {RMM_PF_LOCKED, RMM_PF_WRITEBACK};
	rmm_pfn stays[4] = {w.pfn[0], w.pfn[10], w.pfn[20], w.pfn[30]};

	(void)state;
	for (int i = 0; i < 2; i++)
		rmm_set_page_flags(rmm, &rmm->memmap[stays[i]], flags[i]);
	rmm_get_page(rmm, &rmm->memmap[stays[2]]); /* somebody looks at it */
	rmm->memmap[stays[3]].migratetype = RMM_UNMOVABLE;
	rmm_compact_node(rmm, 0, 0);
	assert_true(w.moves > 100);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(w.pfn[i * 10], stays[i]);
	for (int i = 0; i < 2; i++)
		rmm_clear_page_flags(rmm, &rmm->memmap[stays[i]], flags[i]);
	rmm_put_page(rmm, 0, &rmm->memmap[stays[2]]);
	owners_destroy(&w);
}

static void test_compaction_unevictable_depends_on_the_sysctl(void **state)
{
	(void)state;
	for (int allowed = 0; allowed < 2; allowed++) {
		struct rmm *rmm = fragmented(2, false);
		rmm_pfn pfn = w.pfn[0];

		rmm->config.compact_unevictable_allowed = allowed;
		rmm_set_page_flags(rmm, &rmm->memmap[pfn], RMM_PF_UNEVICTABLE);
		rmm_compact_node(rmm, 0, 0);
		assert_int_equal(w.pfn[0] != pfn, allowed);
		assert_true(rmm_PageUnevictable(rmm, &rmm->memmap[w.pfn[0]])); /* it follows */
		owners_destroy(&w);
	}
}

/* Isolate pageblock 0's pages in a mode; returns how many may go */
static unsigned int isolated(struct rmm *rmm, enum rmm_migrate_mode mode)
{
	struct rmm_compact cc = {.z = &rmm->zone[0], .order = 9, .mode = mode};
	unsigned int n;

	rmm_isolate_migratepages_block(&cc, 0, 40);
	n = cc.nr_from;
	rmm_putback_pages(&cc);
	return n;
}

static void test_compaction_async_leaves_dirty_pages(void **state)
{
	struct rmm *rmm = fragmented(2, false);

	(void)state;
	assert_int_equal(isolated(rmm, RMM_MIGRATE_ASYNC), 20);
	rmm_set_page_flags(rmm, &rmm->memmap[w.pfn[0]], RMM_PF_DIRTY);
	assert_int_equal(isolated(rmm, RMM_MIGRATE_ASYNC), 19);
	assert_int_equal(isolated(rmm, RMM_MIGRATE_SYNC_LIGHT), 20);
	owners_destroy(&w);
}

/* Not even for the hardest priority, which takes any other pageblock */
static void test_compaction_isolated_blocks_are_no_target(void **state)
{
	(void)state;
	for (int hardest = 0; hardest < 2; hardest++) {
		struct rmm *rmm = fragmented(4, false);
		struct rmm_compact cc = {.z = &rmm->zone[0],
					 .order = RMM_COMPACT_ALL,
					 .mode = RMM_MIGRATE_SYNC_LIGHT,
					 .whole_zone = true,
					 .ignore_suitable = hardest,
					 .ignore_skip = hardest};
		rmm_pfn at[2 * BLOCK];

		for (unsigned int b = 2; b < 8; b++)
			rmm_set_pageblock_migratetype(rmm, b * BLOCK, RMM_ISOLATE);
		memcpy(at, w.pfn, sizeof(at));
		rmm_compact_init_lists(&cc);
		rmm_compact_zone(&cc);
		assert_true(w.moves > 0); /* from block 0 to block 1 */
		for (unsigned int id = 0; id < 2 * BLOCK; id++)
			if (at[id] < 2 * BLOCK)
				assert_true(w.pfn[id] < 2 * BLOCK);
		owners_destroy(&w);
	}
}

static uint64_t some_progress(void *ctx, unsigned int cpu, unsigned int gfp, unsigned int order)
{
	(void)ctx, (void)cpu, (void)gfp, (void)order;
	return 1;
}

/* With progress in reclaim, compaction is tried harder: in the end over the whole
 * zone (order 3), but not for a costly order */
static void test_compaction_is_retried_harder(void **state)
{
	static const struct {
		unsigned int gfp, order, least, most;
	} cases[] = {
		{RMM_GFP_KERNEL, 3, 3, 3},
		{RMM_GFP_KERNEL | RMM_GFP_RETRY_MAYFAIL, 4, 2, 2},
		{RMM_GFP_KERNEL | RMM_GFP_NORETRY, 3, 2, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = fragmented(2, false);

		w.refuse = true;
		rmm->hooks.reclaim = some_progress;
		assert_int_equal(get(rmm, cases[i].gfp, cases[i].order), RMM_NO_PFN);
		assert_in_range(stats(rmm).compact, cases[i].least, cases[i].most);
		owners_destroy(&w);
	}
}

static void test_compaction_needs_enough_free_memory(void **state)
{
	struct rmm *rmm = fragmented(2, false); /* 2048 are free */
	struct rmm_zone *z = &rmm->zone[0];

	(void)state;
	z->wmark[RMM_WMARK_LOW] = 2048 - 2 * 512; /* costly: low + 2 * 2^9 */
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_SKIPPED);
	z->wmark[RMM_WMARK_LOW]--;
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_CONTINUE);
	rmm->config.extfrag_threshold = 1000; /* never bad enough */
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 10), RMM_COMPACT_SKIPPED);
	owners_destroy(&w);
}

static void test_compaction_free_scanner_respects_the_min_mark(void **state)
{
	struct rmm *rmm = fragmented(2, false);
	struct rmm_zone *z = &rmm->zone[0];

	(void)state;
	z->wmark[RMM_WMARK_MIN] = 2048 - 2;
	rmm_zone_lock(z, 0);
	assert_int_equal(rmm__isolate_free_page(z, 1, false), 1); /* 2048 > 2046 + 1 */
	assert_int_equal(rmm__isolate_free_page(z, 3, false), 0); /* 2047 = 2046 + 1 */
	rmm_zone_unlock(z);
	rmm_free_unused(rmm, 0, 1, 0);
	owners_destroy(&w);
}

/* Its pageblock would become movable: not where all types are one */
static void test_compaction_target_without_mobility_stays_what_it_is(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 2);
	m.config.mobility = RMM_MOBILITY_OFF;
	rmm = machine_boot(&m);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 7), 0);
	rmm_zone_lock(&rmm->zone[0], 0);
	assert_int_equal(rmm__isolate_free_page(&rmm->zone[0], BLOCK / 2, false), BLOCK / 2);
	rmm_zone_unlock(&rmm->zone[0]);
	assert_int_equal(rmm_nr_free(rmm, 0, 7, RMM_UNMOVABLE), 1);
	rmm_free_unused(rmm, 0, BLOCK / 2, 8);
	check_destroy(rmm);
}

/* One page is to be moved, and every second page is free. */
static void test_compaction_takes_no_more_places_than_pages(void **state)
{
	struct rmm_compact cc = {.z = &fragmented(2, false)->zone[0],
				 .mode = RMM_MIGRATE_SYNC_LIGHT,
				 .nr_migratepages = 1,
				 .free_pfn = 7 * BLOCK};

	(void)state;
	rmm_compact_init_lists(&cc);
	rmm_isolate_freepages(&cc);
	assert_true(cc.nr_freepages == 1 && cc.free_pfn <= 7 * BLOCK + 2);
	rmm_release_freepages(&cc);
	owners_destroy(&w);
}

static void test_compaction_failure_defers_the_next(void **state)
{
	struct rmm *rmm = fragmented(2, false);
	struct rmm_zone *z = &rmm->zone[0];
	unsigned int shift, skipped;

	(void)state;
	w.refuse = true;
	for (shift = 1; shift <= 8; shift++) {
		unsigned int limit = 1u << (shift < 6 ? shift : 6);

		assert_int_equal(compact(rmm, 9), RMM_COMPACT_COMPLETE);
		assert_int_equal(1u << z->compact.defer_shift, limit);
		for (skipped = 0; rmm_compaction_deferred(z, 9); skipped++)
			assert_true(skipped < 64);
		assert_int_equal(skipped, limit - 1);
	}
	assert_false(rmm_compaction_deferred(z, 8)); /* a smaller order may work */
	rmm_compaction_defer_reset(z, 9, true);
	assert_int_equal(z->compact.order_failed, 10);
	assert_int_equal(z->compact.defer_shift, 0);
	owners_destroy(&w);
}

/* Owners who refuse find everything as it was. */
static void test_compaction_refused_changes_nothing(void **state)
{
	struct rmm *rmm = fragmented(3, false);
	static struct snapshot before;

	(void)state;
	w.refuse = true;
	snapshot(&before, rmm);
	rmm_compact_node(rmm, 0, 0);
	assert_true(stats(rmm).migrate_fail > 100);
	snapshot_compare_frames(&before, rmm);
	owners_destroy(&w);
}

/* Whichever step fails, no page is lost or doubled. */
static void test_compaction_any_step_may_fail(void **state)
{
	static const unsigned int points[] = {RMM_FAULT_ISOLATE_FREE, RMM_FAULT_MIGRATE};

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		for (uint64_t n = 1; n < 2000; n += 1 + n / 3) {
			const struct rmm_fault fault = {.points = points[i], .nth = n};
			struct rmm *rmm = fragmented(3, n % 2);
			uint64_t free = rmm_nr_free_pages(rmm);

			rmm_set_fault(rmm, &fault);
			rmm_compact_node(rmm, 0, 0);
			rmm_drain_all_pages(rmm, 0);
			assert_int_equal(rmm_nr_free_pages(rmm), free);
			owners_destroy(&w);
		}
}

static void test_compaction_serves_a_request(void **state)
{
	static const unsigned int masks[] = {
		RMM_GFP_TRANSHUGE,
		RMM_GFP_TRANSHUGE | RMM_GFP_NORETRY,
		RMM_GFP_KERNEL | RMM_GFP_COMP,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		/* Not 4: asynchronous runs look at each 32nd frame only. */
		struct rmm *rmm = fragmented(5, true);

		assert_true(owners_get(&w, masks[i], 9));
		assert_true(stats(rmm).compact >= 1 && w.moves > 0);
		owners_destroy(&w);
	}
}

static void test_compaction_is_not_for_those_who_cannot_wait(void **state)
{
	static const unsigned int masks[] = {
		RMM_GFP_ATOMIC,
		RMM_GFP_NOWAIT,
		RMM_GFP_TRANSHUGE_LIGHT,
		RMM_GFP_NOIO,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		struct rmm *rmm = fragmented(4, true);

		assert_false(owners_get(&w, masks[i], 9));
		assert_int_equal(stats(rmm).compact + w.moves, 0);
		owners_destroy(&w);
	}
}

static void test_compaction_moves_blocks_and_their_memory(void **state)
{
	struct machine m;
	struct rmm *rmm;
	unsigned int id = 0;
	char *at;

	(void)state;
	machine_init(&m, 8);
	m.config.backed = true;
	m.config.pcp = false;
	rmm = machine_boot(&m);
	owners_init(&w, rmm);
	while (owners_get(&w, RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_COMP | RMM_GFP_MEMALLOC, 2))
		;
	for (unsigned int i = 0; i < w.n; i++)
		if (w.pfn[i] / 4 % 4 != 1)
			owners_put(&w, i);
	while (w.pfn[id] != 4)
		id++;
	at = rmm_page_address(rmm, &rmm->memmap[w.pfn[id]]);
	memcpy(at + 3 * 4096, "mine", 5);
	rmm_set_page_flags(rmm, &rmm->memmap[w.pfn[id]], RMM_PF_DIRTY);
	rmm_compact_node(rmm, 0, 0);
	assert_true(w.moves > 0);
	assert_in_range(w.pfn[id], 7 * BLOCK, 8 * BLOCK);
	at = rmm_page_address(rmm, &rmm->memmap[w.pfn[id]]);
	assert_string_equal(at + 3 * 4096, "mine");
	assert_true(rmm_PageDirty(rmm, &rmm->memmap[w.pfn[id]]));
	assert_int_equal(rmm_compound_order(rmm, &rmm->memmap[w.pfn[id] + 1]), 2);
	owners_destroy(&w);
}

static void test_compaction_proactive_acts_on_the_score(void **state)
{
	static const struct {
		unsigned int proactiveness, low, high;
	} cases[] = {{20, 80, 90}, {0, 100, 100}, {100, 5, 15}, {97, 5, 15}, {5, 95, 100}};
	struct rmm *rmm = fragmented(4, false);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rmm->config.compaction_proactiveness = cases[i].proactiveness;
		assert_int_equal(rmm_fragmentation_score_wmark(rmm, true), cases[i].low);
		assert_int_equal(rmm_fragmentation_score_wmark(rmm, false), cases[i].high);
	}
	rmm->config.compaction_proactiveness = 20;
	assert_int_equal(rmm_fragmentation_score(rmm, 0), 4096 * 100 / 4097);
	rmm_set_reclaim_active(rmm, 0, true);
	assert_false(rmm_proactive_compact(rmm, 0, 0)); /* kswapd is at work */
	rmm_set_reclaim_active(rmm, 0, false);
	assert_true(rmm_proactive_compact(rmm, 0, 0));
	assert_true(rmm_fragmentation_score(rmm, 0) <= 80);
	assert_false(rmm_proactive_compact(rmm, 0, 0)); /* below 90: content */
	owners_destroy(&w);
}

static rmm_pfn referenced;

/* Somebody takes a reference to a page that is isolated and has not moved yet. */
static bool refer_to_another(void *ctx, unsigned int cpu, rmm_pfn from, rmm_pfn to,
			     unsigned int order)
{
	struct rmm *rmm = ((struct owners *)ctx)->rmm;

	assert_int_equal(rmm_page_count(rmm, &rmm->memmap[from]), 0);
	assert_int_equal(rmm_get_page(rmm, &rmm->memmap[from]), -EINVAL);
	for (rmm_pfn p = from + 1; referenced == RMM_NO_PFN && p < 4 * BLOCK; p++)
		if (rmm_PageIsolated(rmm, &rmm->memmap[p])) {
			assert_int_equal(rmm_get_page(rmm, &rmm->memmap[p]), 0);
			referenced = p;
		}
	assert_int_not_equal(from, referenced);
	return owners_migrate(ctx, cpu, from, to, order);
}

static void test_compaction_leaves_pages_that_others_refer_to(void **state)
{
	struct rmm *rmm = machine(4, false);
	struct rmm_page *page;

	(void)state;
	referenced = RMM_NO_PFN;
	owners_init(&w, rmm);
	owners_fragment(&w, 2);
	rmm_set_hooks(rmm, &(struct rmm_hooks){.ctx = &w, .migrate = refer_to_another});
	rmm_compact_node(rmm, 0, 0);
	assert_true(w.moves > 100 && referenced != RMM_NO_PFN);
	page = &rmm->memmap[referenced];
	assert_int_equal(w.pfn[page->private], referenced);
	assert_int_equal(rmm_page_count(rmm, page), 2);
	assert_int_equal(rmm_put_page(rmm, 0, page), 0);
	owners_destroy(&w);
}

/* The owner lets go of what is just being moved: nobody has it then. */
static bool free_it(void *ctx, unsigned int cpu, rmm_pfn from, rmm_pfn to, unsigned int order)
{
	struct owners *o = ctx;
	uint64_t id = o->rmm->memmap[from].private;

	(void)to;
	if (o->moves++ % 2)
		assert_int_equal(rmm_free_pages(o->rmm, cpu, &o->rmm->memmap[from], order), 0);
	else
		assert_int_equal(rmm_put_page(o->rmm, cpu, &o->rmm->memmap[from]), 0);
	assert_int_equal(rmm_free_pages(o->rmm, cpu, &o->rmm->memmap[from], order), -EINVAL);
	o->pfn[id] = RMM_NO_PFN;
	return false;
}

static void test_compaction_frees_what_its_owner_lets_go_of(void **state)
{
	struct rmm *rmm = machine(4, false);

	(void)state;
	owners_init(&w, rmm);
	owners_fragment(&w, 2);
	rmm_set_hooks(rmm, &(struct rmm_hooks){.ctx = &w, .migrate = free_it});
	rmm_compact_node(rmm, 0, 0);
	assert_true(w.moves > 100);
	owners_destroy(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compaction_makes_a_huge_page_of_pieces),
		cmocka_unit_test(test_compaction_of_a_node_moves_all_up),
		cmocka_unit_test(test_compaction_without_hook_is_skipped),
		cmocka_unit_test(test_compaction_leaves_what_must_stay),
		cmocka_unit_test(test_compaction_unevictable_depends_on_the_sysctl),
		cmocka_unit_test(test_compaction_async_leaves_dirty_pages),
		cmocka_unit_test(test_compaction_isolated_blocks_are_no_target),
		cmocka_unit_test(test_compaction_is_retried_harder),
		cmocka_unit_test(test_compaction_needs_enough_free_memory),
		cmocka_unit_test(test_compaction_free_scanner_respects_the_min_mark),
		cmocka_unit_test(test_compaction_target_without_mobility_stays_what_it_is),
		cmocka_unit_test(test_compaction_takes_no_more_places_than_pages),
		cmocka_unit_test(test_compaction_failure_defers_the_next),
		cmocka_unit_test(test_compaction_refused_changes_nothing),
		cmocka_unit_test(test_compaction_any_step_may_fail),
		cmocka_unit_test(test_compaction_serves_a_request),
		cmocka_unit_test(test_compaction_is_not_for_those_who_cannot_wait),
		cmocka_unit_test(test_compaction_moves_blocks_and_their_memory),
		cmocka_unit_test(test_compaction_proactive_acts_on_the_score),
		cmocka_unit_test(test_compaction_leaves_pages_that_others_refer_to),
		cmocka_unit_test(test_compaction_frees_what_its_owner_lets_go_of),
	};

	return RUN(tests);
}
