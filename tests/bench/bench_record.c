// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bench_record.c - what recording costs: kmemlab beside trace-cmd, perf and
 * bpftrace, and beside programs that do nothing, or only read the clock.
 *
 *   bench_record LOAD ROUNDS SCRATCH-DIR    with KMEMLAB=the program and
 *                                           FTRACE_SHIM=ftrace_shim.so set
 *
 * For each recorder: start it, run ROUNDS rounds of LOAD in a child, end it.
 *
 *   added CPU = (load's CPU with it - without it) + (recorder's CPU - its CPU
 *               around an idle second)
 *
 * User and system time as the kernel accounts it, per event of the load.
 * Compression is part of every recorder's work, at its usual setting; bpftrace
 * counts and writes nothing. The tools take turns over several repetitions;
 * medians are printed.
 *
 *   bench_record rate SECONDS SCRATCH-DIR   a million events a second on every
 *                                           CPU: what does kmemlab lose?
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "floor.h"
#include "load.h"
#include "median.h"

enum {
	REPEATS = 3,
	WORDS = 40,
	TOOLS_MAX = 8,
	RATE_PER_CPU = 1000000,
	SETTLE_NS = 2500000000, /* until every recorder records */
};

struct cpu {
	double user, sys; /* ns */
};

struct tool {
	const char *name;
	char *argv[WORDS];
	char file[256];
	char lost[512]; /* a command that prints how many events it lost; empty: none */
	const char *preload;
	enum floor floor;
	int link[PROGRAMS];
	double user_ns[REPEATS], sys_ns[REPEATS];
	double bytes[REPEATS];
	double lost_events; /* of all repeats */
	long rss_kb;
};

struct run {
	struct cpu load;
	struct cpu tool;
	double bytes;
};

static struct cpu cpu_of(const struct rusage *u)
{
	return (struct cpu){
		.user = (double)u->ru_utime.tv_sec * 1e9 + (double)u->ru_utime.tv_usec * 1e3,
		.sys = (double)u->ru_stime.tv_sec * 1e9 + (double)u->ru_stime.tv_usec * 1e3,
	};
}

static void nap(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000),
			     .tv_nsec = (long)(ns % 1000000000)};

	nanosleep(&t, NULL);
}

static pid_t start(const struct tool *t)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		if (t->preload)
			setenv("LD_PRELOAD", t->preload, 1);
		dup2(null, 1);
		dup2(null, 2);
		execvp(t->argv[0], t->argv);
		_exit(127);
	}
	nap(SETTLE_NS);
	return pid;
}

static struct cpu run_load(void (*round)(void), unsigned int rounds)
{
	pid_t pid = fork();
	struct rusage u;

	if (pid == 0) {
		for (unsigned int i = 0; i < rounds; i++)
			round();
		_exit(0);
	}
	wait4(pid, NULL, 0, &u);
	return cpu_of(&u);
}

/* perf ends itself by the signal that it was sent. */
static bool ended_well(int status)
{
	return WIFSIGNALED(status) ? WTERMSIG(status) == SIGINT : WEXITSTATUS(status) != 127;
}

/* ---- Floors ------------------------------------------------------------ */

static void run_floor(struct tool *t, void (*round)(void), unsigned int rounds, struct run *out)
{
	if (!attach_floor(t->floor, t->link) && rounds)
		out->load = run_load(round, rounds);
	detach_floor(t->link);
}

/* ---- Recorders --------------------------------------------------------- */

/* Run @t (NULL: nothing) around @rounds of the load, or around an idle second. */
static int run(struct tool *t, void (*round)(void), unsigned int rounds, struct run *out)
{
	pid_t pid = t && !t->floor ? start(t) : 0;
	struct rusage u = {0};
	struct stat st = {0};
	int status = 0;

	if (t && t->floor) {
		run_floor(t, round, rounds, out);
		return 0;
	}
	if (rounds)
		out->load = run_load(round, rounds);
	else
		nap(1000000000);
	if (!t)
		return 0;
	nap(200000000);
	kill(pid, SIGINT);
	if (wait4(pid, &status, 0, &u) != pid || !ended_well(status) ||
	    (*t->file && stat(t->file, &st))) {
		fprintf(stderr, "bench_record: %s did not record (status %d)\n", t->name, status);
		return -1;
	}
	out->tool = cpu_of(&u);
	out->bytes = (double)st.st_size;
	t->rss_kb = u.ru_maxrss;
	return 0;
}

/* The number that @command prints; 0 if none. */
static double number_of(const char *command)
{
	char text[64] = "";
	FILE *p = popen(command, "r");

	if (!p)
		return 0;
	if (!fgets(text, sizeof(text), p))
		text[0] = '\0';
	pclose(p);
	return strtod(text, NULL);
}

/* A member of the accounting in a kmemlab trace. */
static double accounted(const char *kmemlab, const char *file, const char *what)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "%s info --json '%s' | grep -o '\"%s\": *[0-9]*' | head -n 1 | grep -o '[0-9]*$'",
		 kmemlab, file, what);
	return number_of(command);
}

static void make_kmemlab(struct tool *t, char *kmemlab, const char *dir)
{
	char *argv[] = {kmemlab, "record", "-q", "-f", "-o", t->file, NULL};

	t->name = "kmemlab";
	snprintf(t->file, sizeof(t->file), "%s/kmemlab.kmt", dir);
	snprintf(t->lost, sizeof(t->lost),
		 "%s info --json '%s/kmemlab.kmt' | grep -o '\"lost_[a-z]*\": *[0-9]*' | head -n 3 "
		 "| "
		 "awk '{ n += $2 } END { print n }'",
		 kmemlab, dir);
	memcpy(t->argv, argv, sizeof(argv));
}

static void make_trace_cmd(struct tool *t, const char *dir)
{
	size_t n = 0;

	t->name = "trace-cmd";
	t->preload = getenv("FTRACE_SHIM");
	snprintf(t->file, sizeof(t->file), "%s/trace.dat", dir);
	snprintf(t->lost, sizeof(t->lost),
		 "trace-cmd report --stat '%s/trace.dat' 2>/dev/null | "
		 "awk '/overrun:|dropped events:/ { n += $NF } END { print n + 0 }'",
		 dir);
	t->argv[n++] = "trace-cmd";
	t->argv[n++] = "record";
	t->argv[n++] = "--compression";
	t->argv[n++] = "zstd";
	t->argv[n++] = "-o";
	t->argv[n++] = t->file;
	for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++) {
		t->argv[n++] = "-e";
		t->argv[n++] = (char *)event_names[i];
	}
}

static void make_perf(struct tool *t, const char *dir)
{
	size_t n = 0;

	t->name = "perf";
	snprintf(t->file, sizeof(t->file), "%s/perf.data", dir);
	snprintf(t->lost, sizeof(t->lost),
		 "perf report --stats -i '%s/perf.data' 2>/dev/null | "
		 "awk '/LOST(_SAMPLES)? events:/ { n += $3 } END { print n + 0 }'",
		 dir);
	t->argv[n++] = "perf";
	t->argv[n++] = "record";
	t->argv[n++] = "-a";
	t->argv[n++] = "-o";
	t->argv[n++] = t->file;
	for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++) {
		t->argv[n++] = "-e";
		t->argv[n++] = (char *)event_names[i];
	}
}

/* Counts each tracepoint, and writes nothing: not the same work, the usual tool. */
static void make_bpftrace(struct tool *t)
{
	static char script[2048];
	size_t n = 0;

	for (int i = 0; i < PROGRAMS; i++)
		n += (size_t)snprintf(script + n, sizeof(script) - n,
				      "tracepoint:%s { @[%d] = count(); } ", event_names[i], i);
	t->name = "bpftrace";
	t->argv[0] = "bpftrace";
	t->argv[1] = "-e";
	t->argv[2] = script;
}

static void make_floor(struct tool *t, enum floor floor)
{
	t->name = floor == FLOOR_EMPTY ? "empty-program" : "clock-program";
	t->floor = floor;
}

struct bench {
	const char *load;
	void (*round)(void);
	unsigned int rounds;
	struct tool tool[TOOLS_MAX];
	size_t tools;
	double events[REPEATS];
};

static int repeat(struct bench *b, const char *kmemlab, unsigned int r)
{
	struct run none = {0};

	run(NULL, b->round, b->rounds, &none);
	for (size_t i = 0; i < b->tools; i++) {
		struct tool *t = &b->tool[i];
		struct run idle = {0}, busy = {0};
		double idle_events;

		if (run(t, b->round, 0, &idle))
			return -1;
		idle_events = i ? 0 : accounted(kmemlab, t->file, "fired");
		if (run(t, b->round, b->rounds, &busy))
			return -1;
		if (!i)
			b->events[r] = accounted(kmemlab, t->file, "fired") - idle_events;
		t->user_ns[r] =
			(busy.load.user - none.load.user + busy.tool.user - idle.tool.user) /
			b->events[r];
		t->sys_ns[r] = (busy.load.sys - none.load.sys + busy.tool.sys - idle.tool.sys) /
			       b->events[r];
		t->bytes[r] = (busy.bytes - idle.bytes) / b->events[r];
		t->lost_events += *t->lost ? number_of(t->lost) : 0;
		if (*t->file)
			unlink(t->file);
	}
	return 0;
}

static void print(struct bench *b)
{
	double own_cpu = 0, own_bytes = 0;

	for (size_t i = 0; i < b->tools; i++) {
		struct tool *t = &b->tool[i];
		double sum[REPEATS], cpu, bytes;

		for (int r = 0; r < REPEATS; r++)
			sum[r] = t->user_ns[r] + t->sys_ns[r];
		cpu = median(sum, REPEATS);
		bytes = median(t->bytes, REPEATS);
		if (!i)
			own_cpu = cpu, own_bytes = bytes;
		printf("record_%s_%s_cpu %.0f ns/event %.2f\n", b->load, t->name, cpu,
		       cpu / own_cpu);
		printf("record_%s_%s_kernel %.0f ns/event %.2f\n", b->load, t->name,
		       median(t->sys_ns, REPEATS), median(t->sys_ns, REPEATS) / own_cpu);
		printf("record_%s_%s_user %.0f ns/event %.2f\n", b->load, t->name,
		       median(t->user_ns, REPEATS), median(t->user_ns, REPEATS) / own_cpu);
		if (!*t->file)
			continue;
		printf("record_%s_%s_size %.2f bytes/event %.2f\n", b->load, t->name, bytes,
		       bytes / own_bytes);
		printf("record_%s_%s_lost %.0f events -\n", b->load, t->name,
		       t->lost_events / REPEATS);
		printf("record_%s_%s_resident %.1f MiB -\n", b->load, t->name,
		       (double)t->rss_kb / 1024);
	}
	printf("record_%s_events %.0f events 1\n", b->load, median(b->events, REPEATS));
}

/* ---- A million events a second on every CPU ---------------------------- */

static void paced(int cpu, unsigned int seconds)
{
	void (*round)(void) = load_by_name("page");
	struct timespec next;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t done = 0; done < (uint64_t)seconds * RATE_PER_CPU; done += LOAD_PAGE_EVENTS) {
		round();
		next.tv_nsec += (long)(1000000000ull * LOAD_PAGE_EVENTS / RATE_PER_CPU);
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	_exit(0);
}

static int rate(char *kmemlab, unsigned int seconds, const char *dir)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), status;
	struct tool t = {0};
	struct timespec begin, end;
	double elapsed, fired, load_ns = 0;
	struct rusage u;
	pid_t recorder;

	make_kmemlab(&t, kmemlab, dir);
	recorder = start(&t);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int cpu = 0; cpu < cpus; cpu++)
		if (fork() == 0)
			paced(cpu, seconds);
	for (int cpu = 0; cpu < cpus; cpu++) {
		wait4(-1, &status, 0, &u);
		load_ns += cpu_of(&u).user + cpu_of(&u).sys;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	kill(recorder, SIGINT);
	wait4(recorder, &status, 0, &u);
	elapsed = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	fired = accounted(kmemlab, t.file, "fired");
	printf("record_rate_per_cpu %.0f events/s 1\n", fired / elapsed / cpus);
	printf("record_rate_seconds %.1f s 1\n", elapsed);
	/* Who is in the way, where the rate is not reached. */
	printf("record_rate_load_share %.2f of all CPUs 1\n", load_ns / 1e9 / elapsed / cpus);
	printf("record_rate_recorder_share %.2f of all CPUs 1\n",
	       (cpu_of(&u).user + cpu_of(&u).sys) / 1e9 / elapsed / cpus);
	printf("record_rate_load_cpu %.0f ns/event 1\n", load_ns / fired);
	printf("record_rate_lost_ring %.0f events -\n", accounted(kmemlab, t.file, "lost_ring"));
	printf("record_rate_lost_recursion %.0f events -\n",
	       accounted(kmemlab, t.file, "lost_recursion"));
	unlink(t.file);
	return 0;
}

static void make_tools(struct bench *b, char *kmemlab, const char *dir)
{
	make_kmemlab(&b->tool[b->tools++], kmemlab, dir);
	make_trace_cmd(&b->tool[b->tools++], dir);
	make_perf(&b->tool[b->tools++], dir);
	if (!system("command -v bpftrace >/dev/null"))
		make_bpftrace(&b->tool[b->tools++]);
	make_floor(&b->tool[b->tools++], FLOOR_EMPTY);
	make_floor(&b->tool[b->tools++], FLOOR_CLOCK);
}

int main(int argc, char **argv)
{
	char *kmemlab = getenv("KMEMLAB");
	static struct bench b;

	b.load = argc > 1 ? argv[1] : "";
	b.round = load_by_name(b.load);
	if (argc != 4 || !kmemlab || (!b.round && strcmp(b.load, "rate") != 0)) {
		fprintf(stderr, "usage: KMEMLAB=FILE bench_record page|slab|mixed|compile ROUNDS "
				"DIR\n       KMEMLAB=FILE bench_record rate SECONDS DIR\n");
		return 2;
	}
	b.rounds = (unsigned int)strtoul(argv[2], NULL, 10);
	if (!b.round)
		return rate(kmemlab, b.rounds, argv[3]);
	make_tools(&b, kmemlab, argv[3]);
	for (unsigned int r = 0; r < REPEATS; r++)
		if (repeat(&b, kmemlab, r))
			return 1;
	print(&b);
	return 0;
}
