/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pinned.h - pageblocks that a few pages deny to everybody else, and whose pages these
 * are.
 *
 *   free at the end           who is in the way
 *   [........x..........]     one page of a slab, by sshd, 12 s old
 *   [..xx...............]     two page tables, there since before the recording
 *
 * What is free at the end, and what the rest is used for, the end snapshot tells. Which
 * of its pages matter is thus known before the events are read, so that only these
 * pages' owners are kept: 16 bytes a page of pageblocks that are looked at.
 *
 * A pageblock is looked at if it is pinned, that is 90 % free or more, but not all; or
 * if it is movable by its last event and holds pages of kinds that cannot move.
 */
#ifndef KMEMLAB_REPLAY_PINNED_H
#define KMEMLAB_REPLAY_PINNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/tasks.h"

struct replay;
struct pinned;

enum { PINNED_FREE_PERCENT = 90, PINNED_OWNERS_SHOWN = 4 };

/* Pages of one command and kind. Times are absolute. */
struct pinned_owner {
	uint32_t comm;		/* string; 0: allocated before the recording, or unseen */
	uint8_t state;		/* enum kmt_page_state */
	bool on_list;		/* freed, but on a per-CPU list still */
	uint64_t blocks, alone; /* pageblocks denied; of them, by no one else */
	uint64_t pages;
	uint64_t oldest_ns, newest_ns; /* allocations seen; 0: none */
};

/* One pageblock, with those of its pages that are in the way. */
struct pinned_block {
	uint64_t block; /* number */
	uint32_t free_pages;
	bool pinned, mixed;
	uint32_t nr_owners;
	struct pinned_owner owners[PINNED_OWNERS_SHOWN]; /* most pages first */
};

struct pinned_found {
	struct pinned_block *list; /* by number */
	size_t nr_list;
	uint64_t pinned_blocks, pinned_pages, pinned_free_pages;
	struct pinned_owner *owners; /* of pinned pageblocks, most of them first */
	size_t nr_owners;
	uint64_t mixed_blocks, mixed_pages;
	struct pinned_owner *mixers; /* of unmovable pages in movable pageblocks */
	size_t nr_mixers;
};

/** pinned_new() - look at the end snapshot; *@out is NULL if there is none. 0 or -errno */
int pinned_new(struct pinned **out, const struct replay *p, unsigned int cpus);
void pinned_free(struct pinned *x);

/** pinned_feed() - who allocates what; @n events of any kind */
void pinned_feed(struct pinned *x, const struct trace_event *e, long n);

/** pinned_finish() - 0 or -ENOMEM; @out's lists are @x's */
int pinned_finish(struct pinned *x, struct pinned_found *out);

#endif
