/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_start_read.c - lists and types that the recorder read, back to the moment. */
#include "../support/test.h"

#include "../../refmm/internal.h"
#include "machine.h"

static const struct kmt_class take = {.kind = KMT_PAGE_ALLOC, .migratetype = 1, .gfp = 0xcc0};
static const struct kmt_class release = {.kind = KMT_PAGE_FREE};
static const struct kmt_class drain = {.kind = KMT_PCPU_DRAIN, .migratetype = 1};
static const struct kmt_class refill = {
	.kind = KMT_ZONE_LOCKED, .migratetype = 1, .percpu_refill = 1};
static const struct replay_policy policies[] = {{.name = "observed"}, {.name = "reference"}};

static struct replay p; /* too large for the stack */

/* CPU 1's list of single movable pages holds @pfns; it was read after the events. It had
 * adapted so far that the next refill takes four batches. */
static struct trace_reader *replay_of(struct machine *m, int count, const char *pfns)
{
	struct trace_reader *r;
	char text[512], error[512];

	snprintf(text, sizeof(text),
		 "{\"cpus\":[{\"node\":0,\"zone\":\"Normal\",\"cpu\":1,\"time_ns\":%llu,"
		 "\"count\":%d,\"high\":321,\"alloc_factor\":2,\"free_count\":9,\"lists\":[{"
		 "\"order\":0,\"type\":1,\"pfns\":[%s]}]}]}",
		 (unsigned long long)m->now_ns, count, pfns);
	machine_text(m, KMT_PHASE_START, m->now_ns, "start/pcp", text);
	r = machine_end(m, 0, (const unsigned int[11]){[10] = 4});
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

static void lists_are(const uint32_t *pfn, size_t n)
{
	assert_int_equal(p.start.pcps, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(p.start.pcp[i].pfn, pfn[i]);
		assert_int_equal(p.start.pcp[i].cpu, 1);
		assert_int_equal(p.start.pcp[i].migratetype, 1);
	}
}

static void test_read_lists_keep_their_order_and_count(void **state)
{
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	r = replay_of(&m, 3, "7,3,5");
	lists_are((const uint32_t[]){7, 3, 5}, 3);
	assert_int_equal(p.start.pcp_read, 3);
	assert_int_equal(p.start.pcp_hidden + p.start.pcp_guessed, 0);
	assert_int_equal(levels_at(&p.start.levels, 0, 1)->pages, 3);
	assert_int_equal(levels_at(&p.start.levels, 0, 1)->high, 321);
	done(r);
}

static void test_read_lists_tuning_is_the_references(void **state)
{
	const struct rmm_pcp *pcp;
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	r = replay_of(&m, 1, "7");
	pcp = &p.runs[1].reference->rmm->zone[0].pcp[1];
	assert_int_equal(pcp->alloc_factor, 2);
	assert_int_equal(pcp->free_count, 9);
	assert_int_equal(p.runs[1].reference->rmm->zone[0].pcp[0].alloc_factor, 0);
	done(r);
}

/* What the replay made of earlier events gives way to what the kernel had then. */
static void test_read_lists_tuning_comes_back_when_it_was_read(void **state)
{
	const struct rmm_pcp *pcp;
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	for (unsigned int i = 0; i < 8; i++)
		machine_event(&m, 1, &release, 20 + i);
	m.now_ns += 5000;
	machine_event(&m, 0, &release, 40);
	m.now_ns -= 3000;
	r = replay_of(&m, 1, "7");
	pcp = &p.runs[1].reference->rmm->zone[0].pcp[1];
	assert_int_equal(pcp->free_count, 9);
	assert_int_equal(pcp->alloc_factor, 2);
	done(r);
}

/* 4 was at the head, 8 at the tail; 20 was allocated still, 5000 on the buddy lists. */
static void test_read_lists_events_before_the_reading_are_undone(void **state)
{
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 1, &take, 4);
	machine_event(&m, 1, &release, 20);
	machine_event(&m, 1, &drain, 8);
	machine_event(&m, 1, &refill, 5000);
	r = replay_of(&m, 4, "20,7,3,5000");
	lists_are((const uint32_t[]){4, 7, 3, 8}, 4);
	assert_int_equal(levels_at(&p.start.levels, 0, 1)->pages, 4);
	assert_int_equal(p.start.pcp_misread, 0);
	done(r);
}

static void test_read_lists_events_after_the_reading_are_not_undone(void **state)
{
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	m.now_ns -= 1000;
	machine_event(&m, 1, &take, 7);
	m.now_ns -= 1;
	r = replay_of(&m, 2, "7,3");
	lists_are((const uint32_t[]){7, 3}, 2);
	assert_int_equal(p.runs[1].reference->requests.counts.alloc_of_live, 0);
	done(r);
}

static void test_read_lists_page_that_cannot_be_listed_is_left_out(void **state)
{
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	r = replay_of(&m, 4, "7,100,7,5000"); /* file, twice, free */
	lists_are((const uint32_t[]){7}, 1);
	assert_int_equal(p.start.pcp_misread, 3);
	done(r);
}

static void test_read_lists_that_make_no_sense_are_as_none(void **state)
{
	static const char *const pfns[] = {"9000", "-1", "\"x\",99999999999999", "8192"};

	(void)state;
	for (size_t i = 0; i < sizeof(pfns) / sizeof(*pfns); i++) {
		struct trace_reader *r;
		struct machine m;

		machine_begin(&m);
		r = replay_of(&m, 1, pfns[i]);
		assert_null(p.start.read.at);
		assert_int_equal(p.start.pcp_read, 0);
		done(r);
	}
}

static void test_read_types_are_taken_where_no_event_told_before(void **state)
{
	struct trace_reader *r;
	struct machine m;
	char text[256];

	(void)state;
	machine_begin(&m);
	machine_event(&m, 0, &drain, 1024);
	snprintf(
		text, sizeof(text),
		"{\"time_ns\":%llu,\"pageblock_order\":9,\"runs\":[[0,1,0],[512,2,2],[1536,99,1]]}",
		(unsigned long long)m.now_ns);
	machine_text(&m, KMT_PHASE_START, m.now_ns, "start/blocktypes", text);
	r = replay_of(&m, 0, "");
	assert_int_equal(p.start.at.block_type[0], 0);
	assert_int_equal(p.start.at.block_type[1], 2);
	assert_int_equal(p.start.at.block_type[2], 1);
	assert_int_equal(p.start.at.block_type[15], 1);
	assert_int_equal(p.start.blocks_read, 15);
	done(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_lists_keep_their_order_and_count),
		cmocka_unit_test(test_read_lists_tuning_is_the_references),
		cmocka_unit_test(test_read_lists_tuning_comes_back_when_it_was_read),
		cmocka_unit_test(test_read_lists_events_before_the_reading_are_undone),
		cmocka_unit_test(test_read_lists_events_after_the_reading_are_not_undone),
		cmocka_unit_test(test_read_lists_page_that_cannot_be_listed_is_left_out),
		cmocka_unit_test(test_read_lists_that_make_no_sense_are_as_none),
		cmocka_unit_test(test_read_types_are_taken_where_no_event_told_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
