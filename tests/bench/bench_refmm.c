/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_refmm.c - the page side of the reference allocator, beside glibc.
 *
 * Prints "name value unit ratio"; a ratio is that figure over refmm's for the
 * same work. glibc's malloc(4096) + free is the peer: the same size, and what a
 * program would use instead. It touches the memory's first bytes and refmm its
 * metadata only. Each figure is the best of several rounds.
 *
 *   pair		  one page allocated and freed, per-CPU list hit
 *   bulk		  per page, 100 at a time, freed one by one
 *   order9		  a huge page allocated and freed
 *   order5		  a block without per-CPU list: split and merged each time
 *   random_free	  per page, of a full machine in random order
 *   replace_90	  random page freed, one allocated, with 90 % in use
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <kmemlab/refmm.h>

enum { ROUNDS = 5, LOOPS = 4000000, PAGES = 32768, BULK = 100 };

static struct rmm *rmm;
static void *held[PAGES];
static uint32_t random_state = 1;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * n >> 32);
}

/* 128 MiB, as one zone */
static struct rmm *machine(void)
{
	const struct rmm_zone_config zone = {
		.type = RMM_ZONE_NORMAL,
		.spanned = PAGES,
		.present = PAGES,
		.managed = PAGES,
	};
	struct rmm_config c;
	struct rmm *r;

	rmm_config_init(&c);
	c.zones = &zone;
	c.nr_zones = 1;
	c.min_free_kbytes = 0;
	r = rmm_create(&c, NULL);
	if (!r || rmm_free_reserved(r, 0, PAGES) || rmm_setup_done(r))
		exit(1);
	return r;
}

static void *get(int peer, unsigned int order)
{
	void *p;

	if (!peer)
		return rmm_alloc_pages(rmm, 0, RMM_GFP_HIGHUSER_MOVABLE, order);
	p = malloc(4096ul << order);
	__asm__ volatile("" ::"r"(p) : "memory"); /* or it is optimised away */
	return p;
}

static void put(int peer, void *p, unsigned int order)
{
	if (peer)
		free(p);
	else
		rmm_free_pages(rmm, 0, p, order);
}

static double pairs(int peer, unsigned int order)
{
	double start = now_ns();

	for (int i = 0; i < LOOPS; i++)
		put(peer, get(peer, order), order);
	return (now_ns() - start) / LOOPS;
}

static double pair(int peer)
{
	return pairs(peer, 0);
}

static double order9(int peer)
{
	return pairs(peer, 9);
}

static double order5(int peer)
{
	return pairs(peer, 5);
}

static double bulk(int peer)
{
	double start = now_ns();
	int loops = LOOPS / BULK;

	for (int i = 0; i < loops; i++) {
		struct rmm_page *pages[BULK] = {NULL};
		size_t n = 0;

		while (!peer && n < BULK)
			n = rmm_alloc_pages_bulk(rmm, 0, RMM_GFP_KERNEL, BULK, pages);
		for (; n < BULK; n++)
			pages[n] = get(peer, 0);
		for (n = 0; n < BULK; n++)
			put(peer, pages[n], 0);
	}
	return (now_ns() - start) / loops / BULK;
}

static uint32_t fill(int peer, uint32_t most)
{
	uint32_t n = 0;

	while (n < most && (held[n] = get(peer, 0)))
		n++;
	return n;
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

static double random_free(int peer)
{
	uint32_t n = fill(peer, PAGES - 64);
	double start;

	shuffle(n);
	start = now_ns();
	for (uint32_t i = 0; i < n; i++)
		put(peer, held[i], 0);
	return (now_ns() - start) / n;
}

static double replace_90(int peer)
{
	uint32_t n = fill(peer, PAGES / 10 * 9);
	double start, ns;

	shuffle(n);
	start = now_ns();
	for (int i = 0; i < LOOPS; i++) {
		uint32_t k = random_below(n);

		put(peer, held[k], 0);
		held[k] = get(peer, 0);
	}
	ns = (now_ns() - start) / LOOPS;
	for (uint32_t i = 0; i < n; i++)
		put(peer, held[i], 0);
	return ns;
}

static double best(double (*work)(int peer), int peer)
{
	double least = work(peer);

	for (int i = 1; i < ROUNDS; i++) {
		double ns = work(peer);

		if (ns < least)
			least = ns;
	}
	return least;
}

int main(void)
{
	static const struct {
		const char *name;
		double (*work)(int peer);
		int peer; /* is there one? */
	} cases[] = {
		{"pair", pair, 1},
		{"bulk", bulk, 1},
		{"order9", order9, 0},
		{"order5", order5, 0},
		{"random_free", random_free, 1},
		{"replace_90", replace_90, 1},
	};
	char msg[256];
	int err;

	rmm = machine();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		double ours = best(cases[i].work, 0), theirs;

		printf("refmm_%s %.1f ns/op 1.00\n", cases[i].name, ours);
		if (!cases[i].peer)
			continue;
		theirs = best(cases[i].work, 1);
		printf("glibc_malloc4096_%s %.1f ns/op %.2f\n", cases[i].name, theirs,
		       theirs / ours);
	}
	err = rmm_validate(rmm, msg, sizeof(msg));
	if (err)
		fprintf(stderr, "bench_refmm: %s\n", msg);
	rmm_destroy(rmm);
	return err ? 1 : 0;
}
