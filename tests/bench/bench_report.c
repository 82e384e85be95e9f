/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_report.c - time and memory from a trace to its page: 'kmemlab replay', then
 * 'kmemlab report', each a process of its own.
 *
 * Usage: bench_report TRACE DIRECTORY; KMEMLAB names the program.
 *
 *   report_time	both together, wall time, the best of three passes
 *   report_cpu		of both, user and system: what the time is on an idle machine
 *   report_memory	the larger of their peaks
 *   target_...		what a trace of 5 million events shall keep to, one of fewer or more
 *			in proportion (of time); a ratio of 1.00 or more: it does
 */
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trace/trace_io.h"

enum { PASSES = 3, TARGET_SECONDS = 5, TARGET_MB = 500, BATCH = 1 << 12 };
#define TARGET_EVENTS 5e6

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double count_events(const char *path)
{
	static struct trace_event e[BATCH];
	char error[512];
	struct trace_reader *r = trace_reader_open(path, error);
	double sum = 0;
	long n;

	if (!r)
		return 0;
	while ((n = trace_reader_next(r, e, BATCH)) > 0)
		sum += (double)n;
	trace_reader_close(r);
	return sum;
}

struct cost {
	double seconds, cpu_seconds, mb;
};

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Run it to its end and add what it took; false if it fails. */
static bool run(const char *const argv[], struct cost *c)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (!pid) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		return false;
	c->cpu_seconds += seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	if ((double)usage.ru_maxrss * 1.024e-3 > c->mb)
		c->mb = (double)usage.ru_maxrss * 1.024e-3;
	return true;
}

/* The best of all passes so far, each figure for itself. */
static int pass(const char *kmemlab, const char *trace, const char *dir, struct cost *best)
{
	char result[256], page[256];
	const char *const replay[] = {kmemlab, "replay", "-f", "-o", result, trace, NULL};
	const char *const report[] = {kmemlab, "report", "-f", "-o", page, result, NULL};
	const char *const *const steps[] = {replay, report};
	struct cost c = {.seconds = -now_s(), .mb = best->mb};

	snprintf(result, sizeof(result), "%s/result.json", dir);
	snprintf(page, sizeof(page), "%s/report.html", dir);
	for (int i = 0; i < 2; i++)
		if (!run(steps[i], &c)) {
			fprintf(stderr, "bench_report: '%s %s' failed\n", kmemlab, steps[i][1]);
			return 1;
		}
	c.seconds += now_s();
	best->mb = c.mb;
	best->seconds = fmin(best->seconds, c.seconds);
	best->cpu_seconds = fmin(best->cpu_seconds, c.cpu_seconds);
	return 0;
}

static void print(double events, const struct cost *c)
{
	double target = TARGET_SECONDS * events / TARGET_EVENTS;

	printf("report_events %.2f Mevents 1.00\n", events / 1e6);
	printf("report_time %.2f s 1.00\nreport_cpu %.2f s %.2f\n", c->seconds, c->cpu_seconds,
	       c->cpu_seconds / c->seconds);
	printf("target_report_time %.2f s %.2f\n", target, target / c->seconds);
	printf("report_memory %.0f MB 1.00\ntarget_report_memory %d MB %.2f\n", c->mb, TARGET_MB,
	       TARGET_MB / c->mb);
}

int main(int argc, char **argv)
{
	const char *kmemlab = getenv("KMEMLAB");
	struct cost best = {.seconds = HUGE_VAL, .cpu_seconds = HUGE_VAL};
	double events;
	int status = 0;

	if (argc != 3 || !kmemlab) {
		fprintf(stderr, "usage: KMEMLAB=PROGRAM bench_report TRACE DIRECTORY\n");
		return 2;
	}
	events = count_events(argv[1]);
	if (!(events > 0)) {
		fprintf(stderr, "bench_report: '%s' has no events\n", argv[1]);
		return 1;
	}
	for (int i = 0; i < PASSES && !status; i++)
		status = pass(kmemlab, argv[1], argv[2], &best);
	if (!status)
		print(events, &best);
	return status;
}
