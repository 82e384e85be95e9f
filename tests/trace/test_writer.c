/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_writer.c - limits, clamping, and a disk that fills up. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fixture.h"

static void test_writer_time_going_back_is_clamped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, 2);
	fixture_event(&f, 0, KMT_PAGE_ALLOC, 500, 1);
	fixture_event(&f, 0, KMT_PAGE_FREE, 499, 1);
	fixture_event(&f, 1, KMT_PAGE_ALLOC, 100, 2);
	assert_int_equal(trace_writer_round(f.w, 1000), 0);
	fixture_event(&f, 1, KMT_PAGE_FREE, 900, 2);
	fixture_finish(&f);
	f.want[1].time_ns = 500;
	f.want[3].time_ns = 1000; /* the watermark was promised */
	fixture_sort(&f);

	struct trace_reader *r = fixture_open(&f);

	read_exactly(r, &f);
	trace_reader_close(r);
	fixture_free(&f);
}

/* Events of @class on CPU 1 from time @from on, until there is no room; their number. */
static uint64_t fill_lane(struct fixture *f, uint32_t class, uint64_t from)
{
	uint64_t n = 0;
	int err;

	while (n <= KMT_ROUND_MAX_EVENTS &&
	       !(err = trace_writer_event(f->w, 1, class, from + n, from + n)))
		n++;
	assert_int_equal(err, -EAGAIN);
	assert_true(n > 0 && n <= KMT_ROUND_MAX_EVENTS);
	return n;
}

static void test_writer_full_lane_asks_for_a_round(void **state)
{
	struct fixture f;
	uint32_t class;
	uint64_t n;

	(void)state;
	fixture_start(&f, 2);
	class = f.class[KMT_KMALLOC];
	n = fill_lane(&f, class, 0);
	assert_int_equal(trace_writer_event(f.w, 0, class, 0, 0), 0);
	assert_int_equal(trace_writer_event(f.w, 2, class, 0, 0), -EINVAL);
	assert_int_equal(trace_writer_round(f.w, 0), 0);
	assert_int_equal(trace_writer_event(f.w, 1, class, n, 0), 0);
	fixture_finish(&f);
	assert_int_equal(trace_writer_recorded(f.w, 1, KMT_KMALLOC), n + 1);
	assert_int_equal(trace_writer_recorded(f.w, 0, KMT_KMALLOC), 1);
	fixture_free(&f);
}

static void test_writer_flush_writes_one_lane_and_keeps_the_others(void **state)
{
	struct trace_event e;
	struct trace_reader *r;
	struct fixture f;
	uint32_t class;
	uint64_t n, after = 0;

	(void)state;
	fixture_start(&f, 2);
	class = f.class[KMT_KMALLOC];
	assert_int_equal(trace_writer_event(f.w, 0, class, 5, 1), 0);
	n = fill_lane(&f, class, 0);
	assert_int_equal(trace_writer_flush(f.w, 1), 0);
	assert_int_equal(trace_writer_recorded(f.w, 1, KMT_KMALLOC), n);
	assert_int_equal(trace_writer_recorded(f.w, 0, KMT_KMALLOC), 0);
	n += fill_lane(&f, class, n);
	fixture_finish(&f);
	assert_int_equal(trace_writer_recorded(f.w, 0, KMT_KMALLOC), 1);
	r = fixture_open(&f);
	for (uint64_t i = 0; i < n + 1; i++) {
		assert_int_equal(trace_reader_next(r, &e, 1), 1);
		assert_true(e.time_ns >= after);
		after = e.time_ns;
	}
	assert_int_equal(trace_reader_next(r, &e, 1), 0);
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_writer_unknown_class_is_lost_not_written(void **state)
{
	struct trace_writer_stats stats;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1);
	assert_int_equal(trace_writer_event(f.w, 0, UINT32_MAX, 1, 1), 0);
	assert_int_equal(trace_writer_round(f.w, 0), -EINVAL);
	trace_writer_stats(f.w, &stats);
	assert_int_equal(stats.lost_write, 1);
	assert_int_equal(stats.recorded, 0);
	fixture_free(&f);
}

static void test_writer_full_device_counts_the_loss(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct trace_writer *w = trace_writer_new(fd, 2);
	uint32_t class;

	(void)state;
	if (fd < 0)
		skip();
	class = fixture_class(w, KMT_KFREE, 0);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(trace_writer_event(w, 1, class, i, i), 0);
	assert_int_equal(trace_writer_round(w, 0), -ENOSPC);
	assert_int_equal(trace_writer_lost_write(w, 1, KMT_KFREE), 10);
	assert_int_equal(trace_writer_lost_write(w, 0, KMT_KFREE), 0);
	assert_int_equal(trace_writer_recorded(w, 1, KMT_KFREE), 0);
	trace_writer_free(w);
	close(fd);
}

/* In a child: record rounds until the file may not grow, then let it grow. */
static int fill_disk(struct fixture *f)
{
	struct rlimit limit = {6000, RLIM_INFINITY};
	uint64_t seed = 7, lost = 0, recorded = 0;
	struct trace_writer_stats stats;
	size_t kept;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (int round = 0; round < 20; round++) {
		kept = f->n;
		fixture_random(f, &seed, 200);
		if (trace_writer_round(f->w, f->clock_ns))
			f->n = round < 19 ? kept : f->n;
	}
	for (unsigned int kind = 0; kind < KMT_KINDS; kind++)
		for (unsigned int cpu = 0; cpu < f->cpus; cpu++) {
			lost += trace_writer_lost_write(f->w, cpu, kind);
			recorded += trace_writer_recorded(f->w, cpu, kind);
		}
	trace_writer_stats(f->w, &stats);
	assert_true(lost > 0 && recorded > 0);
	assert_int_equal(lost + recorded, 4000);
	assert_int_equal(stats.lost_write, lost);
	assert_int_equal(stats.recorded, recorded);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	return (int)recorded;
}

static void test_writer_disk_full_leaves_a_readable_file(void **state)
{
	struct trace_damage d;
	struct fixture f;
	size_t before;
	int recorded;

	(void)state;
	fixture_start(&f, 1);
	recorded = fill_disk(&f);
	before = f.n;
	/* Space again: the dictionary and later events must get through. */
	f.class[KMT_KFREE] = fixture_class(f.w, KMT_KFREE, 9);
	f.n = (size_t)recorded;
	fixture_event(&f, 0, KMT_KFREE, f.clock_ns + 5, 77);
	fixture_finish(&f);
	assert_true(before >= (size_t)recorded);

	struct trace_reader *r = fixture_open(&f);

	assert_int_equal(read_subset(r, &f), recorded + 1);
	trace_reader_damage(r, &d);
	assert_int_equal(d.bad_blocks + d.skipped_bytes + d.missing_blocks, 0);
	assert_string_equal(
		trace_reader_string(r, trace_reader_class(r, f.class[KMT_KFREE])->call_site),
		"site_6_9+0x10");
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_writer_losses_are_in_the_last_head(void **state)
{
	uint64_t ring, recursion, write;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1);
	trace_writer_lost(f.w, 5, 6);
	trace_writer_event(f.w, 0, UINT32_MAX, 1, 1);
	assert_int_equal(trace_writer_round(f.w, 0), -EINVAL);

	struct trace_reader *r = fixture_open(&f);

	trace_reader_lost(r, &ring, &recursion, &write);
	assert_int_equal(ring, 5);
	assert_int_equal(recursion, 6);
	assert_int_equal(write, 1);
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_writer_closed_pipe_stops_for_good(void **state)
{
	struct trace_writer *w;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	w = trace_writer_new(ends[1], 1);
	assert_int_equal(trace_writer_header(w, FIXTURE_HEADER), 0);
	close(ends[0]);
	assert_int_equal(trace_writer_round(w, 0), -EPIPE);
	assert_int_equal(trace_writer_end(w), -EPIPE);
	trace_writer_free(w);
	close(ends[1]);
}

/* What a reader would refuse is not written: names go missing, events do not. */
static void test_writer_strings_end_at_a_files_limit(void **state)
{
	enum { FIT = KMT_STRINGS_MAX_BYTES / (KMT_STRING_MAX_BYTES + 1) - 1 };
	char s[KMT_STRING_MAX_BYTES + 1];
	struct fixture f;
	uint32_t id = 0;

	(void)state;
	fixture_start(&f, 1);
	memset(s, 'x', KMT_STRING_MAX_BYTES);
	s[KMT_STRING_MAX_BYTES] = '\0';
	for (uint32_t i = 0; i < FIT; i++) {
		snprintf(s, 9, "%08x", i);
		s[8] = 'x';
		id = trace_writer_string(f.w, s);
		assert_int_not_equal(id, 0);
	}
	assert_int_equal(trace_writer_string(f.w, s), id);
	s[0] = 'y';
	assert_int_equal(trace_writer_string(f.w, s), 0);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_false(any_damage(r));
	assert_int_equal(strlen(trace_reader_string(r, id)), KMT_STRING_MAX_BYTES);
	trace_reader_close(r);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer_time_going_back_is_clamped),
		cmocka_unit_test(test_writer_full_lane_asks_for_a_round),
		cmocka_unit_test(test_writer_flush_writes_one_lane_and_keeps_the_others),
		cmocka_unit_test(test_writer_unknown_class_is_lost_not_written),
		cmocka_unit_test(test_writer_full_device_counts_the_loss),
		cmocka_unit_test(test_writer_disk_full_leaves_a_readable_file),
		cmocka_unit_test(test_writer_losses_are_in_the_last_head),
		cmocka_unit_test(test_writer_strings_end_at_a_files_limit),
		cmocka_unit_test(test_writer_closed_pipe_stops_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
