/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fates.h - which blocks the recorded kernel's reclaim left alone, found by a pass ahead.
 *
 *   allocated ---- freed by kswapd or direct reclaim		it took it
 *   allocated ---- freed by somebody else			kept
 *   allocated ------------------------------- end of trace	kept, if younger ones were
 *								taken; else not known yet
 *
 * What it kept was in use, or young; a model of reclaim (reclaim.h) takes it last. A bit
 * for each allocation of the trace, by its number, and one for each frame at the start.
 */
#ifndef KMEMLAB_REPLAY_FATES_H
#define KMEMLAB_REPLAY_FATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct start;
struct trace_reader;

struct fates {
	uint64_t *kept;		  /* by number of the allocation after the start */
	uint64_t n, words;	  /* allocations; words there is room for */
	uint64_t *start_kept;	  /* by frame, of what was live at the start */
	uint64_t reclaimed_pages; /* freed by kswapd or direct reclaim, of any kind */
};

/** fates_read() - a pass over all events, then rewound; 0 or -errno */
int fates_read(struct fates *f, const struct start *s, struct trace_reader *r);
void fates_destroy(struct fates *f);

static inline bool fates_bit(const uint64_t *bits, uint64_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

/** fates_kept() - was the allocation of this number left alone? */
static inline bool fates_kept(const struct fates *f, uint64_t number)
{
	return number < f->n && fates_bit(f->kept, number);
}

#endif
