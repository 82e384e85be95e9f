/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * callpaths.h - which path those calls took that the recorder timed and kept.
 *
 * Of such a call the end, the length and the order are known, not the CPU. Its page's
 * event came in that time, and was the last of its order on that CPU:
 *
 *   CPU 0  ---a0-----[---- z a0 --]------
 *   CPU 1  -----a0---|------------|-a0---	only CPU 0 has one: a refill
 *                  begin         end
 *
 * Where two CPUs have one each and took different paths, it is not clear which.
 */
#ifndef KMEMLAB_REPLAY_CALL_PATHS_H
#define KMEMLAB_REPLAY_CALL_PATHS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "replay/paths.h"

enum { CALL_PATHS_ORDERS = 32 };

struct call_paths {
	struct path_call {
		uint64_t begin_ns, end_ns;
		size_t index; /* among the trace's */
		unsigned int order;
	} * call;      /* by their ends */
	uint8_t *path; /* enum path by index; PATHS: not clear, or not of pages */
	size_t n, next, samples;
	struct path_latest {
		uint64_t time_ns;
		uint8_t path;
	} * latest; /* by CPU and order */
	unsigned int nr_cpus;
};

/** call_paths_init() - @samples: "samples" of the trace's TEXT "latency", or NULL;
 *  0 or -ENOMEM */
int call_paths_init(struct call_paths *c, const json_t *samples, unsigned int nr_cpus);
void call_paths_destroy(struct call_paths *c);

/** call_paths_event() - a page was allocated on @path; in the order of time */
void call_paths_event(struct call_paths *c, const struct trace_event *e, enum path path);
void call_paths_finish(struct call_paths *c);

/** call_paths_of() - of sample @index; PATHS: not clear */
enum path call_paths_of(const struct call_paths *c, size_t index);

#endif
