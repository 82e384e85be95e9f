/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import.h - text from perf script, trace-cmd report or ftrace's trace file into a .kmt
 * file, marked with what such a trace lacks: no snapshots, so no replay; no frames of
 * objects; call sites as they were printed, or numbers where that is an address.
 */
#ifndef KMEMLAB_IMPORT_H
#define KMEMLAB_IMPORT_H

#include <stdint.h>
#include <stdio.h>

struct import_counts {
	uint64_t events;
	uint64_t nothing;	 /* kfree(NULL): not kept, as a recording keeps none */
	uint64_t lost;		 /* at least, if some were not counted */
	uint64_t lost_uncounted; /* times that the tracer told of losses without a number */
	uint64_t other, invalid, unordered, unknown_gfp;
};

/** import_text() - @in to @fd, a new file; @from: its name, for the header
 *  Return: 0 or -errno; -ENODATA: it holds no event of the allocators */
int import_text(FILE *in, int fd, const char *from, struct import_counts *counts);

#endif
