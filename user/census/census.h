/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * census.h - what physical memory is used for, page by page, from the flags that
 * /proc/kpageflags shows (LKD3 ch. 12, "Pages").
 */
#ifndef KMEMLAB_CENSUS_H
#define KMEMLAB_CENSUS_H

#include <stddef.h>
#include <stdint.h>

struct json_t;

/* Each page is of one kind: the first that fits. Names are JSON keys. */
enum census_kind {
	CENSUS_HOLE,	 /* no struct page, or never initialised */
	CENSUS_OFFLINE,	 /* logically offline, or poisoned hardware */
	CENSUS_FREE,	 /* in a buddy block */
	CENSUS_RESERVED, /* never given to the allocator */
	CENSUS_DEFERRED, /* struct page not initialised yet */
	CENSUS_SLAB,
	CENSUS_PGTABLE,
	CENSUS_HUGETLB,
	CENSUS_ANON_THP, /* anonymous, in a transparent huge page */
	CENSUS_ANON,
	CENSUS_SHMEM,  /* shared memory and tmpfs */
	CENSUS_FILE,   /* page cache */
	CENSUS_ZERO,   /* the zero page */
	CENSUS_KERNEL, /* allocated, no flag says for what */
	CENSUS_KINDS,
};

struct census_name {
	const char *name;
	const char *meaning; /* one line */
};

enum { CENSUS_FLAGS = 64 };

extern const struct census_name census_kinds[CENSUS_KINDS];
/* By bit of a kpageflags word; name NULL: not known */
extern const struct census_name census_flags[CENSUS_FLAGS];

struct census {
	uint64_t kind[CENSUS_KINDS]; /* pages */
	uint64_t flag[CENSUS_FLAGS]; /* pages that carry it */
	uint64_t head;		     /* flags of the compound page at hand */
};

/** census_add() - count @n pages' words; compound pages may span calls */
void census_add(struct census *c, const uint64_t *words, size_t n);

/** census_take() - count this host. Return: 0 or -errno */
int census_take(struct census *c);

/** census_json(), census_load() - as JSON, and back; -EBADMSG: not a census */
struct json_t *census_json(const struct census *c);
int census_load(struct census *c, const struct json_t *doc);

#endif
