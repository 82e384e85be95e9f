/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kpageflags.c - see kpageflags.h. */
#include <unistd.h>

#include "common/kpageflags.h"
#include "common/procfs.h"

/* Where the blank words at the end of [@floor, @end) begin. */
static uint64_t blank_from(int fd, uint64_t *flags, uint64_t floor, uint64_t end)
{
	while (end > floor) {
		uint64_t n = end - floor < KPAGEFLAGS_CHUNK ? end - floor : KPAGEFLAGS_CHUNK;
		ssize_t got =
			pread(fd, flags, n * sizeof(*flags), (off_t)((end - n) * sizeof(*flags)));

		if (got != (ssize_t)(n * sizeof(*flags)))
			break;
		while (n && !flags[n - 1])
			n--, end--;
		if (n)
			break;
	}
	return end;
}

uint64_t kpageflags_deferred_from(int fd, uint64_t *flags, const struct proc_zone *zone)
{
	uint64_t end = zone->start_pfn + zone->spanned;
	uint64_t from = blank_from(fd, flags, end - (zone->spanned - zone->managed), end);

	return end - from <= zone->present - zone->managed ? from : end;
}
