/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * start_lists.h - what start.c and start_lists.c share: the first pass over the
 * trace, as it is being made.
 */
#ifndef KMEMLAB_REPLAY_START_LISTS_H
#define KMEMLAB_REPLAY_START_LISTS_H

#include "replay/start.h"

enum { PCP_TYPES = 3, MOVABLE = 1 };

/* What the last event did to a page. */
enum touched { UNTOUCHED = 0, TOUCHED = 1, FREED = 2 };

/* The CPU's last zone_locked: an extfrag right after it tells the old type. */
struct last_locked {
	uint64_t pfn;
	bool told;    /* it gave its pageblock a type */
	bool waiting; /* an extfrag of this page came without one */
	uint8_t fallback_order;
};

/* The list that a CPU drained last, if nothing happened there since. */
struct last_drained {
	unsigned int zone;
	unsigned int list; /* its number plus 1; 0: none */
};

struct touch {
	struct start *s;
	uint8_t *touched;	    /* by pfn: enum touched */
	struct last_locked *last;   /* by CPU */
	struct last_drained *drain; /* by CPU */
	uint16_t *empty;	    /* [zone * cpus + cpu]: lists that were empty once */
	struct start_pcp *drained;  /* filled like s->pcp */
	size_t drains, pcp_room, drain_room;
	bool started;
	bool no_memory;
};

/** touch_listed() - a block was on a list; @drained: at its tail, else at its head */
void touch_listed(struct touch *t, const struct start_pcp *p, bool drained);

/** touch_empty() - learn from a page event which lists were empty */
void touch_empty(struct touch *t, const struct trace_event *e, const struct kmt_class *c);

/** touch_lists() - after the pass: complete the lists of all zones */
void touch_lists(struct touch *t, const struct host *h);

#endif
