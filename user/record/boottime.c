// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * boottime.c - the clock of all times in a trace. The BPF programs read it as the
 * kernel has it; a process in a time namespace is shown it with an offset, which
 * is taken off here, so that both tell the same time.
 */
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files.h"

enum { NS_PER_S = 1000000000 };

static int64_t offset_ns; /* what this process sees is later by so much */

int64_t boottime_offset(const char *timens_offsets)
{
	static const char name[] = "boottime";
	const char *line = strstr(timens_offsets, name);
	char *rest;
	int64_t seconds;

	if (!line)
		return 0;
	seconds = strtoll(line + sizeof(name) - 1, &rest, 10);
	return seconds * NS_PER_S + strtoll(rest, NULL, 10);
}

void boottime_settle(void)
{
	char *text = file_text("/proc/self/timens_offsets", NULL);

	/* A kernel without time namespaces has no such file. */
	offset_ns = text ? boottime_offset(text) : 0;
	free(text);
}

uint64_t boottime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec - (uint64_t)offset_ns;
}
