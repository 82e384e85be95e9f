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

enum { CELL_BYTES = 128 };

static bool wanted(const struct compare_view *v, const struct group *groups, size_t n, size_t i)
{
	if (v->measures)
		return v->measures >> i & 1;
	for (size_t k = 0; k < n; k++)
		if (groups[k].spread[i].n)
			return true;
	return false;
}

/* Counts whole, the rest to a tenth. */
static void number(char *text, size_t size, const struct measure *m, double v, bool sign)
{
	snprintf(text, size, sign ? "%+.*f" : "%.*f", *m->unit || v != floor(v) ? 1 : 0, v);
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
		snprintf(percent, sizeof(percent), " (%+.1f %%)", c.percent);
	snprintf(text, CELL_BYTES, "%s%s%s", absolute, percent, c.beyond_spread ? " *" : "");
	return text;
}

static int wide_row(struct out_table *t, const struct compare_view *v, const struct group *groups,
		    size_t n, size_t i)
{
	static char cells[2 * GROUPS_MAX][CELL_BYTES];
	union out_value row[2 * GROUPS_MAX + 2] = {{.s = measures[i].name},
						   {.s = measures[i].unit}};
	const struct group *base = &groups[v->base];
	size_t c = 2;

	row[c++].s = value_cell(cells[0], &measures[i], &base->spread[i]);
	for (size_t k = 0; k < n; k++) {
		if (k == v->base)
			continue;
		row[c].s = value_cell(cells[c], &measures[i], &groups[k].spread[i]);
		row[c + 1].s = change_cell(cells[c + 1], &groups[k], base, i);
		c += 2;
	}
	return out_table_row(t, row);
}

static int print_wide(const struct compare_view *v, const struct group *groups, size_t n)
{
	struct out_column columns[2 * GROUPS_MAX + 2] = {{"measure", "measure", OUT_STRING},
							 {"unit", "unit", OUT_STRING}};
	struct out_table *t;
	size_t c = 2;
	int err = 0;

	columns[c++] = (struct out_column){groups[v->base].name, "base", OUT_STRING};
	for (size_t k = 0; k < n; k++) {
		if (k == v->base)
			continue;
		columns[c++] = (struct out_column){groups[k].name, "value", OUT_STRING};
		columns[c++] = (struct out_column){"change", "change", OUT_STRING};
	}
	t = out_table_new("comparison", columns, c);
	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < MEASURES && !err; i++)
		if (wanted(v, groups, n, i))
			err = wide_row(t, v, groups, n, i);
	if (!err)
		err = out_table_print(t, v->format);
	out_table_free(t);
	return err;
}

static void print_rank(const struct compare_view *v, const struct group *groups, size_t n)
{
	const struct measure *m = &measures[v->rank];
	size_t order[GROUPS_MAX];
	char text[CELL_BYTES];
	bool spread = false;

	group_rank(groups, n, v->rank, order);
	out_text("\nBy %s (%s%s):", m->name, m->what,
		 m->better > 0	 ? "; more is better"
		 : m->better < 0 ? "; less is better"
				 : "");
	for (size_t k = 0; k < n; k++)
		out_text("%s %s %s", k ? "," : "", groups[order[k]].name,
			 value_cell(text, m, &groups[order[k]].spread[v->rank]));
	out_text("\n");
	for (size_t k = 0; k < n; k++)
		spread |= groups[k].runs > 1;
	out_text(spread ? "* differs by more than the groups vary from run to run\n"
			: "One run of each: whether a difference is more than chance is not "
			  "known\n");
}

static json_t *figure(const struct compare_view *v, const struct group *groups, size_t k, size_t i)
{
	const struct spread *s = &groups[k].spread[i];
	struct change c;
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:f, s:f, s:f}", "group", groups[k].name,
			      "measure", measures[i].name, "unit", measures[i].unit, "runs",
			      (json_int_t)s->n, "median", s->median, "min", s->min, "max", s->max);

	if (k == v->base || !group_change(&groups[k], &groups[v->base], i, &c))
		return o;
	json_object_set_new(o, "change", json_real(c.absolute));
	if (!isnan(c.percent))
		json_object_set_new(o, "change_percent", json_real(c.percent));
	json_object_set_new(o, "beyond_spread", json_boolean(c.beyond_spread));
	return o;
}

static int print_json(const struct compare_view *v, const struct group *groups, size_t n)
{
	json_t *figures = json_array(), *ranked = json_array();
	size_t order[GROUPS_MAX];

	group_rank(groups, n, v->rank, order);
	for (size_t k = 0; k < n; k++) {
		json_array_append_new(ranked, json_string(groups[order[k]].name));
		for (size_t i = 0; i < MEASURES; i++)
			if (wanted(v, groups, n, i) && groups[k].spread[i].n)
				json_array_append_new(figures, figure(v, groups, k, i));
	}
	return out_json(json_pack("{s:s, s:s, s:o, s:o}", "base", groups[v->base].name, "ranked_by",
				  measures[v->rank].name, "ranked", ranked, "figures", figures));
}

static int print_csv(const struct compare_view *v, const struct group *groups, size_t n)
{
	out_text("group,measure,unit,runs,median,min,max,change,change_percent,beyond_spread\n");
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < MEASURES; i++) {
			const struct spread *s = &groups[k].spread[i];
			struct change c;

			if (!wanted(v, groups, n, i) || !s->n)
				continue;
			out_text("\"%s\",%s,%s,%zu,%.9g,%.9g,%.9g", groups[k].name,
				 measures[i].name, measures[i].unit, s->n, s->median, s->min,
				 s->max);
			if (k == v->base || !group_change(&groups[k], &groups[v->base], i, &c))
				out_text(",,,\n");
			else if (isnan(c.percent))
				out_text(",%.9g,,%d\n", c.absolute, c.beyond_spread);
			else
				out_text(",%.9g,%.9g,%d\n", c.absolute, c.percent, c.beyond_spread);
		}
	}
	return 0;
}

int compare_print(const struct compare_view *v, const struct group *groups, size_t n)
{
	int err;

	if (v->format == OUT_JSON)
		return print_json(v, groups, n);
	if (v->format == OUT_CSV)
		return print_csv(v, groups, n);
	err = print_wide(v, groups, n);
	if (!err && n > 1)
		print_rank(v, groups, n);
	return err;
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
