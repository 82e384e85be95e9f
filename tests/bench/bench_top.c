// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bench_top.c - what `kmemlab top` costs while it is open on a loaded host.
 *
 *   bench_top LOAD ROUNDS SCRATCH-DIR    with KMEMLAB=the program
 *
 *   added CPU   (load's CPU with top - without) + top's own, per run of its programs;
 *               beside bpftrace that counts the same tracepoints, where it is there
 *   own         top's own CPU time while the load ran, of one CPU
 *   run         a run of a program by the kernel's statistics over the load, less what
 *               they show for a program that does nothing: what top does, without the way
 *               there
 *   run_said    what top says on the screen, measured in its first moments; its ratio is to
 *               the added CPU
 *
 * The host's other work is in none of them but in `run`. Medians of several repetitions.
 */
#include <bpf/bpf.h>
#include <jansson.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "median.h"

enum { REPEATS = 5, PATH_BYTES = 256, SETTLE_NS = 1500000000 };

enum what { NOTHING, TOP, BPFTRACE };

/* One run of the load. */
struct result {
	double load, own, elapsed; /* CPU of the load, of the tool; ns */
	double runs, said;	   /* of top's programs; ns a run */
};

static const char *dir, *kmemlab;
static void (*round_of_load)(void);
static unsigned int rounds;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cpu_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e9 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1e3;
}

static void nap(long ns)
{
	struct timespec t = {ns / 1000000000, ns % 1000000000};

	nanosleep(&t, NULL);
}

/* ---- Top's own words --------------------------------------------------------- */

static const char *output(void)
{
	static char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/top.jsonl", dir);
	return path;
}

/* What it said of the time in between, added up. */
static int read_words(struct result *r)
{
	FILE *f = fopen(output(), "r");
	json_t *line;

	if (!f)
		return -1;
	while ((line = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL))) {
		const json_t *cost = json_object_get(line, "cost");

		r->runs += (double)json_integer_value(json_object_get(cost, "program_runs"));
		r->said = json_number_value(json_object_get(cost, "program_run_ns"));
		json_decref(line);
	}
	fclose(f);
	return r->runs > 0 ? 0 : -1;
}

/* ---- Runs -------------------------------------------------------------------- */

static pid_t start(enum what what)
{
	static const char script[] = "tracepoint:kmem:mm_page_alloc { @[0] = count(); } "
				     "tracepoint:kmem:mm_page_free { @[1] = count(); } "
				     "tracepoint:kmem:kmalloc { @[2] = count(); } "
				     "tracepoint:kmem:kfree { @[3] = count(); } "
				     "tracepoint:kmem:kmem_cache_alloc { @[4] = count(); } "
				     "tracepoint:kmem:kmem_cache_free { @[5] = count(); }";
	pid_t pid = what == NOTHING ? 0 : fork();

	if (pid || what == NOTHING) {
		nap(SETTLE_NS);
		return pid;
	}
	dup2(open(what == TOP ? output() : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
	dup2(open("/dev/null", O_WRONLY), 2);
	if (what == TOP)
		execlp(kmemlab, "kmemlab", "top", "--json", "-i", "500ms", NULL);
	else
		execlp("bpftrace", "bpftrace", "-e", script, NULL);
	_exit(127);
}

static void run_load(struct result *r)
{
	double begin = now_ns();
	pid_t pid = fork();
	struct rusage u;

	if (!pid) {
		for (unsigned int i = 0; i < rounds; i++)
			round_of_load();
		_exit(0);
	}
	wait4(pid, NULL, 0, &u);
	r->elapsed = now_ns() - begin;
	r->load = cpu_of(&u);
}

/* CPU time of a process that is not yet waited for. */
static double cpu_now(pid_t pid)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int run(enum what what, struct result *r)
{
	pid_t pid = start(what);
	double before = pid ? cpu_now(pid) : 0;
	int status = 0;

	*r = (struct result){0};
	run_load(r);
	if (!pid)
		return 0;
	nap(600000000); /* the last reading of what the load did */
	r->own = cpu_now(pid) - before;
	kill(pid, SIGINT);
	waitpid(pid, &status, 0);
	if (what == TOP && (!WIFEXITED(status) || WEXITSTATUS(status) || read_words(r)))
		return -1;
	return 0;
}

/* ---- The kernel's statistics --------------------------------------------------- */

struct statistics {
	double ns, runs;
};

static struct statistics of_program(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return (struct statistics){0};
	return (struct statistics){(double)info.run_time_ns, (double)info.run_cnt};
}

/* Of all loaded programs whose names begin so. */
static struct statistics of_programs(const char *prefix)
{
	struct statistics sum = {0};

	for (uint32_t id = 0; !bpf_prog_get_next_id(id, &id);) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) &&
		    !strncmp(info.name, prefix, strlen(prefix))) {
			sum.ns += (double)info.run_time_ns;
			sum.runs += (double)info.run_cnt;
		}
		close(fd);
	}
	return sum;
}

static double per_run(struct statistics before, struct statistics after)
{
	return after.runs > before.runs ? (after.ns - before.ns) / (after.runs - before.runs) : 0;
}

/* A program that does nothing, on a tracepoint that the load fires. */
static int attach_empty(int *prog)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};

	*prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL", insns, 2, NULL);
	return *prog < 0 ? -1 : bpf_raw_tracepoint_open("kmem_cache_alloc", *prog);
}

/* ns a run, by statistics that are on while the load runs; and what it said of itself. */
static int by_statistics(double *run_ns, double *floor_ns, double *said)
{
	int prog = -1, link = attach_empty(&prog), stats;
	pid_t pid = start(TOP);
	struct statistics before, empty_before;
	struct result r = {0};

	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	before = of_programs("top_");
	empty_before = of_program(prog);
	run_load(&r);
	*run_ns = per_run(before, of_programs("top_"));
	*floor_ns = per_run(empty_before, of_program(prog));
	nap(600000000);
	kill(pid, SIGINT);
	waitpid(pid, NULL, 0);
	close(stats);
	close(link);
	close(prog);
	*said = !read_words(&r) ? r.said : 0;
	return stats < 0 || link < 0 || *run_ns <= 0 ? -1 : 0;
}

/* ---- Figures --------------------------------------------------------------------- */

struct figures {
	double added[REPEATS], peer[REPEATS], own[REPEATS], runs[REPEATS], rate[REPEATS];
	double run_ns[REPEATS], floor_ns[REPEATS], said[REPEATS];
};

static int repeat(struct figures *f, int i, bool bpftrace)
{
	struct result none, top, peer = {0};

	if (run(NOTHING, &none) || run(TOP, &top) || (bpftrace && run(BPFTRACE, &peer)) ||
	    by_statistics(&f->run_ns[i], &f->floor_ns[i], &f->said[i]))
		return -1;
	f->added[i] = (top.load + top.own - none.load) / top.runs;
	f->peer[i] = (peer.load + peer.own - none.load) / top.runs;
	f->own[i] = top.own / top.elapsed;
	f->runs[i] = top.runs;
	f->rate[i] = top.runs / top.elapsed * 1e9;
	return 0;
}

static void print(const char *load, struct figures *f, bool bpftrace)
{
	double added = median(f->added, REPEATS);
	double net = median(f->run_ns, REPEATS) - median(f->floor_ns, REPEATS);

	printf("top_%s_cpu %.0f ns/event 1.00\n", load, added);
	if (bpftrace)
		printf("top_%s_bpftrace_cpu %.0f ns/event %.2f\n", load, median(f->peer, REPEATS),
		       median(f->peer, REPEATS) / added);
	printf("top_%s_run %.0f ns/event -\n", load, net);
	printf("top_%s_run_said %.0f ns/event %.2f\n", load, median(f->said, REPEATS),
	       median(f->said, REPEATS) / added);
	printf("top_%s_own %.2f %% -\n", load, 100 * median(f->own, REPEATS));
	printf("top_%s_events %.0f events -\n", load, median(f->runs, REPEATS));
	printf("top_%s_rate %.0f events/s -\n", load, median(f->rate, REPEATS));
}

int main(int argc, char **argv)
{
	static struct figures f;
	bool bpftrace = !system("command -v bpftrace >/dev/null");

	round_of_load = load_by_name(argc > 1 ? argv[1] : "");
	kmemlab = getenv("KMEMLAB");
	if (argc != 4 || !kmemlab || !round_of_load) {
		fprintf(stderr,
			"usage: KMEMLAB=FILE bench_top page|slab|mixed|compile ROUNDS DIR\n");
		return 2;
	}
	rounds = (unsigned int)strtoul(argv[2], NULL, 10);
	dir = argv[3];
	for (int i = 0; i < REPEATS; i++) {
		if (!repeat(&f, i, bpftrace))
			continue;
		fprintf(stderr, "bench_top: top did not run, or nothing was counted\n");
		return 1;
	}
	print(argv[1], &f, bpftrace);
	return 0;
}
