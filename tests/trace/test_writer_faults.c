// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * test_writer_faults.c - every write of a trace fails once, in every way; and a
 * trace goes on in a second file.
 *
 * write() here stands before the C library's and fails as it is told.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "fixture.h"

enum fault {
	FAULT_NONE,
	FAULT_EIO,   /* nothing is written */
	FAULT_SHORT, /* half is written; the caller has to go on */
	FAULT_FULL,  /* half is written, then ENOSPC */
	FAULT_INTR,  /* a signal came first */
};

static struct {
	enum fault fault;
	unsigned int at; /* of the writes, counted from 1 */
	unsigned int n;
	bool full;
	int fd;
} plan;

ssize_t write(int fd, const void *data, size_t bytes)
{
	if (fd == plan.fd && plan.full) {
		plan.full = false;
		errno = ENOSPC;
		return -1;
	}
	if (fd == plan.fd && ++plan.n == plan.at && plan.fault) {
		if (plan.fault == FAULT_EIO || plan.fault == FAULT_INTR) {
			errno = plan.fault == FAULT_EIO ? EIO : EINTR;
			return -1;
		}
		plan.full = plan.fault == FAULT_FULL;
		bytes /= 2;
	}
	return syscall(SYS_write, fd, data, bytes);
}

static void aim(const struct fixture *f, enum fault fault, unsigned int at)
{
	plan.fd = f->fd;
	plan.fault = fault;
	plan.at = at;
	plan.n = 0;
	plan.full = false;
}

enum { ROUNDS = 4, ROUND_EVENTS = 300 };

/* Rounds of events on two CPUs; what fails, fails. Events that were appended. */
static uint64_t record(struct fixture *f)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (uint64_t i = 0; i < ROUND_EVENTS; i++)
			trace_writer_event(f->w, i % 2, f->class[i % 8], f -> clock_ns += 10, i);
		trace_writer_text(f->w, 0, f->clock_ns, "buddyinfo", "text", 4);
		trace_writer_round(f->w, f->clock_ns);
	}
	trace_writer_account(f->w, "{}");
	trace_writer_end(f->w);
	return (uint64_t)ROUNDS * ROUND_EVENTS;
}

/* All that was written is there, whole, and the rest is counted. */
static void assert_true_to_its_word(struct fixture *f, uint64_t appended)
{
	struct trace_writer_stats s;
	struct trace_damage d;
	struct trace_event e[64];
	struct trace_reader *r = fixture_open(f);
	uint64_t n = 0;
	long got;

	while ((got = trace_reader_next(r, e, 64)) > 0)
		n += (uint64_t)got;
	trace_writer_stats(f->w, &s);
	assert_int_equal(n, s.recorded);
	assert_int_equal(s.recorded + s.lost_write, appended);
	trace_reader_damage(r, &d);
	assert_int_equal(d.bad_blocks + d.skipped_bytes + d.missing_blocks + d.undefined_classes,
			 0);
	assert_false(d.torn);
	trace_reader_close(r);
}

static unsigned int writes_of_a_trace(void)
{
	struct fixture f;

	fixture_start(&f, 2);
	aim(&f, FAULT_NONE, 0);
	record(&f);
	fixture_free(&f);
	return plan.n;
}

static void test_writer_any_write_failing_loses_only_its_block(void **state)
{
	static const enum fault faults[] = {FAULT_EIO, FAULT_SHORT, FAULT_FULL, FAULT_INTR};
	unsigned int writes = writes_of_a_trace();

	(void)state;
	assert_true(writes > 10);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		for (unsigned int at = 1; at <= writes; at++) {
			struct trace_writer_stats s;
			struct fixture f;

			fixture_start(&f, 2);
			aim(&f, faults[i], at);
			assert_true_to_its_word(&f, record(&f));
			trace_writer_stats(f.w, &s);
			if (faults[i] == FAULT_SHORT || faults[i] == FAULT_INTR)
				assert_int_equal(s.lost_write, 0);
			fixture_free(&f);
		}
	}
}

static void test_writer_second_file_can_be_read_alone(void **state)
{
	struct fixture f;
	struct trace_event e[64];
	struct trace_reader *r;
	struct trace_damage d;
	char error[256];
	int second = memfd_create("second", 0);
	uint64_t n = 0;
	long got;

	(void)state;
	fixture_start(&f, 2);
	aim(&f, FAULT_NONE, 0);
	record(&f);
	trace_writer_file(f.w, second);
	assert_int_equal(trace_writer_header(f.w, FIXTURE_HEADER), 0);
	record(&f);
	r = trace_reader_open_fd(second, "second", error);
	assert_non_null(r);
	while ((got = trace_reader_next(r, e, 64)) > 0)
		n += (uint64_t)got;
	assert_int_equal(n, ROUNDS * ROUND_EVENTS);
	trace_reader_damage(r, &d);
	assert_int_equal(d.missing_blocks + d.undefined_classes + d.bad_blocks, 0);
	assert_false(d.unfinished);
	trace_reader_close(r);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer_any_write_failing_loses_only_its_block),
		cmocka_unit_test(test_writer_second_file_can_be_read_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
