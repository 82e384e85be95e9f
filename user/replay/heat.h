/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * heat.h - how long things took, over time: a grid that grows with neither.
 *
 *   4 ms |        2     1          columns: equal stretches of the recording
 *   2 ms |  1     7  3  5          rows: the buckets of <kmemlab/latency.h>, four to a
 *   1 ms | 12  4 30 22  9                power of two of nanoseconds
 *        +-----------------
 *          time since the start
 */
#ifndef KMEMLAB_REPLAY_HEAT_H
#define KMEMLAB_REPLAY_HEAT_H

#include <jansson.h>
#include <stdint.h>

#include <kmemlab/latency.h>

enum { HEAT_COLUMNS = 120 };

struct heat {
	uint64_t column_ns; /* length of a column, at least 1 */
	double cell[HEAT_COLUMNS][KML_LATENCY_BUCKETS];
};

/** heat_new() - an empty grid over @span_ns; free() it. NULL on no memory */
struct heat *heat_new(uint64_t span_ns);
/** heat_bucket() - the bucket of @ns; what is beyond the last is in the last */
uint32_t heat_bucket(uint64_t ns);
/** heat_add() - @n things of @ns each at @t_ns since the start; NULL: nothing is done */
void heat_add(struct heat *h, uint64_t t_ns, uint64_t ns, double n);
/**
 * heat_json() - {"columns", "column_ns", "cells": [[column, lowest ns of the bucket, how
 * many], ...]}, a new reference; NULL where @h is NULL or empty
 */
json_t *heat_json(const struct heat *h);

#endif
