/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* compare_print.h - a comparison as a table, and as data. */
#ifndef KMEMLAB_COMPARE_PRINT_H
#define KMEMLAB_COMPARE_PRINT_H

#include "common/out.h"
#include "compare/figures.h"

struct report_input;

/** compare_print() - @in's comparison, and differences over time of its results where the
 *  format is not CSV; on stdout. 0 or -ENOMEM */
int compare_print(const struct report_input *in, enum out_format format);

/** compare_list() - the measures, on stdout; EXIT_DONE or EXIT_FAILED */
int compare_list(void);

#endif
