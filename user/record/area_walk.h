/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * area_walk.h - vmalloc's areas, read in the kernel's own lists. See trace.h,
 * "kmemlab/vmalloc".
 */
#ifndef KMEMLAB_RECORD_AREA_WALK_H
#define KMEMLAB_RECORD_AREA_WALK_H

#include <stdint.h>

struct area_walk;
struct consumer;
struct symbols;
struct trace_writer;

/** area_walk_open() - load the programs, and find the lists; NULL with errno where there
 *  is no way: see area_walk_why() */
struct area_walk *area_walk_open(void);
void area_walk_close(struct area_walk *w);
/** area_walk_base() - VMALLOC_START */
uint64_t area_walk_base(const struct area_walk *w);

/** area_walk_record() - a TEXT block of all areas. Return: how many are in use; -EBUSY:
 *  the lists never stood still; -E2BIG; -errno */
long area_walk_record(struct area_walk *w, struct trace_writer *to, uint16_t phase,
		      const struct symbols *symbols, const struct consumer *c);

/** area_walk_why() - in words, for what a trace lacks */
const char *area_walk_why(int err);

#endif
