/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_replay.c - million events a second, observed and reference, on a trace.
 *
 * Usage: bench_replay TRACE. Each run's own time, decoding left out; the best of
 * three passes. Slab events are replayed beside the reference, in refmm's slab layer.
 *
 *   replay_..._page	page events a second, which are what both runs work on
 *   replay_..._all	all events of the trace, those that a run passes over included
 *   replay_slabs_object	events of objects, in refmm's slab layer
 *   target_...		what that rate shall reach; a ratio of 1.00 or less: it does
 *   sweep_job		a job of `kmemlab sweep`, 8 combinations in one pass: CPU time
 *   sweep_decode	reading and decoding the trace once; ratio: of the job's time
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replay/replay.h"
#include "replay/result.h"
#include "trace/trace_io.h"

enum { PASSES = 3, CELLS = 8, BATCH = 1 << 14 };

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

static void print(const char *run, const char *of, uint64_t events, uint64_t ns, double target)
{
	double rate = (double)events * 1e3 / (double)(ns + 1);

	printf("replay_%s_%s %.1f Mevents/s 1.00\n", run, of, rate);
	if (target > 0)
		printf("target_%s_%s %.1f Mevents/s %.2f\n", run, of, target, target / rate);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* CPU time of reading all events, in ms; below 0: it cannot be read */
static double decode(const char *path)
{
	struct trace_event *e = malloc(BATCH * sizeof(*e));
	double start = cpu_ms();
	char error[512];
	struct trace_reader *r = trace_reader_open(path, error);
	long n = e && r ? 1 : -1;

	while (n > 0)
		n = trace_reader_next(r, e, BATCH);
	if (r)
		trace_reader_close(r);
	free(e);
	return n < 0 ? -1 : cpu_ms() - start;
}

/* CPU time of a sweep's job, result included, in ms; below 0: it failed */
static double sweep_job(const char *path, struct replay *p)
{
	struct replay_policy all[CELLS + 2] = {policies[0], policies[1]};
	const struct result_options options = {"bench", path, true, false};
	char settings[CELLS][32], error[512];
	double start = cpu_ms();
	struct trace_reader *r = trace_reader_open(path, error);
	int err = r ? 0 : -1;

	for (int i = 0; i < CELLS; i++) {
		snprintf(settings[i], sizeof(settings[i]), "pcp.high=%d", 64 << i);
		snprintf(all[i + 2].name, sizeof(all[i + 2].name), "cell-%d", i);
		all[i + 2].settings[0] = settings[i];
		all[i + 2].nr_settings = 1;
	}
	if (!err)
		err = replay_open(p, r, all, CELLS + 2, error);
	if (!err)
		err = replay_events(p, error);
	if (!err)
		json_decref(result_build(p, &options));
	if (r) {
		replay_close(p);
		trace_reader_close(r);
	}
	return err ? -1 : cpu_ms() - start;
}

static int print_sweep(const char *path, struct replay *p)
{
	double once = decode(path), job = sweep_job(path, p);

	if (once < 0 || job < 0)
		return 1;
	printf("sweep_job %.0f ms 1.00\n", job);
	printf("sweep_decode %.1f ms %.3f\n", once, once / job);
	return 0;
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
	if (!status) {
		print("observed", "page", events[1], ns[0], 15);
		print("observed", "all", events[0], ns[0], 0);
		print("reference", "page", events[1], ns[1], 8);
		print("reference", "all", events[0], ns[1], 0);
	}
	if (!status && events[2])
		print("slabs", "object", events[2], ns[2], 10);
	if (!status)
		status = print_sweep(argv[1], p);
	free(p);
	return status;
}
