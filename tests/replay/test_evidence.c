/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_evidence.c - who pins pageblocks; the parts of the result made from a second pass. */
#include "../support/test.h"

#include "machine.h"

#include "replay/result.h"

static struct kmt_class task = {.kind = KMT_TASK, .pid = 10};
static const struct kmt_class refill = {
	.kind = KMT_ZONE_LOCKED, .migratetype = 1, .percpu_refill = 1};
static const struct kmt_class alloc = {.kind = KMT_PAGE_ALLOC, .gfp = 0xcc0};
static const struct kmt_class movable = {.kind = KMT_PAGE_ALLOC, .migratetype = 1, .gfp = 0x100cca};
static const struct kmt_class release = {.kind = KMT_PAGE_FREE};
static const struct kmt_class failing = {.kind = KMT_PAGE_ALLOC, .order = 3, .gfp = 0xcc0};

static const struct replay_policy policies[] = {{.name = "observed"}};
static struct replay p; /* too large for the stack */

static json_t *result_of(struct trace_reader *r)
{
	const struct result_options o = {"c", "x", true, true};
	char error[512];
	json_t *doc;

	if (replay_open(&p, r, policies, 1, error))
		fail_msg("%s", error);
	assert_int_equal(replay_events(&p, error), 0);
	doc = result_build(&p, &o);
	replay_close(&p);
	trace_reader_close(r);
	assert_non_null(doc);
	return doc;
}

static json_int_t number(const json_t *doc, const char *a, const char *b, const char *c)
{
	return json_integer_value(json_object_get(json_object_get(json_object_get(doc, a), b), c));
}

static const unsigned int blocks_left[11] = {[0] = 1, [1] = 1, [2] = 1, [3] = 1, [4] = 1, [5] = 1,
					     [6] = 1, [7] = 1, [8] = 1, [9] = 1, [10] = 3};

/* Block 8: page 4096 a slab of "a", 4097 freed to a list; the rest free. */
static struct trace_reader *pinned_machine(struct machine *m)
{
	static const struct trace_page_run end[] = {
		{KMT_PG_KERNEL, 0, 10}, {KMT_PG_FILE, 0, 4086}, {KMT_PG_SLAB, 0, 1},
		{KMT_PG_KERNEL, 0, 1},	{KMT_PG_FREE, 0, 4094},
	};

	machine_begin(m);
	task.comm = trace_writer_string(m->w, "a");
	machine_event(m, 0, &task, 0);
	machine_event(m, 0, &refill, 4096);
	machine_event(m, 0, &refill, 4097);
	machine_event(m, 0, &alloc, 4096);
	machine_event(m, 0, &movable, 4097);
	machine_event(m, 0, &release, 4097);
	machine_event(m, 0, &failing, KMT_NO_PAGE);
	assert_int_equal(trace_writer_pages(m->w, KMT_PHASE_END, m->now_ns + 10, m->now_ns + 20, 0,
					    end, sizeof(end) / sizeof(*end)),
			 0);
	return machine_end(m, 0, blocks_left);
}

static void test_evidence_pinned_pageblock_names_its_owner(void **state)
{
	struct machine m;
	json_t *doc = result_of(pinned_machine(&m)), *list, *o;

	(void)state;
	assert_int_equal(number(doc, "culprits", "pinned", "pageblocks"), 1);
	assert_int_equal(number(doc, "culprits", "pinned", "pages"), 2);
	assert_int_equal(number(doc, "culprits", "pinned", "free_pages"), 510);
	list = json_object_get(json_object_get(json_object_get(doc, "culprits"), "pinned"),
			       "owners");
	assert_int_equal(json_array_size(list), 2);
	for (size_t i = 0; i < 2; i++) {
		bool slab;

		o = json_array_get(list, i);
		slab = !strcmp(json_string_value(json_object_get(o, "kind")), "slab");
		/* A page on a CPU's list is nobody's. */
		assert_int_equal(json_is_true(json_object_get(o, "on_cpu_list")), !slab);
		assert_int_equal(json_object_get(o, "comm") != NULL, slab);
		assert_int_equal(json_integer_value(json_object_get(o, "oldest_age_ns")),
				 slab ? 3000 : 0);
	}
	json_decref(doc);
}

/* The pageblock that the map tells of, with both of its owners. */
static void test_evidence_pageblocks_are_listed_with_their_owners(void **state)
{
	struct machine m;
	json_t *doc = result_of(pinned_machine(&m));
	json_t *blocks = json_object_get(json_object_get(doc, "culprits"), "blocks");
	json_t *b = json_array_get(json_object_get(blocks, "list"), 0), *owners, *o;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(blocks, "list")), 1);
	assert_int_equal(json_integer_value(json_object_get(b, "pfn")), 4096);
	assert_int_equal(json_integer_value(json_object_get(b, "free_pages")), 510);
	assert_true(json_is_true(json_object_get(b, "pinned")));
	owners = json_object_get(b, "owners");
	assert_int_equal(json_array_size(owners), 2);
	for (size_t i = 0; i < 2; i++) {
		o = json_array_get(owners, i);
		if (json_is_true(json_object_get(o, "on_cpu_list")))
			continue;
		assert_string_equal(json_string_value(json_object_get(o, "comm")), "a");
		assert_string_equal(json_string_value(json_object_get(o, "kind")), "slab");
		assert_int_equal(json_integer_value(json_object_get(o, "since_ns")), 3000);
	}
	json_decref(doc);
}

/* One page of "a" is live, one was freed again; the failed one is none. */
static void test_evidence_allocators_are_by_command_and_what(void **state)
{
	struct machine m;
	json_t *doc = result_of(pinned_machine(&m)), *r;
	json_t *rows = json_object_get(json_object_get(doc, "allocators"), "rows");
	json_int_t live = 0, freed = 0;
	size_t i;

	(void)state;
	json_array_foreach (rows, i, r) {
		assert_string_equal(json_string_value(json_object_get(r, "of")), "pages");
		assert_string_equal(json_string_value(json_object_get(r, "comm")), "a");
		assert_string_equal(json_string_value(json_object_get(r, "what")),
				    "pages of order 0");
		live += json_integer_value(json_object_get(r, "live_bytes"));
		freed += json_integer_value(json_object_get(r, "freed_bytes"));
	}
	assert_int_equal(json_array_size(rows), 2); /* unmovable, movable */
	assert_int_equal(live, 4096);
	assert_int_equal(freed, 4096);
	json_decref(doc);
}

static void test_evidence_slab_in_a_movable_block_is_a_mixer(void **state)
{
	struct machine m;
	json_t *doc = result_of(pinned_machine(&m));

	(void)state;
	assert_int_equal(number(doc, "culprits", "unmovable_in_movable", "pageblocks"), 1);
	assert_int_equal(number(doc, "culprits", "unmovable_in_movable", "pages"), 1);
	json_decref(doc);
}

static void test_evidence_parts_not_recorded_are_absent(void **state)
{
	struct machine m;
	json_t *doc;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 0, &refill, 4096);
	machine_event(&m, 0, &alloc, 4096);
	doc = result_of(machine_end(&m, 0, blocks_left));
	assert_null(json_object_get(doc, "stalls"));
	assert_null(json_object_get(doc, "latency"));
	assert_int_equal(json_object_size(json_object_get(doc, "culprits")), 0);
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(doc, "lifetimes"), "rows")), 1);
	json_decref(doc);
}

/* Four stalls, of 1, 2, 3 and 4 us. */
static void test_evidence_median_of_four_stalls_is_the_second(void **state)
{
	static const struct kmt_class begin = {.kind = KMT_COMPACT_BEGIN, .order = 9};
	static const struct kmt_class end = {.kind = KMT_COMPACT_END};
	struct machine m;
	json_t *doc, *all;

	(void)state;
	machine_begin(&m);
	task.comm = trace_writer_string(m.w, "a");
	machine_event(&m, 0, &task, 0);
	machine_event(&m, 0, &refill, 4096);
	for (uint64_t us = 0; us < 4; us++) {
		machine_event(&m, 0, &begin, 0);
		m.now_ns += us * 1000;
		machine_event(&m, 0, &end, 0);
	}
	doc = result_of(machine_end(&m, 0, blocks_left));
	all = json_array_get(json_object_get(json_object_get(doc, "stalls"), "by_kind"), 0);
	assert_int_equal(json_integer_value(json_object_get(all, "count")), 4);
	assert_int_equal(json_integer_value(json_object_get(all, "p50_ns")), 2000);
	assert_int_equal(json_integer_value(json_object_get(all, "p99_ns")), 4000);
	assert_int_equal(json_integer_value(json_object_get(all, "max_ns")), 4000);
	json_decref(doc);
}

static json_t *latency_of(const char *text)
{
	struct machine m;
	json_t *doc, *latency;

	machine_begin(&m);
	machine_event(&m, 0, &refill, 4096);
	machine_text(&m, KMT_PHASE_END, m.now_ns, "latency", text);
	doc = result_of(machine_end(&m, 0, blocks_left));
	latency = json_incref(json_object_get(doc, "latency"));
	json_decref(doc);
	return latency;
}

static void test_evidence_latency_quantiles_are_of_buckets(void **state)
{
	json_t *l = latency_of("{\"missed\":3,\"rows\":[{\"what\":\"pages\",\"order\":0,"
			       "\"calls\":1000,\"sum_ns\":200000,\"max_ns\":5000,"
			       "\"histogram\":[[96,989],[1024,10],[4096,1]]}]}");
	json_t *row = json_array_get(json_object_get(l, "rows"), 0);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(row, "p50_ns")), 111);
	assert_int_equal(json_integer_value(json_object_get(row, "p99_ns")), 1279);
	assert_int_equal(json_integer_value(json_object_get(row, "p999_ns")), 1279);
	assert_int_equal(json_integer_value(json_object_get(l, "missed")), 3);
	json_decref(l);
}

/* Kept calls stand for those of their bucket; a sample out of the recording for none. */
static void test_evidence_latency_heat_adds_up_to_the_calls(void **state)
{
	char text[700];
	json_t *l;
	json_t *cells;
	double sum = 0;
	size_t i;
	json_t *c;

	(void)state;
	snprintf(text, sizeof(text),
		 "{\"rows\":[{\"what\":\"pages\",\"order\":0,\"calls\":1000,\"sum_ns\":200000,"
		 "\"max_ns\":5000,\"histogram\":[[96,999],[4096,1]]}],\"samples\":["
		 "{\"time_ns\":%d,\"ns\":100,\"what\":\"pages\",\"order\":0},"
		 "{\"time_ns\":%d,\"ns\":99,\"what\":\"pages\",\"order\":0},"
		 "{\"time_ns\":%d,\"ns\":5000,\"what\":\"pages\",\"order\":0},"
		 "{\"time_ns\":7,\"ns\":100,\"what\":\"pages\",\"order\":0}]}",
		 MACHINE_EVENTS_NS + 1000, MACHINE_EVENTS_NS + 1000, MACHINE_EVENTS_NS + 1000);
	l = latency_of(text);
	cells = json_object_get(json_object_get(json_object_get(l, "heat"), "pages"), "cells");
	assert_int_equal(json_integer_value(json_object_get(l, "samples")), 3);
	json_array_foreach (cells, i, c)
		sum += json_number_value(json_array_get(c, 2));
	assert_int_equal(json_array_size(cells), 2);
	assert_true(sum > 999.999 && sum < 1000.001);
	json_decref(l);
}

static void test_evidence_latency_that_does_not_add_up_is_left_out(void **state)
{
	static const char *const rows[] = {
		"{\"what\":\"pages\",\"order\":0,\"calls\":2,\"sum_ns\":1,\"max_ns\":1,"
		"\"histogram\":[[1,1]]}",
		"{\"what\":\"pages\",\"order\":0,\"calls\":2,\"sum_ns\":1,\"max_ns\":1,"
		"\"histogram\":[[5,1],[4,1]]}",
		"{\"what\":7,\"order\":0,\"calls\":1,\"sum_ns\":1,\"max_ns\":1,"
		"\"histogram\":[[5,1]]}",
		"{\"what\":\"pages\",\"calls\":1,\"sum_ns\":1,\"max_ns\":1,\"histogram\":[[5,1]]}",
		"{\"what\":\"pages\",\"order\":0,\"calls\":-1,\"sum_ns\":1,\"max_ns\":1,"
		"\"histogram\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[300];
		json_t *l;

		snprintf(text, sizeof(text), "{\"rows\":[%s]}", rows[i]);
		l = latency_of(text);
		assert_int_equal(json_array_size(json_object_get(l, "rows")), 0);
		json_decref(l);
	}
	assert_null(latency_of("not JSON"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evidence_pinned_pageblock_names_its_owner),
		cmocka_unit_test(test_evidence_pageblocks_are_listed_with_their_owners),
		cmocka_unit_test(test_evidence_allocators_are_by_command_and_what),
		cmocka_unit_test(test_evidence_latency_heat_adds_up_to_the_calls),
		cmocka_unit_test(test_evidence_slab_in_a_movable_block_is_a_mixer),
		cmocka_unit_test(test_evidence_parts_not_recorded_are_absent),
		cmocka_unit_test(test_evidence_median_of_four_stalls_is_the_second),
		cmocka_unit_test(test_evidence_latency_quantiles_are_of_buckets),
		cmocka_unit_test(test_evidence_latency_that_does_not_add_up_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
