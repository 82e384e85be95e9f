/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* account.h - what became of every event; see account.c. */
#ifndef KMEMLAB_RECORD_ACCOUNT_H
#define KMEMLAB_RECORD_ACCOUNT_H

#include "consume.h"
#include "cost.h"
#include "flight.h"
#include "overhead.h"
#include "start_state.h"

struct account_total {
	uint64_t fired, recorded, filtered, lost_ring, lost_recursion, lost_write;
};

/* What had become of the events when a file began. */
struct account_base {
	uint64_t recursion[KMT_KINDS];
	struct account_total cpu[][KMT_KINDS];
};

struct account {
	const struct probes *probes;
	const struct trace_writer *writer;
	const struct consumer *consumer;
	const struct stacks *stacks;
	const struct cost *cost;
	const struct overhead *overhead;
	const struct start_state *start_state; /* of the file */
	struct account_base *base;	       /* NULL: the recording's begin */
	/* NULL: now; else how things stood when the next file began. */
	const struct account_base *end;
	uint64_t start_ns, end_ns;
	/* Pages between two readings of /proc/vmstat; valid if covered. */
	bool covered;
	uint64_t pages_alloc_seen, pages_alloc_vmstat;
	uint64_t pages_free_seen, pages_free_vmstat;
	int command_status; /* as of wait(2); -1: no command, or it runs */
};

/** account_total() - over all CPUs and kinds, since the recording began */
struct account_total account_total(const struct account *a);
/** account_part() - the same since the file began */
struct account_total account_part(const struct account *a);
/** account_json() - the ACCOUNT block's text, to be freed; NULL on no memory */
char *account_json(const struct account *a);
/** account_base() - how things stand now, to be freed; the rings have been read. NULL on
 *  no memory */
struct account_base *account_base(const struct account *a);
/** account_evicted() - count what @f has let go of since @base as lost to writing */
void account_evicted(const struct account *a, struct account_base *base, const struct flight *f);
/** account_program_ns() - CPU time of the programs; 0: not known */
uint64_t account_program_ns(const struct account *a);

#endif
