/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Zones, fallback and reserves, where one line decides; see tests/mutants. */
#include "machine.h"

static struct rmm *unready(unsigned int blocks, enum rmm_fallback fallback)
{
	struct machine m;

	machine_init(&m, blocks);
	m.config.pcp = false;
	m.config.fallback = fallback;
	return machine_new(&m);
}

static struct rmm *ready(struct rmm *rmm)
{
	assert_int_equal(rmm_setup_done(rmm), 0);
	return rmm;
}

static void test_zone_ends_before_the_frame_behind_it(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 0, 2 * BLOCK - 3);
	rmm = machine_boot(&m);
	assert_non_null(rmm_pfn_to_page(rmm, 2 * BLOCK - 4));
	assert_null(rmm_pfn_to_page(rmm, 2 * BLOCK - 3));
	check_destroy(rmm);
}

static void test_zone_blocks_of_neighbours_do_not_merge(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_DMA, 0, BLOCK);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, BLOCK, BLOCK);
	rmm = machine_boot(&m);
	assert_int_equal(rmm_nr_free(rmm, 0, 9, -1), 1);
	assert_int_equal(rmm_nr_free(rmm, 1, 9, -1), 1);
	check_destroy(rmm);
}

static void test_zone_forbidden_on_another_node_is_not_used(void **state)
{
	static const uint8_t cpu_node[1] = {0};
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 1);
	m.config.cpu_node = cpu_node;
	m.config.pcp = false;
	machine_zone(&m, 1, RMM_ZONE_HIGHMEM, BLOCK, BLOCK);
	rmm = machine_boot(&m);
	for (rmm_pfn p; (p = get(rmm, RMM_GFP_KERNEL | RMM_GFP_MEMALLOC, 0)) != RMM_NO_PFN;)
		assert_true(p < BLOCK);
	assert_int_not_equal(get(rmm, RMM_GFP_HIGHUSER, 0), RMM_NO_PFN);
	check_destroy(rmm);
}

static void test_zone_watermark_counts_cma_blocks_for_movable(void **state)
{
	struct rmm *rmm = unready(2, RMM_FALLBACK_CLAIM);

	(void)state;
	rmm_set_pageblock_migratetype(rmm, 0, RMM_CMA);
	rmm_load_free(rmm, 0, 9, RMM_CMA);
	ready(rmm);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 2), RMM_NO_PFN);
	assert_int_not_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 2), RMM_NO_PFN);
	check_destroy(rmm);
}

static void test_fallback_leaves_cma_to_movable_requests(void **state)
{
	struct rmm *rmm = unready(2, RMM_FALLBACK_STEAL);
	unsigned int gfp = RMM_GFP_KERNEL | RMM_GFP_MEMALLOC;

	(void)state;
	rmm_set_pageblock_migratetype(rmm, 0, RMM_CMA);
	rmm_load_free(rmm, 0, 3, RMM_CMA);
	ready(rmm);
	assert_int_equal(get(rmm, gfp, 0), RMM_NO_PFN);
	assert_int_equal(get(rmm, gfp | RMM_GFP_MOVABLE, 0), 0);
	check_destroy(rmm);
}

static void test_fallback_claims_the_largest_block(void **state)
{
	struct rmm *rmm = unready(4, RMM_FALLBACK_CLAIM);

	(void)state;
	rmm_load_free(rmm, 0, 9, RMM_MOVABLE);
	rmm_load_free(rmm, 2 * BLOCK, 10, RMM_MOVABLE);
	ready(rmm);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 2 * BLOCK);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_MOVABLE);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 2 * BLOCK), RMM_UNMOVABLE);
	check_destroy(rmm);
}

static void test_fallback_counts_movable_pages_as_alike(void **state)
{
	struct rmm *rmm = unready(2, RMM_FALLBACK_CLAIM);

	(void)state;
	rmm_set_pageblock_migratetype(rmm, 0, RMM_UNMOVABLE);
	rmm_load_free(rmm, 0, 6, RMM_UNMOVABLE);
	rmm_load_allocated(rmm, 64, 6, RMM_UNMOVABLE);
	rmm_load_allocated(rmm, 128, 7, RMM_UNMOVABLE);
	rmm_load_allocated(rmm, 256, 8, RMM_MOVABLE);
	ready(rmm);
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 5), 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_MOVABLE);
	check_destroy(rmm);
}

/* A list may differ from its pageblock where a snapshot said so. */
static void test_fallback_never_claims_a_reserved_pageblock(void **state)
{
	(void)state;
	for (unsigned int order = 6; order <= 9; order += 3) {
		struct rmm *rmm = unready(2, RMM_FALLBACK_CLAIM);

		rmm_set_pageblock_migratetype(rmm, 0, RMM_HIGHATOMIC);
		rmm_load_free(rmm, 0, order, RMM_MOVABLE);
		ready(rmm);
		assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 0);
		assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_HIGHATOMIC);
		check_destroy(rmm);
	}
}

/* Order-0 blocks: one in a pageblock in use, then half of another pageblock */
static void test_fallback_goes_on_stealing_within_a_refill(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 2);
	machine_zone(&m, 0, RMM_ZONE_DMA32, 0, 0);
	m.config.pcp_batch = 2;
	m.config.pcp_high = 100;
	rmm = machine_new(&m);
	rmm_load_free(rmm, 1, 0, RMM_MOVABLE);
	for (rmm_pfn p = 2; p < BLOCK; p += 2)
		rmm_load_allocated(rmm, p, 1, RMM_MOVABLE);
	for (rmm_pfn p = BLOCK; p < 2 * BLOCK; p += 2)
		rmm_load_free(rmm, p, 0, RMM_MOVABLE);
	ready(rmm);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 1);
	/* The walk that avoids mixing found nothing, and doubled the refill. */
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 3);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, BLOCK), RMM_MOVABLE);
	assert_int_equal(stats(rmm).fallback_steal[RMM_UNMOVABLE][RMM_MOVABLE], 4);
	check_destroy(rmm);
}

static unsigned int wakes;

static void count_wake(void *ctx, unsigned int zone, unsigned int order)
{
	(void)ctx, (void)zone, (void)order;
	wakes++;
}

static void test_fallback_boost_wakes_kswapd_if_the_request_may(void **state)
{
	static const struct {
		enum rmm_fallback fallback;
		unsigned int gfp, wakes;
	} cases[] = {
		{RMM_FALLBACK_CLAIM, RMM_GFP_KERNEL, 1},
		{RMM_FALLBACK_STEAL, RMM_GFP_KERNEL, 1},
		{RMM_FALLBACK_CLAIM, RMM_GFP_DIRECT_RECLAIM, 0},
		{RMM_FALLBACK_STEAL, RMM_GFP_DIRECT_RECLAIM, 0},
	};
	const struct rmm_hooks hooks = {.wake_kswapd = count_wake};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = unready(8, cases[i].fallback);

		rmm_load_free(rmm, 0, 8, RMM_MOVABLE);
		ready(rmm);
		rmm->zone[0].wmark[RMM_WMARK_HIGH] = 1;
		rmm_set_hooks(rmm, &hooks);
		wakes = 0;
		assert_int_not_equal(get(rmm, cases[i].gfp, 0), RMM_NO_PFN);
		assert_int_equal(stats(rmm).boost, 1);
		rmm->zone[0].boost = 0;
		get(rmm, RMM_GFP_KERNEL, 0); /* whoever comes next may wake it */
		assert_int_equal(wakes, cases[i].wakes);
		check_destroy(rmm);
	}
}

/* @blocks reserved pageblocks, wholly free; nothing else is */
static struct rmm *reserved(unsigned int blocks)
{
	struct rmm *rmm = unready(blocks, RMM_FALLBACK_CLAIM);

	for (rmm_pfn p = 0; p < blocks * BLOCK; p += BLOCK) {
		rmm_set_pageblock_migratetype(rmm, p, RMM_HIGHATOMIC);
		rmm_load_free(rmm, p, 9, RMM_HIGHATOMIC);
	}
	return ready(rmm);
}

static struct rmm_alloc_context everywhere(struct rmm *rmm)
{
	return (struct rmm_alloc_context){
		.rmm = rmm,
		.zonelist = &rmm->zonelist[0],
		.highest = RMM_ZONE_NORMAL,
		.end = rmm->zonelist[0].nr,
		.want = {.migratetype = RMM_MOVABLE},
	};
}

static void test_highatomic_last_pageblock_is_given_back_by_force(void **state)
{
	struct rmm *rmm = reserved(3);
	struct rmm_alloc_context ac = everywhere(rmm);

	(void)state;
	assert_true(rmm_unreserve_highatomic_pageblock(&ac, false));
	assert_int_equal(rmm->zone[0].nr_reserved_highatomic, 2 * BLOCK);
	assert_true(rmm_unreserve_highatomic_pageblock(&ac, false));
	assert_int_equal(rmm->zone[0].nr_reserved_highatomic, BLOCK);
	assert_false(rmm_unreserve_highatomic_pageblock(&ac, false));
	assert_true(rmm_unreserve_highatomic_pageblock(&ac, true));
	assert_int_equal(rmm->zone[0].nr_reserved_highatomic, 0);
	check_destroy(rmm);
}

static void test_highatomic_serves_who_cannot_wait_at_last(void **state)
{
	struct rmm *rmm = reserved(2);

	(void)state;
	assert_int_equal(get(rmm, RMM_GFP_KERNEL | RMM_GFP_NORETRY, 0), RMM_NO_PFN);
	assert_int_not_equal(get(rmm, RMM_GFP_NOWAIT, 0), RMM_NO_PFN);
	check_destroy(rmm);
}

static void test_slowpath_noretry_leaves_the_reserve(void **state)
{
	struct rmm *rmm = reserved(1);

	(void)state;
	assert_int_equal(get(rmm, RMM_GFP_KERNEL | RMM_GFP_NORETRY, 0), RMM_NO_PFN);
	assert_int_equal(rmm->zone[0].nr_reserved_highatomic, BLOCK);
	assert_int_not_equal(get(rmm, RMM_GFP_KERNEL, 0), RMM_NO_PFN);
	assert_int_equal(rmm->zone[0].nr_reserved_highatomic, 0);
	check_destroy(rmm);
}

static void test_bulk_charged_request_gets_one_page(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *pages[8] = {NULL};

	(void)state;
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL | RMM_GFP_ACCOUNT, 8, pages),
			 1);
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 8, pages), 8);
	check_destroy(rmm);
}

static void test_free_of_a_pointer_into_a_page_is_refused(void **state)
{
	struct rmm *rmm = machine(1, false);
	struct rmm_page *page = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 1);
	struct rmm_page *inside = (struct rmm_page *)((char *)page + 8);

	(void)state;
	page[1].private = (uint64_t)RMM_PG_ALLOCATED << 32; /* as inside->state */
	assert_int_equal(rmm_free_pages(rmm, 0, inside, 0), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "not of this instance"));
	page[1].private = 0;
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_ends_before_the_frame_behind_it),
		cmocka_unit_test(test_zone_blocks_of_neighbours_do_not_merge),
		cmocka_unit_test(test_zone_forbidden_on_another_node_is_not_used),
		cmocka_unit_test(test_zone_watermark_counts_cma_blocks_for_movable),
		cmocka_unit_test(test_fallback_leaves_cma_to_movable_requests),
		cmocka_unit_test(test_fallback_claims_the_largest_block),
		cmocka_unit_test(test_fallback_counts_movable_pages_as_alike),
		cmocka_unit_test(test_fallback_never_claims_a_reserved_pageblock),
		cmocka_unit_test(test_fallback_goes_on_stealing_within_a_refill),
		cmocka_unit_test(test_fallback_boost_wakes_kswapd_if_the_request_may),
		cmocka_unit_test(test_highatomic_last_pageblock_is_given_back_by_force),
		cmocka_unit_test(test_highatomic_serves_who_cannot_wait_at_last),
		cmocka_unit_test(test_slowpath_noretry_leaves_the_reserve),
		cmocka_unit_test(test_bulk_charged_request_gets_one_page),
		cmocka_unit_test(test_free_of_a_pointer_into_a_page_is_refused),
	};

	return RUN(tests);
}
