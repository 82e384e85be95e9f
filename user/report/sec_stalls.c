/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_stalls.c - waits in reclaim and compaction, failures, background threads. */
#include <math.h>
#include <string.h>

#include "report/facts.h"
#include "report/sections.h"

enum { LONGEST_SHOWN = 50 };

/* What a table of stalls is by: rows of "by_kind", "by_order" or "by_command". */
struct grouping {
	const char *member, *key;
	enum report_unit unit; /* of the key's column; UNIT_TEXT: a name */
};

static void rows_groups(const struct rows *r, size_t i, const json_t *stalls,
			const struct grouping *g)
{
	size_t k;
	json_t *v;

	json_array_foreach (json_object_get(stalls, g->member), k, v) {
		struct doc_cell *c = rows_add(r, i);

		if (g->unit == UNIT_TEXT)
			c[0].text = copy_text(r->d, jstr(v, g->key, NULL));
		else
			c[0].value = jnum(v, g->key);
		c[1].text = counter_name(r->d, jstr(v, "kind", ""));
		c[2].value = jnum(v, "count");
		c[3].value = jnum(v, "p50_ns");
		c[4].value = jnum(v, "p99_ns");
		c[5].value = jnum(v, "max_ns");
		c[6].value = jnum(v, "total_ns");
	}
}

#define STALL_COLUMNS(name, unit, help)                                                            \
	RESULT_COLUMN, {name, unit, help}, {"wait", UNIT_TEXT, "what for"},                        \
		{"stalls", UNIT_COUNT, NULL}, {"median", UNIT_NS, NULL},                           \
		{"99 %", UNIT_NS, "99 of 100 stalls were no longer"}, {"longest", UNIT_NS, NULL},  \
	{                                                                                          \
		"total", UNIT_NS, "over all tasks; they wait side by side"                         \
	}

static void table_groups(struct report_doc *d, struct doc_section *s, const struct report_input *in,
			 bool by_order)
{
	static const struct doc_column commands[] = {
		STALL_COLUMNS("command", UNIT_TEXT, "the task that waited"),
	};
	static const struct doc_column orders[] = {
		STALL_COLUMNS("order", UNIT_COUNT, "of the request; 18: whole zones, asked for"),
	};
	static const struct grouping groupings[] = {{"by_command", "comm", UNIT_TEXT},
						    {"by_order", "order", UNIT_COUNT}};
	struct rows r = by_order ? rows_begin(d, in, "Stalls by order", COLUMNS(orders))
				 : rows_begin(d, in, "Stalls by command", COLUMNS(commands));

	for (size_t i = 0; i < in->n; i++)
		rows_groups(&r, i, json_object_get(in->results[i].root, "stalls"),
			    &groupings[by_order]);
	r.t->bars = true;
	rows_end(&r, s);
}

/* All stalls of a result in one row: exact sums over the kinds in which a request waits. */
static void row_all_stalls(const struct rows *r, size_t i, const json_t *kinds)
{
	struct doc_cell *c = rows_add(r, i);
	size_t k;
	json_t *v;

	c[0].text = "all";
	c[1].value = c[5].value = 0;
	json_array_foreach (kinds, k, v) {
		if (!facts_waits(v))
			continue;
		c[1].value += jnum(v, "count");
		c[4].value = fmax(c[4].value, jnum(v, "max_ns"));
		c[5].value += jnum(v, "total_ns");
	}
	doc_anchor(r->d, &c[1], i, "stalls");
	doc_anchor(r->d, &c[4], i, "longest-stall");
	doc_anchor(r->d, &c[5], i, "stalled");
}

static void table_kinds(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"wait", UNIT_TEXT,
		 "what for; compaction asked for, through vm.compact_memory or sysfs, is no "
		 "request's wait and not in 'all'"},
		{"stalls", UNIT_COUNT, NULL},
		{"median", UNIT_NS, NULL},
		{"99 %", UNIT_NS, "99 of 100 stalls were no longer"},
		{"longest", UNIT_NS, NULL},
		{"total", UNIT_NS, "over all tasks; they wait side by side"},
	};
	struct rows r = rows_begin(d, in, "Stalls by what for", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *kinds = jpath(in->results[i].root, "stalls.by_kind");

		json_array_foreach (kinds, k, v) {
			struct doc_cell *c = rows_add(&r, i);

			c[0].text = counter_name(d, jstr(v, "kind", ""));
			c[1].value = jnum(v, "count");
			c[2].value = jnum(v, "p50_ns");
			c[3].value = jnum(v, "p99_ns");
			c[4].value = jnum(v, "max_ns");
			c[5].value = jnum(v, "total_ns");
		}
		if (kinds)
			row_all_stalls(&r, i, kinds);
	}
	r.t->bars = true;
	rows_end(&r, s);
}

static void table_longest(struct report_doc *d, struct doc_section *s,
			  const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"at", UNIT_NS, "since the first event"},
		{"command", UNIT_TEXT, NULL},
		{"wait", UNIT_TEXT, NULL},
		{"order", UNIT_COUNT, NULL},
		{"length", UNIT_NS, NULL},
	};
	struct rows r = rows_begin(d, in, "The longest stalls", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, "stalls.longest"), k, v) {
			struct doc_cell *c;

			if (k >= LONGEST_SHOWN)
				break;
			c = rows_add(&r, i);
			c[0].value = jnum(v, "t_ns");
			c[1].text = copy_text(d, jstr(v, "comm", NULL));
			c[2].text = counter_name(d, jstr(v, "kind", ""));
			c[3].value = jnum(v, "order");
			c[4].value = jnum(v, "duration_ns");
		}
	r.t->folded = true;
	r.t->bars = true;
	rows_end(&r, s);
}

static void table_marks(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"at", UNIT_NS, "since the first event"},
		{"what", UNIT_TEXT, "failure: an allocation got no page; oom: a task was killed"},
		{"command", UNIT_TEXT, "that asked, or was killed"},
		{"order", UNIT_COUNT, NULL},
	};
	struct rows r = rows_begin(d, in, "Failures and OOM kills", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, "stalls.marks.list"), k, v) {
			struct doc_cell *c = rows_add(&r, i);

			c[0].value = jnum(v, "t_ns");
			c[1].text = copy_text(d, jstr(v, "what", NULL));
			c[2].text = copy_text(d, jstr(v, "comm", NULL));
			c[3].value = jnum(v, "order");
		}
	r.t->folded = true;
	rows_end(&r, s);
}

static void table_background(struct report_doc *d, struct doc_section *s,
			     const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"thread", UNIT_TEXT, NULL},
		{"times awake", UNIT_COUNT, NULL},
		{"longest", UNIT_NS, NULL},
		{"awake in all", UNIT_NS, "over all nodes, waits within it included"},
		{"of the recording", UNIT_PERCENT, "over all nodes: may exceed 100 %"},
	};
	struct rows r =
		rows_begin(d, in, "Reclaim and compaction in the background", COLUMNS(columns));
	size_t k;
	json_t *v;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, "stalls.background"), k, v) {
			const json_t *longest = json_array_get(json_object_get(v, "longest"), 0);
			double all =
				jnum(json_object_get(in->results[i].root, "trace"), "duration_ns");
			struct doc_cell *c = rows_add(&r, i);

			c[0].text = copy_text(d, jstr(v, "thread", NULL));
			c[1].value = jnum(v, "times");
			c[2].value = jnum(longest, "duration_ns");
			c[3].value = jnum(v, "busy_ns");
			c[4].value = 100 * c[3].value / all;
		}
	rows_end(&r, s);
}

/* What came of it all; 0 where the result has no count. */
static void table_outcome(struct report_doc *d, struct doc_section *s,
			  const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"what", UNIT_TEXT, NULL},
		{"times", UNIT_COUNT, NULL},
	};
	static const struct {
		const char *what, *path, *key, *anchor;
	} rows[] = {
		{"allocations that failed", "stalls.marks.counts", "failure", "failures"},
		{"tasks killed for want of memory (OOM)", "stalls.marks.counts", "oom",
		 "oom-kills"},
		{"stalls that had not ended", "stalls", "without_end", NULL},
	};
	struct rows r = rows_begin(d, in, "What came of it", COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++)
		for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
			double n = jnum(jpath(in->results[i].root, rows[k].path), rows[k].key);
			struct doc_cell *c;

			if (!json_object_get(in->results[i].root, "stalls"))
				continue;
			c = rows_add(&r, i);
			c[0].text = rows[k].what;
			c[1].value = isnan(n) ? 0 : n;
			if (rows[k].anchor)
				doc_anchor(d, &c[1], i, rows[k].anchor);
		}
	rows_end(&r, s);
}

void section_stalls(struct report_doc *d, const struct report_input *in)
{
	struct doc_section *s = doc_section(d, "stalls", "Stalls");
	bool any = false, known = false;

	for (size_t i = 0; i < in->n; i++) {
		const json_t *stalls = json_object_get(in->results[i].root, "stalls");

		if (!stalls) {
			section_missing(d, s, in, i,
					"Stalls in direct reclaim and compaction: not in the "
					"result; record with --probe pressure and replay again.");
			continue;
		}
		known = true;
		any = any || json_array_size(json_object_get(stalls, "longest"));
		if (!json_array_size(json_object_get(stalls, "longest")))
			doc_remark(d, s,
				   pool_printf(&d->pool, "%sNo allocation stalled.",
					       result_prefix(d, in, i)));
	}
	if (!known)
		return;
	s->lead = "A task that finds no free page reclaims or compacts by itself, and its request "
		  "waits. Each stall lasts from the begin to the end that the task's events tell.";
	if (any)
		s->chart = "stalls";
	table_outcome(d, s, in);
	table_kinds(d, s, in);
	table_groups(d, s, in, false);
	table_groups(d, s, in, true);
	table_background(d, s, in);
	table_longest(d, s, in);
	table_marks(d, s, in);
}
