/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* histogram.h - times by bucket as traces and results hold them. */
#ifndef KMEMLAB_HISTOGRAM_H
#define KMEMLAB_HISTOGRAM_H

struct kml_latency_cell;
struct json_t;

/** latency_add() - @cell's calls count in @to */
void latency_add(struct kml_latency_cell *to, const struct kml_latency_cell *cell);

/** latency_histogram() - [[ns at which a bucket begins, calls], ...] of those that have
 *  any; a new reference, NULL on no memory */
struct json_t *latency_histogram(const struct kml_latency_cell *cell);

/** latency_quantile() - of a trace's or result's row {calls, max_ns, histogram}: the ns that
 *  the share @share (0..1) of its calls took at most, to a bucket: its upper end, or the
 *  longest call */
long long latency_quantile(const struct json_t *row, double share);

#endif
