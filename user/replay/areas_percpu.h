/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * areas_percpu.h - per-CPU memory at the start: its areas, where the recorder read them in
 * the kernel's chunks; else what percpu_stats tells of each chunk: how many areas it has,
 * their bytes together, the smallest, the median, the largest. Which areas these are is
 * then inferred.
 */
#ifndef KMEMLAB_REPLAY_AREAS_PERCPU_H
#define KMEMLAB_REPLAY_AREAS_PERCPU_H

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_percpu.h>

#include "common/procfs_percpu.h"
#include "metrics/live.h"
#include "replay/percpu_snapshot.h"

struct trace_reader;

/* An area that is there in place of one that the kernel had. */
struct percpu_guess {
	rmm_percpu at; /* RMM_NO_PERCPU: freed */
	uint32_t bytes;
	uint32_t chunk;	 /* of percpu_stats, from 0 */
	uint32_t offset; /* in the chunk's units */
};

/* Chunks that are not the reserved one, in bytes of one CPU. */
struct percpu_figures {
	uint64_t chunks, areas, bytes, largest_free;
	uint64_t pages; /* populated, of all; 0: not known */
};

/* The same areas at the end? By the trace's addresses. */
struct percpu_met {
	uint64_t missing;    /* the kernel's, that no event told of */
	uint64_t unexpected; /* live by the events, not in the kernel */
	uint64_t other_size;
	uint64_t unsure; /* with an event while it was read: not compared */
};

struct percpu_start {
	bool known, end_known;
	bool read; /* area by area, not by percpu_stats */
	struct proc_percpu start, end;
	uint64_t start_ns, end_ns;
	struct percpu_snapshot first, last; /* where read */
	uint64_t stats_chunks, stats_alike; /* of percpu_stats; as the snapshot has them */
	uint64_t refused;		    /* areas that the reference has no place for */
	struct percpu_figures begun;	    /* the reference */
	struct live unsure;
	bool met;
	struct percpu_met meeting;
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

/** percpu_figures() - of the kernel, but for pages; percpu_figures_of() of the reference */
struct percpu_figures percpu_figures(const struct proc_percpu *p);
struct percpu_figures percpu_figures_of(const struct rmm *rmm);

/** percpu_sizes() - @n sizes of @total bytes in all, as near as that goes, with @c's
 *  smallest, median and largest, small ones among large ones */
void percpu_sizes(const struct proc_percpu_chunk *c, uint64_t total, uint32_t *size);

#endif
