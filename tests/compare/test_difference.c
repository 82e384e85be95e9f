/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What two runs differ in over time: read at the same moments, as far as both go. */
#include "../support/test.h"

#include <math.h>
#include <string.h>

#include "compare/difference.h"
#include "compare/figures.h"

enum { FREE, UNUSABLE_3, UNUSABLE_4, UNUSABLE_9 };

/* Free pages 1000 at every one of four seconds; A's share at order 9 is @share of 1000. */
static json_t *result_of(const int share[4])
{
	return json_pack("{s:[I,I,I,I], s:[{s:s, s:[i,i,i,i], s:{s:[i,i,i,i]}}]}", "time_ns",
			 (json_int_t)1000000000, (json_int_t)2000000000, (json_int_t)3000000000,
			 (json_int_t)4000000000, "runs", "name", "observed", "free_pages", 1000,
			 1000, 1000, 1000, "unusable", "9", share[0], share[1], share[2], share[3]);
}

static struct difference_side side_of(const json_t *root, const char *title)
{
	return (struct difference_side){root, json_array_get(json_object_get(root, "runs"), 0),
					title};
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static struct difference differ(const int from[4], const int to[4])
{
	json_t *x = result_of(from), *y = result_of(to);
	struct difference_side a = side_of(x, "a"), b = side_of(y, "b");
	struct difference d;

	assert_true(difference_of(&d, UNUSABLE_9, &a, &b));
	json_decref(x);
	json_decref(y);
	return d;
}

static void test_difference_has_mean_largest_and_end(void **state)
{
	const struct difference d = differ((int[]){100, 100, 100, 100}, (int[]){100, 300, 20, 110});

	(void)state;
	assert_true(near(d.mean, (0 + 20 - 8 + 1) / 4.0));
	assert_true(near(d.most, 20));
	assert_true(near(d.most_at_ns, 2e9));
	assert_true(near(d.end, 1));
}

static void test_difference_of_equal_runs_is_largest_nowhere(void **state)
{
	const struct difference d =
		differ((int[]){100, 100, 100, 100}, (int[]){100, 100, 100, 100});

	(void)state;
	assert_true(d.most == 0 && isnan(d.most_at_ns));
}

static void test_difference_apart_since_it_stays_on_one_side(void **state)
{
	static const struct {
		int to[4];
		double since; /* 0: never */
	} cases[] = {
		{{100, 100, 100, 100}, 0}, {{102, 98, 100, 102}, 0},  /* noise */
		{{200, 200, 200, 200}, 1}, {{200, 100, 103, 200}, 3}, /* came back once */
		{{200, 200, 50, 60}, 3},			      /* changed sides */
		{{200, 200, 200, 101}, 0},			      /* and back at last */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct difference d = differ((int[]){100, 100, 100, 100}, cases[i].to);

		if (cases[i].since)
			assert_true(near(d.apart_ns, cases[i].since * 1e9));
		else
			assert_true(isnan(d.apart_ns));
	}
}

static void test_difference_ends_with_the_shorter(void **state)
{
	json_t *x = result_of((int[]){0, 0, 0, 0}), *y = result_of((int[]){10, 20, 30, 40});
	struct difference_side a = side_of(x, "a"), b = side_of(y, "b");
	struct comparison c = {0};
	struct difference d;
	const json_t *series, *last;
	json_t *doc;

	(void)state;
	json_array_set_new(json_object_get(y, "time_ns"), 3, json_integer(3500000000));
	assert_true(difference_of(&d, UNUSABLE_9, &a, &b));
	assert_true(near(d.end, 3) && near(d.most, 3) && near(d.mean, 2));
	assert_false(difference_of(&d, UNUSABLE_3, &a, &b));
	doc = difference_json(&c, &a, &b);
	assert_string_equal(json_string_value(json_object_get(doc, "group")), "b");
	assert_int_equal(json_array_size(json_object_get(doc, "series")), 2);
	series = json_array_get(json_object_get(doc, "series"), 1);
	last = json_array_get(json_object_get(series, "value"), 3);
	assert_true(json_is_null(last));
	json_decref(doc);
	json_decref(x);
	json_decref(y);
}

static void test_difference_shows_the_measures_asked_for(void **state)
{
	struct comparison c = {.measures = 1u << measure_find("unusable[9]", 11)};

	(void)state;
	assert_true(difference_wanted(&c, UNUSABLE_9));
	assert_false(difference_wanted(&c, FREE) || difference_wanted(&c, UNUSABLE_4));
	assert_true(difference_wanted(NULL, FREE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_difference_has_mean_largest_and_end),
		cmocka_unit_test(test_difference_of_equal_runs_is_largest_nowhere),
		cmocka_unit_test(test_difference_apart_since_it_stays_on_one_side),
		cmocka_unit_test(test_difference_ends_with_the_shorter),
		cmocka_unit_test(test_difference_shows_the_measures_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
