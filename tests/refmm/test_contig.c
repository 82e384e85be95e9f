/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Isolation and ranges of one's choice: refmm/isolation.c, contig.c. */
#include "owners.h"

static struct owners w;

/* Eight pageblocks of which the first half is in use, page by page */
static struct rmm *half_full(bool bit)
{
	struct machine m;

	machine_init(&m, 8);
	m.config.isolate_bit = bit;
	owners_init(&w, machine_boot(&m));
	for (unsigned int i = 0; i < 4 * BLOCK; i++)
		assert_true(owners_get(&w, RMM_GFP_HIGHUSER_MOVABLE, 0));
	return w.rmm;
}

static void test_contig_any_range_can_be_had(void **state)
{
	static const struct {
		rmm_pfn start;
		uint64_t nr;
	} cases[] = {
		{0, 512},  {512, 1024}, {100, 1},   {3, 510},
		{500, 30}, {511, 2},	{4000, 96}, {0, 2000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = half_full(i % 2);
		rmm_pfn start = cases[i].start;
		uint64_t given = stats(rmm).alloc[0];

		assert_int_equal(rmm_alloc_contig_range(rmm, 0, start, cases[i].nr, RMM_MOVABLE),
				 0);
		assert_int_equal(stats(rmm).alloc[0] - given, cases[i].nr);
		check(rmm);
		for (rmm_pfn p = start; p < start + cases[i].nr; p++) {
			assert_int_equal(rmm->memmap[p].state, RMM_PG_ALLOCATED);
			assert_int_equal(rmm_page_count(rmm, &rmm->memmap[p]), 1);
		}
		assert_int_equal(rmm_get_pageblock_migratetype(rmm, start), RMM_MOVABLE);
		assert_int_equal(rmm_free_contig_range(rmm, 0, start, cases[i].nr), 0);
		assert_int_equal(rmm_free_contig_range(rmm, 0, start, 1), -EINVAL);
		owners_destroy(&w);
	}
}

/* What refuses, and that nothing of it is left behind */
static void refused(struct rmm *rmm, rmm_pfn start, uint64_t nr, int err)
{
	static struct snapshot before;

	rmm_drain_all_pages(rmm, 0);
	snapshot(&before, rmm);
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, start, nr, RMM_MOVABLE), err);
	snapshot_compare_frames(&before, rmm);
	owners_check(&w);
}

static void test_contig_refused_range_is_as_before(void **state)
{
	struct rmm *rmm = half_full(false);

	(void)state;
	refused(rmm, 4000, 97, -EINVAL); /* reaches out of the zone */
	refused(rmm, 0, 0, -EINVAL);
	refused(rmm, 5000, 1, -EINVAL);
	refused(rmm, 1000, UINT64_MAX - 500, -EINVAL); /* start + nr is 499 again */
	assert_int_equal(rmm_free_contig_range(rmm, 0, 1000, UINT64_MAX - 500), -EINVAL);
	w.refuse = true;
	refused(rmm, 2040, 16, -EBUSY); /* the owners will not */
	assert_non_null(strstr(rmm_last_error(rmm), "in use and did not move"));
	w.refuse = false;
	rmm->memmap[1030].migratetype = RMM_UNMOVABLE;
	refused(rmm, 512, 1024, -EBUSY); /* the second pageblock cannot; the first could */
	assert_non_null(strstr(rmm_last_error(rmm), "pfn 1030 is unmovable"));
	rmm->memmap[1030].migratetype = RMM_MOVABLE;
	rmm_set_pageblock_migratetype(rmm, 3600, RMM_ISOLATE);
	refused(rmm, 3500, 200, -EBUSY); /* somebody else does just that */
	owners_destroy(&w);
}

/* A pageblock is isolated whole: what is unmovable beside the range counts. */
static void test_contig_unmovable_neighbour_refuses(void **state)
{
	struct rmm *rmm = half_full(false);

	(void)state;
	rmm->memmap[600].migratetype = RMM_UNMOVABLE;
	refused(rmm, 700, 100, -EBUSY);
	assert_non_null(strstr(rmm_last_error(rmm), "pfn 600 is unmovable"));
	refused(rmm, 500, 50, -EBUSY);
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, 1024, 50, RMM_MOVABLE), 0);
	assert_int_equal(rmm_free_contig_range(rmm, 0, 1024, 50), 0);
	rmm->memmap[600].migratetype = RMM_MOVABLE;
	owners_destroy(&w);
}

static void test_contig_cma_is_for_cma_only(void **state)
{
	struct rmm *rmm = half_full(false);

	(void)state;
	rmm_set_pageblock_migratetype(rmm, 512, RMM_CMA);
	refused(rmm, 600, 10, -EBUSY);
	assert_non_null(strstr(rmm_last_error(rmm), "CMA's"));
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 512), RMM_CMA);
	/* For CMA all in it counts as movable; what does not move is busy. */
	rmm->memmap[600].migratetype = RMM_UNMOVABLE;
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, 700, 10, RMM_CMA), 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 512), RMM_CMA);
	assert_int_equal(rmm_free_contig_range(rmm, 0, 700, 10), 0);
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, 590, 20, RMM_CMA), -EBUSY);
	assert_non_null(strstr(rmm_last_error(rmm), "pfn 600 is in use and did not move"));
	rmm->memmap[600].migratetype = RMM_MOVABLE;
	owners_destroy(&w);
}

/* Single pages of low memory have an address that is in use. */
static void test_contig_low_memory_stays_low(void **state)
{
	struct machine m;
	rmm_pfn p;

	(void)state;
	machine_init(&m, 4);
	machine_zone(&m, 0, RMM_ZONE_HIGHMEM, 4 * BLOCK, 4 * BLOCK);
	owners_init(&w, machine_boot(&m));
	assert_true(owners_get(&w, RMM_GFP_KERNEL | RMM_GFP_MOVABLE, 0));
	assert_true(owners_get(&w, RMM_GFP_HIGHUSER_MOVABLE, 0));
	for (unsigned int id = 0; id < 2; id++) {
		p = w.pfn[id];
		assert_int_equal(rmm_alloc_contig_range(w.rmm, 0, p, 1, RMM_MOVABLE), 0);
		assert_true(w.pfn[id] != p && (w.pfn[id] >= 4 * BLOCK) == (id == 1));
		assert_int_equal(rmm_free_contig_range(w.rmm, 0, p, 1), 0);
	}
	owners_destroy(&w);
}

static void test_contig_without_room_nothing_is_lost(void **state)
{
	struct rmm *rmm = half_full(false);

	(void)state;
	while (owners_get(&w, RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_MEMALLOC, 0))
		;
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, 0, 512, RMM_MOVABLE), -ENOMEM);
	assert_non_null(strstr(rmm_last_error(rmm), "no free page to move"));
	owners_destroy(&w);
}

/* Fail the n-th step of each kind, until there is none left to fail. */
static void test_contig_any_step_may_fail(void **state)
{
	static const unsigned int points[] = {RMM_FAULT_ISOLATE_BLOCK, RMM_FAULT_ISOLATE_FREE,
					      RMM_FAULT_MIGRATE, RMM_FAULT_RMQUEUE};

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		for (uint64_t n = 1, faults = 1; faults; n += 1 + n / 2) {
			const struct rmm_fault fault = {.points = points[i], .nth = n};
			struct rmm *rmm = half_full(n % 2);
			uint64_t free;
			int err;

			rmm_drain_all_pages(rmm, 0);
			free = rmm_nr_free_pages(rmm);
			rmm_set_fault(rmm, &fault);
			err = rmm_alloc_contig_range(rmm, 0, 1000, 600, RMM_MOVABLE);
			faults = rmm_nr_faults(rmm);
			rmm_set_fault(rmm, NULL);
			/* Moving is tried five times; the others are not. */
			assert_true(points[i] == RMM_FAULT_MIGRATE || !err == !faults ||
				    points[i] == RMM_FAULT_RMQUEUE);
			if (!err)
				assert_int_equal(rmm_free_contig_range(rmm, 0, 1000, 600), 0);
			rmm_drain_all_pages(rmm, 0);
			assert_int_equal(rmm_nr_free_pages(rmm), free);
			owners_destroy(&w);
		}
}

static void test_contig_types_come_back_by_version(void **state)
{
	(void)state;
	for (int bit = 0; bit < 2; bit++) {
		struct rmm *rmm = half_full(bit);

		rmm_set_pageblock_migratetype(rmm, 3000, RMM_RECLAIMABLE);
		assert_int_equal(rmm_alloc_contig_range(rmm, 0, 3000, 10, RMM_MOVABLE), 0);
		assert_int_equal(rmm_get_pageblock_migratetype(rmm, 3000),
				 bit ? RMM_RECLAIMABLE : RMM_MOVABLE);
		assert_int_equal(rmm_free_contig_range(rmm, 0, 3000, 10), 0);
		owners_destroy(&w);
	}
}

/* Blocks that were kept apart by the edge of isolation lie together again. */
static void test_contig_undone_isolation_merges(void **state)
{
	struct rmm *rmm = machine(8, false);
	struct rmm_zone *z = &rmm->zone[0];

	(void)state;
	assert_int_equal(rmm_nr_free(rmm, 0, 10, RMM_MOVABLE), 4);
	assert_int_equal(rmm_start_isolate_page_range(z, 0, 512, 1100, RMM_MOVABLE), 0);
	assert_int_equal(rmm_nr_free(rmm, 0, 10, RMM_MOVABLE), 2);
	assert_int_equal(rmm_nr_free_pages(rmm), 6 * BLOCK);
	assert_int_equal(rmm_test_pages_isolated(z, 512, 1536), RMM_NO_PFN);
	assert_int_equal(rmm_test_pages_isolated(z, 512, 1537), 1536);
	rmm_undo_isolate_page_range(z, 0, 512, 1100, RMM_MOVABLE);
	assert_int_equal(rmm_nr_free(rmm, 0, 10, RMM_MOVABLE), 4);
	check_destroy(rmm);
}

/* 6.1: a page was freed while its pageblock was reserved, and is drained when
 * that is movable again: as reserved, so it does not merge with a neighbour. */
static void test_contig_undone_isolation_of_the_reserve(void **state)
{
	struct rmm_fault second = {.points = RMM_FAULT_ISOLATE_BLOCK, .nth = 2};
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 4);
	m.config.fallback = RMM_FALLBACK_STEAL;
	m.config.isolate_bit = true;
	rmm = machine_new(&m);
	assert_int_equal(rmm_set_pageblock_migratetype(rmm, BLOCK, RMM_HIGHATOMIC), 0);
	assert_int_equal(rmm_free_reserved(rmm, 0, 4 * BLOCK), 0);
	assert_int_equal(rmm_setup_done(rmm), 0);
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, BLOCK, 1, RMM_MOVABLE), 0);
	put(rmm, BLOCK, 0);
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 1);
	rmm->config.isolate_bit = false;
	rmm_set_fault(rmm, &second);
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, BLOCK, 2 * BLOCK, RMM_MOVABLE), -EBUSY);
	rmm_set_fault(rmm, NULL);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, BLOCK), RMM_MOVABLE);
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm_nr_free(rmm, 0, 9, RMM_HIGHATOMIC), 1);
	check_destroy(rmm);
}

static void test_contig_large_blocks_move_as_they_are(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 8);
	rmm = machine_boot(&m);
	owners_init(&w, rmm);
	for (int i = 0; i < 3; i++)
		assert_true(owners_get(&w, RMM_GFP_TRANSHUGE, 9));
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, w.pfn[1] + 100, 8, RMM_MOVABLE), 0);
	assert_int_equal(w.moves, 1); /* all of the huge page */
	assert_int_equal(rmm_nr_free_pages(rmm) + rmm_pcp_count(rmm, 0, 0), 5 * BLOCK - 8);
	check(rmm);
	rmm_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contig_any_range_can_be_had),
		cmocka_unit_test(test_contig_refused_range_is_as_before),
		cmocka_unit_test(test_contig_unmovable_neighbour_refuses),
		cmocka_unit_test(test_contig_cma_is_for_cma_only),
		cmocka_unit_test(test_contig_low_memory_stays_low),
		cmocka_unit_test(test_contig_without_room_nothing_is_lost),
		cmocka_unit_test(test_contig_any_step_may_fail),
		cmocka_unit_test(test_contig_types_come_back_by_version),
		cmocka_unit_test(test_contig_undone_isolation_merges),
		cmocka_unit_test(test_contig_undone_isolation_of_the_reserve),
		cmocka_unit_test(test_contig_large_blocks_move_as_they_are),
	};

	return RUN(tests);
}
