/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* figures.c - see figures.h. */
#include <math.h>

#include "compare/figures.h"

bool comparison_wants(const struct comparison *c, size_t i)
{
	if (c->measures)
		return c->measures >> i & 1;
	for (size_t k = 0; k < c->n; k++)
		if (c->groups[k].spread[i].n)
			return true;
	return false;
}

json_t *comparison_figure(const struct comparison *c, size_t k, size_t i)
{
	const struct group *g = &c->groups[k];
	const struct spread *s = &g->spread[i];
	struct change change;
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:f, s:f, s:f}", "group", g->name, "measure",
			      measures[i].name, "unit", measures[i].unit, "runs", (json_int_t)s->n,
			      "median", s->median, "min", s->min, "max", s->max);

	if (k == c->base || !group_change(g, &c->groups[c->base], i, &change))
		return o;
	json_object_set_new(o, "change", json_real(change.absolute));
	if (!isnan(change.percent))
		json_object_set_new(o, "change_percent", json_real(change.percent));
	json_object_set_new(o, "beyond_spread", json_boolean(change.beyond_spread));
	return o;
}

bool comparison_spread(const struct comparison *c)
{
	for (size_t k = 0; k < c->n; k++)
		if (c->groups[k].runs > 1)
			return true;
	return false;
}
