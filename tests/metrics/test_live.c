/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.h: the table of live objects, with addresses that no kernel gives out. */
#include "../support/test.h"

#include "metrics/live.h"

enum { SOME = 100000 };

static int set_up(void **state)
{
	static struct live l;

	*state = &l;
	return live_init(&l);
}

static int tear_down(void **state)
{
	live_destroy(*state);
	return 0;
}

static void test_live_what_is_put_is_taken_once(void **state)
{
	struct live *l = *state;
	uint32_t old;

	for (uint32_t i = 0; i < SOME; i++) {
		assert_int_equal(live_put(l, i * 64ull, i, &old), 0);
		assert_int_equal(old, LIVE_NONE);
	}
	assert_int_equal(live_put(l, 64, 7, &old), 0);
	assert_int_equal(old, 1);
	assert_int_equal(live_take(l, 64), 7);
	assert_int_equal(live_take(l, 64), LIVE_NONE);
	assert_int_equal(l->used, SOME - 1);
}

static void test_live_reserved_address_is_neither_kept_nor_found(void **state)
{
	struct live *l = *state;
	size_t slots = l->mask;
	uint32_t old = 1;

	for (uint32_t i = 0; i < SOME; i++) {
		assert_int_equal(live_put(l, UINT64_MAX, i, &old), 0);
		assert_int_equal(old, LIVE_NONE);
		assert_int_equal(live_take(l, UINT64_MAX), LIVE_NONE);
		assert_int_equal(live_find(l, UINT64_MAX), LIVE_NONE);
	}
	assert_int_equal(live_take(l, UINT64_MAX), LIVE_NONE);
	assert_int_equal(l->used, 0);
	assert_int_equal(l->mask, slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_live_what_is_put_is_taken_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_live_reserved_address_is_neither_kept_nor_found, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
