/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slabs_firsts.c - what was live, what was free at the start.
 *
 * Per frame: is it allocated after the start (then what lies there says nothing
 * of it), and whose objects has it held?
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/live.h"
#include "metrics/objects.h"
#include "replay/slabs.h"
#include "replay/slabs_firsts.h"
#include "trace/trace_io.h"

enum { BATCH = 1 << 14, ORDERS = 4 };

struct look {
	struct slabs_firsts *f;
	const struct slabs *s;
	struct live seen;
	uint8_t *fresh;	    /* by frame: allocated after the start */
	uint16_t *cache_of; /* by frame: index + 1 */
	uint64_t nr_pfns;
};

static int add(struct slabs_firsts *f, const struct slabs_first *one)
{
	if (f->n == f->room) {
		size_t room = f->room ? f->room * 2 : 1024;
		void *more = realloc(f->items, room * sizeof(*f->items));

		if (!more)
			return -ENOMEM;
		f->items = more;
		f->room = room;
	}
	f->items[f->n++] = *one;
	return 0;
}

/* By a page of it: index + 1 of the cache whose slab reaches there; 0: unknown */
static uint32_t cache_at(const struct look *l, uint64_t address)
{
	for (unsigned int o = 0; o < ORDERS; o++) {
		uint64_t head = slabs_head(address, o);
		uint32_t c = head < l->nr_pfns ? l->cache_of[head] : 0;

		if (c && l->s->caches[c - 1].order >= o &&
		    slabs_head(address, l->s->caches[c - 1].order) == head)
			return c;
	}
	return 0;
}

static bool is_fresh(const struct look *l, uint64_t address, unsigned int order)
{
	uint64_t head = slabs_head(address, order);

	return head >= l->nr_pfns || l->fresh[head];
}

/* The first event of an address; @c: index + 1 of its cache, 0: to be found */
static int first_event(struct look *l, const struct trace_event *e, uint32_t c, bool live)
{
	const struct slabs_first one = {
		.address = e->address,
		.cache = c ? c - 1 : UINT32_MAX,
		.cpu = e->cpu,
		.live = live,
	};
	uint32_t old;
	int err = live_put(&l->seen, e->address, 0, &old);

	if (err || old != LIVE_NONE)
		return err;
	if (c && is_fresh(l, e->address, l->s->caches[c - 1].order))
		return 0;
	return add(l->f, &one);
}

static int object_event(struct look *l, const struct trace_event *e)
{
	bool alloc = objects_allocates(e->kind);
	uint32_t c = e->class_id < l->s->nr_classes ? l->s->of_class[e->class_id] : 0;

	if (e->address & KMT_OPAQUE || (alloc && !c))
		return 0;
	if (c && !l->s->caches[c - 1].cache)
		return 0;
	if (c && slabs_head(e->address, l->s->caches[c - 1].order) < l->nr_pfns)
		l->cache_of[slabs_head(e->address, l->s->caches[c - 1].order)] = (uint16_t)c;
	else if (!c)
		c = cache_at(l, e->address);
	return first_event(l, e, c, !alloc);
}

static void page_event(struct look *l, const struct trace_event *e)
{
	uint64_t pfn = e->address, end = pfn + (1ull << e->order);

	for (; pfn < end && pfn < l->nr_pfns; pfn++)
		l->fresh[pfn] = 1;
}

static int take(struct look *l, const struct trace_event *e)
{
	if (e->time_ns <= l->s->start_ns)
		return 0;
	if (e->kind == KMT_PAGE_ALLOC && e->order <= 10)
		page_event(l, e);
	else if (objects_allocates(e->kind) || objects_frees(e->kind))
		return object_event(l, e);
	return 0;
}

/* Those of unknown cache, by what was seen on their page later; others go */
static void resolve(struct look *l)
{
	struct slabs_firsts *f = l->f;
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct slabs_first one = f->items[i];

		if (one.cache == UINT32_MAX) {
			uint32_t c = cache_at(l, one.address);

			if (!c || is_fresh(l, one.address, l->s->caches[c - 1].order))
				continue;
			one.cache = c - 1;
		}
		f->items[kept++] = one;
	}
	f->n = kept;
}

/* Counting sort by cache */
static int group(struct slabs_firsts *f, uint32_t caches)
{
	struct slabs_first *sorted = malloc((f->n + 1) * sizeof(*sorted));
	size_t *at = calloc((size_t)caches + 2, sizeof(*at));

	f->of_cache = at;
	if (!sorted || !at) {
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < f->n; i++)
		at[f->items[i].cache + 2]++;
	for (uint32_t c = 0; c < caches; c++)
		at[c + 2] += at[c + 1];
	for (size_t i = 0; i < f->n; i++)
		sorted[at[f->items[i].cache + 1]++] = f->items[i];
	free(f->items);
	f->items = sorted;
	return 0;
}

static int scan(struct look *l, struct trace_reader *r)
{
	struct trace_event *e = malloc(BATCH * sizeof(*e));
	int err = e ? 0 : -ENOMEM;
	long n = 1;

	while (!err && n > 0) {
		n = trace_reader_next(r, e, BATCH);
		for (long i = 0; i < n && !err; i++)
			err = take(l, &e[i]);
		if (n < 0)
			err = (int)n;
	}
	free(e);
	return err;
}

int slabs_firsts_read(struct slabs_firsts *f, const struct slabs *s, uint64_t nr_pfns,
		      struct trace_reader *r)
{
	struct look l = {.f = f, .s = s, .nr_pfns = nr_pfns};
	int err = live_init(&l.seen);

	memset(f, 0, sizeof(*f));
	l.fresh = calloc(nr_pfns + 1, 1);
	l.cache_of = calloc(nr_pfns + 1, sizeof(*l.cache_of));
	if (!l.fresh || !l.cache_of)
		err = -ENOMEM;
	if (!err)
		err = scan(&l, r);
	if (!err) {
		resolve(&l);
		err = group(f, s->n) ?: trace_reader_rewind(r);
	}
	live_destroy(&l.seen);
	free(l.fresh);
	free(l.cache_of);
	return err;
}

void slabs_firsts_free(struct slabs_firsts *f)
{
	free(f->items);
	free(f->of_cache);
	memset(f, 0, sizeof(*f));
}
