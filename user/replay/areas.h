/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * areas.h - the trace's per-CPU and vmalloc requests, made in refmm's layers.
 *
 * Neither allocator's state at the start is known: the kernel prints no list of
 * per-CPU areas, and vmalloc's free areas are nowhere. So the reference begins empty and
 * is given what the trace allocates; areas of before the recording that are freed are
 * counted. What compares is what both do with the same requests: memory held, chunks,
 * address space that waits for a purge, purges.
 *
 * Simplified: the trace has no alignment of per-CPU requests; the reference aligns to 8
 * bytes, and requests below 8 bytes to 4, as most callers ask.
 *
 * The machine is one of its own: the pages of chunks and areas are page events too,
 * which the page reference replays.
 */
#ifndef KMEMLAB_REPLAY_AREAS_H
#define KMEMLAB_REPLAY_AREAS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/live.h"

struct host;
struct kmt_class;
struct rmm;
struct trace_event;

/* Of one allocator, by the trace; bytes for per-CPU memory (of one CPU), pages of
 * address space with the guard page for vmalloc. */
struct areas_counts {
	uint64_t allocs, frees;
	uint64_t failed;       /* the kernel had none: not asked for here */
	uint64_t free_unknown; /* allocated before the recording */
	uint64_t requested;    /* summed over allocations */
	uint64_t live, peak;   /* of what the trace allocated */
	uint64_t ref_failed;   /* the reference had none, the kernel had */
	uint64_t ref_refused;  /* a free that the reference refused: a defect */
};

struct areas {
	struct rmm *rmm;	     /* NULL until there is an event */
	bool broken;		     /* the machine could not be made: nothing is replayed */
	struct live percpu, vmalloc; /* address -> index of `area` */
	struct area {
		uintptr_t at; /* the reference's */
		uint64_t size;
	} * area;
	uint32_t nr_areas, room;
	uint32_t free_area; /* list of unused entries by `size`; LIVE_NONE: none */
	struct areas_counts percpu_counts, vmalloc_counts;
	uint64_t chunks_created, chunks_destroyed; /* the kernel's */
	uint64_t purges, purged;		   /* the kernel's; areas */
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	unsigned int cpus;
	bool pools;	       /* the kernel is 6.9 or newer */
	bool pools_drop_small; /* and older than 6.16 */
	uint64_t ns;
};

/** areas_init() - 0 or -ENOMEM */
int areas_init(struct areas *a, const struct host *h, const struct kmt_class *const *classes,
	       uint32_t nr_classes);
void areas_destroy(struct areas *a);

/** areas_feed() - @n events of any kind; 0 or -ENOMEM */
int areas_feed(struct areas *a, const struct trace_event *e, long n);

#endif
