/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* objects.c - follow slab objects from allocation to free. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/trace.h>

#include "metrics/live.h"
#include "metrics/objects.h"
#include "trace/trace_io.h"

/* What the hot path needs of a class. */
struct brief {
	uint32_t cache, site; /* indices below; 0 is "none" */
	uint32_t bytes_req, bytes_alloc;
};

struct tally {
	struct object_counts *items; /* [0] collects what has no name */
	uint32_t n;
	uint32_t *of_string; /* index by string number */
};

struct objects {
	struct live live;
	struct brief *briefs;
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	struct tally caches, sites;
	int64_t *series; /* caches x samples */
	unsigned int samples;
	struct objects_unmatched unmatched;
};

static int tally_init(struct tally *t, uint32_t strings, uint32_t most)
{
	t->items = calloc((size_t)most + 1, sizeof(*t->items));
	t->of_string = calloc((size_t)strings + 1, sizeof(*t->of_string));
	t->n = 1;
	return t->items && t->of_string ? 0 : -ENOMEM;
}

static void tally_destroy(struct tally *t)
{
	free(t->items);
	free(t->of_string);
}

static uint32_t tally_index(struct tally *t, uint32_t string)
{
	if (!string)
		return 0;
	if (!t->of_string[string]) {
		t->items[t->n].string = string;
		t->of_string[string] = t->n++;
	}
	return t->of_string[string];
}

static uint32_t largest_string(const struct kmt_class *const *classes, uint32_t n)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!classes[i])
			continue;
		if (classes[i]->cache > most)
			most = classes[i]->cache;
		if (classes[i]->call_site > most)
			most = classes[i]->call_site;
	}
	return most;
}

static int index_classes(struct objects *o)
{
	uint32_t strings = largest_string(o->classes, o->nr_classes);

	o->briefs = calloc((size_t)o->nr_classes + 1, sizeof(*o->briefs));
	if (!o->briefs || tally_init(&o->caches, strings, o->nr_classes) ||
	    tally_init(&o->sites, strings, o->nr_classes))
		return -ENOMEM;
	for (uint32_t i = 0; i < o->nr_classes; i++) {
		const struct kmt_class *c = o->classes[i];
		struct brief *b = &o->briefs[i];

		if (!c || (!objects_allocates(c->kind) && !objects_frees(c->kind)))
			continue;
		b->cache = tally_index(&o->caches, c->cache);
		if (objects_allocates(c->kind))
			b->site = tally_index(&o->sites, c->call_site);
		b->bytes_req = c->bytes_req;
		b->bytes_alloc = c->bytes_alloc;
	}
	return 0;
}

static int make_series(struct objects *o)
{
	o->series = calloc((size_t)o->caches.n * o->samples + 1, sizeof(*o->series));
	if (!o->series)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->caches.n; i++)
		o->caches.items[i].live = o->series + (size_t)i * o->samples;
	return 0;
}

struct objects *objects_new(const struct kmt_class *const *classes, uint32_t n,
			    unsigned int samples)
{
	struct objects *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->classes = classes;
	o->nr_classes = n;
	o->samples = samples;
	if (live_init(&o->live) || index_classes(o) || make_series(o)) {
		objects_free(o);
		return NULL;
	}
	return o;
}

void objects_free(struct objects *o)
{
	if (!o)
		return;
	live_destroy(&o->live);
	tally_destroy(&o->caches);
	tally_destroy(&o->sites);
	free(o->briefs);
	free(o->series);
	free(o);
}

static void count_free(struct object_counts *c, const struct brief *b)
{
	c->frees++;
	c->freed_bytes += b->bytes_alloc;
}

static void release(struct objects *o, uint32_t class_id)
{
	const struct brief *b = &o->briefs[class_id];

	count_free(&o->caches.items[b->cache], b);
	count_free(&o->sites.items[b->site], b);
}

static void count_alloc(struct object_counts *c, const struct brief *b)
{
	c->allocs++;
	c->bytes_req += b->bytes_req;
	c->bytes_alloc += b->bytes_alloc;
}

static void take_back(struct object_counts *c, const struct brief *b)
{
	c->allocs--;
	c->bytes_req -= b->bytes_req;
	c->bytes_alloc -= b->bytes_alloc;
}

bool objects_traced_twice(const struct kmt_class *earlier, const struct kmt_class *later)
{
	return earlier && later && earlier->kind == KMT_KMALLOC && later->kind == KMT_KMALLOC &&
	       !earlier->cache && !later->cache && earlier->bytes_alloc == later->bytes_alloc;
}

/* @class_id's object is still live where another is allocated. */
static void replace(struct objects *o, uint32_t class_id, uint32_t by)
{
	const struct brief *b = &o->briefs[class_id];

	if (!objects_traced_twice(o->classes[class_id], o->classes[by])) {
		o->unmatched.alloc_live++;
		release(o, class_id);
		return;
	}
	o->unmatched.traced_twice++;
	take_back(&o->caches.items[b->cache], b);
	take_back(&o->sites.items[b->site], b);
}

static int alloc_object(struct objects *o, const struct trace_event *e)
{
	const struct brief *b = &o->briefs[e->class_id];
	uint32_t old;
	int err;

	if (e->address == KMT_NO_PAGE) {
		o->unmatched.failed++;
		return 0;
	}
	err = live_put(&o->live, e->address & INT64_MAX, e->class_id, &old);
	if (err)
		return err;
	if (old != LIVE_NONE)
		replace(o, old, e->class_id);
	count_alloc(&o->caches.items[b->cache], b);
	count_alloc(&o->sites.items[b->site], b);
	return 0;
}

static void free_object(struct objects *o, const struct trace_event *e)
{
	uint32_t class_id;

	if (e->address == KMT_NO_PAGE) /* kfree(NULL) frees nothing */
		return;
	class_id = live_take(&o->live, e->address & INT64_MAX);
	if (class_id != LIVE_NONE) {
		release(o, class_id);
		return;
	}
	o->unmatched.free_unknown++;
	/* kfree() tells no cache, kmem_cache_free() does. */
	if (o->briefs[e->class_id].cache)
		o->caches.items[o->briefs[e->class_id].cache].frees++;
}

int objects_feed(struct objects *o, const struct trace_event *e, long n)
{
	for (; n > 0; n--, e++) {
		if (!objects_allocates(e->kind) && !objects_frees(e->kind))
			continue;
		if (e->class_id >= o->nr_classes || !o->classes[e->class_id]) {
			o->unmatched.class_unknown++;
			continue;
		}
		if (objects_allocates(e->kind)) {
			int err = alloc_object(o, e);

			if (err)
				return err;
		} else {
			free_object(o, e);
		}
	}
	return 0;
}

void objects_sample(struct objects *o, unsigned int i)
{
	if (i >= o->samples)
		return;
	for (uint32_t c = 0; c < o->caches.n; c++) {
		struct object_counts *k = &o->caches.items[c];

		k->live[i] = (int64_t)k->allocs - (int64_t)k->frees;
	}
}

static int by_bytes(const void *x, const void *y)
{
	const struct object_counts *a = x, *b = y;

	if (a->bytes_alloc != b->bytes_alloc)
		return a->bytes_alloc < b->bytes_alloc ? 1 : -1;
	return (a->string > b->string) - (a->string < b->string);
}

static int by_live_bytes(const void *x, const void *y)
{
	const struct object_counts *a = x, *b = y;
	uint64_t la = a->bytes_alloc - a->freed_bytes, lb = b->bytes_alloc - b->freed_bytes;

	return la != lb ? (la < lb ? 1 : -1) : by_bytes(x, y);
}

/* Sorting breaks the indices: the last thing done. [0] has no name. */
static const struct object_counts *sorted(struct tally *t, uint32_t *n,
					  int (*compare)(const void *, const void *))
{
	*n = t->n - 1;
	qsort(t->items + 1, *n, sizeof(*t->items), compare);
	return t->items + 1;
}

const struct object_counts *objects_caches(struct objects *o, uint32_t *n)
{
	return sorted(&o->caches, n, by_bytes);
}

const struct object_counts *objects_sites(struct objects *o, uint32_t *n)
{
	return sorted(&o->sites, n, by_live_bytes);
}

void objects_get_unmatched(const struct objects *o, struct objects_unmatched *out)
{
	*out = o->unmatched;
}
