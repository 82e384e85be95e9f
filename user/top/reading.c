// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* reading.c - one reading after another. */
#include <errno.h>
#include <string.h>

#include "record/cost.h"
#include "record/record.h"
#include "top/top.h"

static int read_rows(struct top_reading *r)
{
	int err = 0;

	top_rows_begin(r->rows);
	for (unsigned int i = 0; !err && i < top_kernel_cpus(r->kernel); i++)
		err = top_rows_add(r->rows, i, top_kernel_cpu(r->kernel, i));
	return err;
}

/* The newest come first, and push the oldest out. */
static void keep_recent(struct top_reading *r)
{
	for (unsigned int i = 0; i < r->n_stalls; i++) {
		memmove(r->recent + 1, r->recent, (TOP_RECENT - 1) * sizeof(*r->recent));
		r->recent[0] = r->stall[i];
		if (r->n_recent < TOP_RECENT)
			r->n_recent++;
	}
}

static void read_stalls(struct top_reading *r)
{
	r->n_stalls = 0;
	while (r->n_stalls < KML_TOP_STALLS &&
	       top_kernel_stall(r->kernel, &r->next_stall, &r->stalls_missed,
				&r->stall[r->n_stalls]))
		r->n_stalls++;
	keep_recent(r);
	top_kernel_stalls(r->kernel, r->stalls);
}

/* At once after the totals, which are held against it. */
static void read_vmstat(struct top_reading *r)
{
	uint64_t allocated, freed;

	r->vmstat = !vmstat_pages(&allocated, &freed);
	if (!r->vmstat)
		return;
	r->vmstat_allocated = allocated - r->vmstat_base_allocated;
	r->vmstat_freed = freed - r->vmstat_base_freed;
	r->vmstat_base_allocated = allocated;
	r->vmstat_base_freed = freed;
}

int top_reading_take(struct top_reading *r)
{
	int err;

	r->before_ns = r->time_ns;
	r->before = r->now;
	r->own_before = r->own_ns;
	r->time_ns = boottime_ns();
	clock_gettime(CLOCK_REALTIME, &r->clock);
	top_kernel_totals(r->kernel, &r->now);
	read_vmstat(r);
	err = read_rows(r);
	if (!err)
		err = top_host_read(&r->host, r->rows);
	read_stalls(r);
	r->lost = top_kernel_lost(r->kernel);
	r->own_ns = cost_cpu_ns();
	return err;
}

int top_reading_begin(struct top_reading *r)
{
	int err;

	r->next_stall = 1;
	err = top_reading_take(r);
	r->begin_ns = r->time_ns;
	return err;
}

double top_seconds(const struct top_reading *r)
{
	uint64_t ns = r->time_ns - r->before_ns;

	return ns ? (double)ns / 1e9 : 1e-9;
}

double top_programs_share(const struct top_reading *r)
{
	if (r->run_ns <= 0)
		return -1;
	return r->run_ns * (double)(r->now.runs - r->before.runs) / 1e9 / top_seconds(r);
}

double top_own_share(const struct top_reading *r)
{
	return (double)(r->own_ns - r->own_before) / 1e9 / top_seconds(r);
}

const char *top_stall_name(unsigned int kind)
{
	static const char *const names[KML_TOP_STALL_KINDS] = {
		[KML_TOP_RECLAIM] = "reclaim",
		[KML_TOP_MEMCG_RECLAIM] = "memcg_reclaim",
		[KML_TOP_NODE_RECLAIM] = "node_reclaim",
		[KML_TOP_COMPACTION] = "compaction",
		[KML_TOP_THROTTLED] = "throttled",
		[KML_TOP_FAILURE] = "alloc_failed",
		[KML_TOP_OOM] = "oom_victim",
	};

	return kind < KML_TOP_STALL_KINDS ? names[kind] : "(unknown)";
}
