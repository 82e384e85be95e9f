/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_paths.c - which path served a request, by the events before it. */
#include "../support/test.h"

#include "replay/host.h"
#include "replay/paths.h"
#include "trace/trace_io.h"

enum { ALLOC, REFILL, DIRECT, BULK, DRAIN, CLASSES };

static const struct kmt_class classes[CLASSES] = {
	[ALLOC] = {.kind = KMT_PAGE_ALLOC},
	[REFILL] = {.kind = KMT_ZONE_LOCKED, .percpu_refill = 1},
	[DIRECT] = {.kind = KMT_ZONE_LOCKED},
	[BULK] = {.kind = KMT_BULK_PAGE},
	[DRAIN] = {.kind = KMT_PCPU_DRAIN},
};

static const struct kmt_class *const table[CLASSES] = {
	&classes[ALLOC], &classes[REFILL], &classes[DIRECT], &classes[BULK], &classes[DRAIN]};

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

		paths_feed(p, &e, 1);
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
	assert_int_equal(paths_init(&p, &h, table, CLASSES, 0), 0);
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

		assert_int_equal(paths_init(&p, &h, table, CLASSES, 0), 0);
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
	assert_int_equal(paths_init(&p, &h, table, CLASSES, 100), 0);
	feed(&p, steps, 3); /* at 100, 101 and on a CPU that there is not */
	assert_paths(&p, 1, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_of_requests_are_told_by_what_left_the_buddy_lists),
		cmocka_unit_test(test_paths_of_huge_pages_depend_on_their_lists),
		cmocka_unit_test(test_paths_before_the_start_state_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
