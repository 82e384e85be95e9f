/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Failing on request, and what is left behind: refmm/fault.c. */
#include "machine.h"
#include "snapshot.h"

static void test_fault_nth_allocation_fails_once(void **state)
{
	struct rmm *rmm = machine(4, true);

	(void)state;
	for (uint64_t nth = 1; nth < 5; nth++) {
		rmm_fail_alloc(rmm, nth);
		for (uint64_t i = 1; i < 8; i++)
			assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0) == RMM_NO_PFN, i == nth);
		assert_int_equal(rmm_nr_faults(rmm), 1);
	}
	rmm_fail_alloc(rmm, 0);
	assert_int_not_equal(get(rmm, RMM_GFP_KERNEL, 0), RMM_NO_PFN);
	check_destroy(rmm);
}

static void test_fault_filters_choose_the_calls(void **state)
{
	static const struct {
		struct rmm_fault fault;
		unsigned int gfp, order;
		bool fails;
	} cases[] = {
		{{.orders = 1 << 0}, RMM_GFP_KERNEL, 0, true},
		{{.orders = 1 << 1 | 1 << 2}, RMM_GFP_KERNEL, 0, false},
		{{.orders = 1 << 1 | 1 << 2}, RMM_GFP_KERNEL, 2, true},
		{{.gfp_any = RMM_GFP_HIGH}, RMM_GFP_KERNEL, 0, false},
		{{.gfp_any = RMM_GFP_HIGH}, RMM_GFP_ATOMIC, 0, true},
		{{.gfp_never = RMM_GFP_DIRECT_RECLAIM}, RMM_GFP_KERNEL, 0, false},
		{{.gfp_never = RMM_GFP_DIRECT_RECLAIM}, RMM_GFP_ATOMIC, 0, true},
		{{0}, RMM_GFP_KERNEL | RMM_GFP_NOFAIL, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = machine(4, true);
		struct rmm_fault fault = cases[i].fault;

		fault.points = RMM_FAULT_ALLOC;
		fault.nth = 1;
		put(rmm, get(rmm, RMM_GFP_KERNEL, 0), 0); /* something on the list */
		rmm_set_fault(rmm, &fault);
		assert_int_equal(get(rmm, cases[i].gfp, cases[i].order) == RMM_NO_PFN,
				 cases[i].fails);
		check_destroy(rmm);
	}
}

/* Which of 1000 calls fail, as a hash */
static uint64_t pattern(uint64_t seed, uint64_t times, unsigned int *failed)
{
	struct rmm *rmm = machine(4, true);
	const struct rmm_fault fault = {
		.points = RMM_FAULT_ALLOC, .probability = 100000, .seed = seed, .times = times};
	uint64_t hash = 0;

	rmm_set_fault(rmm, &fault);
	*failed = 0;
	for (int i = 0; i < 1000; i++) {
		rmm_pfn p = get(rmm, RMM_GFP_KERNEL, 0);

		hash = hash * 31 + (p == RMM_NO_PFN);
		*failed += p == RMM_NO_PFN;
		if (p != RMM_NO_PFN)
			put(rmm, p, 0);
	}
	assert_int_equal(rmm_nr_faults(rmm), *failed);
	assert_int_equal(rmm_nr_fault_calls(rmm), 1000);
	check_destroy(rmm);
	return hash;
}

static void test_fault_probability_is_reproducible(void **state)
{
	unsigned int a, b;

	(void)state;
	assert_true(pattern(1, 0, &a) == pattern(1, 0, &b));
	assert_in_range(a, 60, 140); /* a tenth */
	assert_true(pattern(2, 0, &b) != pattern(1, 0, &a));
	pattern(1, 7, &a);
	assert_int_equal(a, 7);
}

/* A refill that fails at its n-th block brings n - 1, and loses none. */
static void test_fault_refill_stops_at_the_nth_block(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 4; n++) {
		struct machine m;
		struct rmm *rmm;
		const struct rmm_fault fault = {.points = RMM_FAULT_RMQUEUE, .nth = n};

		machine_init(&m, 4);
		m.zone[0].pcp_batch = 4;
		m.zone[0].pcp_high_min = m.zone[0].pcp_high_max = 16;
		rmm = machine_boot(&m);
		rmm_set_fault(rmm, &fault);
		/* With n = 1 the page comes straight from the buddy lists. */
		assert_int_not_equal(get(rmm, RMM_GFP_KERNEL, 0), RMM_NO_PFN);
		assert_int_equal(rmm_pcp_count(rmm, 0, 0), n > 1 ? n - 2 : 0);
		assert_int_equal(rmm_nr_faults(rmm), 1);
		check_destroy(rmm);
	}
}

/* No step of an allocation that fails leaves a trace. */
static void test_fault_failed_allocation_changes_nothing(void **state)
{
	static const unsigned int orders[] = {0, 1, 3, 5, 9, 10};

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		struct rmm *rmm = machine(4, true);
		const struct rmm_fault fault = {
			.points = RMM_FAULT_RMQUEUE | RMM_FAULT_ALLOC,
			.probability = 1000000,
		};
		struct snapshot before;

		get(rmm, RMM_GFP_KERNEL, 2);
		snapshot(&before, rmm);
		rmm_set_fault(rmm, &fault);
		assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, orders[i]), RMM_NO_PFN);
		snapshot_compare(&before, rmm);
		check_destroy(rmm);
	}
}

/* A bulk call that fails at its n-th step keeps what it has. */
static void test_fault_bulk_keeps_what_it_has(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 20; n++) {
		struct rmm *rmm = machine(64, true);
		const struct rmm_fault fault = {.points = RMM_FAULT_RMQUEUE | RMM_FAULT_ALLOC,
						.nth = n};
		struct rmm_page *pages[16] = {0};
		uint64_t free = rmm_nr_free_pages(rmm);
		size_t got;

		rmm_set_fault(rmm, &fault);
		got = rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 16, pages);
		for (size_t i = 0; i < 16; i++)
			assert_int_equal(pages[i] != NULL, i < got);
		check(rmm);
		rmm_set_fault(rmm, NULL);
		for (size_t i = 0; i < got; i++)
			assert_int_equal(rmm_free_page(rmm, 0, pages[i]), 0);
		rmm_drain_all_pages(rmm, 0);
		assert_int_equal(rmm_nr_free_pages(rmm), free);
		check_destroy(rmm);
	}
}

/* For one page a bulk call is a request for one page, and counts once. */
static void test_fault_bulk_call_for_one_page_counts_once(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *pages[2] = {0};
	uint64_t before;

	(void)state;
	rmm_fail_alloc(rmm, 2);
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 1, pages), 1);
	assert_int_equal(rmm_nr_fault_calls(rmm), 1);
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 2, pages), 1);
	assert_int_equal(rmm_nr_faults(rmm), 1);
	/* Also where the zone is too low for a bulk call of its own */
	rmm_fail_alloc(rmm, 1 << 20);
	while (rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 0))
		;
	before = rmm_nr_fault_calls(rmm);
	pages[0] = NULL;
	assert_int_equal(rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, 1, pages), 0);
	assert_int_equal(rmm_nr_fault_calls(rmm) - before, 1);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_nth_allocation_fails_once),
		cmocka_unit_test(test_fault_filters_choose_the_calls),
		cmocka_unit_test(test_fault_probability_is_reproducible),
		cmocka_unit_test(test_fault_refill_stops_at_the_nth_block),
		cmocka_unit_test(test_fault_failed_allocation_changes_nothing),
		cmocka_unit_test(test_fault_bulk_keeps_what_it_has),
		cmocka_unit_test(test_fault_bulk_call_for_one_page_counts_once),
	};

	return RUN(tests);
}
