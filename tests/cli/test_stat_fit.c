/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_stat_fit.c - the size class that would fit better. */
#include "../support/test.h"

#include <math.h>

#include "../prop/prop.h"
#include "cli/stat_fit.h"

/* What such caches have on Linux 6.18: /sys/kernel/slab, objects and pages of a slab. */
static void test_fit_room_is_a_share_of_a_slab(void **state)
{
	(void)state;
	assert_true(fit_room(64) == 64);
	assert_true(fit_room(96) == 4096.0 / 42);
	assert_true(fit_room(192) == 4096.0 / 21);
	assert_true(fit_room(4096) == 4096);
	assert_true(fit_room(8192) == 8192);
	assert_true(fit_room(12288) == 12288);
	/* 7 of 8192 / 7 = 1170: a page would leave 586 bytes. */
	assert_true(fit_room(1170) == 8192.0 / 7);
	/* 15 of 32 KiB: no slab leaves over less than a 16th. */
	assert_true(fit_room(2100) == 32768.0 / 15);
}

static void test_fit_best_is_where_most_requests_are(void **state)
{
	static const struct fit_request r[] = {{513, 1, 1}, {520, 1000, 100}, {1000, 50, 5}};
	struct fit f = fit_best(1024, r, 3);

	(void)state;
	assert_int_equal(f.bytes, 520);
	assert_int_equal(f.allocs, 1001);
	assert_int_equal(f.saved, (uint64_t)(1001 * (1024 - fit_room(520))));
	assert_int_equal(f.saved_live, (uint64_t)(101 * (1024 - fit_room(520))));
}

static void test_fit_best_of_full_objects_is_none(void **state)
{
	static const struct fit_request full[] = {{64, 1000, 1}};
	static const struct fit_request nearly[] = {{58, 1000, 1}, {64, 1, 0}};
	struct fit none = fit_best(64, full, 1);

	(void)state;
	assert_int_equal(none.bytes, 0);
	assert_int_equal(none.saved, 0);
	assert_int_equal(fit_best(64, nearly, 2).bytes, 0); /* 58 rounds up to 64 */
	assert_int_equal(fit_best(64, NULL, 0).bytes, 0);
	assert_int_equal(fit_best(0, full, 1).bytes, 0); /* a damaged trace's class */
}

static void test_fit_best_of_large_ones_is_whole_pages(void **state)
{
	static const struct fit_request r[] = {{8200, 10, 2}};
	struct fit f = fit_best(16384, r, 1);

	(void)state;
	assert_int_equal(f.bytes, 12288);
	assert_int_equal(f.saved, 10 * 4096);
	assert_int_equal(f.saved_live, 2 * 4096);
}

/* Any class that some request could ask for, tried one by one. */
static double naive(uint32_t class_bytes, const struct fit_request *r, size_t n)
{
	double most = 0;

	for (uint32_t bytes = 8; bytes < class_bytes; bytes += 8) {
		double saved = 0;

		for (size_t i = 0; i < n; i++)
			if (r[i].bytes <= bytes)
				saved += (double)r[i].allocs *
					 (fit_room(class_bytes) - fit_room(bytes));
		most = saved > most ? saved : most;
	}
	return most;
}

static void test_fit_best_is_what_trying_all_finds(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		uint32_t class_bytes = 64u << prop_random(&seed) % 7, bytes = class_bytes / 2;
		struct fit_request r[40];
		size_t n = 0;

		for (; n < 40; n++) {
			bytes += 1 + (uint32_t)(prop_random(&seed) % (class_bytes / 16));
			if (bytes > class_bytes)
				break;
			r[n] = (struct fit_request){bytes, prop_random(&seed) % 1000, 0};
		}
		/* Sums of fractions: one byte off at most. */
		assert_true(fabs((double)fit_best(class_bytes, r, n).saved -
				 naive(class_bytes, r, n)) <= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit_room_is_a_share_of_a_slab),
		cmocka_unit_test(test_fit_best_is_where_most_requests_are),
		cmocka_unit_test(test_fit_best_of_full_objects_is_none),
		cmocka_unit_test(test_fit_best_of_large_ones_is_whole_pages),
		cmocka_unit_test(test_fit_best_is_what_trying_all_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
