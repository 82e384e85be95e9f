/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* calltimer.c - see calltimer.h */
#include <stdlib.h>
#include <time.h>

#include "replay/calltimer.h"

enum { CALIBRATIONS = 1000 };

static uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The least of many: anything more was something else. */
static uint64_t clock_cost(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < CALIBRATIONS; i++) {
		uint64_t begin = clock_now(), ns = clock_now() - begin;

		if (ns < least)
			least = ns;
	}
	return least;
}

struct call_timer *call_timer_new(uint64_t first_ns, uint64_t last_ns)
{
	struct call_timer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->first_ns = first_ns;
	w->clock_ns = clock_cost();
	w->heat = heat_new(last_ns - first_ns);
	if (w->heat)
		return w;
	free(w);
	return NULL;
}

void call_timer_free(struct call_timer *w)
{
	if (w)
		free(w->heat);
	free(w);
}

bool call_timer_counts(struct call_timer *w, unsigned int order)
{
	return w->calls[order % CALL_TIMER_ORDERS]++ % CALL_TIMER_EVERY == 0;
}

uint64_t call_timer_begin(void)
{
	return clock_now();
}

uint64_t call_timer_stop(const struct call_timer *w, uint64_t begin)
{
	uint64_t ns = clock_now() - begin;

	return ns > w->clock_ns ? ns - w->clock_ns : 0;
}

void call_timer_add(struct call_timer *w, enum path path, unsigned int order, uint64_t ns,
		    uint64_t now_ns)
{
	struct kml_latency_cell *c = &w->timed[path % PATHS][order % CALL_TIMER_ORDERS];

	c->calls++;
	c->sum_ns += ns;
	if (ns > c->max_ns)
		c->max_ns = ns;
	c->bucket[heat_bucket(ns)]++;
	heat_add(w->heat, now_ns > w->first_ns ? now_ns - w->first_ns : 0, ns, 1);
}
