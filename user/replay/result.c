/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result.c - the document's frame: trace, host, zones, times. */
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "replay/result.h"
#include "replay/result_evidence.h"
#include "trace/trace_io.h"

json_t *result_array(const uint64_t *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer((json_int_t)v[i]));
	return list;
}

void result_add(json_t *object, const char *name, uint64_t n)
{
	json_int_t before = json_integer_value(json_object_get(object, name));

	if (n)
		json_object_set_new(object, name, json_integer(before + (json_int_t)n));
}

static json_t *events_by_kind(const struct replay *p)
{
	json_t *kinds = json_object();

	for (unsigned int k = 0; k < KMT_KINDS; k++)
		if (p->by_kind[k])
			result_add(kinds, trace_kind_name((unsigned int)k), p->by_kind[k]);
	result_add(kinds, "unknown", p->by_other_kind);
	return kinds;
}

static json_t *trace(const struct replay *p, const char *path)
{
	const char *name = strrchr(path, '/');
	uint64_t bytes, event_bytes, events;

	trace_reader_sizes(p->reader, &bytes, &event_bytes, &events);
	return json_pack("{s:o, s:I, s:I, s:I, s:f, s:o}", "file",
			 utf8_json(name ? name + 1 : path), "bytes", (json_int_t)bytes, "events",
			 (json_int_t)p->events, "duration_ns",
			 (json_int_t)(p->last_ns - p->first_ns), "bytes_per_event",
			 p->events ? (double)bytes / (double)p->events : 0.0, "events_by_kind",
			 events_by_kind(p));
}

static json_t *host(const struct replay *p)
{
	json_t *h = json_deep_copy(json_object_get(p->host.header, "host"));
	json_t *size = json_object_get(p->host.header, "struct_page_bytes");
	json_t *types = json_object_get(p->host.header, "migratetypes");
	uint64_t managed = 0;

	if (!json_is_object(h)) {
		json_decref(h);
		h = json_object();
	}
	for (unsigned int z = 0; z < p->host.nr_zones; z++)
		managed += p->host.zones[z].managed;
	json_object_set_new(h, "pageblock_order", json_integer(p->host.pageblock_order));
	json_object_set_new(h, "max_order", json_integer(p->host.max_order));
	json_object_set_new(h, "managed_pages", json_integer((json_int_t)managed));
	if (json_is_integer(size))
		json_object_set(h, "struct_page_bytes", size);
	if (json_is_array(types))
		json_object_set(h, "migratetypes", types);
	return h;
}

static json_t *zones(const struct host *h)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < h->nr_zones; i++) {
		const struct host_zone *z = &h->zones[i];
		json_t *one = json_pack(
			"{s:i, s:s, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I}}", "node", z->node,
			"name", z->name, "start_pfn", (json_int_t)z->start_pfn, "managed_pages",
			(json_int_t)z->managed, "present_pages", (json_int_t)z->present,
			"spanned_pages", (json_int_t)z->spanned, "watermarks", "min",
			(json_int_t)z->wmark[0], "low", (json_int_t)z->wmark[1], "high",
			(json_int_t)z->wmark[2], "promo", (json_int_t)z->wmark[3]);

		if (h->end_known)
			json_object_set_new(one, "managed_pages_end",
					    json_integer((json_int_t)z->managed_end));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *times(const struct replay *p)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < p->samples; i++)
		json_array_append_new(list,
				      json_integer((json_int_t)(p->sample_ns[i] - p->first_ns)));
	return list;
}

static void add_observed(json_t *doc, struct replay *p)
{
	json_object_set_new(doc, "pageblocks", result_pageblocks(p));
	json_object_set_new(doc, "fallbacks", result_fallbacks(p));
}

static void add(json_t *doc, const char *key, json_t *part)
{
	if (part)
		json_object_set_new(doc, key, part);
}

static int add_evidence(json_t *doc, const struct replay *p)
{
	struct evidence v;
	int err = evidence_gather(&v, p);

	if (!err) {
		add(doc, "stalls", result_stalls(p, &v));
		add(doc, "culprits", result_culprits(p, &v));
		add(doc, "lifetimes", result_lifetimes(p, &v));
		add(doc, "latency", result_latency(p));
		add(doc, "allocators", result_allocators(p, &v));
	}
	evidence_destroy(&v);
	return err;
}

json_t *result_build(struct replay *p, const struct result_options *o)
{
	json_int_t left_out = 0;
	json_t *doc = json_object(), *fidelity, *areas;

	json_object_set_new(doc, "schema", json_string("kmemlab-result/1"));
	json_object_set_new(doc, "command", utf8_json(o->command));
	json_object_set_new(doc, "trace", trace(p, o->path));
	json_object_set_new(doc, "host", host(p));
	json_object_set_new(doc, "trust", result_trust(p));
	json_object_set_new(doc, "zones", zones(&p->host));
	json_object_set_new(doc, "time_ns", times(p));
	json_object_set_new(doc, "page_events", result_array(p->sample_events, p->samples));
	json_object_set_new(doc, "runs", result_runs(p, o->reproducible));
	json_object_set_new(doc, "kernel_samples", result_kernel_samples(p));
	fidelity = result_fidelity(p);
	if (fidelity)
		json_object_set_new(doc, "fidelity", fidelity);
	json_object_set_new(doc, "slabs", result_slabs(p));
	if (p->slabs)
		json_object_set_new(doc, "slab_replay", result_slab_replay(p, o->reproducible));
	areas = result_areas(p);
	if (areas)
		json_object_set_new(doc, "areas", areas);
	json_object_set_new(doc, "call_sites", result_call_sites(p, &left_out));
	json_object_set_new(doc, "call_sites_left_out", json_integer(left_out));
	if (p->observed)
		add_observed(doc, p);
	if (o->evidence && add_evidence(doc, p)) {
		json_decref(doc);
		return NULL;
	}
	return doc;
}
