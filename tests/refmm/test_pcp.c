/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Per-CPU lists: order of pages, amounts, tuning: refmm/pcp.c, pcp_tune.c. */
#include "machine.h"

#include "../../refmm/pcp.h"

/* 64 pageblocks; batch, high_min and high_max as given */
static struct rmm *tuned(uint32_t batch, uint32_t high_min, uint32_t high_max)
{
	struct machine m;

	machine_init(&m, 64);
	m.zone[0].pcp_batch = batch;
	m.zone[0].pcp_high_min = high_min;
	m.zone[0].pcp_high_max = high_max;
	return machine_boot(&m);
}

static const char *pcp_list(const struct rmm *rmm, unsigned int order, int mt)
{
	const struct rmm_ring *list =
		&rmm->zone[0].pcp[0].lists[rmm_order_to_pindex(rmm, mt, order)];
	static char text[512];
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < rmm_ring_count(list) && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u", at ? " " : "",
				       rmm_ring_at(list, i));
	return text;
}

static void test_pcp_refill_keeps_address_order_and_free_is_hot(void **state)
{
	struct rmm *rmm = tuned(4, 16, 64);

	(void)state;
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 0);
	assert_string_equal(pcp_list(rmm, 0, RMM_UNMOVABLE), "1 2 3");
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 1);
	put(rmm, 0, 0);
	assert_string_equal(pcp_list(rmm, 0, RMM_UNMOVABLE), "0 2 3");
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 3);
	check_destroy(rmm);
}

static void test_pcp_refill_doubles_until_a_free(void **state)
{
	static const int expected[] = {4, 8, 16, 32, 64, 128, 128};
	struct rmm *rmm = tuned(4, 2000, 4000);

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		uint64_t before = stats(rmm).pcp_refill_pages;

		get(rmm, RMM_GFP_KERNEL, 0);
		assert_int_equal(stats(rmm).pcp_refill_pages - before, expected[i]);
		while (rmm_pcp_count(rmm, 0, 0))
			get(rmm, RMM_GFP_KERNEL, 0);
	}
	put(rmm, 0, 0);
	put(rmm, 1, 0); /* 5 -> 2: 4 << 2 */
	get(rmm, RMM_GFP_KERNEL, 0), get(rmm, RMM_GFP_KERNEL, 0);
	get(rmm, RMM_GFP_KERNEL, 0);
	assert_int_equal(rmm->zone[0].pcp[0].count, 4 * 2 - 1);
	check_destroy(rmm);
}

static void test_pcp_refill_of_high_order_is_a_batch_of_pages(void **state)
{
	static const struct {
		unsigned int order, blocks;
	} cases[] = {{1, 31}, {2, 15}, {3, 7}, {9, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = tuned(63, 252, 252);

		get(rmm, RMM_GFP_HIGHUSER_MOVABLE, cases[i].order);
		assert_int_equal(rmm_pcp_count(rmm, 0, 0), (cases[i].blocks - 1) << cases[i].order);
		check_destroy(rmm);
	}
}

struct drained {
	rmm_pfn pfn[64];
	unsigned int order[64], n;
};

static void on_drain(void *ctx, unsigned int cpu, rmm_pfn pfn, unsigned int order, int mt)
{
	struct drained *d = ctx;

	(void)cpu, (void)mt;
	d->pfn[d->n] = pfn;
	d->order[d->n++] = order;
}

/* high 16, batch 4; 16 pages freed in a row: the coldest go */
static void test_pcp_drain_takes_the_coldest_of_the_freed_list(void **state)
{
	struct rmm *rmm = tuned(4, 16, 16);
	struct drained d = {.n = 0};
	const struct rmm_hooks hooks = {.ctx = &d, .pcpu_drain = on_drain};
	rmm_pfn first = 0;

	(void)state;
	for (int i = 0; i < 32; i++)
		get(rmm, RMM_GFP_KERNEL, 0);
	rmm_drain_pages(rmm, 0);
	rmm->zone[0].pcp[0].free_count = 0;
	rmm_set_hooks(rmm, &hooks);
	for (rmm_pfn p = 0; p < 16; p++)
		put(rmm, p, 0);
	assert_int_equal(d.n, 12); /* clamp(16 freed, batch 4, high - batch 12) */
	for (unsigned int i = 0; i < d.n; i++)
		assert_int_equal(d.pfn[i], first + i);
	assert_string_equal(pcp_list(rmm, 0, RMM_UNMOVABLE), "15 14 13 12");
	check_destroy(rmm);
}

static void test_pcp_drain_goes_round_robin_after_that_list(void **state)
{
	struct rmm *rmm = tuned(4, 16, 16);
	struct drained d = {.n = 0};
	const struct rmm_hooks hooks = {.ctx = &d, .pcpu_drain = on_drain};
	rmm_pfn movable[12], kernel[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		kernel[i] = get(rmm, RMM_GFP_KERNEL, 0);
	for (int i = 0; i < 12; i++)
		movable[i] = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0);
	rmm_drain_pages(rmm, 0);
	rmm_set_hooks(rmm, &hooks);
	for (int i = 0; i < 12; i++)
		put(rmm, movable[i], 0);
	for (int i = 0; i < 4; i++)
		put(rmm, kernel[i], 0);
	/* The unmovable list was freed last: it goes first, then movable. */
	assert_int_equal(d.n, 12);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(d.pfn[i], kernel[i]);
	for (unsigned int i = 4; i < d.n; i++)
		assert_int_equal(d.pfn[i], movable[i - 4]);
	check_destroy(rmm);
}

static void test_pcp_high_grows_with_refills_and_decays(void **state)
{
	struct rmm *rmm = tuned(8, 64, 1024);
	uint32_t high;

	(void)state;
	for (int i = 0; i < 600; i++)
		get(rmm, RMM_GFP_KERNEL, 0);
	high = rmm_pcp_high(rmm, 0, 0);
	assert_in_range(high, 65, 1024);
	rmm_refresh_cpu_vm_stats(rmm, 0);
	assert_int_equal(rmm_pcp_high(rmm, 0, 0), high - high / 8);
	for (int i = 0; i < 100; i++)
		rmm_refresh_cpu_vm_stats(rmm, 0);
	assert_int_equal(rmm_pcp_high(rmm, 0, 0), 64);
	assert_true(rmm_pcp_count(rmm, 0, 0) <= 64);
	check_destroy(rmm);
}

static void test_pcp_high_grows_with_frees_in_a_row(void **state)
{
	struct rmm *rmm = tuned(8, 64, 1024);

	(void)state;
	for (int i = 0; i < 64; i++)
		get(rmm, RMM_GFP_KERNEL, 0);
	rmm_drain_pages(rmm, 0);
	rmm->zone[0].pcp[0].high = 64;
	rmm->zone[0].pcp[0].free_count = 0;
	for (rmm_pfn p = 0; p < 64; p++)
		put(rmm, p, 0);
	assert_int_equal(rmm_pcp_high(rmm, 0, 0), 64 + 8);
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 8); /* drained to a batch */
	check_destroy(rmm);
}

static void test_pcp_high_orders_freed_in_a_row_are_not_kept(void **state)
{
	struct rmm *rmm = tuned(8, 64, 1024);
	rmm_pfn p[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		p[i] = get(rmm, RMM_GFP_KERNEL, 2);
	rmm_drain_pages(rmm, 0);
	rmm->zone[0].pcp[0].free_count = 0;
	put(rmm, p[0], 2);
	put(rmm, p[1], 2);
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 8);
	put(rmm, p[2], 2); /* 8 pages freed before it, all of them high-order */
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 0);
	check_destroy(rmm);
}

static void test_pcp_reclaim_caps_the_lists_at_four_batches(void **state)
{
	struct rmm *rmm = tuned(4, 400, 800);

	(void)state;
	for (int i = 0; i < 200; i++)
		get(rmm, RMM_GFP_KERNEL, 0);
	rmm_set_reclaim_active(rmm, 0, true);
	for (rmm_pfn p = 0; p < 200; p++) {
		put(rmm, p, 0);
		assert_true(rmm_pcp_count(rmm, 0, 0) < 16 || p < 20);
	}
	check_destroy(rmm);
}

static void test_pcp_highatomic_and_cma_go_to_the_movable_list(void **state)
{
	struct rmm *rmm = tuned(4, 16, 64);
	rmm_pfn p = get(rmm, RMM_GFP_KERNEL, 0);

	(void)state;
	rmm_drain_pages(rmm, 0);
	rmm_set_pageblock_migratetype(rmm, p, RMM_HIGHATOMIC);
	put(rmm, p, 0);
	assert_string_equal(pcp_list(rmm, 0, RMM_MOVABLE), "0");
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, p), RMM_HIGHATOMIC);
	check_destroy(rmm);
}

static void test_pcp_61_has_one_high_and_a_doubling_drain(void **state)
{
	static const unsigned int drains[] = {4, 8, 16, 28, 28};
	struct machine m;
	struct rmm *rmm;
	rmm_pfn p = 0;

	(void)state;
	machine_init(&m, 64);
	m.config.pcp_mode = RMM_PCP_FIXED;
	m.config.fallback = RMM_FALLBACK_STEAL;
	m.zone[0].pcp_batch = 4;
	m.zone[0].pcp_high_min = 32;
	rmm = machine_boot(&m);
	for (int i = 0; i < 400; i++)
		get(rmm, RMM_GFP_KERNEL, 0);
	assert_int_equal(stats(rmm).pcp_refill, 100); /* never more than a batch */
	for (size_t i = 0; i < sizeof(drains) / sizeof(*drains); i++) {
		uint64_t before = stats(rmm).pcp_drain_pages;

		while (stats(rmm).pcp_drain_pages == before)
			put(rmm, p++, 0);
		assert_int_equal(stats(rmm).pcp_drain_pages - before, drains[i]);
	}
	check_destroy(rmm);
}

static void test_pcp_tuning_of_a_snapshot_goes_on(void **state)
{
	const struct rmm_pcp_tuning to = {.alloc_factor = 3}, beyond = {.alloc_factor = 6};
	struct rmm *rmm = tuned(4, 2000, 4000);
	uint64_t before = stats(rmm).pcp_refill_pages;

	(void)state;
	assert_int_equal(rmm_set_pcp_tuning(rmm, 0, 0, &to), 0);
	get(rmm, RMM_GFP_KERNEL, 0);
	assert_int_equal(stats(rmm).pcp_refill_pages - before, 4 << 3);
	assert_int_equal(rmm_set_pcp_tuning(rmm, 0, 0, &beyond), -EINVAL);
	assert_int_equal(rmm_set_pcp_tuning(rmm, 0, 99, &to), -EINVAL);
	assert_int_equal(rmm_set_pcp_tuning(rmm, 99, 0, &to), -EINVAL);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcp_refill_keeps_address_order_and_free_is_hot),
		cmocka_unit_test(test_pcp_refill_doubles_until_a_free),
		cmocka_unit_test(test_pcp_refill_of_high_order_is_a_batch_of_pages),
		cmocka_unit_test(test_pcp_drain_takes_the_coldest_of_the_freed_list),
		cmocka_unit_test(test_pcp_drain_goes_round_robin_after_that_list),
		cmocka_unit_test(test_pcp_high_grows_with_refills_and_decays),
		cmocka_unit_test(test_pcp_high_grows_with_frees_in_a_row),
		cmocka_unit_test(test_pcp_high_orders_freed_in_a_row_are_not_kept),
		cmocka_unit_test(test_pcp_reclaim_caps_the_lists_at_four_batches),
		cmocka_unit_test(test_pcp_highatomic_and_cma_go_to_the_movable_list),
		cmocka_unit_test(test_pcp_61_has_one_high_and_a_doubling_drain),
		cmocka_unit_test(test_pcp_tuning_of_a_snapshot_goes_on),
	};

	return RUN(tests);
}
