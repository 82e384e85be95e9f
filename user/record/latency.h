/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* latency.h - time inside the allocation functions, where fentry is allowed. */
#ifndef KMEMLAB_RECORD_LATENCY_H
#define KMEMLAB_RECORD_LATENCY_H

#include <kmemlab/latency.h>

#include "record.h"

struct stopwatch;

/** latency_start() - measure from here on. Return: NULL with the reason in @why,
 *  else NULL there */
struct stopwatch *latency_start(enum attach_way way, const char **why);
/** latency_json() - what was measured, to be freed (format: trace.h); NULL on no
 *  memory. Measuring ends. */
char *latency_json(struct stopwatch *l);
void latency_free(struct stopwatch *l);

/** latency_table_json() - from cells[what * KML_LATENCY_CLASSES + class], summed
 *  over CPUs; for tests */
char *latency_table_json(const struct kml_latency_cell *cells,
			 const struct kml_latency_sample *samples, unsigned int n, uint64_t missed);

#endif
