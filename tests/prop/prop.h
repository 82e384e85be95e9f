/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * prop.h - random sequences of operations, shrunk when one fails.
 *
 * An operation is a code and two numbers that mean something whatever came
 * before ("free the (a mod live)th block"), so any part of a sequence is a
 * sequence too. A failing one is cut down by leaving out ever smaller pieces
 * as long as it still fails, and printed with the seed.
 *
 * KML_PROP_SECONDS: how long each property may run (default 2).
 * KML_PROP_OPS: run so many operations instead, however long that takes.
 * KML_PROP_SEED: repeat this one sequence only.
 * KML_PROP_CONFIG: one configuration for all seeds, that of the seed named here.
 */
#ifndef KMEMLAB_TESTS_PROP_H
#define KMEMLAB_TESTS_PROP_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../support/test.h"

enum { PROP_TWICE = 10 }; /* share of what is run on two machines */

struct op {
	uint32_t code, a, b;
};

struct property {
	const char *name;
	const char *const *op_names; /* by code */
	uint32_t codes;
	size_t length; /* operations in a sequence */
	/* Perform; false and a message when the property is broken. @careful:
	 * check after every operation. */
	bool (*run)(const struct op *ops, size_t n, uint64_t seed, bool careful, char *msg);
	uint32_t share; /* of KML_PROP_OPS, one in so many; 0: all */
};

/* splitmix64 */
static inline uint64_t prop_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline void prop_generate(const struct property *p, uint64_t seed, struct op *ops)
{
	uint64_t state = seed;

	for (size_t i = 0; i < p->length; i++) {
		ops[i].code = (uint32_t)(prop_random(&state) % p->codes);
		ops[i].a = (uint32_t)prop_random(&state);
		ops[i].b = (uint32_t)prop_random(&state);
	}
}

/* Leave out pieces of @piece operations where it still fails; returns the length */
static inline size_t prop_shrink_by(const struct property *p, struct op *ops, size_t n,
				    size_t piece, uint64_t seed)
{
	struct op *less = malloc((n + 1) * sizeof(*less));
	char msg[512];

	assert_non_null(less);
	for (size_t at = 0; at < n;) {
		size_t cut = at + piece < n ? piece : n - at;

		memcpy(less, ops, at * sizeof(*ops));
		memcpy(less + at, ops + at + cut, (n - at - cut) * sizeof(*ops));
		if (p->run(less, n - cut, seed, true, msg)) {
			at += cut;
			continue;
		}
		n -= cut;
		memcpy(ops, less, n * sizeof(*ops));
	}
	free(less);
	return n;
}

static inline void prop_report(const struct property *p, struct op *ops, uint64_t seed)
{
	size_t n = p->length;
	char msg[512] = "";

	for (size_t piece = n / 2; piece; piece /= 2)
		n = prop_shrink_by(p, ops, n, piece, seed);
	p->run(ops, n, seed, true, msg);
	print_error("%s: %s\nKML_PROP_SEED=%llu, shrunk to %zu operations:\n", p->name, msg,
		    (unsigned long long)seed, n);
	for (size_t i = 0; i < n; i++)
		print_error("  %s %u %u\n", p->op_names[ops[i].code], ops[i].a, ops[i].b);
}

/* A number from the environment */
static inline uint64_t prop_setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* What decides about the configuration of a sequence */
static inline uint64_t prop_config(uint64_t seed)
{
	return prop_setting("KML_PROP_CONFIG", seed);
}

static inline double prop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Have so many sequences been enough? */
static inline bool prop_enough(const struct property *p, size_t runs, double start)
{
	uint64_t ops = prop_setting("KML_PROP_OPS", 0);

	if (ops)
		return runs * p->length >= ops / (p->share ? p->share : 1);
	return prop_now() - start >= (double)prop_setting("KML_PROP_SECONDS", 2);
}

/* Run sequences until there are enough; the first ones are always the same. */
static inline void prop_check(const struct property *p)
{
	const char *only = getenv("KML_PROP_SEED");
	uint64_t first = prop_setting("KML_PROP_SEED", 1), seed = first;
	struct op *ops = malloc(p->length * sizeof(*ops));
	double start = prop_now();
	char msg[512];
	size_t runs = 0;
	bool ok;

	assert_non_null(ops);
	do {
		prop_generate(p, seed, ops);
		ok = p->run(ops, p->length, seed, only != NULL, msg);
		if (!ok)
			prop_report(p, ops, seed);
		seed++;
		runs++;
	} while (ok && !only && !prop_enough(p, runs, start));
	print_message("%s: %zu sequences of %zu operations from seed %llu, %.0f operations/s\n",
		      p->name, runs, p->length, (unsigned long long)first,
		      (double)(runs * p->length) / (prop_now() - start));
	free(ops);
	assert_true(ok);
}

#endif
