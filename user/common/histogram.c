/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* histogram.c - see histogram.h. */
#include <jansson.h>

#include <kmemlab/latency.h>

#include "common/histogram.h"

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
