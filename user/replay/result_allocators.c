/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * result_allocators.c - who allocates what where: command, cache (or order of pages), call
 * site. The largest by each measure are kept; the others are summed up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/result.h"
#include "replay/result_evidence.h"
#include "trace/trace_io.h"

enum { PAGE_BYTES = 4096, KEPT = 150, MEASURES = 4, WHAT_BYTES = 64 };

struct allocator {
	bool page;
	const char *comm, *site; /* of pages: the migrate type */
	char what[WHAT_BYTES];
	uint64_t allocs, bytes_req, bytes_alloc, freed_bytes, live_bytes;
	bool kept;
};

static bool is_page(const struct kmt_class *c)
{
	return c->kind == KMT_PAGE_ALLOC || c->kind == KMT_STACK_PAGE || c->kind == KMT_BULK_PAGE;
}

static void name_page(const struct replay *p, struct allocator *a, const struct kmt_class *c)
{
	a->page = true;
	a->site = c->kind == KMT_PAGE_ALLOC ? result_type_name(p, c->migratetype) : "";
	if (c->kind == KMT_STACK_PAGE)
		snprintf(a->what, WHAT_BYTES, "kernel stacks");
	else if (c->kind == KMT_BULK_PAGE)
		snprintf(a->what, WHAT_BYTES, "pages in bulk");
	else
		snprintf(a->what, WHAT_BYTES, "pages of order %u", c->order);
}

static void name_object(const struct replay *p, struct allocator *a, const struct kmt_class *c)
{
	const char *cache = trace_reader_string(p->reader, c->cache);

	a->site = trace_reader_string(p->reader, c->call_site);
	snprintf(a->what, WHAT_BYTES, "%s", *cache ? cache : "large kmalloc");
}

/* false: the source allocates nothing */
static bool allocator_of(const struct replay *p, const struct stat_source *s, struct allocator *a)
{
	const struct kmt_class *c = s->class_id < p->nr_classes ? p->classes[s->class_id] : NULL;
	uint64_t each;

	memset(a, 0, sizeof(*a));
	if (!c || (!is_page(c) && c->kind != KMT_KMALLOC && c->kind != KMT_CACHE_ALLOC &&
		   c->kind != KMT_CACHE_BULK_ALLOC))
		return false;
	a->comm = trace_reader_string(p->reader, s->comm);
	a->allocs = s->events - s->twice - s->failed;
	if (is_page(c)) {
		name_page(p, a, c);
		each = (uint64_t)PAGE_BYTES << c->order;
		a->bytes_req = a->bytes_alloc = a->allocs * each;
		a->freed_bytes = s->freed * PAGE_BYTES;
		a->live_bytes = s->live * PAGE_BYTES;
		return a->allocs;
	}
	name_object(p, a, c);
	a->bytes_req = a->allocs * c->bytes_req;
	a->bytes_alloc = a->allocs * c->bytes_alloc;
	a->freed_bytes = s->freed * c->bytes_alloc;
	a->live_bytes = s->live * c->bytes_alloc;
	return a->allocs;
}

static int by_name(const void *x, const void *y)
{
	const struct allocator *a = x, *b = y;
	int c = (int)a->page - (int)b->page;

	if (!c)
		c = strcmp(a->comm, b->comm);
	if (!c)
		c = strcmp(a->what, b->what);
	return c ? c : strcmp(a->site, b->site);
}

static void merge(struct allocator *to, const struct allocator *from)
{
	to->allocs += from->allocs;
	to->bytes_req += from->bytes_req;
	to->bytes_alloc += from->bytes_alloc;
	to->freed_bytes += from->freed_bytes;
	to->live_bytes += from->live_bytes;
}

static size_t join(struct allocator *a, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(a, n, sizeof(*a), by_name);
	for (size_t i = 0; i < n; i++) {
		if (kept && !by_name(&a[kept - 1], &a[i]))
			merge(&a[kept - 1], &a[i]);
		else
			a[kept++] = a[i];
	}
	return kept;
}

static uint64_t measure(const struct allocator *a, int which)
{
	const uint64_t of[MEASURES] = {a->live_bytes, a->allocs, a->bytes_alloc - a->bytes_req,
				       a->freed_bytes};

	return of[which];
}

static int by_measure(const void *x, const void *y, void *which)
{
	const struct allocator *a = *(struct allocator *const *)x;
	const struct allocator *b = *(struct allocator *const *)y;
	uint64_t va = measure(a, *(int *)which), vb = measure(b, *(int *)which);

	return va != vb ? (va < vb ? 1 : -1) : by_name(a, b);
}

/* Mark the largest of each measure, of objects and of pages; @order ends by live bytes. */
static void choose(struct allocator **order, size_t n)
{
	for (int which = MEASURES - 1; which >= 0; which--) {
		size_t kept[2] = {0};

		qsort_r(order, n, sizeof(*order), by_measure, &which);
		for (size_t i = 0; i < n; i++)
			if (measure(order[i], which) && kept[order[i]->page]++ < KEPT)
				order[i]->kept = true;
	}
}

static json_t *numbers(const struct allocator *a)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "allocs", (json_int_t)a->allocs, "bytes_req",
			 (json_int_t)a->bytes_req, "bytes_alloc", (json_int_t)a->bytes_alloc,
			 "freed_bytes", (json_int_t)a->freed_bytes, "live_bytes",
			 (json_int_t)a->live_bytes);
}

static json_t *list(struct allocator **order, size_t n)
{
	struct allocator others[2] = {{0}, {.page = true}};
	json_t *rows = json_array(), *left = json_array();
	json_int_t left_out = 0;

	for (size_t i = 0; i < n; i++) {
		const struct allocator *a = order[i];
		json_t *o;

		if (!a->kept) {
			merge(&others[a->page], a);
			left_out++;
			continue;
		}
		o = numbers(a);
		json_object_set_new(o, "of", json_string(a->page ? "pages" : "objects"));
		json_object_set_new(o, "what", json_string(a->what));
		if (*a->comm)
			json_object_set_new(o, "comm", json_string(a->comm));
		if (*a->site)
			json_object_set_new(o, a->page ? "type" : "call_site",
					    json_string(a->site));
		json_array_append_new(rows, o);
	}
	for (int k = 0; k < 2; k++) {
		json_t *o = numbers(&others[k]);

		json_object_set_new(o, "of", json_string(k ? "pages" : "objects"));
		json_array_append_new(left, o);
	}
	return json_pack("{s:o, s:o, s:I}", "rows", rows, "others", left, "left_out", left_out);
}

json_t *result_allocators(const struct replay *p, const struct evidence *v)
{
	uint32_t n_sources;
	const struct stat_source *s = stat_count_sources(v->allocators, &n_sources);
	struct allocator *all = calloc((size_t)n_sources + 1, sizeof(*all)), **order = NULL;
	json_t *out = NULL;
	size_t n = 0;

	for (uint32_t i = 0; all && i < n_sources; i++)
		n += allocator_of(p, &s[i], &all[n]);
	if (all) {
		n = join(all, n);
		order = calloc(n + 1, sizeof(struct allocator *));
	}
	for (size_t i = 0; order && i < n; i++)
		order[i] = &all[i];
	if (order && n) {
		choose(order, n);
		out = list(order, n);
	}
	free(order);
	free(all);
	return out;
}
