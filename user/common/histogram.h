/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* histogram.h - times by bucket as traces and results hold them. */
#ifndef KMEMLAB_HISTOGRAM_H
#define KMEMLAB_HISTOGRAM_H

struct kml_latency_cell;
struct json_t;

/** latency_histogram() - [[ns at which a bucket begins, calls], ...] of those that have
 *  any; a new reference, NULL on no memory */
struct json_t *latency_histogram(const struct kml_latency_cell *cell);

#endif
