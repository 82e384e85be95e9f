/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* requests.c - which block an event is about, and what to ask for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm_types.h>

#include "replay/host.h"
#include "replay/requests.h"
#include "replay/start.h"
#include "trace/trace_io.h"

/* Values of `to` that are no frame. */
#define NOT_LIVE REQUESTS_NONE
#define FAILED	 (REQUESTS_NONE - 1)
#define GROWN	 (REQUESTS_NONE - 2) /* given to its zone before the kernel did */

/* What the kernel asks for a task's stack. */
#define STACK_GFP (RMM_GFP_KERNEL | RMM_GFP_ACCOUNT | RMM_GFP_ZERO)

int requests_init(struct requests *q, const struct start *s, const struct host *h)
{
	q->nr_pfns = h->nr_pfns;
	q->t_ns = q->now_ns = s->t_ns;
	q->wake_ns = UINT64_MAX;
	q->classes = s->at.classes;
	q->nr_classes = s->at.nr_classes;
	q->nr_cpus = h->cpus;
	q->to = malloc(q->nr_pfns * sizeof(*q->to));
	q->order = calloc(q->nr_pfns, sizeof(*q->order));
	if (!q->to || !q->order)
		return -ENOMEM;
	memset(q->to, 0xff, q->nr_pfns * sizeof(*q->to));
	return 0;
}

void requests_destroy(struct requests *q)
{
	free(q->to);
	free(q->order);
}

static void put(struct requests *q, uint64_t pfn, uint32_t at, unsigned int order)
{
	q->to[pfn] = at;
	q->order[pfn] = (uint8_t)order;
}

void requests_load(struct requests *q, uint64_t pfn, unsigned int order)
{
	put(q, pfn, (uint32_t)pfn, order);
}

static void give_back(struct requests *q, unsigned int cpu, uint64_t pfn)
{
	if (q->ops->free(q->ctx, cpu, q->to[pfn], q->order[pfn]))
		q->counts.free_refused++;
	q->to[pfn] = NOT_LIVE;
}

/* The block comes back in parts: it is single pages from now on. */
static void split(struct requests *q, uint64_t head)
{
	unsigned int order = q->order[head];
	uint32_t at = q->to[head];

	if (q->ops->split(q->ctx, at, order)) {
		q->counts.free_refused++;
		return;
	}
	q->counts.split_live++;
	for (uint32_t i = 0; i < 1u << order && head + i < q->nr_pfns; i++)
		put(q, head + i, at + i, 0);
}

/* Find and split a larger live block that holds @pfn. */
static void split_around(struct requests *q, uint64_t pfn, unsigned int order)
{
	for (unsigned int o = order; o < 32; o++) {
		uint64_t head = pfn >> o << o;

		if (q->to[head] >= GROWN)
			continue;
		if (q->order[head] > order && head + (1ull << q->order[head]) > pfn)
			split(q, head);
		return;
	}
}

/* Reserved at the start, and now free: the zone grows. */
static bool grow(struct requests *q, uint64_t pfn, unsigned int order)
{
	if (!q->ops->grow(q->ctx, pfn, order))
		return false;
	q->counts.grown_pages += 1ull << order;
	return true;
}

bool requests_grow_early(struct requests *q, uint64_t pfn, unsigned int order)
{
	if (q->to[pfn] != NOT_LIVE || !grow(q, pfn, order))
		return false;
	q->to[pfn] = GROWN;
	q->counts.grown_early += 1ull << order;
	return true;
}

/* All live parts of the freed range, one by one. */
static void free_parts(struct requests *q, const struct trace_event *e)
{
	uint64_t end = e->address + (1ull << e->order), parts = 0, failed = 0;

	for (uint64_t p = e->address; p < end; p++) {
		if (q->to[p] == FAILED) {
			q->to[p] = NOT_LIVE;
			failed++;
		} else if (q->to[p] < GROWN) {
			give_back(q, e->cpu, p);
			parts++;
		}
	}
	if (parts > 1)
		q->counts.joined_live++;
	else if (failed)
		q->counts.free_of_failed++;
	else if (!parts && !grow(q, e->address, e->order))
		q->counts.free_unknown++;
}

static void free_block(struct requests *q, const struct trace_event *e)
{
	uint32_t at = q->to[e->address];

	if (at == GROWN) {
		q->to[e->address] = NOT_LIVE;
		return;
	}
	if (at < GROWN) {
		if (q->order[e->address] == e->order) {
			give_back(q, e->cpu, e->address);
			return;
		}
		if (q->order[e->address] > e->order)
			split(q, e->address);
	} else if (at == NOT_LIVE) {
		split_around(q, e->address, e->order);
	}
	free_parts(q, e);
}

static void alloc_block(struct requests *q, const struct trace_event *e, uint32_t gfp)
{
	uint32_t at;

	if (q->to[e->address] < GROWN) {
		q->counts.alloc_of_live++;
		give_back(q, e->cpu, e->address);
	}
	at = q->ops->alloc(q->ctx, e, gfp);
	if (at == REQUESTS_NONE)
		q->counts.alloc_failed++;
	put(q, e->address, at == REQUESTS_NONE ? FAILED : at, e->order);
}

/* A stack that is reused is live already, alone or as part of a larger block. */
static void stack_page(struct requests *q, const struct trace_event *e)
{
	if (q->to[e->address] == NOT_LIVE)
		alloc_block(q, e, STACK_GFP);
}

static bool usable(struct requests *q, const struct trace_event *e)
{
	uint64_t size = e->order < 32 ? 1ull << e->order : UINT64_MAX;

	if (e->address == KMT_NO_PAGE) {
		q->counts.kernel_failed++;
		return false;
	}
	if (e->class_id < q->nr_classes && q->classes[e->class_id] && e->cpu < q->nr_cpus &&
	    e->address < q->nr_pfns && size <= q->nr_pfns - e->address &&
	    !(e->address & (size - 1)))
		return true;
	q->counts.unusable++;
	return false;
}

void requests_feed(struct requests *q, const struct trace_event *e, long n)
{
	for (; n > 0; n--, e++) {
		if ((e->kind > KMT_PAGE_FREE && e->kind != KMT_STACK_PAGE) ||
		    e->time_ns <= q->t_ns || !usable(q, e))
			continue;
		q->now_ns = e->time_ns;
		q->counts.events++;
		if (e->time_ns >= q->wake_ns)
			q->ops->wake(q->ctx);
		if (e->kind == KMT_PAGE_ALLOC)
			alloc_block(q, e, gfp_translate(q->gfp, q->classes[e->class_id]->gfp));
		else if (e->kind == KMT_PAGE_FREE)
			free_block(q, e);
		else
			stack_page(q, e);
	}
}
