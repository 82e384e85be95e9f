/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_allocators.c - who allocates what, and where: command, cache, call site. */
#include <math.h>

#include "report/sections.h"

enum { SHOWN = 60 };

static void row_allocator(const struct rows *r, size_t i, const json_t *v)
{
	struct doc_cell *c = rows_add(r, i);
	double req = jnum(v, "bytes_req"), alloc = jnum(v, "bytes_alloc");

	c[0].text = copy_text(r->d, jstr(v, "comm", NULL));
	c[1].text = copy_text(r->d, jstr(v, "what", NULL));
	c[2].text = copy_text(r->d, jstr(v, "call_site", jstr(v, "type", NULL)));
	c[3].value = jnum(v, "allocs");
	c[4].value = alloc;
	c[5].value = alloc - req;
	c[6].value = jnum(v, "freed_bytes");
	c[7].value = jnum(v, "live_bytes");
}

static void remark_shown(struct report_doc *d, struct doc_section *s, const struct report_input *in,
			 size_t i, const json_t *allocators)
{
	bool several = in->n > 1;

	doc_remark(
		d, s,
		pool_printf(&d->pool,
			    "%s%sThe table shows %d; the boxes hold %zu, and %.0f smaller ones as "
			    "one.",
			    several ? in->results[i].label : "", several ? ": " : "", SHOWN,
			    json_array_size(json_object_get(allocators, "rows")),
			    fmax(0, jnum(allocators, "left_out"))));
}

void section_allocators(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"command", UNIT_TEXT, "that ran on the CPU"},
		{"what", UNIT_TEXT, "cache, or order of pages"},
		{"call site", UNIT_TEXT, "the code that asked; of pages, their migrate type"},
		{"allocs", UNIT_COUNT, NULL},
		{"allocated", UNIT_BYTES, "over the whole recording"},
		{"waste", UNIT_BYTES, "of these: allocated, but not asked for"},
		{"churn", UNIT_BYTES, "allocated and freed again"},
		{"live at end", UNIT_BYTES, "allocated in the recording and not freed in it"},
	};
	struct doc_section *s = doc_section(d, "allocators", "Who allocates what");
	struct rows r = rows_begin(d, in, "Allocators, most live bytes first", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *rows = jpath(in->results[i].root, "allocators.rows");

		if (!json_array_size(rows))
			section_missing(d, s, in, i,
					"Who allocates what: not in the result; replay the trace "
					"again with this version.");
		json_array_foreach (rows, k, v)
			if (k < SHOWN)
				row_allocator(&r, i, v);
		if (json_array_size(rows) > SHOWN)
			remark_shown(d, s, in, i,
				     json_object_get(in->results[i].root, "allocators"));
	}
	r.t->bars = true;
	if (!rows_end(&r, s))
		return;
	s->chart = "allocators";
	s->lead = "Objects and pages apart, as the pages of slabs are counted as both. Each box's "
		  "width is its share: of the bytes live at the end, of the bytes allocated and "
		  "freed again, of the allocations, or of the bytes wasted inside objects.";
}
