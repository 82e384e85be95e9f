// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* view.c - which rows are shown, and in what order. */
#include <stdlib.h>
#include <string.h>

#include "top/top.h"

static const char *const groups[TOP_GROUPS] = {
	[TOP_CACHE] = "cache", [TOP_SITE] = "site",   [TOP_COMMAND] = "command",
	[TOP_PAGES] = "pages", [TOP_ORDER] = "order",
};

static const char *const columns[TOP_COLUMNS] = {
	[TOP_BY_RATE] = "rate", [TOP_BY_ALLOCS] = "allocs", [TOP_BY_WASTE] = "waste",
	[TOP_BY_LIVE] = "live", [TOP_BY_GROWTH] = "growth", [TOP_BY_SLABS] = "slabs",
	[TOP_BY_NAME] = "name",
};

const char *top_group_name(enum top_group group)
{
	return groups[group];
}

enum top_group top_group_find(const char *name)
{
	unsigned int g = 0;

	while (g < TOP_GROUPS && strcmp(name, groups[g]) != 0)
		g++;
	return (enum top_group)g;
}

const char *top_column_name(enum top_column column)
{
	return columns[column];
}

enum top_column top_column_find(const char *name)
{
	unsigned int c = 0;

	while (c < TOP_COLUMNS && strcmp(name, columns[c]) != 0)
		c++;
	return (enum top_column)c;
}

bool top_has_column(enum top_group group, enum top_column column)
{
	if (column == TOP_BY_SLABS)
		return group == TOP_CACHE;
	return column != TOP_BY_WASTE || (group != TOP_PAGES && group != TOP_ORDER);
}

void top_figures(const struct top_reading *r, const struct top_row *row, struct top_figures *out)
{
	double seconds = top_seconds(r);
	double given = (double)(row->now.given - row->before.given);
	double req = (double)(row->now.req - row->before.req);
	uint64_t live = top_row_live_bytes(&row->now), was = top_row_live_bytes(&row->before);

	out->allocs = (double)(row->now.allocs - row->before.allocs) / seconds;
	out->rate = given / seconds;
	out->waste = (given - req) / seconds;
	out->waste_percent = given > 0 ? 100 * (given - req) / given : 0;
	out->live = live * r->one_in;
	out->lives = top_row_lives(&row->now);
	out->growth = ((double)live - (double)was) * r->one_in / seconds;
}

struct order {
	const struct top_reading *reading;
	const struct top_view *view;
};

static double figure(const struct top_reading *r, const struct top_row *row, enum top_column c)
{
	struct top_figures f;

	top_figures(r, row, &f);
	switch (c) {
	case TOP_BY_ALLOCS:
		return f.allocs;
	case TOP_BY_WASTE:
		return f.waste;
	case TOP_BY_LIVE:
		return (double)f.live;
	case TOP_BY_GROWTH:
		return f.growth;
	case TOP_BY_SLABS:
		return (double)row->slab_bytes;
	default:
		return f.rate;
	}
}

/* "9" before "10" */
static int by_name(const struct top_row *a, const struct top_row *b)
{
	return strverscmp(a->name, b->name);
}

/* Largest first, names rising; equal ones by name, so that rows do not jump. */
static int compare(const void *a, const void *b, void *context)
{
	const struct top_row *x = *(const struct top_row *const *)a;
	const struct top_row *y = *(const struct top_row *const *)b;
	const struct order *o = context;
	int sign = o->view->reverse ? -1 : 1;
	double left, right;

	if (o->view->sort == TOP_BY_NAME)
		return sign * by_name(x, y);
	left = figure(o->reading, x, o->view->sort);
	right = figure(o->reading, y, o->view->sort);
	if (left != right)
		return left > right ? -sign : sign;
	return by_name(x, y);
}

const struct top_row **top_view_rows(const struct top_reading *r, const struct top_view *v,
				     size_t *n)
{
	struct order order = {r, v};
	size_t all;
	const struct top_row *row = top_rows_of(r->rows, v->group, &all);
	const struct top_row **out = malloc((all + 1) * sizeof(struct top_row *));

	*n = 0;
	for (size_t i = 0; out && i < all; i++)
		if (strcasestr(row[i].name, v->filter))
			out[(*n)++] = &row[i];
	if (out)
		qsort_r(out, *n, sizeof(struct top_row *), compare, &order);
	return out;
}
