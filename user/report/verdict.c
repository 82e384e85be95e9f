/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* verdict.c - see verdict.h */
#include "report/verdict.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER = REPORT_NUMBER_BYTES };

/* Changes below these are "stayed": a percent of bytes, a point of a share. */
static const double same_bytes_percent = 1, same_points = 1, notable_points = 5;
/* From this share on, fragmentation is worth a word even if steady. */
static const double fragmented_percent = 75;

/* @text as it stands, or after the reason not to believe it. */
static const char *qualify(const struct report_facts *f, struct report_pool *pool, const char *text)
{
	if (f->trust == TRUST_COMPLETE)
		return text;
	/* Proper names and sentence starts differ only for our own words. */
	bool lower = strncmp(text, "In ", 3) == 0 || strncmp(text, "No ", 3) == 0 ||
		     strncmp(text, "The ", 4) == 0 || strncmp(text, "Fallbacks ", 10) == 0;
	return pool_printf(pool, "%s: %c%s", f->trust_text,
			   lower ? tolower((unsigned char)text[0]) : text[0], text + 1);
}

static const char *moved(struct report_pool *pool, double from, double to, enum report_unit unit)
{
	char a[NUMBER], b[NUMBER];
	double limit = unit == UNIT_BYTES ? fabs(from) * same_bytes_percent / 100 : same_points;

	if (fabs(to - from) < limit || from == to)
		return pool_printf(pool, "stayed at %s", format_number(b, to, unit));
	return pool_printf(pool, "%s from %s to %s", to > from ? "rose" : "fell",
			   format_number(a, from, unit), format_number(b, to, unit));
}

/* Index into report_orders of the largest order that has figures, or -1. */
static int largest_known(const struct report_facts *f)
{
	for (int i = REPORT_ORDERS_SHOWN - 1; i >= 0; i--)
		if (!isnan(f->unusable_start[i]) && !isnan(f->unusable_end[i]))
			return i;
	return -1;
}

static void memory_tone(struct doc_sentence *s, double from, double to)
{
	if (to - from >= notable_points) {
		s->tone = to >= fragmented_percent ? TONE_BAD : TONE_CAUTION;
		s->tag = "more fragmented";
	} else if (from - to >= notable_points) {
		s->tone = TONE_GOOD;
		s->tag = "less fragmented";
	} else {
		s->tone = to >= fragmented_percent ? TONE_CAUTION : TONE_NEUTRAL;
		s->tag = to >= fragmented_percent ? "fragmented throughout" : "little changed";
	}
}

static void memory_figures(struct doc_sentence *s, const struct report_facts *f,
			   struct report_pool *pool)
{
	doc_figure_change(s, "free", "free memory", f->free_start, f->free_end, UNIT_BYTES);
	for (int i = 0; i < REPORT_ORDERS_SHOWN; i++)
		doc_figure_change(s, pool_printf(pool, "unusable-%d", report_orders[i]),
				  pool_printf(pool, "unusable at order %d", report_orders[i]),
				  f->unusable_start[i], f->unusable_end[i], UNIT_PERCENT);
}

static void say_memory(struct doc_sentence *s, const struct report_facts *f,
		       struct report_pool *pool)
{
	char seconds[NUMBER];
	int i = largest_known(f);

	s->id = "memory";
	s->tag = "not observed";
	if (!f->observed || isnan(f->free_start)) {
		s->text = "The result holds no observed run, so nothing is said about the kernel's "
			  "own placement; replay the trace with --policy observed.";
		return;
	}
	const char *bytes = moved(pool, f->free_start, f->free_end, UNIT_BYTES);
	format_number(seconds, f->seconds_ns, UNIT_NS);
	memory_figures(s, f, pool);
	if (i < 0) {
		s->tag = "free memory";
		s->text = pool_printf(pool, "In %s free memory %s; its fragmentation is not known.",
				      seconds, bytes);
		return;
	}
	memory_tone(s, f->unusable_start[i], f->unusable_end[i]);
	s->text = pool_printf(pool,
			      "In %s free memory %s, and the share of it too scattered for an "
			      "order-%d request %s.",
			      seconds, bytes, report_orders[i],
			      moved(pool, f->unusable_start[i], f->unusable_end[i], UNIT_PERCENT));
}

/* From which type into which, of several. */
static const char *say_types(const struct report_facts *f, struct report_pool *pool)
{
	char top[NUMBER], share[NUMBER];

	if (f->top_events >= f->fallbacks)
		return pool_printf(pool, "all of them %s into %s", f->top_from, f->top_to);
	return pool_printf(pool, "most often %s into %s (%s, %s)", f->top_from, f->top_to,
			   format_number(top, f->top_events, UNIT_COUNT),
			   format_number(share, 100 * f->top_events / f->fallbacks, UNIT_PERCENT));
}

static const char *say_fallbacks(const struct report_facts *f, struct report_pool *pool)
{
	char all[NUMBER], claimed[NUMBER];

	if (!f->fallbacks_known && !f->observed)
		return "Fallbacks between migrate types are not known without an observed run";
	if (!f->fallbacks_known)
		return "Fallbacks between migrate types were not recorded";
	if (f->fallbacks <= 0)
		return "No allocation fell back into another migrate type's pageblocks";
	if (f->fallbacks == 1)
		return pool_printf(pool,
				   "1 allocation fell back into another migrate type's pageblock, "
				   "%s into %s, %s it",
				   f->top_from, f->top_to,
				   f->claimed > 0 ? "converting" : "without converting");
	bool whole = f->claimed >= f->fallbacks;
	snprintf(claimed, sizeof(claimed), "%.0f of them", f->claimed);
	return pool_printf(pool,
			   "%s allocations fell back into another migrate type's pageblocks, %s, "
			   "%s converting the block",
			   format_number(all, f->fallbacks, UNIT_COUNT), say_types(f, pool),
			   whole	    ? "each"
			   : f->claimed > 0 ? claimed
					    : "none of them");
}

/* What it cost: waits, requests that got nothing, tasks that were killed. */
static const char *say_cost(const struct report_facts *f, struct report_pool *pool)
{
	char stalls[NUMBER], all[NUMBER], longest[NUMBER], number[NUMBER];
	const char *waits = "", *failed = "", *killed = "";

	if (f->stalls > 0)
		waits = pool_printf(pool, "; tasks stalled %s %s, %s in all, %s at most%s%s",
				    format_number(stalls, f->stalls, UNIT_COUNT),
				    f->stalls == 1 ? "time" : "times",
				    format_number(all, f->stalled_ns, UNIT_NS),
				    format_number(longest, f->longest_ns, UNIT_NS),
				    f->longest_comm ? ", in " : "",
				    f->longest_comm ? f->longest_comm : "");
	if (f->failures > 0)
		failed = pool_printf(pool, "; %s %s failed",
				     format_number(number, f->failures, UNIT_COUNT),
				     f->failures == 1 ? "allocation" : "allocations");
	if (f->oom_kills > 0)
		killed = pool_printf(pool, "; %s %s killed for want of memory",
				     format_number(number, f->oom_kills, UNIT_COUNT),
				     f->oom_kills == 1 ? "task was" : "tasks were");
	return pool_printf(pool, "%s%s%s", waits, failed, killed);
}

/* What the fallbacks are put down to, what they cost, and what is in the way. */
static const char *say_culprits(const struct report_facts *f, struct report_pool *pool)
{
	char blocks[NUMBER], pinned[NUMBER], bytes[NUMBER];
	const char *taker = "", *pins = "", *holder = "";

	if (f->fallbacks == 1 && f->taker)
		taker = pool_printf(pool, ", for %s", f->taker);
	else if (f->fallbacks > 1 && f->taker && f->taker_blocks > 0)
		taker = pool_printf(pool, "; %s took from most pageblocks (%s)", f->taker,
				    format_number(blocks, f->taker_blocks, UNIT_COUNT));
	if (f->holder)
		holder =
			pool_printf(pool, ", %s of them by pages of %s among others",
				    format_number(blocks, f->holder_blocks, UNIT_COUNT), f->holder);
	if (f->pinned > 0)
		pins = pool_printf(
			pool,
			"; %s nearly free %s kept from being whole by a few pages (%s free between "
			"them)%s",
			format_number(pinned, f->pinned, UNIT_COUNT),
			f->pinned == 1 ? "pageblock is" : "pageblocks are",
			format_number(bytes, f->pinned_free, UNIT_BYTES), holder);
	return pool_printf(pool, "%s%s%s", taker, say_cost(f, pool), pins);
}

/* Nothing mixes, and yet it is not well. */
static const char *other_trouble(const struct report_facts *f)
{
	if (f->failures > 0 || f->oom_kills > 0)
		return "allocations fail";
	if (f->pinned_free * 100 > f->free_end * notable_points)
		return "pages in the way";
	return f->stalls > 0 ? "tasks wait" : NULL;
}

static void say_causes(struct doc_sentence *s, const struct report_facts *f,
		       struct report_pool *pool)
{
	char held[NUMBER];
	const char *fallbacks =
		pool_printf(pool, "%s%s", say_fallbacks(f, pool), say_culprits(f, pool));

	s->id = "causes";
	s->tone = !f->fallbacks_known || f->fallbacks > 0 ? TONE_CAUTION : TONE_GOOD;
	s->tag = f->fallbacks_known ? (f->fallbacks > 0 ? "types mix" : "no mixing")
		 : f->observed	    ? "not recorded"
				    : "not observed";
	if (s->tone == TONE_GOOD && other_trouble(f)) {
		s->tone = TONE_CAUTION;
		s->tag = other_trouble(f);
	}
	if (f->site)
		s->text = pool_printf(pool,
				      "%s; of the slab memory allocated meanwhile and still held "
				      "at the end, %s holds most (%s).",
				      fallbacks, f->site,
				      format_number(held, f->site_bytes, UNIT_BYTES));
	else
		s->text = pool_printf(pool, "%s.", fallbacks);
	if (f->fallbacks_known) {
		doc_figure(s, "fallbacks", "fallbacks", f->fallbacks, UNIT_COUNT);
		doc_figure(s, "claimed", "blocks claimed", f->claimed, UNIT_COUNT);
		doc_figure(s, "stolen", "taken without claiming", f->stolen, UNIT_COUNT);
	}
	doc_figure(s, "stalls", "stalls", f->stalls, UNIT_COUNT);
	doc_figure(s, "stalled", "stalled in all", f->stalled_ns, UNIT_NS);
	doc_figure(s, "longest-stall", "longest stall", f->longest_ns, UNIT_NS);
	doc_figure(s, "failures", "failed allocations", f->failures, UNIT_COUNT);
	if (f->oom_kills > 0)
		doc_figure(s, "oom-kills", "OOM kills", f->oom_kills, UNIT_COUNT);
	doc_figure(s, "pinned", "pageblocks pinned, nearly free", f->pinned, UNIT_COUNT);
	doc_figure(s, "site-held", "held by the first call site", f->site ? f->site_bytes : NAN,
		   UNIT_BYTES);
}

/* What may be said of what-if runs: nothing, unless the reference holds. */
static const char *say_what_if(const struct report_facts *f, struct report_pool *pool)
{
	const struct facts_what_if *w = &f->what_if;
	char a[NUMBER], b[NUMBER];

	if (!w->runs)
		return f->model == MODEL_BEATS ? "" : "; draw no conclusion from it";
	if (f->model != MODEL_BEATS)
		return pool_printf(pool, "; nothing is concluded from the %s",
				   w->runs == 1 ? "what-if run" : "what-if runs");
	if (!w->best)
		return "; no what-if run is a prediction";
	if (isnan(w->best_end) || isnan(w->reference_end))
		return "";
	const char *settings = facts_settings(w->best_run, pool);
	if (!*settings)
		settings = w->best;
	/* A difference that the model's own error could make says nothing. */
	if (fabs(w->best_end - w->reference_end) <= fmax(w->model_error, same_points))
		return pool_printf(pool,
				   "; what %s changes at order 9 (%s instead of %s unusable) is "
				   "within the model's error",
				   settings, format_number(a, w->best_end, UNIT_PERCENT),
				   format_number(b, w->reference_end, UNIT_PERCENT));
	return pool_printf(pool,
			   "; with %s, %s of free memory ends too scattered for an order-9 "
			   "request instead of %s",
			   settings, format_number(a, w->best_end, UNIT_PERCENT),
			   format_number(b, w->reference_end, UNIT_PERCENT));
}

static void say_compared(struct doc_sentence *s, const struct report_facts *f,
			 struct report_pool *pool)
{
	char missing[NUMBER];
	const char *lacks = "", *how = f->closer		 ? "is closer"
				       : f->model == MODEL_MIXED ? "is not clearly closer"
								 : "is no closer";

	if (f->observed_off)
		lacks = "; but the events themselves do not add up to the kernel's state";
	else if (f->events_off)
		lacks = pool_printf(pool, "; but %s of the kernel's events were not seen",
				    format_number(missing, f->missing, UNIT_PERCENT));
	s->tag = f->model == MODEL_BEATS ? "model holds" : "model unproven";
	s->tone = f->model == MODEL_BEATS   ? TONE_GOOD
		  : f->model == MODEL_MIXED ? TONE_CAUTION
					    : TONE_BAD;
	s->text = pool_printf(
		pool,
		"The reference %s to the kernel's end state than \"nothing changed\": "
		"as good or better on %zu of %zu measures, earth mover's distance %.3f against "
		"%.3f%s%s.",
		how, f->better, f->measures, f->emd, f->emd_baseline, lacks, say_what_if(f, pool));
	doc_figure(s, "emd", "earth mover's distance, reference", f->emd, UNIT_REAL);
	doc_figure(s, "emd-baseline", "earth mover's distance, baseline", f->emd_baseline,
		   UNIT_REAL);
	doc_figure(s, "free-error", "free memory off by", f->free_error, UNIT_PERCENT);
}

static void say_model(struct doc_sentence *s, const struct report_facts *f,
		      struct report_pool *pool)
{
	s->id = "model";
	s->tag = "no model";
	if (f->model == MODEL_ABSENT)
		s->text =
			"No reference was replayed, so nothing is concluded about other settings; "
			"replay the trace with --policy reference.";
	else if (f->model == MODEL_UNCOMPARED)
		s->text = pool_printf(pool,
				      "The reference was not compared with the kernel and the "
				      "baseline, so it proves nothing%s.",
				      f->what_if.runs ? ", nor do the what-if runs" : "");
	else
		say_compared(s, f, pool);
}

void report_verdict(struct doc_verdict *v, const struct report_facts *f, struct report_pool *pool)
{
	v->trust = pool_printf(pool, "%s", f->trust_text);
	v->complete = f->trust == TRUST_COMPLETE;
	say_memory(&v->sentences[0], f, pool);
	say_causes(&v->sentences[1], f, pool);
	say_model(&v->sentences[2], f, pool);
	for (int i = 0; i < DOC_SENTENCES; i++)
		v->sentences[i].text = qualify(f, pool, v->sentences[i].text);
}
