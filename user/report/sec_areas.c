/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_areas.c - per-CPU memory and vmalloc: the kernel's figures beside the reference's. */
#include <math.h>

#include "report/sections.h"

/* A figure of one allocator; NULL: that side does not have it. */
struct figure {
	const char *allocator, *moment; /* NULL: of the whole recording */
	const char *kernel, *reference;
	const char *title;
};

static const struct figure figures[] = {
	{"percpu", "start", "areas", "areas", "per-CPU areas at the start"},
	{"percpu", NULL, "allocs", NULL, "per-CPU areas allocated"},
	{"percpu", NULL, "frees", NULL, "per-CPU areas freed"},
	{"percpu", NULL, "failed", "failed", "per-CPU allocations that failed"},
	{"percpu", NULL, "peak", NULL, "bytes of one CPU in areas, at most"},
	{"percpu", NULL, "chunks_created", NULL, "chunks made"},
	{"percpu", NULL, NULL, "pages_per_cpu", "pages of one CPU that are populated at the end"},
	{"percpu", "end", "chunks", "chunks", "chunks at the end"},
	{"percpu", "end", "areas", "areas", "per-CPU areas at the end"},
	{"percpu", "end", "bytes", "bytes", "bytes of one CPU in them"},
	{"vmalloc", "start", "areas", NULL, "vmalloc areas at the start"},
	{"vmalloc", NULL, "allocs", NULL, "vmalloc areas allocated"},
	{"vmalloc", NULL, "frees", NULL, "vmalloc areas freed"},
	{"vmalloc", NULL, "failed", "failed", "areas for which there was no room"},
	{"vmalloc", NULL, "peak", NULL, "pages of address space in areas, at most"},
	{"vmalloc", "end", "areas", "areas", "vmalloc areas at the end"},
	{"vmalloc", "end", "pages", "pages", "pages of address space in them"},
	{"vmalloc", "end", "holes", "holes", "holes between them"},
	{"vmalloc", "end", "largest_hole_pages", "largest_hole_pages", "pages of the largest hole"},
	{"vmalloc", NULL, "purges", "purges", "purges of freed areas"},
	{"vmalloc", NULL, "purged_areas", "purged_areas", "areas that purges gave back"},
	{"vmalloc", NULL, NULL, "lazy_pages",
	 "pages of address space that wait for a purge at the end"},
};

/* What vmalloc starts with is the same for both sides. */
static double number(const json_t *areas, const struct figure *f, const char *side, const char *key)
{
	const json_t *of = json_object_get(areas, f->allocator);

	if (f->moment)
		of = json_object_get(of, f->moment);
	if (json_object_get(of, side))
		of = json_object_get(of, side);
	return key ? jnum(of, key) : NAN;
}

void section_areas(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"what", UNIT_TEXT, NULL},
		{"kernel", UNIT_COUNT, "as the trace shows it"},
		{"reference", UNIT_COUNT, "what refmm's layers made of the same requests"},
	};
	struct doc_section *s = doc_section(d, "areas", "Per-CPU memory and vmalloc");
	struct rows r = rows_begin(d, in, "The same requests, twice", COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++) {
		const json_t *areas = json_object_get(in->results[i].root, "areas");

		if (!areas) {
			section_missing(d, s, in, i,
					"Per-CPU memory and vmalloc: not recorded; see 'kmemlab "
					"record --probe percpu,vmalloc'.");
			continue;
		}
		for (size_t k = 0; k < sizeof(figures) / sizeof(*figures); k++) {
			const struct figure *f = &figures[k];
			struct doc_cell *c = rows_add(&r, i);

			c[0].text = f->title;
			c[1].value = number(areas, f, "kernel", f->kernel);
			c[2].value = number(areas, f, "reference", f->reference);
		}
	}
	if (rows_end(&r, s))
		s->lead = "The reference begins with what the recorder could read of the start, or "
			  "empty where that was nothing, and serves what the trace allocates.";
}
