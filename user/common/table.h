/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.h - what table.c and table_print.c share; all others use out.h. */
#ifndef KMEMLAB_TABLE_H
#define KMEMLAB_TABLE_H

#include "common/out.h"

struct out_table {
	const char *name;
	const struct out_column *columns;
	size_t n;
	union out_value *rows; /* rows_n * n */
	size_t rows_n;
	size_t rows_max;
};

/** out_value_known() - is it neither OUT_UNKNOWN nor, of percents, not a number? */
bool out_value_known(enum out_type type, union out_value v);

#endif
