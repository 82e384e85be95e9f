// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_flight.c - a window kept in memory is a trace that can be read.
 *
 * The writer's blocks go to the flight recorder; a window is written as the
 * recorder does it: header, dictionary, blocks, end.
 */
#include "../trace/fixture.h"

#include <record/flight.h>

enum {
	SECOND = 1000000000,
	PART_EVENTS = 1000,
};

struct flown {
	struct fixture f;
	struct flight *flight;
	uint64_t now_ns, seed;
};

static void start(struct flown *t, uint64_t window_ns, uint64_t bytes)
{
	struct trace_sink sink;

	memset(t, 0, sizeof(*t));
	fixture_start(&t->f, 2);
	t->flight = flight_new(window_ns, bytes, 2);
	assert_non_null(t->flight);
	sink = flight_sink(t->flight);
	trace_writer_sink(t->f.w, &sink);
	t->now_ns = SECOND;
}

/* A part of one second: its snapshot, and PART_EVENTS events with ever new addresses. */
static void fly(struct flown *t)
{
	const struct trace_page_run run = {.state = KMT_PG_FREE, .order = 0, .blocks = 64};
	char *base = malloc(1);

	assert_int_equal(flight_begin(t->flight, t->now_ns, base), 0);
	assert_int_equal(
		trace_writer_pages(t->f.w, KMT_PHASE_START, t->now_ns, t->now_ns, 0, &run, 1), 0);
	for (uint64_t i = 0; i < PART_EVENTS; i++)
		trace_writer_event(t->f.w, i % 2, t->f.class[KMT_PAGE_ALLOC], t -> now_ns + i,
				   random_next(&t->seed) >> 30);
	t->now_ns += SECOND;
	assert_int_equal(trace_writer_round(t->f.w, t->now_ns), 0);
}

/* The window, as a file of its own. */
static struct trace_reader *land(struct flown *t, int *fd)
{
	char error[256];
	struct trace_reader *r;

	*fd = memfd_create("window", 0);
	trace_writer_sink(t->f.w, NULL);
	trace_writer_file(t->f.w, *fd);
	assert_int_equal(trace_writer_header(t->f.w, FIXTURE_HEADER), 0);
	assert_int_equal(trace_writer_dictionary(t->f.w), 0);
	assert_int_equal(flight_write(t->flight, t->f.w), 0);
	assert_int_equal(trace_writer_account(t->f.w, "{}"), 0);
	assert_int_equal(trace_writer_end(t->f.w), 0);
	r = trace_reader_open_fd(*fd, "window", error);
	if (!r)
		fail_msg("%s", error);
	return r;
}

static uint64_t count(struct trace_reader *r)
{
	struct trace_event e[256];
	uint64_t n = 0;
	long got;

	while ((got = trace_reader_next(r, e, 256)) > 0)
		n += (uint64_t)got;
	assert_int_equal(got, 0);
	return n;
}

static void assert_intact(struct trace_reader *r)
{
	struct trace_damage d;

	trace_reader_damage(r, &d);
	assert_int_equal(d.bad_blocks + d.skipped_bytes + d.missing_blocks + d.undefined_classes,
			 0);
	assert_false(d.torn || d.unfinished);
}

static void finish(struct flown *t, struct trace_reader *r)
{
	trace_reader_close(r);
	flight_free(t->flight);
	fixture_free(&t->f);
}

static void test_flight_window_is_a_readable_trace(void **state)
{
	struct flight_window w;
	struct trace_reader *r;
	struct flown t;
	int fd;

	(void)state;
	start(&t, 10ull * SECOND, 1 << 20);
	fly(&t);
	fly(&t);
	assert_true(flight_window(t.flight, &w));
	assert_int_equal(w.events, 2 * PART_EVENTS);
	assert_int_equal(w.evicted, 0);
	assert_int_equal(w.parts, 2);
	assert_int_equal(flight_kept(t.flight, 1, KMT_PAGE_ALLOC), PART_EVENTS);
	r = land(&t, &fd);
	assert_int_equal(count(r), 2 * PART_EVENTS);
	assert_int_equal(trace_reader_pages(r), 1); /* the first part's snapshot alone */
	assert_intact(r);
	finish(&t, r);
}

static void test_flight_old_parts_leave_whole(void **state)
{
	struct flight_window w;
	struct trace_reader *r;
	struct flown t;
	int fd;

	(void)state;
	start(&t, 2ull * SECOND, 1 << 20);
	for (int i = 0; i < 10; i++)
		fly(&t);
	flight_window(t.flight, &w);
	/* The window of two seconds, and what of its first part is older. */
	assert_in_range(w.parts, 2, 3);
	assert_int_equal(w.events, w.parts * PART_EVENTS);
	assert_true(w.begin_ns + 2ull * SECOND <= t.now_ns);
	r = land(&t, &fd);
	assert_int_equal(count(r), w.events);
	assert_intact(r);
	finish(&t, r);
}

static void test_flight_small_budget_evicts_and_counts(void **state)
{
	struct flight_window w;
	struct trace_reader *r;
	struct flown t;
	int fd;

	(void)state;
	start(&t, 100ull * SECOND, 20000);
	fly(&t);
	for (int i = 0; i < 20; i++) {
		for (uint64_t e = 0; e < PART_EVENTS; e++)
			trace_writer_event(t.f.w, 0, t.f.class[KMT_PAGE_FREE], t.now_ns + e,
					   random_next(&t.seed) >> 30);
		t.now_ns += SECOND;
		trace_writer_round(t.f.w, t.now_ns);
	}
	flight_window(t.flight, &w);
	assert_true(w.bytes <= 20000);
	assert_true(w.evicted > 0);
	assert_int_equal(w.events + w.evicted, 21 * PART_EVENTS);
	r = land(&t, &fd);
	assert_int_equal(count(r), w.events);
	assert_int_equal(trace_reader_pages(r), 1); /* the snapshot stays */
	assert_intact(r);
	finish(&t, r);
}

static void test_flight_cleared_begins_anew(void **state)
{
	struct flight_window w;
	struct trace_reader *r;
	struct flown t;
	int fd;

	(void)state;
	start(&t, 10ull * SECOND, 1 << 20);
	fly(&t);
	flight_clear(t.flight);
	assert_false(flight_window(t.flight, &w));
	assert_int_equal(flight_kept(t.flight, 0, KMT_PAGE_ALLOC), 0);
	fly(&t);
	r = land(&t, &fd);
	assert_int_equal(count(r), PART_EVENTS);
	assert_intact(r);
	finish(&t, r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flight_window_is_a_readable_trace),
		cmocka_unit_test(test_flight_old_parts_leave_whole),
		cmocka_unit_test(test_flight_small_budget_evicts_and_counts),
		cmocka_unit_test(test_flight_cleared_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
