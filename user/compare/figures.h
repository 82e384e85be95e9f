/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* figures.h - a comparison as data. */
#ifndef KMEMLAB_COMPARE_FIGURES_H
#define KMEMLAB_COMPARE_FIGURES_H

#include "compare/group.h"

/* What a change may be put down to. */
#define COMPARISON_SPREAD "* differs by more than the groups vary from run to run"
#define COMPARISON_NO_SPREAD                                                                       \
	"One run of each: whether a difference is more than chance is not known"

/* What is compared, and how. Groups are summed up. */
struct comparison {
	const struct group *groups;
	size_t n;
	size_t base;	       /* index of the group that others are held against */
	size_t rank;	       /* measure */
	unsigned int measures; /* bit per measure; 0: all that a group knows */
	const char *run;       /* of each result; NULL: groups are the runs of one */
};

/** comparison_wants() - is measure @i to be shown? */
bool comparison_wants(const struct comparison *c, size_t i);

/** comparison_figure() - group @k in measure @i, a new reference: {"group", "measure",
 *  "unit", "runs", "median", "min", "max"} and, but for the base, {"change",
 *  "change_percent"?, "beyond_spread"} */
json_t *comparison_figure(const struct comparison *c, size_t k, size_t i);

/** comparison_spread() - did a group run more than once? */
bool comparison_spread(const struct comparison *c);

#endif
