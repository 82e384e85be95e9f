/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * page_data.c - the part of the results that the page's charts draw, under the
 * names of reports/result-schema.md. Tables are in the page's HTML already.
 */
#include <math.h>
#include <stdlib.h>

#include "compare/figures.h"
#include "report/report.h"

enum { CACHES_MAX = 12, LIVES_MAX = 80, BLOCKS_MAX = 2000, ALLOCATORS_MAX = 1200 };

/* Every @step-th of @a and the last, recursing into arrays of arrays. */
static json_t *thin(const json_t *a, size_t step)
{
	size_t n = json_array_size(a);

	if (!json_is_array(a))
		return NULL;
	bool nested = json_is_array(json_array_get(a, 0));
	json_t *out = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_array_get(a, i);
		if (nested)
			json_array_append_new(out, thin(v, step));
		else if (i % step == 0 || i + 1 == n)
			json_array_append(out, v);
	}
	return out;
}

/* Rows of every @step-th number as [value, how often, value, how often, ...]. */
static json_t *thin_runs(const json_t *rows, size_t step)
{
	json_t *out = json_array(), *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		json_t *thinned = thin(row, step), *runs = json_array();
		size_t n = json_array_size(thinned);

		for (size_t from = 0, to; from < n; from = to) {
			for (to = from + 1; to < n && jat(thinned, to) == jat(thinned, from);)
				to++;
			json_array_append(runs, json_array_get(thinned, from));
			json_array_append_new(runs, json_integer((json_int_t)(to - from)));
		}
		json_decref(thinned);
		json_array_append_new(out, runs);
	}
	return out;
}

static void copy_thin(json_t *to, const json_t *from, const char *key, size_t step)
{
	json_t *v = thin(json_object_get(from, key), step);

	if (v)
		json_object_set_new(to, key, v);
}

static void copy(json_t *to, const json_t *from, const char *key)
{
	json_t *v = json_object_get(from, key);

	if (v)
		json_object_set(to, key, v);
}

static json_t *page_runs(const json_t *root, size_t step)
{
	json_t *out = json_array();
	size_t i;
	json_t *run, *series;
	const char *key;

	json_array_foreach (json_object_get(root, "runs"), i, run) {
		json_t *r = json_object();
		json_t *unusable = json_object();
		copy(r, run, "name");
		copy_thin(r, run, "free_blocks", step);
		json_object_foreach (json_object_get(run, "unusable"), key, series)
			json_object_set_new(unusable, key, thin(series, step));
		json_object_set_new(r, "unusable", unusable);
		copy(r, run, "latency");
		json_array_append_new(out, r);
	}
	return out;
}

static json_t *page_samples(const json_t *root, size_t step)
{
	const json_t *samples = json_object_get(root, "kernel_samples");

	if (!samples)
		return NULL;
	json_t *out = json_object();
	copy_thin(out, samples, "time_ns", step);
	copy_thin(out, samples, "free_blocks", step);
	return out;
}

static json_t *page_map(const json_t *root, size_t step)
{
	const json_t *map = json_object_get(root, "pageblocks");
	size_t i;
	json_t *zone;

	if (!map)
		return NULL;
	json_t *out = json_object();
	json_t *zones = json_array();
	copy_thin(out, map, "time_ns", step);
	json_array_foreach (json_object_get(map, "zones"), i, zone) {
		json_t *z = json_object();
		copy(z, zone, "zone");
		copy(z, zone, "start_pfn");
		copy(z, zone, "pages_per_row");
		json_object_set_new(z, "type", thin_runs(json_object_get(zone, "type"), step));
		json_object_set_new(z, "used", thin_runs(json_object_get(zone, "used"), step));
		json_array_append_new(zones, z);
	}
	json_object_set_new(out, "zones", zones);
	return out;
}

/* Bytes between the least and the most that were live at once. */
static double moved_bytes(const json_t *cache)
{
	const json_t *live = json_object_get(cache, "live");
	double object = jnum(cache, "bytes_alloc") / jnum(cache, "allocs");
	double least = 0, most = 0;

	for (size_t i = 0; i < json_array_size(live); i++) {
		least = fmin(least, jat(live, i));
		most = fmax(most, jat(live, i));
	}
	return isfinite(object) ? object * (most - least) : 0;
}

static int by_moved_bytes(const void *a, const void *b)
{
	double x = moved_bytes(*(json_t *const *)a);
	double y = moved_bytes(*(json_t *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The caches whose memory moved most; the table has all of them. */
static json_t *page_slabs(const json_t *root, size_t step)
{
	json_t *all = json_copy(json_object_get(root, "slabs"));
	size_t n = json_array_size(all);
	json_t **cache = calloc(n + 1, sizeof(json_t *));
	json_t *out = json_array();

	for (size_t i = 0; cache && i < n; i++)
		cache[i] = json_array_get(all, i);
	if (cache)
		qsort(cache, n, sizeof(json_t *), by_moved_bytes);
	for (size_t i = 0; cache && i < n && i < CACHES_MAX; i++) {
		json_t *c = json_object();
		copy(c, cache[i], "name");
		copy_thin(c, cache[i], "live", step);
		json_array_append_new(out, c);
	}
	free(cache);
	json_decref(all);
	return out;
}

/* @array without all but its first @n */
static json_t *first(const json_t *array, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n && i < json_array_size(array); i++)
		json_array_append(out, json_array_get(array, i));
	return out;
}

/* A row of the kernel's times, of a class or of a path */
static json_t *call_times(const json_t *row)
{
	static const char *const wanted[] = {"what",  "path",	   "order",
					     "bytes", "histogram", "calls"};
	json_t *r = json_object();

	for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++)
		copy(r, row, wanted[k]);
	return r;
}

/* What the charts of waits, lives and latency draw: lists that are short already. */
static void page_evidence(json_t *out, const json_t *root, size_t step)
{
	const json_t *stalls = json_object_get(root, "stalls");
	json_t *rows = json_array(), *v;
	size_t i;

	if (stalls) {
		json_t *s = json_object();

		copy(s, stalls, "longest");
		copy(s, stalls, "background");
		copy(s, stalls, "heat");
		copy(s, stalls, "by_kind");
		json_object_set(s, "marks", jpath(stalls, "marks.list"));
		json_object_set(s, "marks_over_time", jpath(stalls, "marks.over_time"));
		json_object_set_new(out, "stalls", s);
	}
	json_array_foreach (jpath(root, "latency.rows"), i, v)
		json_array_append_new(rows, call_times(v));
	json_array_foreach (jpath(root, "latency.paths"), i, v)
		json_array_append_new(rows, call_times(v));
	json_object_set_new(out, "latency", rows);
	json_object_set(out, "latency_heat", jpath(root, "latency.heat"));
	json_object_set(out, "fallbacks_over_time", jpath(root, "culprits.fallbacks.over_time"));
	json_object_set_new(out, "lifetimes",
			    first(jpath(root, "lifetimes.rows"), LIVES_MAX / step));
	json_object_set(out, "pages_per_block", jpath(root, "culprits.blocks.pages_per_block"));
	json_object_set_new(out, "blocks",
			    first(jpath(root, "culprits.blocks.list"), BLOCKS_MAX / step));
	json_object_set_new(out, "allocators",
			    first(jpath(root, "allocators.rows"), ALLOCATORS_MAX / step));
	json_object_set(out, "allocators_others", jpath(root, "allocators.others"));
}

static json_t *page_result(const struct report_result *result, size_t step)
{
	const json_t *root = result->root;
	json_t *out = json_object();
	json_t *samples = page_samples(root, step);
	json_t *map = page_map(root, step);

	json_object_set_new(out, "label", json_string(result->label));
	json_object_set_new(out, "page_bytes", json_real(report_page_bytes(root)));
	json_object_set_new(out, "duration_ns",
			    json_real(jnum(json_object_get(root, "trace"), "duration_ns")));
	copy(out, root, "zones");
	copy(out, json_object_get(root, "host"), "migratetypes");
	copy_thin(out, root, "time_ns", step);
	json_object_set_new(out, "runs", page_runs(root, step));
	json_object_set_new(out, "slabs", page_slabs(root, step));
	page_evidence(out, root, step);
	if (samples)
		json_object_set_new(out, "kernel_samples", samples);
	if (map)
		json_object_set_new(out, "pageblocks", map);
	return out;
}

/* The figures of a comparison, measure by measure; not one that nobody knows. */
static json_t *page_comparison(const struct comparison *c)
{
	json_t *groups = json_array(), *list = json_array();

	for (size_t k = 0; k < c->n; k++)
		json_array_append_new(groups, json_string(c->groups[k].name));
	for (size_t i = 0; i < MEASURES; i++) {
		json_t *figures = json_array();

		for (size_t k = 0; k < c->n && comparison_wants(c, i); k++)
			if (c->groups[k].spread[i].n)
				json_array_append_new(figures, comparison_figure(c, k, i));
		if (json_array_size(figures))
			json_array_append_new(list,
					      json_pack("{s:s, s:s, s:i, s:s, s:o}", "name",
							measures[i].name, "unit", measures[i].unit,
							"better", measures[i].better, "what",
							measures[i].what, "figures", figures));
		else
			json_decref(figures);
	}
	return json_pack("{s:I, s:s?, s:o, s:o}", "base", (json_int_t)c->base, "run", c->run,
			 "groups", groups, "measures", list);
}

json_t *report_page_data(const struct report_input *in, size_t step)
{
	json_t *out = json_object();
	json_t *results = json_array();

	for (size_t i = 0; i < in->n; i++)
		json_array_append_new(results, page_result(&in->results[i], step));
	if (in->comparison)
		json_object_set_new(out, "comparison", page_comparison(in->comparison));
	json_object_set_new(out, "every", json_integer((json_int_t)step));
	if (!json_object_set_new(out, "results", results))
		return out;
	json_decref(out);
	return NULL;
}
