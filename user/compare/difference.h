/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * difference.h - how two runs differ over time: B minus A at the times of A, over the time
 * that both have. B is read at its last sample before, as series are states that last
 * until the next.
 */
#ifndef KMEMLAB_COMPARE_DIFFERENCE_H
#define KMEMLAB_COMPARE_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "report/format.h"

struct comparison;

/* What is subtracted. */
struct difference_series {
	const char *name;
	const char *measure;   /* that it belongs to: compare/measure.h */
	const char *path;      /* in a run */
	enum report_unit unit; /* UNIT_BYTES or UNIT_POINTS, and so are the figures */
};

enum { DIFFERENCE_SERIES = 4 };

extern const struct difference_series difference_series[DIFFERENCE_SERIES];

/* A run of a result. */
struct difference_side {
	const json_t *root;
	const json_t *run;
	const char *title;
};

struct difference {
	double mean, most, end;
	double most_at_ns; /* NAN: they never differ */
	/* From when on B stays on one side of A by more than two readings of an idle
	 * kernel differ, up to the end; NAN: it does not */
	double apart_ns;
};

/** difference_of() - @b minus @a in series @i; false: one of them has no samples */
bool difference_of(struct difference *out, size_t i, const struct difference_side *a,
		   const struct difference_side *b);

/** difference_json() - @b minus @a in all series that @c wants, a new reference: {"group",
 *  "base", "time_ns": [n], "series": [{"series", "unit", "mean", "largest", "largest_at_ns",
 *  "end", "apart_since_ns", "value": [n]}]}; null where there is no number. NULL: nothing
 *  to subtract */
json_t *difference_json(const struct comparison *c, const struct difference_side *a,
			const struct difference_side *b);

/** difference_wanted() - is series @i to be shown? @c: NULL shows all */
bool difference_wanted(const struct comparison *c, size_t i);

struct report_input;

/** difference_side() - what stands for group @k of @in's comparison: the first run that was
 *  given for it. false: none was */
bool difference_side(const struct report_input *in, size_t k, struct difference_side *out);

#endif
