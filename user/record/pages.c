// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pages.c - the state of every page, from /proc/kpageflags, as runs.
 *
 *   flags per page:  B B B B | S+head S+tail S+tail S+tail | - | A
 *   runs:            FREE o2 x1 | SLAB o2 x1               | KERNEL o0 x1 | ANON o0 x1
 *
 * The kernel marks every page of a free buddy block; since buddies that are
 * both free have merged, the largest aligned blocks that fit a run of marked
 * pages are the buddy blocks themselves. Compound pages are as long as their
 * tails. The file is read in chunks of 128 MiB of memory; each becomes a PAGES
 * block with the times that enclose its reading.
 */
#include "record.h"

#include <common/procfs.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

enum {
	CHUNK = 1 << 15, /* pages */
	FREE_ORDER_MAX = 10,
	ORDER_MAX = 14,
};

/* Bits of /proc/kpageflags, Documentation/admin-guide/mm/pagemap.rst. */
enum {
	KPF_LRU = 1 << 5,
	KPF_SLAB = 1 << 7,
	KPF_BUDDY = 1 << 10,
	KPF_MMAP = 1 << 11,
	KPF_ANON = 1 << 12,
	KPF_SWAPBACKED = 1 << 14,
	KPF_COMPOUND_HEAD = 1 << 15,
	KPF_COMPOUND_TAIL = 1 << 16,
	KPF_HUGE = 1 << 17,
	KPF_HWPOISON = 1 << 19,
	KPF_NOPAGE = 1 << 20,
	KPF_OFFLINE = 1 << 23,
	KPF_PGTABLE = 1 << 26,
};
#define KPF_RESERVED (1ull << 32)

struct page_walk {
	struct trace_writer *writer;
	uint16_t phase;
	uint64_t *flags;	     /* CHUNK */
	struct trace_page_run *runs; /* at most CHUNK */
	size_t n;
};

/* Flags in order of precedence; the first that is set decides. */
static enum kmt_page_state state_of(uint64_t flags)
{
	static const struct {
		uint64_t any;
		enum kmt_page_state state;
	} rule[] = {
		{KPF_NOPAGE, KMT_PG_NONE},
		{KPF_RESERVED | KPF_OFFLINE | KPF_HWPOISON, KMT_PG_RESERVED},
		{KPF_BUDDY, KMT_PG_FREE},
		{KPF_SLAB, KMT_PG_SLAB},
		{KPF_PGTABLE, KMT_PG_PGTABLE},
		{KPF_HUGE, KMT_PG_HUGE},
		{KPF_ANON, KMT_PG_ANON},
		{KPF_LRU | KPF_MMAP | KPF_SWAPBACKED, KMT_PG_FILE},
	};

	for (size_t i = 0; i < sizeof(rule) / sizeof(rule[0]); i++)
		if (flags & rule[i].any)
			return rule[i].state;
	return KMT_PG_KERNEL;
}

static void add_block(struct page_walk *w, enum kmt_page_state state, unsigned int order)
{
	struct trace_page_run *last = w->n ? &w->runs[w->n - 1] : NULL;

	if (last && last->state == state && last->order == order) {
		last->blocks++;
		return;
	}
	w->runs[w->n++] = (struct trace_page_run){
		.state = (uint8_t)state, .order = (uint8_t)order, .blocks = 1};
}

/* Cover [pfn, pfn + pages) with the largest aligned blocks up to @max_order. */
static void add_aligned(struct page_walk *w, enum kmt_page_state state, uint64_t pfn,
			uint64_t pages, unsigned int max_order)
{
	while (pages) {
		unsigned int order = pfn ? (unsigned int)__builtin_ctzll(pfn) : max_order;

		if (order > max_order)
			order = max_order;
		while (1ull << order > pages)
			order--;
		add_block(w, state, order);
		pfn += 1ull << order;
		pages -= 1ull << order;
	}
}

static size_t tails_from(const uint64_t *flags, size_t i, size_t n)
{
	size_t end = i;

	while (end < n && flags[end] & KPF_COMPOUND_TAIL)
		end++;
	return end - i;
}

/* A run of free or of missing pages, a compound page, or one page. */
static size_t add_at(struct page_walk *w, uint64_t pfn, size_t i, size_t n)
{
	enum kmt_page_state state = state_of(w->flags[i]);
	size_t end = i + 1;

	if (state == KMT_PG_FREE) {
		while (end < n && state_of(w->flags[end]) == KMT_PG_FREE)
			end++;
		add_aligned(w, state, pfn + i, end - i, FREE_ORDER_MAX);
	} else if (state > KMT_PG_FREE && w->flags[i] & KPF_COMPOUND_TAIL) {
		/* The rest of a page that began in an earlier chunk. */
		end = i + tails_from(w->flags, i, n);
		add_aligned(w, state, pfn + i, end - i, ORDER_MAX);
	} else if (state > KMT_PG_FREE && w->flags[i] & KPF_COMPOUND_HEAD) {
		end += tails_from(w->flags, end, n);
		add_aligned(w, state, pfn + i, end - i, ORDER_MAX);
	} else {
		add_block(w, state, 0);
	}
	return end;
}

static int walk_chunk(struct page_walk *w, int fd, uint64_t pfn, size_t pages)
{
	uint64_t t_first = boottime_ns(), t_last;
	ssize_t got =
		pread(fd, w->flags, pages * sizeof(*w->flags), (off_t)(pfn * sizeof(*w->flags)));

	if (got < 0)
		return -errno;
	t_last = boottime_ns();
	pages = (size_t)got / sizeof(*w->flags);
	w->n = 0;
	for (size_t i = 0; i < pages;)
		i = add_at(w, pfn, i, pages);
	if (!w->n)
		return 0;
	return trace_writer_pages(w->writer, w->phase, t_first, t_last, pfn, w->runs, w->n);
}

/*
 * Pages at a zone's end whose struct pages are still blank have not been handed
 * to the allocator yet (deferred initialisation): not allocated, but reserved.
 * No more of them than the zone has present pages that are not managed.
 */
static uint64_t deferred_from(int fd, uint64_t *flags, const struct proc_zone *zone)
{
	uint64_t end = zone->start_pfn + zone->spanned;
	uint64_t floor = end - (zone->present - zone->managed);

	while (end > floor) {
		uint64_t n = end - floor < CHUNK ? end - floor : CHUNK;
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

static int walk_zone(struct page_walk *w, int fd, const struct proc_zone *zone,
		     const struct recording_pause *pause)
{
	uint64_t end = deferred_from(fd, w->flags, zone);
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
	w->n = 0;
	add_aligned(w, KMT_PG_RESERVED, end, zone->start_pfn + zone->spanned - end, ORDER_MAX);
	now = boottime_ns();
	return trace_writer_pages(w->writer, w->phase, now, now, end, w->runs, w->n);
}

static int walk_zones(struct page_walk *w, int fd, const struct recording_pause *pause)
{
	struct proc_zoneinfo zones;
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
	w.runs = malloc(CHUNK * sizeof(*w.runs));
	if (w.flags && w.runs)
		err = walk_zones(&w, fd, pause);
	free(w.flags);
	free(w.runs);
	close(fd);
	return err;
}
