/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.c - rows of typed values, sorted, cut, made into JSON; table_print.c prints them. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"

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

double out_percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : NAN;
}

bool out_value_known(enum out_type type, union out_value v)
{
	if (type == OUT_PERCENT)
		return !isnan(v.f);
	return type == OUT_STRING || type == OUT_INT || v.u != OUT_UNKNOWN;
}

struct sorting {
	const struct out_table *t;
	size_t column;
};

/* What is not known comes last. */
static double number(enum out_type type, union out_value v)
{
	if (!out_value_known(type, v))
		return -HUGE_VAL;
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

		for (size_t c = 0; c < t->n; c++) {
			union out_value v = t->rows[r * t->n + c];

			if (out_value_known(t->columns[c].type, v))
				json_object_set_new(row, t->columns[c].key,
						    json_of(t->columns[c].type, v));
		}
		if (json_array_append_new(array, row)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}
