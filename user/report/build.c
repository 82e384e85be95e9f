/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* build.c - the whole document, in the order people need it. */
#include <errno.h>
#include <math.h>

#include "compare/figures.h"
#include "report/sections.h"
#include "report/verdict.h"

static void build_verdicts(struct report_doc *d, const struct report_input *in)
{
	d->verdicts = pool_alloc(&d->pool, in->n * sizeof(*d->verdicts));
	if (!d->verdicts)
		return;
	d->n_verdicts = in->n;
	for (size_t i = 0; i < in->n; i++) {
		struct report_facts f;
		report_facts(&f, in->results[i].root);
		d->verdicts[i].label = copy_text(d, in->results[i].label);
		report_verdict(&d->verdicts[i], &f, &d->pool);
	}
}

static const char *kernel_of(const json_t *root)
{
	const json_t *host = json_object_get(root, "host");
	static const char *const key[] = {"kernel", "release", "kernel_release"};

	for (size_t i = 0; i < sizeof(key) / sizeof(*key); i++)
		if (jstr(host, key[i], NULL))
			return jstr(host, key[i], NULL);
	return jstr(json_object_get(host, "uname"), "release", "of unknown version");
}

static void title_comparison(struct report_doc *d, const struct comparison *c)
{
	const char *names = "";
	size_t others = 0;

	for (size_t k = 0; k < c->n; k++)
		if (k != c->base)
			names = pool_printf(&d->pool, "%s%s%s", names, others++ ? ", " : "",
					    c->groups[k].name);
	d->title = pool_printf(&d->pool, "%s%s%s", names, others ? " against " : "",
			       c->groups[c->base].name);
	d->subtitle = c->run ? pool_printf(&d->pool, "Run '%s' of each result", c->run)
			     : "The runs of one result";
}

static void build_title(struct report_doc *d, const struct report_input *in)
{
	const json_t *root = in->results[0].root;
	const json_t *trace = json_object_get(root, "trace");
	char events[REPORT_NUMBER_BYTES], length[REPORT_NUMBER_BYTES];

	if (in->comparison) {
		title_comparison(d, in->comparison);
		return;
	}
	if (in->n > 1) {
		d->title = pool_printf(&d->pool, "%zu results compared", in->n);
		const char *names = in->results[0].label;
		for (size_t i = 1; i < in->n; i++)
			names = pool_printf(&d->pool, "%s, %s", names, in->results[i].label);
		d->subtitle = pool_printf(&d->pool, "%s", names);
		return;
	}
	d->title = copy_text(d, in->results[0].label);
	d->subtitle = pool_printf(&d->pool, "Linux %s, %s recorded, %s events", kernel_of(root),
				  format_number(length, jnum(trace, "duration_ns"), UNIT_NS),
				  format_number(events, jnum(trace, "events"), UNIT_COUNT));
}

/* Only where several results are shown: the figures that differ. */
void section_summary(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"events", UNIT_COUNT, NULL},
		{"length", UNIT_NS, NULL},
		{"free, start", UNIT_BYTES, "kernel"},
		{"free, end", UNIT_BYTES, "kernel"},
		{"unusable 9, start", UNIT_PERCENT, "of free memory, order 9, kernel"},
		{"unusable 9, end", UNIT_PERCENT, "of free memory, order 9, kernel"},
		{"fallbacks", UNIT_COUNT, "between migrate types"},
		{"model's distance", UNIT_REAL, "earth mover's distance of the reference"},
	};

	if (in->n == 1)
		return;
	struct doc_section *s = doc_section(d, "summary", "Side by side");
	struct rows r = rows_begin(d, in, "The results' main figures", COLUMNS(columns));
	for (size_t i = 0; i < in->n; i++) {
		struct report_facts f;
		report_facts(&f, in->results[i].root);
		struct doc_cell *c = rows_add(&r, i);
		c[0].value = jnum(json_object_get(in->results[i].root, "trace"), "events");
		c[1].value = f.seconds_ns;
		c[2].value = f.free_start;
		c[3].value = f.free_end;
		c[4].value = f.unusable_start[2];
		c[5].value = f.unusable_end[2];
		c[6].value = f.fallbacks_known ? f.fallbacks : NAN;
		c[7].value = f.emd;
	}
	rows_end(&r, s);
}

static void (*const report_sections[])(struct report_doc *, const struct report_input *) = {
	section_summary,
	section_advice,
	section_trust,
	section_fidelity,
	section_free,
	section_stalls,
	section_unusable,
	section_difference,
	section_map,
	section_fallbacks,
	section_culprits,
	section_slabs,
	section_areas,
	section_allocators,
	section_sites,
	section_lifetimes,
	section_latency,
	section_paths,
	section_unmatched,
	section_policies,
	section_measures,
	section_commands,
	NULL,
};

/* What two things differ in, and why that is to be believed. */
static void (*const comparison_sections[])(struct report_doc *, const struct report_input *) = {
	section_comparison, section_difference, section_free,	  section_unusable,
	section_trust,	    section_fidelity,	section_commands, NULL,
};

int report_build(struct report_doc *d, const struct report_input *in)
{
	void (*const *build)(struct report_doc *, const struct report_input *) =
		in->comparison ? comparison_sections : report_sections;

	*d = (struct report_doc){0};
	build_title(d, in);
	if (!in->comparison)
		build_verdicts(d, in);
	for (; *build; build++)
		(*build)(d, in);
	return d->pool.failed ? -ENOMEM : 0;
}
