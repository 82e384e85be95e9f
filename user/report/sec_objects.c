/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_objects.c - who mixes migrate types, slab caches and call sites. */
#include <math.h>

#include "report/sections.h"

/* Below @n rows their sum, and in these the share of it. */
static void row_fallbacks(const struct rows *r, size_t i, size_t n)
{
	size_t first = r->t->rows - n, skip = r->t->n_columns - 6;
	struct doc_cell *c = rows_add(r, i);

	c[0].text = c[1].text = "all";
	c[2].value = c[3].value = c[5].value = 0;
	for (size_t k = first; k < first + n; k++) {
		const struct doc_cell *row = r->t->cells + k * r->t->n_columns + skip;

		for (size_t f = 2; f < 6; f++)
			if (f != 4 && !isnan(row[f].value))
				c[f].value += row[f].value;
	}
	for (size_t k = first; k < first + n; k++) {
		struct doc_cell *row = r->t->cells + k * r->t->n_columns + skip;

		row[4].value = 100 * row[5].value / c[5].value;
	}
	doc_anchor(r->d, &c[2], i, "claimed");
	doc_anchor(r->d, &c[3], i, "stolen");
	doc_anchor(r->d, &c[5], i, "fallbacks");
}

void section_fallbacks(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"request of type", UNIT_TEXT, "migrate type of the allocation"},
		{"served from", UNIT_TEXT, "migrate type of the pageblock that gave the pages"},
		{"claimed", UNIT_COUNT, "the pageblock changed to the request's type"},
		{"stolen", UNIT_COUNT, "only these pages were taken: the types now mix"},
		{"share", UNIT_PERCENT, "of all fallbacks"},
		{"fallbacks", UNIT_COUNT, NULL},
	};
	struct doc_section *s = doc_section(d, "fallbacks", "Fallbacks between migrate types");
	struct rows r = rows_begin(d, in, "Who takes from whose pageblocks", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *list = json_object_get(in->results[i].root, "fallbacks");
		if (!json_is_array(list))
			section_missing(d, s, in, i,
					"Fallbacks: not recorded; the trace lacks "
					"kmem:mm_page_alloc_extfrag (see 'kmemlab doctor').");
		else if (!json_array_size(list))
			doc_remark(d, s,
				   pool_printf(&d->pool,
					       "%sNo fallback happened: every request was "
					       "served from pageblocks of its own type.",
					       result_prefix(d, in, i)));
		json_array_foreach (list, k, v) {
			struct doc_cell *c = rows_add(&r, i);
			c[0].text = copy_text(d, jstr(v, "from", NULL));
			c[1].text = copy_text(d, jstr(v, "to", NULL));
			c[2].value = jnum(v, "claimed");
			c[3].value = jnum(v, "stolen");
			c[5].value = jnum(v, "events");
		}
		if (json_is_array(list))
			row_fallbacks(&r, i, json_array_size(list));
	}
	r.t->bars = true;
	if (rows_end(&r, s))
		s->lead = "A request that finds no free block of its own migrate type takes from "
			  "another's. Claiming converts the whole pageblock; stealing leaves the "
			  "types mixed in it.";
}

static double waste(const json_t *v)
{
	double req = jnum(v, "bytes_req"), alloc = jnum(v, "bytes_alloc");

	return alloc > 0 ? 100 * (alloc - req) / alloc : NAN;
}

static void row_slab(struct doc_cell *c, struct report_doc *d, const json_t *v)
{
	double start = jnum(v, "objects_start"), end = jnum(v, "objects_end");
	double allocs = jnum(v, "allocs"), frees = jnum(v, "frees");

	c[0].text = copy_text(d, jstr(v, "name", NULL));
	c[1].value = jnum(v, "bytes_alloc");
	c[2].value = allocs;
	c[3].value = frees;
	c[4].value = allocs - frees;
	c[5].value = end - start;
	c[6].value = end;
	c[7].value = jnum(v, "slabs_end");
	c[8].value = jnum(v, "slabs_end") - jnum(v, "slabs_start");
	c[9].value = jnum(json_object_get(v, "reference"), "slabs_end");
	c[10].value = 100 * jnum(json_object_get(v, "reference"), "slabs_error");
	c[11].value = waste(v);
}

void section_slabs(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"cache", UNIT_TEXT, NULL},
		{"allocated", UNIT_BYTES, "bytes handed out over the whole recording"},
		{"allocs", UNIT_COUNT, NULL},
		{"frees", UNIT_COUNT, NULL},
		{"net, trace", UNIT_CHANGE, "allocations less frees seen"},
		{"net, slabinfo", UNIT_CHANGE,
		 "change of objects by /proc/slabinfo; where it differs, "
		 "frees (or allocations) of this cache go untraced"},
		{"objects", UNIT_COUNT, "at the end, by /proc/slabinfo"},
		{"slabs", UNIT_COUNT, "at the end, by /proc/slabinfo"},
		{"change", UNIT_CHANGE, "of slabs"},
		{"slabs, reference", UNIT_COUNT,
		 "at the end, where refmm's slab layer served the same requests"},
		{"error", UNIT_PERCENT, "of these against slabinfo's"},
		{"waste", UNIT_PERCENT, "of allocated bytes: allocated, but not asked for"},
	};
	struct doc_section *s = doc_section(d, "slabs", "Slab caches");
	struct rows r = rows_begin(d, in, "Caches, most allocated bytes first", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *list = json_object_get(in->results[i].root, "slabs");
		if (!json_array_size(list))
			section_missing(d, s, in, i,
					"Slab caches: no slab events in the trace; record with "
					"--probe slab.");
		json_array_foreach (list, k, v)
			row_slab(rows_add(&r, i), d, v);
	}
	if (!rows_end(&r, s))
		return;
	s->chart = "slabs";
	s->lead = "Objects of each cache, relative to the start of the recording. A line that only "
		  "rises grows, or its frees go untraced: compare \"net, trace\" with \"net, "
		  "slabinfo\". The reference does not free what no event frees, either.";
}

void section_sites(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"call site", UNIT_TEXT, "the code that asked"},
		{"allocs", UNIT_COUNT, NULL},
		{"frees", UNIT_COUNT, "of what this site allocated"},
		{"allocated", UNIT_BYTES, "over the whole recording"},
		{"waste", UNIT_PERCENT, "of allocated bytes: allocated, but not asked for"},
		{"live at end", UNIT_BYTES, "allocated in the recording and not freed in it"},
	};
	struct doc_section *s = doc_section(d, "sites", "Call sites by memory still held");
	struct rows r = rows_begin(d, in, "Call sites, most live bytes first", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *root = in->results[i].root;
		const json_t *list = json_object_get(root, "call_sites");
		if (!json_array_size(list))
			section_missing(d, s, in, i,
					"Call sites: no slab events in the trace; record with "
					"--probe slab.");
		json_array_foreach (list, k, v) {
			struct doc_cell *c = rows_add(&r, i);
			c[0].text = copy_text(d, jstr(v, "name", NULL));
			c[1].value = jnum(v, "allocs");
			c[2].value = jnum(v, "frees");
			c[3].value = jnum(v, "bytes_alloc");
			c[4].value = waste(v);
			c[5].value = jnum(v, "live_bytes_end");
			if (!k)
				doc_anchor(d, &c[5], i, "site-held");
		}
		if (jnum(root, "call_sites_left_out") > 0)
			doc_remark(d, s,
				   pool_printf(&d->pool,
					       "%s%.0f smaller call sites are "
					       "left out.",
					       result_prefix(d, in, i),
					       jnum(root, "call_sites_left_out")));
	}
	r.t->bars = true;
	if (rows_end(&r, s))
		s->lead = "Live means allocated while recording and not freed until its end: held "
			  "on purpose, leaked, or freed where no tracepoint looks.";
}
