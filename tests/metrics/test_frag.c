/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_frag.c - formulas on free blocks and fidelity, against hand-computed values. */
#include "../support/test.h"

#include <math.h>
#include <string.h>

#include "metrics/fidelity.h"
#include "metrics/frag.h"

static void near(double got, double want)
{
	if (fabs(got - want) > 1e-9)
		fail_msg("got %.12f, want %.12f", got, want);
}

static void test_frag_free_pages_sums_blocks_by_size(void **state)
{
	const uint64_t blocks[4] = {3, 2, 0, 1}; /* 3 + 4 + 0 + 8 */

	(void)state;
	assert_int_equal(metric_free_pages(blocks, 4), 15);
}

static void test_frag_unusable_is_share_below_order(void **state)
{
	const uint64_t blocks[4] = {3, 2, 0, 1}, none[4] = {0};
	const unsigned int want[5] = {0, 200, 466, 466, 1000}; /* 0/15 3/15 7/15 7/15 15/15 */

	(void)state;
	for (unsigned int o = 0; o < 5; o++)
		assert_int_equal(metric_unusable(blocks, 4, o), want[o]);
	assert_int_equal(metric_unusable(none, 4, 2), 0);
}

static void test_frag_emd_equal_shapes_is_zero(void **state)
{
	const uint64_t a[3] = {4, 2, 1}, b[3] = {8, 4, 2}; /* twice as much, same shape */

	(void)state;
	near(metric_emd(a, b, 3), 0);
}

static void test_frag_emd_counts_steps_between_orders(void **state)
{
	const uint64_t low[3] = {4, 0, 0}, high[3] = {0, 0, 1}, mixed[3] = {2, 1, 0};
	const uint64_t none[3] = {0};

	(void)state;
	near(metric_emd(low, high, 3), 2);     /* everything moves two orders */
	near(metric_emd(low, mixed, 3), 0.5);  /* half of it moves one */
	near(metric_emd(mixed, high, 3), 1.5); /* half moves two, half one */
	near(metric_emd(none, none, 3), 0);
	near(metric_emd(none, low, 3), 2);
}

static void test_frag_relative_of_zero_is_unknown(void **state)
{
	double r = 7;

	(void)state;
	assert_true(metric_relative(90, 100, &r));
	near(r, -0.1);
	assert_false(metric_relative(90, 0, &r));
}

static void test_fidelity_compare_matches_hand_computation(void **state)
{
	const struct fidelity_state kernel = {
		.blocks = {[0] = 8, [3] = 1, [9] = 1}, .orders = 11, .pcp_pages = 5};
	const struct fidelity_state model = {
		.blocks = {[0] = 16, [9] = 1}, .orders = 11, .pcp_pages = 2};
	struct fidelity f;

	(void)state;
	fidelity_compare(&kernel, &model, &f);
	assert_true(f.free_pages_known);
	near(f.free_pages_error, 0);
	/* 8 of 528 pages sit three orders lower */
	near(f.emd, 3 * 8.0 / 528);
	assert_int_equal(f.unusable_error[0], 30 - 15); /* 16/528 and 8/528 */
	assert_int_equal(f.unusable_error[1], 0);
	assert_int_equal(f.unusable_error[2], 0);
	assert_int_equal(f.unexplained_pages, 3); /* per-CPU 5 - 2 */
}

static void test_fidelity_unexplained_discounts_pcp(void **state)
{
	const struct fidelity_state kernel = {.blocks = {10}, .orders = 11, .pcp_pages = 20};
	const struct fidelity_state model = {.blocks = {25}, .orders = 11, .pcp_pages = 4};
	struct fidelity f;

	(void)state;
	fidelity_compare(&kernel, &model, &f);
	near(f.free_pages_error, 1.5);
	assert_int_equal(f.unexplained_pages, 1);
}

static const struct fidelity equal = {.free_pages_error = 0};
static const struct fidelity_input whole = {.observed = &equal};

static void test_fidelity_grade_counts_measures_won(void **state)
{
	const struct fidelity bad = {
		.free_pages_error = -0.5, .emd = 1, .unusable_error = {5, 5, 5}};
	const struct fidelity good = {
		.free_pages_error = 0.1, .emd = 0.2, .unusable_error = {1, 1, 9}};
	struct fidelity_input in = whole;
	char line[500];

	(void)state;
	assert_int_equal(fidelity_won(&good, &bad), 4);
	fidelity_grade(&good, &bad, &whole, line, sizeof(line));
	assert_memory_equal(line, "fair:", 5);
	assert_int_equal(fidelity_won(&bad, &bad), 5);
	in.missing = 1.0;
	fidelity_grade(&bad, &bad, &in, line, sizeof(line));
	assert_memory_equal(line, "good:", 5);
	in.missing = 1.5;
	fidelity_grade(&bad, &bad, &in, line, sizeof(line));
	assert_memory_equal(line, "fair:", 5);
	assert_non_null(strstr(line, "1.5 % of the events are missing"));
	assert_int_equal(fidelity_won(&bad, &good), 1);
	fidelity_grade(&bad, &good, &whole, line, sizeof(line));
	assert_memory_equal(line, "poor:", 5);
	assert_non_null(strstr(line, "noise of 0.2 %, 0.01 and 2 of 1000"));
	assert_non_null(strstr(line, "1 of 5 measures"));
}

static void test_fidelity_grade_forgives_what_readings_differ_by(void **state)
{
	const struct fidelity still = {.free_pages_error = 0};
	const struct fidelity tiny = {
		.free_pages_error = -0.002, .emd = 0.01, .unusable_error = {2, 2, 2}};
	const struct fidelity more = {
		.free_pages_error = 0.0021, .emd = 0.011, .unusable_error = {3, 3, 3}};

	(void)state;
	assert_int_equal(fidelity_won(&tiny, &still), 5);
	assert_int_equal(fidelity_won(&more, &still), 0);
}

static void test_fidelity_close_is_as_two_readings_of_an_idle_kernel(void **state)
{
	static const struct {
		uint64_t kernel[11], model[11];
		bool close;
	} cases[] = {
		{{[10] = 1}, {[10] = 1}, true},
		{{[5] = 1002}, {[5] = 1000}, true}, /* 0.2 % */
		{{[5] = 1003}, {[5] = 1000}, false},
		{{[10] = 200}, {[9] = 2, [10] = 199}, true},  /* a 200th one order down */
		{{[10] = 200}, {[9] = 6, [10] = 197}, false}, /* too many, if the same pages */
		{{0}, {0}, true},
		{{0}, {[0] = 1}, false},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(fidelity_close(cases[i].kernel, cases[i].model, 11),
				 cases[i].close);
}

static void test_fidelity_grade_needs_events_that_add_up(void **state)
{
	static const struct {
		struct fidelity observed;
		uint64_t close;
		bool holds;
	} cases[] = {
		{{.free_pages_error = -0.01, .emd = 0.05, .unusable_error = {20, 20, 20}}, 5, true},
		{{.free_pages_error = 0.011}, 10, false},
		{{.emd = 0.051}, 10, false},
		{{.unusable_error = {0, 0, 21}}, 10, false},
		{{.emd = 0}, 4, false},
	};
	char line[800];

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct fidelity_input in = {
			.observed = &cases[i].observed, .readings = 10, .close = cases[i].close};

		assert_int_equal(fidelity_observed_holds(&in), cases[i].holds);
		fidelity_grade(&equal, &equal, &in, line, sizeof(line));
		assert_memory_equal(line, cases[i].holds ? "good:" : "fair:", 5);
		assert_int_equal(!strstr(line, "own state is not the kernel's"), cases[i].holds);
	}
	assert_non_null(strstr(line, "within the noise in 4 of 10 readings), so not good"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frag_free_pages_sums_blocks_by_size),
		cmocka_unit_test(test_frag_unusable_is_share_below_order),
		cmocka_unit_test(test_frag_emd_equal_shapes_is_zero),
		cmocka_unit_test(test_frag_emd_counts_steps_between_orders),
		cmocka_unit_test(test_frag_relative_of_zero_is_unknown),
		cmocka_unit_test(test_fidelity_compare_matches_hand_computation),
		cmocka_unit_test(test_fidelity_unexplained_discounts_pcp),
		cmocka_unit_test(test_fidelity_grade_counts_measures_won),
		cmocka_unit_test(test_fidelity_grade_forgives_what_readings_differ_by),
		cmocka_unit_test(test_fidelity_close_is_as_two_readings_of_an_idle_kernel),
		cmocka_unit_test(test_fidelity_grade_needs_events_that_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
