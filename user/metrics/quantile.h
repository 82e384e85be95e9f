/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* quantile.h - which of @n sorted values a quantile is. */
#ifndef KMEMLAB_QUANTILE_H
#define KMEMLAB_QUANTILE_H

#include <math.h>
#include <stdint.h>

/** quantile_rank() - of the smallest value that the share @q (0..1) of all @n does not
 *  exceed: 1 to @n */
static inline uint64_t quantile_rank(uint64_t n, double q)
{
	double rank = ceil(q * (double)n);

	return rank < 1 ? 1 : rank > (double)n ? n : (uint64_t)rank;
}

#endif
