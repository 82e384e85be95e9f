/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* out.c - the buffer in front of stdout, and plain text and JSON. */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/log.h"
#include "common/out.h"

enum { BUFFER_BYTES = 1 << 16 };

static char buffer[BUFFER_BYTES];
static size_t used;
static int failure; /* errno of the first failed write */

static void write_all(const char *data, size_t bytes)
{
	while (bytes && !failure) {
		ssize_t n = write(STDOUT_FILENO, data, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			failure = n < 0 ? errno : EIO;
			return;
		}
		data += n;
		bytes -= (size_t)n;
	}
}

void out_flush(void)
{
	write_all(buffer, used);
	used = 0;
}

void out_bytes(const void *data, size_t bytes)
{
	if (bytes > sizeof(buffer) - used)
		out_flush();
	if (bytes > sizeof(buffer)) {
		write_all(data, bytes);
		return;
	}
	memcpy(buffer + used, data, bytes);
	used += bytes;
}

void out_text(const char *format, ...)
{
	char text[1024];
	char *big = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < (int)sizeof(text)) {
		out_bytes(text, n > 0 ? (size_t)n : 0);
		return;
	}
	va_start(ap, format);
	n = vasprintf(&big, format, ap);
	va_end(ap);
	if (n < 0) {
		failure = ENOMEM;
		return;
	}
	out_bytes(big, (size_t)n);
	free(big);
}

size_t out_columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

void out_wrapped(size_t indent, const char *text)
{
	size_t room = out_columns(), at = indent;

	while (*text) {
		size_t gap = strspn(text, " "), word = strcspn(text + gap, " ");

		if (room && at > indent && at + gap + word > room) {
			out_text("\n%*s", (int)indent, "");
			at = indent;
			text += gap;
			gap = 0;
		}
		out_bytes(text, gap + word);
		at += gap + word;
		text += gap + word;
	}
}

bool out_failed(void)
{
	return failure != 0;
}

int out_close(void)
{
	out_flush();
	if (!failure && fflush(stdout))
		failure = errno;
	if (!failure || failure == EPIPE)
		return 0;
	log_error("cannot write to standard output: %s", strerror(failure));
	return -failure;
}

static int dump_part(const char *data, size_t bytes, void *unused)
{
	(void)unused;
	out_bytes(data, bytes);
	return 0;
}

int out_json(struct json_t *doc)
{
	int err = -ENOMEM;

	if (doc)
		err = json_dump_callback(doc, dump_part, NULL,
					 JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	if (err)
		failure = failure ? failure : ENOMEM;
	out_bytes("\n", 1);
	json_decref(doc);
	return err ? -ENOMEM : 0;
}

char *out_human_bytes(uint64_t bytes, char *text)
{
	static const char units[] = "BKMGTPE";
	double value = (double)bytes;
	size_t u = 0;

	while (value >= 999.5 && u + 2 < sizeof(units)) {
		value /= 1024;
		u++;
	}
	snprintf(text, 16, u && value < 10 ? "%.1f%c" : "%.0f%c", value, units[u]);
	return text;
}

char *out_human_ns(uint64_t ns, char *text)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double value = (double)ns;
	size_t u = 0;

	while (value >= 999.5 && u < 3) {
		value /= 1000;
		u++;
	}
	snprintf(text, 16, u ? "%.2f %s" : "%.0f %s", value, units[u]);
	return text;
}
