/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load.h - what the guest's workloads share.
 *
 * Each is a program `NAME [ROUNDS [SEED]]`. It does the same operations in every
 * run: how long they take is the machine's business.
 */
#ifndef KMEMLAB_GUEST_LOAD_H
#define KMEMLAB_GUEST_LOAD_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, HUGE = 2 << 20 };

struct load {
	unsigned long rounds;
	uint64_t random;
};

static inline struct load load_begin(int argc, char **argv, unsigned long rounds)
{
	struct load w = {rounds, 1};

	if (argc > 1)
		w.rounds = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		w.random = strtoul(argv[2], NULL, 0);
	w.random = w.random * 0x9e3779b97f4a7c15ull | 1;
	return w;
}

/* xorshift64*: 0 .. n-1; 0 where n is 0 */
static inline unsigned long load_random(struct load *w, unsigned long n)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return n ? (unsigned long)(((w->random * 0x2545f4914f6cdd1dull) >> 33) % n) : 0;
}

static inline void load_need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline char *load_map(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	load_need(p != MAP_FAILED, "mmap");
	return p;
}

static inline void load_touch(char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += PAGE)
		p[i] = (char)(i >> 12 | 1);
}

#endif
