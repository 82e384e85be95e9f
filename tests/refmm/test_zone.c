/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who may have how much of a zone: refmm/zone.c. */
#include "machine.h"

enum { MIN = 800 };

/* 16384 pages free, marks as set by the test */
static struct rmm *marked(void)
{
	struct rmm *rmm = machine(32, false);

	rmm->zone[0].wmark[RMM_WMARK_MIN] = MIN;
	rmm->zone[0].lowmem_reserve[RMM_ZONE_MOVABLE] = 50;
	return rmm;
}

/* The least number of free pages with which a request passes */
static int64_t threshold(const struct rmm *rmm, unsigned int order, unsigned int flags,
			 unsigned int highest)
{
	const struct rmm_want want = {.order = order, .alloc_flags = flags};

	for (int64_t free = 0; free < 4096; free++)
		if (rmm__zone_watermark_ok(&rmm->zone[0], &want, MIN, highest, free))
			return free;
	return -1;
}

static void test_zone_watermark_urgency_lowers_the_mark(void **state)
{
	static const struct {
		unsigned int order, flags, highest;
		int64_t least;
	} cases[] = {
		{0, 0, RMM_ZONE_NORMAL, MIN + 1},
		{3, 0, RMM_ZONE_NORMAL, MIN + 7 + 1},
		{0, 0, RMM_ZONE_MOVABLE, MIN + 50 + 1},
		{0, RMM_ALLOC_MIN_RESERVE, RMM_ZONE_NORMAL, MIN / 2 + 1},
		{0, RMM_ALLOC_MIN_RESERVE | RMM_ALLOC_NON_BLOCK, RMM_ZONE_NORMAL, MIN * 3 / 8 + 1},
		{0, RMM_ALLOC_NON_BLOCK, RMM_ZONE_NORMAL, MIN + 1},
	};
	struct rmm *rmm = marked();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(threshold(rmm, cases[i].order, cases[i].flags, cases[i].highest),
				 cases[i].least);
	check_destroy(rmm);
}

static void test_zone_watermark_reserved_pages_do_not_count(void **state)
{
	struct rmm *rmm = marked();

	(void)state;
	rmm->zone[0].nr_free_highatomic = rmm->zone[0].unusable_highatomic = 30;
	rmm->zone[0].nr_free_cma = 20;
	assert_int_equal(threshold(rmm, 0, 0, RMM_ZONE_NORMAL), MIN + 51);
	assert_int_equal(threshold(rmm, 0, RMM_ALLOC_CMA, RMM_ZONE_NORMAL), MIN + 31);
	assert_int_equal(threshold(rmm, 0, RMM_ALLOC_NON_BLOCK, RMM_ZONE_NORMAL), MIN + 21);
	rmm_destroy(rmm);
}

static void test_zone_watermark_needs_a_block_of_the_order(void **state)
{
	struct machine m;
	struct rmm *rmm;
	struct rmm_want want = {.order = 3};

	(void)state;
	machine_init(&m, 8);
	rmm = machine_new(&m);
	for (rmm_pfn p = 0; p < 512; p += 8)
		rmm_load_free(rmm, p, 2, RMM_MOVABLE);
	rmm_load_free(rmm, 1024, 3, RMM_HIGHATOMIC);
	assert_false(rmm__zone_watermark_ok(&rmm->zone[0], &want, 0, 2, 256));
	want.alloc_flags = RMM_ALLOC_HIGHATOMIC;
	assert_true(rmm__zone_watermark_ok(&rmm->zone[0], &want, 0, 2, 256));
	want.alloc_flags = 0;
	want.order = 2;
	assert_true(rmm__zone_watermark_ok(&rmm->zone[0], &want, 0, 2, 256));
	rmm_destroy(rmm);
}

static void test_zone_boost_adds_pageblocks_up_to_the_limit(void **state)
{
	struct rmm *rmm = machine(32, false);
	struct rmm_zone *z = &rmm->zone[0];

	(void)state;
	z->wmark[RMM_WMARK_HIGH] = 1000; /* times 1.5 */
	assert_true(rmm_boost_watermark(z));
	assert_int_equal(z->boost, 512);
	assert_true(rmm_boost_watermark(z));
	assert_true(rmm_boost_watermark(z));
	assert_int_equal(z->boost, 1500);
	z->boost = 0;
	z->wmark[RMM_WMARK_HIGH] = 1; /* at least a pageblock */
	assert_true(rmm_boost_watermark(z));
	assert_int_equal(z->boost, 512);
	assert_int_equal(rmm_wmark_pages(z, RMM_WMARK_HIGH), 513);
	rmm_kswapd_done(rmm, 0);
	assert_int_equal(z->boost, 0);
	check_destroy(rmm);
}

static void test_zone_boost_is_skipped_where_it_would_hurt(void **state)
{
	struct rmm *small = machine(3, false), *rmm = machine(32, false);

	(void)state;
	small->zone[0].wmark[RMM_WMARK_HIGH] = 1000;
	assert_false(rmm_boost_watermark(&small->zone[0]));
	rmm->zone[0].wmark[RMM_WMARK_HIGH] = 0;
	assert_false(rmm_boost_watermark(&rmm->zone[0]));
	rmm->zone[0].wmark[RMM_WMARK_HIGH] = 1000;
	rmm->config.watermark_boost_factor = 0;
	assert_false(rmm_boost_watermark(&rmm->zone[0]));
	check_destroy(small);
	check_destroy(rmm);
}

static void test_zone_fast_check_ignores_boost_for_atomic_page(void **state)
{
	struct rmm *rmm = marked();
	struct rmm_zone *z = &rmm->zone[0];
	struct rmm_want want = {.alloc_flags = RMM_WMARK_MIN | RMM_ALLOC_MIN_RESERVE};

	(void)state;
	z->boost = 40000;
	assert_true(rmm_zone_watermark_fast(z, &want, MIN + z->boost, RMM_ZONE_NORMAL));
	want.order = 1;
	assert_false(rmm_zone_watermark_fast(z, &want, MIN + z->boost, RMM_ZONE_NORMAL));
	want.order = 0;
	want.alloc_flags = RMM_WMARK_LOW | RMM_ALLOC_MIN_RESERVE;
	assert_false(rmm_zone_watermark_fast(z, &want, MIN + z->boost, RMM_ZONE_NORMAL));
	check_destroy(rmm);
}

/* Two CPUs and 64 MiB: 2 * fls(2) * (1 + fls(0)) = 4 pages; 32 pageblocks free. */
static void test_zone_watermarks_see_what_cpus_have_told(void **state)
{
	struct machine m;
	struct rmm *rmm;
	struct rmm_zone *z;

	(void)state;
	machine_init(&m, 32);
	m.config.pcp = false;
	m.config.nr_cpus = 2;
	m.config.stat_threshold = true;
	rmm = machine_boot(&m);
	z = &rmm->zone[0];
	assert_int_equal(z->nr_free_seen, 32 * BLOCK);
	for (int i = 0; i < 4; i++)
		assert_non_null(rmm_alloc_pages(rmm, 0, RMM_GFP_HIGHUSER_MOVABLE, 0));
	assert_non_null(rmm_alloc_pages(rmm, 1, RMM_GFP_HIGHUSER_MOVABLE, 0));
	assert_int_equal(z->nr_free, 32 * BLOCK - 5);
	assert_int_equal(z->nr_free_seen, 32 * BLOCK);
	check(rmm);
	assert_non_null(rmm_alloc_pages(rmm, 0, RMM_GFP_HIGHUSER_MOVABLE, 0)); /* its fifth */
	assert_int_equal(z->nr_free_seen, 32 * BLOCK - 5);
	rmm_refresh_cpu_vm_stats(rmm, 1);
	assert_int_equal(z->nr_free_seen, 32 * BLOCK - 6);
	assert_int_equal(rmm_nr_free_pages(rmm), 32 * BLOCK - 6);
	check_destroy(rmm);
}

static void test_zone_stat_threshold_follows_the_marks_under_pressure(void **state)
{
	static const struct {
		uint64_t low;
		int threshold;
	} cases[] = {{MIN + 60, 30}, {MIN + 1, 1}, {MIN + 10000, 125}};
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 32);
	m.config.nr_cpus = 2;
	m.config.stat_threshold = true;
	rmm = machine_boot(&m);
	rmm->zone[0].wmark[RMM_WMARK_MIN] = MIN;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rmm->zone[0].wmark[RMM_WMARK_LOW] = cases[i].low;
		rmm_set_reclaim_active(rmm, 0, true);
		assert_int_equal(rmm->zone[0].stat_threshold, cases[i].threshold);
	}
	rmm_set_reclaim_active(rmm, 0, false);
	assert_int_equal(rmm->zone[0].stat_threshold, 4);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_watermark_urgency_lowers_the_mark),
		cmocka_unit_test(test_zone_watermark_reserved_pages_do_not_count),
		cmocka_unit_test(test_zone_watermark_needs_a_block_of_the_order),
		cmocka_unit_test(test_zone_boost_adds_pageblocks_up_to_the_limit),
		cmocka_unit_test(test_zone_boost_is_skipped_where_it_would_hurt),
		cmocka_unit_test(test_zone_fast_check_ignores_boost_for_atomic_page),
		cmocka_unit_test(test_zone_watermarks_see_what_cpus_have_told),
		cmocka_unit_test(test_zone_stat_threshold_follows_the_marks_under_pressure),
	};

	return RUN(tests);
}
