/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * page_work.h - what the benchmarks let a page allocator do. Who includes it says
 * which: get(), put(), and get_bulk() for BULK single pages into an array of NULL.
 *
 *   pair		  one page allocated and freed, per-CPU list hit
 *   bulk		  per page, 100 at a time by one call, freed one by one
 *   bulk_alloc, _free  per page, a million so; each half for itself
 *   alloc, free	  per page, a million in a row, freed in the same order
 *   random_free	  per page, a million in random order
 *   order9_alloc, _free  huge pages, all there are, the same
 *   order5		  a block without per-CPU list: split and merged each time
 *   churn_empty	  a coin decides: one page allocated, or a random one freed;
 *			  with about 64 in use
 *   churn_90		  the same with about 90 % in use
 *   replace_empty	  random page freed and one allocated, with 64 in use
 *   replace_90		  the same with 90 % in use. In these four the next page
 *			  is chosen early and its entry in this program's list asked
 *			  for: to wait for that is not the allocator's work
 */
#ifndef KMEMLAB_BENCH_PAGE_WORK_H
#define KMEMLAB_BENCH_PAGE_WORK_H

#include <float.h>
#include <string.h>

#include "measure.h"

enum {
	LOOPS = 2000000,
	PAGES = 1 << 20,
	MILLION = 1000000,
	HUGE_PAGES = 1500,
	REPEATS = 50, /* of what is too short for the clock */
	BULK = 100,
	AHEAD = 8,  /* random pages chosen in advance */
	ROUNDS = 3, /* at least, and for LEAST_NS */
};
static const double LEAST_NS = 5e8;

static void *get(unsigned int order);
static void put(void *p, unsigned int order);
static void get_bulk(void **pages);

static void *held[PAGES];

/* The least that @work returns */
static double best(double (*work)(void))
{
	double start = now_ns(), least = DBL_MAX;

	work(); /* lists and caches get as they will stay */
	for (int i = 0; i < ROUNDS || now_ns() - start < LEAST_NS; i++) {
		double ns = work();

		if (ns < least)
			least = ns;
	}
	return least;
}

static double pairs(unsigned int order)
{
	double start = cpu_ns();

	for (int i = 0; i < LOOPS; i++)
		put(get(order), order);
	return (cpu_ns() - start) / LOOPS;
}

static double pair(void)
{
	return pairs(0);
}

static double order5(void)
{
	return pairs(5);
}

static double bulk(void)
{
	double start = cpu_ns();
	int loops = LOOPS / BULK;

	for (int i = 0; i < loops; i++) {
		void *pages[BULK] = {NULL};

		get_bulk(pages);
		for (int k = 0; k < BULK; k++)
			put(pages[k], 0);
	}
	return (cpu_ns() - start) / loops / BULK;
}

/* A million pages by bulk calls; *@ns: each */
static uint32_t fill_bulk(double *ns)
{
	double start = cpu_ns();
	uint32_t n = 0;

	while (n < MILLION) {
		memset(&held[n], 0, BULK * sizeof(*held));
		get_bulk(&held[n]);
		n += BULK;
	}
	*ns = (cpu_ns() - start) / MILLION;
	return n;
}

/* Allocate up to @most blocks; *@ns: each */
static uint32_t fill(uint32_t most, unsigned int order, double *ns)
{
	double start = cpu_ns();
	uint32_t n = 0;

	while (n < most && (held[n] = get(order)))
		n++;
	*ns = (cpu_ns() - start) / (n ? n : 1);
	return n;
}

static double empty(uint32_t n, unsigned int order)
{
	double start = cpu_ns();

	for (uint32_t i = 0; i < n; i++)
		put(held[i], order);
	return (cpu_ns() - start) / (n ? n : 1);
}

static double alloc_in_a_row(void)
{
	double ns;

	empty(fill(MILLION, 0, &ns), 0);
	return ns;
}

static double free_in_a_row(void)
{
	double ns;

	return empty(fill(MILLION, 0, &ns), 0);
}

static double bulk_alloc(void)
{
	double ns;

	empty(fill_bulk(&ns), 0);
	return ns;
}

static double bulk_free(void)
{
	double ns;

	return empty(fill_bulk(&ns), 0);
}

static double order9_alloc(void)
{
	double sum = 0, ns;

	for (int i = 0; i < REPEATS; i++) {
		empty(fill(HUGE_PAGES, 9, &ns), 9);
		sum += ns;
	}
	return sum / REPEATS;
}

static double order9_free(void)
{
	double sum = 0, ns;

	for (int i = 0; i < REPEATS; i++)
		sum += empty(fill(HUGE_PAGES, 9, &ns), 9);
	return sum / REPEATS;
}

static void shuffle(uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = random_below(i);
		void *p = held[i - 1];

		held[i - 1] = held[k];
		held[k] = p;
	}
}

static double random_free(void)
{
	double ns;
	uint32_t n = fill(MILLION, 0, &ns);

	shuffle(n);
	return empty(n, 0);
}

/* A random entry of held[], which has @n; asked for AHEAD calls before */
static uint32_t pick(uint32_t n)
{
	static uint32_t chosen[AHEAD], turn;
	uint32_t *next = &chosen[turn++ % AHEAD], k = *next;

	*next = random_below(n);
	__builtin_prefetch(&held[*next], 1);
	return k < n ? k : n - 1;
}

static double replace(uint32_t pages)
{
	double start, ns;
	uint32_t n = fill(pages, 0, &ns);

	shuffle(n);
	start = cpu_ns();
	for (int i = 0; i < MILLION; i++) {
		uint32_t k = pick(n);

		put(held[k], 0);
		held[k] = get(0);
	}
	ns = (cpu_ns() - start) / MILLION;
	empty(n, 0);
	return ns;
}

static double churn(uint32_t pages)
{
	double start, ns;
	uint32_t n = fill(pages, 0, &ns);

	shuffle(n);
	start = cpu_ns();
	for (int i = 0; i < MILLION; i++) {
		uint32_t k = pick(n + 1);

		if (n < 2 || (random_below(2) && n < PAGES - PAGES / 20)) {
			held[n++] = get(0);
		} else {
			k -= k == n;
			put(held[k], 0);
			held[k] = held[--n];
		}
	}
	ns = (cpu_ns() - start) / MILLION;
	empty(n, 0);
	return ns;
}

static double churn_empty(void)
{
	return churn(64);
}

static double churn_90(void)
{
	return churn(PAGES / 10 * 9);
}

static double replace_empty(void)
{
	return replace(64);
}

static double replace_90(void)
{
	return replace(PAGES / 10 * 9);
}

static const struct bench {
	const char *name;
	double (*work)(void);
	bool peer, large; /* is it for the peers; do they need PEER_GIB */
	double target;	  /* ns, or 0: what LLFree's C version took on an earlier machine */
} benches[] = {
	{"pair", pair, true, false, 0},
	{"bulk", bulk, true, false, 0},
	{"bulk_alloc", bulk_alloc, false, false, 33},
	{"bulk_free", bulk_free, false, false, 24},
	{"alloc", alloc_in_a_row, true, true, 0},
	{"free", free_in_a_row, true, true, 0},
	{"random_free", random_free, true, true, 24},
	{"order9_alloc", order9_alloc, false, false, 47},
	{"order9_free", order9_free, false, false, 26},
	{"order5", order5, false, false, 0},
	{"churn_empty", churn_empty, true, false, 0},
	{"churn_90", churn_90, true, true, 0},
	{"replace_empty", replace_empty, true, false, 0},
	{"replace_90", replace_90, true, true, 0},
};

enum { BENCHES = sizeof(benches) / sizeof(*benches) };

#endif
