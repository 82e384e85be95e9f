/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * census.c - see census.h. Bits as in the kernel's include/uapi/linux/
 * kernel-page-flags.h; those from 32 on are the kernel's own and may differ.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "census/census.h"
#include "common/kpageflags.h"
#include "common/procfs.h"
#include "record/files.h"

enum bit {
	LRU = 5,
	SLAB = 7,
	BUDDY = 10,
	ANON = 12,
	SWAPBACKED = 14,
	COMPOUND_HEAD = 15,
	COMPOUND_TAIL = 16,
	HUGE = 17,
	HWPOISON = 19,
	NOPAGE = 20,
	THP = 22,
	OFFLINE = 23,
	ZERO_PAGE = 24,
	PGTABLE = 26,
	RESERVED = 32,
};

const struct census_name census_kinds[CENSUS_KINDS] = {
	[CENSUS_HOLE] = {"hole", "no memory there"},
	[CENSUS_OFFLINE] = {"offline", "logically offline, or hardware found broken"},
	[CENSUS_FREE] = {"free", "in a free block of the buddy allocator"},
	[CENSUS_RESERVED] = {"reserved", "never given to the allocator: kernel image, firmware"},
	[CENSUS_DEFERRED] = {"deferred", "not needed yet: its struct pages are not initialised"},
	[CENSUS_SLAB] = {"slab", "objects of kmem_caches and kmalloc"},
	[CENSUS_PGTABLE] = {"pgtable", "page tables"},
	[CENSUS_HUGETLB] = {"hugetlb", "in hugetlbfs' pools"},
	[CENSUS_ANON_THP] = {"anon-thp", "processes' own memory, in transparent huge pages"},
	[CENSUS_ANON] = {"anon", "processes' own memory: heap, stack, private mappings"},
	[CENSUS_SHMEM] = {"shmem", "shared memory and tmpfs"},
	[CENSUS_FILE] = {"file", "page cache: contents of files"},
	[CENSUS_ZERO] = {"zero", "the page of zeros that all share"},
	[CENSUS_KERNEL] = {"kernel", "without a flag: per-CPU lists, vmalloc, stacks, drivers"},
};

const struct census_name census_flags[CENSUS_FLAGS] = {
	[0] = {"locked", "locked in memory, for I/O or by its owner"},
	[1] = {"error", "an I/O error happened"},
	[2] = {"referenced", "used since it was last looked at for reclaim"},
	[3] = {"uptodate", "its contents are what is on disk, or newer"},
	[4] = {"dirty", "written to, to be written back"},
	[5] = {"lru", "on a list of pages that reclaim looks at"},
	[6] = {"active", "on the active list: reclaimed last"},
	[7] = {"slab", "in a slab"},
	[8] = {"writeback", "being written back"},
	[9] = {"reclaim", "to be reclaimed when written back"},
	[10] = {"buddy", "in a free block"},
	[11] = {"mmap", "mapped by a process"},
	[12] = {"anon", "anonymous: belongs to no file"},
	[13] = {"swapcache", "has a place in swap"},
	[14] = {"swapbacked", "goes to swap, not to a file"},
	[15] = {"compound-head", "first of a compound page"},
	[16] = {"compound-tail", "of a compound page, not its first"},
	[17] = {"huge", "hugetlbfs"},
	[18] = {"unevictable", "mlock() and the like: never reclaimed"},
	[19] = {"hwpoison", "hardware found it broken"},
	[20] = {"nopage", "no struct page"},
	[21] = {"ksm", "shared by kernel samepage merging"},
	[22] = {"thp", "in a transparent huge page"},
	[23] = {"offline", "logically offline: ballooned"},
	[24] = {"zero-page", "the zero page"},
	[25] = {"idle", "not used since it was marked idle"},
	[26] = {"pgtable", "a page table"},
	[32] = {"reserved", "PG_reserved: not the allocator's"},
	[33] = {"mlocked", "mlock()"},
	[34] = {"mapped-to-disk", "has blocks on disk"},
	[35] = {"private", "a file system keeps something with it"},
	[36] = {"private-2", "the same, a second bit"},
	[37] = {"owner-private", "its owner's use"},
	[38] = {"arch", "the architecture's use"},
	[39] = {"uncached", "mapped uncached"},
	[40] = {"softdirty", "written to since asked to note it"},
};

/* The first that fits; what processes use before what the kernel does. */
static enum census_kind kind_of(uint64_t w)
{
	static const struct {
		uint64_t all;
		enum census_kind kind;
	} rules[] = {
		{1ull << NOPAGE, CENSUS_HOLE},	   {1ull << HWPOISON, CENSUS_OFFLINE},
		{1ull << OFFLINE, CENSUS_OFFLINE}, {1ull << BUDDY, CENSUS_FREE},
		{1ull << ZERO_PAGE, CENSUS_ZERO},  {1ull << RESERVED, CENSUS_RESERVED},
		{1ull << SLAB, CENSUS_SLAB},	   {1ull << PGTABLE, CENSUS_PGTABLE},
		{1ull << HUGE, CENSUS_HUGETLB},	   {1ull << ANON | 1ull << THP, CENSUS_ANON_THP},
		{1ull << ANON, CENSUS_ANON},	   {1ull << LRU | 1ull << SWAPBACKED, CENSUS_SHMEM},
		{1ull << LRU, CENSUS_FILE},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if ((w & rules[i].all) == rules[i].all)
			return rules[i].kind;
	return CENSUS_KERNEL;
}

void census_add(struct census *c, const uint64_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t w = words[i];

		if (w >> COMPOUND_HEAD & 1)
			c->head = w;
		/* Some kernels tell what a compound page is by its head alone. */
		c->kind[kind_of(w >> COMPOUND_TAIL & 1 ? w | c->head : w)]++;
		for (; w; w &= w - 1)
			c->flag[__builtin_ctzll(w)]++;
	}
}

/* A section (128 MiB, a chunk) without any flag, where the zone has holes: one of them.
 * Some kernels say so (nopage), others show blank words. */
static bool is_hole(const uint64_t *words, uint64_t n, uint64_t holes)
{
	if (n < KPAGEFLAGS_CHUNK || n > holes)
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (words[i])
			return false;
	return true;
}

static int take_zone(struct census *c, int fd, const struct proc_zone *zone)
{
	static uint64_t words[KPAGEFLAGS_CHUNK];
	uint64_t end = kpageflags_deferred_from(fd, words, zone);
	uint64_t pfn = zone->start_pfn, holes = zone->spanned - zone->present;

	c->kind[CENSUS_DEFERRED] += zone->start_pfn + zone->spanned - end;
	while (pfn < end) {
		uint64_t n = KPAGEFLAGS_CHUNK - pfn % KPAGEFLAGS_CHUNK;
		ssize_t got;

		if (n > end - pfn)
			n = end - pfn;
		got = pread(fd, words, n * sizeof(*words), (off_t)(pfn * sizeof(*words)));
		if (got < (ssize_t)sizeof(*words))
			return got < 0 ? -errno : 0;
		n = (uint64_t)got / sizeof(*words);
		if (is_hole(words, n, holes)) {
			c->kind[CENSUS_HOLE] += n;
			holes -= n;
		} else {
			census_add(c, words, n);
		}
		pfn += n;
	}
	return 0;
}

int census_take(struct census *c)
{
	struct proc_zoneinfo zones = {0};
	char *text = file_text("/proc/zoneinfo", NULL);
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	int err = fd < 0 || !text ? -errno : proc_zoneinfo_parse(text, &zones);

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < zones.n && !err; i++)
		if (zones.zones[i].spanned)
			err = take_zone(c, fd, &zones.zones[i]);
	proc_zoneinfo_free(&zones);
	free(text);
	if (fd >= 0)
		close(fd);
	return err;
}

static json_t *numbers(const struct census_name *names, const uint64_t *v, size_t n)
{
	json_t *o = json_object();

	for (size_t i = 0; i < n; i++)
		if (names[i].name && v[i])
			json_object_set_new(o, names[i].name, json_integer((json_int_t)v[i]));
	return o;
}

struct json_t *census_json(const struct census *c)
{
	return json_pack("{s:s, s:i, s:o, s:o}", "schema", "kmemlab-pages/1", "page_bytes",
			 (int)sysconf(_SC_PAGESIZE), "kinds",
			 numbers(census_kinds, c->kind, CENSUS_KINDS), "flags",
			 numbers(census_flags, c->flag, CENSUS_FLAGS));
}

static void load_numbers(const json_t *o, const struct census_name *names, uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].name)
			v[i] = (uint64_t)json_integer_value(json_object_get(o, names[i].name));
}

int census_load(struct census *c, const struct json_t *doc)
{
	const char *schema = json_string_value(json_object_get(doc, "schema"));

	memset(c, 0, sizeof(*c));
	if (!schema || strcmp(schema, "kmemlab-pages/1") != 0)
		return -EBADMSG;
	load_numbers(json_object_get(doc, "kinds"), census_kinds, c->kind, CENSUS_KINDS);
	load_numbers(json_object_get(doc, "flags"), census_flags, c->flag, CENSUS_FLAGS);
	return 0;
}
