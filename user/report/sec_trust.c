/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_trust.c - the trust box: what was recorded, lost, missed and inferred. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/sections.h"

enum { HOST_ROWS_MAX = 80, HOST_TEXT_MAX = 200 };

static void table_accounting(struct report_doc *d, struct doc_section *s,
			     const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"fired", UNIT_COUNT, "times a probe ran"},
		{"recorded", UNIT_COUNT, "events in the trace"},
		{"filtered", UNIT_COUNT, "left out on purpose, such as kfree(NULL)"},
		{"lost: ring", UNIT_COUNT, "the CPU's ring was full"},
		{"lost: recursion", UNIT_COUNT, "the probe was already active on that CPU"},
		{"lost: write", UNIT_COUNT, "the file could not take it"},
		{"lost", UNIT_PERCENT, "of what was fired"},
	};
	static const char *const key[] = {"fired",     "recorded",	 "filtered",
					  "lost_ring", "lost_recursion", "lost_write"};
	struct rows r = rows_begin(d, in, "Accounting of events", COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++) {
		const json_t *a = jpath(in->results[i].root, "trust.accounting");

		if (!a) {
			section_missing(d, s, in, i,
					"Accounting: not in the result, so losses are unknown; "
					"record again with this version.");
			continue;
		}
		struct doc_cell *c = rows_add(&r, i);
		for (size_t k = 0; k < 6; k++)
			c[k].value = jnum(a, key[k]);
		c[6].value = 100 * (c[3].value + c[4].value + c[5].value) / c[0].value;
	}
	rows_end(&r, s);
}

static void row_coverage(const struct rows *r, size_t i, const char *what, double seen, double all)
{
	if (isnan(seen) && isnan(all))
		return;
	struct doc_cell *c = rows_add(r, i);
	c[0].text = what;
	c[1].value = seen;
	c[2].value = all;
	c[3].value = all > 0 ? 100 * seen / all : NAN;
}

static void table_coverage(struct report_doc *d, struct doc_section *s,
			   const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"pages", UNIT_TEXT, NULL},
		{"seen in the trace", UNIT_COUNT, NULL},
		{"by /proc/vmstat", UNIT_COUNT, "change of pgalloc_* or pgfree meanwhile"},
		{"coverage", UNIT_PERCENT,
		 "seen / by vmstat; not loss, but the tracepoints' holes"},
	};
	struct rows r = rows_begin(d, in, "Coverage: pages seen, against the kernel's own counters",
				   COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++) {
		const json_t *c = jpath(in->results[i].root, "trust.coverage");

		if (!c)
			section_missing(d, s, in, i,
					"Coverage: /proc/vmstat was not read while recording, so "
					"it is unknown which pages the tracepoints missed.");
		row_coverage(&r, i, "allocated", jnum(c, "pages_alloc_seen"),
			     jnum(c, "pages_alloc_vmstat"));
		row_coverage(&r, i, "freed", jnum(c, "pages_free_seen"),
			     jnum(c, "pages_free_vmstat"));
	}
	rows_end(&r, s);
}

static void table_cost(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"user", UNIT_NS, "CPU time"},
		{"system", UNIT_NS, "CPU time"},
		{"of one CPU", UNIT_PERCENT, "user and system time over the recording's length"},
		{"per event", UNIT_NS, "user and system time over recorded events"},
		{"resident", UNIT_BYTES, NULL},
		{"rings", UNIT_BYTES, "memory of all CPUs' rings"},
		{"trace file", UNIT_BYTES, NULL},
		{"B/event", UNIT_REAL, "trace file over events, snapshots included"},
	};
	struct rows r = rows_begin(d, in,
				   "The recorder's own cost (probes' time in the kernel "
				   "not included)",
				   COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++) {
		const json_t *trace = json_object_get(in->results[i].root, "trace");
		const json_t *cost = jpath(in->results[i].root, "trust.recorder");
		double cpu = jnum(cost, "cpu_user_ns") + jnum(cost, "cpu_sys_ns");

		if (!cost && !trace)
			continue;
		struct doc_cell *c = rows_add(&r, i);
		c[0].value = jnum(cost, "cpu_user_ns");
		c[1].value = jnum(cost, "cpu_sys_ns");
		c[2].value = 100 * cpu / jnum(trace, "duration_ns");
		c[3].value = cpu / jnum(trace, "events");
		c[4].value = jnum(cost, "rss_bytes");
		c[5].value = jnum(cost, "ring_bytes");
		c[6].value = jnum(trace, "bytes");
		c[7].value = jnum(trace, "bytes_per_event");
	}
	rows_end(&r, s);
}

static void table_missing(struct report_doc *d, struct doc_section *s,
			  const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"not recorded", UNIT_TEXT, NULL},
		{"why", UNIT_TEXT, NULL},
	};
	struct rows r =
		rows_begin(d, in, "What could not be recorded on this host", COLUMNS(columns));
	size_t k;
	json_t *p;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, "trust.missing"), k, p) {
			struct doc_cell *c = rows_add(&r, i);
			c[0].text = copy_text(d, jstr(p, "what", NULL));
			c[1].text = copy_text(d, jstr(p, "why", NULL));
		}
	rows_end(&r, s);
}

static void table_attached(struct report_doc *d, struct doc_section *s,
			   const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"probe", UNIT_TEXT, NULL},
		{"attached by", UNIT_TEXT, NULL},
	};
	struct rows r = rows_begin(d, in, "Probes attached", COLUMNS(columns));
	size_t k;
	json_t *p;

	for (size_t i = 0; i < in->n; i++)
		json_array_foreach (jpath(in->results[i].root, "trust.attached"), k, p) {
			struct doc_cell *c = rows_add(&r, i);
			c[0].text = copy_text(d, jstr(p, "name", NULL));
			c[1].text = copy_text(d, jstr(p, "how", NULL));
		}
	r.t->folded = true;
	rows_end(&r, s);
}

static void table_counts(const struct rows *r, size_t i, json_t *counts, bool words)
{
	const char *key;
	json_t *v;

	json_object_foreach (counts, key, v) {
		if (!json_is_number(v))
			continue;
		struct doc_cell *c = rows_add(r, i);
		c[0].text = words ? counter_name(r->d, key) : copy_text(r->d, key);
		c[1].value = json_number_value(v);
	}
}

static void table_inferred(struct report_doc *d, struct doc_section *s,
			   const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"inference", UNIT_TEXT, NULL},
		{"times", UNIT_COUNT, NULL},
	};
	struct rows r = rows_begin(d, in, "Inferred, because no event showed it", COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++)
		table_counts(&r, i, jpath(in->results[i].root, "trust.inferred"), true);
	rows_end(&r, s);
}

static void table_events(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"tracepoint", UNIT_TEXT, NULL},
		{"events", UNIT_COUNT, NULL},
	};
	struct rows r = rows_begin(d, in, "Events by tracepoint", COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++)
		table_counts(&r, i, jpath(in->results[i].root, "trace.events_by_kind"), false);
	r.t->folded = true;
	rows_end(&r, s);
}

/* Anything but zero in trust.damage: what, and how much. */
static void table_damage(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"damage to the trace file", UNIT_TEXT, NULL},
		{"how much", UNIT_COUNT, "1 for what is only true or false"},
	};
	struct rows r = rows_begin(d, in, "The trace is damaged; its intact parts were used",
				   COLUMNS(columns));
	const char *key;
	json_t *v;

	for (size_t i = 0; i < in->n; i++)
		json_object_foreach (jpath(in->results[i].root, "trust.damage"), key, v) {
			double n = json_is_true(v) ? 1 : json_number_value(v);
			if (n == 0)
				continue;
			struct doc_cell *c = rows_add(&r, i);
			c[0].text = counter_name(d, key);
			c[1].value = n;
		}
	rows_end(&r, s);
}

static const char *host_value(struct report_doc *d, const json_t *v)
{
	if (json_is_string(v))
		return copy_text(d, json_string_value(v));
	char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	const char *copy = copy_text(d, text && strlen(text) <= HOST_TEXT_MAX ? text : NULL);
	free(text);
	return copy;
}

/* Flatten the host object one level deep: "sysctl.vm.min_free_kbytes". */
static void host_rows(const struct rows *r, size_t i, const char *prefix, json_t *host)
{
	const char *key;
	json_t *v;

	json_object_foreach (host, key, v) {
		if (r->t->rows >= HOST_ROWS_MAX)
			return;
		if (json_is_object(v) && !*prefix) {
			host_rows(r, i, key, v);
			continue;
		}
		const char *text = host_value(r->d, v);
		if (!text || json_is_array(v))
			continue;
		struct doc_cell *c = rows_add(r, i);
		c[0].text = pool_printf(&r->d->pool, "%s%s%s", prefix, *prefix ? "." : "", key);
		c[1].text = text;
	}
}

static void table_host(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"setting", UNIT_TEXT, NULL},
		{"value", UNIT_TEXT, NULL},
	};
	struct rows r = rows_begin(d, in, "Kernel, host and settings", COLUMNS(columns));

	for (size_t i = 0; i < in->n; i++)
		host_rows(&r, i, "", json_object_get(in->results[i].root, "host"));
	r.t->folded = true;
	rows_end(&r, s);
}

static void table_zones(struct report_doc *d, struct doc_section *s, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		RESULT_COLUMN,
		{"node", UNIT_COUNT, NULL},
		{"zone", UNIT_TEXT, NULL},
		{"managed", UNIT_BYTES, "memory the buddy allocator manages"},
		{"min", UNIT_BYTES, "watermark: below it only reserves"},
		{"low", UNIT_BYTES, "watermark: kswapd wakes"},
		{"high", UNIT_BYTES, "watermark: kswapd sleeps"},
	};
	struct rows r = rows_begin(d, in, "Zones and their watermarks", COLUMNS(columns));
	size_t k;
	json_t *zone;

	for (size_t i = 0; i < in->n; i++) {
		double page = report_page_bytes(in->results[i].root);
		json_array_foreach (json_object_get(in->results[i].root, "zones"), k, zone) {
			const json_t *w = json_object_get(zone, "watermarks");
			struct doc_cell *c = rows_add(&r, i);
			c[0].value = jnum(zone, "node");
			c[1].text = copy_text(d, jstr(zone, "name", NULL));
			c[2].value = page * jnum(zone, "managed_pages");
			c[3].value = page * jnum(w, "min");
			c[4].value = page * jnum(w, "low");
			c[5].value = page * jnum(w, "high");
		}
	}
	r.t->folded = true;
	rows_end(&r, s);
}

void section_trust(struct report_doc *d, const struct report_input *in)
{
	struct doc_section *s = doc_section(d, "trust", "Can this be trusted?");

	s->lead = "Every event a probe saw is accounted for: fired = recorded + filtered + lost. "
		  "One lost event makes the verdict INCOMPLETE.";
	table_accounting(d, s, in);
	table_coverage(d, s, in);
	table_cost(d, s, in);
	table_damage(d, s, in);
	table_missing(d, s, in);
	table_inferred(d, s, in);
	table_attached(d, s, in);
	table_events(d, s, in);
	table_zones(d, s, in);
	table_host(d, s, in);
	doc_note(d, s, "What loss, coverage and inference mean",
		 "Loss is an event that fired and is not in the trace. Coverage is what no "
		 "tracepoint shows at all: pages seen in the trace over the change of pgalloc_* "
		 "and pgfree in /proc/vmstat. An inference fills such a hole: a free of a page "
		 "never seen allocated means it was allocated before; an allocation of a page that "
		 "is live means an unseen free.");
}
