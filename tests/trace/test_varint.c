/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_varint.c - LEB128 and zigzag. */
#include "../support/test.h"
#include "trace/varint.h"

static void test_varint_edges_round_trip(void **state)
{
	static const uint64_t values[] = {0,	 1,	     127,	 128,	     16383,
					  16384, 1ull << 32, 1ull << 56, 1ull << 63, UINT64_MAX};
	uint8_t bytes[VARINT_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		const uint8_t *end = varint_put(bytes, values[i]), *at = bytes;
		uint64_t got = 0;

		assert_true(varint_get(&at, end, &got));
		assert_int_equal(got, values[i]);
		assert_ptr_equal(at, end);
	}
}

static void test_varint_put_long_stores_the_same_bytes(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		for (uint64_t low = 0; low < 3; low++) {
			uint64_t v = (1ull << bit) - 1 + low;
			uint8_t want[VARINT_MAX_BYTES], got[VARINT_MAX_BYTES];
			size_t bytes = (size_t)(varint_put(want, v) - want);

			assert_int_equal(varint_put_long(got, v) - got, bytes);
			assert_memory_equal(got, want, bytes);
		}
	}
}

static void test_varint_cut_off_is_refused(void **state)
{
	uint8_t bytes[VARINT_MAX_BYTES];
	const uint8_t *end = varint_put(bytes, UINT64_MAX);
	uint64_t got;

	(void)state;
	assert_int_equal(end - bytes, VARINT_MAX_BYTES);
	for (const uint8_t *cut = bytes; cut < end; cut++) {
		const uint8_t *at = bytes;

		assert_false(varint_get(&at, cut, &got));
		assert_ptr_equal(at, bytes);
	}
}

static void test_varint_over_64_bits_is_refused(void **state)
{
	static const uint8_t two_too_many[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
	static const uint8_t endless[] = {128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0};
	const uint8_t *at = two_too_many;
	uint64_t got;

	(void)state;
	assert_false(varint_get(&at, at + sizeof(two_too_many), &got));
	at = endless;
	assert_false(varint_get(&at, at + sizeof(endless), &got));
}

static void test_zigzag_small_either_way_is_small(void **state)
{
	(void)state;
	assert_int_equal(zigzag(0), 0);
	assert_int_equal(zigzag(-1), 1);
	assert_int_equal(zigzag(1), 2);
	assert_int_equal(unzigzag(zigzag(INT64_MIN)), INT64_MIN);
	assert_int_equal(unzigzag(zigzag(INT64_MAX)), INT64_MAX);
	assert_int_equal(unzigzag(zigzag(-12345)), -12345);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint_edges_round_trip),
		cmocka_unit_test(test_varint_put_long_stores_the_same_bytes),
		cmocka_unit_test(test_varint_cut_off_is_refused),
		cmocka_unit_test(test_varint_over_64_bits_is_refused),
		cmocka_unit_test(test_zigzag_small_either_way_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
