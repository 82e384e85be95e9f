/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stat_count.h - one pass over a trace: who allocated, who freed, what is left.
 *
 * Everything is counted per source: a class (call site, cache, order, ...)
 * together with the command that ran. All tables of 'kmemlab stat' are sums
 * over sources.
 *
 * Memory: 12 bytes a slot of two open-addressing tables of what is live (pages
 * by frame, objects by address), which are between 3/8 and 3/4 full: 16 to 32
 * bytes a live thing, 48 while a table grows. At most STAT_LIVE_MAX of each are
 * followed; what exceeds them is counted.
 */
#ifndef KMEMLAB_STAT_COUNT_H
#define KMEMLAB_STAT_COUNT_H

#include <stdint.h>

#include "metrics/live.h"
#include "trace/trace_io.h"

enum { STAT_LIVE_MAX = 1 << 25, STAT_SOURCES_MAX = 1 << 28 };

/* A class under a command. Pages are pages, objects are objects. */
struct stat_source {
	uint32_t class_id;
	uint32_t comm; /* string */
	uint64_t events;
	uint64_t freed;	  /* allocated here and freed in the trace: pages or objects */
	uint64_t matched; /* frees only: of what was seen allocated */
	uint64_t live;	  /* pages or objects left */
	uint64_t twice;	  /* events that tell what a later one tells again */
	uint64_t failed;  /* allocations that the kernel refused */
};

/* What does not match up: counted, none dropped. */
struct stat_unmatched {
	uint64_t pages_freed_unknown;	/* allocated before the start, or unseen */
	uint64_t objects_freed_unknown; /* likewise */
	uint64_t pages_reallocated;	/* a live page was allocated: unseen free */
	uint64_t objects_reallocated;
	uint64_t traced_twice; /* large kmalloc(): one allocation, two events */
	uint64_t pages_failed; /* allocations that the kernel refused: events */
	uint64_t objects_failed;
	uint64_t untracked; /* allocations beyond STAT_LIVE_MAX */
};

struct stat_count;

struct stat_count *stat_count_new(const struct trace_reader *r);
void stat_count_free(struct stat_count *s);

/** stat_count_feed() - take @n events; 0 or -ENOMEM */
int stat_count_feed(struct stat_count *s, const struct trace_event *e, long n);

/** stat_count_sources() - all sources seen; @n their number */
const struct stat_source *stat_count_sources(const struct stat_count *s, uint32_t *n);
const struct stat_unmatched *stat_count_unmatched(const struct stat_count *s);

#endif
