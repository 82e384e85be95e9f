/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* measure.h - time, memory and chance, for the benchmarks of refmm. */
#ifndef KMEMLAB_BENCH_MEASURE_H
#define KMEMLAB_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PEER_GIB = 6 }; /* that the peers need for a million pages, and some */

static uint32_t random_state = 1;

static inline double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What others do meanwhile is not counted. */
static inline double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * n >> 32);
}

static inline bool enough_memory(void)
{
	return (sysconf(_SC_AVPHYS_PAGES) >> 18) >= PEER_GIB; /* of 4 KiB */
}

/* Address space of this process, in bytes */
static inline double address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (f) {
		if (fscanf(f, "%lu", &pages) != 1)
			pages = 0;
		fclose(f);
	}
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

#endif
