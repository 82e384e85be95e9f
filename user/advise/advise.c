/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* advise.c - a growing list of advice, and as data. */
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

const char *advice_sure_name(enum advice_sure sure)
{
	static const char *const names[] = {"low", "medium", "high"};

	return names[sure];
}

json_t *advices_json(const struct advices *all, const char *judged)
{
	json_t *list = json_array();

	for (size_t i = 0; i < all->n; i++) {
		const struct advice *a = &all->at[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s, s:s}", "topic", a->topic,
						"what", a->what, "evidence", a->evidence, "sure",
						advice_sure_name(a->sure), "check", a->check));
	}
	return json_pack("{s:o, s:s}", "advice", list, "settings_judged", judged);
}
