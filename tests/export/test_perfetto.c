/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters of Perfetto's: what is live, and no more of them than there is to tell. */
#include "exported.h"

enum { TICK_NS = 10 * 1000 * 1000 };

/* Values of a counter, in order; their number. */
static size_t counter(const char *text, const char *name, const char *value, json_int_t *out,
		      size_t max)
{
	json_t *doc = json_loads(text, 0, NULL), *e;
	size_t i, n = 0;

	assert_non_null(doc);
	json_array_foreach (json_object_get(doc, "traceEvents"), i, e) {
		const json_t *v = json_object_get(json_object_get(e, "args"), value);

		if (strcmp(json_string_value(json_object_get(e, "name")), name) != 0)
			continue;
		assert_true(n < max);
		out[n++] = json_integer_value(v);
	}
	json_decref(doc);
	return n;
}

static void test_perfetto_counters_are_what_is_live(void **state)
{
	static const struct kmt_class page = {.kind = KMT_PAGE_ALLOC, .order = 2},
				      freed = {.kind = KMT_PAGE_FREE, .order = 2},
				      stack = {.kind = KMT_STACK_PAGE},
				      object = {.kind = KMT_CACHE_ALLOC, .bytes_alloc = 64},
				      bulk = {.kind = KMT_CACHE_BULK_ALLOC, .bytes_alloc = 32},
				      gone = {.kind = KMT_CACHE_FREE},
				      large = {.kind = KMT_KMALLOC, .bytes_alloc = 16384},
				      large_again = {
					      .kind = KMT_KMALLOC, .bytes_alloc = 16384, .gfp = 1};
	json_int_t v[8];
	struct fixture f;
	char *text;

	(void)state;
	fixture_start(&f, 1);
	exported_event(&f, &page, 1000, 4);
	exported_event(&f, &page, 1001, 8);
	exported_event(&f, &freed, 1002, 4);
	exported_event(&f, &stack, 1003, 99);
	exported_event(&f, &object, 1004, 100);
	exported_event(&f, &object, 1005, 101);
	exported_event(&f, &gone, 1006, 100);
	exported_event(&f, &bulk, 1007, 102);
	exported_event(&f, &large, 1008, 103);
	exported_event(&f, &large_again, 1009, 103); /* the kernel traces it twice */
	text = exported(&f, export_perfetto);
	assert_int_equal(counter(text, "pages allocated", "pages", v, 8), 1);
	assert_int_equal(v[0], 5);
	assert_int_equal(counter(text, "object bytes allocated", "bytes", v, 8), 1);
	assert_int_equal(v[0], 64 + 32 + 16384);
	free(text);
}

static void test_perfetto_idle_hours_are_one_tick(void **state)
{
	static const struct kmt_class page = {.kind = KMT_PAGE_ALLOC};
	const uint64_t hours = 10ull * 3600 * 1000 * 1000 * 1000;
	json_int_t v[8];
	struct fixture f;
	char *text;

	(void)state;
	fixture_start(&f, 1);
	exported_event(&f, &page, 1000, 1);
	exported_event(&f, &page, 1000 + hours, 2);
	exported_event(&f, &page, 1000 + hours + 1, 3);
	exported_event(&f, &page, 1000 + hours + TICK_NS, 4);
	text = exported(&f, export_perfetto);
	assert_int_equal(counter(text, "events per 10 ms", "events", v, 8), 4);
	assert_true(v[0] == 1 && v[1] == 0 && v[2] == 2 && v[3] == 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_perfetto_counters_are_what_is_live),
		cmocka_unit_test(test_perfetto_idle_hours_are_one_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
