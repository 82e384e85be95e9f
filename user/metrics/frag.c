/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* frag.c - formulas on free blocks. */
#include <math.h>

#include "metrics/frag.h"

static uint64_t pages_from(const uint64_t *blocks, unsigned int orders, unsigned int order)
{
	uint64_t pages = 0;

	for (unsigned int o = order; o < orders; o++)
		pages += blocks[o] << o;
	return pages;
}

uint64_t metric_free_pages(const uint64_t *blocks, unsigned int orders)
{
	return pages_from(blocks, orders, 0);
}

unsigned int metric_unusable(const uint64_t *blocks, unsigned int orders, unsigned int order)
{
	uint64_t free_pages = metric_free_pages(blocks, orders);

	if (!free_pages)
		return 0;
	return (unsigned int)(1000 * (free_pages - pages_from(blocks, orders, order)) / free_pages);
}

double metric_emd(const uint64_t *a, const uint64_t *b, unsigned int orders)
{
	double total_a = (double)metric_free_pages(a, orders);
	double total_b = (double)metric_free_pages(b, orders);
	double below_a = 0, below_b = 0, distance = 0;

	if (total_a <= 0 || total_b <= 0)
		return total_a <= 0 && total_b <= 0 ? 0 : orders - 1;
	for (unsigned int o = 0; o < orders; o++) {
		below_a += (double)(a[o] << o) / total_a;
		below_b += (double)(b[o] << o) / total_b;
		distance += fabs(below_a - below_b);
	}
	return distance;
}

bool metric_relative(uint64_t model, uint64_t kernel, double *out)
{
	if (!kernel)
		return false;
	*out = ((double)model - (double)kernel) / (double)kernel;
	return true;
}
