// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_latency.c - buckets, and the JSON that is made of them. */
#include "../support/test.h"

#include <jansson.h>
#include <record/latency.h>
#include <stdlib.h>

static void test_latency_buckets_grow_by_quarters_of_an_octave(void **state)
{
	static const struct {
		uint32_t bucket;
		uint64_t floor_ns;
	} cases[] = {{0, 0},	 {3, 3},     {4, 4},	       {5, 5},	 {7, 7},
		     {8, 8},	 {9, 10},    {11, 14},	       {12, 16}, {13, 20},
		     {36, 1024}, {39, 1792}, {127, 7ull << 30}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(kml_latency_floor(cases[i].bucket), cases[i].floor_ns);
}

static void test_latency_buckets_do_not_overlap(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < KML_LATENCY_BUCKETS; i++)
		assert_true(kml_latency_floor(i) > kml_latency_floor(i - 1));
}

static json_t *table(const struct kml_latency_cell *cells)
{
	const struct kml_latency_sample sample = {
		.time_ns = 5, .ns = 70, .what = KML_LATENCY_KMALLOC, .class_ = 6};
	char *text = latency_table_json(cells, &sample, 1, 3);
	json_t *doc = json_loads(text, 0, NULL);

	free(text);
	assert_non_null(doc);
	return doc;
}

static void test_latency_json_has_a_row_for_each_class_called(void **state)
{
	struct kml_latency_cell *cells =
		calloc(KML_LATENCY_WHATS * KML_LATENCY_CLASSES, sizeof(*cells));
	struct kml_latency_cell *order3 = &cells[KML_LATENCY_PAGES * KML_LATENCY_CLASSES + 3];
	struct kml_latency_cell *bytes64 = &cells[KML_LATENCY_CACHE * KML_LATENCY_CLASSES + 6];
	json_int_t order, bytes, floor_ns, n, missed;
	const char *what;
	json_t *doc;

	(void)state;
	*order3 = (struct kml_latency_cell){.calls = 2, .sum_ns = 2100, .max_ns = 1100};
	order3->bucket[36] = 2;
	bytes64->calls = 1;
	doc = table(cells);
	assert_int_equal(json_array_size(json_object_get(doc, "rows")), 2);
	assert_int_equal(json_unpack(doc, "{s:I, s:[{s:I, s:[[I, I]]}, {s:I}], s:[{s:s}]}",
				     "missed", &missed, "rows", "order", &order, "histogram",
				     &floor_ns, &n, "bytes", &bytes, "samples", "what", &what),
			 0);
	assert_int_equal(missed, 3);
	assert_int_equal(order, 3);
	assert_int_equal(floor_ns, 1024);
	assert_int_equal(n, 2);
	assert_int_equal(bytes, 64);
	assert_string_equal(what, "kmalloc");
	json_decref(doc);
	free(cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_latency_buckets_grow_by_quarters_of_an_octave),
		cmocka_unit_test(test_latency_buckets_do_not_overlap),
		cmocka_unit_test(test_latency_json_has_a_row_for_each_class_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
