/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * scout.h - which frees went past the per-CPU lists.
 *
 * When an interrupt frees a page while its CPU's list is locked, the page goes
 * straight to the buddy lists, and no event says so. What happens later does: a
 * page that leaves the buddy lists without having been drained, or that the end
 * snapshot shows free, cannot have been on a list. A pass ahead finds these
 * frees, so that the pass proper can put them where they went.
 */
#ifndef KMEMLAB_SCOUT_H
#define KMEMLAB_SCOUT_H

#include <stddef.h>
#include <stdint.h>

#include "replay/observed.h"

struct scout {
	uint32_t *bypass; /* numbers of frees, ascending: struct observed.bypass */
	size_t n, room;
	bool no_memory;
};

/**
 * scout_run() - one pass over the trace, left rewound
 * @o: initialised and loaded; finished afterwards
 * @end: the end snapshot's chunks
 * Return: 0 or -errno.
 */
int scout_run(struct scout *s, struct observed *o, const struct snapshot *end,
	      struct trace_reader *r);
void scout_destroy(struct scout *s);

#endif
