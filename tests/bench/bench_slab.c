/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_slab.c - the object side of the reference allocator, in backed mode,
 * beside the memory allocators that programs use.
 *
 * Prints "name value unit ratio"; a ratio is that figure over refmm's for the
 * same work. glibc's malloc is measured by this program run anew with the
 * argument "malloc", the others by that under LD_PRELOAD; each figure is the
 * best of several rounds, in CPU time, but for "remote", which takes two CPUs
 * and is timed by the clock. rmm_malloc is librmm-malloc.so: refmm plus a lock and
 * the choice of a CPU in each call.
 *
 *   pair64		  kmalloc(64) and kfree()
 *   pair64_threads	  the same, where other CPUs could be at work (refmm only)
 *   million_alloc	  64 bytes a million times
 *   million_free	  and given back in the same order
 *   million_random	  and given back in random order
 *   mixed		  10,000 live objects of 8 to 8192 bytes, mostly small; a
 *			  random one replaced
 *   zeroed		  kzalloc(200) and kfree()
 *   remote		  one thread allocates, another frees, per object
 *
 * Then the waste inside objects: bytes usable but not asked for, in % of what is
 * usable, over all sizes that one of kmalloc's classes serves.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_slab.h>

#include "measure.h"
#include "peer.h"

enum {
	ROUNDS = 7,
	LOOPS = 1000000,
	MILLION = 1000000,
	LIVE = 10000,
	RING = 1024,
	BYTES = 64,
	GIB_PAGES = 1 << 18,
	CLASSES = 13,
};

static struct rmm *rmm; /* NULL: measure malloc */
static void *held[MILLION];
static uint32_t order[MILLION]; /* a random permutation */
static uint16_t sizes[LIVE];

static const unsigned int classes[CLASSES] = {8,   16,	32,   64,   96,	  128, 192,
					      256, 512, 1024, 2048, 4096, 8192};

/* 1 GiB with memory behind it */
static struct rmm *machine(bool threads)
{
	struct rmm_zone_config zone = {.type = RMM_ZONE_NORMAL,
				       .spanned = GIB_PAGES,
				       .present = GIB_PAGES,
				       .managed = GIB_PAGES};
	struct rmm_config c;
	struct rmm *r;

	rmm_config_init(&c);
	c.zones = &zone;
	c.nr_zones = 1;
	c.nr_cpus = 2;
	c.backed = true;
	c.threads = threads;
	r = rmm_create(&c, NULL);
	if (!r || rmm_free_reserved(r, 0, GIB_PAGES) || rmm_setup_done(r) ||
	    rmm_kmem_cache_init(r, NULL))
		exit(1);
	return r;
}

static inline void *get(unsigned int cpu, size_t size)
{
	void *p;

	if (rmm)
		return rmm_kmalloc(rmm, cpu, size, RMM_GFP_KERNEL);
	p = malloc(size);
	__asm__ volatile("" ::"r"(p) : "memory"); /* or it is optimised away */
	return p;
}

static inline void put(unsigned int cpu, void *p)
{
	if (rmm)
		rmm_kfree(rmm, cpu, p);
	else
		free(p);
}

static double pair64(void)
{
	double start = cpu_ns();

	for (int i = 0; i < LOOPS; i++)
		put(0, get(0, BYTES));
	return (cpu_ns() - start) / LOOPS;
}

static double zeroed(void)
{
	double start = cpu_ns();

	for (int i = 0; i < LOOPS; i++) {
		void *p = rmm ? rmm_kzalloc(rmm, 0, 200, RMM_GFP_KERNEL) : calloc(1, 200);

		__asm__ volatile("" ::"r"(p) : "memory");
		put(0, p);
	}
	return (cpu_ns() - start) / LOOPS;
}

static double fill(void)
{
	double start = cpu_ns();

	for (int i = 0; i < MILLION; i++)
		held[i] = get(0, BYTES);
	return (cpu_ns() - start) / MILLION;
}

static double million_free(void)
{
	double start;

	fill();
	start = cpu_ns();
	for (int i = 0; i < MILLION; i++)
		put(0, held[i]);
	return (cpu_ns() - start) / MILLION;
}

static double million_alloc(void)
{
	double ns = fill();

	for (int i = 0; i < MILLION; i++)
		put(0, held[i]);
	return ns;
}

static double million_random(void)
{
	double start;

	fill();
	start = cpu_ns();
	for (int i = 0; i < MILLION; i++)
		put(0, held[order[i]]);
	return (cpu_ns() - start) / MILLION;
}

static double mixed(void)
{
	double start;

	for (int i = 0; i < LIVE; i++)
		held[i] = get(0, sizes[i]);
	start = cpu_ns();
	for (int i = 0; i < MILLION; i++) {
		uint32_t k = random_below(LIVE);

		put(0, held[k]);
		held[k] = get(0, sizes[i % LIVE]);
	}
	start = (cpu_ns() - start) / MILLION;
	for (int i = 0; i < LIVE; i++)
		put(0, held[i]);
	return start;
}

/* From the one thread to the other */
static void *ring[RING];

static void *consume(void *arg)
{
	(void)arg;
	for (int i = 0; i < MILLION; i++) {
		void *p;

		while (!(p = __atomic_load_n(&ring[i % RING], __ATOMIC_ACQUIRE)))
			sched_yield();
		__atomic_store_n(&ring[i % RING], NULL, __ATOMIC_RELEASE);
		put(1, p);
	}
	return NULL;
}

static double remote(void)
{
	double start = now_ns();
	pthread_t thread;

	if (pthread_create(&thread, NULL, consume, NULL))
		exit(1);
	for (int i = 0; i < MILLION; i++) {
		int *p = get(0, BYTES);

		*p = i;
		while (__atomic_load_n(&ring[i % RING], __ATOMIC_ACQUIRE))
			sched_yield();
		__atomic_store_n(&ring[i % RING], p, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
	return (now_ns() - start) / MILLION;
}

static const struct bench {
	const char *name;
	double (*work)(void);
	bool threads;
} benches[] = {
	{"pair64", pair64, false},
	{"million_alloc", million_alloc, false},
	{"million_free", million_free, false},
	{"million_random", million_random, false},
	{"mixed", mixed, false},
	{"zeroed", zeroed, false},
	{"remote", remote, true},
};

enum {
	BENCHES = sizeof(benches) / sizeof(*benches),
	FIGURES = BENCHES + CLASSES, /* times, then waste of each class */
};

static double best(double (*work)(void))
{
	double least = work();

	for (int i = 1; i < ROUNDS; i++) {
		double ns = work();

		if (ns < least)
			least = ns;
	}
	return least;
}

/* Mean waste over the sizes that class @c serves, in % */
static double waste(unsigned int c)
{
	unsigned int first = c ? classes[c - 1] + 1 : 1;
	double usable = 0, asked = 0;

	for (unsigned int size = first; size <= classes[c]; size++) {
		void *p = get(0, size);

		usable += (double)(rmm ? rmm_ksize(rmm, p) : malloc_usable_size(p));
		asked += size;
		put(0, p);
	}
	return 100 * (usable - asked) / usable;
}

/* Same work for all: drawn from one sequence */
static void prepare(void)
{
	for (uint32_t i = 0; i < MILLION; i++)
		order[i] = i;
	for (uint32_t i = MILLION; i > 1; i--) {
		uint32_t k = random_below(i), other = order[i - 1];

		order[i - 1] = order[k];
		order[k] = other;
	}
	for (int i = 0; i < LIVE; i++)
		sizes[i] = (uint16_t)(8 + random_below(random_below(8) ? 256 : 8184));
}

static void measure(double *figures)
{
	for (int i = 0; i < BENCHES; i++) {
		if (rmm && benches[i].threads) {
			rmm_destroy(rmm);
			rmm = machine(true);
		}
		figures[i] = best(benches[i].work);
	}
	for (unsigned int c = 0; c < CLASSES; c++)
		figures[BENCHES + c] = waste(c);
}

/* The child: what malloc is, here. @library: must be loaded. */
static int measure_malloc(const char *library)
{
	double figures[FIGURES];

	if (*library && !dlopen(library, RTLD_LAZY | RTLD_NOLOAD))
		return 3;
	measure(figures);
	for (int i = 0; i < FIGURES; i++)
		printf("%d %.4f\n", i, figures[i]);
	return 0;
}

enum peer { GLIBC, MIMALLOC, JEMALLOC, TCMALLOC, RMM_MALLOC, PEERS };

static struct {
	const char *name, *libraries[3];
	bool there;
	double figures[FIGURES];
} peers[PEERS] = {
	[GLIBC] = {.name = "glibc", .libraries = {""}},
	[MIMALLOC] = {.name = "mimalloc", .libraries = {"libmimalloc.so.2", "libmimalloc.so.3"}},
	[JEMALLOC] = {.name = "jemalloc", .libraries = {"libjemalloc.so.2"}},
	[TCMALLOC] = {.name = "tcmalloc", .libraries = {"libtcmalloc_minimal.so.4"}},
	[RMM_MALLOC] = {.name = "rmm_malloc"},
};

/* librmm-malloc.so lies two directories above this program. */
static const char *own_library(void)
{
	static char path[320];
	char self[256];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	for (int up = 0; length > 0 && up < 3; length--)
		up += self[length - 1] == '/';
	snprintf(path, sizeof(path), "%.*s/librmm-malloc.so", (int)(length > 0 ? length : 0), self);
	return path;
}

static void run_peers(const double *ours)
{
	peers[RMM_MALLOC].libraries[0] = own_library();
	for (int p = 0; p < PEERS; p++) {
		for (int i = 0; !peers[p].there && peers[p].libraries[i]; i++)
			peers[p].there = run_peer(peers[p].libraries[i], peers[p].figures, FIGURES);
		if (!peers[p].there)
			printf("skip %s - %s is not there (make deps, make librmm-malloc)\n",
			       peers[p].name, peers[p].libraries[0]);
		for (int i = 0; peers[p].there && i < BENCHES; i++)
			printf("%s_%s %.1f ns/op %.2f\n", peers[p].name, benches[i].name,
			       peers[p].figures[i], peers[p].figures[i] / ours[i]);
		fflush(stdout);
	}
}

static void print_waste(const double *ours)
{
	for (unsigned int c = 0; c < CLASSES; c++) {
		double mine = ours[BENCHES + c];

		printf("waste_%u_refmm %.1f %% 1.00\n", classes[c], mine);
		for (int p = 0; p < RMM_MALLOC; p++)
			if (peers[p].there)
				printf("waste_%u_%s %.1f %% %.2f\n", classes[c], peers[p].name,
				       peers[p].figures[BENCHES + c],
				       peers[p].figures[BENCHES + c] / mine);
	}
}

/* What this allocator is meant to reach, in times of a peer's figure */
static const struct {
	int bench;
	enum peer peer;
	double most;
} targets[] = {
	{0, MIMALLOC, 1.3}, {1, GLIBC, 1},    {2, GLIBC, 1},
	{1, MIMALLOC, 2},   {2, MIMALLOC, 2}, {6, JEMALLOC, 1},
};

static void print_targets(const double *ours)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		int b = targets[i].bench, p = targets[i].peer;
		double times = ours[b] / peers[p].figures[b];

		if (peers[p].there)
			printf("target_%s_over_%s %.2f times, at most %.2f: %s\n", benches[b].name,
			       peers[p].name, times, targets[i].most,
			       times <= targets[i].most ? "met" : "MISSED");
	}
}

int main(int argc, char **argv)
{
	double ours[FIGURES];
	char msg[256];
	int err;

	prepare();
	if (argc > 2 && !strcmp(argv[1], "malloc"))
		return measure_malloc(argv[2]);
	rmm = machine(false);
	measure(ours);
	for (int i = 0; i < BENCHES; i++)
		printf("refmm_%s %.1f ns/op 1.00\n", benches[i].name, ours[i]);
	printf("refmm_pair64_threads %.1f ns/op 1.00\n", best(pair64));
	err = rmm_validate(rmm, msg, sizeof(msg));
	if (err)
		fprintf(stderr, "bench_slab: %s\n", msg);
	rmm_destroy(rmm);
	fflush(stdout);
	run_peers(ours);
	print_waste(ours);
	print_targets(ours);
	return err ? 1 : 0;
}
