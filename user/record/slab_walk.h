/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_walk.h - the slabs of each cache that are not full, read in the kernel's own
 * lists. See trace.h, "kmemlab/slabs".
 */
#ifndef KMEMLAB_RECORD_SLAB_WALK_H
#define KMEMLAB_RECORD_SLAB_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_bases;
struct slab_walk;
struct trace_writer;

/* What a reading found. */
struct slab_walk_seen {
	uint64_t caches;  /* read */
	uint64_t busy;	  /* that never stood still: left out */
	uint64_t sheaved; /* free objects in sheaves */
	bool per_cpu;	  /* with what CPUs hold */
	bool sheaves;	  /* some cache has them */
};

/** slab_walk_open() - load the programs, and find the caches; NULL with errno where there
 *  is no way: see slab_walk_why() */
struct slab_walk *slab_walk_open(const struct kernel_bases *bases);
void slab_walk_close(struct slab_walk *w);

/** slab_walk_record() - a TEXT block of all caches. Return: 0; -E2BIG; -errno */
int slab_walk_record(struct slab_walk *w, struct trace_writer *to, uint16_t phase,
		     struct slab_walk_seen *seen);

/** slab_walk_why() - in words, for what a trace lacks */
const char *slab_walk_why(int err);

#endif
