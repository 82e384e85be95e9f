// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_trigger.c - conditions as they are written, and when they are met. */
#include "../support/test.h"

#include <errno.h>
#include <record/trigger.h>
#include <string.h>

#include <kmemlab/kinds.h>

static void test_trigger_words_are_parsed_or_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{"alloc-fail", 0},
		{"alloc-fail:order>=3", 0},
		{"alloc-fail:order>=x", -EINVAL},
		{"alloc-fail:order>=3x", -EINVAL},
		{"alloc-fail:order>=99", -EINVAL},
		{"alloc-fail-soon", -EINVAL},
		{"stall>10ms", 0},
		{"stall>", -EINVAL},
		{"stall>10parsecs", -EINVAL},
		{"unusable[9]>0.8", 0},
		{"unusable[9]>1", -EINVAL},
		{"unusable[9]>", -EINVAL},
		{"unusable[]>0.8", -EINVAL},
		{"unusable[99]>0.8", -EINVAL},
		{"", -EINVAL},
		{"stall>0000000000000000000000000000000000000000000010ms", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct triggers t = {0};

		if (triggers_add(&t, cases[i].text) != cases[i].err)
			fail_msg("'%s' gave another result", cases[i].text);
	}
}

static void test_trigger_too_many_are_refused(void **state)
{
	struct triggers t = {0};

	(void)state;
	for (int i = 0; i < TRIGGERS_MAX; i++)
		assert_int_equal(triggers_add(&t, "alloc-fail"), 0);
	assert_int_equal(triggers_add(&t, "alloc-fail"), -E2BIG);
}

static void show(struct triggers *t, unsigned int kind, unsigned int order, uint64_t time_ns,
		 uint32_t task)
{
	const struct seen_event e = {kind, order, time_ns, task};
	struct event_watch w = triggers_watch(t);

	w.see(w.context, &e);
}

static void test_trigger_failure_counts_from_its_order_on(void **state)
{
	struct triggers t = {0};

	(void)state;
	triggers_add(&t, "alloc-fail:order>=3");
	show(&t, KMT_PAGE_ALLOC, 2, 1, 0);
	show(&t, KMT_KMALLOC, 9, 1, 0);
	assert_null(triggers_take(&t, 0));
	show(&t, KMT_PAGE_ALLOC, 3, 1, 0);
	assert_string_equal(triggers_take(&t, 0), "alloc-fail:order>=3");
	assert_null(triggers_take(&t, 0));
}

static void test_trigger_met_in_a_quiet_time_waits(void **state)
{
	struct triggers t = {.quiet_until_ns = 100};

	(void)state;
	assert_int_equal(triggers_add(&t, "alloc-fail"), 0);
	show(&t, KMT_PAGE_ALLOC, 0, 1, 0);
	assert_null(triggers_take(&t, 99));
	assert_non_null(triggers_take(&t, 100));
	assert_null(triggers_take(&t, 101));
}

static void test_trigger_stall_is_measured_by_task(void **state)
{
	struct triggers t = {0};

	(void)state;
	triggers_add(&t, "stall>10ms");
	show(&t, KMT_RECLAIM_BEGIN, 0, 1000000, 7);
	show(&t, KMT_COMPACT_BEGIN, 0, 5000000, 8);
	show(&t, KMT_RECLAIM_END, 0, 10000000, 7); /* 9 ms */
	assert_null(triggers_take(&t, 0));
	show(&t, KMT_RECLAIM_END, 0, 90000000, 7); /* ends nothing */
	assert_null(triggers_take(&t, 0));
	show(&t, KMT_COMPACT_END, 0, 16000000, 8); /* 11 ms */
	assert_non_null(triggers_take(&t, 0));
}

static void test_trigger_unusable_is_met_when_it_rises(void **state)
{
	/* Free pages: 8 + 8 in a block of order 3; half of them is too small for it. */
	static const char half[] = "Node 0, zone   Normal      8      0      0      1\n";
	static const char most[] = "Node 0, zone   Normal     56      0      0      1\n";
	struct triggers t = {0};

	(void)state;
	triggers_add(&t, "unusable[3]>0.8");
	assert_true(triggers_want_samples(&t));
	triggers_sample(&t, half);
	assert_null(triggers_take(&t, 0));
	triggers_sample(&t, most);
	assert_non_null(triggers_take(&t, 0));
	triggers_sample(&t, most);
	assert_null(triggers_take(&t, 0));
	triggers_sample(&t, half);
	triggers_sample(&t, most);
	assert_non_null(triggers_take(&t, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trigger_words_are_parsed_or_refused),
		cmocka_unit_test(test_trigger_too_many_are_refused),
		cmocka_unit_test(test_trigger_failure_counts_from_its_order_on),
		cmocka_unit_test(test_trigger_met_in_a_quiet_time_waits),
		cmocka_unit_test(test_trigger_stall_is_measured_by_task),
		cmocka_unit_test(test_trigger_unusable_is_met_when_it_rises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
