/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The policy of 6.1, where it differs from the newer one: refmm/fallback_61.c. */
#include "machine.h"

/* Two pageblocks of movable pages in use, under the 6.1 policy */
static struct rmm *full(void)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 2);
	m.config.pcp = false;
	m.config.fallback = RMM_FALLBACK_STEAL;
	rmm = machine_boot(&m);
	for (rmm_pfn p = 0; p < 2 * BLOCK; p++)
		assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_MEMALLOC, 0), p);
	rmm->zone[0].wmark[RMM_WMARK_LOW] = rmm->zone[0].wmark[RMM_WMARK_HIGH] = 0;
	return rmm;
}

static void free_range(struct rmm *rmm, rmm_pfn from, rmm_pfn to)
{
	for (rmm_pfn p = from; p < to; p++)
		put(rmm, p, 0);
}

static void test_fallback_61_free_blocks_leave_a_kept_pageblock(void **state)
{
	struct rmm *rmm = full();

	(void)state;
	free_range(rmm, 0, 128);
	free_range(rmm, 200, 201);
	/* 129 of 512: not claimed, and yet everything free moves */
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 200);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_MOVABLE);
	assert_int_equal(rmm_nr_free(rmm, 0, 7, RMM_UNMOVABLE), 1);
	assert_int_equal(stats(rmm).fallback_pollute[RMM_UNMOVABLE][RMM_MOVABLE], 1);
	check_destroy(rmm);
}

static void test_fallback_61_half_free_pageblock_changes_type(void **state)
{
	struct rmm *rmm = full();

	(void)state;
	free_range(rmm, 0, 256);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_UNMOVABLE);
	assert_int_equal(stats(rmm).fallback_claim[RMM_UNMOVABLE][RMM_MOVABLE], 1);
	check_destroy(rmm);
}

static void test_fallback_61_movable_takes_the_smallest(void **state)
{
	struct rmm *rmm = full();

	(void)state;
	rmm_set_pageblock_migratetype(rmm, 0, RMM_UNMOVABLE);
	free_range(rmm, 0, 8); /* order 3: not worth converting for movable */
	free_range(rmm, 100, 101);
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 100);
	assert_int_equal(stats(rmm).fallback_steal[RMM_MOVABLE][RMM_UNMOVABLE], 1);
	assert_int_equal(rmm_nr_free(rmm, 0, 3, RMM_UNMOVABLE), 1);
	check_destroy(rmm);
}

static void test_fallback_61_pageblock_sized_block_changes_type(void **state)
{
	struct rmm *rmm = full();

	(void)state;
	free_range(rmm, 512, 1024);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 2), 512);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 512), RMM_UNMOVABLE);
	assert_int_equal(rmm_nr_free(rmm, 0, 2, RMM_UNMOVABLE), 1);
	check_destroy(rmm);
}

static void test_fallback_61_nothing_free_fails(void **state)
{
	struct rmm *rmm = full();

	(void)state;
	assert_int_equal(get(rmm, RMM_GFP_KERNEL | RMM_GFP_MEMALLOC, 0), RMM_NO_PFN);
	check_destroy(rmm);
}

/* What a refill took from CMA's lists goes back there, used or not: nothing but
 * movable pages may come to lie in CMA's area. */
static void test_fallback_61_cma_pages_stay_cma(void **state)
{
	struct machine m;
	struct rmm *rmm;
	rmm_pfn p;

	(void)state;
	machine_init(&m, 4);
	m.config.fallback = RMM_FALLBACK_STEAL;
	m.config.pcp_mode = RMM_PCP_FIXED;
	m.config.pcp_batch = 31;
	rmm = machine_new(&m);
	for (rmm_pfn b = 1; b < 4; b++)
		rmm_set_pageblock_migratetype(rmm, b * BLOCK, RMM_CMA);
	assert_int_equal(rmm_load_pcp(rmm, 0, BLOCK + 9, 0, RMM_MOVABLE), 0);
	assert_int_equal(rmm_free_reserved(rmm, 0, BLOCK + 9), 0);
	assert_int_equal(rmm_free_reserved(rmm, BLOCK + 10, 3 * BLOCK - 10), 0);
	assert_int_equal(rmm_setup_done(rmm), 0);
	p = get(rmm, RMM_GFP_KERNEL, 0);
	put(rmm, p, 0);
	rmm_drain_all_pages(rmm, 0); /* the loaded one comes to the buddy lists */
	check(rmm);
	p = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0);
	assert_true(p >= BLOCK && rmm_pcp_count(rmm, 0, 0) > 0);
	rmm_drain_all_pages(rmm, 0);
	check(rmm);
	while ((p = get(rmm, RMM_GFP_KERNEL, 0)) != RMM_NO_PFN)
		assert_true(p < BLOCK);
	check_destroy(rmm);
}

/* 6.1's __free_one_page() leaves the pageblocks of what it merges as they are. */
static void test_fallback_61_merging_changes_no_pageblock(void **state)
{
	(void)state;
	for (int steal = 0; steal < 2; steal++) {
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 2);
		m.config.fallback = steal ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
		m.config.pcp = false;
		rmm = machine_new(&m);
		rmm_load_allocated(rmm, 0, 9, RMM_MOVABLE);
		rmm_set_pageblock_migratetype(rmm, BLOCK, RMM_UNMOVABLE);
		rmm_load_free(rmm, BLOCK, 9, RMM_UNMOVABLE);
		assert_int_equal(rmm_setup_done(rmm), 0);
		put(rmm, 0, 9);
		assert_int_equal(rmm_nr_free(rmm, 0, 10, RMM_MOVABLE), 1);
		assert_int_equal(rmm_get_pageblock_migratetype(rmm, BLOCK),
				 steal ? RMM_UNMOVABLE : RMM_MOVABLE);
		check_destroy(rmm);
	}
}

/* A block of order 10 in use, over two pageblocks, which change types @first and
 * @second before it is freed */
static struct rmm *free_large(bool steal, int first, int second)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 4);
	m.config.fallback = steal ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
	rmm = machine_boot(&m);
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 10), 0);
	rmm_set_pageblock_migratetype(rmm, 0, first);
	rmm_set_pageblock_migratetype(rmm, BLOCK, second);
	put(rmm, 0, 10);
	return rmm;
}

/* 6.1's __free_pages_ok() looks at the first pageblock's type only; 6.12 frees pageblock
 * by pageblock, and the second takes the first with it if they may merge at all. */
static void test_fallback_61_large_block_is_freed_whole(void **state)
{
	(void)state;
	for (int steal = 0; steal < 2; steal++) {
		struct rmm *rmm = free_large(steal, RMM_RECLAIMABLE, RMM_UNMOVABLE);

		assert_string_equal(free_list(rmm, 10, steal ? RMM_RECLAIMABLE : RMM_UNMOVABLE),
				    "0");
		assert_int_equal(stats(rmm).merge, steal ? 0 : 2 + 1); /* boot, too */
		assert_int_equal(rmm_get_pageblock_migratetype(rmm, BLOCK), RMM_UNMOVABLE);
		check_destroy(rmm);
		rmm = free_large(steal, RMM_HIGHATOMIC, RMM_UNMOVABLE);
		assert_string_equal(free_list(rmm, steal ? 10 : 9, RMM_HIGHATOMIC), "0");
		assert_int_equal(rmm_nr_free(rmm, 0, 9, RMM_UNMOVABLE), steal ? 0 : 1);
		check_destroy(rmm);
	}
}

/* 6.1 gives a block beyond the largest order back page by page. */
static void test_fallback_61_gigantic_block_is_not_whole(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 8);
	m.config.fallback = RMM_FALLBACK_STEAL;
	rmm = machine_new(&m);
	assert_int_equal(rmm_load_allocated(rmm, 0, 12, RMM_MOVABLE), 0);
	assert_int_equal(rmm_setup_done(rmm), 0);
	put(rmm, 0, 12);
	assert_int_equal(rmm_nr_free(rmm, 0, 10, RMM_MOVABLE), 4);
	check_destroy(rmm);
}

/* Drained, it is freed whole as well, to the type noted when it came. */
static void test_fallback_61_drained_block_is_freed_whole(void **state)
{
	(void)state;
	for (int steal = 0; steal < 2; steal++) {
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 4);
		m.config.fallback = steal ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
		m.config.pageblock_order = 8; /* half a huge page */
		rmm = machine_boot(&m);
		assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 9), 0);
		rmm_set_pageblock_migratetype(rmm, BLOCK / 2, RMM_HIGHATOMIC);
		put(rmm, 0, 9);
		assert_int_equal(stats(rmm).pcp_free, 1);
		rmm_drain_all_pages(rmm, 0);
		assert_int_equal(rmm_nr_free(rmm, 0, 8, RMM_HIGHATOMIC), steal ? 0 : 1);
		check_destroy(rmm);
	}
}

/* 6.1 reserves in small zones too, and counts all of the reserve as not to be had. */
static void test_fallback_61_highatomic_reserve(void **state)
{
	(void)state;
	for (int steal = 0; steal < 2; steal++) {
		const struct rmm_want want = {0};
		struct machine m;
		struct rmm *rmm;
		struct rmm_zone *z;
		rmm_pfn p;

		machine_init(&m, 8);
		m.config.fallback = steal ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
		m.config.pcp = false;
		rmm = machine_boot(&m);
		z = &rmm->zone[0];
		for (unsigned int i = 1; i <= 3; i++) { /* up to 40 + 512 pages */
			p = get(rmm, RMM_GFP_ATOMIC, 3);
			rmm_reserve_highatomic_pageblock(z, 0, p, 3);
			assert_int_equal(z->nr_reserved_highatomic,
					 steal ? (i < 2 ? i : 2) * BLOCK : 0);
			assert_int_equal(rmm_unusable_free(z, &want), z->nr_reserved_highatomic);
		}
		check_destroy(rmm);
	}
}

/* 6.1's __setup_per_zone_wmarks() treats MOVABLE as any zone but HIGHMEM. */
static void test_fallback_61_movable_zone_has_its_share(void **state)
{
	(void)state;
	for (int steal = 0; steal < 2; steal++) {
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 64);
		machine_zone(&m, 0, RMM_ZONE_MOVABLE, 64 * BLOCK, 64 * BLOCK);
		m.config.fallback = steal ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
		m.config.min_free_kbytes = 4000;
		rmm = machine_boot(&m);
		assert_int_equal(rmm->zone[0].wmark[RMM_WMARK_MIN], steal ? 500 : 1000);
		assert_int_equal(rmm->zone[1].wmark[RMM_WMARK_MIN], steal ? 500 : 32);
		check_destroy(rmm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fallback_61_free_blocks_leave_a_kept_pageblock),
		cmocka_unit_test(test_fallback_61_half_free_pageblock_changes_type),
		cmocka_unit_test(test_fallback_61_movable_takes_the_smallest),
		cmocka_unit_test(test_fallback_61_pageblock_sized_block_changes_type),
		cmocka_unit_test(test_fallback_61_nothing_free_fails),
		cmocka_unit_test(test_fallback_61_cma_pages_stay_cma),
		cmocka_unit_test(test_fallback_61_merging_changes_no_pageblock),
		cmocka_unit_test(test_fallback_61_large_block_is_freed_whole),
		cmocka_unit_test(test_fallback_61_gigantic_block_is_not_whole),
		cmocka_unit_test(test_fallback_61_drained_block_is_freed_whole),
		cmocka_unit_test(test_fallback_61_highatomic_reserve),
		cmocka_unit_test(test_fallback_61_movable_zone_has_its_share),
	};

	return RUN(tests);
}
