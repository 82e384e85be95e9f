/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_holders.c - see stat_holders.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/stat_holders.h"
#include "common/log.h"
#include "metrics/holders.h"

enum { BATCH = 1 << 12, NAME_BYTES = 160 };

static int read_events(const struct view *v, struct holders *h)
{
	static struct trace_event e[BATCH];
	int err = 0;
	long n;

	while (!err && (n = trace_reader_next(v->reader, e, BATCH)) != 0)
		err = n < 0 ? (int)n : holders_feed(h, e, n);
	holders_finish(h);
	if (holders_untracked(h))
		log_warn("%s: %" PRIu64 " allocations are not followed, for want of memory",
			 v->name, holders_untracked(h));
	return err;
}

/* Read the trace. Return: NULL with @err */
static struct holders *follow(const struct view *v, const struct kmt_class **classes, int *err)
{
	uint32_t n = trace_reader_classes(v->reader);
	struct holders *h;
	uint64_t times[2];

	for (uint32_t i = 0; classes && i < n; i++)
		classes[i] = trace_reader_class(v->reader, i);
	trace_reader_times(v->reader, &times[0], &times[1]);
	h = classes ? holders_new(classes, n, times, trace_reader_cpus(v->reader)) : NULL;
	*err = h ? read_events(v, h) : -ENOMEM;
	if (!*err)
		return h;
	holders_free(h);
	return NULL;
}

static const struct kmt_class **new_classes(const struct view *v)
{
	return calloc((size_t)trace_reader_classes(v->reader) + 1,
		      sizeof(const struct kmt_class *));
}

/* ---- Leaks ---------------------------------------------------------------- */

static int by_suspicion(const void *a, const void *b)
{
	const struct holder *x = *(const struct holder *const *)a;
	const struct holder *y = *(const struct holder *const *)b;

	if (holder_growth(x) != holder_growth(y))
		return holder_growth(x) > holder_growth(y) ? -1 : 1;
	if (x->early_bytes != y->early_bytes)
		return x->early_bytes > y->early_bytes ? -1 : 1;
	if (x->live_bytes != y->live_bytes)
		return x->live_bytes > y->live_bytes ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static int put_holder(struct out_table *t, const struct view *v, const struct holder *h,
		      double seconds)
{
	const char *name = trace_reader_string(v->reader, h->name);
	double growth = (double)holder_growth(h) * HOLDERS_QUARTERS;
	char text[NAME_BYTES];

	name = *name ? name : "(unknown)";
	if (h->pages)
		snprintf(text, sizeof(text), "pages of order %u, by %s", h->order, name);
	else
		snprintf(text, sizeof(text), "%s", name);
	const union out_value values[] = {
		{.s = text},	       {.u = h->live},
		{.u = h->live_bytes},  {.u = (uint64_t)(seconds > 0 ? growth / seconds : 0)},
		{.u = holder_grew(h)}, {.f = out_percent(h->early_live, h->early)},
		{.u = h->unseen},      {.u = h->median_ns},
		{.u = h->oldest_ns},
	};

	return out_table_row(t, values);
}

static int put_holders(struct out_table *t, const struct view *v, const struct holders *h)
{
	uint64_t first, last;
	size_t n, live = 0;
	const struct holder *all = holders_list(h, &n);
	const struct holder **list = calloc(n + 1, sizeof(const struct holder *));
	int err = list ? 0 : -ENOMEM;

	trace_reader_times(v->reader, &first, &last);
	for (size_t i = 0; !err && i < n; i++)
		if (all[i].live)
			list[live++] = &all[i];
	if (live)
		qsort(list, live, sizeof(const struct holder *), by_suspicion);
	for (size_t i = 0; !err && i < live; i++)
		err = put_holder(t, v, list[i], (double)(last - first) / 1e9);
	free(list);
	return err;
}

/* ---- CPUs ----------------------------------------------------------------- */

static int put_cpus(struct out_table *t, const struct view *v, const struct holders *h)
{
	size_t n;
	const struct holders_cpu *c = holders_cpus(h, &n);
	int err = 0;

	(void)v;
	for (size_t i = 0; !err && i < n; i++) {
		const union out_value values[] = {
			{.u = i},
			{.u = c[i].allocs[0]},
			{.u = c[i].freed[0]},
			{.f = out_percent(c[i].elsewhere[0], c[i].freed[0])},
			{.u = c[i].frees[0]},
			{.u = c[i].allocs[1]},
			{.u = c[i].freed[1]},
			{.f = out_percent(c[i].elsewhere[1], c[i].freed[1])},
			{.u = c[i].frees[1]},
		};

		err = out_table_row(t, values);
	}
	return err;
}

/* ---- Tables --------------------------------------------------------------- */

static struct out_table *
build(const struct stat_table *shape, const struct view *v,
      int (*put)(struct out_table *, const struct view *, const struct holders *), int *err)
{
	const struct kmt_class **classes = new_classes(v);
	struct holders *h = follow(v, classes, err);
	struct out_table *t = h ? out_table_new(shape->name, shape->column, shape->columns) : NULL;

	if (h)
		*err = t ? put(t, v, h) : -ENOMEM;
	holders_free(h);
	free(classes);
	if (!*err)
		return t;
	out_table_free(t);
	return NULL;
}

struct out_table *stat_leak_table(const struct stat_table *t, const struct view *v, int *err)
{
	return build(t, v, put_holders, err);
}

struct out_table *stat_cpu_table(const struct stat_table *t, const struct view *v, int *err)
{
	return build(t, v, put_cpus, err);
}
