/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_nearest.c - what was probably meant. */
#include <string.h>

#include "../support/test.h"
#include "common/nearest.h"

static void test_nearest_distance_counts_edits(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned int distance;
	} cases[] = {
		{"", "", 0},	     {"", "abc", 3},	   {"stat", "stat", 0}, {"stat", "sat", 1},
		{"stat", "stta", 1}, {"stat", "state", 1}, {"info", "dump", 4}, {"ca", "abc", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(nearest_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(nearest_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
}

static const char *choose(const char *word)
{
	static const char *const names[] = {"record", "replay", "report", "stat", "top"};
	struct nearest n = {.word = word};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		nearest_offer(&n, names[i]);
	return nearest_name(&n);
}

static void test_nearest_name_is_near_or_none(void **state)
{
	(void)state;
	assert_string_equal(choose("recrod"), "record");
	assert_string_equal(choose("stats"), "stat");
	assert_string_equal(choose("repl"), "replay");
	assert_null(choose("frobnicate"));
	assert_null(choose("x"));
}

static void test_nearest_long_words_do_no_harm(void **state)
{
	char word[200];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	assert_null(choose(word));
	assert_int_equal(nearest_distance(word, word), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest_distance_counts_edits),
		cmocka_unit_test(test_nearest_name_is_near_or_none),
		cmocka_unit_test(test_nearest_long_words_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
