/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Per-CPU lists, where one line more or less decides; see tests/mutants. */
#include "machine.h"

#include "../../refmm/pcp.h"

static struct rmm *tuned(uint32_t batch, uint32_t high_min, uint32_t high_max)
{
	struct machine m;

	machine_init(&m, 64);
	m.zone[0].pcp_batch = batch;
	m.zone[0].pcp_high_min = high_min;
	m.zone[0].pcp_high_max = high_max;
	return machine_boot(&m);
}

static void test_pcp_allocation_halves_the_frees_in_a_row(void **state)
{
	struct rmm *rmm = tuned(4, 100, 100);
	struct rmm_pcp *pcp = &rmm->zone[0].pcp[0];

	(void)state;
	pcp->free_count = 9;
	get(rmm, RMM_GFP_KERNEL, 2);
	assert_int_equal(pcp->free_count, 4);
	check_destroy(rmm);
}

static void test_pcp_single_page_ends_a_row_of_high_orders(void **state)
{
	struct rmm *rmm = tuned(4, 100, 100);
	struct rmm_pcp *pcp = &rmm->zone[0].pcp[0];
	rmm_pfn large = get(rmm, RMM_GFP_KERNEL, 1), page = get(rmm, RMM_GFP_KERNEL, 0);

	(void)state;
	put(rmm, large, 1);
	assert_int_equal(pcp->flags, RMM_PREV_FREE_HIGH);
	put(rmm, page, 0);
	assert_int_equal(pcp->flags, 0);
	check_destroy(rmm);
}

static void test_pcp_first_high_order_free_drains_nothing(void **state)
{
	struct rmm *rmm = tuned(4, 100, 100);
	struct rmm_pcp *pcp = &rmm->zone[0].pcp[0];
	rmm_pfn a = get(rmm, RMM_GFP_KERNEL, 1), b = get(rmm, RMM_GFP_KERNEL, 1);

	(void)state;
	while (pcp->count < 8) /* a batch at least, or they are kept */
		assert_int_not_equal(get(rmm, RMM_GFP_KERNEL, 0), RMM_NO_PFN);
	pcp->free_count = 50;
	put(rmm, a, 1);
	assert_int_equal(stats(rmm).pcp_drain, 0);
	put(rmm, b, 1);
	assert_int_equal(stats(rmm).pcp_drain, 1);
	assert_int_equal(pcp->count, 0);
	check_destroy(rmm);
}

static void test_pcp_movable_huge_pages_have_the_last_list(void **state)
{
	struct rmm *rmm = tuned(63, 4000, 4000);

	(void)state;
	put(rmm, get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 9), 9);
	assert_true(rmm_ring_count(&rmm->zone[0].pcp[0].lists[RMM_LOWORDER_LISTS + 1]) > 0);
	assert_int_equal(rmm_ring_count(&rmm->zone[0].pcp[0].lists[RMM_LOWORDER_LISTS]), 0);
	check_destroy(rmm);
}

static void test_pcp_has_no_list_beyond_the_largest_order(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 1);
	m.config.max_order = 2;
	m.config.pageblock_order = 2;
	m.config.thp = false;
	rmm = machine_new(&m);
	assert_int_equal(rmm_load_pcp(rmm, 0, 0, 3, RMM_MOVABLE), -ENOSPC);
	assert_int_equal(rmm_load_pcp(rmm, 0, 0, 2, RMM_MOVABLE), 0);
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 4);
	check_destroy(rmm);
}

struct drained {
	unsigned int n, order[16];
	int mt[16];
};

static void note_drain(void *ctx, unsigned int cpu, rmm_pfn pfn, unsigned int order, int mt)
{
	struct drained *d = ctx;

	(void)cpu, (void)pfn;
	d->order[d->n] = order;
	d->mt[d->n++ % 16] = mt;
}

/* Unmovable, movable, reclaimable pages in a pageblock of each; order 1 too */
static struct rmm *laden(struct drained *d)
{
	const struct rmm_hooks hooks = {.ctx = d, .pcpu_drain = note_drain};
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 4);
	m.zone[0].pcp_batch = 2;
	m.zone[0].pcp_high_min = m.zone[0].pcp_high_max = 100;
	rmm = machine_new(&m);
	for (int mt = 0; mt < RMM_PCPTYPES; mt++) {
		rmm_set_pageblock_migratetype(rmm, (rmm_pfn)mt * BLOCK, mt);
		for (rmm_pfn p = 0; p < 4; p += 2)
			rmm_load_pcp(rmm, 0, (rmm_pfn)mt * BLOCK + p, 0, mt);
	}
	rmm_load_pcp(rmm, 0, 100, 1, RMM_UNMOVABLE);
	rmm_setup_done(rmm);
	rmm_set_hooks(rmm, &hooks);
	return rmm;
}

static void test_pcp_drain_visits_the_lists_in_turn(void **state)
{
	static const int types[] = {0, 0, 1, 1, 2, 2, 0};
	struct drained d = {0};
	struct rmm *rmm = laden(&d);

	(void)state;
	rmm_drain_pages(rmm, 0);
	assert_int_equal(d.n, 7);
	for (unsigned int i = 0; i < d.n; i++) {
		assert_int_equal(d.mt[i], types[i]);
		assert_int_equal(d.order[i], i == 6);
	}
	check_destroy(rmm);
}

/* Have tuning drain @nr pages, as after a free to list @pindex. */
static void drain(struct rmm *rmm, int nr, unsigned int pindex)
{
	struct rmm_pcp *pcp = &rmm->zone[0].pcp[0];

	pcp->batch = 1;
	pcp->high = pcp->high_min = pcp->high_max = pcp->count;
	pcp->free_count = nr - 1;
	rmm_pcp_commit_unlock(&rmm->zone[0], 0, 0, pindex);
}

static void test_pcp_drain_takes_all_it_needs_from_the_first_list(void **state)
{
	struct drained d = {0};
	struct rmm *rmm = laden(&d);

	(void)state;
	drain(rmm, 2, 1);
	assert_int_equal(d.n, 2);
	assert_int_equal(d.mt[0], RMM_MOVABLE);
	assert_int_equal(d.mt[1], RMM_MOVABLE);
	drain(rmm, 3, 1); /* reclaimable, then order 1 */
	assert_int_equal(d.mt[3], RMM_RECLAIMABLE);
	assert_int_equal(d.order[4], 1);
	check_destroy(rmm);
}

static void test_pcp_drain_type_is_the_pages_in_61_else_the_pageblocks(void **state)
{
	(void)state;
	for (int steal = 0; steal < 2; steal++) {
		const struct rmm_hooks none = {0};
		struct drained d = {0};
		struct rmm *rmm = laden(&d);

		rmm->config.fallback = steal ? RMM_FALLBACK_STEAL : RMM_FALLBACK_CLAIM;
		rmm->zone[0].loose |= RMM_LOOSE_TYPE;
		rmm->blocks[1].migratetype = RMM_RECLAIMABLE;
		drain(rmm, 1, 1);
		assert_int_equal(d.mt[0], steal ? RMM_MOVABLE : RMM_RECLAIMABLE);
		rmm_set_hooks(rmm, &none);
		check_destroy(rmm);
	}
}

static void test_pcp_tuning_stays_within_its_limits(void **state)
{
	struct rmm *rmm = tuned(8, 40, 50);
	struct rmm_pcp pcp = {.batch = 8, .high = 48, .high_min = 40, .high_max = 50};

	(void)state;
	assert_int_equal(rmm_nr_pcp_alloc(&pcp, &rmm->zone[0], 0), 8);
	assert_int_equal(pcp.high, 50);
	pcp.alloc_factor = RMM_PCP_SCALE_MAX;
	pcp.count = 10; /* room for 50 - 10 - 8 */
	assert_int_equal(rmm_nr_pcp_alloc(&pcp, &rmm->zone[0], 0), 32);
	check_destroy(rmm);
}

static void test_pcp_drains_early_while_memory_is_short(void **state)
{
	struct rmm *rmm = tuned(8, 40, 80);
	struct rmm_pcp pcp = {.batch = 8, .high = 70, .high_min = 40, .high_max = 80, .count = 50};

	(void)state;
	assert_int_equal(rmm_nr_pcp_drain(&pcp, &rmm->zone[0], 0), 0);
	pcp.high = 70;
	rmm->zone[0].below_high = 1;
	assert_true(rmm_nr_pcp_drain(&pcp, &rmm->zone[0], 0) > 0);
	assert_int_equal(pcp.high, 62);
	pcp.count = 39;
	assert_int_equal(rmm_nr_pcp_drain(&pcp, &rmm->zone[0], 0), 0);
	check_destroy(rmm);
}

static void test_pcp_fixed_lists_drain_at_the_mark(void **state)
{
	struct machine m;
	struct rmm_zone_info info;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 64);
	m.config.pcp_mode = RMM_PCP_FIXED;
	m.config.min_free_kbytes = 4000;
	rmm = machine_boot(&m);
	rmm_zone_info(rmm, 0, &info);
	assert_int_equal(info.pcp_high_max, info.pcp_high_min);
	for (uint32_t i = 0; i <= info.pcp_high_min; i++)
		get(rmm, RMM_GFP_KERNEL, 0);
	rmm_drain_pages(rmm, 0);
	for (uint32_t i = 0; i + 1 < info.pcp_high_min; i++)
		put(rmm, i, 0);
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), info.pcp_high_min - 1);
	put(rmm, info.pcp_high_min, 0);
	assert_true(rmm_pcp_count(rmm, 0, 0) < info.pcp_high_min);
	check_destroy(rmm);
}

static void test_pcp_high_is_shared_by_the_cpus_of_the_node(void **state)
{
	static const uint8_t cpu_node[4] = {0, 0, 1, 1};
	struct rmm_zone_info info;
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 64);
	m.config.nr_cpus = 4;
	m.config.cpu_node = cpu_node;
	rmm = machine_boot(&m);
	rmm_zone_info(rmm, 0, &info);
	assert_int_equal(info.pcp_high_max, 64 * BLOCK / 8 / 2);
	check_destroy(rmm);
}

/* Everything of a per-CPU list but its lock and its memory */
static void compare_pcp(const struct rmm_pcp *a, const struct rmm_pcp *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->high, b->high);
	assert_int_equal(a->free_count, b->free_count);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->alloc_factor, b->alloc_factor);
	assert_int_equal(a->free_factor, b->free_factor);
}

/* Single pages have a short way of their own (alloc.c, free.c): the same steps
 * on a machine that must go the long way. */
static void compare_ways(bool threads)
{
	struct rmm *rmm[2] = {tuned(4, 16, 640), tuned(4, 16, 640)};
	struct rmm_page *held[2][256];
	uint32_t random = 7, n = 0;

	rmm[0]->config.threads = rmm[1]->config.threads = threads;
	rmm_set_watch(rmm[0]);
	rmm[1]->watch = RMM_WATCH_ALL;
	rmm[1]->quick_cpus = rmm[1]->locked_cpus = 0;
	for (int step = 0; step < 20000; step++) {
		uint32_t k = n ? (random >> 8) % n : 0;
		bool more = step / 500 % 2 ? random >> 24 < 150 : random >> 24 < 100;

		random = random * 1664525u + 1013904223u;
		for (int i = 0; i < 2; i++) {
			if (n < 256 && (!n || more)) {
				held[i][n] = rmm_alloc_pages(rmm[i], 0, RMM_GFP_KERNEL, 0);
				continue;
			}
			assert_int_equal(rmm_free_pages(rmm[i], 0, held[i][k], 0), 0);
			held[i][k] = held[i][n - 1];
		}
		n += n < 256 && (!n || more) ? 1 : -1u;
		assert_int_equal(n ? rmm_page_to_pfn(rmm[0], held[0][n - 1]) : 0,
				 n ? rmm_page_to_pfn(rmm[1], held[1][n - 1]) : 0);
		compare_pcp(&rmm[0]->zone[0].pcp[0], &rmm[1]->zone[0].pcp[0]);
		assert_int_equal(rmm[0]->zone[0].pcp[0].lock, 0);
	}
	rmm_destroy(rmm[0]);
	rmm_destroy(rmm[1]);
}

/* Also with locks, which must be open again afterwards */
static void test_pcp_quick_way_does_what_the_long_one_does(void **state)
{
	(void)state;
	compare_ways(false);
	compare_ways(true);
}

/* No memory for a longer list: the page goes to the buddy lists instead, and a
 * refill to the request alone. */
static void test_pcp_list_that_cannot_grow_is_done_without(void **state)
{
	const struct rmm_fault fault = {.points = RMM_FAULT_PCP_GROW, .probability = 1000000};
	struct rmm *rmm = tuned(4, 16, 640);

	(void)state;
	rmm_set_fault(rmm, &fault);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 0);
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 0);
	put(rmm, 0, 0);
	assert_int_equal(rmm_pcp_count(rmm, 0, 0), 0);
	assert_true(rmm_nr_faults(rmm) >= 2);
	rmm_set_fault(rmm, NULL);
	put(rmm, get(rmm, RMM_GFP_KERNEL, 0), 0);
	assert_true(rmm_pcp_count(rmm, 0, 0) > 0);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcp_allocation_halves_the_frees_in_a_row),
		cmocka_unit_test(test_pcp_single_page_ends_a_row_of_high_orders),
		cmocka_unit_test(test_pcp_first_high_order_free_drains_nothing),
		cmocka_unit_test(test_pcp_movable_huge_pages_have_the_last_list),
		cmocka_unit_test(test_pcp_has_no_list_beyond_the_largest_order),
		cmocka_unit_test(test_pcp_drain_visits_the_lists_in_turn),
		cmocka_unit_test(test_pcp_drain_takes_all_it_needs_from_the_first_list),
		cmocka_unit_test(test_pcp_drain_type_is_the_pages_in_61_else_the_pageblocks),
		cmocka_unit_test(test_pcp_quick_way_does_what_the_long_one_does),
		cmocka_unit_test(test_pcp_list_that_cannot_grow_is_done_without),
		cmocka_unit_test(test_pcp_tuning_stays_within_its_limits),
		cmocka_unit_test(test_pcp_drains_early_while_memory_is_short),
		cmocka_unit_test(test_pcp_fixed_lists_drain_at_the_mark),
		cmocka_unit_test(test_pcp_high_is_shared_by_the_cpus_of_the_node),
	};

	return RUN(tests);
}
