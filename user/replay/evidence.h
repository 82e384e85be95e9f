/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * evidence.h - what a finished replay's trace tells beside the runs: waits, culprits,
 * lifetimes. One more pass over the events, after the others: by then it is known which
 * pages matter at the end.
 */
#ifndef KMEMLAB_REPLAY_EVIDENCE_H
#define KMEMLAB_REPLAY_EVIDENCE_H

#include "metrics/fallbacks.h"
#include "metrics/lifetimes.h"
#include "metrics/stalls.h"
#include "metrics/stat_count.h"
#include "replay/pinned.h"
#include "replay/replay.h"

struct evidence {
	struct stalls *stalls;
	struct stalls_found waits;
	struct fallbacks *fallbacks;
	struct lifetimes *lifetimes;
	struct stat_count *allocators;
	struct pinned *pinned; /* NULL: the trace has no end snapshot */
	struct pinned_found pins;
};

/** evidence_gather() - @p is finished; its reader is rewound and read. 0 or -errno */
int evidence_gather(struct evidence *v, const struct replay *p);
void evidence_destroy(struct evidence *v);

#endif
