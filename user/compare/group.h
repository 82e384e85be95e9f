/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * group.h - runs that stand for one thing: a policy, a host, a day. Several runs
 * of a group show how much it varies by itself.
 */
#ifndef KMEMLAB_COMPARE_GROUP_H
#define KMEMLAB_COMPARE_GROUP_H

#include <stdbool.h>

#include "compare/measure.h"

enum { GROUP_NAME_BYTES = 64, GROUP_RUNS_MAX = 256, GROUPS_MAX = 32 };

struct spread {
	size_t n; /* runs that know it */
	double median, min, max;
};

struct group {
	char name[GROUP_NAME_BYTES];
	bool modelled; /* in one of them reclaim is a model (prediction.h) */
	size_t runs;
	double value[GROUP_RUNS_MAX][MEASURES];
	struct spread spread[MEASURES]; /* by group_sum_up() */
};

/** group_add() - take @run's figures; false: the group is full */
bool group_add(struct group *g, const json_t *run);
void group_sum_up(struct group *g);

/* How @g stands to @base in measure @i. */
struct change {
	double absolute, percent; /* percent: NAN if the base is 0 */
	/* The ranges of both do not touch, and both have two runs or more: the
	 * difference is not what the groups differ by from run to run */
	bool beyond_spread;
};

/** group_change() - false if one of them does not know the measure */
bool group_change(const struct group *g, const struct group *base, size_t i, struct change *out);

/** group_rank() - sort indices @order of @n groups by the median of measure @i, best
 *  first (less first where neither is better); those that do not know it last */
void group_rank(const struct group *groups, size_t n, size_t i, size_t *order);

#endif
