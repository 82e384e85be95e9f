/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* compare_print.h - a comparison as a table, and as data. */
#ifndef KMEMLAB_COMPARE_PRINT_H
#define KMEMLAB_COMPARE_PRINT_H

#include "common/out.h"
#include "compare/gate.h"

struct compare_view {
	enum out_format format;
	size_t base;	       /* index of a group */
	size_t rank;	       /* measure */
	unsigned int measures; /* bit per measure; 0: all that a group knows */
};

/** compare_print() - 0 or -ENOMEM */
int compare_print(const struct compare_view *v, const struct group *groups, size_t n);

/** compare_list() - the measures, on stdout; EXIT_DONE or EXIT_FAILED */
int compare_list(void);

#endif
