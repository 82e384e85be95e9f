/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * measure.h - the figures by which runs are compared, one number each.
 */
#ifndef KMEMLAB_COMPARE_MEASURE_H
#define KMEMLAB_COMPARE_MEASURE_H

#include <stddef.h>

#include <jansson.h>

struct measure {
	const char *name;
	const char *unit; /* "" where it is a count */
	int better;	  /* 1: more is, -1: less is, 0: neither */
	const char *what; /* with its formula */
};

enum { MEASURES = 19 };

extern const struct measure measures[MEASURES];

/** measure_find() - by name; MEASURES if there is none */
size_t measure_find(const char *name, size_t length);

/** measure_of() - figure @i of a result's run; NAN where the run cannot know */
double measure_of(const json_t *run, size_t i);

#endif
