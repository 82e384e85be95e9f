/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* group.c - medians, ranges, changes, ranks. */
#include <math.h>
#include <stdlib.h>

#include "compare/group.h"

bool group_add(struct group *g, const json_t *run)
{
	if (g->runs == GROUP_RUNS_MAX)
		return false;
	for (size_t i = 0; i < MEASURES; i++)
		g->value[g->runs][i] = measure_of(run, i);
	g->modelled |= json_object_get(run, "modelled_reclaim") != NULL;
	g->runs++;
	return true;
}

static int by_value(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static struct spread spread_of(const struct group *g, size_t i)
{
	double v[GROUP_RUNS_MAX];
	struct spread s = {0};

	for (size_t k = 0; k < g->runs; k++)
		if (!isnan(g->value[k][i]))
			v[s.n++] = g->value[k][i];
	if (!s.n)
		return s;
	qsort(v, s.n, sizeof(*v), by_value);
	s.min = v[0];
	s.max = v[s.n - 1];
	s.median = (v[(s.n - 1) / 2] + v[s.n / 2]) / 2;
	return s;
}

void group_sum_up(struct group *g)
{
	for (size_t i = 0; i < MEASURES; i++)
		g->spread[i] = spread_of(g, i);
}

bool group_change(const struct group *g, const struct group *base, size_t i, struct change *out)
{
	const struct spread *a = &base->spread[i], *b = &g->spread[i];

	if (!a->n || !b->n)
		return false;
	out->absolute = b->median - a->median;
	out->percent = a->median != 0 ? 100 * out->absolute / fabs(a->median) : NAN;
	out->beyond_spread = a->n > 1 && b->n > 1 && (b->min > a->max || b->max < a->min);
	return true;
}

static bool comes_before(const struct spread *a, const struct spread *b, int better)
{
	if (!a->n || !b->n)
		return a->n > b->n;
	return better > 0 ? a->median > b->median : a->median < b->median;
}

void group_rank(const struct group *groups, size_t n, size_t i, size_t *order)
{
	for (size_t k = 0; k < n; k++) {
		size_t at = k;

		for (; at > 0 && comes_before(&groups[k].spread[i],
					      &groups[order[at - 1]].spread[i], measures[i].better);
		     at--)
			order[at] = order[at - 1];
		order[at] = k;
	}
}
