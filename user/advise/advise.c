/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* advise.c - a growing list of advice. */
#include <stdlib.h>
#include <string.h>

#include "advise/advise.h"

struct advice *advices_add(struct advices *all)
{
	if (all->n == all->room) {
		size_t room = all->room ? all->room * 2 : 16;
		struct advice *more = realloc(all->at, room * sizeof(*more));

		if (!more)
			return NULL;
		all->at = more;
		all->room = room;
	}
	memset(&all->at[all->n], 0, sizeof(*all->at));
	return &all->at[all->n++];
}

void advices_free(struct advices *all)
{
	free(all->at);
	memset(all, 0, sizeof(*all));
}

static int by_worth(const void *x, const void *y)
{
	const struct advice *a = x, *b = y;

	if (a->sure != b->sure)
		return a->sure > b->sure ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return strcmp(a->what, b->what);
}

void advices_sort(struct advices *all)
{
	if (all->n)
		qsort(all->at, all->n, sizeof(*all->at), by_worth);
}
