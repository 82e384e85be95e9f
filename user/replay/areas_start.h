/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * areas_start.h - vmalloc's areas as a snapshot found them: trace.h,
 * "kmemlab/vmalloc".
 */
#ifndef KMEMLAB_REPLAY_AREAS_START_H
#define KMEMLAB_REPLAY_AREAS_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_reader;

enum area_list { AREA_USED, AREA_LAZY, AREA_POOL, AREA_LISTS };

struct snapshot_area {
	uint64_t page;	/* from VMALLOC_START; or opaque: a module's */
	uint64_t pages; /* of address space */
	uint8_t list;	/* enum area_list */
	uint8_t node;	/* whose list it is on */
	uint8_t pool;	/* node + 1 whose pool gets it; 0: none's */
	bool percpu;	/* of a chunk of per-CPU memory: no event tells of these */
};

struct area_snapshot {
	struct snapshot_area *area;
	size_t n;
	uint64_t t_first_ns, t_last_ns; /* read between these */
	bool known;			/* the trace has it, and it could be read */
};

/** area_snapshot_read() - of @phase (KMT_PHASE_*); what the trace has not is not known.
 *  0 or -ENOMEM */
int area_snapshot_read(struct area_snapshot *s, struct trace_reader *r, uint16_t phase);
void area_snapshot_free(struct area_snapshot *s);

/* How address space is used, in pages. A module's areas are not in it. */
struct area_space {
	uint64_t areas, pages;
	uint64_t holes; /* between two of them */
	uint64_t hole_pages, largest_hole_pages;
};

/* One of them, to be sorted. */
struct area_range {
	uint64_t page, pages;
};

/** area_space_of() - sorts @r */
struct area_space area_space_of(struct area_range *r, size_t n);

#endif
