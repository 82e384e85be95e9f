/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sec_difference.c - B minus A over time: runs of a result against its reference, and
 * the reference against the kernel; results against the first one.
 *
 * Both are read at the same time since their starts, over the time that both have; B at
 * its last sample before, as its series are states that last until the next.
 */
#include <math.h>
#include <string.h>

#include "compare/figures.h"
#include "report/sections.h"

/* One line over time, in the unit of the table. */
struct line {
	const json_t *time_ns, *values;
	double scale;
};

struct difference {
	double mean, most, most_at_ns, end;
};

static double value_at(const struct line *l, double ns)
{
	size_t low = 0, high = json_array_size(l->time_ns);

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (jat(l->time_ns, middle) <= ns)
			low = middle;
		else
			high = middle;
	}
	return l->scale * jat(l->values, low);
}

/* false: one of them has no samples */
static bool subtract(struct difference *out, const struct line *a, const struct line *b)
{
	size_t n = json_array_size(a->values), used = 0;
	double sum = 0, last_ns = jlast(b->time_ns);

	*out = (struct difference){0};
	for (size_t i = 0; i < n; i++) {
		double ns = jat(a->time_ns, i);
		double v = value_at(b, ns) - a->scale * jat(a->values, i);

		if (ns > last_ns || isnan(v))
			continue;
		sum += v;
		used++;
		out->end = v;
		if (fabs(v) > fabs(out->most)) {
			out->most = v;
			out->most_at_ns = ns;
		}
	}
	out->mean = used ? sum / (double)used : NAN;
	return used;
}

static const struct {
	const char *name, *path;
	enum report_unit unit;
} series[] = {
	{"free memory", "free_pages", UNIT_BYTES},
	{"unusable at order 3", "unusable.3", UNIT_POINTS},
	{"unusable at order 4", "unusable.4", UNIT_POINTS},
	{"unusable at order 9", "unusable.9", UNIT_POINTS},
};

struct side {
	const json_t *root;
	json_t *run;
	const char *title;
};

static struct line line_of(const struct side *s, size_t m)
{
	return (struct line){
		.time_ns = json_object_get(s->root, "time_ns"),
		.values = jpath(s->run, series[m].path),
		.scale = series[m].unit == UNIT_BYTES ? report_page_bytes(s->root) : 0.1,
	};
}

static void rows_of(struct report_doc *d, struct doc_table *bytes, struct doc_table *points,
		    const struct side *a, const struct side *b)
{
	for (size_t m = 0; m < sizeof(series) / sizeof(*series); m++) {
		struct line from = line_of(a, m), to = line_of(b, m);
		struct difference diff;
		struct doc_cell *c;

		if (!subtract(&diff, &from, &to))
			continue;
		c = doc_row(d, series[m].unit == UNIT_BYTES ? bytes : points);
		c[0].text = pool_printf(&d->pool, "%s minus %s", b->title, a->title);
		c[1].text = series[m].name;
		c[2].value = diff.mean;
		c[3].value = diff.most;
		c[4].value = diff.most_at_ns;
		c[5].value = diff.end;
	}
}

/* Within a result: the reference minus the kernel, all others minus the reference. */
static void of_runs(struct report_doc *d, struct doc_table *bytes, struct doc_table *points,
		    const struct report_input *in)
{
	const json_t *root = in->results[0].root;
	json_t *observed = report_run(root, "observed"), *reference = report_run(root, "reference");
	size_t k;
	json_t *run;

	json_array_foreach (json_object_get(root, "runs"), k, run) {
		json_t *base = run == reference || !reference ? observed : reference;
		struct side a = {root, base, run_title(d, in, 0, base)};
		struct side b = {root, run, run_title(d, in, 0, run)};

		if (base && run != base && run != observed)
			rows_of(d, bytes, points, &a, &b);
	}
}

/* Of a result that is held against another: the run asked for, the kernel's, or the first. */
static struct side side_of(const struct report_input *in, size_t i)
{
	const char *name = in->comparison && in->comparison->run ? in->comparison->run : "observed";
	json_t *run = report_run(in->results[i].root, name);

	if (!run)
		run = json_array_get(json_object_get(in->results[i].root, "runs"), 0);
	return (struct side){in->results[i].root, run, in->results[i].label};
}

static void of_results(struct report_doc *d, struct doc_table *bytes, struct doc_table *points,
		       const struct report_input *in)
{
	struct side a = side_of(in, 0);

	for (size_t i = 1; i < in->n; i++) {
		struct side b = side_of(in, i);

		rows_of(d, bytes, points, &a, &b);
	}
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
	};
	static const struct doc_column points[] = {
		{"difference", UNIT_TEXT, NULL},
		{"of", UNIT_TEXT, "share of free memory too scattered for the order"},
		{"mean", UNIT_POINTS, "over the time that both have; negative is better"},
		{"largest", UNIT_POINTS, NULL},
		{"at", UNIT_NS, "since the start, where it was largest"},
		{"end", UNIT_POINTS, "when the shorter one ended"},
	};
	struct doc_table *b = doc_table_new(d, "Free memory", bytes, 6);
	struct doc_table *p = doc_table_new(d, "Unusable free memory", points, 6);
	struct doc_section *s;

	if (in->n > 1)
		of_results(d, b, p, in);
	else
		of_runs(d, b, p, in);
	if (!b->rows && !p->rows)
		return;
	s = doc_section(d, "difference", "Differences over time");
	s->chart = "difference";
	s->lead =
		in->n > 1
			? "Each result minus the first, at the same time since the start: the "
			  "kernel's run, unless another was asked for. In the charts any two runs "
			  "can be chosen, and lengths be made equal."
			: "The reference minus the kernel is the model's error; another run minus "
			  "the reference is what its settings change.";
	if (b->rows)
		doc_table_add(s, b);
	if (p->rows)
		doc_table_add(s, p);
}
