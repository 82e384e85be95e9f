/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_start.c - what the events that follow tell about the start, and of kswapd. */
#include "../support/test.h"

#include "machine.h"

#include "replay/kswapd.h"

static const struct kmt_class alloc3 = {
	.kind = KMT_PAGE_ALLOC, .order = 3, .migratetype = 0, .gfp = 0xcc0};
static const struct kmt_class alloc_reclaimable = {
	.kind = KMT_PAGE_ALLOC, .migratetype = 2, .gfp = 0xcd0};
static const struct kmt_class release = {.kind = KMT_PAGE_FREE};

static const struct replay_policy policies[] = {{.name = "observed"}, {.name = "reference"}};

static struct replay p; /* too large for the stack */

static struct trace_reader *replay_of(struct machine *m)
{
	struct trace_reader *r = machine_end(m, 0, (const unsigned int[11]){[10] = 4});
	char error[512];

	if (replay_open(&p, r, policies, 2, error))
		fail_msg("%s", error);
	assert_int_equal(replay_events(&p, error), 0);
	return r;
}

static void done(struct trace_reader *r)
{
	replay_close(&p);
	trace_reader_close(r);
}

static void test_start_block_of_single_pages_was_listed_as_a_whole(void **state)
{
	static const struct trace_page_run runs[] = {
		{KMT_PG_KERNEL, 0, 16},
		{KMT_PG_FILE, 0, 4080},
		{KMT_PG_FREE, 10, 4},
	};
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin_with(&m, runs, 3, 4);
	machine_event(&m, 1, &alloc3, 8);
	r = replay_of(&m);
	assert_int_equal(p.start.pcp[0].pfn, 8);
	assert_int_equal(p.start.pcp[0].order, 3);
	assert_int_equal(p.runs[1].reference->requests.counts.alloc_of_live, 0);
	done(r);
}

static void test_start_page_freed_and_taken_again_tells_its_pageblock(void **state)
{
	static const struct {
		bool freed;
		int type;
	} cases[] = {{true, 2}, {false, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trace_reader *r;
		struct machine m;

		machine_begin(&m);
		if (cases[i].freed)
			machine_event(&m, 0, &release, 600);
		machine_event(&m, 0, &alloc_reclaimable, 600);
		r = replay_of(&m);
		if (cases[i].freed)
			assert_int_equal(p.start.at.block_type[1], cases[i].type);
		assert_int_equal(p.start.blocks_told, cases[i].freed);
		done(r);
	}
}

enum { KSWAPD = 1, OTHER = 2, MS = 1000000 };

static void note(struct kswapd_spans *s, uint64_t ns, unsigned int cpu, uint8_t kind, uint32_t task)
{
	const struct trace_event e = {
		.time_ns = ns, .cpu = (uint16_t)cpu, .kind = kind, .class_id = task};

	assert_int_equal(kswapd_spans_event(s, &e), 0);
}

static void test_kswapd_works_from_first_to_last_free_between_pauses(void **state)
{
	uint16_t of_class[] = {0, 1, 0}, on_cpu[2] = {0};
	struct kswapd_spans s = {
		.of_class = of_class, .on_cpu = on_cpu, .nr_classes = 3, .nr_cpus = 2};

	(void)state;
	note(&s, 1 * MS, 0, KMT_PAGE_FREE, 0); /* nobody knows whose */
	note(&s, 2 * MS, 1, KMT_TASK, KSWAPD);
	note(&s, 3 * MS, 1, KMT_PAGE_FREE, 0);
	note(&s, 4 * MS, 0, KMT_PAGE_FREE, 0); /* of the other CPU */
	note(&s, 9 * MS, 1, KMT_PAGE_FREE, 0);
	note(&s, 60 * MS, 1, KMT_PAGE_FREE, 0);
	note(&s, 61 * MS, 1, KMT_TASK, OTHER);
	note(&s, 62 * MS, 1, KMT_PAGE_FREE, 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.at[0].begin_ns, 3 * MS);
	assert_int_equal(s.at[0].end_ns, 9 * MS + 1);
	assert_int_equal(s.at[1].begin_ns, 60 * MS);
	assert_int_equal(s.at[1].end_ns, 60 * MS + 1);
	free(s.at);
}

static void test_kswapd_works_from_its_wakes_where_they_are_told(void **state)
{
	uint16_t of_class[] = {0, 1, 0, 1}, on_cpu[2] = {0};
	struct kswapd_spans s = {
		.of_class = of_class, .on_cpu = on_cpu, .nr_classes = 4, .nr_cpus = 2};
	const uint32_t wake = 3;

	(void)state;
	note(&s, 1 * MS, 1, KMT_TASK, KSWAPD);
	note(&s, 2 * MS, 1, KMT_PAGE_FREE, 0); /* awake since before the trace */
	note(&s, 5 * MS, 1, KMT_KSWAPD_WAKE, wake);
	note(&s, 9 * MS, 1, KMT_PAGE_FREE, 0);
	note(&s, 90 * MS, 1, KMT_PAGE_FREE, 0);	      /* a pause is no end any more */
	note(&s, 200 * MS, 1, KMT_KSWAPD_WAKE, wake); /* nothing to free */
	assert_int_equal(s.n, 3);
	assert_int_equal(s.at[0].begin_ns, 2 * MS);
	assert_int_equal(s.at[1].begin_ns, 5 * MS);
	assert_int_equal(s.at[1].end_ns, 90 * MS + 1);
	assert_int_equal(s.at[2].begin_ns, 200 * MS);
	assert_int_equal(s.at[2].end_ns, 200 * MS + 1);
	free(s.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_block_of_single_pages_was_listed_as_a_whole),
		cmocka_unit_test(test_start_page_freed_and_taken_again_tells_its_pageblock),
		cmocka_unit_test(test_kswapd_works_from_first_to_last_free_between_pauses),
		cmocka_unit_test(test_kswapd_works_from_its_wakes_where_they_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
