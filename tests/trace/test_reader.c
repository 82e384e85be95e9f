/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_reader.c - what was written is what is read. */
#include <fcntl.h>

#include "fixture.h"

static void test_reader_random_events_come_back_in_order(void **state)
{
	static const unsigned int cpus[] = {1, 2, 3, 7, 64};

	(void)state;
	for (uint64_t seed = 1; seed <= 15; seed++) {
		struct fixture f;
		uint64_t s = seed;

		fixture_start(&f, cpus[seed % 5]);
		for (int round = 0; round < 4; round++) {
			fixture_random(&f, &s, random_below(&s, 700));
			assert_int_equal(trace_writer_round(f.w, f.clock_ns), 0);
		}
		fixture_finish(&f);
		fixture_sort(&f);

		struct trace_reader *r = fixture_open(&f);

		print_message("seed %llu\n", (unsigned long long)seed);
		read_exactly(r, &f);
		assert_int_equal(trace_reader_rewind(r), 0);
		read_exactly(r, &f);
		trace_reader_close(r);
		fixture_free(&f);
	}
}

static void test_reader_many_events_of_one_cpu_span_blocks(void **state)
{
	struct fixture f;
	uint64_t seed = 3;

	(void)state;
	fixture_start(&f, 1);
	fixture_random(&f, &seed, 3 * KMT_ROUND_MAX_EVENTS + 11);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	read_exactly(r, &f);
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_reader_ties_go_to_the_lower_cpu(void **state)
{
	struct trace_event got[8];
	struct fixture f;

	(void)state;
	fixture_start(&f, 3);
	for (unsigned int cpu = 3; cpu-- > 0;)
		for (int i = 0; i < 2; i++)
			fixture_event(&f, cpu, KMT_PAGE_FREE, 50, cpu);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_int_equal(trace_reader_next(r, got, 8), 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal(got[i].cpu, i / 2);
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_reader_tells_sizes_times_and_names(void **state)
{
	uint64_t file, events, count, first, last;
	struct fixture f;

	(void)state;
	fixture_start(&f, 2);
	fixture_event(&f, 1, KMT_PAGE_ALLOC, 70, 9);
	fixture_event(&f, 0, KMT_TASK, 90, 123);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);
	const struct kmt_class *task = trace_reader_class(r, f.class[KMT_TASK]);

	trace_reader_sizes(r, &file, &events, &count);
	trace_reader_times(r, &first, &last);
	assert_int_equal(count, 2);
	assert_true(events > 0 && events < file);
	assert_int_equal(first, 70);
	assert_int_equal(last, 90);
	assert_int_equal(trace_reader_cpus(r), 2);
	assert_string_equal(trace_reader_header(r), FIXTURE_HEADER);
	assert_string_equal(trace_reader_account(r), "{\"totals\": {}}");
	assert_string_equal(trace_reader_string(r, task->comm), "worker");
	assert_int_equal(task->pid, 42);
	assert_null(trace_reader_class(r, 1000));
	assert_string_equal(trace_reader_string(r, 1000), "");
	trace_reader_close(r);
	fixture_free(&f);
}

/* A command is any bytes, and cut in the middle of a character. */
static void test_reader_strings_are_utf8_whatever_was_written(void **state)
{
	uint32_t whole, cut, after;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1);
	whole = trace_writer_string(f.w, "caf\xc3\xa9");
	cut = trace_writer_string(f.w, "kworker-\xe4\xb8");
	after = trace_writer_string(f.w, "after");
	fixture_event(&f, 0, KMT_KFREE, 1, 1);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_string_equal(trace_reader_string(r, whole), "caf\xc3\xa9");
	assert_string_equal(trace_reader_string(r, cut), "kworker-\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(trace_reader_string(r, after), "after");
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_reader_texts_come_back_by_name_and_phase(void **state)
{
	struct trace_text t;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1);
	trace_writer_text(f.w, KMT_PHASE_START, 10, "buddyinfo", "one\n", 4);
	trace_writer_text(f.w, 0, 20, "buddyinfo", "two\n", 4);
	trace_writer_text(f.w, KMT_PHASE_END, 30, "buddyinfo", "", 0);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_int_equal(trace_reader_texts(r), 3);
	assert_int_equal(trace_reader_text(r, 1, &t), 0);
	assert_string_equal(t.name, "buddyinfo");
	assert_string_equal(t.text, "two\n");
	assert_int_equal(t.time_ns, 20);
	trace_text_free(&t);
	assert_int_equal(trace_reader_find_text(r, "buddyinfo", KMT_PHASE_START, &t), 0);
	assert_string_equal(t.text, "one\n");
	trace_text_free(&t);
	assert_int_equal(trace_reader_find_text(r, "buddyinfo", KMT_PHASE_END, &t), 0);
	assert_int_equal(t.bytes, 0);
	assert_string_equal(t.text, "");
	trace_text_free(&t);
	assert_int_equal(trace_reader_find_text(r, "slabinfo", 0, &t), -ENOENT);
	trace_reader_close(r);
	fixture_free(&f);
}

/* Compare one PAGES block with @runs; how many runs it holds. */
static size_t check_pages(struct trace_reader *r, size_t block, uint64_t *pfn,
			  const struct trace_page_run *runs)
{
	struct trace_pages p;
	size_t n;

	assert_int_equal(trace_reader_page_block(r, block, &p), 0);
	assert_int_equal(p.first_pfn, *pfn);
	assert_int_equal(p.flags, KMT_PHASE_START);
	for (size_t i = 0; i < p.n; i++) {
		assert_int_equal(p.runs[i].state, runs[i].state);
		assert_int_equal(p.runs[i].order, runs[i].order);
		assert_int_equal(p.runs[i].blocks, runs[i].blocks);
		*pfn += p.runs[i].blocks << p.runs[i].order;
	}
	n = p.n;
	trace_pages_free(&p);
	return n;
}

static void test_reader_pages_come_back_run_by_run(void **state)
{
	enum { RUNS = 600000 }; /* more than one block */
	struct trace_page_run *runs = calloc(RUNS, sizeof(*runs));
	uint64_t seed = 5, pfn = 0x1000;
	struct fixture f;
	size_t seen;

	(void)state;
	for (size_t i = 0; i < RUNS; i++)
		runs[i] = (struct trace_page_run){(uint8_t)random_below(&seed, KMT_PG_STATES),
						  (uint8_t)random_below(&seed, 15),
						  random_below(&seed, 300)};
	fixture_start(&f, 1);
	assert_int_equal(trace_writer_pages(f.w, KMT_PHASE_START, 1, 2, pfn, runs, RUNS), 0);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_int_equal(trace_reader_pages(r), 2);
	seen = check_pages(r, 0, &pfn, runs);
	seen += check_pages(r, 1, &pfn, runs + seen);
	assert_int_equal(seen, RUNS);
	trace_reader_close(r);
	fixture_free(&f);
	free(runs);
}

static void test_reader_pipe_is_spooled(void **state)
{
	char error[256], path[64];
	struct fixture f;
	uint64_t seed = 2;
	size_t bytes;
	int ends[2];

	(void)state;
	fixture_start(&f, 2);
	fixture_random(&f, &seed, 300);
	fixture_finish(&f);
	fixture_sort(&f);

	uint8_t *data = fixture_bytes(&f, &bytes);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], data, bytes), bytes);
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);

	struct trace_reader *r = trace_reader_open(path, error);

	assert_non_null(r);
	read_exactly(r, &f);
	trace_reader_close(r);
	close(ends[0]);
	free(data);
	fixture_free(&f);
}

static void test_reader_trace_without_events_is_fine(void **state)
{
	struct trace_event got[4];
	uint64_t first, last;
	struct fixture f;

	(void)state;
	fixture_start(&f, 4);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_int_equal(trace_reader_next(r, got, 4), 0);
	assert_int_equal(trace_reader_next(r, got, 4), 0);
	trace_reader_times(r, &first, &last);
	assert_int_equal(first + last, 0);
	assert_false(any_damage(r));
	trace_reader_close(r);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_random_events_come_back_in_order),
		cmocka_unit_test(test_reader_many_events_of_one_cpu_span_blocks),
		cmocka_unit_test(test_reader_ties_go_to_the_lower_cpu),
		cmocka_unit_test(test_reader_tells_sizes_times_and_names),
		cmocka_unit_test(test_reader_strings_are_utf8_whatever_was_written),
		cmocka_unit_test(test_reader_texts_come_back_by_name_and_phase),
		cmocka_unit_test(test_reader_pages_come_back_run_by_run),
		cmocka_unit_test(test_reader_pipe_is_spooled),
		cmocka_unit_test(test_reader_trace_without_events_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
