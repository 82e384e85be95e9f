/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* slab_text.h - the readings of /proc/slabinfo that a trace holds. */
#ifndef KMEMLAB_SLAB_TEXT_H
#define KMEMLAB_SLAB_TEXT_H

#include <stdbool.h>

#include "common/procfs.h"
#include "trace/trace_reader.h"

/** trace_slabinfo() - of a phase (KMT_PHASE_*); @time_ns: when it was read, may be NULL.
 *  false: there is none that can be read; @out is empty then */
bool trace_slabinfo(struct trace_reader *r, uint16_t phase, struct proc_slabinfo *out,
		    uint64_t *time_ns);

#endif
