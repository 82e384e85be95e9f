/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* host.h - what `kmemlab top` reads of the kernel's own files, and its trend. */
#ifndef KMEMLAB_TOP_HOST_H
#define KMEMLAB_TOP_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "common/procfs.h"

struct top_rows;

enum { TOP_TREND = 60 }; /* readings that a trend has */

/* Free memory of all zones. */
struct top_free {
	unsigned int orders;
	uint64_t blocks[PROC_ORDERS];
	unsigned int unusable[PROC_ORDERS]; /* of 1000 */
};

struct top_host {
	struct top_free now;
	unsigned int trend[TOP_TREND][PROC_ORDERS]; /* `unusable`, oldest first */
	unsigned int readings;			    /* in `trend` */
};

/** top_host_read() - buddyinfo now; @rows: caches get their slabs' bytes.
 *  Return: 0, or -errno if there is no buddyinfo */
int top_host_read(struct top_host *h, struct top_rows *rows);

/** top_trend_order() - the order that @wanted stands for: the largest is the last */
unsigned int top_trend_order(const struct top_host *h, unsigned int wanted);

/** top_free_parse() - /proc/buddyinfo's text. Return: 0 or -errno */
int top_free_parse(const char *buddyinfo, struct top_free *out);
/** top_slabs_parse() - /proc/slabinfo's text into the rows of caches. Return: 0 or -errno */
int top_slabs_parse(const char *slabinfo, struct top_rows *rows);

#endif
