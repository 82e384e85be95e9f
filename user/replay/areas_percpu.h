/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * areas_percpu.h - per-CPU memory at the start, as far as percpu_stats tells: of each
 * chunk how many areas it has, their bytes together, the smallest, the median, the
 * largest. Which areas these are is inferred.
 */
#ifndef KMEMLAB_REPLAY_AREAS_PERCPU_H
#define KMEMLAB_REPLAY_AREAS_PERCPU_H

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_percpu.h>

#include "common/procfs_percpu.h"
#include "metrics/live.h"

struct trace_reader;

/* An area that is there in place of one that the kernel had. */
struct percpu_guess {
	rmm_percpu at; /* RMM_NO_PERCPU: freed */
	uint32_t bytes;
	uint32_t chunk;	 /* of percpu_stats, from 0 */
	uint32_t offset; /* in the chunk's units */
};

struct percpu_start {
	bool known, end_known;
	struct proc_percpu start, end;
	uint64_t start_ns, end_ns;
	struct percpu_guess *guess; /* chunk by chunk, by offset */
	size_t n;
	struct live chunk;	/* the trace's chunk -> percpu_stats' */
	uint32_t chunks_bound;	/* of percpu_stats, so far */
	uint64_t unplaced;	/* areas for which there was no room */
	uint64_t freed;		/* guesses that frees stood for */
	uint64_t allocs, frees; /* events between the two readings */
};

/** percpu_start_read() - what the trace has of it. 0 or -ENOMEM */
int percpu_start_read(struct percpu_start *s, struct trace_reader *r);
void percpu_start_free(struct percpu_start *s);
/** percpu_start_config() - the layout that the kernel's first chunk had */
void percpu_start_config(const struct percpu_start *s, struct rmm_percpu_config *c);
/** percpu_start_fill() - chunks as full as the kernel's. 0 or -ENOMEM */
int percpu_start_fill(struct percpu_start *s, struct rmm *rmm);
/** percpu_start_take() - the area that stands for the one at @address (as of
 *  PERCPU_FREE), which is freed; NULL: none is left */
struct percpu_guess *percpu_start_take(struct percpu_start *s, uint64_t address);

/** percpu_sizes() - @n sizes of @total bytes in all, as near as that goes, with @c's
 *  smallest, median and largest, small ones among large ones */
void percpu_sizes(const struct proc_percpu_chunk *c, uint64_t total, uint32_t *size);

#endif
