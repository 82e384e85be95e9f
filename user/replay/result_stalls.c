/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_stalls.c - waits in reclaim and compaction, failures, background threads. */
#include <stdlib.h>
#include <string.h>

#include "metrics/quantile.h"
#include "replay/heat.h"
#include "replay/result.h"
#include "replay/result_evidence.h"
#include "trace/trace_io.h"

enum { STALLS_MAX = 200, MARKS_MAX = 200, SPANS_MAX = 200 };

static const char *const kinds[STALL_KINDS] = {
	[STALL_RECLAIM] = "reclaim",	       [STALL_MEMCG_RECLAIM] = "memcg_reclaim",
	[STALL_NODE_RECLAIM] = "node_reclaim", [STALL_COMPACTION] = "compaction",
	[STALL_THROTTLED] = "throttled",       [STALL_COMPACTION_ASKED] = "compaction_asked_for",
};

static const char *const threads[THREADS] = {"kswapd", "kcompactd"};
static const char *const markers[MARKERS] = {"failure", "oom"};

const char *result_comm(const struct replay *p, uint32_t class_id)
{
	const struct kmt_class *c = class_id < p->nr_classes ? p->classes[class_id] : NULL;

	return c ? trace_reader_string(p->reader, c->comm) : "";
}

bool result_records(const struct replay *p, unsigned int kind)
{
	const char *name = trace_kind_name(kind);
	size_t i;
	json_t *probe;

	json_array_foreach (json_object_get(p->host.header, "probes"), i, probe) {
		const char *attached = json_string_value(json_object_get(probe, "name"));

		if (attached && !strcmp(attached, name))
			return true;
	}
	return kind < KMT_KINDS && p->by_kind[kind];
}

static json_int_t since_start(const struct replay *p, uint64_t time_ns)
{
	return time_ns > p->first_ns ? (json_int_t)(time_ns - p->first_ns) : 0;
}

/* What stalls are told apart by. */
struct group {
	const char *comm; /* NULL: all commands */
	int kind, order;  /* order -1: all */
	uint64_t sum_ns;
	uint64_t *ns; /* each, sorted */
	size_t n;
};

static int by_ns(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

/* The smallest of which the share @q is no longer. */
static json_int_t quantile(const struct group *g, double q)
{
	return (json_int_t)g->ns[quantile_rank(g->n, q) - 1];
}

static json_t *group_json(struct group *g)
{
	json_t *o;

	qsort(g->ns, g->n, sizeof(*g->ns), by_ns);
	o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "kind", kinds[g->kind], "count",
		      (json_int_t)g->n, "total_ns", (json_int_t)g->sum_ns, "p50_ns",
		      quantile(g, 0.5), "p99_ns", quantile(g, 0.99), "max_ns", quantile(g, 1));
	if (g->order >= 0)
		json_object_set_new(o, "order", json_integer(g->order));
	if (g->comm)
		json_object_set_new(o, "comm", json_string(g->comm));
	return o;
}

/* Stalls sorted so that those of one group come together. */
struct keyed {
	const struct stall *stall;
	const char *comm;
};

static int by_kind(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;

	return (int)a->stall->kind - (int)b->stall->kind;
}

static int by_order(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;
	int c = by_kind(x, y);

	return c ? c : (int)a->stall->order - (int)b->stall->order;
}

static int by_comm(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;
	int c = by_kind(x, y);

	return c ? c : strcmp(a->comm, b->comm);
}

/* Where it goes in a list with the most time first. */
static size_t place(const json_t *list, uint64_t sum_ns)
{
	size_t at = json_array_size(list);

	while (at && (uint64_t)json_integer_value(
			     json_object_get(json_array_get(list, at - 1), "total_ns")) < sum_ns)
		at--;
	return at;
}

typedef int compare_fn(const void *, const void *);

static json_t *grouped(struct keyed *k, size_t n, compare_fn *same, uint64_t *room)
{
	json_t *list = json_array();

	if (n)
		qsort(k, n, sizeof(*k), same);
	for (size_t i = 0; i < n;) {
		struct group g = {.kind = k[i].stall->kind, .order = -1, .ns = room};
		size_t first = i;

		if (same == by_order)
			g.order = k[i].stall->order;
		if (same == by_comm)
			g.comm = k[i].comm;
		for (; i < n && !same(&k[first], &k[i]); i++) {
			room[g.n++] = k[i].stall->ns;
			g.sum_ns += k[i].stall->ns;
		}
		json_array_insert_new(list, g.comm ? place(list, g.sum_ns) : json_array_size(list),
				      group_json(&g));
	}
	return list;
}

static int by_length(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;

	if (a->stall->ns != b->stall->ns)
		return a->stall->ns < b->stall->ns ? 1 : -1;
	return a->stall->begin_ns < b->stall->begin_ns ? -1 : 1;
}

static json_t *longest(const struct replay *p, struct keyed *k, size_t n)
{
	json_t *list = json_array();

	if (n)
		qsort(k, n, sizeof(*k), by_length);
	for (size_t i = 0; i < n && i < STALLS_MAX; i++)
		json_array_append_new(list, json_pack("{s:I, s:I, s:s, s:i, s:s}", "t_ns",
						      since_start(p, k[i].stall->begin_ns),
						      "duration_ns", (json_int_t)k[i].stall->ns,
						      "kind", kinds[k[i].stall->kind], "order",
						      (int)k[i].stall->order, "comm", k[i].comm));
	return list;
}

/* {"column_ns", what: [count]}: all of them, however many. */
static json_t *marks_over_time(const struct replay *p, const struct stalls_found *w)
{
	uint64_t column_ns = (p->last_ns - p->first_ns) / HEAT_COLUMNS + 1;
	uint64_t n[MARKERS][HEAT_COLUMNS] = {0};
	json_t *o = json_pack("{s:I}", "column_ns", (json_int_t)column_ns);

	for (size_t i = 0; i < w->nr_marks; i++) {
		uint64_t column = (uint64_t)since_start(p, w->marks[i].time_ns) / column_ns;

		n[w->marks[i].kind][column < HEAT_COLUMNS ? column : HEAT_COLUMNS - 1]++;
	}
	for (int kind = 0; kind < MARKERS; kind++)
		json_object_set_new(o, markers[kind], result_array(n[kind], HEAT_COLUMNS));
	return o;
}

static json_t *marks(const struct replay *p, const struct stalls_found *w)
{
	json_t *list = json_array(), *counts = json_object();

	for (size_t i = 0; i < w->nr_marks; i++) {
		const struct stall_mark *m = &w->marks[i];

		result_add(counts, markers[m->kind], 1);
		/* All of them where they are few, else evenly. */
		if (w->nr_marks > MARKS_MAX && i * MARKS_MAX % w->nr_marks >= MARKS_MAX)
			continue;
		json_array_append_new(list, json_pack("{s:I, s:s, s:i, s:s}", "t_ns",
						      since_start(p, m->time_ns), "what",
						      markers[m->kind], "order", (int)m->order,
						      "comm", result_comm(p, m->task)));
	}
	return json_pack("{s:o, s:o, s:o}", "counts", counts, "list", list, "over_time",
			 marks_over_time(p, w));
}

static int by_span(const void *x, const void *y)
{
	const struct stall_span *a = *(const struct stall_span *const *)x;
	const struct stall_span *b = *(const struct stall_span *const *)y;
	uint64_t la = a->end_ns - a->begin_ns, lb = b->end_ns - b->begin_ns;

	if (la != lb)
		return la < lb ? 1 : -1;
	return (a->begin_ns > b->begin_ns) - (a->begin_ns < b->begin_ns);
}

static json_t *span_list(const struct replay *p, const struct stalls_found *w,
			 enum stall_thread thread)
{
	const struct stall_span **s = calloc(w->nr_spans + 1, sizeof(*s));
	json_t *list = json_array();
	json_int_t busy = 0;
	size_t n = 0;

	for (size_t i = 0; s && i < w->nr_spans; i++) {
		if (w->spans[i].thread != thread)
			continue;
		busy += (json_int_t)(w->spans[i].end_ns - w->spans[i].begin_ns);
		s[n++] = &w->spans[i];
	}
	if (n)
		qsort(s, n, sizeof(*s), by_span);
	for (size_t i = 0; i < n && i < SPANS_MAX; i++)
		json_array_append_new(list,
				      json_pack("{s:i, s:I, s:I}", "node", (int)s[i]->node, "t_ns",
						since_start(p, s[i]->begin_ns), "duration_ns",
						(json_int_t)(s[i]->end_ns - s[i]->begin_ns)));
	free(s);
	return json_pack("{s:s, s:I, s:I, s:o}", "thread", threads[thread], "times", (json_int_t)n,
			 "busy_ns", busy, "longest", list);
}

/* {kind: grid} of all stalls at their begins. */
static json_t *heat(const struct replay *p, const struct stalls_found *w)
{
	json_t *out = json_object();

	for (int kind = 0; kind < STALL_KINDS; kind++) {
		struct heat *h = heat_new(p->last_ns - p->first_ns);
		json_t *grid;

		for (size_t i = 0; i < w->n; i++)
			if (w->stalls[i].kind == kind)
				heat_add(h, (uint64_t)since_start(p, w->stalls[i].begin_ns),
					 w->stalls[i].ns, 1);
		grid = heat_json(h);
		if (grid)
			json_object_set_new(out, kinds[kind], grid);
		free(h);
	}
	return out;
}

json_t *result_stalls(const struct replay *p, const struct evidence *v)
{
	const struct stalls_found *w = &v->waits;
	struct keyed *k;
	uint64_t *room;
	json_t *o;

	if (!result_records(p, KMT_RECLAIM_BEGIN) && !result_records(p, KMT_COMPACT_BEGIN))
		return NULL;
	k = calloc(w->n + 1, sizeof(*k));
	room = calloc(w->n + 1, sizeof(*room));
	o = json_object();
	for (size_t i = 0; k && room && i < w->n; i++)
		k[i] = (struct keyed){&w->stalls[i], result_comm(p, w->stalls[i].task)};
	if (k && room) {
		json_object_set_new(o, "by_kind", grouped(k, w->n, by_kind, room));
		json_object_set_new(o, "by_order", grouped(k, w->n, by_order, room));
		json_object_set_new(o, "by_command", grouped(k, w->n, by_comm, room));
		json_object_set_new(o, "longest", longest(p, k, w->n));
	}
	json_object_set_new(o, "without_end", json_integer((json_int_t)w->open));
	json_object_set_new(o, "heat", heat(p, w));
	json_object_set_new(o, "marks", marks(p, w));
	json_object_set_new(o, "background",
			    json_pack("[o, o]", span_list(p, w, THREAD_KSWAPD),
				      span_list(p, w, THREAD_KCOMPACTD)));
	free(k);
	free(room);
	return o;
}
