/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * verdict.h - three sentences from the facts: what happened to memory, what
 * worked on it, and whether the model may be believed.
 *
 * Where events were lost, or nothing is known about it, every sentence says so.
 * No what-if run is spoken of unless the reference beats the baseline.
 */
#ifndef KMEMLAB_REPORT_VERDICT_H
#define KMEMLAB_REPORT_VERDICT_H

#include "report/facts.h"

/** report_verdict() - @pool keeps the sentences; strings of @f are referenced */
void report_verdict(struct doc_verdict *v, const struct report_facts *f, struct report_pool *pool);

#endif
