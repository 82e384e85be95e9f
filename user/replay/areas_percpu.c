/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* areas_percpu.c - per-CPU memory: what events do to it. */
#include <errno.h>

#include "replay/areas.h"
#include "trace/trace_io.h"

enum {
	ALIGN_BYTES = 8,   /* where the trace does not tell */
	FROM_RESERVED = 1, /* fallback_type of PERCPU_ALLOC */
	ATOMIC = 2,
};

static unsigned int gfp_of(const struct kmt_class *c)
{
	return c->fallback_type & ATOMIC ? RMM_GFP_NOWAIT : RMM_GFP_KERNEL;
}

/* In bytes. Traces of before it was recorded have order 0; the kernel asks for 4 at least. */
static size_t align_of(const struct kmt_class *c)
{
	if (c->order)
		return (size_t)1 << (c->order & 15);
	return c->bytes_req < ALIGN_BYTES ? RMM_PCPU_MIN_ALLOC : ALIGN_BYTES;
}

static void give_back(struct areas *a, unsigned int cpu, rmm_percpu at)
{
	if (at && rmm_free_percpu(a->rmm, cpu, at))
		a->percpu_counts.ref_refused++;
}

static void balance(struct areas *a, unsigned int cpu)
{
	if (rmm_percpu_balance_needed(a->rmm))
		rmm_percpu_balance(a->rmm, cpu);
}

static int alloc(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	struct area area = {.size = c->bytes_req}, old;

	a->percpu_start.allocs++;
	/* The reserved chunk is for modules' static variables, which refmm has none of. */
	if (c->fallback_type & FROM_RESERVED)
		return 0;
	/* Given out again: it was freed unseen. */
	if (areas_take(a, &a->percpu, e->address, &old)) {
		a->percpu_counts.alloc_of_live++;
		a->percpu_counts.live -= old.size;
		give_back(a, e->cpu, old.at);
	}
	a->percpu_counts.align_unknown += !c->order;
	area.at = rmm___alloc_percpu_gfp(a->rmm, e->cpu, area.size, align_of(c), gfp_of(c));
	a->percpu_counts.ref_failed += area.at == RMM_NO_PERCPU;
	balance(a, e->cpu);
	areas_count(&a->percpu_counts, area.size);
	return areas_keep(a, &a->percpu, e->address, &area);
}

static void release(struct areas *a, const struct trace_event *e)
{
	struct percpu_guess *guess;
	struct area area;

	a->percpu_counts.frees++;
	a->percpu_start.frees++;
	if (areas_take(a, &a->percpu, e->address, &area)) {
		a->percpu_counts.live -= area.size;
		give_back(a, e->cpu, area.at);
		balance(a, e->cpu);
		return;
	}
	guess = percpu_start_take(&a->percpu_start, e->address);
	if (!guess) {
		a->percpu_counts.free_unknown++;
		return;
	}
	a->percpu_counts.live -= guess->bytes;
	give_back(a, e->cpu, guess->at);
	guess->at = RMM_NO_PERCPU;
	balance(a, e->cpu);
}

int areas_percpu_feed(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	const struct percpu_start *s = &a->percpu_start;

	if ((s->known && e->time_ns <= s->start_ns) || (s->end_known && e->time_ns > s->end_ns))
		return 0;
	if (e->kind == KMT_PERCPU_ALLOC)
		return alloc(a, e, c);
	release(a, e);
	return 0;
}
