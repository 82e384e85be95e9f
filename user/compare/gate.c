/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* gate.c - see gate.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "compare/gate.h"

#define BLANKS " \t"

static int unknown(const char *text, size_t length, char *error)
{
	char word[64];
	struct nearest near = {.word = word};

	snprintf(word, sizeof(word), "%.*s", (int)length, text);
	for (size_t i = 0; i < MEASURES; i++)
		nearest_offer(&near, measures[i].name);
	if (nearest_name(&near))
		snprintf(error, 256, "unknown measure '%s'; did you mean '%s'?", word,
			 nearest_name(&near));
	else
		snprintf(error, 256, "unknown measure '%s'; 'kmemlab compare --list' shows all",
			 word);
	return -EINVAL;
}

int gate_parse(struct gate *g, const char *text, char *error)
{
	size_t length = strcspn(text, "<>");
	const char *number = text + length;
	char *end;

	if (!*number) {
		snprintf(error, 256, "condition '%.100s' is not MEASURE>NUMBER or MEASURE<NUMBER",
			 text);
		return -EINVAL;
	}
	*g = (struct gate){.above = *number++ == '>'};
	number += strspn(number, BLANKS);
	while (length && strchr(BLANKS, text[length - 1]))
		length--;
	g->measure = measure_find(text, length);
	if (g->measure == MEASURES)
		return unknown(text, length, error);
	g->limit = strtod(number, &end);
	g->of = *number == '+' || *number == '-' ? GATE_CHANGE : GATE_VALUE;
	if (*end == '%') {
		g->of = GATE_PERCENT;
		end++;
	}
	if (end == number || *end || !isfinite(g->limit)) {
		snprintf(error, 256,
			 "condition '%.100s': '%.40s' is not a number; use 30, +5 (change) or 5%% "
			 "(relative change)",
			 text, number);
		return -EINVAL;
	}
	return 0;
}

/* The number that the gate looks at; NAN: there is none. */
static double number_of(const struct gate *gate, const struct group *g, const struct group *base)
{
	const struct spread *s = &g->spread[gate->measure];
	struct change c;

	if (gate->of == GATE_VALUE)
		return s->n ? s->median : NAN;
	if (!group_change(g, base, gate->measure, &c))
		return NAN;
	if (gate->of == GATE_CHANGE)
		return c.absolute;
	if (!isnan(c.percent))
		return c.percent;
	/* From 0 to something is more than any percentage. */
	return c.absolute == 0 ? 0 : copysign(INFINITY, c.absolute);
}

bool gate_met(const struct gate *gate, const struct group *g, const struct group *base, double *got)
{
	*got = number_of(gate, g, base);
	return gate->above ? *got > gate->limit : *got < gate->limit;
}
