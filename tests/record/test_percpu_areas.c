// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bitmaps of a chunk of per-CPU memory in, areas out. The usual one has two pages, of
 * which the first 8 bytes and the last page's last 16 are not its own:
 *
 *   bit     0 1 2 3 4 5 6 7 8 9 ...      1022 1023 1024 1025     2044 ...
 *   alloc   # # . # # # # . . .             #    #    #    .        #
 *   bound   | | . | . | .   |               |              |        |
 */
#include "../support/test.h"

#include <record/percpu_areas.h>
#include <string.h>

enum { BITS = 2048 };

static struct kml_percpu_chunk c;

static void set(__u64 *map, unsigned int from, unsigned int n)
{
	for (unsigned int i = from; i < from + n; i++)
		map[i / 64] |= 1ull << i % 64;
}

/* An area of @n bits. */
static void area(unsigned int at, unsigned int n)
{
	set(c.alloc, at, n);
	set(c.bound, at, 1);
	set(c.bound, at + n, 1);
	c.free_bytes -= 4 * (int)n;
}

static int set_up(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	c.pages = 2;
	c.free_bytes = 4 * BITS;
	c.start_offset = 8;
	c.end_offset = 16;
	area(0, 2);
	area(BITS - 4, 4);
	area(3, 2);
	area(5, 2);
	area(1022, 3);
	return 0;
}

static void check_areas(const struct percpu_run *want, size_t n)
{
	struct percpu_run r = {0};

	for (size_t i = 0; i < n; i++) {
		assert_true(percpu_next_area(&c, &r));
		assert_int_equal(r.at, want[i].at);
		assert_int_equal(r.n, want[i].n);
	}
	assert_false(percpu_next_area(&c, &r));
}

static void test_percpu_areas_are_told_apart_by_their_bounds(void **state)
{
	static const struct percpu_run want[] = {{12, 8}, {20, 8}, {4088, 12}};

	(void)state;
	assert_true(percpu_chunk_sound(&c));
	check_areas(want, 3);
}

/* A freed area leaves its bounds behind. */
static void test_percpu_areas_old_bounds_make_no_area(void **state)
{
	static const struct percpu_run want[] = {{12, 8}, {20, 8}, {4088, 12}};

	(void)state;
	set(c.bound, 100, 1);
	set(c.bound, 140, 1);
	assert_true(percpu_chunk_sound(&c));
	check_areas(want, 3);
}

/* The last one ends where the chunk's own part does. */
static void test_percpu_areas_end_with_the_chunk(void **state)
{
	static const struct percpu_run want[] = {{12, 8}, {20, 8}, {4088, 12}, {8096, 80}};

	(void)state;
	area(2024, 20);
	assert_true(percpu_chunk_sound(&c));
	check_areas(want, 4);
}

static void test_percpu_areas_torn_readings_are_not_sound(void **state)
{
	static const struct kml_percpu_chunk none;

	(void)state;
	assert_false(percpu_chunk_sound(&none));
	c.free_bytes -= 4;
	assert_false(percpu_chunk_sound(&c));
	c.free_bytes += 4;
	set(c.alloc, 300, 4);
	c.free_bytes -= 16;
	assert_false(percpu_chunk_sound(&c)); /* no bound where it begins */
	set(c.bound, 300, 1);
	assert_true(percpu_chunk_sound(&c));
	c.end_offset = 2 * 4096;
	assert_false(percpu_chunk_sound(&c));
	c.pages = KML_PERCPU_PAGES + 1;
	assert_false(percpu_chunk_sound(&c));
}

static void test_percpu_readings_differ_by_any_bit_of_the_chunk(void **state)
{
	static struct kml_percpu_chunk again;

	(void)state;
	again = c;
	set(again.alloc, BITS, 1); /* behind it: nobody's */
	assert_true(percpu_chunk_same(&c, &again));
	set(again.bound, BITS - 1, 1);
	assert_false(percpu_chunk_same(&c, &again));
	again = c;
	set(again.populated, 1, 1);
	assert_false(percpu_chunk_same(&c, &again));
	again = c;
	again.isolated = 1;
	assert_false(percpu_chunk_same(&c, &again));
}

static void test_percpu_populated_pages_are_runs(void **state)
{
	struct percpu_run r = {0};

	(void)state;
	c.pages = 130;
	set(c.populated, 0, 1);
	set(c.populated, 60, 10);
	set(c.populated, 129, 3); /* two of them behind the last */
	assert_true(percpu_next_populated(&c, &r));
	assert_int_equal(r.at + 1000 * r.n, 1000);
	assert_true(percpu_next_populated(&c, &r));
	assert_int_equal(r.at + 1000 * r.n, 10060);
	assert_true(percpu_next_populated(&c, &r));
	assert_int_equal(r.at + 1000 * r.n, 1129);
	assert_false(percpu_next_populated(&c, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_percpu_areas_are_told_apart_by_their_bounds, set_up),
		cmocka_unit_test_setup(test_percpu_areas_old_bounds_make_no_area, set_up),
		cmocka_unit_test_setup(test_percpu_areas_end_with_the_chunk, set_up),
		cmocka_unit_test_setup(test_percpu_areas_torn_readings_are_not_sound, set_up),
		cmocka_unit_test_setup(test_percpu_readings_differ_by_any_bit_of_the_chunk, set_up),
		cmocka_unit_test_setup(test_percpu_populated_pages_are_runs, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
