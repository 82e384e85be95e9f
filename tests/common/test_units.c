// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_units.c - sizes and times as people write them. */
#include "../support/test.h"

#include <common/units.h>
#include <errno.h>

struct unit_case {
	const char *text;
	int err;
	uint64_t want;
};

static void test_units_bytes_reads_powers_of_1024(void **state)
{
	static const struct unit_case cases[] = {
		{"4096", 0, 4096},    {"64k", 0, 65536}, {"2G", 0, 2ull << 30},
		{"1.5m", 0, 3 << 19}, {"", -EINVAL, 0},	 {"-1", -EINVAL, 0},
		{"12x", -EINVAL, 0},  {"k", -EINVAL, 0}, {"9e30", -EINVAL, 0},
		{"nan", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = 0;

		assert_int_equal(units_bytes(cases[i].text, &got), cases[i].err);
		assert_int_equal(got, cases[i].want);
	}
}

static void test_units_ns_reads_times(void **state)
{
	static const struct unit_case cases[] = {
		{"10", 0, 10000000000},	 {"250ms", 0, 250000000},  {"1.5s", 0, 1500000000},
		{"5m", 0, 300000000000}, {"2h", 0, 7200000000000}, {"7ns", 0, 7},
		{"10 s", -EINVAL, 0},	 {"s", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = 0;

		assert_int_equal(units_ns(cases[i].text, &got), cases[i].err);
		assert_int_equal(got, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_bytes_reads_powers_of_1024),
		cmocka_unit_test(test_units_ns_reads_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
