/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_slabs.c - caches: what the trace shows, slabinfo and the reference. */
#include "replay/result.h"
#include "trace/slab_text.h"
#include "trace/trace_io.h"

enum { LIVE_SERIES_MAX = 60, PAGE_BYTES = 4096 };

struct slab_texts {
	struct proc_slabinfo start, end;
	bool has_start, has_end;
};

static void add_slabinfo(json_t *o, const struct proc_slabinfo *info, const char *name,
			 const char *objects, const char *slabs)
{
	const struct proc_slab *s = proc_slabinfo_find(info, name);

	if (!s)
		return;
	json_object_set_new(o, objects, json_integer((json_int_t)s->active_objects));
	json_object_set_new(o, slabs, json_integer((json_int_t)s->slabs));
}

/* Bytes of @slabs that are no object's */
static json_int_t unused(uint64_t slabs, unsigned int pages, uint64_t objects, unsigned int size)
{
	return (json_int_t)(slabs * pages * PAGE_BYTES) - (json_int_t)(objects * size);
}

/* The reference's figures of a cache; its error against slabinfo if that was read
 * at the end */
static json_t *reference(const struct slabs_cache *c)
{
	json_t *o =
		json_pack("{s:I, s:I, s:I, s:i, s:i, s:b, s:I, s:I}", "slabs_start",
			  (json_int_t)c->slabs_start, "slabs_end", (json_int_t)c->slabs_end,
			  "objects_end", (json_int_t)c->objects_end, "objects_per_slab",
			  (int)c->my_objects, "pages_per_slab", 1 << c->my_order, "as_slabinfo",
			  !c->differs, "unseen_frees", (json_int_t)c->unseen_frees, "unused_bytes",
			  unused(c->slabs_end, 1u << c->my_order, c->objects_end, c->size));

	if (!c->has_end)
		return o;
	/* slabinfo takes what CPUs hold free for live; so does this one. */
	json_object_set_new(
		o, "unused_bytes_as_slabinfo",
		json_integer(unused(c->slabs_end, 1u << c->my_order, c->active_end, c->size)));
	json_object_set_new(o, "unused_bytes_kernel",
			    json_integer(unused(c->end.slabs, c->end.pages_per_slab,
						c->end.active_objects, c->end.object_bytes)));
	if (c->end.slabs)
		json_object_set_new(o, "slabs_error",
				    json_real((double)c->slabs_end / (double)c->end.slabs - 1));
	return o;
}

static json_t *slab(const struct replay *p, const struct object_counts *c,
		    const struct slab_texts *t, bool series)
{
	const char *name = trace_reader_string(p->reader, c->string);
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", name, "allocs",
			      (json_int_t)c->allocs, "frees", (json_int_t)c->frees, "bytes_req",
			      (json_int_t)c->bytes_req, "bytes_alloc", (json_int_t)c->bytes_alloc);
	const struct slabs_cache *r = p->slabs ? slabs_find(p->slabs, c->string) : NULL;
	json_t *live;

	if (t->has_start)
		add_slabinfo(o, &t->start, name, "objects_start", "slabs_start");
	if (t->has_end)
		add_slabinfo(o, &t->end, name, "objects_end", "slabs_end");
	if (t->has_end && proc_slabinfo_find(&t->end, name))
		json_object_set_new(
			o, "pages_per_slab",
			json_integer(
				(json_int_t)proc_slabinfo_find(&t->end, name)->pages_per_slab));
	if (r && r->cache)
		json_object_set_new(o, "reference", reference(r));
	if (!series)
		return o;
	live = json_array();
	for (unsigned int i = 0; i < p->samples; i++)
		json_array_append_new(live, json_integer(c->live[i]));
	json_object_set_new(o, "live", live);
	return o;
}

json_t *result_slabs(struct replay *p)
{
	struct slab_texts t = {0};
	json_t *list = json_array();
	const struct object_counts *c;
	uint32_t n;

	t.has_start = trace_slabinfo(p->reader, KMT_PHASE_START, &t.start, NULL);
	t.has_end = trace_slabinfo(p->reader, KMT_PHASE_END, &t.end, NULL);
	c = objects_caches(p->objects, &n);
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, slab(p, &c[i], &t, i < LIVE_SERIES_MAX));
	proc_slabinfo_free(&t.start);
	proc_slabinfo_free(&t.end);
	return list;
}

json_t *result_run_slabs(const struct slabs *s)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->n; i++) {
		const struct slabs_cache *c = &s->caches[i];

		if (!c->cache || c->differs)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:I}", "name",
						      c->start.name, "objects_per_slab",
						      (int)c->my_objects, "pages_per_slab",
						      1 << c->my_order, "slabs_start",
						      (json_int_t)c->slabs_start, "slabs_end",
						      (json_int_t)c->slabs_end, "pages_end",
						      (json_int_t)c->pages_end, "objects_end",
						      (json_int_t)c->objects_end));
	}
	return list;
}

static json_t *unmatched(const struct slabs_counts *c)
{
	const struct {
		const char *name;
		uint64_t n;
	} kinds[] = {
		{"alloc_failed", c->alloc_failed},	   {"alloc_of_live", c->alloc_of_live},
		{"live_in_freed_slab", c->gone_with_slab}, {"free_of_unknown", c->free_unknown},
		{"free_refused", c->free_refused},	   {"alloc_without_cache", c->no_cache},
	};
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		json_object_set_new(o, kinds[i].name, json_integer((json_int_t)kinds[i].n));
	return o;
}

static json_t *begin(const struct slabs *s)
{
	const struct slabs_counts *c = &s->counts;
	uint64_t listed = 0;
	json_t *o = json_pack("{s:I, s:I, s:I}", "live", (json_int_t)c->start_live, "free",
			      (json_int_t)c->start_free, "unplaced", (json_int_t)c->start_unplaced);

	for (uint32_t i = 0; i < s->n; i++)
		listed += s->caches[i].listed != NULL;
	json_object_set_new(o, "how", json_string(s->lists.known ? "read" : "inferred"));
	if (!s->lists.known)
		return o;
	json_object_set_new(o, "caches_read", json_integer((json_int_t)listed));
	json_object_set_new(o, "slabs_read", json_integer((json_int_t)c->start_listed));
	json_object_set_new(o, "slabs_unplaced", json_integer((json_int_t)c->start_unlisted));
	json_object_set_new(o, "slabs_disputed", json_integer((json_int_t)c->start_disputed));
	return o;
}

json_t *result_slab_replay(const struct replay *p, bool reproducible)
{
	const struct slabs_counts *c = &p->slabs->counts;
	json_t *differ = json_array(), *o;

	for (uint32_t i = 0; i < p->slabs->n; i++)
		if (p->slabs->caches[i].differs)
			json_array_append_new(differ, json_string(p->slabs->caches[i].start.name));
	o = json_pack("{s:I, s:o, s:o, s:o}", "events", (json_int_t)c->events, "unmatched",
		      unmatched(c), "start", begin(p->slabs), "not_as_slabinfo", differ);
	if (!reproducible)
		json_object_set_new(o, "speed",
				    json_pack("{s:I, s:I}", "events", (json_int_t)c->events, "ns",
					      (json_int_t)p->slabs->ns));
	return o;
}
