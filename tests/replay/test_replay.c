/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_replay.c - traces written by the writer, replayed, and what is left free. */
#include "../support/test.h"

#include "machine.h"

#include "replay/result.h"

static const struct kmt_class refill = {
	.kind = KMT_ZONE_LOCKED, .migratetype = 1, .percpu_refill = 1};
static const struct kmt_class alloc = {.kind = KMT_PAGE_ALLOC, .migratetype = 1, .gfp = 0x100cca};
static const struct kmt_class release = {.kind = KMT_PAGE_FREE};
static const struct kmt_class drain = {.kind = KMT_PCPU_DRAIN, .migratetype = 1};
static const struct kmt_class direct = {.kind = KMT_ZONE_LOCKED, .order = 5, .migratetype = 1};
static const struct kmt_class alloc5 = {
	.kind = KMT_PAGE_ALLOC, .order = 5, .migratetype = 1, .gfp = 0x100cca};
static const struct kmt_class release5 = {.kind = KMT_PAGE_FREE, .order = 5};

static const struct replay_policy policies[] = {{.name = "observed"}, {.name = "reference"}};

static struct replay p; /* too large for the stack */

static void replay(struct trace_reader *r)
{
	char error[512];

	if (replay_open(&p, r, policies, 2, error))
		fail_msg("%s", error);
	assert_int_equal(replay_events(&p, error), 0);
}

static void done(struct trace_reader *r)
{
	replay_close(&p);
	trace_reader_close(r);
}

/* CPU 0 refills 16 pages, uses 4, frees 1; order 5 comes and goes. */
static void record_some(struct machine *m)
{
	machine_begin(m);
	for (uint64_t i = 0; i < 16; i++)
		machine_event(m, 0, &refill, 4096 + i);
	for (uint64_t i = 0; i < 4; i++)
		machine_event(m, 0, &alloc, 4096 + i);
	machine_event(m, 0, &release, 4096);
	machine_event(m, 1, &direct, 4128);
	machine_event(m, 1, &alloc5, 4128);
	machine_event(m, 1, &release5, 4128);
	machine_event(m, 0, &drain, 4111);
}

/* 16 pages of the block are off it, the last of them is back. */
static const unsigned int left[11] = {
	[0] = 1, [4] = 1, [5] = 1, [6] = 1, [7] = 1, [8] = 1, [9] = 1, [10] = 3};

static void test_replay_observed_ends_with_the_kernels_free_blocks(void **state)
{
	struct trace_reader *r;
	struct machine m;

	(void)state;
	record_some(&m);
	r = machine_end(&m, 14, left);
	replay(r);
	for (unsigned int o = 0; o < 11; o++)
		assert_int_equal(p.runs[0].end[0].blocks[o], left[o]);
	assert_int_equal(p.runs[0].end[0].pcp_pages, 2 + 12); /* at start, and seen */
	assert_int_equal(p.witness.readings, 1);
	assert_int_equal(p.witness.exact, 1);
	assert_int_equal(p.witness.close, 1);
	assert_int_equal(p.events, m.events);
	assert_int_equal(p.by_kind[KMT_ZONE_LOCKED], 17);
	done(r);
}

static void test_replay_reference_conserves_pages(void **state)
{
	const struct reference *f;
	struct trace_reader *r;
	struct machine m;
	char broken[256];

	(void)state;
	record_some(&m);
	r = machine_end(&m, 14, left);
	replay(r);
	f = p.runs[1].reference;
	assert_int_equal(f->requests.counts.load_refused, 0);
	assert_int_equal(f->requests.counts.alloc_failed + f->requests.counts.free_unknown, 0);
	/* three of four pages live, the two on lists at the start among the kernel's */
	assert_int_equal(rmm_nr_free_pages(f->rmm) + p.runs[1].end[0].pcp_pages, 4096 + 2 - 3);
	if (rmm_validate(f->rmm, broken, sizeof(broken)))
		fail_msg("%s", broken);
	done(r);
}

static void test_replay_first_event_tells_pages_on_lists(void **state)
{
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 1, &alloc, 7); /* a kernel page of the snapshot */
	machine_event(&m, 1, &drain, 3);
	r = machine_end(&m, 0, (const unsigned int[11]){[0] = 1, [10] = 4});
	replay(r);
	assert_int_equal(p.start.pcps, 2);
	assert_int_equal(p.start.pcp[0].pfn, 7);
	assert_int_equal(p.start.pcp[0].cpu, 1);
	assert_int_equal(p.start.pcp[1].pfn, 3); /* drained: at the tail */
	assert_int_equal(p.start.pcp_hidden, 0);
	assert_int_equal(p.runs[0].observed->counts.found[KMT_PAGE_ALLOC][PAGE_START], 1);
	assert_int_equal(p.runs[0].end[0].pcp_pages, 0);
	assert_int_equal(p.witness.exact, 1);
	done(r);
}

static void test_replay_pages_of_lists_not_seen_are_stood_in(void **state)
{
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 0, &release, 100);
	r = machine_end(&m, 3, (const unsigned int[11]){[10] = 4});
	replay(r);
	assert_int_equal(p.start.pcp_hidden, 2); /* zoneinfo counts two */
	assert_int_equal(p.runs[1].end[0].pcp_pages, 3);
	done(r);
}

/* Smaller ones have the recorded one's type, larger ones the first's of two that differ. */
static void test_replay_pageblocks_of_another_size_have_the_recorded_types(void **state)
{
	static const struct replay_policy sizes[] = {
		{.name = "observed"},
		{.name = "4", .settings = {"pageblock_order=4"}, .nr_settings = 1},
		{.name = "10", .settings = {"pageblock_order=10"}, .nr_settings = 1},
	};
	static const struct trace_page_run pages[] = {
		{KMT_PG_KERNEL, 0, 512}, {KMT_PG_FILE, 0, 3584}, {KMT_PG_FREE, 10, 4}};
	char error[512], broken[256];
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin_with(&m, pages, 3, 4);
	machine_event(&m, 1, &alloc, 4096);
	r = machine_end(&m, 0, (const unsigned int[11]){[10] = 4});
	assert_int_equal(replay_open(&p, r, sizes, 3, error), 0);
	assert_int_not_equal(p.start.at.block_type[0], p.start.at.block_type[1]);
	for (rmm_pfn pfn = 0; pfn < MACHINE_PAGES; pfn += 16)
		assert_int_equal(rmm_get_pageblock_migratetype(p.runs[1].reference->rmm, pfn),
				 p.start.at.block_type[pfn >> 9]);
	for (rmm_pfn pfn = 0; pfn < MACHINE_PAGES; pfn += 1024)
		assert_int_equal(rmm_get_pageblock_migratetype(p.runs[2].reference->rmm, pfn),
				 p.start.at.block_type[pfn >> 9]);
	assert_int_equal(replay_events(&p, error), 0);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(p.runs[i].reference->requests.counts.load_refused, 0);
		if (rmm_validate(p.runs[i].reference->rmm, broken, sizeof(broken)))
			fail_msg("%s", broken);
	}
	done(r);
}

/* Who asks for the ratios makes the kernel compute the reserves. */
static void test_replay_reserves_are_those_after_the_ratios_were_read(void **state)
{
	struct trace_reader *r;
	struct machine m;

	(void)state;
	for (int read = 0; read < 2; read++) {
		machine_begin(&m);
		if (read)
			machine_text(&m, KMT_PHASE_START, MACHINE_START_NS,
				     "sys/vm/lowmem_reserve_ratio", "256\t512\t32\t0\t0\n");
		machine_event(&m, 1, &alloc, 4096);
		r = machine_end(&m, 0, (const unsigned int[11]){[10] = 4});
		replay(r);
		assert_int_equal(p.runs[1].reference->config.compute_reserve, read);
		assert_int_equal(p.runs[1].reference->config.lowmem_reserve_ratio[1],
				 read ? 512 : 256);
		done(r);
	}
}

static const struct kmt_class direct10 = {.kind = KMT_ZONE_LOCKED, .order = 10, .migratetype = 1};
static const struct kmt_class alloc10 = {
	.kind = KMT_PAGE_ALLOC, .order = 10, .migratetype = 1, .gfp = 0x100cca};
static const struct kmt_class release10 = {.kind = KMT_PAGE_FREE, .order = 10};

/* The last 1024 pages are handed over late; the reference may need them before. */
static void test_replay_zone_grows_by_what_was_reserved(void **state)
{
	static const struct trace_page_run runs[] = {
		{KMT_PG_FILE, 0, 4096}, {KMT_PG_FREE, 10, 3}, {KMT_PG_RESERVED, 10, 1}};
	const struct requests_counts *c;

	(void)state;
	for (unsigned int allocs = 1; allocs <= 3; allocs += 2) {
		const unsigned int rest[11] = {[10] = 4 - allocs};
		struct trace_reader *r;
		struct machine m;

		machine_begin_with(&m, runs, 3, 3);
		for (uint64_t i = 0; i < allocs; i++) {
			machine_event(&m, 0, &direct10, 4096 + i * 1024);
			machine_event(&m, 0, &alloc10, 4096 + i * 1024);
		}
		machine_event(&m, 0, &release10, 7168);
		r = machine_end(&m, 2, rest);
		replay(r);
		c = &p.runs[1].reference->requests.counts;
		assert_int_equal(p.witness.exact, 1);
		assert_int_equal(c->grown_pages, 1024);
		assert_int_equal(c->grown_early, allocs == 3 ? 1024 : 0); /* below its mark */
		assert_int_equal(c->free_unknown + c->alloc_failed, 0);
		assert_int_equal(p.runs[1].end[0].blocks[10], 4 - allocs);
		done(r);
	}
}

static void test_replay_result_has_the_schemas_fields(void **state)
{
	static const char *const fields[] = {"schema",	       "command",  "trace",   "host",
					     "trust",	       "zones",	   "time_ns", "runs",
					     "kernel_samples", "fidelity", "slabs",   "call_sites",
					     "pageblocks",     "fallbacks"};
	const struct result_options o = {"kmemlab replay x", "dir/x.kmt", true, true};
	struct trace_reader *r;
	struct machine m;
	json_t *doc, *f;

	(void)state;
	record_some(&m);
	r = machine_end(&m, 14, left);
	replay(r);
	doc = result_build(&p, &o);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		assert_non_null(json_object_get(doc, fields[i]));
	f = json_array_get(json_object_get(json_object_get(doc, "fidelity"), "runs"), 0);
	assert_string_equal(json_string_value(json_object_get(f, "name")), "observed");
	assert_int_equal(json_integer_value(json_object_get(f, "unexplained_pages")), 0);
	assert_null(json_object_get(json_array_get(json_object_get(doc, "runs"), 0), "speed"));
	json_decref(doc);
	done(r);
}

static char *result_of(void)
{
	const struct result_options o = {"c", "x", true, true};
	struct trace_reader *r;
	struct machine m;
	json_t *doc;
	char *text;

	record_some(&m);
	r = machine_end(&m, 14, left);
	replay(r);
	doc = result_build(&p, &o);
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	done(r);
	return text;
}

static void test_replay_same_trace_gives_same_bytes(void **state)
{
	char *a = result_of(), *b = result_of();

	(void)state;
	assert_string_equal(a, b);
	free(a);
	free(b);
}

static const struct {
	const char *account;
	double percent;
} accounts[] = {
	{"{\"totals\":{\"fired\":30,\"filtered\":5}}", 0},
	{"{\"totals\":{\"fired\":55,\"filtered\":5}}", 50},
	{"{\"totals\":{\"fired\":30,\"filtered\":-9}}", 100.0 * 5 / 30},
	{"{}", 0},
};

static void test_replay_missing_events_are_those_not_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(accounts) / sizeof(*accounts); i++) {
		struct trace_reader *r;
		struct machine m;
		double percent;

		record_some(&m);
		assert_int_equal(m.events, 25);
		assert_int_equal(trace_writer_account(m.w, accounts[i].account), 0);
		r = machine_end(&m, 14, left);
		replay(r);
		percent = result_missing_percent(&p);
		assert_true(percent > accounts[i].percent - 1e-6);
		assert_true(percent < accounts[i].percent + 1e-6);
		assert_int_equal(p.runs[0].events, 25);
		done(r);
	}
}

static void test_replay_free_pages_out_of_line_are_counted(void **state)
{
	static const struct trace_page_run runs[] = {
		{KMT_PG_KERNEL, 0, 10},
		{KMT_PG_FILE, 0, 4085},
		{KMT_PG_FREE, 4, 1}, /* at frame 4095 */
		{KMT_PG_FILE, 0, 4081},
	};
	struct trace_reader *r;
	struct machine m;
	json_t *unmatched;

	(void)state;
	machine_begin_with(&m, runs, 4, 0);
	machine_event(&m, 0, &release, 100);
	machine_event(&m, 0, &(struct kmt_class){.kind = KMT_KFREE}, 100);
	r = machine_end(&m, 14, left);
	replay(r);
	unmatched = result_unmatched(&p.runs[0]);
	assert_int_equal(
		json_integer_value(json_object_get(unmatched, "start_free_block_unaligned")), 16);
	assert_int_equal(p.runs[0].events, 1); /* kfree is none of its business */
	json_decref(unmatched);
	done(r);
}

static void test_replay_without_start_pages_says_so(void **state)
{
	struct trace_reader *r;
	struct machine m;
	char error[512];

	(void)state;
	machine_begin(&m);
	trace_writer_free(m.w);
	assert_int_equal(ftruncate(m.fd, 0), 0);
	assert_int_equal(lseek(m.fd, 0, SEEK_SET), 0);
	m.w = trace_writer_new(m.fd, 2);
	trace_writer_header(m.w, "{}");
	machine_zoneinfo(&m, KMT_PHASE_START, MACHINE_START_NS, 0);
	r = machine_end(&m, 0, left);
	assert_int_equal(replay_open(&p, r, policies, 2, error), -ENODATA);
	assert_non_null(strstr(error, "no pages of its start"));
	done(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay_observed_ends_with_the_kernels_free_blocks),
		cmocka_unit_test(test_replay_reference_conserves_pages),
		cmocka_unit_test(test_replay_first_event_tells_pages_on_lists),
		cmocka_unit_test(test_replay_pages_of_lists_not_seen_are_stood_in),
		cmocka_unit_test(test_replay_pageblocks_of_another_size_have_the_recorded_types),
		cmocka_unit_test(test_replay_reserves_are_those_after_the_ratios_were_read),
		cmocka_unit_test(test_replay_zone_grows_by_what_was_reserved),
		cmocka_unit_test(test_replay_result_has_the_schemas_fields),
		cmocka_unit_test(test_replay_same_trace_gives_same_bytes),
		cmocka_unit_test(test_replay_missing_events_are_those_not_seen),
		cmocka_unit_test(test_replay_free_pages_out_of_line_are_counted),
		cmocka_unit_test(test_replay_without_start_pages_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
