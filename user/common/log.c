/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.c - words for people, on stderr.
 *
 * A progress line stays open until the next message, which wipes it first, so
 * that a redirected or narrow terminal never shows half of both.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

static bool quiet_words;
static bool progress_open;

static bool stderr_is_screen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

static void print(const char *label, const char *format, va_list ap)
{
	if (progress_open)
		fputs("\r\033[K", stderr);
	progress_open = false;
	fputs("kmemlab: ", stderr);
	fputs(label, stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

void log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print("error: ", format, ap);
	va_end(ap);
}

void log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print("warning: ", format, ap);
	va_end(ap);
}

void log_info(const char *format, ...)
{
	va_list ap;

	if (quiet_words)
		return;
	va_start(ap, format);
	print("", format, ap);
	va_end(ap);
}

void log_progress(const char *format, ...)
{
	va_list ap;

	if (quiet_words || !stderr_is_screen())
		return;
	va_start(ap, format);
	fputs("\r\033[K", stderr);
	vfprintf(stderr, format, ap);
	fflush(stderr);
	progress_open = true;
	va_end(ap);
}

void log_quiet(bool quiet)
{
	quiet_words = quiet;
}
