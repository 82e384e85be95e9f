/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_stalls.c - from begin and end events to waits, marks and spans. */
#include "../support/test.h"

#include "metrics/stalls.h"
#include "metrics/tasks.h"
#include "trace/trace_io.h"

enum {
	A,
	B,
	KCOMPACTD,
	BEGIN,
	END,
	COMPACT,
	COMPACT_ALL,
	COMPACTED,
	WAKE,
	SLEEP,
	CWAKE,
	CSLEEP,
	THROTTLED,
	ALLOC,
	OOM,
	CLASSES
};

static const struct kmt_class classes[CLASSES] = {
	[A] = {.kind = KMT_TASK, .pid = 10},
	[B] = {.kind = KMT_TASK, .pid = 20},
	[KCOMPACTD] = {.kind = KMT_TASK, .pid = 30},
	[BEGIN] = {.kind = KMT_RECLAIM_BEGIN, .order = 3},
	[END] = {.kind = KMT_RECLAIM_END},
	[COMPACT] = {.kind = KMT_COMPACT_BEGIN, .order = 9},
	[COMPACT_ALL] = {.kind = KMT_COMPACT_BEGIN, .order = 18},
	[COMPACTED] = {.kind = KMT_COMPACT_END},
	[WAKE] = {.kind = KMT_KSWAPD_WAKE, .node = 1},
	[SLEEP] = {.kind = KMT_KSWAPD_SLEEP, .node = 1},
	[CWAKE] = {.kind = KMT_KCOMPACTD_WAKE},
	[CSLEEP] = {.kind = KMT_KCOMPACTD_SLEEP},
	[THROTTLED] = {.kind = KMT_THROTTLED},
	[ALLOC] = {.kind = KMT_PAGE_ALLOC, .order = 4},
	[OOM] = {.kind = KMT_OOM_VICTIM, .pid = 77},
};
static const struct kmt_class *by_id[CLASSES];

static int set_up(void **state)
{
	for (int i = 0; i < CLASSES; i++)
		by_id[i] = &classes[i];
	*state = stalls_new(by_id, CLASSES, 2);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	stalls_free(*state);
	return 0;
}

static void at(struct stalls *s, uint64_t ns, uint16_t cpu, uint32_t class_id, uint64_t address)
{
	const struct trace_event e = {.time_ns = ns,
				      .address = address,
				      .class_id = class_id,
				      .cpu = cpu,
				      .kind = classes[class_id].kind,
				      .order = classes[class_id].order};

	assert_int_equal(stalls_feed(s, &e, 1), 0);
}

static struct stalls_found end(struct stalls *s)
{
	struct stalls_found f;

	assert_int_equal(stalls_finish(s, 10000, &f), 0);
	return f;
}

static void test_stalls_task_on_another_cpu_ends_its_own_stall(void **state)
{
	struct stalls *s = *state;
	struct stalls_found f;

	at(s, 100, 0, A, 0);
	at(s, 110, 0, BEGIN, 0);
	at(s, 120, 0, B, 0); /* A sleeps, B begins one of its own */
	at(s, 130, 0, BEGIN, 0);
	at(s, 500, 1, A, 0);
	at(s, 510, 1, END, 32);
	at(s, 530, 0, END, 32);
	f = end(s);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.stalls[0].ns, 400);
	assert_int_equal(f.stalls[0].task, A);
	assert_int_equal(f.stalls[0].order, 3);
	assert_int_equal(f.stalls[1].begin_ns, 130);
	assert_int_equal(f.stalls[1].ns, 400);
	assert_int_equal(f.open, 0);
}

static void test_stalls_begin_or_end_alone_makes_no_duration(void **state)
{
	struct stalls *s = *state;
	struct stalls_found f;

	at(s, 100, 0, BEGIN, 0); /* whose? */
	at(s, 110, 0, A, 0);
	at(s, 120, 0, END, 1);
	at(s, 130, 0, BEGIN, 0);
	at(s, 140, 0, BEGIN, 0); /* its end was lost */
	at(s, 150, 0, COMPACTED, 0);
	f = end(s);
	assert_int_equal(f.n, 0);
	assert_int_equal(f.open, 2);
}

static void test_stalls_kcompactd_is_background_even_before_it_tells(void **state)
{
	struct stalls *s = *state;
	struct stalls_found f;

	at(s, 100, 0, KCOMPACTD, 0);
	at(s, 110, 0, COMPACT_ALL, 0); /* proactive */
	at(s, 150, 0, COMPACTED, 0);
	at(s, 160, 0, CWAKE, 0);
	at(s, 170, 0, COMPACT, 0);
	at(s, 180, 0, COMPACTED, 0);
	at(s, 190, 0, CSLEEP, 0);
	at(s, 200, 1, A, 0);
	at(s, 210, 1, COMPACT, 0);
	at(s, 217, 1, COMPACTED, 0);
	f = end(s);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.stalls[0].kind, STALL_COMPACTION);
	assert_int_equal(f.stalls[0].ns, 7);
	assert_int_equal(f.nr_spans, 2);
	assert_int_equal(f.spans[0].begin_ns, 160);
	assert_int_equal(f.spans[0].end_ns, 190);
	assert_int_equal(f.spans[1].begin_ns, 110);
}

static void test_stalls_compaction_asked_for_is_a_kind_of_its_own(void **state)
{
	struct stalls *s = *state;
	struct stalls_found f;

	at(s, 100, 0, A, 0);
	at(s, 110, 0, COMPACT_ALL, 0); /* echo 1 >/proc/sys/vm/compact_memory */
	at(s, 150, 0, COMPACTED, 0);
	at(s, 160, 0, COMPACT, 0);
	at(s, 165, 0, COMPACTED, 0);
	f = end(s);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.stalls[0].kind, STALL_COMPACTION_ASKED);
	assert_int_equal(f.stalls[0].ns, 40);
	assert_int_equal(f.stalls[1].kind, STALL_COMPACTION);
}

static void test_stalls_kswapd_awake_at_the_end_is_counted_to_there(void **state)
{
	struct stalls *s = *state;
	struct stalls_found f;

	at(s, 100, 0, SLEEP, 0); /* its waking was not seen */
	at(s, 200, 0, WAKE, 0);
	at(s, 250, 0, WAKE, 0); /* for a higher order */
	at(s, 300, 0, SLEEP, 0);
	at(s, 400, 0, WAKE, 0);
	f = end(s);
	assert_int_equal(f.nr_spans, 2);
	assert_int_equal(f.spans[0].end_ns - f.spans[0].begin_ns, 100);
	assert_int_equal(f.spans[1].end_ns, 10000);
	assert_int_equal(f.spans[1].node, 1);
	assert_true(f.spans[1].open);
}

static void test_stalls_failures_and_victims_are_marks(void **state)
{
	struct stalls *s = *state;
	struct stalls_found f;

	at(s, 100, 0, A, 0);
	at(s, 110, 0, ALLOC, 5);
	at(s, 120, 0, ALLOC, KMT_NO_PAGE);
	at(s, 130, 0, OOM, 0);
	at(s, 9000, 0, THROTTLED, 2);
	f = end(s);
	assert_int_equal(f.nr_marks, 2);
	assert_int_equal(f.marks[0].order, 4);
	assert_int_equal(f.marks[0].task, A);
	assert_int_equal(f.marks[1].kind, MARKER_OOM);
	assert_int_equal(f.marks[1].task, OOM);
	assert_int_equal(f.stalls[0].kind, STALL_THROTTLED);
	assert_int_equal(f.stalls[0].begin_ns, 7000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_stalls_##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(task_on_another_cpu_ends_its_own_stall),
		TEST(begin_or_end_alone_makes_no_duration),
		TEST(kcompactd_is_background_even_before_it_tells),
		TEST(compaction_asked_for_is_a_kind_of_its_own),
		TEST(kswapd_awake_at_the_end_is_counted_to_there),
		TEST(failures_and_victims_are_marks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
