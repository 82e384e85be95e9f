/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * run.h - one replay of the trace: the kernel's own placement, a reference with
 * its settings, or a plug-in. All runs of a replay are fed the same events and sampled
 * at the same moments.
 */
#ifndef KMEMLAB_RUN_H
#define KMEMLAB_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "replay/observed.h"
#include "replay/plugin.h"
#include "replay/reference.h"
#include "replay/slabs.h"

struct json_t;

enum { RUN_NAME_BYTES = 40 };

/* Free memory of one zone at a moment. */
struct zone_blocks {
	uint64_t blocks[HOST_ORDERS];
	uint64_t pcp_pages;
};

struct run {
	char name[RUN_NAME_BYTES];
	struct json_t *settings;   /* {knob: value} that differ from the host */
	struct observed *observed; /* one of the three */
	struct reference *reference;
	struct plugin *plugin;
	struct slabs *slabs;	     /* beside a reference: its own, if its settings are of slabs */
	struct zone_blocks *samples; /* [sample][zone] */
	struct zone_blocks *end;     /* [zone], when the kernel was last looked at */
	uint64_t events;	     /* of pages: the others are none of a run's business */
	uint64_t ns;
	struct call_timer *timer; /* of its requests; NULL: the observed run */
};

/** run_init() - room for @samples; the rest is zero. 0 or -ENOMEM */
int run_init(struct run *run, const char *name, const struct host *h, unsigned int samples);
void run_destroy(struct run *run);

/** run_feed() - @n events, timed */
void run_feed(struct run *run, const struct trace_event *e, long n);
/** run_requests() - what did not match; NULL for the observed run */
const struct requests_counts *run_requests(const struct run *run);
/** run_finish() - no more events follow */
void run_finish(struct run *run);
/** zone_blocks_sum() - free blocks of all @z[host's zones], into @blocks[the host's orders] */
void zone_blocks_sum(const struct host *h, const struct zone_blocks *z, uint64_t *blocks);

/** run_state() - free memory by zone, into @out[host's zones] */
void run_state(const struct run *run, const struct host *h, struct zone_blocks *out);

#endif
