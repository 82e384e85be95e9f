/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "machine.h"

#include "../../refmm/percpu_bitmap.h"

enum { BITS = 200 };

static int slow_next(const uint64_t *map, int end, int from, bool value)
{
	while (from < end && rmm_test_bit(map, from) != value)
		from++;
	return from < end ? from : end;
}

static int slow_last(const uint64_t *map, int from, int end)
{
	while (--end >= from)
		if (rmm_test_bit(map, end))
			return end;
	return -1;
}

/* Sparse, dense and empty words */
static void draw(uint64_t map[4], unsigned int seed)
{
	for (int i = 0; i < 4; i++) {
		seed = seed * 1664525u + 1013904223u;
		map[i] = seed % 5 == 0 ? 0 : seed % 5 == 1 ? ~0ull : 1ull << (seed >> 26);
		map[i] |= (uint64_t)(seed & 0x81) << 20;
	}
}

static void test_bitmap_searches_agree_with_single_bits(void **state)
{
	uint64_t map[4];

	(void)state;
	for (unsigned int seed = 0; seed < 20; seed++) {
		draw(map, seed);
		for (int from = 0; from < BITS; from++)
			for (int end = from; end < BITS; end += 7) {
				assert_int_equal(rmm_find_next_bit(map, end, from),
						 slow_next(map, end, from, true));
				assert_int_equal(rmm_find_next_zero_bit(map, end, from),
						 slow_next(map, end, from, false));
				assert_int_equal(rmm_find_last_bit(map, from, end),
						 slow_last(map, from, end));
			}
	}
}

static void test_bitmap_set_and_clear_change_just_the_range(void **state)
{
	(void)state;
	for (int from = 0; from < 130; from += 3)
		for (int nr = 0; nr < 70; nr++) {
			uint64_t a[4] = {0}, b[4] = {~0ull, ~0ull, ~0ull, ~0ull};

			rmm_bitmap_set(a, from, nr);
			rmm_bitmap_clear(b, from, nr);
			assert_int_equal(rmm_bitmap_weight(a, 0, 256), nr);
			assert_int_equal(rmm_bitmap_weight(a, from, from + nr), nr);
			assert_int_equal(rmm_bitmap_weight(b, 0, 256), 256 - nr);
			assert_int_equal(rmm_bitmap_weight(b, from, from + nr), 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bitmap_searches_agree_with_single_bits),
		cmocka_unit_test(test_bitmap_set_and_clear_change_just_the_range),
	};

	return RUN(tests);
}
