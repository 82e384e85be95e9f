/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sec_difference.c - B minus A over time (compare/difference.h): runs of a result against its
 * reference, and the reference against the kernel; results against the first one; groups
 * against the base.
 */
#include <math.h>
#include <string.h>

#include "compare/difference.h"
#include "compare/figures.h"
#include "report/sections.h"

struct tables {
	const struct report_input *in;
	struct doc_table *bytes, *points;
};

static void rows_of(struct report_doc *d, const struct tables *t, const struct difference_side *a,
		    const struct difference_side *b)
{
	for (size_t m = 0; m < DIFFERENCE_SERIES; m++) {
		struct difference diff;
		struct doc_cell *c;

		if (!difference_wanted(t->in->comparison, m) || !difference_of(&diff, m, a, b))
			continue;
		c = doc_row(d, difference_series[m].unit == UNIT_BYTES ? t->bytes : t->points);
		c[0].text = pool_printf(&d->pool, "%s minus %s", b->title, a->title);
		c[1].text = difference_series[m].name;
		c[2].value = diff.mean;
		c[3].value = diff.most;
		c[4].value = diff.most_at_ns;
		c[5].value = diff.end;
		c[6].value = diff.apart_ns;
	}
}

/* Within a result: the reference minus the kernel, all others minus the reference. */
static void of_runs(struct report_doc *d, const struct tables *t)
{
	const json_t *root = t->in->results[0].root;
	json_t *observed = report_run(root, "observed"), *reference = report_run(root, "reference");
	size_t k;
	json_t *run;

	json_array_foreach (json_object_get(root, "runs"), k, run) {
		json_t *base = run == reference || !reference ? observed : reference;
		struct difference_side a = {root, base, run_title(d, t->in, 0, base)};
		struct difference_side b = {root, run, run_title(d, t->in, 0, run)};

		if (base && run != base && run != observed)
			rows_of(d, t, &a, &b);
	}
}

/* Of a result that is held against another: the kernel's run, or the first. */
static struct difference_side side_of(const struct report_input *in, size_t i)
{
	json_t *run = report_run(in->results[i].root, "observed");

	if (!run)
		run = json_array_get(json_object_get(in->results[i].root, "runs"), 0);
	return (struct difference_side){in->results[i].root, run, in->results[i].label};
}

static void of_results(struct report_doc *d, const struct tables *t)
{
	struct difference_side a = side_of(t->in, 0);

	for (size_t i = 1; i < t->in->n; i++) {
		struct difference_side b = side_of(t->in, i);

		rows_of(d, t, &a, &b);
	}
}

static void of_groups(struct report_doc *d, const struct tables *t)
{
	const struct comparison *c = t->in->comparison;
	struct difference_side a, b;

	for (size_t k = 0; k < c->n; k++)
		if (k != c->base && difference_side(t->in, c->base, &a) &&
		    difference_side(t->in, k, &b))
			rows_of(d, t, &a, &b);
}

static const char *lead(const struct report_input *in)
{
	if (in->comparison)
		return "Each group minus the base, at the same time since the start; of a group's "
		       "repetitions the first. In the charts any two runs can be chosen.";
	if (in->n > 1)
		return "Each result minus the first, at the same time since the start: the "
		       "kernel's run. In the charts any two runs can be chosen, and lengths be "
		       "made equal.";
	return "The reference minus the kernel is the model's error; another run minus the "
	       "reference is what its settings change.";
}

void section_difference(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column bytes[] = {
		{"difference", UNIT_TEXT, NULL},
		{"of", UNIT_TEXT, NULL},
		{"mean", UNIT_BYTES, "over the time that both have"},
		{"largest", UNIT_BYTES, NULL},
		{"at", UNIT_NS, "since the start, where it was largest"},
		{"end", UNIT_BYTES, "when the shorter one ended"},
		{"apart since", UNIT_NS,
		 "from then to the end it stayed on one side of 0, by more than two readings of an "
		 "idle kernel differ (0.2 % of free memory)"},
	};
	static const struct doc_column points[] = {
		{"difference", UNIT_TEXT, NULL},
		{"of", UNIT_TEXT, "share of free memory too scattered for the order"},
		{"mean", UNIT_POINTS, "over the time that both have; negative is better"},
		{"largest", UNIT_POINTS, NULL},
		{"at", UNIT_NS, "since the start, where it was largest"},
		{"end", UNIT_POINTS, "when the shorter one ended"},
		{"apart since", UNIT_NS,
		 "from then to the end it stayed on one side of 0, by more than two readings of an "
		 "idle kernel differ (0.2 points)"},
	};
	struct tables t = {in, doc_table_new(d, "Free memory", COLUMNS(bytes)),
			   doc_table_new(d, "Unusable free memory", COLUMNS(points))};
	struct doc_section *s;

	if (in->comparison)
		of_groups(d, &t);
	else if (in->n > 1)
		of_results(d, &t);
	else
		of_runs(d, &t);
	if (!t.bytes->rows && !t.points->rows)
		return;
	s = doc_section(d, "difference", "Differences over time");
	s->chart = "difference";
	s->lead = lead(in);
	if (t.bytes->rows)
		doc_table_add(s, t.bytes);
	if (t.points->rows)
		doc_table_add(s, t.points);
}
