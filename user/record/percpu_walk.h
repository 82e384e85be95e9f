/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_walk.h - the chunks of per-CPU memory and their areas, read in the kernel's own
 * structures. See trace.h, "kmemlab/percpu".
 */
#ifndef KMEMLAB_RECORD_PERCPU_WALK_H
#define KMEMLAB_RECORD_PERCPU_WALK_H

#include <stdint.h>

struct consumer;
struct kernel_bases;
struct percpu_walk;
struct trace_writer;

/** percpu_walk_open() - load the programs, and find the chunks; NULL with errno where
 *  there is no way: see percpu_walk_why() */
struct percpu_walk *percpu_walk_open(const struct kernel_bases *bases);
void percpu_walk_close(struct percpu_walk *w);

/** percpu_walk_record() - a TEXT block of all chunks, with areas named as events name
 *  them. Return: how many areas; -EBUSY: the chunks never stood still; -E2BIG; -errno */
long percpu_walk_record(struct percpu_walk *w, struct trace_writer *to, uint16_t phase,
			struct consumer *c);

/** percpu_walk_why() - in words, for what a trace lacks */
const char *percpu_walk_why(int err);

#endif
