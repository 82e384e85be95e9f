/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_render.c - the three forms of a report, and what must not get into them. */
#include "../support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "fixture.h"

static char label_one[] = "one", label_two[] = "two";

/* The document of the sample, changed at @path (or not, where NULL). */
static void make(struct report_doc *d, struct report_result *r, const char *path, const char *value)
{
	r->root = fixture();
	r->label = label_one;
	assert_non_null(r->root);
	if (path)
		assert_int_equal(fixture_set(r->root, path, value), 0);
	assert_int_equal(report_build(d, &(struct report_input){r, 1, NULL}), 0);
}

static void drop(struct report_doc *d, struct report_result *r)
{
	pool_free(&d->pool);
	json_decref(r->root);
}

static void test_text_sample_fits_its_width(void **state)
{
	static const size_t width[] = {80, 100};
	struct report_doc d;
	struct report_result r;

	(void)state;
	make(&d, &r, NULL, NULL);
	for (size_t i = 0; i < 2; i++) {
		struct report_buf b = {0};
		report_text(&b, &d, width[i]);
		assert_false(b.failed);
		assert_non_null(strstr(b.data, "Verdict"));
		for (char *line = strtok(b.data, "\n"); line; line = strtok(NULL, "\n"))
			if (strlen(line) > width[i])
				fail_msg("%zu columns: %s", strlen(line), line);
		buf_free(&b);
	}
	drop(&d, &r);
}

static void test_text_escape_sequences_do_not_reach_terminal(void **state)
{
	struct report_doc d;
	struct report_result r;
	struct report_buf b = {0};

	(void)state;
	make(&d, &r, "slabs.0.name", "\"a\\u001b[2Jb\\u00e9\"");
	report_text(&b, &d, 80);
	assert_null(strchr(b.data, '\x1b'));
	assert_non_null(strstr(b.data, "a?[2Jb?"));
	for (size_t i = 0; i < b.len; i++)
		assert_true(b.data[i] == '\n' || (b.data[i] >= ' ' && b.data[i] < 0x7f));
	buf_free(&b);
	drop(&d, &r);
}

static void test_html_markup_in_names_stays_text(void **state)
{
	struct report_doc d;
	struct report_result r;
	struct report_buf b = {0};

	(void)state;
	make(&d, &r, "slabs.0.name", "\"</script><img src=x onerror=a>\\\"'&\"");
	assert_int_equal(report_html(&b, &d, &(struct report_input){&r, 1, NULL}), 0);
	assert_null(strstr(b.data, "</script><img"));
	assert_null(strstr(b.data, "<img"));
	assert_non_null(
		strstr(b.data, "&lt;/script&gt;&lt;img src=x onerror=a&gt;&quot;&#39;&amp;"));
	assert_non_null(strstr(b.data, "\\u003c/script>\\u003cimg"));
	buf_free(&b);
	drop(&d, &r);
}

static void test_markdown_markup_in_names_stays_text(void **state)
{
	struct report_doc d;
	struct report_result r;
	struct report_buf b = {0};

	(void)state;
	make(&d, &r, "slabs.0.name", "\"<img src=x>|*a_[b](c)`\\u001b\"");
	report_markdown(&b, &d);
	assert_false(b.failed);
	assert_null(strstr(b.data, "<img"));
	assert_non_null(strstr(b.data, "| &lt;img src=x&gt;\\|\\*a\\_\\[b\\](c)\\`? |"));
	buf_free(&b);
	drop(&d, &r);
}

static void test_html_sample_is_whole_and_small(void **state)
{
	static const char *const part[] = {"<!doctype html>", "default-src 'none'",
					   "id=\"verdict\"",  "id=\"commands\"",
					   "id=\"result\"",   "</html>"};
	struct report_doc d;
	struct report_result r;
	struct report_buf b = {0};

	(void)state;
	make(&d, &r, NULL, NULL);
	assert_int_equal(report_html(&b, &d, &(struct report_input){&r, 1, NULL}), 0);
	assert_true(b.len < 1 << 20);
	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++)
		assert_non_null(strstr(b.data, part[i]));
	assert_null(strstr(b.data, "@@"));
	assert_null(strstr(b.data, "style=\""));
	assert_null(strstr(b.data, "To stay below")); /* nothing was left out */
	buf_free(&b);
	drop(&d, &r);
}

/* A map with 300 columns and 256 rows in each of many zones: some 40 MB. */
static json_t *huge_map(void)
{
	json_t *row = json_array(), *rows = json_array(), *times = json_array();
	json_t *zones = json_array();

	for (int i = 0; i < 300; i++) {
		json_array_append_new(row, json_integer(98 + i % 3)); /* no runs */
		json_array_append_new(times, json_integer(i * 100000000ll));
	}
	for (int i = 0; i < 256; i++)
		json_array_append(rows, row);
	for (int i = 0; i < 64; i++)
		json_array_append_new(zones, json_pack("{s:i, s:i, s:i, s:i, s:O, s:O}", "zone", 0,
						       "start_pfn", 0, "rows", 256, "pages_per_row",
						       512, "type", rows, "used", rows));
	json_decref(row);
	json_decref(rows);
	return json_pack("{s:i, s:o, s:o}", "columns", 300, "time_ns", times, "zones", zones);
}

static void test_html_huge_result_is_thinned_below_the_limit(void **state)
{
	struct report_doc d;
	struct report_result r = {fixture(), label_one};
	struct report_input in = {&r, 1, NULL};
	struct report_buf b = {0};
	char error[REPORT_ERROR_BYTES];

	(void)state;
	json_object_set_new(r.root, "pageblocks", huge_map());
	assert_true(report_check(r.root, error));
	assert_int_equal(report_build(&d, &in), 0);
	assert_int_equal(report_html(&b, &d, &in), 0);
	assert_true(b.len <= REPORT_HTML_MAX_BYTES);
	assert_true(b.len > REPORT_HTML_MAX_BYTES / 4);
	assert_non_null(strstr(b.data, "To stay below 10 MiB, the charts show every "));
	buf_free(&b);
	drop(&d, &r);
}

static void test_html_absent_parts_are_named_not_drawn(void **state)
{
	static const struct {
		const char *member, *chart, *says;
	} c[] = {
		{"pageblocks", "data-chart=\"map\"", "/proc/kpageflags"},
		{"slabs", "data-chart=\"slabs\"", "no slab events in the trace"},
		{"fidelity", "Free blocks by order at the end", "needs both an observed"},
		{"fallbacks", "Who takes from whose", "kmem:mm_page_alloc_extfrag"},
		{NULL, "data-chart=\"stalls\"", "record with --probe pressure"},
		{NULL, "data-chart=\"latency\"", "record with --probe latency"},
		{NULL, "data-chart=\"lifetimes\"", "Lifetimes: not in the result"},
		{NULL, "Who pins pageblocks", "Who fragments memory: not in the result"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct report_doc d;
		struct report_result r;
		struct report_buf b = {0};
		make(&d, &r, c[i].member, NULL);
		assert_int_equal(report_html(&b, &d, &(struct report_input){&r, 1, NULL}), 0);
		assert_null(strstr(b.data, c[i].chart));
		assert_non_null(strstr(b.data, c[i].says));
		buf_free(&b);
		drop(&d, &r);
	}
}

static void test_json_sample_has_verdict_and_tables(void **state)
{
	struct report_doc d;
	struct report_result r;

	(void)state;
	make(&d, &r, NULL, NULL);
	json_t *doc = report_json(&d);
	json_t *verdict = json_array_get(json_object_get(doc, "verdicts"), 0);
	assert_string_equal(jstr(doc, "schema", ""), REPORT_SCHEMA);
	assert_int_equal(json_array_size(json_object_get(verdict, "sentences")), 3);
	json_t *trust = json_array_get(json_object_get(doc, "sections"), 1);
	json_t *accounting = json_array_get(json_object_get(trust, "tables"), 0);
	json_t *row = json_array_get(json_object_get(accounting, "rows"), 0);
	assert_int_equal(jat(row, 0), 2471988);
	assert_int_equal(json_array_size(row),
			 json_array_size(json_object_get(accounting, "columns")));
	json_decref(doc);
	drop(&d, &r);
}

static void test_build_two_results_are_both_named(void **state)
{
	struct report_result r[2] = {{fixture(), label_one}, {fixture(), label_two}};
	struct report_input in = {r, 2, NULL};
	struct report_doc d;
	struct report_buf b = {0};

	(void)state;
	assert_int_equal(report_build(&d, &in), 0);
	assert_int_equal(d.n_verdicts, 2);
	assert_string_equal(d.sections->id, "summary");
	report_text(&b, &d, 100);
	assert_non_null(strstr(b.data, "one: kernel"));
	assert_non_null(strstr(b.data, "two: reference"));
	buf_free(&b);
	pool_free(&d.pool);
	json_decref(r[0].root);
	json_decref(r[1].root);
}

static void test_format_number_units_are_written_alike(void **state)
{
	static const struct {
		double value;
		enum report_unit unit;
		const char *text;
	} c[] = {
		{0, UNIT_COUNT, "0"},
		{999, UNIT_COUNT, "999"},
		{1000, UNIT_COUNT, "1,000"},
		{1234567, UNIT_COUNT, "1,234,567"},
		{-1234, UNIT_COUNT, "-1,234"},
		{1234, UNIT_CHANGE, "+1,234"},
		{0, UNIT_CHANGE, "0"},
		{NAN, UNIT_COUNT, "-"},
		{1023, UNIT_BYTES, "1023 B"},
		{4096, UNIT_BYTES, "4 KiB"},
		{1536, UNIT_BYTES, "1.50 KiB"},
		{-5e9, UNIT_BYTES, "-4.66 GiB"},
		{12.34, UNIT_PERCENT, "12.3 %"},
		{0.049, UNIT_PERCENT, "0.049 %"},
		{0, UNIT_PERCENT, "0.0 %"},
		{-3, UNIT_POINTS, "-3.0 pt"},
		{1.5e9, UNIT_NS, "1.50 s"},
		{429, UNIT_NS, "429 ns"},
		{2.5e4, UNIT_NS, "25.0 us"},
		{INFINITY, UNIT_NS, "-"},
	};
	char text[REPORT_NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++)
		assert_string_equal(format_number(text, c[i].value, c[i].unit), c[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_sample_fits_its_width),
		cmocka_unit_test(test_text_escape_sequences_do_not_reach_terminal),
		cmocka_unit_test(test_html_markup_in_names_stays_text),
		cmocka_unit_test(test_markdown_markup_in_names_stays_text),
		cmocka_unit_test(test_html_sample_is_whole_and_small),
		cmocka_unit_test(test_html_huge_result_is_thinned_below_the_limit),
		cmocka_unit_test(test_html_absent_parts_are_named_not_drawn),
		cmocka_unit_test(test_json_sample_has_verdict_and_tables),
		cmocka_unit_test(test_build_two_results_are_both_named),
		cmocka_unit_test(test_format_number_units_are_written_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
