/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * paths.h - which path served the recorded kernel's requests for pages, by its events.
 *
 *   zone_locked, percpu_refill=1 ... alloc	refill: the CPU's list was empty
 *   zone_locked, percpu_refill=0 ... alloc	from the buddy lists
 *   alloc alone				hit: a page of the CPU's list
 *
 * all on one CPU. An interrupt between the two that allocates takes the other's path.
 */
#ifndef KMEMLAB_REPLAY_PATHS_H
#define KMEMLAB_REPLAY_PATHS_H

#include <stdbool.h>
#include <stdint.h>

struct host;
struct kmt_class;
struct trace_event;

struct paths {
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	unsigned int nr_cpus;
	unsigned int thp_order; /* that has lists; 0: none */
	uint64_t since_ns;	/* earlier events are in the start state */
	uint8_t *last;		/* by CPU: since its last allocation */
	uint64_t hit, refill, buddy;
};

/** paths_init() - @since_ns: 0: from the first event; 0 or -ENOMEM */
int paths_init(struct paths *p, const struct host *h, const struct kmt_class *const *classes,
	       uint32_t nr_classes, uint64_t since_ns);
void paths_destroy(struct paths *p);
void paths_feed(struct paths *p, const struct trace_event *e, long n);

#endif
