/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lifetimes.c - see lifetimes.h. Open addressing, deletion by shifting back. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/lifetimes.h"
#include "metrics/objects.h"
#include "metrics/quantile.h"
#include "trace/trace_io.h"

enum { FIRST_SLOTS = 1 << 12 };

/* Pages and objects share a table; a bit tells their addresses apart. */
#define PAGE_BIT (1ull << 63)
#define NO_KEY	 UINT64_MAX

struct life {
	uint64_t key;
	uint64_t born_ns;
	uint32_t class_id;
	uint16_t cpu;
};

struct lifetimes {
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	struct lifetime **of; /* by class */
	struct lifetime none;
	struct life *slot;
	size_t mask, used;
	uint64_t last_ns; /* of the events */
};

static size_t home(const struct lifetimes *l, uint64_t key)
{
	return (size_t)(key * 0x9e3779b97f4a7c15ull >> 20) & l->mask;
}

static struct life *new_slots(size_t n)
{
	struct life *slot = malloc(n * sizeof(*slot));

	if (slot)
		memset(slot, 0xff, n * sizeof(*slot)); /* every key is NO_KEY */
	return slot;
}

struct lifetimes *lifetimes_new(const struct kmt_class *const *classes, uint32_t n)
{
	struct lifetimes *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->classes = classes;
	l->nr_classes = n;
	l->of = calloc((size_t)n + 1, sizeof(*l->of));
	l->slot = new_slots(FIRST_SLOTS);
	l->mask = FIRST_SLOTS - 1;
	if (l->of && l->slot)
		return l;
	lifetimes_free(l);
	return NULL;
}

void lifetimes_free(struct lifetimes *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; l->of && i < l->nr_classes; i++)
		free(l->of[i]);
	free(l->of);
	free(l->slot);
	free(l);
}

static size_t find(const struct lifetimes *l, uint64_t key)
{
	size_t i = home(l, key);

	while (l->slot[i].key != NO_KEY && l->slot[i].key != key)
		i = (i + 1) & l->mask;
	return i;
}

static int grow(struct lifetimes *l)
{
	struct lifetimes bigger = {.mask = l->mask * 2 + 1};

	bigger.slot = new_slots(bigger.mask + 1);
	if (!bigger.slot)
		return -ENOMEM;
	for (size_t i = 0; i <= l->mask; i++)
		if (l->slot[i].key != NO_KEY)
			bigger.slot[find(&bigger, l->slot[i].key)] = l->slot[i];
	free(l->slot);
	l->slot = bigger.slot;
	l->mask = bigger.mask;
	return 0;
}

static void remove_at(struct lifetimes *l, size_t hole)
{
	for (size_t i = (hole + 1) & l->mask; l->slot[i].key != NO_KEY; i = (i + 1) & l->mask) {
		size_t want = home(l, l->slot[i].key);

		/* May it move to the hole? Not if its home lies behind that. */
		if (((i - want) & l->mask) < ((i - hole) & l->mask))
			continue;
		l->slot[hole] = l->slot[i];
		hole = i;
	}
	l->slot[hole].key = NO_KEY;
	l->used--;
}

static struct lifetime *lifetime_of_class(struct lifetimes *l, uint32_t id)
{
	if (!l->of[id])
		l->of[id] = calloc(1, sizeof(*l->of[id]));
	return l->of[id];
}

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int power, bucket;

	if (ns < 4)
		return (unsigned int)ns;
	power = 63 - (unsigned int)__builtin_clzll(ns);
	bucket = (power - 1) * 4 + (unsigned int)(ns >> (power - 2) & 3);
	return bucket < LIFETIME_BUCKETS ? bucket : LIFETIME_BUCKETS - 1;
}

/* The largest time in a bucket. */
static uint64_t bucket_end(unsigned int bucket)
{
	unsigned int power = bucket / 4 + 1;

	if (bucket < 4)
		return bucket;
	return ((uint64_t)(4 + bucket % 4 + 1) << (power - 2)) - 1;
}

static int born(struct lifetimes *l, const struct trace_event *e, uint64_t key)
{
	size_t i = find(l, key);
	bool fresh = l->slot[i].key == NO_KEY;

	if (key == NO_KEY) /* of an empty slot: nothing is there */
		return 0;
	/* A large kmalloc is told twice: it keeps its birth, its later class is right. */
	if (!fresh &&
	    objects_traced_twice(l->classes[l->slot[i].class_id], l->classes[e->class_id])) {
		l->slot[i].class_id = e->class_id;
		return 0;
	}
	l->used += fresh;
	l->slot[i] = (struct life){
		.key = key, .born_ns = e->time_ns, .class_id = e->class_id, .cpu = e->cpu};
	return l->used * 4 > (l->mask + 1) * 3 ? grow(l) : 0;
}

static int dies(struct lifetimes *l, const struct trace_event *e, uint64_t key)
{
	size_t i = find(l, key);
	const struct life *life = &l->slot[i];
	struct lifetime *of;

	if (life->key == NO_KEY)
		return 0;
	of = lifetime_of_class(l, life->class_id);
	if (!of)
		return -ENOMEM;
	of->freed++;
	of->across += life->cpu != e->cpu;
	of->bucket[bucket_of(e->time_ns - life->born_ns)]++;
	remove_at(l, i);
	return 0;
}

static int take(struct lifetimes *l, const struct trace_event *e)
{
	if (e->class_id >= l->nr_classes || !l->classes[e->class_id] || e->address == KMT_NO_PAGE)
		return 0;
	switch (e->kind) {
	case KMT_PAGE_ALLOC:
	case KMT_BULK_PAGE:
		return born(l, e, e->address | PAGE_BIT);
	case KMT_PAGE_FREE:
		return dies(l, e, e->address | PAGE_BIT);
	case KMT_KMALLOC:
	case KMT_CACHE_ALLOC:
	case KMT_CACHE_BULK_ALLOC:
		return born(l, e, e->address);
	case KMT_KFREE:
	case KMT_CACHE_FREE:
	case KMT_CACHE_BULK_FREE:
		return dies(l, e, e->address);
	default:
		return 0;
	}
}

int lifetimes_feed(struct lifetimes *l, const struct trace_event *e, long n)
{
	int err = 0;

	for (long i = 0; i < n && !err; i++)
		err = take(l, &e[i]);
	if (n)
		l->last_ns = e[n - 1].time_ns;
	return err;
}

void lifetimes_finish(struct lifetimes *l)
{
	for (size_t i = 0; i <= l->mask; i++) {
		const struct life *life = &l->slot[i];
		struct lifetime *of;

		if (life->key == NO_KEY)
			continue;
		of = lifetime_of_class(l, life->class_id);
		if (!of)
			continue;
		of->live++;
		of->age[bucket_of(l->last_ns > life->born_ns ? l->last_ns - life->born_ns : 0)]++;
		if (!of->oldest_ns || life->born_ns < of->oldest_ns)
			of->oldest_ns = life->born_ns;
	}
}

const struct lifetime *lifetimes_of(const struct lifetimes *l, uint32_t class_id)
{
	return class_id < l->nr_classes && l->of[class_id] ? l->of[class_id] : &l->none;
}

void lifetime_add(struct lifetime *to, const struct lifetime *from)
{
	to->freed += from->freed;
	to->across += from->across;
	to->live += from->live;
	if (from->oldest_ns && (!to->oldest_ns || from->oldest_ns < to->oldest_ns))
		to->oldest_ns = from->oldest_ns;
	for (unsigned int i = 0; i < LIFETIME_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
	for (unsigned int i = 0; i < LIFETIME_BUCKETS; i++)
		to->age[i] += from->age[i];
}

uint64_t lifetime_quantile(const struct lifetime *l, double q)
{
	uint64_t seen = 0, want = quantile_rank(l->freed, q);

	for (unsigned int i = 0; i < LIFETIME_BUCKETS && l->freed; i++) {
		seen += l->bucket[i];
		if (seen >= want)
			return bucket_end(i);
	}
	return 0;
}

size_t lifetime_survival(const struct lifetime *l, struct lifetime_point *out, size_t max)
{
	uint64_t at_risk = l->freed + l->live;
	unsigned int steps = 0, step = 0, every;
	double share = 1;
	size_t n = 1;

	for (unsigned int i = 0; i < LIFETIME_BUCKETS; i++)
		steps += l->bucket[i] != 0;
	if (!steps || max < 2)
		return 0;
	every = (unsigned int)((steps + max - 2) / (max - 1));
	out[0] = (struct lifetime_point){0, 1};
	for (unsigned int i = 0; i < LIFETIME_BUCKETS && step < steps; i++) {
		if (l->bucket[i]) {
			share *= 1 - (double)l->bucket[i] / (double)at_risk;
			/* Thinned from the end, which is thus always there. */
			if ((steps - ++step) % every == 0)
				out[n++] = (struct lifetime_point){bucket_end(i), share};
		}
		at_risk -= l->bucket[i] + l->age[i];
	}
	return n;
}
