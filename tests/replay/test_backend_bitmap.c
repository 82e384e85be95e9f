/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../support/test.h"

/* NOLINTNEXTLINE(bugprone-suspicious-include): a plug-in is one file */
#include "../../user/backends/bitmap.c"
#include "backend.h"

static void test_bitmap_random_requests_matches_oracle(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		oracle_run(kmemlab_backend(), seed);
}

static void test_bitmap_alloc_takes_lowest_fit(void **state)
{
	const struct kml_request one = {.highest_zone = RMM_ZONE_DMA};
	const struct kml_request eight = {.highest_zone = RMM_ZONE_DMA, .order = 3};
	static struct oracle o;

	(void)state;
	oracle_init(&o, kmemlab_backend(), 1);
	assert_int_equal(o.b->alloc(o.self, &one), 8);
	assert_int_equal(o.b->alloc(o.self, &eight), 16);
	assert_int_equal(o.b->alloc(o.self, &one), 9);
	assert_int_equal(o.b->free(o.self, 0, 8, 0), 0);
	assert_int_equal(o.b->alloc(o.self, &one), 8);
	o.b->destroy(o.self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bitmap_random_requests_matches_oracle),
		cmocka_unit_test(test_bitmap_alloc_takes_lowest_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
