/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_fit.c - see stat_fit.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/stat_fit.h"

enum { PAGE_BYTES = 4096, CACHE_MAX = 8192, SLAB_ORDER_MAX = 3, ALIGN_BYTES = 8, WASTE_SHARE = 16 };

/* A request of a class: sorted by both. */
struct request {
	uint32_t class_bytes;
	struct fit_request r;
};

double fit_room(uint32_t bytes)
{
	uint32_t slab = PAGE_BYTES, objects;

	if (!bytes || bytes > CACHE_MAX)
		return bytes;
	while (slab < PAGE_BYTES << SLAB_ORDER_MAX &&
	       (slab < bytes || slab % bytes > slab / WASTE_SHARE))
		slab *= 2;
	objects = slab / bytes;
	return (double)slab / objects;
}

/* The class that requests of @bytes would have. */
static uint32_t round_up(uint32_t bytes)
{
	uint32_t to = bytes > CACHE_MAX ? PAGE_BYTES : ALIGN_BYTES;

	return (bytes + to - 1) / to * to;
}

struct fit fit_best(uint32_t class_bytes, const struct fit_request *r, size_t n)
{
	struct fit best = {0};
	uint64_t allocs = 0, live = 0;
	double most = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t bytes = round_up(r[i].bytes ? r[i].bytes : 1);
		double each = fit_room(class_bytes) - fit_room(bytes);

		allocs += r[i].allocs;
		live += r[i].live;
		if (bytes >= class_bytes || each * (double)allocs <= most)
			continue;
		most = each * (double)allocs;
		best = (struct fit){bytes, allocs, (uint64_t)most, (uint64_t)(each * (double)live)};
	}
	return best;
}

static int compare(const void *a, const void *b)
{
	const struct request *x = a, *y = b;

	if (x->class_bytes != y->class_bytes)
		return x->class_bytes < y->class_bytes ? -1 : 1;
	return x->r.bytes < y->r.bytes ? -1 : x->r.bytes > y->r.bytes;
}

/* Sorted, one a size. Return: how many */
static size_t collect(const struct view *v, const struct stat_count *counts, struct request *q)
{
	uint32_t sources;
	const struct stat_source *s = stat_count_sources(counts, &sources);
	size_t n = 0, to = 0;

	for (uint32_t i = 0; i < sources; i++) {
		const struct kmt_class *c = trace_reader_class(v->reader, s[i].class_id);

		if (!c || c->kind != KMT_KMALLOC || s[i].events == s[i].twice + s[i].failed)
			continue;
		q[n++] = (struct request){
			c->bytes_alloc,
			{c->bytes_req, s[i].events - s[i].twice - s[i].failed, s[i].live}};
	}
	qsort(q, n, sizeof(*q), compare);
	for (size_t i = 0; i < n; i++) {
		if (!to || compare(&q[to - 1], &q[i]) != 0) {
			q[to++] = q[i];
			continue;
		}
		q[to - 1].r.allocs += q[i].r.allocs;
		q[to - 1].r.live += q[i].r.live;
	}
	return to;
}

/* A row of the class whose requests are @q to @q + @n; @r has room for them. */
static int put_row(struct out_table *t, const struct request *q, size_t n, struct fit_request *r)
{
	uint64_t allocs = 0, waste = 0;
	struct fit f;

	for (size_t i = 0; i < n; i++) {
		r[i] = q[i].r;
		allocs += r[i].allocs;
		if (q->class_bytes > r[i].bytes)
			waste += (q->class_bytes - r[i].bytes) * r[i].allocs;
	}
	f = fit_best(q->class_bytes, r, n);
	const union out_value values[] = {
		{.u = q->class_bytes},
		{.u = allocs},
		{.u = waste},
		{.f = q->class_bytes ? 100.0 * (double)waste / ((double)allocs * q->class_bytes)
				     : 0},
		{.u = f.bytes},
		{.u = f.allocs},
		{.u = f.saved},
		{.u = f.saved_live},
	};

	return out_table_row(t, values);
}

struct out_table *stat_fit_table(const struct stat_table *t, const struct view *v,
				 const struct stat_count *counts)
{
	uint32_t sources;
	struct out_table *out = out_table_new(t->name, t->column, t->columns);
	struct request *q;
	struct fit_request *r;
	size_t n = 0;
	int err = 0;

	stat_count_sources(counts, &sources);
	q = calloc((size_t)sources + 1, sizeof(*q));
	r = calloc((size_t)sources + 1, sizeof(*r));
	if (!out || !q || !r)
		err = -ENOMEM;
	else
		n = collect(v, counts, q);
	for (size_t i = 0, end; i < n && !err; i = end) {
		for (end = i; end < n && q[end].class_bytes == q[i].class_bytes;)
			end++;
		err = put_row(out, &q[i], end - i, r);
	}
	free(q);
	free(r);
	if (!err)
		return out;
	out_table_free(out);
	return NULL;
}
