/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sweep.h - a grid of settings over traces, as jobs that any number of processes
 * on any number of machines can share.
 *
 *   trace x combinations, in order, a few of them a job
 *   job    -> DIR/<hash>.jsonl, whole or not there: done already is not done again
 *   merge  =  all lines of all such files, sorted, each once
 *
 * A job's file depends on its trace's content and its settings alone, so merging is
 * associative, and the outcome is the same bytes whoever did what.
 */
#ifndef KMEMLAB_SWEEP_H
#define KMEMLAB_SWEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sweep/grid.h"

enum { SWEEP_CELLS_PER_JOB = 8 };

struct sweep {
	const char *const *traces;
	size_t nr_traces;
	struct grid grid;
	const char *dir;
	unsigned int shard, shards; /* jobs with number % shards == shard */
	unsigned int workers;
};

struct sweep_outcome {
	size_t done, skipped, failed; /* jobs */
	size_t damaged;		      /* of those done: on a trace's intact parts */
};

/** sweep_run() - do this shard's jobs; what fails is said on stderr. 0 or -errno */
int sweep_run(const struct sweep *s, struct sweep_outcome *out);

/** sweep_merge() - the lines of all jobs in @dirs, on @out
 *  Return: how many, or -errno, said on stderr. */
long sweep_merge(const char *const *dirs, size_t n, FILE *out);

/* job.c: one trace, a few combinations, in this process. */
struct sweep_job {
	const char *trace;
	uint64_t checksum; /* XXH3-64 of the trace file */
	const struct grid *grid;
	size_t first, cells; /* combinations; first 0 also does the reference itself */
};

/** sweep_job_run() - write @path. Return: an exit code, said on stderr if not 0 */
int sweep_job_run(const struct sweep_job *job, const char *path);
/** sweep_job_path() - of the job's file */
void sweep_job_path(const struct sweep_job *job, const char *dir, char *path, size_t size);
/** sweep_checksum() - of a file's content. 0 or -errno */
int sweep_checksum(const char *path, uint64_t *checksum);

#endif
