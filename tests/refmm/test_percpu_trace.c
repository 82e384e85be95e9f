/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Offsets that a kernel chose, chosen again. KML_PERCPU_EVENTS names another
 * recording, which may hold a few events of two CPUs in the wrong order.
 */
#include "percpu_trace.h"

static const char *recording(void)
{
	const char *path = getenv("KML_PERCPU_EVENTS");

	return path ? path : "tests/data/percpu-6.18.events";
}

static void test_percpu_trace_fresh_chunks_get_kernels_offsets(void **state)
{
	struct percpu_trace t;
	unsigned int missed;

	(void)state;
	trace_replay(&t, recording());
	missed = t.allocs - t.agree;
	print_message("%u of %u offsets agree, %u of %u chunks; %u chunks, %u frees, %u events\n",
		      t.agree, t.allocs, t.same_chunk, t.allocs, t.created, t.frees, t.events);
	assert_true(t.created >= 1);
	assert_true(t.allocs >= (getenv("KML_PERCPU_EVENTS") ? 10 : 100));
	if (missed)
		print_error("first disagreement in line %u\n", t.first_miss + 1);
	/* In a recording of its own two CPUs' events may lie in the wrong order. */
	assert_true(missed <= (getenv("KML_PERCPU_EVENTS") ? t.allocs / 100 : 0));
	assert_true(t.bad <= missed);
	if (!missed)
		check(t.rmm);
	rmm_destroy(t.rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_trace_fresh_chunks_get_kernels_offsets),
	};

	return RUN(tests);
}
