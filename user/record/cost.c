// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cost.c - what the recording itself costs, by part; see cost.h. */
#include "cost.h"

#include <bpf/bpf.h>
#include <time.h>
#include <unistd.h>

uint64_t cost_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void cost_begin(struct cost *c)
{
	*c = (struct cost){.stats_fd = -1};
}

enum cost_part cost_enter(struct cost *c, enum cost_part part)
{
	enum cost_part before = c->now;
	uint64_t now = cost_cpu_ns();

	c->ns[before] += now - c->since_ns;
	c->since_ns = now;
	c->now = part;
	return before;
}

void cost_measure_programs(struct cost *c, int on)
{
	if (on && c->stats_fd < 0)
		c->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (!on && c->stats_fd >= 0) {
		close(c->stats_fd);
		c->stats_fd = -1;
	}
}

enum { CLOCK_READS = 1000 };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void cost_programs(struct cost *c, uint64_t run_ns, uint64_t runs)
{
	uint64_t start = now_ns();
	double clock, run;

	for (int i = 0; i < CLOCK_READS; i++)
		now_ns();
	clock = (double)(now_ns() - start) / CLOCK_READS;
	run = runs ? (double)run_ns / (double)runs : 0;
	c->run_ns = run > clock ? run - clock : 0;
}
