/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_map.c - the map of physical memory: pageblocks by type and occupancy. */
#include <math.h>
#include <stdint.h>

#include "report/sections.h"

/*
 * What a migrate type's number means depends on the kernel's configuration; a
 * host that says (host.migratetypes) is believed. Else: a kernel with CMA.
 */
enum { TYPES = 8, TYPE_UNKNOWN = TYPES, TYPE_KINDS };

static const char *type_name(struct report_doc *d, const json_t *root, size_t k)
{
	static const char *const usual[] = {
		"Unmovable", "Movable", "Reclaimable", "HighAtomic", "CMA", "Isolate",
	};
	const json_t *names = jpath(root, "host.migratetypes");
	const char *said = json_string_value(json_array_get(names, k));

	if (k == TYPE_UNKNOWN)
		return "unknown";
	if (said)
		return copy_text(d, said);
	return k < sizeof(usual) / sizeof(*usual) ? usual[k] : "unknown";
}

struct tally {
	double rows[TYPE_KINDS];
	double used[TYPE_KINDS];
	double all;
};

static void tally_column(struct tally *t, const json_t *zone, size_t column)
{
	const json_t *type = json_object_get(zone, "type");
	const json_t *used = json_object_get(zone, "used");

	*t = (struct tally){0};
	for (size_t row = 0; row < json_array_size(type); row++) {
		double number = jat(json_array_get(type, row), column);
		if (number < 0)
			continue; /* no memory there, or not online yet */
		size_t k = number >= 0 && number < TYPES ? (size_t)number : TYPE_UNKNOWN;
		double share = jat(json_array_get(used, row), column);
		t->rows[k]++;
		t->used[k] += isnan(share) ? 0 : share;
		t->all++;
	}
}

static const char *zone_name(struct report_doc *d, const json_t *root, const json_t *zone)
{
	double index = jnum(zone, "zone");
	const json_t *z = json_array_get(json_object_get(root, "zones"),
					 index >= 0 ? (size_t)index : SIZE_MAX);
	double node = jnum(z, "node");

	return pool_printf(&d->pool, "node %.0f %s", isnan(node) ? 0 : node,
			   jstr(z, "name", "unknown"));
}

static void rows_zone(const struct rows *r, size_t i, const json_t *zone, size_t columns)
{
	struct tally start, end;

	tally_column(&start, zone, 0);
	tally_column(&end, zone, columns - 1);
	for (size_t k = 0; k < TYPE_KINDS; k++) {
		if (!start.rows[k] && !end.rows[k])
			continue;
		struct doc_cell *c = rows_add(r, i);
		c[0].text = zone_name(r->d, r->in->results[i].root, zone);
		c[1].text = type_name(r->d, r->in->results[i].root, k);
		c[2].value = start.all ? 100 * start.rows[k] / start.all : NAN;
		c[3].value = end.all ? 100 * end.rows[k] / end.all : NAN;
		c[4].value = start.rows[k] ? start.used[k] / start.rows[k] : NAN;
		c[5].value = end.rows[k] ? end.used[k] / end.rows[k] : NAN;
	}
}

void section_map(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"zone", UNIT_TEXT, NULL},
		{"pageblock type", UNIT_TEXT, "migrate type of the row's majority"},
		{"rows, start", UNIT_PERCENT, "share of the zone's rows that hold memory"},
		{"rows, end", UNIT_PERCENT, "share of the zone's rows that hold memory"},
		{"used, start", UNIT_PERCENT, "pages not free in such rows"},
		{"used, end", UNIT_PERCENT, "pages not free in such rows"},
	};
	struct doc_section *s = doc_section(d, "map", "Map of physical memory");
	struct rows r = rows_begin(d, in, "Pageblocks by migrate type", COLUMNS(columns));
	size_t k;
	json_t *zone;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *map = json_object_get(in->results[i].root, "pageblocks");
		size_t n = json_array_size(json_object_get(map, "time_ns"));
		if (!n)
			section_missing(d, s, in, i,
					"Map of memory: the trace holds no page states; record "
					"with the rights to read /proc/kpageflags.");
		else
			json_array_foreach (json_object_get(map, "zones"), k, zone)
				rows_zone(&r, i, zone, n);
	}
	if (!rows_end(&r, s))
		return;
	s->chart = "map";
	s->lead = "Each row is a stretch of physical memory, each column a moment: the hue says "
		  "which migrate type its pageblocks have, the strength how much of it is used. "
		  "Unmovable specks among movable blocks are what keeps large blocks from forming.";
}
