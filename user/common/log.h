/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.h - words for people, on stderr. Nothing else writes there.
 *
 * Messages carry no capital and no full stop: what failed, on what, why, what
 * to do. Exit codes are the command's contract (README.md).
 */
#ifndef KMEMLAB_LOG_H
#define KMEMLAB_LOG_H

#include <stdbool.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_PERMISSION = 3,
	EXIT_KERNEL = 4,  /* the kernel lacks it */
	EXIT_DAMAGED = 5, /* a trace is damaged; intact parts were used */
	EXIT_GATE = 6,	  /* --fail-if met */
	EXIT_LOST = 7,	  /* done, but events were lost */
};

/** log_error() - print "kmemlab: error: ..." */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** log_warn() - print "kmemlab: warning: ..." */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** log_info() - print "kmemlab: ..."; silent under --quiet */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** log_progress() - rewrite one line, a few times a second at most, only where
 *  stderr is a terminal; the next message wipes it */
void log_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** log_progress_done() - wipe the line that log_progress() left, as an empty one does */
void log_progress_done(void);
/** log_quiet() - silence log_info() and log_progress() */
void log_quiet(bool quiet);

#endif
