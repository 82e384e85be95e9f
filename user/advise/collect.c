/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collect.c - from events to call sites: classes of one call site are one. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm_types.h>

#include "advise/sites.h"
#include "metrics/live.h"
#include "metrics/tasks.h"
#include "replay/gfp.h"
#include "trace/slab_text.h"
#include "trace/trace_io.h"

#include <jansson.h>

enum {
	BATCH = 1 << 12,
	LARGE_BYTES = 8 * 4096,
	SLAB_ORDER_MAX = 3,
	PAGE_SHIFT = 12,
	OBJECT_SHIFT = 3, /* of an object's address: kinds.h */
	CALLERS = 4,	  /* frames that are told */
};

/* Whose a class's allocations are, and on what pages. */
struct owner {
	uint32_t comm; /* string, by majority vote */
	uint64_t votes;
	uint64_t reclaimable, other;
};

struct collection {
	struct trace_reader *r;
	const struct kmt_class **classes;
	uint32_t nr_classes;
	uint64_t *allocs; /* by class */
	struct lifetimes *lives;
	struct gfp_map gfp;
	struct proc_slabinfo start, end;
	uint64_t first_ns, last_ns;
	struct tasks tasks;
	struct owner *owner;  /* by class */
	struct live pages;    /* pfn of a small block from here on -> its migrate type */
	uint32_t reclaimable; /* that type */
};

/* ---- Reading ------------------------------------------------------------- */

/* Its number; UINT32_MAX: this host has none. */
static uint32_t type_of(const json_t *migratetypes, const char *name)
{
	size_t i;
	json_t *v;

	json_array_foreach (migratetypes, i, v)
		if (json_is_string(v) && !strcmp(json_string_value(v), name))
			return (uint32_t)i;
	return UINT32_MAX;
}

static int begin(struct collection *c, struct trace_reader *r)
{
	json_t *header = json_loads(trace_reader_header(r), 0, NULL);

	*c = (struct collection){.r = r, .nr_classes = trace_reader_classes(r)};
	gfp_map_init(&c->gfp, json_object_get(header, "gfp_bits"));
	c->reclaimable = type_of(json_object_get(header, "migratetypes"), "Reclaimable");
	json_decref(header);
	c->classes = calloc((size_t)c->nr_classes + 1, sizeof(*c->classes));
	c->allocs = calloc((size_t)c->nr_classes + 1, sizeof(*c->allocs));
	c->owner = calloc((size_t)c->nr_classes + 1, sizeof(*c->owner));
	if (!c->classes || !c->allocs || !c->owner || live_init(&c->pages) ||
	    tasks_init(&c->tasks, trace_reader_cpus(r)))
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nr_classes; i++)
		c->classes[i] = trace_reader_class(r, i);
	c->lives = lifetimes_new(c->classes, c->nr_classes);
	trace_slabinfo(r, KMT_PHASE_START, &c->start, NULL);
	trace_slabinfo(r, KMT_PHASE_END, &c->end, NULL);
	trace_reader_times(r, &c->first_ns, &c->last_ns);
	return c->lives ? 0 : -ENOMEM;
}

static void end(struct collection *c)
{
	lifetimes_free(c->lives);
	proc_slabinfo_free(&c->start);
	proc_slabinfo_free(&c->end);
	live_destroy(&c->pages);
	tasks_destroy(&c->tasks);
	free(c->owner);
	free(c->classes);
	free(c->allocs);
}

/* ---- Whose, and on what pages -------------------------------------------- */

/* Blocks that may become slabs: each of their pages. */
static int see_pages(struct collection *c, const struct trace_event *e)
{
	const struct kmt_class *k = c->classes[e->class_id];
	uint64_t pages = k && k->order <= SLAB_ORDER_MAX ? 1ull << k->order : 0;
	uint32_t old;

	for (uint64_t i = 0; i < pages; i++) {
		if (e->kind == KMT_PAGE_FREE)
			live_take(&c->pages, e->address + i);
		else if (live_put(&c->pages, e->address + i, k->migratetype, &old))
			return -ENOMEM;
	}
	return 0;
}

static void see_object(struct collection *c, const struct trace_event *e)
{
	struct owner *o = &c->owner[e->class_id];
	uint32_t task = tasks_at(&c->tasks, e->cpu), type = LIVE_NONE;
	uint32_t comm = task < c->nr_classes && c->classes[task] ? c->classes[task]->comm : 0;

	if (!o->votes)
		o->comm = comm;
	o->votes += o->comm == comm ? 1 : -1ull;
	if (!(e->address & KMT_OPAQUE))
		type = live_find(&c->pages, e->address >> (PAGE_SHIFT - OBJECT_SHIFT));
	o->reclaimable += type == c->reclaimable;
	o->other += type != c->reclaimable && type != LIVE_NONE;
}

static int see(struct collection *c, const struct trace_event *e)
{
	tasks_see(&c->tasks, e);
	if (e->class_id >= c->nr_classes || e->address == KMT_NO_PAGE)
		return 0;
	c->allocs[e->class_id]++;
	if (e->kind == KMT_PAGE_ALLOC || e->kind == KMT_PAGE_FREE)
		return see_pages(c, e);
	if (e->kind == KMT_KMALLOC || e->kind == KMT_CACHE_ALLOC)
		see_object(c, e);
	return 0;
}

static int read_events(struct collection *c)
{
	static struct trace_event e[BATCH];
	int err = 0;
	long n;

	while (!err && (n = trace_reader_next(c->r, e, BATCH)) != 0) {
		if (n < 0)
			return (int)n;
		for (long i = 0; i < n && !err; i++)
			err = see(c, &e[i]);
		if (!err)
			err = lifetimes_feed(c->lives, e, n);
	}
	lifetimes_finish(c->lives);
	return err;
}

/* ---- Summing up ---------------------------------------------------------- */

static bool is_alloc(const struct kmt_class *c)
{
	return c && c->call_site && (c->kind == KMT_KMALLOC || c->kind == KMT_CACHE_ALLOC);
}

/* "inner < outer < ..." of the class's stack, if it was recorded. */
static void name_callers(const struct collection *c, const struct kmt_class *k, char *text)
{
	const uint32_t *frames;
	uint32_t n = trace_reader_stack(c->r, trace_class_stack(k), &frames);
	size_t at = 0;

	*text = '\0';
	for (uint32_t i = 0; i < n && i < CALLERS && at < SITE_CALLERS_BYTES; i++)
		at += (size_t)snprintf(text + at, SITE_CALLERS_BYTES - at, "%s%s", i ? " < " : "",
				       trace_reader_string(c->r, frames[i]));
}

/* Of a class whose requests may not block. */
static void add_nowait(const struct collection *c, struct site_nowait *s, const struct kmt_class *k,
		       uint64_t n)
{
	uint32_t gfp = gfp_translate(&c->gfp, k->gfp);

	s->requests += n;
	s->may_sleep += k->context == KMT_CONTEXT_MAY_SLEEP ? n : 0;
	s->preemptible += k->context == KMT_CONTEXT_PREEMPTIBLE ? n : 0;
	s->high += gfp & RMM_GFP_HIGH ? n : 0;
	s->prepared += gfp & (RMM_GFP_NOWARN | RMM_GFP_NORETRY) ? n : 0;
	s->no_reclaim += gfp & RMM_GFP_KSWAPD_RECLAIM ? 0 : n;
	if (n <= s->most)
		return;
	s->most = n;
	name_callers(c, k, s->callers);
}

static void add_class(const struct collection *c, struct site *s, uint32_t id)
{
	const struct kmt_class *k = c->classes[id];
	const struct owner *o = &c->owner[id];
	uint64_t n = c->allocs[id];

	s->kmalloc = k->kind == KMT_KMALLOC;
	s->allocs += n;
	s->bytes_req += n * k->bytes_req;
	s->bytes_alloc += n * k->bytes_alloc;
	if (n > s->most_allocs) {
		s->most_allocs = n;
		s->most_req = k->bytes_req;
		s->most_alloc = k->bytes_alloc;
		s->cache = trace_reader_string(c->r, k->cache);
		s->comm = trace_reader_string(c->r, o->comm);
	}
	s->reclaimable += o->reclaimable;
	s->other_pages += o->other;
	if (k->bytes_alloc > s->largest_alloc)
		s->largest_alloc = k->bytes_alloc;
	if (k->bytes_alloc >= LARGE_BYTES)
		s->large_allocs += n;
	if (!(gfp_translate(&c->gfp, k->gfp) & RMM_GFP_DIRECT_RECLAIM)) {
		s->may_sleep = false;
		add_nowait(c, &s->nowait, k, n);
	}
	lifetime_add(&s->life, lifetimes_of(c->lives, id));
}

/* By call site, and kmalloc apart from caches. */
static int by_site(const void *x, const void *y, void *arg)
{
	const struct collection *c = arg;
	const struct kmt_class *a = c->classes[*(const uint32_t *)x];
	const struct kmt_class *b = c->classes[*(const uint32_t *)y];

	if (a->call_site != b->call_site)
		return a->call_site < b->call_site ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

static bool same_site(const struct collection *c, uint32_t a, uint32_t b)
{
	return !by_site(&a, &b, (void *)(uintptr_t)c);
}

static int64_t growth(void *ctx, const char *cache)
{
	const struct collection *c = ctx;
	const struct proc_slab *a = proc_slabinfo_find(&c->start, cache);
	const struct proc_slab *b = proc_slabinfo_find(&c->end, cache);

	return a && b ? (int64_t)(b->active_objects - a->active_objects) : INT64_MIN;
}

/* Is there a request that came with preemption off? Where none is, it may not be counted. */
static bool depth_counted(const struct collection *c)
{
	for (uint32_t i = 0; i < c->nr_classes; i++)
		if (is_alloc(c->classes[i]) && c->classes[i]->context == KMT_CONTEXT_ATOMIC)
			return true;
	return false;
}

static int sum_up(struct advices *all, const struct collection *c, const uint32_t *ids, size_t n)
{
	struct growers growers = {0};
	const struct site_facts facts = {
		.growers = &growers,
		.depth_counted = depth_counted(c),
		.seconds = (double)(c->last_ns - c->first_ns) / 1e9,
		.end_ns = c->last_ns,
		.cache_growth = growth,
		.ctx = (void *)(uintptr_t)c,
	};
	struct site *s = malloc(sizeof(*s));
	int err = s ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err;) {
		size_t first = i;

		memset(s, 0, sizeof(*s));
		s->name = trace_reader_string(c->r, c->classes[ids[i]]->call_site);
		s->cache = "";
		s->may_sleep = true;
		for (; i < n && same_site(c, ids[first], ids[i]); i++)
			add_class(c, s, ids[i]);
		err = site_rules(all, s, &facts);
	}
	if (!err)
		err = growers_advise(all, &growers, &facts);
	growers_free(&growers);
	free(s);
	return err;
}

int advise_sites(struct advices *all, struct trace_reader *r)
{
	struct collection c;
	uint32_t *ids = NULL;
	size_t n = 0;
	int err = begin(&c, r);

	if (!err)
		err = read_events(&c);
	if (!err && !(ids = calloc((size_t)c.nr_classes + 1, sizeof(*ids))))
		err = -ENOMEM;
	for (uint32_t i = 0; i < c.nr_classes && !err; i++)
		if (is_alloc(c.classes[i]) && c.allocs[i])
			ids[n++] = i;
	if (n)
		qsort_r(ids, n, sizeof(*ids), by_site, &c);
	if (!err)
		err = sum_up(all, &c, ids, n);
	free(ids);
	end(&c);
	return err;
}
