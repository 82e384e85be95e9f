/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_paths.c - which path served a request, by the events before it. */
#include "../support/test.h"

#include "replay/callpaths.h"
#include "replay/host.h"
#include "replay/paths.h"
#include "trace/trace_io.h"

enum { ALLOC, REFILL, DIRECT, BULK, DRAIN, COMPACT, RECLAIM, CAPTURE, BULK_LIVE, CLASSES };

static const struct kmt_class classes[CLASSES] = {
	[ALLOC] = {.kind = KMT_PAGE_ALLOC},
	[REFILL] = {.kind = KMT_ZONE_LOCKED, .percpu_refill = 1},
	[DIRECT] = {.kind = KMT_ZONE_LOCKED},
	[BULK] = {.kind = KMT_BULK_PAGE},
	[DRAIN] = {.kind = KMT_PCPU_DRAIN},
	[COMPACT] = {.kind = KMT_COMPACT_BEGIN},
	[RECLAIM] = {.kind = KMT_RECLAIM_BEGIN},
	[CAPTURE] = {.kind = KMT_PAGE_ALLOC},
	[BULK_LIVE] = {.kind = KMT_BULK_PAGE},
};

static const struct kmt_class *const table[CLASSES] = {
	&classes[ALLOC],   &classes[REFILL],  &classes[DIRECT],
	&classes[BULK],	   &classes[DRAIN],   &classes[COMPACT],
	&classes[RECLAIM], &classes[CAPTURE], &classes[BULK_LIVE]};

/* What the events find where it matters */
static const enum page_kind found[CLASSES] = {[CAPTURE] = PAGE_FREE, [BULK_LIVE] = PAGE_LIVE};

struct step {
	unsigned int class, cpu, order;
};

static void feed(struct paths *p, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct trace_event e = {.time_ns = 100 + i,
					      .kind = classes[steps[i].class].kind,
					      .class_id = steps[i].class,
					      .cpu = (uint16_t)steps[i].cpu,
					      .order = (uint8_t)steps[i].order,
					      .address = 64};

		paths_event(p, &e, found[steps[i].class]);
	}
}

static void assert_paths(struct paths *p, unsigned int hit, unsigned int refill, unsigned int buddy)
{
	assert_int_equal(p->hit, hit);
	assert_int_equal(p->refill, refill);
	assert_int_equal(p->buddy, buddy);
	paths_destroy(p);
}

static void test_paths_of_requests_are_told_by_what_left_the_buddy_lists(void **state)
{
	static const struct step steps[] = {
		{ALLOC, 0, 0},				       /* hit */
		{REFILL, 0, 0}, {REFILL, 0, 0}, {DRAIN, 0, 0}, /* nothing to do with it */
		{ALLOC, 1, 0},				       /* of another CPU: hit */
		{ALLOC, 0, 0},				       /* refill */
		{ALLOC, 0, 0},				       /* hit: what was refilled is there */
		{DIRECT, 1, 5}, {ALLOC, 1, 5},		       /* buddy lists */
		{ALLOC, 1, 4}, /* no list has that order, whatever was seen */
		{REFILL, 0, 0}, {BULK, 0, 0},	{BULK, 0, 0}, /* refill, hit */
	};
	const struct host h = {.cpus = 2, .pageblock_order = 9};
	struct paths p;

	(void)state;
	assert_int_equal(paths_init(&p, &h, table, CLASSES, 0, NULL), 0);
	feed(&p, steps, sizeof(steps) / sizeof(*steps));
	assert_paths(&p, 4, 2, 2);
}

static void test_paths_of_huge_pages_depend_on_their_lists(void **state)
{
	static const struct step steps[] = {{ALLOC, 0, 9}, {REFILL, 0, 9}, {ALLOC, 0, 9}};
	struct paths p;

	(void)state;
	for (int lists = 0; lists < 2; lists++) {
		const struct host h = {.cpus = 1, .pageblock_order = 9, .thp_pcp = lists};

		assert_int_equal(paths_init(&p, &h, table, CLASSES, 0, NULL), 0);
		feed(&p, steps, 3);
		assert_paths(&p, lists, lists, lists ? 0 : 2);
	}
}

static void test_paths_before_the_start_state_are_left_out(void **state)
{
	static const struct step steps[] = {{ALLOC, 0, 0}, {ALLOC, 0, 0}, {ALLOC, 7, 0}};
	const struct host h = {.cpus = 1};
	struct paths p;

	(void)state;
	assert_int_equal(paths_init(&p, &h, table, CLASSES, 100, NULL), 0);
	feed(&p, steps, 3); /* at 100, 101 and on a CPU that there is not */
	assert_paths(&p, 1, 0, 0);
}

/* Pages of bulk calls that were asked for one by one, and stacks that are used again */
static void test_paths_of_pages_that_are_live_are_left_out(void **state)
{
	static const struct step steps[] = {{ALLOC, 0, 0}, {BULK_LIVE, 0, 0}, {BULK, 0, 0}};
	const struct host h = {.cpus = 1};
	struct paths p;

	(void)state;
	assert_int_equal(paths_init(&p, &h, table, CLASSES, 0, NULL), 0);
	feed(&p, steps, 3);
	assert_paths(&p, 2, 0, 0);
}

/* Calls as the recorder keeps them: end, length and order. The n-th step is at 100 + n. */
static enum path path_of_call(const struct step *steps, size_t n, json_int_t end, json_int_t ns,
			      json_int_t order)
{
	json_t *samples = json_pack("[{s:I, s:I, s:I}]", "time_ns", end, "ns", ns, "order", order);
	const struct host h = {.cpus = 2, .pageblock_order = 9};
	struct call_paths calls;
	struct paths p;
	enum path path;

	assert_int_equal(paths_init(&p, &h, table, CLASSES, 0, NULL), 0);
	assert_int_equal(call_paths_init(&calls, samples, 2), 0);
	p.calls = &calls;
	feed(&p, steps, n);
	call_paths_finish(&calls);
	path = call_paths_of(&calls, 0);
	assert_int_equal(call_paths_of(&calls, 1), PATHS);
	call_paths_destroy(&calls);
	paths_destroy(&p);
	json_decref(samples);
	return path;
}

static void test_paths_of_timed_calls_are_those_of_the_last_page_in_their_time(void **state)
{
	static const struct step steps[] = {
		{ALLOC, 0, 0}, {REFILL, 0, 0}, {ALLOC, 0, 0}, {ALLOC, 0, 1}, {ALLOC, 0, 0}};
	static const struct {
		json_int_t end, ns, order;
		enum path path;
	} cases[] = {
		{100, 0, 0, PATH_HIT},	{103, 2, 0, PATH_REFILL}, {103, 3, 0, PATH_REFILL},
		{103, 50, 1, PATH_HIT}, {104, 0, 0, PATH_HIT},	  {900, 796, 0, PATH_HIT},
		{900, 795, 0, PATHS},	{103, 3, 2, PATHS},	  {99, 99, 0, PATHS},
		{103, 104, 0, PATHS},	{103, -1, 0, PATHS},	  {103, 3, 32, PATHS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(path_of_call(steps, 5, cases[i].end, cases[i].ns, cases[i].order),
				 cases[i].path);
}

static void test_paths_of_timed_calls_are_not_clear_where_cpus_disagree(void **state)
{
	static const struct step differ[] = {{REFILL, 0, 0}, {ALLOC, 0, 0}, {ALLOC, 1, 0}};
	static const struct step agree[] = {{ALLOC, 0, 0}, {ALLOC, 1, 0}};

	(void)state;
	assert_int_equal(path_of_call(differ, 3, 110, 20, 0), PATHS);
	assert_int_equal(path_of_call(differ, 3, 110, 8, 0), PATH_HIT);
	assert_int_equal(path_of_call(agree, 2, 110, 20, 0), PATH_HIT);
}

static void test_paths_of_timed_calls_that_waited_are_slow(void **state)
{
	static const struct step compacted[] = {{COMPACT, 0, 9}, {REFILL, 0, 9}, {ALLOC, 0, 9}};
	static const struct step reclaimed[] = {{RECLAIM, 0, 0}, {ALLOC, 0, 0}};
	static const struct step captured[] = {{CAPTURE, 0, 9}};
	static const struct step later[] = {{RECLAIM, 0, 0}, {ALLOC, 0, 0}, {ALLOC, 0, 0}};
	static const struct step elsewhere[] = {{RECLAIM, 1, 0}, {ALLOC, 0, 0}};

	(void)state;
	assert_int_equal(path_of_call(compacted, 3, 110, 20, 9), PATH_SLOW);
	assert_int_equal(path_of_call(reclaimed, 2, 110, 20, 0), PATH_SLOW);
	assert_int_equal(path_of_call(captured, 1, 110, 20, 9), PATH_SLOW);
	assert_int_equal(path_of_call(later, 3, 110, 20, 0), PATH_HIT);
	assert_int_equal(path_of_call(elsewhere, 2, 110, 20, 0), PATH_HIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_of_requests_are_told_by_what_left_the_buddy_lists),
		cmocka_unit_test(test_paths_of_huge_pages_depend_on_their_lists),
		cmocka_unit_test(test_paths_before_the_start_state_are_left_out),
		cmocka_unit_test(test_paths_of_pages_that_are_live_are_left_out),
		cmocka_unit_test(
			test_paths_of_timed_calls_are_those_of_the_last_page_in_their_time),
		cmocka_unit_test(test_paths_of_timed_calls_are_not_clear_where_cpus_disagree),
		cmocka_unit_test(test_paths_of_timed_calls_that_waited_are_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
