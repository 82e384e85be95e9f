/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * start.h - the state a reference allocator is loaded with.
 *
 * The snapshot plus the events up to the moment its last page was read give
 * every page's place. What no file shows the recorder may have read in the kernel's
 * own structures (start_read.h); else it is inferred from the events that follow, by
 * their first touch of a page or pageblock:
 *
 *   page, kernel, no flag:  first event is an allocation or a drain
 *	-> it was on that CPU's list of that type
 *   pages that no event touches: as many kernel pages as the lists' counts in
 *	zoneinfo lack are taken for them, in pageblocks that were in use
 *   pages side by side:     first event frees them as one block
 *	-> they were one allocation
 *   pageblock:              first zone_locked, drain or fallback
 *	-> its migrate type; otherwise its content tells, reconciled with the
 *	   number of pageblocks of each type in /proc/pagetypeinfo
 */
#ifndef KMEMLAB_REPLAY_START_H
#define KMEMLAB_REPLAY_START_H

#include <stddef.h>
#include <stdint.h>

#include "replay/kswapd.h"
#include "replay/levels.h"
#include "replay/observed.h"
#include "replay/start_read.h"

/* A block that is on a CPU's list, in the order they are loaded: heads first. */
struct start_pcp {
	uint32_t pfn;
	uint16_t cpu;
	uint8_t order, migratetype;
};

/* A block that the zone is given later: deferred initialisation, hotplug. */
struct start_growth {
	uint32_t pfn;
	uint8_t order;
};

struct start {
	struct observed at;	    /* at.map: every page at t_ns; at.block_type: of
				       every pageblock */
	uint64_t t_ns;		    /* events up to here are in it */
	struct start_read read;	    /* what need not be inferred */
	struct levels levels;	    /* of per-CPU lists at t_ns */
	uint32_t *taken;	    /* [zone * cpus + cpu]: blocks that the CPU took there */
	struct kswapd_spans kswapd; /* from the trace's first event on */
	struct start_pcp *pcp;
	size_t pcps;
	struct start_growth *growth; /* in order of time */
	size_t growths, growth_room;
	uint64_t blocks_told, blocks_by_content; /* pageblocks with a type, by source */
	uint64_t blocks_adjusted;	   /* of those by content, changed to fit the counts */
	uint64_t blocks_read;		   /* pageblocks whose type the recorder read */
	uint64_t pcp_pages;		   /* on lists */
	uint64_t pcp_read;		   /* of them, on the list that the recorder read */
	uint64_t pcp_misread;		   /* pages read there that cannot have been */
	uint64_t pcp_guessed;		   /* of them, CPU not known */
	uint64_t pcp_hidden;		   /* of them, page not known: kernel pages stand in */
	uint64_t claim_votes, steal_votes; /* fallbacks in the style of each policy */
	uint64_t joined;		   /* blocks known in parts, loaded as one */
};

/** start_build() - one pass over the trace, left rewound; 0 or -errno */
int start_build(struct start *s, const struct host *h, const struct snapshot *snap,
		struct trace_reader *r, const struct kmt_class *const *classes,
		uint32_t nr_classes);
void start_destroy(struct start *s);

#endif
