// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bench_record.c - what recording costs: kmemlab beside trace-cmd and perf.
 *
 *   bench_record LOAD ROUNDS SCRATCH-DIR    with KMEMLAB=the program and
 *                                           FTRACE_SHIM=ftrace_shim.so set
 *
 * For each recorder: start it, run ROUNDS rounds of LOAD in a child, end it.
 *
 *   added CPU = (load's CPU with it - without it) + (recorder's CPU - its CPU
 *               around an idle second)
 *
 * All of it user and system time as the kernel accounts it, per event of the
 * load. Compression is part of every recorder's work, at its usual setting.
 * The tools take turns over several repetitions; medians are printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

#include "load.h"

enum {
	REPEATS = 3,
	WORDS = 40,
	SETTLE_NS = 1500000000, /* until every recorder records */
};

#define EVENTS                                                                                     \
	"kmem:mm_page_alloc", "kmem:mm_page_free", "kmem:mm_page_alloc_zone_locked",               \
		"kmem:mm_page_alloc_extfrag", "kmem:mm_page_pcpu_drain", "kmem:kmalloc",           \
		"kmem:kfree", "kmem:kmem_cache_alloc", "kmem:kmem_cache_free"

static const char *const event_names[] = {EVENTS};

struct tool {
	const char *name;
	char *argv[WORDS];
	char file[256];
	const char *preload;
	double cpu_ns[REPEATS];
	double bytes[REPEATS];
};

struct run {
	double load_ns;
	double tool_ns;
	double bytes;
};

static double cpu_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e9 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1e3;
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

static double run_load(void (*round)(void), unsigned int rounds)
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

/* Run @t (NULL: nothing) around @rounds of the load, or around an idle second. */
static int run(const struct tool *t, void (*round)(void), unsigned int rounds, struct run *out)
{
	pid_t pid = t ? start(t) : 0;
	struct rusage u = {0};
	struct stat st;
	int status = 0;

	if (rounds)
		out->load_ns = run_load(round, rounds);
	else
		nap(1000000000);
	if (!t)
		return 0;
	nap(200000000);
	kill(pid, SIGINT);
	if (wait4(pid, &status, 0, &u) != pid || !ended_well(status) || stat(t->file, &st)) {
		fprintf(stderr, "bench_record: %s did not record (status %d)\n", t->name, status);
		return -1;
	}
	out->tool_ns = cpu_of(&u);
	out->bytes = (double)st.st_size;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, REPEATS, sizeof(*v), by_value);
	return v[REPEATS / 2];
}

/* "fired" of the totals in a kmemlab trace. */
static double fired(const char *kmemlab, const char *file)
{
	char command[1024];
	char text[65536];
	char *at;
	size_t n;
	FILE *p;

	snprintf(command, sizeof(command), "%s info --json '%s'", kmemlab, file);
	p = popen(command, "r");
	if (!p)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, p);
	text[n] = '\0';
	pclose(p);
	at = strstr(text, "\"accounting\"");
	at = at ? strstr(at, "\"fired\":") : NULL;
	return at ? strtod(at + strlen("\"fired\":"), NULL) : 0;
}

static void make_kmemlab(struct tool *t, char *kmemlab, const char *dir)
{
	char *argv[] = {kmemlab, "record", "-q", "-f", "-o", t->file, NULL};

	t->name = "kmemlab";
	snprintf(t->file, sizeof(t->file), "%s/kmemlab.kmt", dir);
	memcpy(t->argv, argv, sizeof(argv));
}

static void make_trace_cmd(struct tool *t, const char *dir)
{
	size_t n = 0;

	t->name = "trace-cmd";
	t->preload = getenv("FTRACE_SHIM");
	snprintf(t->file, sizeof(t->file), "%s/trace.dat", dir);
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

struct bench {
	const char *load;
	void (*round)(void);
	unsigned int rounds;
	struct tool tool[3];
	double events[REPEATS];
};

static int repeat(struct bench *b, const char *kmemlab, unsigned int r)
{
	struct run none = {0};

	run(NULL, b->round, b->rounds, &none);
	for (size_t i = 0; i < 3; i++) {
		struct tool *t = &b->tool[i];
		struct run idle = {0}, busy = {0};
		double idle_events;

		if (run(t, b->round, 0, &idle))
			return -1;
		idle_events = i ? 0 : fired(kmemlab, t->file);
		if (run(t, b->round, b->rounds, &busy))
			return -1;
		if (!i)
			b->events[r] = fired(kmemlab, t->file) - idle_events;
		t->cpu_ns[r] =
			(busy.load_ns - none.load_ns + busy.tool_ns - idle.tool_ns) / b->events[r];
		t->bytes[r] = (busy.bytes - idle.bytes) / b->events[r];
		unlink(t->file);
	}
	return 0;
}

int main(int argc, char **argv)
{
	char *kmemlab = getenv("KMEMLAB");
	struct bench b = {.load = argc > 1 ? argv[1] : ""};
	double own_cpu = 0, own_bytes = 0;

	b.round = load_by_name(b.load);
	if (argc != 4 || !b.round || !kmemlab) {
		fprintf(stderr, "usage: KMEMLAB=FILE bench_record page|slab|mixed ROUNDS DIR\n");
		return 2;
	}
	b.rounds = (unsigned int)strtoul(argv[2], NULL, 10);
	make_kmemlab(&b.tool[0], kmemlab, argv[3]);
	make_trace_cmd(&b.tool[1], argv[3]);
	make_perf(&b.tool[2], argv[3]);
	for (unsigned int r = 0; r < REPEATS; r++)
		if (repeat(&b, kmemlab, r))
			return 1;
	for (size_t i = 0; i < 3; i++) {
		double cpu = median(b.tool[i].cpu_ns), bytes = median(b.tool[i].bytes);

		if (!i)
			own_cpu = cpu, own_bytes = bytes;
		printf("record_%s_%s_cpu %.0f ns/event %.2f\n", b.load, b.tool[i].name, cpu,
		       cpu / own_cpu);
		printf("record_%s_%s_size %.2f bytes/event %.2f\n", b.load, b.tool[i].name, bytes,
		       bytes / own_bytes);
	}
	printf("record_%s_events %.0f events 1\n", b.load, median(b.events));
	return 0;
}
