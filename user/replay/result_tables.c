/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_tables.c - call sites, the map of memory, fallbacks. */
#include <string.h>

#include "replay/result.h"
#include "trace/trace_io.h"

enum { SITES_MAX = 200 };

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

const char *result_type_name(const struct replay *p, unsigned int type)
{
	static const char *const usual[OBSERVED_TYPES] = {
		"Unmovable", "Movable", "Reclaimable", "HighAtomic", "4", "5", "6", "7"};
	json_t *names = json_object_get(p->host.header, "migratetypes");
	const char *name = json_string_value(json_array_get(names, type));

	return name ? name : usual[type % OBSERVED_TYPES];
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
			json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:I}", "from",
							      result_type_name(p, from), "to",
							      result_type_name(p, to), "claimed",
							      (json_int_t)f->claimed, "stolen",
							      (json_int_t)f->stolen, "events",
							      (json_int_t)f->events));
		}
	}
	return list;
}
