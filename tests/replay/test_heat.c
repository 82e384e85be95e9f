/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_heat.c - lengths over time, and the times of an allocator's own calls. */
#include "../support/test.h"

#include <stdlib.h>
#include <time.h>

#include "replay/calltimer.h"
#include "replay/heat.h"

static json_int_t at(const json_t *cells, size_t i, size_t k)
{
	return json_integer_value(json_array_get(json_array_get(cells, i), k));
}

/* Every bucket begins where the one before it ends. */
static void test_heat_bucket_inverts_its_floor(void **state)
{
	(void)state;
	for (uint32_t b = 1; b < KML_LATENCY_BUCKETS; b++) {
		uint64_t low = kml_latency_floor(b);

		if (b > 3)
			assert_int_equal(heat_bucket(low), b);
		assert_true(heat_bucket(low) <= b);
		if (low > kml_latency_floor(b - 1))
			assert_true(heat_bucket(low - 1) < heat_bucket(low));
	}
	assert_int_equal(heat_bucket(UINT64_MAX), KML_LATENCY_BUCKETS - 1);
}

static void test_heat_adds_up_by_column_and_length(void **state)
{
	struct heat *h = heat_new(HEAT_COLUMNS * 1000 - 1);
	json_t *o, *cells;

	(void)state;
	assert_int_equal(h->column_ns, 1000);
	heat_add(h, 999, 100, 1);
	heat_add(h, 0, 100, 2);
	heat_add(h, 1000, 100, 1);
	heat_add(h, 1000, 5000, 1);
	heat_add(h, UINT64_MAX, 1, 0.5); /* after the end: in the last column */
	o = heat_json(h);
	cells = json_object_get(o, "cells");
	assert_int_equal(json_array_size(cells), 4);
	assert_int_equal(at(cells, 0, 0), 0);
	assert_int_equal(at(cells, 0, 1), 96);
	assert_int_equal(at(cells, 0, 2), 3);
	assert_int_equal(at(cells, 1, 0), 1);
	assert_int_equal(at(cells, 2, 1), 4096);
	assert_int_equal(at(cells, 3, 0), HEAT_COLUMNS - 1);
	assert_true(json_is_real(json_array_get(json_array_get(cells, 3), 2)));
	json_decref(o);
	free(h);
}

static void test_heat_of_nothing_is_absent(void **state)
{
	struct heat *h = heat_new(0);

	(void)state;
	assert_int_equal(h->column_ns, 1);
	assert_null(heat_json(h));
	assert_null(heat_json(NULL));
	heat_add(NULL, 1, 1, 1);
	free(h);
}

static void test_call_timer_times_one_in_so_many_of_each_order(void **state)
{
	struct call_timer *w = call_timer_new(1000, 2000);
	const struct timespec pause = {.tv_nsec = 2000000};
	unsigned int timed = 0;
	json_t *grid;

	(void)state;
	for (unsigned int i = 0; i < 2 * CALL_TIMER_EVERY; i++) {
		bool counts = call_timer_counts(w, 3);
		uint64_t begin = call_timer_begin();

		assert_int_equal(counts, i % CALL_TIMER_EVERY == 0);
		if (!counts)
			continue;
		timed++;
		nanosleep(&pause, NULL);
		call_timer_add(w, PATH_REFILL, 3, call_timer_stop(w, begin), 1500);
	}
	assert_int_equal(w->calls[3], 2 * CALL_TIMER_EVERY);
	assert_int_equal(w->timed[PATH_REFILL][3].calls, timed);
	assert_true(w->timed[PATH_REFILL][3].sum_ns >= 2 * 1900000);
	assert_true(w->timed[PATH_REFILL][3].max_ns >= 1900000);
	assert_int_equal(w->timed[PATH_REFILL][2].calls, 0);
	assert_int_equal(w->timed[PATH_HIT][3].calls, 0);
	grid = heat_json(w->heat);
	assert_non_null(grid);
	json_decref(grid);
	assert_true(call_timer_counts(w, 0)); /* the first of another order */
	call_timer_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heat_bucket_inverts_its_floor),
		cmocka_unit_test(test_heat_adds_up_by_column_and_length),
		cmocka_unit_test(test_heat_of_nothing_is_absent),
		cmocka_unit_test(test_call_timer_times_one_in_so_many_of_each_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
