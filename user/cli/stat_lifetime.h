/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_lifetime.h - how long things live. */
#ifndef KMEMLAB_STAT_LIFETIME_H
#define KMEMLAB_STAT_LIFETIME_H

#include "cli/stat_tables.h"

/** stat_lifetime_table() - a row a call site, or an order of pages; reads the trace. Most
 *  live bytes first. Return: NULL with @err, -errno */
struct out_table *stat_lifetime_table(const struct stat_table *t, const struct view *v, int *err);

#endif
