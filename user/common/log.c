/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.c - words for people, on stderr.
 *
 * A progress line stays open until the next message, which wipes it first, so
 * that a redirected or narrow terminal never shows half of both.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

enum { PROGRESS_NS = 100000000 };

static bool quiet_words;
static bool progress_open;

static bool stderr_is_screen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void log_progress_done(void)
{
	if (progress_open)
		fputs("\r\033[K", stderr);
	progress_open = false;
}

static void print(const char *label, const char *format, va_list ap)
{
	log_progress_done();
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

/* Whether the last line is old enough for people to have read it. */
static bool progress_due(void)
{
	static uint64_t last_ns;
	struct timespec now;
	uint64_t now_ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (now_ns - last_ns < PROGRESS_NS)
		return false;
	last_ns = now_ns;
	return true;
}

void log_progress(const char *format, ...)
{
	char text[256];
	va_list ap;

	if (quiet_words || !stderr_is_screen())
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (!*text) {
		log_progress_done();
	} else if (progress_due()) {
		fprintf(stderr, "\r\033[K%s", text);
		fflush(stderr);
		progress_open = true;
	}
}

void log_quiet(bool quiet)
{
	quiet_words = quiet;
}
