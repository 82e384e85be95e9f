/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stat_lifetime.c - quantiles of ended lives, and what is left: how much, and since when.
 * What is live at the end and old is where to look for leaks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/stat_lifetime.h"
#include "metrics/lifetimes.h"

enum { BATCH = 1 << 12, PAGE_BYTES = 4096 };

enum { COLUMNS = 9 };

struct row {
	char name[160];
	uint64_t live_bytes;
	struct lifetime life;
};

struct table {
	const struct view *v;
	const struct kmt_class **classes;
	uint32_t n;
	struct lifetimes *lives;
	struct row *rows;
	size_t nr_rows;
};

static int read_events(struct table *t)
{
	static struct trace_event e[BATCH];
	int err = 0;
	long n;

	while (!err && (n = trace_reader_next(t->v->reader, e, BATCH)) != 0)
		err = n < 0 ? (int)n : lifetimes_feed(t->lives, e, n);
	lifetimes_finish(t->lives);
	return err;
}

static void name_row(const struct table *t, const struct kmt_class *c, char *name, size_t size)
{
	const char *site = trace_reader_string(t->v->reader, c->call_site);

	if (c->kind == KMT_PAGE_ALLOC)
		snprintf(name, size, "pages of order %u, %s", c->order,
			 view_type(t->v, c->migratetype));
	else if (c->kind == KMT_BULK_PAGE)
		snprintf(name, size, "pages in bulk");
	else
		snprintf(name, size, "%s", *site ? site : "(unknown)");
}

static struct row *row_named(struct table *t, const char *name)
{
	for (size_t i = 0; i < t->nr_rows; i++)
		if (!strcmp(t->rows[i].name, name))
			return &t->rows[i];
	snprintf(t->rows[t->nr_rows].name, sizeof(t->rows->name), "%s", name);
	return &t->rows[t->nr_rows++];
}

static int sum_up(struct table *t)
{
	t->rows = calloc((size_t)t->n + 1, sizeof(*t->rows));
	if (!t->rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct lifetime *life = lifetimes_of(t->lives, i);
		struct row *row;
		char name[160];

		if (!t->classes[i] || (!life->freed && !life->live))
			continue;
		name_row(t, t->classes[i], name, sizeof(name));
		row = row_named(t, name);
		lifetime_add(&row->life, life);
		row->live_bytes +=
			life->live * (t->classes[i]->kind == KMT_PAGE_ALLOC ||
						      t->classes[i]->kind == KMT_BULK_PAGE
					      ? (uint32_t)PAGE_BYTES << t->classes[i]->order
					      : t->classes[i]->bytes_alloc);
	}
	return 0;
}

static int by_held(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->live_bytes != b->live_bytes)
		return a->live_bytes > b->live_bytes ? -1 : 1;
	return strcmp(a->name, b->name);
}

static uint64_t ended_within(const struct lifetime *l, double share)
{
	return l->freed ? lifetime_quantile(l, share) : OUT_UNKNOWN;
}

static int put_row(struct out_table *out, const struct row *r, uint64_t end_ns)
{
	const struct lifetime *l = &r->life;
	const union out_value values[COLUMNS] = {
		{.s = r->name},
		{.u = l->freed},
		{.f = out_percent(l->across, l->freed)},
		{.u = ended_within(l, 0.5)},
		{.u = ended_within(l, 0.9)},
		{.u = ended_within(l, 0.99)},
		{.u = l->live},
		{.u = r->live_bytes},
		{.u = l->live && l->oldest_ns ? end_ns - l->oldest_ns : OUT_UNKNOWN},
	};

	return out_table_row(out, values);
}

static struct out_table *print(struct table *t, const struct stat_table *shape)
{
	struct out_table *out = out_table_new(shape->name, shape->column, COLUMNS);
	uint64_t first, last;
	int err = out ? 0 : -ENOMEM;

	trace_reader_times(t->v->reader, &first, &last);
	if (t->nr_rows)
		qsort(t->rows, t->nr_rows, sizeof(*t->rows), by_held);
	for (size_t i = 0; i < t->nr_rows && !err; i++)
		err = put_row(out, &t->rows[i], last);
	if (!err)
		return out;
	out_table_free(out);
	return NULL;
}

struct out_table *stat_lifetime_table(const struct stat_table *shape, const struct view *v,
				      int *err)
{
	struct table t = {.v = v, .n = trace_reader_classes(v->reader)};
	struct out_table *out = NULL;

	t.classes = calloc((size_t)t.n + 1, sizeof(*t.classes));
	for (uint32_t i = 0; t.classes && i < t.n; i++)
		t.classes[i] = trace_reader_class(v->reader, i);
	t.lives = t.classes ? lifetimes_new(t.classes, t.n) : NULL;
	*err = t.lives ? read_events(&t) : -ENOMEM;
	if (!*err)
		*err = sum_up(&t);
	if (!*err && !(out = print(&t, shape)))
		*err = -ENOMEM;
	lifetimes_free(t.lives);
	free(t.rows);
	free(t.classes);
	return out;
}
