/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Quantiles of a histogram of times, as info and replay print them. */
#include "../support/test.h"

#include <jansson.h>

#include "common/histogram.h"

/* 10 calls in [40, 48), 10 in [64, 80), one of 900 ns in [896, 1024) */
#define ROW "{\"calls\":21,\"max_ns\":900,\"histogram\":[[40,10],[64,10],[896,1]]}"

static long long quantile(const char *text, double share)
{
	json_t *row = json_loads(text, 0, NULL);
	long long ns = latency_quantile(row, share);

	json_decref(row);
	return ns;
}

static void test_histogram_quantile_is_a_buckets_upper_end(void **state)
{
	(void)state;
	assert_int_equal(quantile(ROW, 0), 47);
	assert_int_equal(quantile(ROW, 10.0 / 21), 47);
	assert_int_equal(quantile(ROW, 0.5), 79);
	assert_int_equal(quantile(ROW, 0.9), 79);
}

static void test_histogram_quantile_is_at_most_the_longest(void **state)
{
	(void)state;
	assert_int_equal(quantile(ROW, 0.99), 900);
	assert_int_equal(quantile("{\"calls\":1,\"max_ns\":45,\"histogram\":[[40,1]]}", 0.5), 45);
}

static void test_histogram_quantile_of_nonsense_ends(void **state)
{
	(void)state;
	assert_int_equal(quantile("{}", 0.5), 0);
	assert_int_equal(
		quantile("{\"calls\":9,\"max_ns\":7,\"histogram\":[[0,9223372036854775807],"
			 "[1,9223372036854775807],4]}",
			 0.5),
		0);
	assert_int_equal(quantile("{\"calls\":9,\"max_ns\":7,\"histogram\":[[1,-5]]}", 0.5), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histogram_quantile_is_a_buckets_upper_end),
		cmocka_unit_test(test_histogram_quantile_is_at_most_the_longest),
		cmocka_unit_test(test_histogram_quantile_of_nonsense_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
