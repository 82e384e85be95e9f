// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pages.c - the state of every page, from /proc/kpageflags.
 *
 * The file is read in chunks of 128 MiB of memory; each becomes a PAGES block
 * with the times that enclose its reading, so that a reader can tell which
 * events it already contains.
 */
#include "record.h"

#include <common/kpageflags.h>
#include <common/procfs.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "page_runs.h"

enum { CHUNK = KPAGEFLAGS_CHUNK };

struct page_walk {
	struct trace_writer *writer;
	uint16_t phase;
	uint64_t *flags; /* CHUNK */
	struct page_runs runs;
};

static int walk_chunk(struct page_walk *w, int fd, uint64_t pfn, size_t pages)
{
	uint64_t t_first = boottime_ns(), t_last;
	ssize_t got =
		pread(fd, w->flags, pages * sizeof(*w->flags), (off_t)(pfn * sizeof(*w->flags)));

	if (got < 0)
		return -errno;
	t_last = boottime_ns();
	pages = (size_t)got / sizeof(*w->flags);
	w->runs.n = 0;
	page_runs_add(&w->runs, w->flags, pages, pfn);
	if (!w->runs.n)
		return 0;
	return trace_writer_pages(w->writer, w->phase, t_first, t_last, pfn, w->runs.run,
				  w->runs.n);
}

static int walk_zone(struct page_walk *w, int fd, const struct proc_zone *zone,
		     const struct recording_pause *pause)
{
	uint64_t end = kpageflags_deferred_from(fd, w->flags, zone);
	uint64_t pages, now;
	int err = 0;

	for (uint64_t pfn = zone->start_pfn; !err && pfn < end; pfn += pages) {
		pages = CHUNK - pfn % CHUNK;
		if (pages > end - pfn)
			pages = end - pfn;
		err = walk_chunk(w, fd, pfn, pages);
		pause->run(pause->context);
	}
	if (err || end == zone->start_pfn + zone->spanned)
		return err;
	w->runs.n = 0;
	page_runs_reserved(&w->runs, end, zone->start_pfn + zone->spanned - end);
	now = boottime_ns();
	return trace_writer_pages(w->writer, w->phase, now, now, end, w->runs.run, w->runs.n);
}

static int walk_zones(struct page_walk *w, int fd, const struct recording_pause *pause)
{
	struct proc_zoneinfo zones = {0};
	char *text = file_text("/proc/zoneinfo", NULL);
	int err = text ? proc_zoneinfo_parse(text, &zones) : -errno;

	free(text);
	if (err)
		return err;
	for (size_t i = 0; !err && i < zones.n; i++)
		if (zones.zones[i].spanned)
			err = walk_zone(w, fd, &zones.zones[i], pause);
	proc_zoneinfo_free(&zones);
	return err;
}

int record_pages(struct trace_writer *writer, uint16_t phase, const struct recording_pause *pause)
{
	struct page_walk w = {.writer = writer, .phase = phase};
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	int err = -ENOMEM;

	if (fd < 0)
		return -errno;
	w.flags = malloc(CHUNK * sizeof(*w.flags));
	w.runs.run = malloc(CHUNK * sizeof(*w.runs.run));
	if (w.flags && w.runs.run)
		err = walk_zones(&w, fd, pause);
	free(w.flags);
	free(w.runs.run);
	close(fd);
	return err;
}
