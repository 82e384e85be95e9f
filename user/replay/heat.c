/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* heat.c - see heat.h */
#include <math.h>
#include <stdlib.h>

#include "replay/heat.h"

struct heat *heat_new(uint64_t span_ns)
{
	struct heat *h = calloc(1, sizeof(*h));

	if (h)
		h->column_ns = span_ns / HEAT_COLUMNS + 1;
	return h;
}

uint32_t heat_bucket(uint64_t ns)
{
	uint32_t e, bucket;

	if (ns < 4)
		return (uint32_t)ns;
	e = 63 - (uint32_t)__builtin_clzll(ns);
	bucket = 4 * (e - 1) + (uint32_t)(ns >> (e - 2) & 3);
	return bucket < KML_LATENCY_BUCKETS ? bucket : KML_LATENCY_BUCKETS - 1;
}

void heat_add(struct heat *h, uint64_t t_ns, uint64_t ns, double n)
{
	uint64_t column;

	if (!h)
		return;
	column = t_ns / h->column_ns;
	h->cell[column < HEAT_COLUMNS ? column : HEAT_COLUMNS - 1][heat_bucket(ns)] += n;
}

/* Whole where it is a count, not an estimate. */
static json_t *number(double n)
{
	return n == floor(n) ? json_integer((json_int_t)n) : json_real(n);
}

json_t *heat_json(const struct heat *h)
{
	json_t *cells;

	if (!h)
		return NULL;
	cells = json_array();
	for (unsigned int c = 0; c < HEAT_COLUMNS; c++)
		for (uint32_t b = 0; b < KML_LATENCY_BUCKETS; b++)
			if (h->cell[c][b] > 0)
				json_array_append_new(cells,
						      json_pack("[i, I, o]", (int)c,
								(json_int_t)kml_latency_floor(b),
								number(h->cell[c][b])));
	if (json_array_size(cells))
		return json_pack("{s:i, s:I, s:o}", "columns", HEAT_COLUMNS, "column_ns",
				 (json_int_t)h->column_ns, "cells", cells);
	json_decref(cells);
	return NULL;
}
