// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bench_programs.c LOAD - the kernel's side of recording: kmemlab's programs beside programs
 * that do nothing, or only read the clock.
 *
 * They are attached in turns to one load on one CPU, a fraction of a second each, many
 * times; nobody reads the rings, they are marked as read between rounds. So it needs
 * no quiet machine: of all rounds of each the 20th percentile is taken.
 *
 *   added CPU = a round's CPU time with the programs - without any, per event
 *
 * What it does not have is the reader's part: cells that lie in another CPU's cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmemlab/filter.h>
#include <record/record.h>
#include <trace/kinds.h>

#include "floor.h"
#include "load.h"
#include "median.h"

enum {
	TURNS = 20,
	ROUNDS = 10, /* in a turn */
	RING_BYTES = 1 << 24,
	PERCENTILE = 20,
};

enum set { SET_NONE, SET_EMPTY, SET_CLOCK, SET_KMEMLAB, SETS };

static const char *const set_names[SETS] = {"none", "empty", "clock", "kmemlab"};

/* The load is a process of its own, small as at its birth: what it forks copies no more
 * under kmemlab's programs than under none. */
struct load {
	pid_t pid;
	int go, done; /* pipes: a byte for a round, and its CPU time in ns */
	unsigned int cpu;
};

struct bench {
	const char *name;
	struct load load;
	struct kernel_bases bases;
	double all[SETS][TURNS * ROUNDS];
	uint64_t fired; /* in all rounds under kmemlab's */
};

static double cpu_ns(void)
{
	static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
	double ns = 0;

	for (int i = 0; i < 2; i++) {
		struct rusage u;

		getrusage(whose[i], &u);
		ns += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
		      (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
	}
	return ns;
}

static void mark_read(const struct rings *rings)
{
	for (unsigned int cpu = 0; rings && cpu < rings->cpus; cpu++) {
		struct kml_ring *r = ring_of(rings, cpu);

		r->limit = ring_limit(rings, r->head);
	}
}

static uint64_t fired(const struct rings *rings, unsigned int cpu)
{
	uint64_t n = 0;

	for (int kind = 0; kind < KMT_KINDS; kind++)
		n += ring_of(rings, cpu)->count[kind].fired;
	return n;
}

/* ---- The load ---------------------------------------------------------- */

static void serve(void (*round)(void), unsigned int cpu, int go, int done)
{
	cpu_set_t set;
	char byte;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (read(go, &byte, 1) == 1) {
		double ns = cpu_ns();

		round();
		ns = cpu_ns() - ns;
		if (write(done, &ns, sizeof(ns)) != sizeof(ns))
			break;
	}
	_exit(0);
}

static int start_load(struct load *l, void (*round)(void))
{
	int go[2], done[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(done, O_CLOEXEC))
		return -1;
	l->cpu = (unsigned int)sched_getcpu();
	l->pid = fork();
	if (!l->pid) {
		close(go[1]);
		close(done[0]);
		serve(round, l->cpu, go[0], done[1]);
	}
	close(go[0]);
	close(done[1]);
	l->go = go[1];
	l->done = done[0];
	return l->pid < 0 ? -1 : 0;
}

static void end_load(const struct load *l)
{
	close(l->go);
	waitpid(l->pid, NULL, 0);
}

static int one_round(const struct load *l, double *ns)
{
	return write(l->go, "", 1) == 1 && read(l->done, ns, sizeof(*ns)) == sizeof(*ns) ? 0 : -1;
}

/* ---- Turns ------------------------------------------------------------- */

static int turn(struct bench *b, enum set set, int t, const struct rings *rings)
{
	double *ns = &b->all[set][t * ROUNDS];
	int err = one_round(&b->load, ns); /* definitions, page faults */

	for (int i = 0; i < ROUNDS && !err; i++) {
		uint64_t before = rings ? fired(rings, b->load.cpu) : 0;

		mark_read(rings);
		err = one_round(&b->load, &ns[i]);
		b->fired += rings ? fired(rings, b->load.cpu) - before : 0;
	}
	return err;
}

static int turn_of_kmemlab(struct bench *b, int t)
{
	static const struct kml_filter all;
	const struct probes_setup setup = {
		.bases = &b->bases,
		.filter = &all,
		.ring_bytes = RING_BYTES,
		.families = FAMILY_PAGE | FAMILY_SLAB,
		.way = ATTACH_NONE,
	};
	char error[256] = "";
	struct probes *p = probes_load(&setup, error);
	int err = p ? probes_attach(p, error) : -errno;

	if (err)
		fprintf(stderr, "bench_programs: %s\n", error);
	else
		err = turn(b, SET_KMEMLAB, t, probes_rings(p));
	probes_free(p);
	return err;
}

static int turn_of_floor(struct bench *b, enum set set, int t)
{
	static const enum floor floor[] = {FLOOR_NONE, FLOOR_EMPTY, FLOOR_CLOCK};
	int link[PROGRAMS] = {0}, err = 0;

	if (set != SET_NONE)
		err = attach_floor(floor[set], link);
	err = err ? err : turn(b, set, t, NULL);
	detach_floor(link);
	return err;
}

static double percentile(double *v)
{
	qsort(v, TURNS * ROUNDS, sizeof(*v), by_value);
	return v[TURNS * ROUNDS * PERCENTILE / 100];
}

static void print(struct bench *b)
{
	double events = (double)b->fired / (TURNS * ROUNDS), ns[SETS];

	for (int set = 0; set < SETS; set++)
		ns[set] = percentile(b->all[set]) / events;
	for (int set = SET_EMPTY; set < SETS; set++)
		printf("programs_%s_%s %.1f ns/event %.2f\n", b->name, set_names[set],
		       ns[set] - ns[SET_NONE],
		       (ns[set] - ns[SET_NONE]) / (ns[SET_KMEMLAB] - ns[SET_NONE]));
	printf("programs_%s_events %.0f events/round 1\n", b->name, events);
}

static int run(struct bench *b)
{
	int err = 0;

	for (int t = 0; t < TURNS && !err; t++)
		for (int set = 0; set < SETS && !err; set++)
			err = set == SET_KMEMLAB ? turn_of_kmemlab(b, t)
						 : turn_of_floor(b, (enum set)set, t);
	return err;
}

int main(int argc, char **argv)
{
	void (*round)(void) = argc == 2 ? load_by_name(argv[1]) : NULL;
	static struct bench b;
	char error[256] = "";
	int err;

	if (!round) {
		fputs("usage: bench_programs page|slab|mixed|compile\n", stderr);
		return 2;
	}
	b.name = argv[1];
	err = start_load(&b.load, round);
	err = err ? err : calibrate(&b.bases, error);
	err = err ? err : run(&b);
	end_load(&b.load);
	if (err) {
		fprintf(stderr, "bench_programs: %s\n", *error ? error : strerror(errno));
		return 1;
	}
	print(&b);
	return 0;
}
