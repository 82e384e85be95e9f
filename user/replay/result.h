/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * result.h - a finished replay as result.json (reports/result-schema.md).
 * Functions that return a json_t return a new reference, NULL on no memory.
 */
#ifndef KMEMLAB_RESULT_H
#define KMEMLAB_RESULT_H

#include <stdbool.h>

#include <jansson.h>

#include "replay/replay.h"

struct result_options {
	const char *command; /* as it was typed */
	const char *path;    /* of the trace */
	bool reproducible;   /* leave out what depends on the machine's speed */
	bool evidence;	     /* read the events once more for stalls, culprits, lifetimes */
};

/** result_build() - the document; NULL: no memory, or the trace could not be read again */
json_t *result_build(struct replay *p, const struct result_options *o);

/* Its parts, one a file. */
json_t *result_trust(const struct replay *p);
json_t *result_runs(const struct replay *p, bool reproducible);
json_t *result_fidelity(const struct replay *p);
json_t *result_kernel_samples(const struct replay *p);
json_t *result_slabs(struct replay *p);
json_t *result_areas(const struct replay *p); /* NULL: no such events */
/** result_run_slabs() - caches of a run with a slab layer of its own */
json_t *result_run_slabs(const struct slabs *s);
/** result_modelled_reclaim() - of a reference that models it */
json_t *result_modelled_reclaim(const struct replay *p, const struct run *run);
/** result_not_predicted() - [{what, why}], of a reference; empty: all is */
json_t *result_not_predicted(const struct run *run);
/** result_slab_replay() - of p->slabs, which is not NULL */
json_t *result_slab_replay(const struct replay *p, bool reproducible);
json_t *result_call_sites(struct replay *p, json_int_t *left_out);
json_t *result_pageblocks(const struct replay *p);
json_t *result_fallbacks(const struct replay *p);
json_t *result_unmatched(const struct run *run);
/** result_call_times() - a run's own times, as result_latency() tells the kernel's */
json_t *result_call_times(const struct call_timer *w, bool tells_paths);

/** result_type_name() - of a migrate type, as the trace's kernel calls it */
const char *result_type_name(const struct replay *p, unsigned int type);

/** result_array() - [n] of 64-bit numbers */
json_t *result_array(const uint64_t *v, size_t n);

/** result_add() - object[name] += n, unless n is 0 */
void result_add(json_t *object, const char *name, uint64_t n);

/** result_missing_percent() - share of the kernel's events that the replay did not see */
double result_missing_percent(const struct replay *p);

/** result_damaged() - does the trace's damage touch the result? */
bool result_damaged(const struct replay *p);

#endif
