/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_view.c - which rows are shown, in what order, and what their lines say. */
#include "slots.h"

#include "top/top.h"

/* Three caches, a second apart: "big" allocates most bytes, "waster" wastes most,
 * "often" is called most. */
static void fixture(struct top_reading *r, struct kml_top_cpu *c)
{
	r->rows = top_rows_new(1, name_site, NULL);
	r->one_in = 4;
	r->before_ns = 1000000000;
	r->time_ns = 3000000000;
	top_rows_begin(r->rows);
	slot_fill(c, slot_source(c, KML_TOP_CACHE, 1, "big"), 10, 4096, 4096)->begun_bytes = 8192;
	slot_fill(c, slot_source(c, KML_TOP_CACHE, 2, "waster"), 20, 513, 1024);
	slot_fill(c, slot_source(c, KML_TOP_CACHE, 3, "often-10"), 100, 8, 8);
	assert_int_equal(top_rows_add(r->rows, 0, c), 0);
}

static const char *first(const struct top_reading *r, const struct top_view *v, size_t *n)
{
	const struct top_row **rows = top_view_rows(r, v, n);
	const char *name = *n ? rows[0]->name : "";

	free(rows);
	return name;
}

static const struct {
	struct top_view view;
	const char *first;
	size_t n;
} views[] = {
	{{.sort = TOP_BY_RATE}, "big", 3},
	{{.sort = TOP_BY_ALLOCS}, "often-10", 3},
	{{.sort = TOP_BY_WASTE}, "waster", 3},
	{{.sort = TOP_BY_LIVE}, "big", 3},
	{{.sort = TOP_BY_NAME}, "big", 3},
	{{.sort = TOP_BY_NAME, .reverse = true}, "waster", 3},
	{{.sort = TOP_BY_RATE, .reverse = true}, "often-10", 3},
	{{.filter = "ST"}, "waster", 1},
	{{.filter = "e"}, "waster", 2},
	{{.filter = "none of these"}, "", 0},
	{{.group = TOP_SITE}, "site_1", 3},
	{{.group = TOP_PAGES}, "", 0},
};

static void test_view_sorts_and_filters(void **state)
{
	struct kml_top_cpu *c = cpu_new();
	struct top_reading r = {0};

	(void)state;
	fixture(&r, c);
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		size_t n;

		print_message("view %zu\n", i);
		assert_string_equal(first(&r, &views[i].view, &n), views[i].first);
		assert_int_equal(n, views[i].n);
	}
	top_rows_free(r.rows);
	free(c);
}

static void test_view_figures_are_of_a_second(void **state)
{
	struct kml_top_cpu *c = cpu_new();
	struct top_reading r = {0};
	struct top_figures f;

	(void)state;
	fixture(&r, c);
	top_figures(&r, top_rows_find(r.rows, TOP_CACHE, "waster"), &f);
	assert_true(f.allocs == 10 && f.rate == 10240 && f.waste == 5110);
	top_figures(&r, top_rows_find(r.rows, TOP_CACHE, "big"), &f);
	assert_int_equal(f.live, 4 * 8192);
	assert_true(f.growth == 4 * 8192 / 2.0);
	top_rows_free(r.rows);
	free(c);
}

static void test_view_tables_and_columns_are_found_by_name(void **state)
{
	(void)state;
	for (unsigned int g = 0; g < TOP_GROUPS; g++)
		assert_int_equal(top_group_find(top_group_name((enum top_group)g)), g);
	for (unsigned int i = 0; i < TOP_COLUMNS; i++)
		assert_int_equal(top_column_find(top_column_name((enum top_column)i)), i);
	assert_int_equal(top_group_find("caches"), TOP_GROUPS);
	assert_int_equal(top_column_find(""), TOP_COLUMNS);
	assert_false(top_has_column(TOP_SITE, TOP_BY_SLABS));
	assert_false(top_has_column(TOP_ORDER, TOP_BY_WASTE));
}

/* ---- Lines ---------------------------------------------------------------- */

struct lines {
	unsigned int n;
	size_t longest;
	char text[16][512];
};

static void keep_line(void *context, enum top_style style, const char *text)
{
	struct lines *l = context;

	(void)style;
	assert_true(l->n < 16);
	l->longest = strlen(text) > l->longest ? strlen(text) : l->longest;
	snprintf(l->text[l->n++], sizeof(l->text[0]), "%s", text);
}

static long table(const struct top_reading *r, unsigned int width, struct lines *l)
{
	const struct top_view v = {.group = TOP_CACHE};
	const struct top_pen pen = {keep_line, l, width};

	*l = (struct lines){0};
	return top_lines_table(r, &v, 0, 0, &pen);
}

static void test_view_table_fits_any_width(void **state)
{
	struct kml_top_cpu *c = cpu_new();
	struct top_reading r = {0};
	struct lines l = {0};

	(void)state;
	fixture(&r, c);
	for (unsigned int width = 20; width < 300; width++) {
		assert_int_equal(table(&r, width, &l), 3);
		assert_int_equal(l.n, 4);
		assert_in_range(l.longest, 1, width);
		assert_int_equal(strncmp(l.text[1], "big ", 4), 0);
	}
	top_rows_free(r.rows);
	free(c);
}

/* Where there is no screen there is room for every name. */
static void test_view_table_without_a_width_cuts_no_name(void **state)
{
	static const char name[] = "a_cache_whose_name_is_as_long_as_they_come";
	struct kml_top_cpu *c = cpu_new();
	struct top_reading r = {0};
	struct lines l = {0};

	(void)state;
	slot_fill(c, slot_source(c, KML_TOP_CACHE, 9, name), 1000, 4096, 4096);
	fixture(&r, c);
	assert_int_equal(table(&r, 0, &l), 4);
	assert_int_equal(strncmp(l.text[1], name, sizeof(name) - 1), 0);
	assert_non_null(strstr(l.text[0], "+-slabs"));
	top_rows_free(r.rows);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view_sorts_and_filters),
		cmocka_unit_test(test_view_figures_are_of_a_second),
		cmocka_unit_test(test_view_tables_and_columns_are_found_by_name),
		cmocka_unit_test(test_view_table_fits_any_width),
		cmocka_unit_test(test_view_table_without_a_width_cuts_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
