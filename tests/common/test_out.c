/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_out.c - one column list, three formats. */
#include <jansson.h>
#include <math.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../support/test.h"
#include "common/out.h"

static const struct out_column columns[] = {
	{"name", "name", OUT_STRING},  {"count", "count", OUT_UINT},
	{"change", "change", OUT_INT}, {"size", "size_bytes", OUT_BYTES},
	{"took", "took_ns", OUT_NS},   {"part %", "part", OUT_PERCENT},
};

static struct out_table *make(const char *name)
{
	struct out_table *t = out_table_new("things", columns, 6);
	union out_value row[] = {{.s = name}, {.u = 12},      {.i = -3},
				 {.u = 4300}, {.u = 1250000}, {.f = 12.345}};

	assert_non_null(t);
	assert_int_equal(out_table_row(t, row), 0);
	row[0].s = "b";
	row[1].u = UINT64_MAX - 1;
	assert_int_equal(out_table_row(t, row), 0);
	return t;
}

/* What printing @t in @format writes to stdout. */
static void capture(const struct out_table *t, enum out_format format, char *text, size_t size)
{
	int ends[2], saved = dup(STDOUT_FILENO);
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	out_table_print(t, format);
	out_flush();
	dup2(saved, STDOUT_FILENO);
	close(saved);
	n = read(ends[0], text, size - 1);
	close(ends[0]);
	text[n > 0 ? n : 0] = 0;
}

static void test_out_text_is_aligned_and_human(void **state)
{
	struct out_table *t = make("alpha");
	char text[1024];

	(void)state;
	capture(t, OUT_TEXT, text, sizeof(text));
	assert_string_equal(text, "name                  count  change  size     took  part %\n"
				  "alpha                    12      -3  4.2K  1.25 ms    12.3\n"
				  "b      18446744073709551614      -3  4.2K  1.25 ms    12.3\n");
	out_table_free(t);
}

/* What printing @t on a terminal of @columns columns writes to it. */
static void show(const struct out_table *t, unsigned short width, char *text, size_t size)
{
	struct winsize w = {.ws_row = 24, .ws_col = width};
	int saved = dup(STDOUT_FILENO), master, terminal;
	struct termios raw;
	ssize_t n;

	assert_int_equal(openpty(&master, &terminal, NULL, NULL, &w), 0);
	assert_int_equal(tcgetattr(terminal, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(terminal, TCSANOW, &raw), 0);
	dup2(terminal, STDOUT_FILENO);
	out_table_print(t, OUT_TEXT);
	out_flush();
	dup2(saved, STDOUT_FILENO);
	close(saved);
	n = read(master, text, size - 1);
	close(terminal);
	close(master);
	text[n > 0 ? n : 0] = 0;
}

/* What is written to a terminal, or a pipe if @width is 0. */
static void wrap(unsigned short width, const char *words, char *text, size_t size)
{
	struct winsize w = {.ws_row = 24, .ws_col = width};
	int saved = dup(STDOUT_FILENO), ends[2];
	struct termios raw;
	ssize_t n;

	if (width) {
		assert_int_equal(openpty(&ends[0], &ends[1], NULL, NULL, &w), 0);
		assert_int_equal(tcgetattr(ends[1], &raw), 0);
		cfmakeraw(&raw);
		assert_int_equal(tcsetattr(ends[1], TCSANOW, &raw), 0);
	} else {
		assert_int_equal(pipe(ends), 0);
	}
	dup2(ends[1], STDOUT_FILENO);
	out_wrapped(4, words);
	out_flush();
	dup2(saved, STDOUT_FILENO);
	close(saved);
	n = read(ends[0], text, size - 1);
	close(ends[0]);
	close(ends[1]);
	text[n > 0 ? n : 0] = 0;
}

static void test_out_words_are_wrapped_on_a_terminal_only(void **state)
{
	char text[128];

	(void)state;
	wrap(0, "one two three four", text, sizeof(text));
	assert_string_equal(text, "one two three four");
	wrap(14, "one two three four", text, sizeof(text));
	assert_string_equal(text, "one two\n    three four");
	wrap(6, "one much-too-long two", text, sizeof(text));
	assert_string_equal(text, "one\n    much-too-long\n    two");
}

static void test_out_columns_that_a_terminal_has_no_room_for_follow_below(void **state)
{
	struct out_table *t = make("alpha");
	char wide[1024], narrow[1024], tiny[1024];

	(void)state;
	show(t, 60, wide, sizeof(wide));
	assert_string_equal(wide, "name                  count  change  size     took  part %\n"
				  "alpha                    12      -3  4.2K  1.25 ms    12.3\n"
				  "b      18446744073709551614      -3  4.2K  1.25 ms    12.3\n");
	show(t, 40, narrow, sizeof(narrow));
	assert_string_equal(narrow, "name                  count  change\n"
				    "alpha                    12      -3\n"
				    "b      18446744073709551614      -3\n"
				    "\n"
				    "name   size     took  part %\n"
				    "alpha  4.2K  1.25 ms    12.3\n"
				    "b      4.2K  1.25 ms    12.3\n");
	show(t, 5, tiny, sizeof(tiny)); /* one by one, beyond the edge if it must be */
	assert_non_null(strstr(tiny, "\n\nname   part %\nalpha    12.3\n"));
	out_table_free(t);
}

static void test_out_what_is_not_known_is_no_number(void **state)
{
	struct out_table *t = out_table_new("things", columns, 6);
	union out_value row[] = {{.s = "x"},	     {.u = OUT_UNKNOWN}, {.i = -1},
				 {.u = OUT_UNKNOWN}, {.u = OUT_UNKNOWN}, {.f = NAN}};
	json_t *doc, *first;
	char text[256];

	(void)state;
	assert_int_equal(out_table_row(t, row), 0);
	row[1].u = 0;
	row[5].f = 0;
	assert_int_equal(out_table_row(t, row), 0);
	capture(t, OUT_TEXT, text, sizeof(text));
	assert_non_null(strstr(text, "\nx         -      -1     -     -       -\n"));
	capture(t, OUT_CSV, text, sizeof(text));
	assert_non_null(strstr(text, "\nx,,-1,,,\n"));
	assert_int_equal(out_table_sort(t, 1), 0); /* after all that is known */
	doc = out_table_json(t);
	first = json_array_get(doc, 0);
	assert_int_equal(json_object_size(first), 4);
	assert_int_equal(json_object_size(json_array_get(doc, 1)), 2);
	json_decref(doc);
	out_table_free(t);
}

static void test_out_csv_quotes_what_needs_it(void **state)
{
	struct out_table *t = make("a,\"b\"");
	char text[1024];

	(void)state;
	capture(t, OUT_CSV, text, sizeof(text));
	assert_string_equal(text, "name,count,change,size_bytes,took_ns,part\n"
				  "\"a,\"\"b\"\"\",12,-3,4300,1250000,12.3\n"
				  "b,18446744073709551614,-3,4300,1250000,12.3\n");
	out_table_free(t);
}

static void test_out_json_has_keys_and_numbers(void **state)
{
	struct out_table *t = make("x");
	json_t *rows = out_table_json(t), *row = json_array_get(rows, 0);

	(void)state;
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(json_string_value(json_object_get(row, "name")), "x");
	assert_int_equal(json_integer_value(json_object_get(row, "change")), -3);
	assert_int_equal(json_integer_value(json_object_get(row, "size_bytes")), 4300);
	assert_true(json_real_value(json_object_get(row, "part")) > 12.3);
	json_decref(rows);
	out_table_free(t);
}

static void test_out_names_cannot_steer_a_terminal(void **state)
{
	struct out_table *t = make("\033[2Jx\n\177");
	char text[1024];

	(void)state;
	capture(t, OUT_TEXT, text, sizeof(text));
	assert_non_null(strstr(text, "\n?[2Jx?? "));
	assert_null(strchr(text, '\033'));
	out_table_free(t);
}

static void test_out_human_units_round_to_the_next(void **state)
{
	static const struct {
		uint64_t value;
		const char *bytes, *ns;
	} cases[] = {
		{0, "0B", "0 ns"},
		{999, "999B", "999 ns"},
		{1000, "1.0K", "1.00 us"},
		{1 << 20, "1.0M", "1.05 ms"},
		{123456789012, "115G", "123.46 s"},
		{UINT64_MAX, "16E", "18446744073.71 s"},
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_string_equal(out_human_bytes(cases[i].value, text), cases[i].bytes);
		if (cases[i].value < UINT64_MAX)
			assert_string_equal(out_human_ns(cases[i].value, text), cases[i].ns);
	}
}

/* Rows "name,count" in their order. */
static void rows(const struct out_table *t, char *text)
{
	json_t *array = out_table_json(t);
	json_t *row;
	size_t i;

	*text = 0;
	json_array_foreach (array, i, row) {
		sprintf(text + strlen(text), "%s %lld %.1f, ",
			json_string_value(json_object_get(row, "name")),
			(long long)json_integer_value(json_object_get(row, "change")),
			json_real_value(json_object_get(row, "part")));
	}
	json_decref(array);
}

static struct out_table *three(void)
{
	struct out_table *t = out_table_new("things", columns, 6);
	static const union out_value row[][6] = {
		{{.s = "b"}, {.u = 5}, {.i = -1}, {.u = 0}, {.u = 0}, {.f = 0.5}},
		{{.s = "c"}, {.u = 5}, {.i = -3}, {.u = 0}, {.u = 0}, {.f = 2.5}},
		{{.s = "a"}, {.u = UINT64_MAX - 1}, {.i = 2}, {.u = 0}, {.u = 0}, {.f = 1.5}},
	};

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(out_table_row(t, row[i]), 0);
	return t;
}

static void test_out_rows_sort_by_any_column(void **state)
{
	static const struct {
		size_t column;
		const char *rows;
	} cases[] = {
		{0, "a 2 1.5, b -1 0.5, c -3 2.5, "}, /* strings rise */
		{1, "a 2 1.5, b -1 0.5, c -3 2.5, "}, /* what is equal stays in its order */
		{2, "a 2 1.5, b -1 0.5, c -3 2.5, "},
		{5, "c -3 2.5, a 2 1.5, b -1 0.5, "},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct out_table *t = three();

		assert_int_equal(out_table_sort(t, cases[i].column), 0);
		rows(t, text);
		assert_string_equal(text, cases[i].rows);
		out_table_free(t);
	}
}

static void test_out_rows_are_cut_and_counted(void **state)
{
	struct out_table *t = three();

	(void)state;
	assert_int_equal(out_table_cut(t, 0), 0);
	assert_int_equal(out_table_cut(t, 5), 0);
	assert_int_equal(out_table_cut(t, 1), 2);
	assert_int_equal(out_table_rows(t), 1);
	assert_int_equal(out_table_sort(t, 0), 0);
	out_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_text_is_aligned_and_human),
		cmocka_unit_test(test_out_words_are_wrapped_on_a_terminal_only),
		cmocka_unit_test(test_out_columns_that_a_terminal_has_no_room_for_follow_below),
		cmocka_unit_test(test_out_what_is_not_known_is_no_number),
		cmocka_unit_test(test_out_csv_quotes_what_needs_it),
		cmocka_unit_test(test_out_json_has_keys_and_numbers),
		cmocka_unit_test(test_out_names_cannot_steer_a_terminal),
		cmocka_unit_test(test_out_human_units_round_to_the_next),
		cmocka_unit_test(test_out_rows_sort_by_any_column),
		cmocka_unit_test(test_out_rows_are_cut_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
