/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* summary.h - what a recording says about itself, while it runs and at its end. */
#ifndef KMEMLAB_RECORD_SUMMARY_H
#define KMEMLAB_RECORD_SUMMARY_H

#include "account.h"
#include "child.h"

/** summary_progress() - one rewritten line, on a terminal only */
void summary_progress(const struct account *a);

/* How the recording ended. */
struct summary_end {
	const struct child *child; /* NULL: no command */
	bool full;		   /* the file reached its --max-size */
	bool child_stopped;	   /* it outlived the recording and was ended */
	int write_error;	   /* -errno of the first failed write, or 0 */
	unsigned int files;	   /* complete */
	const char *last_file;	   /* its name */
};

/** summary_print() - the end-of-run summary. Return: the exit code */
int summary_print(const struct record_options *opt, const struct account *a,
		  const struct summary_end *end);

#endif
