/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compare_print.c - text and Markdown have a column a group, as people read; JSON
 * and CSV a row a figure, as programs do.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include <jansson.h>

#include "cli/compare_print.h"
#include "common/log.h"
#include "compare/difference.h"
#include "report/report.h"

enum { CELL_BYTES = 128 };

/* Decimals that leave something of @v: one, up to three of what would be 0.0. */
static int decimals(double v)
{
	int n = 1;

	for (double digits = 10; n < 3 && v != 0 && fabs(v) * digits < 0.5; digits *= 10)
		n++;
	return n;
}

/* Counts whole, the rest to a tenth; changes to what leaves something of them. */
static void number(char *text, size_t size, const struct measure *m, double v, bool sign)
{
	snprintf(text, size, sign ? "%+.*f" : "%.*f",
		 !*m->unit && v == floor(v) ? 0
		 : sign			    ? decimals(v)
					    : 1,
		 v);
}

/* "4.5" or "4.5 (4.4 to 4.6)" */
static const char *value_cell(char *text, const struct measure *m, const struct spread *s)
{
	char median[32], low[32], high[32];

	if (!s->n)
		return "-";
	number(median, sizeof(median), m, s->median, false);
	number(low, sizeof(low), m, s->min, false);
	number(high, sizeof(high), m, s->max, false);
	if (s->n > 1)
		snprintf(text, CELL_BYTES, "%s (%s to %s)", median, low, high);
	else
		snprintf(text, CELL_BYTES, "%s", median);
	return text;
}

/* "+20 (+4.4 %) *", "+0.2 points" */
static const char *change_cell(char *text, const struct group *g, const struct group *base,
			       size_t i)
{
	struct change c;
	char absolute[32], percent[32] = "";

	if (!group_change(g, base, i, &c))
		return "-";
	if (c.absolute == 0)
		return "=";
	number(absolute, sizeof(absolute), &measures[i], c.absolute, true);
	/* A percentage of a percentage would be taken for its difference. */
	if (*measures[i].unit == '%')
		snprintf(percent, sizeof(percent), " points");
	else if (!isnan(c.percent))
		snprintf(percent, sizeof(percent), " (%+.*f %%)", decimals(c.percent), c.percent);
	snprintf(text, CELL_BYTES, "%s%s%s", absolute, percent, c.beyond_spread ? " *" : "");
	return text;
}

static int wide_row(struct out_table *t, const struct comparison *c, size_t i)
{
	static char cells[2 * GROUPS_MAX][CELL_BYTES];
	union out_value row[2 * GROUPS_MAX + 2] = {{.s = measures[i].name},
						   {.s = measures[i].unit}};
	const struct group *base = &c->groups[c->base];
	size_t at = 2;

	row[at++].s = value_cell(cells[0], &measures[i], &base->spread[i]);
	for (size_t k = 0; k < c->n; k++) {
		if (k == c->base)
			continue;
		row[at].s = value_cell(cells[at], &measures[i], &c->groups[k].spread[i]);
		row[at + 1].s = change_cell(cells[at + 1], &c->groups[k], base, i);
		at += 2;
	}
	return out_table_row(t, row);
}

static int print_wide(const struct comparison *c, enum out_format format)
{
	struct out_column columns[2 * GROUPS_MAX + 2] = {{"measure", "measure", OUT_STRING},
							 {"unit", "unit", OUT_STRING}};
	struct out_table *t;
	size_t at = 2;
	int err = 0;

	columns[at++] = (struct out_column){c->groups[c->base].name, "base", OUT_STRING};
	for (size_t k = 0; k < c->n; k++) {
		if (k == c->base)
			continue;
		columns[at++] = (struct out_column){c->groups[k].name, "value", OUT_STRING};
		columns[at++] = (struct out_column){"change", "change", OUT_STRING};
	}
	t = out_table_new("comparison", columns, at);
	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < MEASURES && !err; i++)
		if (comparison_wants(c, i))
			err = wide_row(t, c, i);
	if (!err)
		err = out_table_print(t, format);
	out_table_free(t);
	return err;
}

static void print_rank(const struct comparison *c)
{
	const struct measure *m = &measures[c->rank];
	size_t order[GROUPS_MAX];
	char text[CELL_BYTES];

	group_rank(c->groups, c->n, c->rank, order);
	out_text("\nBy %s (%s%s):", m->name, m->what,
		 m->better > 0	 ? "; more is better"
		 : m->better < 0 ? "; less is better"
				 : "");
	for (size_t k = 0; k < c->n; k++)
		out_text("%s %s %s", k ? "," : "", c->groups[order[k]].name,
			 value_cell(text, m, &c->groups[order[k]].spread[c->rank]));
	out_text("\n%s\n", comparison_spread(c) ? COMPARISON_SPREAD : COMPARISON_NO_SPREAD);
}

/* ---- Over time ----------------------------------------------------------- */

/* The sides of group @k against the base; false: it is the base, or has no run. */
static bool sides_of(const struct report_input *in, size_t k, struct difference_side *a,
		     struct difference_side *b)
{
	size_t base = in->comparison->base;

	return k != base && difference_side(in, base, a) && difference_side(in, k, b);
}

static int difference_rows(struct out_table *t, const struct comparison *c,
			   const struct difference_side *a, const struct difference_side *b)
{
	char title[2 * GROUP_NAME_BYTES + 8], cell[5][REPORT_NUMBER_BYTES];
	int err = 0;

	snprintf(title, sizeof(title), "%s minus %s", b->title, a->title);
	for (size_t i = 0; i < DIFFERENCE_SERIES && !err; i++) {
		enum report_unit unit = difference_series[i].unit;
		struct difference d;

		if (!difference_wanted(c, i) || !difference_of(&d, i, a, b))
			continue;
		err = out_table_row(t, (union out_value[]){
					       {.s = title},
					       {.s = difference_series[i].name},
					       {.s = format_number(cell[0], d.mean, unit)},
					       {.s = format_number(cell[1], d.most, unit)},
					       {.s = format_number(cell[2], d.most_at_ns, UNIT_NS)},
					       {.s = format_number(cell[3], d.end, unit)},
					       {.s = format_number(cell[4], d.apart_ns, UNIT_NS)},
				       });
	}
	return err;
}

static int print_differences(const struct report_input *in, enum out_format format)
{
	static const struct out_column columns[] = {
		{"over time", "difference", OUT_STRING},
		{"of", "of", OUT_STRING},
		{"mean", "mean", OUT_STRING},
		{"largest", "largest", OUT_STRING},
		{"at", "at", OUT_STRING},
		{"end", "end", OUT_STRING},
		{"apart since", "apart_since", OUT_STRING},
	};
	struct out_table *t = out_table_new("differences", columns, 7);
	struct difference_side a, b;
	int err = t ? 0 : -ENOMEM;

	for (size_t k = 0; k < in->comparison->n && !err; k++)
		if (sides_of(in, k, &a, &b))
			err = difference_rows(t, in->comparison, &a, &b);
	if (!err && out_table_rows(t)) {
		out_text("\n");
		err = out_table_print(t, format);
		out_text(
			"\nat the same moments since the start, while both last; apart since: from "
			"then on one side of the base, by more than two readings of an idle kernel "
			"differ\n");
	}
	out_table_free(t);
	return err;
}

static json_t *differences_json(const struct report_input *in)
{
	json_t *list = json_array();
	struct difference_side a, b;

	for (size_t k = 0; k < in->comparison->n; k++) {
		json_t *one =
			sides_of(in, k, &a, &b) ? difference_json(in->comparison, &a, &b) : NULL;

		if (one)
			json_array_append_new(list, one);
	}
	return list;
}

/* ---- All ----------------------------------------------------------------- */

static int print_json(const struct report_input *in)
{
	const struct comparison *c = in->comparison;
	json_t *figures = json_array(), *ranked = json_array();
	size_t order[GROUPS_MAX];

	group_rank(c->groups, c->n, c->rank, order);
	for (size_t k = 0; k < c->n; k++) {
		json_array_append_new(ranked, json_string(c->groups[order[k]].name));
		for (size_t i = 0; i < MEASURES; i++)
			if (comparison_wants(c, i) && c->groups[k].spread[i].n)
				json_array_append_new(figures, comparison_figure(c, k, i));
	}
	return out_json(json_pack("{s:s, s:s, s:o, s:o, s:o}", "base", c->groups[c->base].name,
				  "ranked_by", measures[c->rank].name, "ranked", ranked, "figures",
				  figures, "differences", differences_json(in)));
}

static void put_quoted(const char *s)
{
	out_text("\"");
	for (; *s; s++)
		out_text(*s == '"' ? "\"\"" : "%c", *s);
	out_text("\"");
}

static void csv_row(const struct comparison *c, size_t k, size_t i)
{
	const struct spread *s = &c->groups[k].spread[i];
	struct change change;

	put_quoted(c->groups[k].name);
	out_text(",%s,%s,%zu,%.9g,%.9g,%.9g", measures[i].name, measures[i].unit, s->n, s->median,
		 s->min, s->max);
	if (k == c->base || !group_change(&c->groups[k], &c->groups[c->base], i, &change))
		out_text(",,,\n");
	else if (isnan(change.percent))
		out_text(",%.9g,,%d\n", change.absolute, change.beyond_spread);
	else
		out_text(",%.9g,%.9g,%d\n", change.absolute, change.percent, change.beyond_spread);
}

static int print_csv(const struct comparison *c)
{
	out_text("group,measure,unit,runs,median,min,max,change,change_percent,beyond_spread\n");
	for (size_t k = 0; k < c->n; k++)
		for (size_t i = 0; i < MEASURES; i++)
			if (comparison_wants(c, i) && c->groups[k].spread[i].n)
				csv_row(c, k, i);
	return 0;
}

int compare_print(const struct report_input *in, enum out_format format)
{
	const struct comparison *c = in->comparison;
	int err;

	if (format == OUT_JSON)
		return print_json(in);
	if (format == OUT_CSV)
		return print_csv(c);
	err = print_wide(c, format);
	if (!err && c->n > 1)
		print_rank(c);
	return err ? err : print_differences(in, format);
}

int compare_list(void)
{
	static const struct out_column columns[] = {
		{"measure", "measure", OUT_STRING},
		{"unit", "unit", OUT_STRING},
		{"better", "better", OUT_STRING},
		{"what", "what", OUT_STRING},
	};
	struct out_table *t = out_table_new("measures", columns, 4);
	int err = t ? 0 : -ENOMEM;

	for (size_t i = 0; i < MEASURES && !err; i++) {
		const struct measure *m = &measures[i];
		const char *better = m->better > 0 ? "more" : m->better < 0 ? "less" : "";

		err = out_table_row(
			t, (union out_value[]){
				   {.s = m->name}, {.s = m->unit}, {.s = better}, {.s = m->what}});
	}
	if (!err)
		err = out_table_print(t, OUT_TEXT);
	out_table_free(t);
	return err ? EXIT_FAILED : EXIT_DONE;
}
