/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_trust.c - what the numbers rest on: losses, damage, inferences. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "replay/result.h"
#include "trace/trace_io.h"

static json_t *damage(const struct replay *p, struct trace_damage *d)
{
	trace_reader_damage(p->reader, d);
	return json_pack("{s:I, s:I, s:I, s:I, s:b, s:b}", "bad_blocks", (json_int_t)d->bad_blocks,
			 "skipped_bytes", (json_int_t)d->skipped_bytes, "missing_blocks",
			 (json_int_t)d->missing_blocks, "undefined_classes",
			 (json_int_t)d->undefined_classes, "torn", d->torn, "unfinished",
			 d->unfinished);
}

static bool is_damaged(const struct trace_damage *d)
{
	return d->bad_blocks || d->skipped_bytes || d->missing_blocks || d->undefined_classes ||
	       d->torn;
}

bool result_damaged(const struct replay *p)
{
	struct trace_damage d;

	trace_reader_damage(p->reader, &d);
	return is_damaged(&d);
}

/* A count as the trace tells it: small enough to add up a few. */
static json_int_t number(const json_t *object, const char *name)
{
	const json_int_t most = INT64_MAX / 8;
	json_int_t n = json_integer_value(json_object_get(object, name));

	return n < 0 ? 0 : n > most ? most : n;
}

double result_missing_percent(const struct replay *p)
{
	const char *text = trace_reader_account(p->reader);
	json_t *account = text ? json_loads(text, 0, NULL) : NULL;
	json_t *totals = json_object_get(account, "totals");
	double seen = (double)(p->events - p->by_kind[KMT_TASK]), wanted, lost;
	uint64_t ring, recursion, write;

	if (json_is_integer(json_object_get(totals, "fired"))) {
		wanted = (double)(number(totals, "fired") - number(totals, "filtered"));
	} else {
		/* Nobody told how many there were: damage may have cost any number. */
		trace_reader_lost(p->reader, &ring, &recursion, &write);
		lost = (double)ring + (double)recursion + (double)write;
		wanted = result_damaged(p) ? INFINITY : seen + lost;
	}
	json_decref(account);
	return wanted > seen ? 100.0 * (1 - seen / wanted) : 0.0;
}

/* Were allocations left out on purpose? What remains shows no allocator's whole state. */
static bool left_out(const json_t *header, const json_t *account)
{
	return json_array_size(json_object_get(header, "filters")) ||
	       json_array_size(json_object_get(account, "sampling"));
}

/* Return: complete? */
static bool verdict(const json_t *accounting, const struct trace_damage *d, char *line, size_t size)
{
	json_int_t fired = number(accounting, "fired");
	json_int_t lost = number(accounting, "lost_ring") + number(accounting, "lost_recursion") +
			  number(accounting, "lost_write");

	if (lost)
		snprintf(line, size, "INCOMPLETE (%lld events, %.2g %%)", (long long)lost,
			 fired ? 100.0 * (double)lost / (double)fired : 100.0);
	else if (is_damaged(d))
		snprintf(line, size, "INCOMPLETE (the trace is damaged)");
	else if (d->unfinished || !accounting)
		snprintf(line, size, "INCOMPLETE (the recording was cut short)");
	else
		snprintf(line, size, "COMPLETE");
	return !lost && !is_damaged(d) && !d->unfinished && accounting;
}

static uint64_t start_pages(const struct observed_counts *c)
{
	return c->found[KMT_PAGE_ALLOC][PAGE_START] + c->found[KMT_PCPU_DRAIN][PAGE_START];
}

static void infer_observed(json_t *to, const struct observed *o)
{
	const struct observed_counts *c = &o->counts;

	result_add(to, "pages_on_cpu_lists_at_start", start_pages(c));
	result_add(to, "pages_zone_grew_by", c->found[KMT_PAGE_FREE][PAGE_RESERVED]);
	result_add(to, "frees_past_the_cpu_lists", c->bypassed);
	result_add(to, "stack_pages_allocated_in_bulk", c->found[OBSERVED_STACK][PAGE_PCP]);
	result_add(to, "pages_isolated_for_migration_unseen",
		   c->found[OBSERVED_MIGRATE_PTE][PAGE_FREE] +
			   c->found[OBSERVED_MIGRATE_PTE][PAGE_PCP]);
	result_add(to, "allocations_that_came_back_in_parts", c->split_live);
	result_add(to, "allocations_known_in_parts", c->joined_live);
	result_add(to, "events_shown_by_start_snapshot", c->before_snapshot);
	result_add(to, "pages_read_while_they_changed", c->reconciled);
}

/* Lists that had adapted to something, as the recorder read them. */
static uint64_t lists_tuned(const struct start_read *read)
{
	uint64_t n = 0;

	for (size_t i = 0; read->at && i < (size_t)read->zones * read->cpus; i++)
		n += read->at[i].free_count || read->at[i].alloc_factor || read->at[i].free_factor;
	return n;
}

static void infer_start(json_t *to, const struct start *s)
{
	result_add(to, "pageblock_types_by_events", s->blocks_told);
	result_add(to, "pageblock_types_read", s->blocks_read);
	result_add(to, "pageblock_types_by_content", s->blocks_by_content);
	result_add(to, "pageblock_types_fitted_to_counts", s->blocks_adjusted);
	result_add(to, "reference_cpu_list_pages", s->pcp_pages);
	result_add(to, "reference_cpu_list_pages_read", s->pcp_read);
	result_add(to, "reference_cpu_lists_tuning_read", lists_tuned(&s->read));
	result_add(to, "reference_cpu_list_pages_misread", s->pcp_misread);
	result_add(to, "reference_cpu_list_pages_cpu_guessed", s->pcp_guessed);
	result_add(to, "reference_cpu_list_pages_stood_in", s->pcp_hidden);
	result_add(to, "reference_allocations_joined", s->joined);
}

static json_t *inferred(const struct replay *p)
{
	json_t *list = json_object();
	struct objects_unmatched u;

	if (p->observed)
		infer_observed(list, p->observed->observed);
	if (p->started)
		infer_start(list, &p->start);
	objects_get_unmatched(p->objects, &u);
	result_add(list, "objects_freed_that_were_allocated_unseen", u.free_unknown);
	result_add(list, "objects_allocated_that_were_freed_unseen", u.alloc_live);
	result_add(list, "object_events_of_lost_classes", u.class_unknown);
	result_add(list, "large_objects_traced_twice", u.traced_twice);
	result_add(list, "object_allocations_refused", u.failed);
	return list;
}

/* Pages seen while recording, held against the end snapshot page by page. */
static json_t *end_snapshot(const struct replay_diff *d)
{
	static const char *const kinds[PAGE_KINDS] = {"unknown", "reserved", "free", "cpu_list",
						      "live",	 "taken",    "start"};
	static const char *const states[KMT_PG_STATES] = {
		"none", "reserved", "free", "kernel", "slab", "pgtable", "anon", "file", "huge"};
	json_t *rows = json_array();

	for (unsigned int k = 0; k < PAGE_KINDS; k++)
		for (unsigned int s = 0; s < KMT_PG_STATES; s++)
			if (d->pages[k][s])
				json_array_append_new(rows, json_pack("{s:s, s:s, s:I}", "observed",
								      kinds[k], "kernel", states[s],
								      "pages",
								      (json_int_t)d->pages[k][s]));
	return rows;
}

static json_t *witness(const struct replay_witness *w)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "file", "/proc/buddyinfo", "readings",
			 (json_int_t)w->readings, "exact", (json_int_t)w->exact, "within_noise",
			 (json_int_t)w->close, "worst_free_pages", (json_int_t)w->worst_pages);
}

static const char *gfp_source(const struct replay *p)
{
	for (unsigned int i = 0; i < p->nr_runs; i++)
		if (p->runs[i].reference)
			return p->runs[i].reference->gfp.from_trace ? "trace" : "built-in table";
	return NULL;
}

static void copy(json_t *to, const char *name, json_t *from, const char *key)
{
	json_t *v = json_object_get(from, key);

	if (v)
		json_object_set(to, name, v);
}

json_t *result_trust(const struct replay *p)
{
	const char *text = trace_reader_account(p->reader);
	json_t *account = text ? json_loads(text, 0, NULL) : NULL;
	json_t *trust = json_object();
	struct trace_damage d;
	char line[100];
	bool complete;

	json_object_set_new(trust, "damage", damage(p, &d));
	complete = verdict(json_object_get(account, "totals"), &d, line, sizeof(line));
	if (complete && json_object_get(account, "missed_calls")) {
		complete = false;
		snprintf(line, sizeof(line), "INCOMPLETE (kprobes missed %lld calls)",
			 (long long)number(account, "missed_calls"));
	}
	if (complete && left_out(p->host.header, account)) {
		complete = false;
		snprintf(line, sizeof(line), "INCOMPLETE (recorded by filters or in samples)");
	}
	json_object_set_new(trust, "complete", json_boolean(complete));
	json_object_set_new(trust, "verdict", json_string(line));
	copy(trust, "accounting", account, "totals");
	copy(trust, "coverage", account, "coverage");
	copy(trust, "attached", p->host.header, "probes");
	copy(trust, "missing", p->host.header, "missing");
	copy(trust, "recorder", account, "self");
	json_object_set_new(trust, "inferred", inferred(p));
	if (p->observed && p->witness.readings)
		json_object_set_new(trust, "witness", witness(&p->witness));
	if (p->diff.chunks)
		json_object_set_new(trust, "end_snapshot", end_snapshot(&p->diff));
	if (gfp_source(p))
		json_object_set_new(trust, "gfp_bits_from", json_string(gfp_source(p)));
	json_decref(account);
	return trust;
}
