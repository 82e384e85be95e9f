/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options.h - options that several commands take. Errors have been said when they return. */
#ifndef KMEMLAB_CLI_OPTIONS_H
#define KMEMLAB_CLI_OPTIONS_H

#include <argp.h>
#include <stddef.h>

#include "common/out.h"

/** option_format() - of a table, for --format: text, md, json or csv
 *  @more: what else the command takes, for the message; "" is nothing */
error_t option_format(const char *name, const char *more, enum out_format *format);

/** option_measure() - number of a measure (compare/measure.h) by its name */
error_t option_measure(const char *name, size_t *measure);

/** option_add_measure() - set its bit in @wanted */
error_t option_add_measure(const char *name, unsigned int *wanted);

#endif
