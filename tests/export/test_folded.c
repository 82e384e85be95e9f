/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Folded stacks: who allocates what. */
#include "exported.h"

static int live_bytes(const struct view *v, FILE *out)
{
	return export_folded(v, out, EXPORT_LIVE);
}

static void test_folded_objects_in_bulk_are_allocations(void **state)
{
	struct fixture f;
	char *text;

	(void)state;
	fixture_start(&f, 1);

	struct kmt_class alloc = {.kind = KMT_CACHE_BULK_ALLOC, .bytes_alloc = 64};
	struct kmt_class free_one = {.kind = KMT_CACHE_BULK_FREE};

	alloc.cache = trace_writer_string(f.w, "skbuff");
	for (uint64_t i = 0; i < 10; i++)
		exported_event(&f, &alloc, 100 + i, 8 + i);
	for (uint64_t i = 0; i < 3; i++)
		exported_event(&f, &free_one, 200 + i, 8 + i);
	text = exported(&f, live_bytes);
	assert_string_equal(text, "(unknown);skbuff 448\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folded_objects_in_bulk_are_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
