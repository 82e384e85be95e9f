/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_holders.h - who holds what is live at the end; CPUs that free what others allocate. */
#ifndef KMEMLAB_STAT_HOLDERS_H
#define KMEMLAB_STAT_HOLDERS_H

#include "cli/stat_tables.h"

/** stat_leak_table() - a row a call site, or a command with its pages of an order, that
 *  holds something at the end; reads the trace. NULL with @err, -errno
 *
 *  First what grew in every quarter, by how much in the least of them (of what mostly ends
 *  unseen that is not known); then by the bytes that were allocated in the first half and are
 *  still live. */
struct out_table *stat_leak_table(const struct stat_table *t, const struct view *v, int *err);
/** stat_cpu_table() - a row a CPU; likewise */
struct out_table *stat_cpu_table(const struct stat_table *t, const struct view *v, int *err);

#endif
