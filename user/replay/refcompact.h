/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refcompact.h - compaction in the reference: what the recording says of it.
 *
 * Which pages move, and where to, refmm chooses. Of the recording it takes
 *
 *   when kcompactd works	it keeps the kernel's pace: for as many blocks as the kernel
 *				moved it moves some, and looks itself whether there is
 *				something to do. What kcompactd's timer starts ends when free
 *				memory is good enough, which others' frees bring about as
 *				well: that is looked at when the kernel is through, if it
 *				moved anything
 *   how often moving fails	pgmigrate_fail of all that were tried: pages that are held,
 *				locked or changing. Which ones no event tells; as many of
 *				refmm's stay, by a fixed sequence of numbers
 *   what was served		a request of order 1 or more that the kernel had a block for,
 *				and refmm has not, is compacted for once more, at the hardest
 *
 * Direct compaction is refmm's own affair otherwise, also for requests that the kernel
 * refused in the end: to try is what they cost.
 */
#ifndef KMEMLAB_REPLAY_REFCOMPACT_H
#define KMEMLAB_REPLAY_REFCOMPACT_H

#include <kmemlab/refmm_types.h>

struct trace_event;

/** reference_compact() - requests_ops.compact */
void reference_compact(void *ctx, const struct trace_event *e);
/** reference_migrate() - rmm_hooks.migrate */
bool reference_migrate(void *ctx, unsigned int cpu, rmm_pfn from, rmm_pfn to, unsigned int order);

#endif
