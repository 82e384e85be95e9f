/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * levels.h - how full each CPU's lists were at the start, and their high marks.
 *
 * zoneinfo tells both, but not at that moment: the nearest reading after it is
 * taken, and what events did to the lists in between is taken back. Once a second, at
 * whole seconds of uptime or a little later, marks above their lower bound lose an eighth,
 * and what lies above the new mark is drained (decay_pcp_high). A drain that no free leads
 * to is such a moment; a mark that was read behind it was higher before.
 *
 *   ----- zoneinfo ---- t_ns ----- events ----- zoneinfo ---->
 *         (start)        |<--------- undo ------|
 */
#ifndef KMEMLAB_REPLAY_LEVELS_H
#define KMEMLAB_REPLAY_LEVELS_H

#include <stdint.h>

#include "replay/pagemap.h"

struct trace_event;
struct trace_reader;

struct level {
	int64_t pages;
	uint32_t high;
	bool decayed; /* between the moment and the reading */
};

struct levels {
	struct level *at;   /* [zone * cpus + cpu] */
	uint8_t *last_kind; /* by CPU: its last page event */
	unsigned int zones, cpus;
	bool thp_pcp;
	uint64_t t_ns;	   /* the moment */
	uint64_t read_ns;  /* of the reading; t_ns if none is near enough */
	uint64_t decay_ns; /* the first drain of a decay in between; 0: none seen */
};

/** levels_init() - before the events are read. 0 or -ENOMEM */
int levels_init(struct levels *l, const struct host *h, struct trace_reader *r, uint64_t t_ns);
void levels_destroy(struct levels *l);

/** levels_event() - take back what an event did, if it lies before the reading */
void levels_event(struct levels *l, const struct pagemap *m, const struct trace_event *e);

/** levels_finish() - all events were seen: the marks are those of the moment */
void levels_finish(struct levels *l, const struct host *h);

/** levels_decayed() - did a decay reach @cpu between the moment and the reading? */
bool levels_decayed(const struct levels *l, unsigned int cpu);

static inline const struct level *levels_at(const struct levels *l, unsigned int zone,
					    unsigned int cpu)
{
	return &l->at[zone * l->cpus + cpu];
}

#endif
