/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_out.h - a report in one of its forms, written where it is wanted. */
#ifndef KMEMLAB_CLI_REPORT_OUT_H
#define KMEMLAB_CLI_REPORT_OUT_H

#include "report/report.h"

enum report_format { REPORT_HTML, REPORT_TEXT, REPORT_MARKDOWN, REPORT_JSON };

/** report_out() - to @path, "-" is standard output; what fails is said
 *  Return: EXIT_DONE or EXIT_FAILED. */
int report_out(const struct report_input *in, enum report_format format, const char *path,
	       bool force);

/** report_tell_apart() - number equal labels: files of one name from two directories */
void report_tell_apart(struct report_result *results, size_t n);

#endif
