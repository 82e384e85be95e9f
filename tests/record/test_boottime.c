// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_boottime.c - what a time namespace adds to the clock. */
#include "../support/test.h"

#include <record/record.h>

static void test_boottime_offset_is_read_from_the_kernels_file(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{"monotonic           0         0\nboottime            0         0\n", 0},
		{"monotonic           7         0\nboottime        86400       500\n",
		 86400000000500},
		{"monotonic           0         0\nboottime           -2 500000000\n", -1500000000},
		{"monotonic           7         0\n", 0},
		{"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(boottime_offset(cases[i].text), cases[i].ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boottime_offset_is_read_from_the_kernels_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
