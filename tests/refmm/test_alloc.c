/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From gfp to zone, and the walk over zones: refmm/gfp.c, alloc.c. */
#include "machine.h"

static void test_gfp_zone_and_mobility_follow_the_mask(void **state)
{
	static const struct {
		unsigned int gfp, zone;
		int mt;
	} cases[] = {
		{RMM_GFP_KERNEL, RMM_ZONE_NORMAL, RMM_UNMOVABLE},
		{RMM_GFP_KERNEL | RMM_GFP_DMA, RMM_ZONE_DMA, RMM_UNMOVABLE},
		{RMM_GFP_KERNEL | RMM_GFP_DMA32, RMM_ZONE_DMA32, RMM_UNMOVABLE},
		{RMM_GFP_HIGHUSER, RMM_ZONE_HIGHMEM, RMM_UNMOVABLE},
		{RMM_GFP_HIGHUSER_MOVABLE, RMM_ZONE_MOVABLE, RMM_MOVABLE},
		{RMM_GFP_USER | RMM_GFP_MOVABLE, RMM_ZONE_NORMAL, RMM_MOVABLE},
		{RMM_GFP_MOVABLE | RMM_GFP_DMA32, RMM_ZONE_DMA32, RMM_MOVABLE},
		{RMM_GFP_NOFS | RMM_GFP_RECLAIMABLE, RMM_ZONE_NORMAL, RMM_RECLAIMABLE},
	};
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 2);
	machine_zone(&m, 0, RMM_ZONE_DMA32, 0, 0);
	rmm = machine_boot(&m);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(rmm_gfp_zone(rmm, cases[i].gfp), cases[i].zone);
		assert_int_equal(rmm_gfp_migratetype(rmm, cases[i].gfp), cases[i].mt);
	}
	check_destroy(rmm);
}

/* x86-32, as all kernels without CONFIG_ZONE_DMA32 */
static void test_gfp_dma32_without_such_a_zone_is_normal(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 0);
	rmm_config_32bit(&m.config, m.zone, 64u << 8);
	rmm = machine_boot(&m);
	assert_int_equal(rmm_gfp_zone(rmm, RMM_GFP_KERNEL | RMM_GFP_DMA32), RMM_ZONE_NORMAL);
	assert_int_equal(rmm_gfp_zone(rmm, RMM_GFP_KERNEL | RMM_GFP_DMA), RMM_ZONE_DMA);
	assert_int_equal(rmm_pfn_zone(rmm, get(rmm, RMM_GFP_KERNEL | RMM_GFP_DMA32, 0)), 1);
	check_destroy(rmm);
}

static void test_gfp_flags_without_effect_change_nothing(void **state)
{
	const unsigned int none = RMM_GFP_NOWARN | RMM_GFP_WRITE | RMM_GFP_HARDWALL;
	struct rmm *a = machine(4, true), *b = machine(4, true);
	static const unsigned int masks[] = {RMM_GFP_KERNEL, RMM_GFP_HIGHUSER_MOVABLE,
					     RMM_GFP_ATOMIC, RMM_GFP_NOFS | RMM_GFP_RECLAIMABLE};
	struct rmm_stat sa, sb;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		unsigned int gfp = masks[i % 4] & ~none;

		assert_int_equal(get(a, gfp, i % 3), get(b, gfp | none, i % 3));
	}
	sa = stats(a), sb = stats(b);
	assert_memory_equal(&sa, &sb, sizeof(sa));
	assert_true(sa.failed > 0);
	check_destroy(a);
	check_destroy(b);
}

static void test_gfp_urgency_becomes_alloc_flags(void **state)
{
	static const struct {
		unsigned int gfp, order, flags;
	} cases[] = {
		{RMM_GFP_KERNEL, 0, RMM_ALLOC_KSWAPD},
		{RMM_GFP_ATOMIC, 0, RMM_ALLOC_KSWAPD | RMM_ALLOC_MIN_RESERVE | RMM_ALLOC_NON_BLOCK},
		{RMM_GFP_ATOMIC, 3,
		 RMM_ALLOC_KSWAPD | RMM_ALLOC_MIN_RESERVE | RMM_ALLOC_NON_BLOCK |
			 RMM_ALLOC_HIGHATOMIC},
		{RMM_GFP_NOWAIT, 3, RMM_ALLOC_KSWAPD | RMM_ALLOC_NON_BLOCK},
		{RMM_GFP_ATOMIC | RMM_GFP_NOMEMALLOC, 3, RMM_ALLOC_KSWAPD | RMM_ALLOC_MIN_RESERVE},
		{RMM_GFP_TRANSHUGE_LIGHT, 9, RMM_ALLOC_CMA},
	};
	struct rmm *rmm = machine(2, true);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(rmm_gfp_to_alloc_flags(rmm, cases[i].gfp, cases[i].order),
				 cases[i].flags);
	check_destroy(rmm);
}

/* DMA 0..7, Normal 8..15 on node 0; Normal 16..23 on node 1; blocks of 512 */
static struct rmm *two_nodes(void)
{
	static const uint8_t cpu_node[2] = {0, 1};
	struct machine m;

	machine_init(&m, 0);
	m.config.nr_cpus = 2;
	m.config.cpu_node = cpu_node;
	m.config.pcp = false;
	machine_zone(&m, 0, RMM_ZONE_DMA, 0, 8 * BLOCK);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 8 * BLOCK, 8 * BLOCK);
	machine_zone(&m, 1, RMM_ZONE_NORMAL, 16 * BLOCK, 8 * BLOCK);
	return machine_boot(&m);
}

static unsigned int zone_of_alloc(struct rmm *rmm, unsigned int cpu, int nid, unsigned int gfp)
{
	struct rmm_page *page = rmm_alloc_pages_node(rmm, cpu, nid, gfp, 0);

	return page ? (unsigned int)rmm_pfn_zone(rmm, rmm_page_to_pfn(rmm, page)) : 99;
}

static void test_alloc_prefers_the_cpus_node(void **state)
{
	struct rmm *rmm = two_nodes();

	(void)state;
	assert_int_equal(zone_of_alloc(rmm, 0, -1, RMM_GFP_KERNEL), 1);
	assert_int_equal(zone_of_alloc(rmm, 1, -1, RMM_GFP_KERNEL), 2);
	assert_int_equal(zone_of_alloc(rmm, 1, 0, RMM_GFP_KERNEL), 1);
	assert_int_equal(zone_of_alloc(rmm, 1, -1, RMM_GFP_KERNEL | RMM_GFP_DMA), 0);
	check_destroy(rmm);
}

static void test_alloc_walks_down_then_to_other_nodes(void **state)
{
	struct rmm *rmm = two_nodes();
	unsigned int last = 1, order[8] = {1}, n = 1;

	(void)state;
	for (;;) {
		unsigned int z = zone_of_alloc(rmm, 0, -1, RMM_GFP_KERNEL);

		if (z != last)
			order[n++] = last = z;
		if (z == 99)
			break;
	}
	/* Once down to the low marks, once more to the min marks */
	assert_int_equal(n, 7);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(order[i], i % 3 == 0 ? 1 : i % 3 == 1 ? 0 : 2);
	check_destroy(rmm);
}

static void test_alloc_thisnode_stays(void **state)
{
	struct rmm *rmm = two_nodes();
	unsigned int gfp = RMM_GFP_KERNEL | RMM_GFP_THISNODE | RMM_GFP_NORETRY;

	(void)state;
	while (zone_of_alloc(rmm, 1, -1, gfp) == 2)
		;
	assert_int_equal(zone_of_alloc(rmm, 1, -1, gfp), 99);
	assert_int_equal(zone_of_alloc(rmm, 1, 0, gfp), 1);
	check_destroy(rmm);
}

static void test_alloc_lowmem_reserve_protects_dma(void **state)
{
	struct machine m;
	struct rmm *rmm;
	unsigned int dma = 0;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_DMA, 0, 8 * BLOCK);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 8 * BLOCK, 64 * BLOCK);
	m.config.lowmem_reserve_ratio[RMM_ZONE_DMA] = 16; /* 64 * 512 / 16 = 2048 */
	rmm = machine_boot(&m);
	while (zone_of_alloc(rmm, 0, -1, RMM_GFP_KERNEL | RMM_GFP_NORETRY) != 99)
		;
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm->zone[0].nr_free, 2048);
	while (zone_of_alloc(rmm, 0, -1, RMM_GFP_DMA | RMM_GFP_NORETRY) != 99)
		dma++;
	assert_in_range(dma, 2000, 2048);
	check_destroy(rmm);
}

static void test_alloc_below_high_mark_is_noted(void **state)
{
	struct rmm *rmm = machine(64, true);
	struct rmm_zone *z = &rmm->zone[0];

	(void)state;
	z->wmark[RMM_WMARK_HIGH] = 64 * BLOCK;
	get(rmm, RMM_GFP_KERNEL, 0);
	assert_int_equal(z->below_high, 1);
	z->wmark[RMM_WMARK_HIGH] = 0;
	for (rmm_pfn p = 0; p < 2000; p++)
		get(rmm, RMM_GFP_KERNEL, 0);
	for (rmm_pfn p = 0; p < 2000; p++)
		put(rmm, p, 0);
	assert_int_equal(z->below_high, 0); /* noticed when a drain found plenty */
	check_destroy(rmm);
}

static void count_wake(void *ctx, unsigned int zone, unsigned int order)
{
	(void)zone, (void)order;
	++*(unsigned int *)ctx;
}

static void test_alloc_after_a_boost_wakes_kswapd_once(void **state)
{
	struct rmm *rmm = machine(64, true);
	unsigned int wakes = 0;
	const struct rmm_hooks hooks = {.ctx = &wakes, .wake_kswapd = count_wake};

	(void)state;
	rmm_set_hooks(rmm, &hooks);
	get(rmm, RMM_GFP_KERNEL, 0); /* now the per-CPU list holds something */
	rmm->zone[0].boosted = 1;
	get(rmm, RMM_GFP_TRANSHUGE_LIGHT, 0); /* may not wake it */
	assert_int_equal(wakes, 0);
	get(rmm, RMM_GFP_KERNEL, 0);
	get(rmm, RMM_GFP_KERNEL, 0);
	assert_int_equal(wakes, 1);
	check_destroy(rmm);
}

static void test_alloc_nth_fails_on_request(void **state)
{
	struct rmm *rmm = machine(64, true);
	struct rmm_page *pages[10] = {NULL};

	(void)state;
	get(rmm, RMM_GFP_KERNEL, 0);
	for (uint64_t nth = 1; nth < 5; nth++) {
		rmm_fail_alloc(rmm, nth);
		for (uint64_t i = 1; i < 8; i++) {
			rmm_pfn p = get(rmm, RMM_GFP_KERNEL, i & 1 ? 0 : 4);

			assert_int_equal(p == RMM_NO_PFN, i == nth);
		}
	}
	assert_int_equal(stats(rmm).failed, 4);
	rmm_fail_alloc(rmm, 1);
	assert_int_not_equal(get(rmm, RMM_GFP_KERNEL | RMM_GFP_NOFAIL, 0), RMM_NO_PFN);
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 10, pages), 0);
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 10, pages), 10);
	check_destroy(rmm);
}

static void test_alloc_refuses_impossible_requests(void **state)
{
	struct rmm *rmm = machine(2, true);

	(void)state;
	assert_null(rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 11));
	assert_null(rmm_alloc_pages(rmm, 1, RMM_GFP_KERNEL, 0));
	assert_null(rmm_alloc_pages_node(rmm, 0, 1, RMM_GFP_KERNEL, 0));
	assert_non_null(strstr(rmm_last_error(rmm), "cannot allocate order 0 on CPU 0, node 1"));
	check_destroy(rmm);
}

static void test_alloc_counts_paths(void **state)
{
	struct rmm *rmm = machine(64, true);
	struct rmm_stat s;

	(void)state;
	put(rmm, get(rmm, RMM_GFP_KERNEL, 0), 0); /* refill */
	put(rmm, get(rmm, RMM_GFP_KERNEL, 0), 0); /* hit */
	put(rmm, get(rmm, RMM_GFP_KERNEL, 5), 5); /* no list */
	s = stats(rmm);
	assert_int_equal(s.pcp_refill, 1);
	assert_int_equal(s.pcp_hit, 1);
	assert_int_equal(s.pcp_free, 2);
	assert_int_equal(s.buddy_alloc, 1);
	assert_int_equal(s.buddy_free, 1);
	assert_int_equal(s.alloc[0], 2);
	assert_int_equal(s.alloc[5], 1);
	assert_int_equal(s.alloc_pages, 34);
	assert_int_equal(s.free_pages, 34);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gfp_zone_and_mobility_follow_the_mask),
		cmocka_unit_test(test_gfp_dma32_without_such_a_zone_is_normal),
		cmocka_unit_test(test_gfp_flags_without_effect_change_nothing),
		cmocka_unit_test(test_gfp_urgency_becomes_alloc_flags),
		cmocka_unit_test(test_alloc_prefers_the_cpus_node),
		cmocka_unit_test(test_alloc_walks_down_then_to_other_nodes),
		cmocka_unit_test(test_alloc_thisnode_stays),
		cmocka_unit_test(test_alloc_lowmem_reserve_protects_dma),
		cmocka_unit_test(test_alloc_below_high_mark_is_noted),
		cmocka_unit_test(test_alloc_after_a_boost_wakes_kswapd_once),
		cmocka_unit_test(test_alloc_nth_fails_on_request),
		cmocka_unit_test(test_alloc_refuses_impossible_requests),
		cmocka_unit_test(test_alloc_counts_paths),
	};

	return RUN(tests);
}
