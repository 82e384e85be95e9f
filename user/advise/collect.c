/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collect.c - from events to call sites: classes of one call site are one. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm_types.h>

#include "advise/sites.h"
#include "common/procfs.h"
#include "replay/gfp.h"
#include "trace/trace_io.h"

#include <jansson.h>

enum { BATCH = 1 << 12, LARGE_BYTES = 8 * 4096 };

struct collection {
	struct trace_reader *r;
	const struct kmt_class **classes;
	uint32_t nr_classes;
	uint64_t *allocs; /* by class */
	struct lifetimes *lives;
	struct gfp_map gfp;
	struct proc_slabinfo start, end;
	uint64_t first_ns, last_ns;
};

/* ---- Reading ------------------------------------------------------------- */

static void read_slabinfo(struct trace_reader *r, uint16_t phase, struct proc_slabinfo *out)
{
	struct trace_text t;

	memset(out, 0, sizeof(*out));
	if (trace_reader_find_text(r, "slabinfo", phase, &t))
		return;
	if (proc_slabinfo_parse(t.text, out))
		memset(out, 0, sizeof(*out));
	trace_text_free(&t);
}

static int begin(struct collection *c, struct trace_reader *r)
{
	json_t *header = json_loads(trace_reader_header(r), 0, NULL);

	*c = (struct collection){.r = r, .nr_classes = trace_reader_classes(r)};
	gfp_map_init(&c->gfp, json_object_get(header, "gfp_bits"));
	json_decref(header);
	c->classes = calloc((size_t)c->nr_classes + 1, sizeof(*c->classes));
	c->allocs = calloc((size_t)c->nr_classes + 1, sizeof(*c->allocs));
	if (!c->classes || !c->allocs)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nr_classes; i++)
		c->classes[i] = trace_reader_class(r, i);
	c->lives = lifetimes_new(c->classes, c->nr_classes);
	read_slabinfo(r, KMT_PHASE_START, &c->start);
	read_slabinfo(r, KMT_PHASE_END, &c->end);
	trace_reader_times(r, &c->first_ns, &c->last_ns);
	return c->lives ? 0 : -ENOMEM;
}

static void end(struct collection *c)
{
	lifetimes_free(c->lives);
	proc_slabinfo_free(&c->start);
	proc_slabinfo_free(&c->end);
	free(c->classes);
	free(c->allocs);
}

static int read_events(struct collection *c)
{
	static struct trace_event e[BATCH];
	int err = 0;
	long n;

	while (!err && (n = trace_reader_next(c->r, e, BATCH)) != 0) {
		if (n < 0)
			return (int)n;
		for (long i = 0; i < n; i++)
			if (e[i].class_id < c->nr_classes && e[i].address != KMT_NO_PAGE)
				c->allocs[e[i].class_id]++;
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

static void add_class(const struct collection *c, struct site *s, uint32_t id)
{
	const struct kmt_class *k = c->classes[id];
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
	}
	if (k->bytes_alloc > s->largest_alloc)
		s->largest_alloc = k->bytes_alloc;
	if (k->bytes_alloc >= LARGE_BYTES)
		s->large_allocs += n;
	if (!(gfp_translate(&c->gfp, k->gfp) & RMM_GFP_DIRECT_RECLAIM))
		s->may_sleep = false;
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

static int sum_up(struct advices *all, const struct collection *c, const uint32_t *ids, size_t n)
{
	const struct site_facts facts = {
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
