/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * result_latency.c - the recorder's histograms of time inside the allocation functions
 * (TEXT "latency", include/kmemlab/trace.h), with quantiles. The file is not trusted.
 */
#include <stdlib.h>
#include <string.h>

#include "common/histogram.h"
#include "replay/calltimer.h"
#include "replay/heat.h"
#include "replay/result.h"
#include "replay/result_evidence.h"
#include "trace/trace_io.h"

enum { ROWS_MAX = KML_LATENCY_WHATS * KML_LATENCY_CLASSES };

static bool is_count(const json_t *v)
{
	return json_is_integer(v) && json_integer_value(v) >= 0;
}

/* [[lowest ns of a bucket, calls], ...], rising. Sums to @calls. */
static bool histogram_good(const json_t *h, json_int_t calls)
{
	json_int_t sum = 0, last = -1;
	size_t i;
	json_t *b;

	if (!json_is_array(h) || json_array_size(h) > KML_LATENCY_BUCKETS)
		return false;
	json_array_foreach (h, i, b) {
		json_int_t at = json_integer_value(json_array_get(b, 0));
		json_int_t n = json_integer_value(json_array_get(b, 1));

		if (!is_count(json_array_get(b, 0)) || !is_count(json_array_get(b, 1)) ||
		    at <= last || n > calls - sum)
			return false;
		last = at;
		sum += n;
	}
	return sum == calls;
}

static bool row_good(const json_t *r)
{
	static const char *const counts[] = {"calls", "sum_ns", "max_ns"};

	if (!json_is_string(json_object_get(r, "what")) ||
	    (!is_count(json_object_get(r, "order")) && !is_count(json_object_get(r, "bytes"))))
		return false;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (!is_count(json_object_get(r, counts[i])))
			return false;
	return histogram_good(json_object_get(r, "histogram"),
			      json_integer_value(json_object_get(r, "calls")));
}

static void add_quantiles(json_t *r)
{
	json_int_t calls = json_integer_value(json_object_get(r, "calls"));

	json_object_set_new(r, "p50_ns", json_integer(latency_quantile(r, 0.5)));
	json_object_set_new(r, "p99_ns", json_integer(latency_quantile(r, 0.99)));
	json_object_set_new(r, "p999_ns", json_integer(latency_quantile(r, 0.999)));
	if (calls && json_object_get(r, "sum_ns"))
		json_object_set_new(
			r, "mean_ns",
			json_real((double)json_integer_value(json_object_get(r, "sum_ns")) /
				  (double)calls));
}

/* What a sample and a row are told apart by. */
struct cell_key {
	const char *what;
	json_int_t class;
	uint32_t bucket;
};

static struct cell_key key_of(const json_t *o, json_int_t ns)
{
	const json_t *order = json_object_get(o, "order");
	const char *what = json_string_value(json_object_get(o, "what"));

	return (struct cell_key){what ? what : "",
				 json_integer_value(order ? order : json_object_get(o, "bytes")),
				 heat_bucket((uint64_t)ns)};
}

/* Calls of the histogram's bucket; 0: no such row. */
static double calls_of(const json_t *rows, const struct cell_key *k)
{
	size_t i, n;
	json_t *r, *b;

	json_array_foreach (rows, i, r) {
		struct cell_key row = key_of(r, 0);

		if (strcmp(row.what, k->what) != 0 || row.class != k->class)
			continue;
		json_array_foreach (json_object_get(r, "histogram"), n, b)
			if (heat_bucket((uint64_t)json_integer_value(json_array_get(b, 0))) ==
			    k->bucket)
				return (double)json_integer_value(json_array_get(b, 1));
	}
	return 0;
}

/* A call that was kept: it stands for its bucket's calls, shared among those kept. */
struct kept {
	uint64_t t_ns, ns;
	struct cell_key key;
	enum path path;
};

static int by_key(const void *x, const void *y)
{
	const struct cell_key *a = &((const struct kept *)x)->key,
			      *b = &((const struct kept *)y)->key;
	int c = strcmp(a->what, b->what);

	if (c)
		return c;
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	return (a->bucket > b->bucket) - (a->bucket < b->bucket);
}

static size_t read_kept(const struct replay *p, const json_t *list, struct kept *out)
{
	size_t i, n = 0;
	json_t *s;

	json_array_foreach (list, i, s) {
		json_int_t at = json_integer_value(json_object_get(s, "time_ns"));
		json_int_t ns = json_integer_value(json_object_get(s, "ns"));

		if (n == KML_LATENCY_SAMPLES || ns < 0 || at < (json_int_t)p->first_ns ||
		    at > (json_int_t)p->last_ns)
			continue;
		out[n++] = (struct kept){(uint64_t)at - p->first_ns, (uint64_t)ns, key_of(s, ns),
					 call_paths_of(&p->call_paths, i)};
	}
	return n;
}

/* {what: grid}: over time, each kept call with the weight of its bucket. */
static json_t *heat_of_kept(const struct replay *p, const json_t *rows, const struct kept *kept,
			    size_t n)
{
	json_t *out = json_object();
	struct heat *h = NULL;

	for (size_t i = 0, end; i < n; i = end) {
		double calls = calls_of(rows, &kept[i].key);

		for (end = i + 1; end < n && !by_key(&kept[i], &kept[end]);)
			end++;
		if (!h)
			h = heat_new(p->last_ns - p->first_ns);
		for (size_t k = i; k < end; k++)
			heat_add(h, kept[k].t_ns, kept[k].ns, calls / (double)(end - i));
		if (end < n && !strcmp(kept[i].key.what, kept[end].key.what))
			continue;
		json_t *grid = heat_json(h);
		if (grid)
			json_object_set_new(out, kept[i].key.what, grid);
		free(h);
		h = NULL;
	}
	return out;
}

/* Calls on one path, of one order, by those that were kept. */
struct on_path {
	size_t kept;
	double bucket[KML_LATENCY_BUCKETS];
	struct kml_latency_cell cell; /* the same, in whole calls */
};

static json_t *path_row(enum path path, unsigned int order, const struct kml_latency_cell *c)
{
	json_t *r = json_pack("{s:s, s:s, s:i, s:I, s:I, s:o}", "what", "pages", "path",
			      path < PATHS ? path_name(path) : "unclear", "order", (int)order,
			      "calls", (json_int_t)c->calls, "max_ns", (json_int_t)c->max_ns,
			      "histogram", latency_histogram(c));

	add_quantiles(r);
	return r;
}

static void add_path_row(json_t *rows, enum path path, unsigned int order, struct on_path *o)
{
	json_t *r;

	for (uint32_t b = 0; b < KML_LATENCY_BUCKETS; b++) {
		o->cell.bucket[b] = (uint64_t)(o->bucket[b] + 0.5);
		o->cell.calls += o->cell.bucket[b];
	}
	r = path_row(path, order, &o->cell);
	json_object_set_new(r, "kept", json_integer((json_int_t)o->kept));
	json_array_append_new(rows, r);
}

/* Each kept call with the weight of its bucket, as in the grids. */
static json_t *paths_of_kept(const json_t *rows, const struct kept *kept, size_t n)
{
	struct on_path *all = calloc((PATHS + 1) * CALL_PATHS_ORDERS, sizeof(*all));
	json_t *out = json_array();

	for (size_t i = 0, end; all && i < n; i = end) {
		double calls = calls_of(rows, &kept[i].key);

		for (end = i + 1; end < n && !by_key(&kept[i], &kept[end]);)
			end++;
		for (size_t k = i; k < end && !strcmp(kept[k].key.what, "pages"); k++) {
			struct on_path *o = &all[kept[k].path * CALL_PATHS_ORDERS +
						 (size_t)kept[k].key.class % CALL_PATHS_ORDERS];

			o->kept++;
			o->bucket[kept[k].key.bucket] += calls / (double)(end - i);
			if (kept[k].ns > o->cell.max_ns)
				o->cell.max_ns = kept[k].ns;
		}
	}
	for (unsigned int i = 0; all && i < (PATHS + 1) * CALL_PATHS_ORDERS; i++)
		if (all[i].kept)
			add_path_row(out, (enum path)(i / CALL_PATHS_ORDERS), i % CALL_PATHS_ORDERS,
				     &all[i]);
	free(all);
	return out;
}

static void add_kept(const struct replay *p, const json_t *list, json_t *to)
{
	struct kept *kept = calloc(KML_LATENCY_SAMPLES, sizeof(*kept));
	size_t n = kept ? read_kept(p, list, kept) : 0;
	const json_t *rows = json_object_get(to, "rows");

	if (n)
		qsort(kept, n, sizeof(*kept), by_key);
	json_object_set_new(to, "samples", json_integer((json_int_t)n));
	json_object_set_new(to, "heat", heat_of_kept(p, rows, kept, n));
	if (p->observed)
		json_object_set_new(to, "paths", paths_of_kept(rows, kept, n));
	free(kept);
}

static void add_order(const struct call_timer *w, unsigned int order, bool tells_paths,
		      json_t *rows, json_t *paths)
{
	struct kml_latency_cell all = {0};
	json_t *r;

	for (unsigned int path = 0; path < PATHS; path++) {
		const struct kml_latency_cell *c = &w->timed[path][order];

		latency_add(&all, c);
		if (tells_paths && c->calls)
			json_array_append_new(paths, path_row((enum path)path, order, c));
	}
	if (!all.calls)
		return;
	r = json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:o}", "what", "pages", "order", (int)order,
		      "calls", (json_int_t)all.calls, "of_calls", (json_int_t)w->calls[order],
		      "sum_ns", (json_int_t)all.sum_ns, "max_ns", (json_int_t)all.max_ns,
		      "histogram", latency_histogram(&all));
	add_quantiles(r);
	json_array_append_new(rows, r);
}

json_t *result_call_times(const struct call_timer *w, bool tells_paths)
{
	json_t *rows = json_array(), *paths = json_array();
	json_t *heat = json_object(), *grid = heat_json(w->heat);

	for (unsigned int order = 0; order < CALL_TIMER_ORDERS; order++)
		add_order(w, order, tells_paths, rows, paths);
	if (grid)
		json_object_set_new(heat, "pages", grid);
	return json_pack("{s:o, s:o, s:i, s:I, s:o}", "rows", rows, "paths", paths, "timed_one_in",
			 CALL_TIMER_EVERY, "clock_ns", (json_int_t)w->clock_ns, "heat", heat);
}

json_t *result_latency(const struct replay *p)
{
	json_t *rows, *r, *o;
	size_t i;

	if (!p->latency)
		return NULL;
	rows = json_array();
	json_array_foreach (json_object_get(p->latency, "rows"), i, r) {
		if (i >= ROWS_MAX || !row_good(r))
			continue;
		add_quantiles(r);
		json_array_append(rows, r);
	}
	o = json_pack("{s:o, s:I}", "rows", rows, "missed",
		      json_integer_value(json_object_get(p->latency, "missed")));
	add_kept(p, json_object_get(p->latency, "samples"), o);
	return o;
}
