/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* facts.c - see facts.h */
#include "report/facts.h"
#include "compare/prediction.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reference whose distance is hardly below the baseline's has shown nothing. */
static const double clearly_smaller = 0.75;
/* Nor has one that was not given more of the events than this. */
static const double missing_percent = 1;

/* A share in percent of per mille, as the unusable index is stored. */
static double percent(double per_mille)
{
	return per_mille / 10;
}

static double or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

static bool is_damaged(const json_t *trust)
{
	const char *key;
	json_t *v;

	json_object_foreach (json_object_get(trust, "damage"), key, v)
		if (json_is_true(v) || (json_is_number(v) && json_number_value(v) != 0))
			return true;
	return false;
}

static void incomplete(struct report_facts *f, double events, double fired)
{
	char count[REPORT_NUMBER_BYTES], share[REPORT_NUMBER_BYTES];

	f->trust = TRUST_INCOMPLETE;
	format_number(count, events, UNIT_COUNT);
	format_number(share, fired > 0 ? 100 * events / fired : NAN, UNIT_PERCENT);
	snprintf(f->trust_text, sizeof(f->trust_text), "INCOMPLETE (%s events, %s)", count, share);
}

/*
 * The result's own verdict is believed only where its accounting agrees:
 * fired = recorded + filtered + lost.
 */
static void gather_trust(struct report_facts *f, const json_t *root)
{
	const json_t *trust = json_object_get(root, "trust");
	const json_t *a = json_object_get(trust, "accounting");
	double fired = jnum(a, "fired");
	double lost = or_zero(jnum(a, "lost_ring")) + or_zero(jnum(a, "lost_recursion")) +
		      or_zero(jnum(a, "lost_write"));
	double missing = fired - or_zero(jnum(a, "recorded")) - or_zero(jnum(a, "filtered")) - lost;
	const char *said = jstr(trust, "verdict", "");
	bool complete = json_is_true(json_object_get(trust, "complete"));

	snprintf(f->trust_text, sizeof(f->trust_text), "TRUST UNKNOWN");
	if (!json_is_boolean(json_object_get(trust, "complete")))
		return;
	if (lost > 0 && strncmp(said, "INCOMPLETE (", 12)) {
		incomplete(f, lost, fired);
	} else if (lost == 0 && !isnan(fired) && missing != 0) {
		f->trust = TRUST_INCOMPLETE;
		snprintf(f->trust_text, sizeof(f->trust_text),
			 "INCOMPLETE (%.0f events unaccounted for)", fabs(missing));
	} else if (complete && is_damaged(trust)) {
		f->trust = TRUST_INCOMPLETE;
		snprintf(f->trust_text, sizeof(f->trust_text), "INCOMPLETE (the trace is damaged)");
	} else {
		complete = complete && lost == 0;
		f->trust = complete ? TRUST_COMPLETE : TRUST_INCOMPLETE;
		snprintf(f->trust_text, sizeof(f->trust_text), "%.120s",
			 complete			   ? "COMPLETE"
			 : strncmp(said, "INCOMPLETE", 10) ? "INCOMPLETE"
							   : said);
	}
}

static double unusable_at(const json_t *run, int order, bool end)
{
	char key[16];

	snprintf(key, sizeof(key), "%d", order);
	const json_t *series = json_object_get(json_object_get(run, "unusable"), key);
	return percent(end ? jlast(series) : jat(series, 0));
}

static void gather_memory(struct report_facts *f, const json_t *root)
{
	const json_t *run = report_run(root, "observed");
	const json_t *pages = json_object_get(run, "free_pages");
	double bytes = report_page_bytes(root);

	f->seconds_ns = jnum(json_object_get(root, "trace"), "duration_ns");
	f->observed = run;
	f->free_start = bytes * jat(pages, 0);
	f->free_end = bytes * jlast(pages);
	for (int i = 0; i < REPORT_ORDERS_SHOWN; i++) {
		f->unusable_start[i] = unusable_at(run, report_orders[i], false);
		f->unusable_end[i] = unusable_at(run, report_orders[i], true);
	}
}

static void gather_causes(struct report_facts *f, const json_t *root)
{
	const json_t *list = json_object_get(root, "fallbacks");
	size_t i;
	json_t *v;

	f->fallbacks_known = json_is_array(list);
	json_array_foreach (list, i, v) {
		double events = or_zero(jnum(v, "events"));
		f->fallbacks += events;
		f->claimed += or_zero(jnum(v, "claimed"));
		f->stolen += or_zero(jnum(v, "stolen"));
		if (events <= f->top_events)
			continue;
		f->top_events = events;
		f->top_from = jstr(v, "from", "unknown");
		f->top_to = jstr(v, "to", "unknown");
	}
	json_array_foreach (json_object_get(root, "call_sites"), i, v) {
		double bytes = or_zero(jnum(v, "live_bytes_end"));
		if (bytes <= f->site_bytes)
			continue;
		f->site_bytes = bytes;
		f->site = jstr(v, "name", "unknown");
	}
}

/* The first of the owners that has a name: most pageblocks first. */
static void gather_pinned(struct report_facts *f, const json_t *root)
{
	const json_t *pinned = jpath(root, "culprits.pinned");
	size_t i;
	json_t *v;

	f->pinned = jnum(pinned, "pageblocks");
	f->pinned_free = report_page_bytes(root) * jnum(pinned, "free_pages");
	json_array_foreach (json_object_get(pinned, "owners"), i, v)
		if (!f->holder && jstr(v, "comm", NULL)) {
			f->holder = jstr(v, "comm", NULL);
			f->holder_blocks = jnum(v, "pageblocks");
		}
}

bool facts_waits(const json_t *stall)
{
	return strcmp(jstr(stall, "kind", ""), "compaction_asked_for") != 0;
}

static void gather_stalls(struct report_facts *f, const json_t *root)
{
	const json_t *kinds = jpath(root, "stalls.by_kind");
	const json_t *marks = jpath(root, "stalls.marks.counts");
	size_t i;
	json_t *v;

	f->stalls = f->stalled_ns = f->failures = f->oom_kills = kinds ? 0 : NAN;
	f->longest_ns = NAN;
	f->failures += or_zero(jnum(marks, "failure"));
	f->oom_kills += or_zero(jnum(marks, "oom"));
	json_array_foreach (kinds, i, v) {
		f->stalls += facts_waits(v) ? or_zero(jnum(v, "count")) : 0;
		f->stalled_ns += facts_waits(v) ? or_zero(jnum(v, "total_ns")) : 0;
	}
	json_array_foreach (jpath(root, "stalls.longest"), i, v)
		if (isnan(f->longest_ns) && facts_waits(v)) {
			f->longest_ns = jnum(v, "duration_ns");
			f->longest_comm = jstr(v, "comm", NULL);
		}
}

static void gather_culprits(struct report_facts *f, const json_t *root)
{
	const json_t *top = json_array_get(jpath(root, "culprits.fallbacks.by_command"), 0);

	f->taker = jstr(top, "comm", NULL);
	f->taker_blocks = jnum(top, "pageblocks");
	gather_pinned(f, root);
	gather_stalls(f, root);
}

static const json_t *fidelity_of(const json_t *root, const char *name)
{
	size_t i;
	json_t *run;

	json_array_foreach (jpath(root, "fidelity.runs"), i, run)
		if (!strcmp(jstr(run, "name", ""), name))
			return run;
	return NULL;
}

static void gather_model(struct report_facts *f, const json_t *root)
{
	const json_t *fidelity = json_object_get(root, "fidelity");
	const json_t *reference = fidelity_of(root, "reference");
	const json_t *baseline = fidelity_of(root, "baseline");

	f->emd = jnum(reference, "emd");
	f->emd_baseline = jnum(baseline, "emd");
	f->free_error = 100 * jnum(reference, "free_pages_error");
	/* Counted once, by the replay; see reports/result-schema.md. */
	f->better = (size_t)or_zero(jnum(fidelity, "measures_won"));
	f->measures = (size_t)or_zero(jnum(fidelity, "measures_total"));
	f->observed_off = json_is_false(json_object_get(fidelity, "observed_holds"));
	f->missing = or_zero(jnum(fidelity, "missing_percent"));
	f->events_off = f->missing > missing_percent;
	f->closer = f->emd <= clearly_smaller * f->emd_baseline && 2 * f->better > f->measures;
	if (!report_run(root, "reference"))
		f->model = MODEL_ABSENT;
	else if (isnan(f->emd) || isnan(f->emd_baseline) || !f->measures)
		f->model = MODEL_UNCOMPARED;
	else if (f->closer && !f->events_off && !f->observed_off)
		f->model = MODEL_BEATS;
	else
		f->model = f->better ? MODEL_MIXED : MODEL_LOSES;
}

static bool is_what_if(const json_t *run)
{
	const char *name = jstr(run, "name", "");
	const json_t *model = json_object_get(run, "modelled_reclaim");

	/* A model of reclaim with the recorded settings is a base for others. */
	return strcmp(name, "observed") && strcmp(name, "reference") && strcmp(name, "baseline") &&
	       (!model || json_object_get(model, "base"));
}

static void gather_what_if(struct report_facts *f, const json_t *root)
{
	struct facts_what_if *w = &f->what_if;
	size_t i;
	json_t *run;

	w->best_end = w->reference_end = w->model_error = NAN;
	json_array_foreach (json_object_get(root, "runs"), i, run) {
		const json_t *base = prediction_base(root, run);
		double end = unusable_at(run, 9, true), base_end = unusable_at(base, 9, true);

		w->runs += is_what_if(run);
		if (!is_what_if(run) || prediction_refused(run, "all") ||
		    (w->best && !(end - base_end < w->best_end - w->reference_end)))
			continue;
		w->best = jstr(run, "name", "");
		w->best_end = end;
		w->best_run = run;
		w->reference_end = base_end;
		w->model_error =
			percent(jnum(json_object_get(fidelity_of(root, jstr(base, "name", "")),
						     "unusable_error"),
				     "9"));
	}
}

const char *facts_settings(const json_t *run, struct report_pool *pool)
{
	const char *text = "";
	const char *key;
	json_t *v;

	json_object_foreach (json_object_get(run, "settings"), key, v) {
		char *value = json_is_string(v) ? strdup(json_string_value(v))
						: json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
		text = pool_printf(pool, "%s%s%s=%s", text, *text ? " " : "", key,
				   value ? value : "");
		free(value);
	}
	return text;
}

void report_facts(struct report_facts *f, const json_t *root)
{
	*f = (struct report_facts){0};
	gather_trust(f, root);
	gather_memory(f, root);
	gather_causes(f, root);
	gather_culprits(f, root);
	gather_model(f, root);
	gather_what_if(f, root);
}
