// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_filter.c - filters as they are written. */
#include "../support/test.h"

#include <errno.h>
#include <record/filter.h>
#include <string.h>
#include <trace/kinds.h>

static void test_filter_words_are_parsed_or_refused(void **state)
{
	static const struct {
		const char *text;
		enum filter_key key;
		int err;
	} cases[] = {
		{"1", FILTER_PID, 0},
		{"0", FILTER_PID, -EINVAL},
		{"12x", FILTER_PID, -EINVAL},
		{"99999999999", FILTER_PID, -EINVAL},
		{"cc1", FILTER_COMM, 0},
		{"fifteen-letters", FILTER_COMM, 0},
		{"sixteen--letters", FILTER_COMM, -EINVAL},
		{"", FILTER_COMM, -EINVAL},
		{"kmalloc-64", FILTER_CACHE, 0},
		{"", FILTER_CACHE, -EINVAL},
		{"3", FILTER_ORDER, 0},
		{"3-", FILTER_ORDER, 0},
		{"-3", FILTER_ORDER, 0},
		{"5-3", FILTER_ORDER, -EINVAL},
		{"-", FILTER_ORDER, -EINVAL},
		{"three", FILTER_ORDER, -EINVAL},
		{"64-4k", FILTER_SIZE, 0},
		{"64-4q", FILTER_SIZE, -EINVAL},
		{"/", FILTER_CGROUP, -EINVAL},
		{"../x", FILTER_CGROUP, -EINVAL},
		{"a/./b", FILTER_CGROUP, -EINVAL},
		{"no..such", FILTER_CGROUP, -ENOENT},
		{"16", FILTER_ORDER, -EINVAL},
		{"__alloc_skb", FILTER_SITE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filters f = {0};
		int err = filters_add(&f, cases[i].key, cases[i].text);

		if (err != cases[i].err)
			fail_msg("--%s %s gave %d", filter_name(cases[i].key), cases[i].text, err);
		assert_int_equal(f.kernel.on, !err);
		assert_int_equal(f.words, !err);
	}
}

static void test_filter_ranges_hold_their_ends(void **state)
{
	static const struct {
		const char *text;
		uint32_t least, most;
	} cases[] = {
		{"3", 3, 3},   {"3-", 3, UINT32_MAX}, {"-3", 0, 3},
		{"3-5", 3, 5}, {"1k-2k", 1024, 2048},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filters f = {0};

		assert_int_equal(filters_add(&f, FILTER_SIZE, cases[i].text), 0);
		assert_int_equal(f.kernel.size_min, cases[i].least);
		assert_int_equal(f.kernel.size_max, cases[i].most);
	}
}

static void test_filter_cache_ends_or_is_open(void **state)
{
	struct filters exact = {0}, open = {0};

	(void)state;
	filters_add(&exact, FILTER_CACHE, "dentry");
	filters_add(&open, FILTER_CACHE, "dentry*");
	assert_int_equal(exact.kernel.cache_bytes, strlen("dentry") + 1);
	assert_int_equal(open.kernel.cache_bytes, strlen("dentry"));
}

static void test_filter_more_than_fit_are_refused(void **state)
{
	struct filters f = {0};

	(void)state;
	for (int i = 0; i < KML_FILTER_PIDS; i++)
		assert_int_equal(filters_add(&f, FILTER_PID, "7"), 0);
	assert_int_equal(filters_add(&f, FILTER_PID, "7"), -E2BIG);
	assert_int_equal(filters_add(&f, FILTER_COMM, "a"), 0);
	assert_int_equal(filters_add(&f, FILTER_COMM, "b"), -E2BIG);
	assert_int_equal(filters_add(&f, FILTER_ORDER, "3"), 0);
	assert_int_equal(filters_add(&f, FILTER_ORDER, "5"), -E2BIG);
	assert_int_equal(filters_add(&f, FILTER_SIZE, "64"), 0);
	assert_int_equal(filters_add(&f, FILTER_SIZE, "96"), -E2BIG);
	assert_int_equal(f.kernel.order_min, 3);
	assert_int_equal(f.kernel.size_max, 64);
}

static void test_filter_that_nothing_can_meet_is_told(void **state)
{
	static const struct {
		enum filter_key key[2];
		unsigned int families;
		bool conflict;
	} cases[] = {
		{{FILTER_ORDER, FILTER_PID}, FAMILY_DEFAULT, false},
		{{FILTER_ORDER, FILTER_CACHE}, FAMILY_DEFAULT, true},
		{{FILTER_SIZE, FILTER_ORDER}, FAMILY_DEFAULT, true},
		{{FILTER_SITE, FILTER_CACHE}, FAMILY_SLAB, false},
		{{FILTER_SITE, FILTER_PID}, FAMILY_PAGE, true},
		{{FILTER_ORDER, FILTER_PID}, FAMILY_SLAB, true},
		{{FILTER_SIZE, FILTER_PID}, FAMILY_PERCPU, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filters f = {0};

		for (int j = 0; j < 2; j++)
			assert_int_equal(filters_add(&f, cases[i].key[j], "1"), 0);
		assert_int_equal(filters_conflict(&f, cases[i].families) != NULL,
				 cases[i].conflict);
	}
}

static void test_filter_unknown_site_is_named(void **state)
{
	struct filters f = {0};

	(void)state;
	filters_add(&f, FILTER_SITE, "no_such_function");
	assert_string_equal(filters_resolve(&f, NULL), "no_such_function");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_words_are_parsed_or_refused),
		cmocka_unit_test(test_filter_ranges_hold_their_ends),
		cmocka_unit_test(test_filter_cache_ends_or_is_open),
		cmocka_unit_test(test_filter_more_than_fit_are_refused),
		cmocka_unit_test(test_filter_that_nothing_can_meet_is_told),
		cmocka_unit_test(test_filter_unknown_site_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
