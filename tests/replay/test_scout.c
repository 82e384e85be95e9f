/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_scout.c - frees past the per-CPU lists are found by what follows. */
#include "../support/test.h"

#include "machine.h"

static const struct kmt_class refill = {
	.kind = KMT_ZONE_LOCKED, .migratetype = 1, .percpu_refill = 1};
static const struct kmt_class alloc = {.kind = KMT_PAGE_ALLOC, .migratetype = 1, .gfp = 0x100cca};
static const struct kmt_class release = {.kind = KMT_PAGE_FREE};
static const struct kmt_class drain = {.kind = KMT_PCPU_DRAIN, .migratetype = 1};
static const struct replay_policy observed[] = {{.name = "observed"}};

static struct replay p;

static struct trace_reader *replay(struct machine *m, int pcp, const unsigned int blocks[11])
{
	struct trace_reader *r = machine_end(m, pcp, blocks);
	char error[512];

	assert_int_equal(replay_open(&p, r, observed, 1, error), 0);
	assert_int_equal(replay_events(&p, error), 0);
	return r;
}

static void done(struct trace_reader *r)
{
	replay_close(&p);
	trace_reader_close(r);
}

/* File page 100 is freed and then refilled, with no drain in between. */
static void test_scout_refill_without_drain_means_free_past_the_list(void **state)
{
	static const unsigned int left[11] = {[0] = 1, [10] = 4};
	const struct observed_counts *c;
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 0, &release, 100);
	machine_event(&m, 0, &release, 200);
	machine_event(&m, 0, &refill, 100);
	machine_event(&m, 0, &alloc, 100);
	machine_event(&m, 0, &drain, 200);
	r = replay(&m, 2, left);
	c = &p.runs[0].observed->counts;
	assert_int_equal(p.scout.n, 1);
	assert_int_equal(p.scout.bypass[0], 0); /* the first free */
	assert_int_equal(c->bypassed, 1);
	assert_int_equal(c->found[KMT_ZONE_LOCKED][PAGE_FREE], 1);
	assert_int_equal(c->found[KMT_ZONE_LOCKED][PAGE_PCP], 0);
	assert_int_equal(p.witness.exact, 1);
	done(r);
}

/* The end snapshot shows page 100 free, page 101 not. */
static void test_scout_end_snapshot_shows_free_past_the_list(void **state)
{
	static const struct trace_page_run runs[] = {
		{KMT_PG_FILE, 0, 100}, {KMT_PG_FREE, 0, 1}, {KMT_PG_KERNEL, 0, 1}};
	static const unsigned int left[11] = {[0] = 1, [10] = 4};
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 0, &release, 101);
	machine_event(&m, 0, &release, 100);
	assert_int_equal(
		trace_writer_pages(m.w, KMT_PHASE_END, m.now_ns + 10, m.now_ns + 20, 0, runs, 3),
		0);
	r = replay(&m, 3, left);
	assert_int_equal(p.scout.n, 1);
	assert_int_equal(p.scout.bypass[0], 1);
	assert_int_equal(p.witness.exact, 1);
	assert_int_equal(p.runs[0].end[0].pcp_pages, 3);
	assert_int_equal(p.diff.pages[PAGE_FREE][KMT_PG_FREE], 1);
	assert_int_equal(p.diff.pages[PAGE_PCP][KMT_PG_KERNEL], 1);
	done(r);
}

/* Refilled, never allocated, refilled again: no free to blame. */
static void test_scout_page_refilled_twice_blames_no_free(void **state)
{
	static const unsigned int left[11] = {[10] = 4};
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 0, &release, 100);
	machine_event(&m, 0, &drain, 100);
	machine_event(&m, 0, &refill, 100);
	machine_event(&m, 0, &refill, 100);
	r = replay(&m, 3, left);
	assert_int_equal(p.scout.n, 0);
	assert_int_equal(p.runs[0].observed->counts.found[KMT_ZONE_LOCKED][PAGE_PCP], 1);
	done(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scout_refill_without_drain_means_free_past_the_list),
		cmocka_unit_test(test_scout_end_snapshot_shows_free_past_the_list),
		cmocka_unit_test(test_scout_page_refilled_twice_blames_no_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
