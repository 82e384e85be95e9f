/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_replay.c - million events a second, observed and reference, on a trace.
 *
 * Usage: bench_replay TRACE. Each run's own time, decoding left out; the best of
 * three passes. Page events are what both work on, so their rate is told too. Slab
 * events are replayed beside the reference, in refmm's slab layer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/replay.h"
#include "trace/trace_io.h"

enum { PASSES = 3 };

static const struct replay_policy policies[] = {{.name = "observed"}, {.name = "reference"}};

static uint64_t page_events(const struct replay *p)
{
	uint64_t n = p->by_kind[KMT_STACK_PAGE];

	for (unsigned int k = 0; k <= KMT_PCPU_DRAIN; k++)
		n += p->by_kind[k];
	return n;
}

/* One pass; keeps the smaller time of each run in @ns. */
static int pass(const char *path, struct replay *p, uint64_t ns[3], uint64_t events[3])
{
	char error[512];
	struct trace_reader *r = trace_reader_open(path, error);
	int err;

	if (!r) {
		fprintf(stderr, "bench_replay: %s: %s\n", path, error);
		return 1;
	}
	err = replay_open(p, r, policies, 2, error);
	if (!err)
		err = replay_events(p, error);
	if (err)
		fprintf(stderr, "bench_replay: %s: %s\n", path, *error ? error : strerror(-err));
	for (int i = 0; i < 2 && !err; i++)
		if (!ns[i] || p->runs[i].ns < ns[i])
			ns[i] = p->runs[i].ns;
	events[0] = p->events;
	events[1] = page_events(p);
	events[2] = !err && p->slabs ? p->slabs->counts.events : 0;
	if (events[2] && (!ns[2] || p->slabs->ns < ns[2]))
		ns[2] = p->slabs->ns;
	replay_close(p);
	trace_reader_close(r);
	return err != 0;
}

int main(int argc, char **argv)
{
	struct replay *p = calloc(1, sizeof(*p));
	uint64_t ns[3] = {0}, events[3] = {0};
	int status = 0;

	if (argc != 2 || !p) {
		fprintf(stderr, "usage: bench_replay TRACE\n");
		free(p);
		return 2;
	}
	for (int i = 0; i < PASSES && !status; i++)
		status = pass(argv[1], p, ns, events);
	for (int i = 0; i < 2 && !status; i++)
		printf("%-10s %8.1f M events/s %8.1f M page events/s\n", policies[i].name,
		       (double)events[0] * 1e3 / (double)(ns[i] + 1),
		       (double)events[1] * 1e3 / (double)(ns[i] + 1));
	if (!status && events[2])
		printf("%-10s %8.1f M slab events/s\n", "slabs",
		       (double)events[2] * 1e3 / (double)(ns[2] + 1));
	free(p);
	return status;
}
