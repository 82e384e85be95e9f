/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* histogram.c - see histogram.h. */
#include <jansson.h>

#include <kmemlab/latency.h>

#include "common/histogram.h"

void latency_add(struct kml_latency_cell *to, const struct kml_latency_cell *cell)
{
	to->calls += cell->calls;
	to->sum_ns += cell->sum_ns;
	if (cell->max_ns > to->max_ns)
		to->max_ns = cell->max_ns;
	for (uint32_t b = 0; b < KML_LATENCY_BUCKETS; b++)
		to->bucket[b] += cell->bucket[b];
}

json_t *latency_histogram(const struct kml_latency_cell *cell)
{
	json_t *list = json_array();

	for (uint32_t b = 0; b < KML_LATENCY_BUCKETS; b++)
		if (cell->bucket[b])
			json_array_append_new(list,
					      json_pack("[I, I]", (json_int_t)kml_latency_floor(b),
							(json_int_t)cell->bucket[b]));
	return list;
}

long long latency_quantile(const json_t *row, double share)
{
	const json_t *h = json_object_get(row, "histogram"), *b;
	json_int_t longest = json_integer_value(json_object_get(row, "max_ns")), seen = 0;
	double want = share * (double)json_integer_value(json_object_get(row, "calls"));
	size_t i;

	json_array_foreach (h, i, b) {
		json_int_t end = json_integer_value(json_array_get(b, 0));
		json_int_t calls = json_integer_value(json_array_get(b, 1));
		uint32_t bucket = 0;

		if (calls > 0 && __builtin_add_overflow(seen, calls, &seen))
			return longest;
		if ((double)seen < want)
			continue;
		while (bucket < KML_LATENCY_BUCKETS && (json_int_t)kml_latency_floor(bucket) <= end)
			bucket++;
		end = (json_int_t)kml_latency_floor(bucket) - 1;
		return end < longest ? end : longest;
	}
	return longest;
}
