/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_lifetime.h - the table of how long things live. */
#ifndef KMEMLAB_STAT_LIFETIME_H
#define KMEMLAB_STAT_LIFETIME_H

#include "cli/view.h"
#include "common/out.h"

/**
 * stat_lifetime_table() - a row a call site, or an order of pages; reads the trace
 * @top: rows at most, 0 = all; most live bytes first
 * @left_out: how many rows did not fit
 * @err: 0 or -errno
 * Return: the table, or NULL with @err set.
 */
struct out_table *stat_lifetime_table(const struct view *v, size_t top, size_t *left_out, int *err);

#endif
