/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_tables.c - caches, call sites, the map of memory, fallbacks. */
#include <string.h>

#include "common/procfs.h"
#include "replay/result.h"
#include "trace/trace_io.h"

enum { SITES_MAX = 200, LIVE_SERIES_MAX = 60 };

struct slab_texts {
	struct proc_slabinfo start, end;
	bool has_start, has_end;
};

static bool load_slabs(struct trace_reader *r, uint16_t phase, struct proc_slabinfo *out)
{
	struct trace_text t;
	bool ok;

	if (trace_reader_find_text(r, "slabinfo", phase, &t))
		return false;
	ok = !proc_slabinfo_parse(t.text, out);
	trace_text_free(&t);
	return ok;
}

static void add_slabinfo(json_t *o, const struct proc_slabinfo *info, const char *name,
			 const char *objects, const char *slabs)
{
	const struct proc_slab *s = proc_slabinfo_find(info, name);

	if (!s)
		return;
	json_object_set_new(o, objects, json_integer((json_int_t)s->active_objects));
	json_object_set_new(o, slabs, json_integer((json_int_t)s->slabs));
}

static json_t *slab(const struct replay *p, const struct object_counts *c,
		    const struct slab_texts *t, bool series)
{
	const char *name = trace_reader_string(p->reader, c->string);
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", name, "allocs",
			      (json_int_t)c->allocs, "frees", (json_int_t)c->frees, "bytes_req",
			      (json_int_t)c->bytes_req, "bytes_alloc", (json_int_t)c->bytes_alloc);
	json_t *live;

	if (t->has_start)
		add_slabinfo(o, &t->start, name, "objects_start", "slabs_start");
	if (t->has_end)
		add_slabinfo(o, &t->end, name, "objects_end", "slabs_end");
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

	t.has_start = load_slabs(p->reader, KMT_PHASE_START, &t.start);
	t.has_end = load_slabs(p->reader, KMT_PHASE_END, &t.end);
	c = objects_caches(p->objects, &n);
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, slab(p, &c[i], &t, i < LIVE_SERIES_MAX));
	proc_slabinfo_free(&t.start);
	proc_slabinfo_free(&t.end);
	return list;
}

json_t *result_call_sites(struct replay *p, json_int_t *left_out)
{
	json_t *list = json_array();
	const struct object_counts *c;
	uint32_t n, shown;

	c = objects_sites(p->objects, &n);
	shown = n < SITES_MAX ? n : SITES_MAX;
	*left_out = n - shown;
	for (uint32_t i = 0; i < shown; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name",
					trace_reader_string(p->reader, c[i].string), "allocs",
					(json_int_t)c[i].allocs, "frees", (json_int_t)c[i].frees,
					"bytes_req", (json_int_t)c[i].bytes_req, "bytes_alloc",
					(json_int_t)c[i].bytes_alloc, "live_bytes_end",
					(json_int_t)(c[i].bytes_alloc - c[i].freed_bytes)));
	return list;
}

static json_t *map_zone(const struct replay *p, unsigned int index)
{
	const struct blockmap_zone *z = &p->map.zones[index];
	json_t *type = json_array(), *used = json_array();
	unsigned int shift = p->host.pageblock_order;

	for (unsigned int row = 0; row < z->rows; row++) {
		size_t first = (size_t)row * BLOCKMAP_COLUMNS;
		json_t *t = json_array(), *u = json_array();

		for (unsigned int c = 0; c < p->map.columns; c++) {
			json_array_append_new(t, json_integer(z->type[first + c]));
			json_array_append_new(u, json_integer(z->used[first + c]));
		}
		json_array_append_new(type, t);
		json_array_append_new(used, u);
	}
	return json_pack("{s:i, s:I, s:i, s:I, s:o, s:o}", "zone", (int)index, "start_pfn",
			 (json_int_t)z->first_block << shift, "rows", (int)z->rows, "pages_per_row",
			 (json_int_t)z->blocks_per_row << shift, "type", type, "used", used);
}

json_t *result_pageblocks(const struct replay *p)
{
	json_t *zones = json_array();

	for (unsigned int i = 0; i < p->map.nr_zones; i++)
		json_array_append_new(zones, map_zone(p, i));
	return json_pack("{s:i, s:o, s:o}", "columns", (int)p->map.columns, "time_ns",
			 result_array(p->map.time_ns, p->map.columns), "zones", zones);
}

static const char *type_name(const struct replay *p, unsigned int type)
{
	static const char *const usual[OBSERVED_TYPES] = {
		"Unmovable", "Movable", "Reclaimable", "HighAtomic", "4", "5", "6", "7"};
	json_t *names = json_object_get(p->host.header, "migratetypes");
	const char *name = json_string_value(json_array_get(names, type));

	return name ? name : usual[type];
}

json_t *result_fallbacks(const struct replay *p)
{
	const struct observed_counts *c = &p->observed->observed->counts;
	json_t *list = json_array();

	for (unsigned int from = 0; from < OBSERVED_TYPES; from++) {
		for (unsigned int to = 0; to < OBSERVED_TYPES; to++) {
			const struct observed_fallback *f = &c->fallback[from][to];

			if (!f->events)
				continue;
			json_array_append_new(list,
					      json_pack("{s:s, s:s, s:I, s:I, s:I}", "from",
							type_name(p, from), "to", type_name(p, to),
							"claimed", (json_int_t)f->claimed, "stolen",
							(json_int_t)f->stolen, "events",
							(json_int_t)f->events));
		}
	}
	return list;
}
