/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * result_evidence.h - the parts of result.json that come from evidence.h. Each returns a
 * new reference; NULL where the trace cannot tell.
 */
#ifndef KMEMLAB_RESULT_EVIDENCE_H
#define KMEMLAB_RESULT_EVIDENCE_H

#include <jansson.h>

#include "replay/evidence.h"

json_t *result_stalls(const struct replay *p, const struct evidence *v);
json_t *result_culprits(const struct replay *p, const struct evidence *v);
json_t *result_lifetimes(const struct replay *p, const struct evidence *v);
json_t *result_latency(const struct replay *p);
json_t *result_allocators(const struct replay *p, const struct evidence *v);

/** result_comm() - command of a TASK class; "" if it is not known */
const char *result_comm(const struct replay *p, uint32_t class_id);

/** result_records() - was a kind of event asked for while recording? By the header's list
 *  of what was attached, or by such events */
bool result_records(const struct replay *p, unsigned int kind);

#endif
