/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * paths.h - which path served the recorded kernel's requests for pages, by its events.
 *
 *   zone_locked, percpu_refill=1 ... alloc	refill: the CPU's list was empty
 *   zone_locked, percpu_refill=0 ... alloc	from the buddy lists
 *   alloc alone				hit: a page of the CPU's list
 *   direct reclaim or compaction begins,	whatever serves it then, it was slow
 *   or alloc of a page that is on the buddy lists: compaction handed it over
 *
 * all on one CPU. An interrupt between the two that allocates takes the other's path. A
 * bulk call or a stack that names a page which is live is no request: the page was asked
 * for by an event of its own, or the stack is used again.
 */
#ifndef KMEMLAB_REPLAY_PATHS_H
#define KMEMLAB_REPLAY_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/tasks.h"
#include "replay/pagemap.h"

struct call_paths;
struct host;
struct kmt_class;
struct trace_event;
struct trace_reader;

/* As calls are timed: SLOW goes before what served it in the end. */
enum path { PATH_HIT, PATH_REFILL, PATH_BUDDY, PATH_SLOW, PATHS };

/** path_name() - "hit", "refill", "buddy", "slow"; "?" for PATHS */
const char *path_name(enum path path);

struct paths {
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	unsigned int nr_cpus;
	unsigned int thp_order; /* that has lists; 0: none */
	uint64_t since_ns;	/* earlier events are in the start state */
	uint8_t *last;		/* by CPU: since its last allocation */
	bool *slow;		/* likewise: direct reclaim or compaction began */
	bool *is_kcompactd;	/* by class of a task: its compaction nobody waits for */
	struct tasks tasks;
	struct call_paths *calls; /* is told each request's path; NULL: nobody */
	uint64_t hit, refill, buddy;
};

/** paths_init() - @since_ns: 0: from the first event; @r: for the tasks' names, NULL: they
 *  have none; 0 or -ENOMEM */
int paths_init(struct paths *p, const struct host *h, const struct kmt_class *const *classes,
	       uint32_t nr_classes, uint64_t since_ns, struct trace_reader *r);
void paths_destroy(struct paths *p);
/** paths_found() - what an event finds that gives a page to somebody; PAGE_NONE for others */
enum page_kind paths_found(const struct pagemap *m, const struct trace_event *e);
/** paths_event() - the next event; @found: what the page was that it names */
void paths_event(struct paths *p, const struct trace_event *e, enum page_kind found);

#endif
