/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_areas.c - per-CPU memory and vmalloc: the kernel's figures beside the reference's. */
#include <math.h>

#include "report/sections.h"

/* A figure of one allocator; NULL: that side does not have it. */
struct figure {
	const char *allocator, *kernel, *reference;
	const char *title;
};

static const struct figure figures[] = {
	{"percpu", "allocs", NULL, "per-CPU areas allocated"},
	{"percpu", "frees", NULL, "per-CPU areas freed"},
	{"percpu", "failed", "failed", "per-CPU allocations that failed"},
	{"percpu", "peak", NULL, "bytes of one CPU, allocated since the start, at most"},
	{"percpu", "chunks_created", "chunks_max", "chunks made (the reference begins with none)"},
	{"percpu", NULL, "pages_per_cpu", "pages of one CPU that are populated at the end"},
	{"vmalloc", "allocs", NULL, "vmalloc areas allocated"},
	{"vmalloc", "frees", NULL, "vmalloc areas freed"},
	{"vmalloc", "failed", "failed", "areas for which there was no room"},
	{"vmalloc", "peak", NULL, "pages of address space, allocated since the start, at most"},
	{"vmalloc", "purges", "purges", "purges of freed areas"},
	{"vmalloc", "purged_areas", "purged_areas", "areas that purges gave back"},
	{"vmalloc", NULL, "lazy_pages", "pages of address space that wait for a purge at the end"},
};

static double number(const json_t *areas, const char *allocator, const char *side, const char *key)
{
	const json_t *of = json_object_get(json_object_get(areas, allocator), side);

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
			c[1].value = number(areas, f->allocator, "kernel", f->kernel);
			c[2].value = number(areas, f->allocator, "reference", f->reference);
		}
	}
	if (rows_end(&r, s))
		s->lead = "Neither allocator's state at the start can be read, so the reference "
			  "begins "
			  "empty and serves what the trace allocates.";
}
