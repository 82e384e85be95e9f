/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../support/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "compare/figures.h"
#include "compare/gate.h"
#include "compare/prediction.h"

static size_t find(const char *name)
{
	return measure_find(name, strlen(name));
}

/* A run whose unusable index at order 9 is @first, then @last, of 1000. */
static json_t *run_of(int first, int last, int claims)
{
	return json_pack("{s:s, s:{s:[i,i]}, s:{s:i, s:i}, s:{s:[{s:[i,i,i,i,i,i,i,i,i,i,i]}]}}",
			 "name", "r", "unusable", "9", first, last, "counts", "fallback_claim",
			 claims, "failed", 3, "final", "zones", "free_blocks", 1, 0, 0, 0, 0, 0, 0,
			 0, 0, 2, 1);
}

static void add(struct group *g, int first, int last, int claims)
{
	json_t *run = run_of(first, last, claims);

	assert_true(group_add(g, run));
	json_decref(run);
	group_sum_up(g);
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void test_measure_of_run_gives_figures(void **state)
{
	json_t *run = run_of(100, 300, 7);

	(void)state;
	assert_true(near(measure_of(run, find("unusable[9]")), 20));
	assert_true(near(measure_of(run, find("unusable_end[9]")), 30));
	assert_true(near(measure_of(run, find("fallbacks")), 7));
	assert_true(near(measure_of(run, find("failed")), 3));
	assert_true(near(measure_of(run, find("free")), (1 + 2 * 512 + 1024) * 4096. / 1048576));
	assert_true(near(measure_of(run, find("large")), (2 * 512 + 1024) * 4096. / 1048576));
	assert_true(isnan(measure_of(run, find("zone_lock"))));
	assert_true(isnan(measure_of(run, find("unusable[3]"))));
	json_decref(run);
}

static void test_measure_of_slab_pages_is_the_runs(void **state)
{
	json_t *run = json_pack("{s:i}", "slab_pages_end", 12);

	(void)state;
	assert_true(near(measure_of(run, find("slab_pages")), 12));
	json_decref(run);
}

static void test_prediction_base_has_the_same_reclaim(void **state)
{
	json_t *root = json_pack("{s:[{s:s}, {s:s}, {s:s}, {s:s, s:{s:s}}]}", "runs", "name",
				 "reference", "name", "model", "name", "other", "name", "what-if",
				 "modelled_reclaim", "base", "model");
	json_t *runs = json_object_get(root, "runs");

	(void)state;
	assert_ptr_equal(prediction_base(root, json_array_get(runs, 2)), json_array_get(runs, 0));
	assert_ptr_equal(prediction_base(root, json_array_get(runs, 3)), json_array_get(runs, 1));
	json_array_remove(runs, 1);
	assert_null(prediction_base(root, json_array_get(runs, 2)));
	json_decref(root);
}

static void test_prediction_refused_says_why(void **state)
{
	json_t *run = json_pack("{s:[{s:s, s:s}, {s:s, s:s}]}", "not_predicted", "what", "refills",
				"why", "a", "what", "all", "why", "b");

	(void)state;
	assert_string_equal(prediction_refused(run, "all"), "b");
	assert_string_equal(prediction_refused(run, "refills"), "a");
	assert_null(prediction_refused(run, "free"));
	json_decref(run);
}

static void test_group_change_tells_chance_from_difference(void **state)
{
	static struct group a, b, c;
	struct change change;
	size_t i = find("unusable[9]");

	(void)state;
	add(&a, 100, 100, 0);
	add(&a, 200, 200, 0);
	add(&b, 150, 150, 0);
	add(&b, 250, 250, 0);
	add(&c, 300, 300, 0);
	add(&c, 310, 310, 0);
	assert_true(group_change(&b, &a, i, &change));
	assert_true(near(change.absolute, 5));
	assert_true(near(change.percent, 100. * 5 / 15));
	assert_false(change.beyond_spread);
	assert_true(group_change(&c, &a, i, &change) && change.beyond_spread);
	assert_false(group_change(&c, &a, find("zone_lock"), &change));
}

static void test_group_rank_puts_best_first_unknown_last(void **state)
{
	static struct group g[3];
	size_t order[3];

	(void)state;
	add(&g[1], 300, 300, 0);
	add(&g[2], 200, 200, 0);
	group_sum_up(&g[0]);
	group_rank(g, 3, find("unusable[9]"), order);
	assert_int_equal(order[0], 2);
	assert_int_equal(order[1], 1);
	assert_int_equal(order[2], 0);
}

static void test_gate_parse_wrong_text_says_why(void **state)
{
	static const char *const wrong[][2] = {
		{"unusable[9]", "is not MEASURE>NUMBER"},
		{"unusble[9]>3", "did you mean"},
		{"free>", "is not a number"},
		{"free> ", "is not a number"},
		{"free>+ 5", "is not a number"},
		{"free>3x", "is not a number"},
		{"free>nan", "is not a number"},
		{"free>3%%", "is not a number"},
	};
	struct gate g;
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(gate_parse(&g, wrong[i][0], error), -EINVAL);
		if (!strstr(error, wrong[i][1]))
			fail_msg("%s", error);
	}
}

static void test_gate_met_by_value_change_and_percent(void **state)
{
	static const struct {
		const char *text;
		bool met;
	} cases[] = {
		{"unusable[9]>29", true},     {"unusable[9]>30", false},
		{"unusable[9]>+9", true},     {"unusable[9]>+10", false},
		{"unusable[9]>49%", true},    {"unusable[9]>50%", false},
		{"unusable[9]<31", true},     {"unusable[9]<-1", false},
		{"fallbacks>1000%", true},    {"fallbacks<-1%", false},
		{"failed>0%", false},	      {"zone_lock>0", false},
		{"zone_lock<+999999", false}, {"unusable[9]> +9", true},
		{"unusable[9]> +10", false},  {"unusable[9] >\t29", true},
		{"fallbacks< -1%", false},
	};
	static struct group base, g;
	struct gate gate;
	char error[256];
	double got;

	(void)state;
	add(&base, 200, 200, 0);
	add(&g, 300, 300, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(gate_parse(&gate, cases[i].text, error), 0);
		if (gate_met(&gate, &g, &base, &got) != cases[i].met)
			fail_msg("%s: %g", cases[i].text, got);
	}
}

static void test_comparison_figure_has_changes_but_for_the_base(void **state)
{
	static struct group groups[2] = {{.name = "a"}, {.name = "b"}};
	const struct comparison c = {.groups = groups, .n = 2};
	size_t i = find("unusable[9]");
	json_t *base, *other;

	(void)state;
	add(&groups[0], 200, 200, 0);
	add(&groups[1], 300, 300, 1);
	add(&groups[1], 320, 320, 1);
	base = comparison_figure(&c, 0, i);
	other = comparison_figure(&c, 1, i);
	assert_null(json_object_get(base, "change"));
	assert_true(near(json_real_value(json_object_get(other, "change")), 11));
	assert_true(near(json_real_value(json_object_get(other, "max")), 32));
	assert_true(json_is_false(json_object_get(other, "beyond_spread"))); /* one run */
	assert_true(comparison_wants(&c, i) && comparison_spread(&c));
	assert_false(comparison_wants(&c, find("zone_lock")));
	assert_false(comparison_wants(&(struct comparison){.measures = 1u << (i + 1)}, i));
	json_decref(base);
	json_decref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_measure_of_run_gives_figures),
		cmocka_unit_test(test_measure_of_slab_pages_is_the_runs),
		cmocka_unit_test(test_prediction_base_has_the_same_reclaim),
		cmocka_unit_test(test_prediction_refused_says_why),
		cmocka_unit_test(test_group_change_tells_chance_from_difference),
		cmocka_unit_test(test_group_rank_puts_best_first_unknown_last),
		cmocka_unit_test(test_comparison_figure_has_changes_but_for_the_base),
		cmocka_unit_test(test_gate_parse_wrong_text_says_why),
		cmocka_unit_test(test_gate_met_by_value_change_and_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
