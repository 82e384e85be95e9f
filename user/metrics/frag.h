/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * frag.h - what a set of free blocks is worth. Pure functions.
 *
 * `blocks[o]` is the number of free blocks of order o, `orders` how many there
 * are. Formulas: reports/result-schema.md.
 */
#ifndef KMEMLAB_FRAG_H
#define KMEMLAB_FRAG_H

#include <stdbool.h>
#include <stdint.h>

/** metric_free_pages() - pages in all blocks */
uint64_t metric_free_pages(const uint64_t *blocks, unsigned int orders);

/** metric_unusable() - share of free memory too small for @order, 0..1000 */
unsigned int metric_unusable(const uint64_t *blocks, unsigned int orders, unsigned int order);

/** metric_emd() - earth mover's distance of free pages over orders; 0 is equal,
 *  at most orders - 1; a side with nothing free has no distribution: 0 if both,
 *  the maximum if one */
double metric_emd(const uint64_t *a, const uint64_t *b, unsigned int orders);

/** metric_relative() - (model - kernel) / kernel; false where kernel is 0 */
bool metric_relative(uint64_t model, uint64_t kernel, double *out);

#endif
