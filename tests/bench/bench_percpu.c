/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_percpu.c - why data are kept per CPU (LKD3 ch. 12, "Reasons for Using
 * Per-CPU Data"), and what the per-CPU allocator costs.
 *
 * Two threads, each on a CPU of its own where there are two, count to a few
 * million. Prints "name value unit ratio"; the ratio of a counter is its figure
 * over per_cpu's. Each figure is the best of several rounds, in nanoseconds per
 * increment and thread.
 *
 *   shared_lock	  one counter, a spin lock around each increment
 *   shared_atomic	  one counter, atomic increments
 *   nr_cpus_array	  the interface of old: an array with a member per CPU, all
 *			  in one cache line (false sharing)
 *   per_cpu		  a counter from rmm_alloc_percpu(), each CPU its own copy
 *   per_cpu_get_put	  the same through rmm_get_cpu_ptr() and put each time
 *   atomic_alone	  one thread, atomic increments: what they cost without a rival
 *   alloc_free		  rmm_alloc_percpu() of 64 bytes and its free, metadata only
 *   alloc, free	  10,000 of 8 bytes in a row, and their frees in that order
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_percpu.h>

#include "measure.h"

enum { THREADS = 2, ROUNDS = 5, COUNT = 2000000, ROW = 10000 };

static struct rmm *rmm;
static rmm_percpu counter;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static struct {
	volatile long one; /* under the lock, or atomic */
	long padding[15];
	volatile long array[THREADS]; /* one line */
	long more[14];
} shared __attribute__((aligned(128)));

static void with_lock(unsigned int cpu)
{
	(void)cpu;
	for (int i = 0; i < COUNT; i++) {
		pthread_spin_lock(&spin);
		shared.one++;
		pthread_spin_unlock(&spin);
	}
}

static void with_atomic(unsigned int cpu)
{
	(void)cpu;
	for (int i = 0; i < COUNT; i++)
		__atomic_add_fetch(&shared.one, 1, __ATOMIC_RELAXED);
}

static void with_array(unsigned int cpu)
{
	for (int i = 0; i < COUNT; i++)
		shared.array[cpu]++;
}

static void with_per_cpu(unsigned int cpu)
{
	volatile long *mine = rmm_per_cpu_ptr(rmm, counter, cpu);

	for (int i = 0; i < COUNT; i++)
		++*mine;
}

static void with_get_put(unsigned int cpu)
{
	for (int i = 0; i < COUNT; i++) {
		volatile long *mine = rmm_get_cpu_ptr(rmm, cpu, counter);

		++*mine;
		rmm_put_cpu_ptr(rmm, cpu, counter);
	}
}

struct job {
	void (*work)(unsigned int cpu);
	unsigned int cpu;
	double ns;
};

static void *run_job(void *arg)
{
	struct job *job = arg;
	cpu_set_t set;
	double start;

	CPU_ZERO(&set);
	CPU_SET((int)job->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	pthread_barrier_wait(&barrier);
	start = now_ns();
	job->work(job->cpu);
	job->ns = now_ns() - start;
	return NULL;
}

/* Nanoseconds per increment on each of @threads */
static double measure(void (*work)(unsigned int), unsigned int threads)
{
	double best = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		struct job job[THREADS];
		pthread_t thread[THREADS];
		double sum = 0;

		pthread_barrier_init(&barrier, NULL, threads);
		for (unsigned int i = 0; i < threads; i++) {
			job[i] = (struct job){.work = work, .cpu = i};
			if (pthread_create(&thread[i], NULL, run_job, &job[i]))
				exit(1);
		}
		for (unsigned int i = 0; i < threads; i++) {
			pthread_join(thread[i], NULL);
			sum += job[i].ns;
		}
		pthread_barrier_destroy(&barrier);
		if (sum / threads / COUNT < best)
			best = sum / threads / COUNT;
	}
	return best;
}

static void counters(void)
{
	const struct {
		const char *name;
		void (*work)(unsigned int);
		unsigned int threads;
	} ways[] = {
		{"shared_lock", with_lock, THREADS},	    {"shared_atomic", with_atomic, THREADS},
		{"nr_cpus_array", with_array, THREADS},	    {"per_cpu", with_per_cpu, THREADS},
		{"per_cpu_get_put", with_get_put, THREADS}, {"atomic_alone", with_atomic, 1},
	};
	double per_cpu = measure(with_per_cpu, THREADS);

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		double ns = measure(ways[i].work, ways[i].threads);

		printf("percpu_%-18s %8.2f ns/increment %6.2f\n", ways[i].name, ns, ns / per_cpu);
	}
}

static void allocations(struct rmm *numbers)
{
	static rmm_percpu row[ROW];
	double pair = 1e18, in = 1e18, out = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now_ns(), middle;

		for (int i = 0; i < ROW; i++)
			rmm_free_percpu(numbers, 0, rmm___alloc_percpu(numbers, 0, 64, 8));
		middle = now_ns();
		pair = middle - start < pair ? middle - start : pair;
		start = now_ns();
		for (int i = 0; i < ROW; i++)
			row[i] = rmm___alloc_percpu(numbers, 0, 8, 8);
		middle = now_ns();
		for (int i = 0; i < ROW; i++)
			rmm_free_percpu(numbers, 0, row[i]);
		in = middle - start < in ? middle - start : in;
		out = now_ns() - middle < out ? now_ns() - middle : out;
	}
	printf("percpu_%-18s %8.2f ns/op        %6.2f\n", "alloc_free", pair / ROW, 1.0);
	printf("percpu_%-18s %8.2f ns/op        %6.2f\n", "alloc", in / ROW, in / pair);
	printf("percpu_%-18s %8.2f ns/op        %6.2f\n", "free", out / ROW, out / pair);
}

static struct rmm *machine(bool backed)
{
	const struct rmm_zone_config zone = {
		.type = RMM_ZONE_NORMAL, .spanned = 8192, .present = 8192, .managed = 8192};
	struct rmm_config c;
	struct rmm *r;

	rmm_config_init(&c);
	c.nr_cpus = THREADS;
	c.zones = &zone;
	c.nr_zones = 1;
	c.backed = backed;
	c.threads = backed;
	r = rmm_create(&c, NULL);
	if (!r || rmm_free_reserved(r, 0, 8192) || rmm_setup_done(r) || rmm_percpu_init(r, NULL)) {
		fprintf(stderr, "bench_percpu: cannot set up a machine of 32 MiB\n");
		exit(1);
	}
	return r;
}

int main(void)
{
	struct rmm *numbers = machine(false);

	rmm = machine(true);
	counter = rmm_alloc_percpu(rmm, 0, long);
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	if (sysconf(_SC_NPROCESSORS_ONLN) < THREADS)
		printf("# one CPU: nothing is shared at one time, the figures say little\n");
	counters();
	allocations(numbers);
	rmm_destroy(numbers);
	rmm_destroy(rmm);
	return 0;
}
