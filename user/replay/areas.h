/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * areas.h - the trace's per-CPU and vmalloc requests, made in refmm's layers.
 *
 * vmalloc begins with the areas that the recorder read in the kernel, in their places,
 * those that wait for a purge and those in pools included (areas_vmalloc.c); the end
 * is held against those that it read there. So does per-CPU memory, where its chunks could
 * be read (areas_percpu.c); where not, it begins with chunks as full as percpu_stats says
 * (percpu_start.c), and what the trace frees of before is taken from there. Traces that
 * have none of these begin empty: areas of before the recording that are freed are counted. What
 * compares is what both do with the same requests: memory held, chunks, address space that waits
 * for a purge, purges, holes.
 *
 * The machine is one of its own: the pages of chunks and areas are page events too,
 * which the page reference replays.
 */
#ifndef KMEMLAB_REPLAY_AREAS_H
#define KMEMLAB_REPLAY_AREAS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/live.h"
#include "replay/areas_percpu.h"
#include "replay/areas_start.h"

struct host;
struct kmt_class;
struct rmm;
struct trace_event;
struct trace_reader;

/* Of one allocator, by the trace; bytes for per-CPU memory (of one CPU), pages of
 * address space with the guard page for vmalloc. */
struct areas_counts {
	uint64_t allocs, frees;
	uint64_t failed;	/* the kernel had none: not asked for here */
	uint64_t free_unknown;	/* allocated before the recording, and not in its snapshot */
	uint64_t alloc_of_live; /* freed unseen before */
	uint64_t requested;	/* summed over allocations */
	uint64_t live, peak;	/* of what the trace allocated */
	uint64_t align_unknown; /* per-CPU: not recorded, taken as 8 bytes */
	uint64_t ref_failed;	/* the reference had none, the kernel had */
	uint64_t ref_refused;	/* a free that the reference refused: a defect */
};

/* vmalloc where the trace ends: as the kernel has it, as the events lead there from the
 * start, and as the reference has it. */
struct areas_end {
	bool met;
	struct area_space kernel, observed, reference;
	uint64_t missing;	 /* the kernel's, that no event told of */
	uint64_t missing_percpu; /* of these, chunks of per-CPU memory: none tells of these */
	uint64_t unexpected;	 /* live by the events, not in the kernel */
	uint64_t other_size;
	uint64_t unsure; /* with an event while it was read: not compared */
};

struct areas {
	struct rmm *rmm;	     /* NULL until there is a start or an event */
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
	struct percpu_start percpu_start;
	struct area_snapshot start, end; /* vmalloc's */
	uint64_t start_refused;		 /* its areas that the reference has no place for */
	struct live unsure;		 /* places with an event while the end was read */
	struct areas_end at_end;
	unsigned int cpus;
	bool pools;	       /* the kernel is 6.9 or newer */
	bool pools_drop_small; /* and older than 6.16 */
	uint64_t ns;
};

/** areas_init() - 0 or -ENOMEM */
int areas_init(struct areas *a, const struct host *h, const struct kmt_class *const *classes,
	       uint32_t nr_classes);
/** areas_read() - begin with what the trace has of the start. 0 or -ENOMEM */
int areas_read(struct areas *a, struct trace_reader *r);
void areas_destroy(struct areas *a);

/** areas_feed() - @n events of any kind; 0 or -ENOMEM */
int areas_feed(struct areas *a, const struct trace_event *e, long n);
/** areas_finish() - no more events follow. 0 or -ENOMEM */
int areas_finish(struct areas *a);

/* areas.c, for areas_vmalloc.c: @area is at @address from here on; 0 or -ENOMEM */
int areas_keep(struct areas *a, struct live *live, uint64_t address, const struct area *area);
/* Nothing is there any more; false: nothing was */
bool areas_take(struct areas *a, struct live *live, uint64_t address, struct area *area);
/* Of @size was allocated */
void areas_count(struct areas_counts *c, uint64_t size);

/* areas_percpu.c */
int areas_percpu_load(struct areas *a);
int areas_percpu_feed(struct areas *a, const struct trace_event *e, const struct kmt_class *c);
void areas_percpu_meet_end(struct areas *a);

/* areas_vmalloc.c */
int areas_vmalloc_load(struct areas *a);
int areas_vmalloc_feed(struct areas *a, const struct trace_event *e, const struct kmt_class *c);
int areas_vmalloc_meet_end(struct areas *a);

#endif
