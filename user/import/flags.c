/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flags.c - ftrace's column of flags, Documentation/trace/ftrace.rst:
 *
 *   d..1.   d, D: interrupts off; b, D: softirqs off; X: not known
 *   | |  `- a need to reschedule (2nd), NMI, interrupt or softirq (3rd)
 *   | `---- how often preemption is off, in hex; '.': not
 *
 * Whether the task reads under RCU is not there.
 */
#include <string.h>

#include "import/line.h"

enum { FLAGS_LEAST = 4, FLAGS_MOST = 8 };

uint8_t flags_context(const char *text, uint32_t pid)
{
	size_t n = strcspn(text, " ");

	if (n < FLAGS_LEAST || n > FLAGS_MOST || text[0] == 'X' || !strchr(".dDb", text[0]))
		return KMT_CONTEXT_UNKNOWN;
	if (strchr("zZhH", text[2]))
		return KMT_CONTEXT_HARDIRQ;
	if (text[2] == 's')
		return KMT_CONTEXT_SOFTIRQ;
	if (text[0] != '.' || (text[3] != '.' && text[3] != '0') || !pid)
		return KMT_CONTEXT_ATOMIC;
	return KMT_CONTEXT_PREEMPTIBLE;
}
