/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_measures.c - all runs of a result by all measures, and how they differ. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/measure.h"
#include "report/facts.h"
#include "report/sections.h"

/* What others are compared with: the reference, else the kernel, else the first. */
static json_t *base_of(const json_t *root)
{
	json_t *base = report_run(root, "reference");

	if (!base)
		base = report_run(root, "observed");
	return base ? base : json_array_get(json_object_get(root, "runs"), 0);
}

static const char *wanted(int better)
{
	return better > 0 ? "more" : better < 0 ? "less" : "";
}

/* Better, worse or the same, where that can be said; the model's own runs only. */
static const char *judge(const json_t *run, const json_t *base, size_t m)
{
	double change = measure_of(run, m) - measure_of(base, m);

	if (run == base || isnan(change) || !measures[m].better)
		return NULL;
	if (!strcmp(jstr(run, "name", ""), "observed"))
		return NULL;
	if (change == 0)
		return "same";
	return change * measures[m].better > 0 ? "better" : "worse";
}

static void row_measure(const struct rows *r, size_t i, size_t m, json_t *run, const json_t *base)
{
	double value = measure_of(run, m), from = measure_of(base, m);
	struct doc_cell *c;

	if (isnan(value))
		return;
	c = rows_add(r, i);
	c[0].text = measures[m].name;
	c[1].text = run_title(r->d, &(struct report_input){.n = 1}, 0, run);
	c[2].text = *measures[m].unit ? measures[m].unit : "times";
	c[3].text = wanted(measures[m].better);
	c[4].value = value;
	if (run != base) {
		c[5].value = value - from;
		c[6].value = from != 0 ? 100 * (value - from) / fabs(from) : NAN;
	}
	c[7].text = judge(run, base, m);
}

void section_measures(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"measure", UNIT_TEXT, "as in 'kmemlab compare'"},
		{"run", UNIT_TEXT, NULL},
		{"unit", UNIT_TEXT, NULL},
		{"wanted", UNIT_TEXT, "whether less or more is better; empty: neither"},
		{"value", UNIT_REAL, NULL},
		{"difference", UNIT_REAL, "from the reference, or where there is none the kernel"},
		{"in percent", UNIT_PERCENT, "of the reference's"},
		{"is", UNIT_TEXT, "of what-if runs, against the reference"},
	};
	struct doc_section *s = doc_section(d, "measures", "All runs by all measures");
	struct rows r = rows_begin(d, in, "Measures, run by run", COLUMNS(columns));
	const char *note = "";
	size_t k;
	json_t *run;

	for (size_t i = 0; i < in->n; i++)
		for (size_t m = 0; m < MEASURES; m++)
			json_array_foreach (json_object_get(in->results[i].root, "runs"), k, run)
				row_measure(&r, i, m, run, base_of(in->results[i].root));
	if (!rows_end(&r, s)) {
		doc_absent(d, s, "Measures: no run in the result has any; replay the trace again.");
		return;
	}
	r.t->folded = true;
	s->lead = "The figures of 'kmemlab compare', with each run's difference from the "
		  "reference. One run shows no spread: 'kmemlab sweep' makes many of them.";
	for (size_t m = 0; m < MEASURES; m++)
		note = pool_printf(&d->pool, "%s%s%s: %s", note, m ? "; " : "", measures[m].name,
				   measures[m].what);
	doc_note(d, s, "What is measured", note);
}
