/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The order in which lists are tried: refmm/rmqueue.c, highatomic.c. */
#include "machine.h"

/* Blocks 0..1 movable, 2..5 CMA, all free */
static struct rmm *with_cma(unsigned int movable_blocks)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 8);
	m.config.pcp = false;
	rmm = machine_new(&m);
	for (rmm_pfn b = 0; b < movable_blocks; b++)
		rmm_load_free(rmm, b * BLOCK, 9, RMM_MOVABLE);
	for (rmm_pfn b = 4; b < 6; b++) {
		rmm_set_pageblock_migratetype(rmm, b * BLOCK, RMM_CMA);
		rmm_load_free(rmm, b * BLOCK, 9, RMM_CMA);
	}
	rmm_setup_done(rmm);
	return rmm;
}

static void test_rmqueue_cma_goes_first_while_over_half(void **state)
{
	struct rmm *rmm = with_cma(1); /* 1024 of 1536 are CMA */

	(void)state;
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 8) / BLOCK, 4);
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 8) / BLOCK, 4);
	/* 512 of 1024: no longer over half */
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 8) / BLOCK, 0);
	check_destroy(rmm);
}

static void test_rmqueue_unmovable_never_gets_cma(void **state)
{
	struct rmm *rmm = with_cma(0);

	(void)state;
	assert_int_equal(get(rmm, RMM_GFP_KERNEL | RMM_GFP_MEMALLOC, 0), RMM_NO_PFN);
	assert_int_not_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), RMM_NO_PFN);
	check_destroy(rmm);
}

static void test_rmqueue_steal_mode_lasts_for_one_refill(void **state)
{
	struct machine m;
	struct rmm *rmm;
	enum rmm_rmqueue_mode mode = RMM_RMQUEUE_NORMAL;
	const struct rmm_want want = {.migratetype = RMM_MOVABLE};

	(void)state;
	machine_init(&m, 8);
	rmm = machine_new(&m);
	rmm_set_pageblock_migratetype(rmm, 0, RMM_UNMOVABLE);
	rmm_load_free(rmm, 0, 1, RMM_UNMOVABLE);
	rmm_zone_lock(&rmm->zone[0], 0);
	assert_int_equal(rmm__rmqueue(&rmm->zone[0], &want, &mode), 0);
	assert_int_equal(mode, RMM_RMQUEUE_STEAL);
	rmm_add_to_free_list(&rmm->zone[0], 600, 0, RMM_MOVABLE, false);
	assert_int_equal(rmm__rmqueue(&rmm->zone[0], &want, &mode), 1); /* not 600 */
	rmm_zone_unlock(&rmm->zone[0]);
	rmm_destroy(rmm);
}

static void test_rmqueue_claim_returns_to_normal_mode(void **state)
{
	struct rmm *rmm = machine(2, false);
	enum rmm_rmqueue_mode mode = RMM_RMQUEUE_NORMAL;
	const struct rmm_want want = {.migratetype = RMM_UNMOVABLE};

	(void)state;
	rmm_zone_lock(&rmm->zone[0], 0);
	assert_int_equal(rmm__rmqueue(&rmm->zone[0], &want, &mode), 0);
	assert_int_equal(mode, RMM_RMQUEUE_NORMAL);
	assert_int_equal(rmm__rmqueue(&rmm->zone[0], &want, &mode), 1);
	rmm_zone_unlock(&rmm->zone[0]);
	rmm_destroy(rmm);
}

static void test_highatomic_is_reserved_by_an_atomic_request(void **state)
{
	struct rmm *rmm = machine(200, true); /* 1 % is over a pageblock */
	struct rmm_zone *z = &rmm->zone[0];
	rmm_pfn p;

	(void)state;
	z->wmark[RMM_WMARK_LOW] = z->wmark[RMM_WMARK_HIGH] = 200 * BLOCK; /* slow path */
	p = get(rmm, RMM_GFP_ATOMIC, 3);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, p), RMM_HIGHATOMIC);
	assert_int_equal(z->nr_reserved_highatomic, BLOCK);
	assert_int_not_equal(z->nr_free_highatomic, 0);
	/* The next one comes from the reserve; an order 0 one does not. */
	for (int i = 0; i < 8; i++)
		get(rmm, RMM_GFP_ATOMIC, 3);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, get(rmm, RMM_GFP_ATOMIC, 4)),
			 RMM_HIGHATOMIC);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, get(rmm, RMM_GFP_ATOMIC, 0)),
			 RMM_UNMOVABLE);
	check_destroy(rmm);
}

static void test_highatomic_small_zone_reserves_nothing(void **state)
{
	struct rmm *rmm = machine(99, true);

	(void)state;
	rmm->zone[0].wmark[RMM_WMARK_LOW] = rmm->zone[0].wmark[RMM_WMARK_HIGH] = 99 * BLOCK;
	get(rmm, RMM_GFP_ATOMIC, 3);
	assert_int_equal(rmm->zone[0].nr_reserved_highatomic, 0);
	check_destroy(rmm);
}

static void test_highatomic_is_given_back_before_failing(void **state)
{
	struct rmm *rmm = machine(200, true);
	struct rmm_zone *z = &rmm->zone[0];

	(void)state;
	z->wmark[RMM_WMARK_LOW] = z->wmark[RMM_WMARK_HIGH] = 200 * BLOCK;
	get(rmm, RMM_GFP_ATOMIC, 3);
	assert_int_equal(z->nr_reserved_highatomic, BLOCK);
	while (get(rmm, RMM_GFP_KERNEL, 0) != RMM_NO_PFN)
		;
	assert_int_equal(z->nr_reserved_highatomic, 0);
	assert_int_equal(stats(rmm).highatomic_unreserve, 1);
	assert_int_equal(rmm_nr_free_pages(rmm), 0);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rmqueue_cma_goes_first_while_over_half),
		cmocka_unit_test(test_rmqueue_unmovable_never_gets_cma),
		cmocka_unit_test(test_rmqueue_steal_mode_lasts_for_one_refill),
		cmocka_unit_test(test_rmqueue_claim_returns_to_normal_mode),
		cmocka_unit_test(test_highatomic_is_reserved_by_an_atomic_request),
		cmocka_unit_test(test_highatomic_small_zone_reserves_nothing),
		cmocka_unit_test(test_highatomic_is_given_back_before_failing),
	};

	return RUN(tests);
}
