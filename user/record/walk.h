/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * walk.h - the per-CPU lists' pages and the pageblocks' types, read in the kernel's
 * own structures where it says where they are. See trace.h, "start/pcp".
 */
#ifndef KMEMLAB_RECORD_WALK_H
#define KMEMLAB_RECORD_WALK_H

#include <stdint.h>

struct kernel_bases;
struct trace_writer;
struct walk;

/** walk_open() - load the programs; NULL with errno where the kernel has no way */
struct walk *walk_open(const struct kernel_bases *bases);
void walk_close(struct walk *w);

/** walk_record() - TEXT blocks of both, at this moment. Return: 0; -ENOENT: the
 *  kernel does not say where its lists are; -EBUSY: they never stood still; -errno */
int walk_record(struct walk *w, struct trace_writer *to, uint16_t phase);

/** walk_why() - in words, for what a trace lacks */
const char *walk_why(int err);

#endif
