/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.c - rows of typed values, printed as text or CSV or made into JSON. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/out.h"

enum { CELL_BYTES = 32 };

struct out_table {
	const char *name;
	const struct out_column *columns;
	size_t n;
	union out_value *rows; /* rows_n * n */
	size_t rows_n;
	size_t rows_max;
};

struct out_table *out_table_new(const char *name, const struct out_column *columns, size_t n)
{
	struct out_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->name = name;
	t->columns = columns;
	t->n = n;
	return t;
}

static int grow(struct out_table *t)
{
	size_t max = t->rows_max ? t->rows_max * 2 : 32;
	union out_value *rows = reallocarray(t->rows, max * t->n, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	t->rows = rows;
	t->rows_max = max;
	return 0;
}

/* A copy without what steers a terminal: commands choose their own names. */
static char *clean_copy(const char *s)
{
	char *copy = strdup(s ? s : "");

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return copy;
}

int out_table_row(struct out_table *t, const union out_value *row)
{
	union out_value *to;

	if (t->rows_n == t->rows_max && grow(t))
		return -ENOMEM;
	to = t->rows + t->rows_n * t->n;
	memcpy(to, row, t->n * sizeof(*to));
	for (size_t c = 0; c < t->n; c++)
		if (t->columns[c].type == OUT_STRING)
			to[c].s = clean_copy(row[c].s);
	t->rows_n++;
	return 0;
}

size_t out_table_rows(const struct out_table *t)
{
	return t->rows_n;
}

struct sorting {
	const struct out_table *t;
	size_t column;
};

static double number(enum out_type type, union out_value v)
{
	if (type == OUT_PERCENT)
		return v.f;
	return type == OUT_INT ? (double)v.i : (double)v.u;
}

/* Two numbers of rows. */
static int compare(const void *a, const void *b, void *context)
{
	const struct sorting *s = context;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	enum out_type type = s->t->columns[s->column].type;
	union out_value x = s->t->rows[i * s->t->n + s->column];
	union out_value y = s->t->rows[j * s->t->n + s->column];
	int order = 0;

	if (type == OUT_STRING)
		order = strcmp(x.s, y.s);
	else if (number(type, x) != number(type, y))
		order = number(type, x) > number(type, y) ? -1 : 1;
	return order ? order : i < j ? -1 : i > j;
}

int out_table_sort(struct out_table *t, size_t column)
{
	struct sorting s = {t, column};
	union out_value *rows = calloc(t->rows_max + 1, t->n * sizeof(*rows));
	size_t *order = calloc(t->rows_n + 1, sizeof(*order));

	if (!rows || !order) {
		free(rows);
		free(order);
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->rows_n; i++)
		order[i] = i;
	qsort_r(order, t->rows_n, sizeof(*order), compare, &s);
	for (size_t i = 0; i < t->rows_n; i++)
		memcpy(rows + i * t->n, t->rows + order[i] * t->n, t->n * sizeof(*rows));
	free(order);
	free(t->rows);
	t->rows = rows;
	return 0;
}

size_t out_table_cut(struct out_table *t, size_t rows)
{
	size_t left = rows && rows < t->rows_n ? rows : t->rows_n, cut = t->rows_n - left;

	for (size_t i = left * t->n; i < t->rows_n * t->n; i++)
		if (t->columns[i % t->n].type == OUT_STRING)
			free((char *)t->rows[i].s);
	t->rows_n = left;
	return cut;
}

void out_table_free(struct out_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows_n * t->n; i++)
		if (t->columns[i % t->n].type == OUT_STRING)
			free((char *)t->rows[i].s);
	free(t->rows);
	free(t);
}

/* The cell's text: in @text (CELL_BYTES), or the string itself. */
static const char *cell(enum out_type type, union out_value v, bool human, char *text)
{
	switch (type) {
	case OUT_STRING:
		return v.s ? v.s : "";
	case OUT_INT:
		snprintf(text, CELL_BYTES, "%" PRId64, v.i);
		return text;
	case OUT_PERCENT:
		snprintf(text, CELL_BYTES, "%.1f", v.f);
		return text;
	case OUT_BYTES:
		if (human)
			return out_human_bytes(v.u, text);
		break;
	case OUT_NS:
		if (human)
			return out_human_ns(v.u, text);
		break;
	case OUT_UINT:
		break;
	}
	snprintf(text, CELL_BYTES, "%" PRIu64, v.u);
	return text;
}

static size_t width_of(const struct out_table *t, size_t c)
{
	size_t width = strlen(t->columns[c].title);
	char text[CELL_BYTES];

	for (size_t r = 0; r < t->rows_n; r++) {
		size_t n = strlen(cell(t->columns[c].type, t->rows[r * t->n + c], true, text));

		if (n > width)
			width = n;
	}
	return width;
}

static void print_text_cell(const struct out_table *t, size_t c, size_t width, const char *text)
{
	const char *gap = c ? "  " : "";

	if (t->columns[c].type != OUT_STRING)
		out_text("%s%*s", gap, (int)width, text);
	else if (c + 1 < t->n)
		out_text("%s%-*s", gap, (int)width, text);
	else
		out_text("%s%s", gap, text);
}

static int print_text(const struct out_table *t)
{
	size_t *width = calloc(t->n, sizeof(*width));
	char text[CELL_BYTES];

	if (!width)
		return -ENOMEM;
	for (size_t c = 0; c < t->n; c++)
		width[c] = width_of(t, c);
	for (size_t c = 0; c < t->n; c++)
		print_text_cell(t, c, width[c], t->columns[c].title);
	out_text("\n");
	for (size_t i = 0; i < t->rows_n * t->n; i++) {
		size_t c = i % t->n;

		print_text_cell(t, c, width[c], cell(t->columns[c].type, t->rows[i], true, text));
		if (c + 1 == t->n)
			out_text("\n");
	}
	free(width);
	return 0;
}

static void print_csv_string(const char *s)
{
	if (!s[strcspn(s, ",\"\r\n")]) {
		out_text("%s", s);
		return;
	}
	out_text("\"");
	for (; *s; s++)
		out_text(*s == '"' ? "\"\"" : "%c", *s);
	out_text("\"");
}

static int print_csv(const struct out_table *t)
{
	char text[CELL_BYTES];

	for (size_t c = 0; c < t->n; c++)
		out_text("%s%s", t->columns[c].key, c + 1 < t->n ? "," : "\n");
	for (size_t i = 0; i < t->rows_n * t->n; i++) {
		size_t c = i % t->n;

		print_csv_string(cell(t->columns[c].type, t->rows[i], false, text));
		out_text("%s", c + 1 < t->n ? "," : "\n");
	}
	return 0;
}

/* A bar in a cell would end it. */
static void print_markdown_cell(const char *s)
{
	out_text(" ");
	for (; *s; s++)
		out_text(*s == '|' ? "\\|" : "%c", *s);
	out_text(" |");
}

static int print_markdown(const struct out_table *t)
{
	char text[CELL_BYTES];

	out_text("|");
	for (size_t c = 0; c < t->n; c++)
		print_markdown_cell(t->columns[c].title);
	out_text("\n|");
	for (size_t c = 0; c < t->n; c++)
		out_text(t->columns[c].type == OUT_STRING ? "---|" : "---:|");
	for (size_t i = 0; i < t->rows_n * t->n; i++) {
		if (i % t->n == 0)
			out_text("\n|");
		print_markdown_cell(cell(t->columns[i % t->n].type, t->rows[i], true, text));
	}
	out_text("\n");
	return 0;
}

int out_table_print(const struct out_table *t, enum out_format format)
{
	switch (format) {
	case OUT_CSV:
		return print_csv(t);
	case OUT_MARKDOWN:
		return print_markdown(t);
	default:
		return print_text(t);
	}
}

static json_t *json_of(enum out_type type, union out_value v)
{
	json_t *s;

	switch (type) {
	case OUT_STRING:
		s = json_string(v.s ? v.s : "");
		return s ? s : json_string("(not UTF-8)");
	case OUT_INT:
		return json_integer(v.i);
	case OUT_PERCENT:
		return json_real(v.f);
	default:
		return json_integer((json_int_t)v.u);
	}
}

struct json_t *out_table_json(const struct out_table *t)
{
	json_t *array = json_array();

	for (size_t r = 0; array && r < t->rows_n; r++) {
		json_t *row = json_object();

		for (size_t c = 0; c < t->n; c++)
			json_object_set_new(row, t->columns[c].key,
					    json_of(t->columns[c].type, t->rows[r * t->n + c]));
		if (json_array_append_new(array, row)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}
