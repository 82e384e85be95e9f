// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_overhead.c - the rate follows the cost, and does not swing. */
#include "../support/test.h"

#include <record/overhead.h>

enum { CPUS = 4 };

/* A second in which the recording takes @percent of all CPUs. */
static int second(struct overhead *o, double percent)
{
	uint64_t own = (uint64_t)(percent / 100 * CPUS * 1e9);

	return overhead_step(o, o->time_ns + 1000000000, o->own_ns + own);
}

static struct overhead limited(double percent)
{
	struct overhead o = {.limit = percent / 100, .cpus = CPUS};

	overhead_step(&o, 1, 0);
	return o;
}

static void test_overhead_below_limit_keeps_all(void **state)
{
	struct overhead o = limited(2);

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_false(second(&o, 1.9));
	assert_int_equal(o.shift, 0);
	assert_int_equal(o.changes, 0);
}

static void test_overhead_excess_halves_as_often_as_needed(void **state)
{
	static const struct {
		double percent;
		unsigned int shift;
	} cases[] = {{2.1, 1}, {3.9, 1}, {4.1, 2}, {33, 5}, {99, 6}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct overhead o = limited(2);

		assert_true(second(&o, cases[i].percent));
		assert_int_equal(o.shift, cases[i].shift);
		assert_int_equal(o.change[0].shift, cases[i].shift);
	}
}

static void test_overhead_stops_at_the_lowest_rate(void **state)
{
	struct overhead o = limited(0.01);

	(void)state;
	for (int i = 0; i < 20; i++)
		second(&o, 90);
	assert_int_equal(o.shift, OVERHEAD_SHIFT_MAX);
	assert_int_equal(o.changes, 1);
}

static void test_overhead_calm_doubles_one_at_a_time(void **state)
{
	struct overhead o = limited(2);

	(void)state;
	second(&o, 16.1);
	assert_int_equal(o.shift, 4);
	for (int i = 0; i < 4; i++)
		assert_false(second(&o, 0.5));
	assert_true(second(&o, 0.5));
	assert_int_equal(o.shift, 3);
	assert_false(second(&o, 0.5));
	for (int i = 0; i < 50; i++)
		second(&o, 0.1);
	assert_int_equal(o.shift, 0);
}

static void test_overhead_middle_ground_changes_nothing(void **state)
{
	struct overhead o = limited(2);

	(void)state;
	second(&o, 4.1);
	for (int i = 0; i < 50; i++)
		assert_false(second(&o, i % 2 ? 1.0 : 1.9));
	assert_int_equal(o.shift, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overhead_below_limit_keeps_all),
		cmocka_unit_test(test_overhead_excess_halves_as_often_as_needed),
		cmocka_unit_test(test_overhead_stops_at_the_lowest_rate),
		cmocka_unit_test(test_overhead_calm_doubles_one_at_a_time),
		cmocka_unit_test(test_overhead_middle_ground_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
