/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_fallbacks.c - whose fallbacks they are, and what became of the pageblock. */
#include "../support/test.h"

#include <stdlib.h>

#include "metrics/fallbacks.h"
#include "trace/trace_io.h"

enum { A, B, TAKE, LARGE, LOCKED, ALLOC, OBJECT, CLASSES };
enum { COMM_A = 1, COMM_B, SITE };

static const struct kmt_class classes[CLASSES] = {
	[A] = {.kind = KMT_TASK, .pid = 10, .comm = COMM_A},
	[B] = {.kind = KMT_TASK, .pid = 20, .comm = COMM_B},
	/* Unmovable from movable, a block of order 4; of order 9. */
	[TAKE] = {.kind = KMT_EXTFRAG, .fallback_order = 4, .fallback_type = 1},
	[LARGE] = {.kind = KMT_EXTFRAG, .fallback_order = 9, .fallback_type = 1},
	[LOCKED] = {.kind = KMT_ZONE_LOCKED},
	[ALLOC] = {.kind = KMT_PAGE_ALLOC},
	[OBJECT] = {.kind = KMT_CACHE_ALLOC, .call_site = SITE},
};
static const struct kmt_class *by_id[CLASSES];

static int set_up(void **state)
{
	for (int i = 0; i < CLASSES; i++)
		by_id[i] = &classes[i];
	*state = fallbacks_new(by_id, CLASSES, 2, 9);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	fallbacks_free(*state);
	return 0;
}

static void at(struct fallbacks *f, uint16_t cpu, uint32_t class_id, uint64_t address)
{
	const struct trace_event e = {.address = address,
				      .class_id = class_id,
				      .cpu = cpu,
				      .kind = classes[class_id].kind};

	assert_int_equal(fallbacks_feed(f, &e, 1), 0);
}

static void test_fallbacks_belong_to_the_task_of_their_cpu(void **state)
{
	struct fallbacks *f = *state;
	struct fallback_culprit *c;
	size_t n;

	at(f, 0, A, 0);
	at(f, 1, B, 0);
	at(f, 0, TAKE, 512);
	at(f, 1, TAKE, 1024);
	at(f, 1, TAKE, 1025); /* the same pageblock */
	at(f, 1, TAKE, 2048);
	c = fallbacks_by_command(f, &n);
	assert_int_equal(n, 2);
	assert_int_equal(c[0].string, COMM_B);
	assert_int_equal(c[0].events, 3);
	assert_int_equal(c[0].blocks, 2);
	assert_int_equal(c[0].mixed, 2);
	assert_int_equal(c[1].string, COMM_A);
	assert_int_equal(c[1].blocks, 1);
	free(c);
}

static void test_fallbacks_events_around_tell_what_became_of_the_block(void **state)
{
	struct fallbacks *f = *state;
	struct fallback_culprit *c;
	size_t n;

	at(f, 0, LOCKED, 512); /* claimed: it had left the lists */
	at(f, 0, TAKE, 512);
	at(f, 0, LOCKED, 700); /* of another page: stolen */
	at(f, 0, TAKE, 1024);
	at(f, 0, ALLOC, 1024);
	at(f, 0, TAKE, 2048); /* announced only: nothing tells */
	at(f, 0, LOCKED, 2048);
	at(f, 0, ALLOC, 2048);
	at(f, 0, LARGE, 4096); /* a whole pageblock */
	c = fallbacks_by_command(f, &n);
	assert_int_equal(n, 1);
	assert_int_equal(c[0].string, 0);
	assert_int_equal(c[0].events, 4);
	assert_int_equal(c[0].claimed, 2);
	assert_int_equal(c[0].stolen, 1);
	assert_int_equal(c[0].mixed, 2);
	free(c);
}

static void test_fallbacks_first_object_in_the_pages_tells_the_site(void **state)
{
	struct fallbacks *f = *state;
	struct fallback_culprit *c;
	size_t n;

	at(f, 0, TAKE, 512);
	at(f, 1, OBJECT, 512 << 9); /* of another CPU */
	at(f, 0, OBJECT, 513 << 9); /* in another page */
	c = fallbacks_by_site(f, &n);
	assert_int_equal(c[0].string, 0);
	free(c);
	at(f, 0, OBJECT, (512 << 9) + 8);
	c = fallbacks_by_site(f, &n);
	assert_int_equal(n, 1);
	assert_int_equal(c[0].string, SITE);
	free(c);
}

static void test_fallbacks_over_time_hold_each_in_its_column(void **state)
{
	struct fallbacks *f = *state;
	const struct fallbacks_over_time *t = fallbacks_over_time(f);
	struct trace_event e = {.address = 512, .class_id = TAKE, .kind = KMT_EXTFRAG};
	static const uint64_t times[] = {1000, 1009, 1010, 9999, 500};

	fallbacks_span(f, 1000, 1000 + 10 * FALLBACKS_COLUMNS - 1);
	assert_int_equal(t->column_ns, 10);
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		e.time_ns = times[i];
		assert_int_equal(fallbacks_feed(f, &e, 1), 0);
	}
	assert_int_equal(t->events[0], 2);
	assert_int_equal(t->events[1], 1);
	assert_int_equal(t->mixing[1], 1);		       /* unmovable into movable */
	assert_int_equal(t->events[FALLBACKS_COLUMNS - 1], 1); /* after the end */
}

static void test_fallbacks_none_is_an_empty_list(void **state)
{
	size_t n = 7;
	struct fallback_culprit *c = fallbacks_by_command(*state, &n);

	assert_non_null(c);
	assert_int_equal(n, 0);
	free(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_fallbacks_##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(over_time_hold_each_in_its_column),
		TEST(belong_to_the_task_of_their_cpu),
		TEST(events_around_tell_what_became_of_the_block),
		TEST(first_object_in_the_pages_tells_the_site),
		TEST(none_is_an_empty_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
