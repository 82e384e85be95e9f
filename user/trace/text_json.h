/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_json.h - TEXT blocks that are JSON documents. */
#ifndef KMEMLAB_TEXT_JSON_H
#define KMEMLAB_TEXT_JSON_H

#include <stdint.h>

#include <jansson.h>

struct trace_reader;

/** trace_reader_json() - by name and phase (KMT_PHASE_*), a new reference; NULL: there is
 *  none, or it is not JSON */
json_t *trace_reader_json(struct trace_reader *r, const char *name, uint16_t phase);

/** text_json_count() - a number that counts; 0: it is negative, or none */
static inline uint64_t text_json_count(const json_t *n)
{
	json_int_t value = json_integer_value(n);

	return value < 0 ? 0 : (uint64_t)value;
}

#endif
