/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sec_comparison.c - groups of runs by all measures; what 'kmemlab compare' tells. */
#include <math.h>
#include <string.h>

#include "compare/figures.h"
#include "report/facts.h"
#include "report/sections.h"

static const char *wanted(int better)
{
	return better > 0 ? "more" : better < 0 ? "less" : NULL;
}

/* The kernel is what a model is held against, not better or worse than it. */
static const char *judge(const struct comparison *c, size_t k, size_t i, double change)
{
	if (!measures[i].better || (!c->run && !strcmp(c->groups[k].name, "observed")))
		return NULL;
	if (change == 0)
		return "same";
	return change * measures[i].better > 0 ? "better" : "worse";
}

static void row_figure(struct report_doc *d, struct doc_table *t, const struct comparison *c,
		       size_t k, size_t i)
{
	const struct spread *s = &c->groups[k].spread[i];
	struct doc_cell *row = doc_row(d, t);
	struct change change;

	row[0].text = measures[i].name;
	row[1].text = c->groups[k].name;
	row[2].text = *measures[i].unit ? measures[i].unit : "times";
	row[3].text = wanted(measures[i].better);
	row[4].value = (double)s->n;
	row[5].value = s->median;
	row[6].value = s->min;
	row[7].value = s->max;
	if (k == c->base || !group_change(&c->groups[k], &c->groups[c->base], i, &change))
		return;
	row[8].value = change.absolute;
	row[9].value = *measures[i].unit == '%' ? NAN : change.percent;
	row[10].text = judge(c, k, i, change.absolute);
	row[11].text = change.beyond_spread ? "yes" : comparison_spread(c) ? "no" : "one run";
}

static void remark_rank(struct report_doc *d, struct doc_section *s, const struct comparison *c)
{
	const struct measure *m = &measures[c->rank];
	const char *list = "";
	size_t order[GROUPS_MAX];

	group_rank(c->groups, c->n, c->rank, order);
	for (size_t k = 0; k < c->n; k++) {
		const struct group *g = &c->groups[order[k]];
		const struct spread *v = &g->spread[c->rank];

		list = pool_printf(&d->pool, v->n ? "%s%s %s %.1f%s%s" : "%s%s %s", list,
				   k ? "," : "", g->name, v->median, *m->unit ? " " : "", m->unit);
	}
	doc_remark(d, s,
		   pool_printf(&d->pool, "By %s (%s%s):%s.", m->name, m->what,
			       m->better > 0   ? "; more is better"
			       : m->better < 0 ? "; less is better"
					       : "",
			       list));
}

/* Why a difference may mean nothing. */
static void remark_doubts(struct report_doc *d, struct doc_section *s,
			  const struct report_input *in)
{
	const struct comparison *c = in->comparison;
	bool policies = !c->run || strcmp(c->run, "observed") != 0;

	for (size_t i = 0; i < in->n; i++) {
		struct report_facts f;

		report_facts(&f, in->results[i].root);
		if (f.trust != TRUST_COMPLETE)
			doc_remark(d, s,
				   pool_printf(&d->pool, "%s: %s.", in->results[i].label,
					       f.trust_text));
		if (policies && f.model != MODEL_BEATS)
			doc_remark(d, s,
				   pool_printf(&d->pool,
					       "%s: nothing is to be concluded about policies: the "
					       "reference has not been shown to be close enough "
					       "to the kernel (see Fidelity).",
					       in->results[i].label));
	}
	doc_remark(d, s,
		   comparison_spread(c) ? "Where groups have several runs, what differs by more "
					  "than they vary from run to run is beyond chance."
					: COMPARISON_NO_SPREAD ".");
}

void section_comparison(struct report_doc *d, const struct report_input *in)
{
	static const struct doc_column columns[] = {
		{"measure", UNIT_TEXT, "'kmemlab compare --list' says how each is computed"},
		{"of", UNIT_TEXT, NULL},
		{"unit", UNIT_TEXT, NULL},
		{"wanted", UNIT_TEXT, "whether less or more is better; empty: neither"},
		{"runs", UNIT_COUNT, NULL},
		{"median", UNIT_REAL, NULL},
		{"least", UNIT_REAL, NULL},
		{"most", UNIT_REAL, NULL},
		{"change", UNIT_REAL, "of the median, from the base's"},
		{"in percent", UNIT_PERCENT,
		 "of the base's; none where it is 0, or a share itself"},
		{"is", UNIT_TEXT, NULL},
		{"beyond chance", UNIT_TEXT, "the ranges of both do not touch"},
	};
	const struct comparison *c = in->comparison;
	struct doc_section *s = doc_section(d, "comparison", "Side by side");
	struct doc_table *t = doc_table_new(
		d, pool_printf(&d->pool, "Against %s, measure by measure", c->groups[c->base].name),
		columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < MEASURES; i++)
		for (size_t k = 0; k < c->n && comparison_wants(c, i); k++)
			if (c->groups[k].spread[i].n)
				row_figure(d, t, c, k, i);
	remark_rank(d, s, c);
	remark_doubts(d, s, in);
	if (!t->rows)
		return;
	s->chart = "comparison";
	doc_table_add(s, t);
}
