/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* median.h - of the repeats of a benchmark. */
#ifndef KMEMLAB_BENCH_MEDIAN_H
#define KMEMLAB_BENCH_MEDIAN_H

#include <stdlib.h>

static inline int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of @n values, an odd number of them; sorts them. */
static inline double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

#endif
