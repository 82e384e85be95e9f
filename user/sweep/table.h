/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * table.h - the lines of a sweep as a ranking: what each combination changes, against
 * the reference on the same trace.
 */
#ifndef KMEMLAB_SWEEP_TABLE_H
#define KMEMLAB_SWEEP_TABLE_H

#include "common/out.h"
#include "compare/measure.h"

struct sweep_view {
	enum out_format format;
	size_t rank;	       /* measure */
	unsigned int measures; /* bit per measure: columns */
};

/** sweep_table() - print @lines (as sweep_merge() writes them). 0 or -errno */
int sweep_table(const struct sweep_view *v, char *lines);

#endif
