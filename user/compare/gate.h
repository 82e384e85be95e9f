/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gate.h - conditions that a comparison must not meet:
 *
 *   unusable[9]>30     the figure itself, in its unit
 *   fallbacks>+100     its change from the base
 *   large<-5%          its change from the base, in percent of it
 *
 * Blanks around the parts mean nothing.
 */
#ifndef KMEMLAB_COMPARE_GATE_H
#define KMEMLAB_COMPARE_GATE_H

#include "compare/group.h"

enum gate_of { GATE_VALUE, GATE_CHANGE, GATE_PERCENT };

struct gate {
	size_t measure;
	enum gate_of of;
	bool above; /* '>' */
	double limit;
};

/** gate_parse() - @error: 256 bytes for one line. Return: 0 or -EINVAL */
int gate_parse(struct gate *g, const char *text, char *error);

/** gate_met() - does @g meet the condition? @got: the number that was compared, NAN if
 *  there is none, which meets nothing */
bool gate_met(const struct gate *gate, const struct group *g, const struct group *base,
	      double *got);

#endif
