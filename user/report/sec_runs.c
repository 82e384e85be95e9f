/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_runs.c - the runs compared: paths taken, leftovers, policies, commands. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/prediction.h"
#include "report/facts.h"
#include "report/sections.h"

/* Row of @t whose first cell says @key, added if new. */
static struct doc_cell *row_named(struct report_doc *d, struct doc_table *t, const char *key)
{
	for (size_t i = 0; i < t->rows; i++) {
		struct doc_cell *row = t->cells + i * t->n_columns;
		if (row->text && !strcmp(row->text, key))
			return row;
	}
	struct doc_cell *row = doc_row(d, t);
	row->text = copy_text(d, key);
	return row;
}

/* One column per run, one row per counter; @member of each run holds them. */
static void table_by_run(struct report_doc *d, struct doc_section *s, const struct report_input *in,
			 const char *member, const char *caption)
{
	struct doc_column *columns = pool_alloc(&d->pool, DOC_COLUMNS_MAX * sizeof(*columns));
	const json_t *counts[DOC_COLUMNS_MAX];
	size_t n = 1, k, left_out = 0;
	json_t *run, *v;
	const char *key;

	if (!columns)
		return;
	columns[0] = (struct doc_column){"count", UNIT_TEXT, NULL};
	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (json_object_get(in->results[i].root, "runs"), k, run) {
			if (!json_object_size(json_object_get(run, member)))
				continue;
			if (n == DOC_COLUMNS_MAX) {
				left_out++;
				continue;
			}
			counts[n] = json_object_get(run, member);
			columns[n++] =
				(struct doc_column){run_title(d, in, i, run), UNIT_COUNT, NULL};
		}
	if (left_out)
		doc_remark(d, s,
			   pool_printf(&d->pool,
				       "The table has room for %d runs: %zu more are left out; "
				       "report fewer results at once.",
				       DOC_COLUMNS_MAX - 1, left_out));
	if (n == 1)
		return;
	struct doc_table *t = doc_table_new(d, caption, columns, n);
	for (size_t c = 1; c < n; c++)
		json_object_foreach ((json_t *)counts[c], key, v)
			if (json_is_number(v))
				row_named(d, t, counter_name(d, key))[c].value =
					json_number_value(v);
	doc_table_add(s, t);
}

void section_paths(struct report_doc *d, const struct report_input *in)
{
	struct doc_section *s = doc_section(d, "paths", "Paths taken");

	table_by_run(d, s, in, "counts", "How often each path was taken, per run");
	if (!s->tables) {
		doc_absent(d, s,
			   "Path counts: no run in the result has them; replay the trace again "
			   "with this version.");
		return;
	}
	s->lead =
		"Latency told without a clock: a PCP hit touches only this CPU's list, a refill or "
		"a drain takes the zone lock, a fallback searches other types, the slow path may "
		"reclaim or compact.";
}

static void rows_unmatched(const struct rows *r, size_t i, json_t *run)
{
	const char *name = run_title(r->d, &(struct report_input){.n = 1}, 0, run);
	const char *key;
	json_t *v;

	json_object_foreach (json_object_get(run, "unmatched"), key, v) {
		struct doc_cell *c = rows_add(r, i);
		c[0].text = name;
		c[1].text = counter_name(r->d, key);
		c[2].value = json_is_number(v) ? json_number_value(v) : NAN;
	}
}

void section_unmatched(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"run", UNIT_TEXT, NULL},
		{"what could not be matched", UNIT_TEXT, NULL},
		{"times", UNIT_COUNT, NULL},
	};
	struct doc_section *s = doc_section(d, "unmatched", "What could not be matched");
	struct rows r = rows_begin(d, in, "Unmatched events, per run", COLUMNS(columns));
	size_t k;
	json_t *run;

	s->lead = "Events that a run could not follow are counted here, never dropped in silence. "
		  "What was inferred instead stands in the trust box.";
	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (json_object_get(in->results[i].root, "runs"), k, run)
			rows_unmatched(&r, i, run);
	if (!rows_end(&r, s))
		doc_remark(d, s, "Every run matched every event.");
}

static double unusable_end(const json_t *run, const char *order)
{
	return jlast(json_object_get(json_object_get(run, "unusable"), order)) / 10;
}

static void row_policy(const struct rows *r, size_t i, json_t *run)
{
	const json_t *root = r->in->results[i].root;
	const json_t *base = prediction_base(root, run);
	const json_t *speed = json_object_get(run, "speed");
	struct doc_cell *c = rows_add(r, i);

	c[0].text = run_title(r->d, &(struct report_input){.n = 1}, 0, run);
	const char *settings = facts_settings(run, &r->d->pool);
	c[1].text = *settings ? settings : "as on the host";
	c[2].value = report_page_bytes(root) * jlast(json_object_get(run, "free_pages"));
	c[3].value = unusable_end(run, "3");
	c[4].value = unusable_end(run, "4");
	c[5].value = unusable_end(run, "9");
	c[6].value = run == base ? NAN : c[5].value - unusable_end(base, "9");
	c[7].value = jnum(speed, "events") / jnum(speed, "ns") * 1e9;
}

static int by_unusable(const void *a, const void *b)
{
	double x = unusable_end(*(json_t *const *)a, "9");
	double y = unusable_end(*(json_t *const *)b, "9");

	return x < y ? -1 : x > y;
}

/* Runs of a result: best first where the model may be believed, else as they are. */
static void rows_policies(const struct rows *r, size_t i, bool ranked)
{
	const json_t *root = r->in->results[i].root;
	const json_t *runs = json_object_get(root, "runs");
	size_t n = json_array_size(runs);
	json_t **order = pool_alloc(&r->d->pool, n * sizeof(json_t *));

	if (!order)
		return;
	for (size_t k = 0; k < n; k++)
		order[k] = json_array_get(runs, k);
	if (ranked)
		qsort(order, n, sizeof(json_t *), by_unusable);
	for (size_t k = 0; k < n; k++)
		row_policy(r, i, order[k]);
}

/* What a run does not predict, and whose reclaim it had. */
static void remarks_predictions(struct report_doc *d, struct doc_section *s, const json_t *root)
{
	const json_t *run, *one, *reclaim;
	size_t k, i;

	json_array_foreach (json_object_get(root, "runs"), k, run) {
		const char *name = jstr(run, "name", "");

		reclaim = json_object_get(run, "modelled_reclaim");
		if (reclaim)
			doc_remark(
				d, s,
				pool_printf(
					&d->pool,
					"%s: reclaim is a model that answers to the "
					"watermarks. It reclaimed %.0f pages, the recorded "
					"kernel %.0f; of its own %.0f while that still had them.",
					name,
					jnum(reclaim, "kswapd_pages") +
						jnum(reclaim, "direct_pages"),
					jnum(reclaim, "kernel_pages"),
					jnum(reclaim, "reclaimed_early")));
		json_array_foreach (json_object_get(run, "not_predicted"), i, one)
			doc_remark(d, s,
				   pool_printf(&d->pool, "%s: no prediction of %s: %s.", name,
					       jstr(one, "what", ""), jstr(one, "why", "")));
	}
}

void section_policies(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"run", UNIT_TEXT, NULL},
		{"settings", UNIT_TEXT, NULL},
		{"free, end", UNIT_BYTES, NULL},
		{"unusable 3", UNIT_PERCENT, "of free memory, order 3, at the end"},
		{"unusable 4", UNIT_PERCENT, "of free memory, order 4, at the end"},
		{"unusable 9", UNIT_PERCENT, "of free memory, order 9, at the end"},
		{"vs its base", UNIT_POINTS,
		 "difference at order 9 from the reference, or from the model of reclaim with the "
		 "recorded settings; negative is better"},
		{"page events/s", UNIT_COUNT, "events of pages, replayed, of wall time"},
	};
	struct doc_section *s = doc_section(d, "policies", "Runs compared");
	struct rows r = rows_begin(d, in, "Runs and their end states", COLUMNS(columns));
	bool ranked = true;

	for (size_t i = 0; i < in->n; i++) {
		struct report_facts f;
		report_facts(&f, in->results[i].root);
		ranked = ranked && f.model == MODEL_BEATS;
	}
	for (size_t i = 0; i < in->n; i++)
		rows_policies(&r, i, ranked);
	rows_end(&r, s);
	for (size_t i = 0; i < in->n; i++)
		remarks_predictions(d, s, in->results[i].root);
	s->lead = ranked ? "Ranked by the share of free memory unusable at order 9 at the end; the "
			   "kernel's own run is the truth the reference was held against."
			 : "Not ranked: the reference has not been shown to be close enough to the "
			   "kernel (see Fidelity), so the figures prove nothing about settings.";
}

void section_commands(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"trace", UNIT_TEXT, NULL},
		{"events", UNIT_COUNT, NULL},
		{"length", UNIT_NS, NULL},
		{"made by", UNIT_TEXT, "the replay's command line"},
	};
	struct doc_section *s = doc_section(d, "commands", "How this was made");
	struct rows r = rows_begin(d, in, "Replays", COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++) {
		const json_t *root = in->results[i].root;
		const json_t *trace = json_object_get(root, "trace");
		struct doc_cell *c = rows_add(&r, i);
		c[0].text = copy_text(d, jstr(trace, "file", NULL));
		c[1].value = jnum(trace, "events");
		c[2].value = jnum(trace, "duration_ns");
		c[3].text = copy_text(d, jstr(root, "command", NULL));
	}
	rows_end(&r, s);
	s->lead = "Replay is deterministic: the same trace and settings give the same result.";
}
