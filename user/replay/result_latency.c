/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * result_latency.c - the recorder's histograms of time inside the allocation functions
 * (TEXT "latency", include/kmemlab/trace.h), with quantiles. The file is not trusted.
 */
#include <string.h>

#include <kmemlab/latency.h>

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

/* The upper end of the bucket that holds the share @q of calls, at most the longest. */
static json_int_t quantile(const json_t *r, double q)
{
	const json_t *h = json_object_get(r, "histogram");
	json_int_t longest = json_integer_value(json_object_get(r, "max_ns")), seen = 0;
	double want = q * (double)json_integer_value(json_object_get(r, "calls"));
	size_t i;
	json_t *b;

	json_array_foreach (h, i, b) {
		json_int_t floor = json_integer_value(json_array_get(b, 0));
		uint32_t bucket = 0;

		seen += json_integer_value(json_array_get(b, 1));
		if ((double)seen < want)
			continue;
		while (bucket < KML_LATENCY_BUCKETS &&
		       (json_int_t)kml_latency_floor(bucket) <= floor)
			bucket++;
		floor = (json_int_t)kml_latency_floor(bucket) - 1;
		return floor < longest ? floor : longest;
	}
	return longest;
}

static void add_quantiles(json_t *r)
{
	json_int_t calls = json_integer_value(json_object_get(r, "calls"));

	json_object_set_new(r, "p50_ns", json_integer(quantile(r, 0.5)));
	json_object_set_new(r, "p99_ns", json_integer(quantile(r, 0.99)));
	json_object_set_new(r, "p999_ns", json_integer(quantile(r, 0.999)));
	if (calls)
		json_object_set_new(
			r, "mean_ns",
			json_real((double)json_integer_value(json_object_get(r, "sum_ns")) /
				  (double)calls));
}

/* Calls that were timed one by one, at their ends, since the first event. */
static json_t *samples(const struct replay *p, const json_t *list)
{
	json_t *out = json_array(), *s;
	size_t i;

	json_array_foreach (list, i, s) {
		json_int_t at = json_integer_value(json_object_get(s, "time_ns"));
		json_t *o;

		if (i >= KML_LATENCY_SAMPLES || !is_count(json_object_get(s, "ns")) ||
		    at < (json_int_t)p->first_ns || at > (json_int_t)p->last_ns)
			continue;
		o = json_copy(s);
		json_object_del(o, "time_ns");
		json_object_set_new(o, "t_ns", json_integer(at - (json_int_t)p->first_ns));
		json_array_append_new(out, o);
	}
	return out;
}

json_t *result_latency(const struct replay *p)
{
	struct trace_text t;
	json_t *doc, *rows, *r, *o;
	size_t i;

	if (trace_reader_find_text(p->reader, "latency", KMT_PHASE_END, &t))
		return NULL;
	doc = json_loads(t.text, 0, NULL);
	trace_text_free(&t);
	if (!doc)
		return NULL;
	rows = json_array();
	json_array_foreach (json_object_get(doc, "rows"), i, r) {
		if (i >= ROWS_MAX || !row_good(r))
			continue;
		add_quantiles(r);
		json_array_append(rows, r);
	}
	o = json_pack("{s:o, s:I, s:o}", "rows", rows, "missed",
		      json_integer_value(json_object_get(doc, "missed")), "samples",
		      samples(p, json_object_get(doc, "samples")));
	json_decref(doc);
	return o;
}
