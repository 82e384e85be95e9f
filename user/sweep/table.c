/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * table.c - see table.h. Traces differ more than settings do, so a combination is held
 * against the reference trace by trace, and the changes are summed up: median, and the
 * range over the traces.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "compare/faithful.h"
#include "compare/prediction.h"
#include "sweep/table.h"

enum { CELL_BYTES = 96, NAME_BYTES = 640 };

/* All lines, sorted by trace and settings by sweep_merge()'s sort keys. */
struct table {
	json_t **line;
	size_t n;
	char **settings; /* combinations, "" first */
	size_t nr_settings;
};

static const char *text_of(const json_t *line, const char *key)
{
	const char *s = json_string_value(json_object_get(line, key));

	return s ? s : "";
}

static int parse(struct table *t, char *lines)
{
	for (char *text; (text = strsep(&lines, "\n"));) {
		json_t **more;

		if (!*text)
			continue;
		more = realloc(t->line, (t->n + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->line = more;
		more += t->n++;
		*more = json_loads(text, 0, NULL);
		if (!json_is_object(*more))
			return -EBADMSG;
	}
	return 0;
}

static bool same_trace(const json_t *a, const json_t *b)
{
	return !strcmp(text_of(a, "trace_xxh3"), text_of(b, "trace_xxh3"));
}

/* A trace under two names is one. */
static void drop_repeats(struct table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		size_t k = 0;

		while (k < kept && (!same_trace(t->line[k], t->line[i]) ||
				    strcmp(text_of(t->line[k], "settings"),
					   text_of(t->line[i], "settings")) != 0))
			k++;
		if (k < kept)
			json_decref(t->line[i]);
		else
			t->line[kept++] = t->line[i];
	}
	t->n = kept;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static int list_settings(struct table *t)
{
	size_t kept = 0;

	t->settings = calloc(t->n + 1, sizeof(*t->settings));
	if (!t->settings)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		t->settings[i] = (char *)(uintptr_t)text_of(t->line[i], "settings");
	if (t->n)
		qsort(t->settings, t->n, sizeof(*t->settings), by_name);
	for (size_t i = 0; i < t->n; i++)
		if (!kept || strcmp(t->settings[i], t->settings[kept - 1]) != 0)
			t->settings[kept++] = t->settings[i];
	t->nr_settings = kept;
	return 0;
}

/* The reference's line of the same trace. */
static const json_t *reference_of(const struct table *t, const json_t *line)
{
	for (size_t i = 0; i < t->n; i++)
		if (!*text_of(t->line[i], "settings") && same_trace(t->line[i], line))
			return t->line[i];
	return NULL;
}

static double figure(const json_t *line, const char *of, size_t i)
{
	const json_t *v = json_object_get(json_object_get(line, of), measures[i].name);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* A line whose reclaim is a model has its own. */
static double base_figure(const struct table *t, const json_t *line, size_t i)
{
	if (json_object_get(line, "base_figures"))
		return figure(line, "base_figures", i);
	return figure(reference_of(t, line), "figures", i);
}

static int by_value(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

struct change {
	size_t traces;
	double median, min, max;
};

/* How @settings changes measure @i, over all traces that know it both ways. */
static struct change change_of(const struct table *t, const char *settings, size_t i)
{
	double *v = malloc((t->n + 1) * sizeof(*v));
	struct change c = {0};

	for (size_t k = 0; v && k < t->n; k++) {
		double d;

		if (strcmp(text_of(t->line[k], "settings"), settings) != 0)
			continue;
		d = figure(t->line[k], "figures", i) - base_figure(t, t->line[k], i);
		if (!isnan(d))
			v[c.traces++] = d;
	}
	if (c.traces) {
		qsort(v, c.traces, sizeof(*v), by_value);
		c.median = (v[(c.traces - 1) / 2] + v[c.traces / 2]) / 2;
		c.min = v[0];
		c.max = v[c.traces - 1];
	}
	free(v);
	return c;
}

struct row {
	const char *settings;
	struct change change[MEASURES];
	double key; /* to sort by: less is better */
};

static int by_key(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return strcmp(a->settings, b->settings);
}

static struct row *rank(const struct table *t, size_t measure)
{
	struct row *rows = calloc(t->nr_settings + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < t->nr_settings; i++) {
		rows[i].settings = t->settings[i];
		for (size_t m = 0; m < MEASURES; m++)
			rows[i].change[m] = change_of(t, t->settings[i], m);
		rows[i].key =
			rows[i].change[measure].median * (measures[measure].better > 0 ? -1 : 1);
		if (!rows[i].change[measure].traces)
			rows[i].key = INFINITY;
	}
	if (rows && t->nr_settings)
		qsort(rows, t->nr_settings, sizeof(*rows), by_key);
	return rows;
}

static const char *cell(char *text, const struct measure *m, const struct change *c)
{
	int digits = *m->unit ? 2 : 0;

	if (!c->traces)
		return "-";
	if (c->traces == 1 || (c->min == c->max))
		snprintf(text, CELL_BYTES, "%+.*f", digits, c->median);
	else
		snprintf(text, CELL_BYTES, "%+.*f (%+.*f to %+.*f)", digits, c->median, digits,
			 c->min, digits, c->max);
	return text;
}

/* Of the ranking's measure: the most traces that a combination is known of. */
static size_t most_traces(const struct sweep_view *v, const struct row *rows, size_t n)
{
	size_t most = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].change[v->rank].traces > most)
			most = rows[i].change[v->rank].traces;
	return most;
}

/* A median over other traces than the rest's is marked. */
static const char *name_row(char *text, size_t size, const struct row *row, size_t traces,
			    size_t most)
{
	const char *settings = *row->settings ? row->settings : "(reference)";

	if (traces == most)
		return settings;
	snprintf(text, size, "%s (%zu of %zu traces)", settings, traces, most);
	return text;
}

/* Of a change: that of a share is told in points. */
static const char *unit_of(const struct measure *m)
{
	return *m->unit == '%' ? "points" : m->unit;
}

/* "unusable[9], points" */
static const char *title_of(char *text, size_t size, const struct measure *m)
{
	const char *unit = unit_of(m);

	snprintf(text, size, "%s%s%s", m->name, *unit ? ", " : "", unit);
	return text;
}

static int print(const struct sweep_view *v, const struct row *rows, size_t n)
{
	struct out_column columns[MEASURES + 1] = {{"settings", "settings", OUT_STRING}};
	static char cells[MEASURES][CELL_BYTES], titles[MEASURES][CELL_BYTES], name[NAME_BYTES];
	size_t most = most_traces(v, rows, n);
	struct out_table *t;
	size_t c = 1;
	int err = 0;

	for (size_t m = 0; m < MEASURES; m++)
		if (v->measures >> m & 1)
			columns[c++] = (struct out_column){
				title_of(titles[m], sizeof(titles[m]), &measures[m]),
				measures[m].name, OUT_STRING};
	t = out_table_new("sweep", columns, c);
	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		union out_value row[MEASURES + 1] = {
			{.s = name_row(name, sizeof(name), &rows[i], rows[i].change[v->rank].traces,
				       most)}};

		c = 1;
		for (size_t m = 0; m < MEASURES; m++)
			if (v->measures >> m & 1)
				row[c++].s = cell(cells[m], &measures[m], &rows[i].change[m]);
		err = out_table_row(t, row);
	}
	if (!err)
		err = out_table_print(t, v->format);
	if (!err)
		out_text("\nchange from the reference on the same trace: median over the traces "
			 "(least to most); best %s first\n",
			 measures[v->rank].name);
	out_table_free(t);
	return err;
}

/* A line a combination and measure: numbers that other programs can take as they are. */
static void print_csv(const struct sweep_view *v, const struct row *rows, size_t n)
{
	out_text("settings,measure,unit,traces,median,min,max\n");
	for (size_t i = 0; i < n; i++)
		for (size_t m = 0; m < MEASURES; m++) {
			const struct change *c = &rows[i].change[m];

			if (c->traces && v->measures >> m & 1)
				out_text("\"%s\",%s,%s,%zu,%.12g,%.12g,%.12g\n", rows[i].settings,
					 measures[m].name, unit_of(&measures[m]), c->traces,
					 c->median, c->min, c->max);
		}
}

static int print_json(const struct sweep_view *v, const struct row *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *changes = json_object();

		for (size_t m = 0; m < MEASURES; m++) {
			const struct change *c = &rows[i].change[m];

			if (c->traces && v->measures >> m & 1)
				json_object_set_new(changes, measures[m].name,
						    json_pack("{s:I, s:f, s:f, s:f}", "traces",
							      (json_int_t)c->traces, "median",
							      c->median, "min", c->min, "max",
							      c->max));
		}
		json_array_append_new(list, json_pack("{s:s, s:o}", "settings", rows[i].settings,
						      "changes", changes));
	}
	return out_json(
		json_pack("{s:s, s:o}", "ranked_by", measures[v->rank].name, "ranked", list));
}

static int print_as(const struct sweep_view *v, const struct row *rows, size_t n)
{
	if (v->format == OUT_JSON)
		return print_json(v, rows, n);
	if (v->format != OUT_CSV)
		return print(v, rows, n);
	print_csv(v, rows, n);
	return 0;
}

/* Once a trace: its reference's line tells. Others, if they are no predictions. */
static void tell_fidelity(const struct table *t)
{
	char name[NAME_BYTES];

	for (size_t i = 0; i < t->n; i++) {
		snprintf(name, sizeof(name), "%s on %s", text_of(t->line[i], "settings"),
			 text_of(t->line[i], "trace"));
		warn_unless_prediction(name, t->line[i]);
		if (!*text_of(t->line[i], "settings"))
			warn_unless_faithful(text_of(t->line[i], "trace"),
					     json_object_get(t->line[i], "fidelity"));
	}
}

/* What a median over all traces lacks: a shard that is missing, or a run that failed. */
static void tell_missing(const struct sweep_view *v, const struct table *t, const struct row *rows)
{
	size_t most = most_traces(v, rows, t->nr_settings), fewer = 0;

	for (size_t i = 0; i < t->n; i++) {
		size_t first = 0;

		while (!same_trace(t->line[first], t->line[i]))
			first++;
		if (first == i && !reference_of(t, t->line[i]))
			log_warn("no line has the reference on '%s': its lines are left out of the "
				 "table; is a shard missing?",
				 text_of(t->line[i], "trace"));
	}
	for (size_t i = 0; i < t->nr_settings; i++)
		fewer += rows[i].change[v->rank].traces < most;
	if (fewer)
		log_warn("%zu of %zu combinations are ranked by fewer traces than the others: "
			 "compare these with care",
			 fewer, t->nr_settings);
}

int sweep_table(const struct sweep_view *v, char *lines)
{
	struct table t = {0};
	struct row *rows = NULL;
	int err = parse(&t, lines);

	if (!err)
		drop_repeats(&t);
	if (!err)
		err = list_settings(&t);
	if (!err && !(rows = rank(&t, v->rank)))
		err = -ENOMEM;
	if (!err)
		err = print_as(v, rows, t.nr_settings);
	if (!err) {
		tell_missing(v, &t, rows);
		tell_fidelity(&t);
	}
	free(rows);
	free(t.settings);
	for (size_t i = 0; i < t.n; i++)
		json_decref(t.line[i]);
	free(t.line);
	return err;
}
