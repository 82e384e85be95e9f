/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * chunks.h - the PAGES blocks of one phase, and when each was read.
 *
 * Reading all pages takes time while events go on. A chunk is a range of frames
 * read between t_first and t_last: an event on one of its frames
 *
 *      before t_first     is in the snapshot already
 *      up to t_last       may or may not be in it
 *      after t_last       is not in it
 */
#ifndef KMEMLAB_CHUNKS_H
#define KMEMLAB_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#include <kmemlab/trace.h>

struct trace_reader;
struct trace_page_run;

struct chunk {
	uint64_t first_pfn, end_pfn;
	uint64_t t_first_ns, t_last_ns;
	size_t block; /* number of the PAGES block in the trace */
};

struct snapshot {
	struct chunk *chunks; /* by first_pfn */
	size_t n;
	uint64_t t_first_ns, t_last_ns; /* over all chunks */
};

enum snapshot_age {
	SNAPSHOT_INCLUDED,  /* the snapshot shows what the event did */
	SNAPSHOT_AMBIGUOUS, /* read meanwhile */
	SNAPSHOT_LATER,	    /* to be applied */
};

/** snapshot_load() - chunks of @phase (KMT_PHASE_*); 0 or -errno. No PAGES: n = 0 */
int snapshot_load(struct snapshot *s, struct trace_reader *r, uint16_t phase);
void snapshot_destroy(struct snapshot *s);

/** snapshot_age() - how an event at @time_ns on @pfn relates to the snapshot */
enum snapshot_age snapshot_age(const struct snapshot *s, uint64_t pfn, uint64_t time_ns);

/* Called with every run of equal blocks, in order of frames. */
typedef void snapshot_run_fn(void *ctx, uint64_t pfn, const struct trace_page_run *run);

/** snapshot_chunk_runs() - the runs of chunk @i; 0 or -errno */
int snapshot_chunk_runs(const struct snapshot *s, struct trace_reader *r, size_t i,
			snapshot_run_fn *fn, void *ctx);

#endif
