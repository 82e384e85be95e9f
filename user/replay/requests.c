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
#define ASIDE	 (REQUESTS_NONE - 3) /* the kernel's own doing: its free is not asked for */
#define EARLY	 (REQUESTS_NONE - 4) /* the allocator's own reclaim has freed it */
#define FRAMES	 EARLY		     /* below it are frames */

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
	q->traced = calloc(q->nr_pfns, sizeof(*q->traced));
	q->order = calloc(q->nr_pfns, sizeof(*q->order));
	q->task = malloc(q->nr_cpus * sizeof(*q->task));
	q->moving = calloc(q->nr_cpus, sizeof(*q->moving));
	if (!q->to || !q->traced || !q->order || !q->task || !q->moving)
		return -ENOMEM;
	for (unsigned int cpu = 0; cpu < q->nr_cpus; cpu++)
		q->moving[cpu] = q->nr_pfns;
	memset(q->task, 0xff, q->nr_cpus * sizeof(*q->task));
	memset(q->to, 0xff, q->nr_pfns * sizeof(*q->to));
	return 0;
}

void requests_destroy(struct requests *q)
{
	free(q->to);
	free(q->traced);
	free(q->order);
	free(q->task);
	free(q->moving);
}

static void put(struct requests *q, uint64_t pfn, uint32_t at, unsigned int order)
{
	q->to[pfn] = at;
	q->order[pfn] = (uint8_t)order;
	if (at < q->nr_pfns)
		q->traced[at] = (uint32_t)pfn;
}

bool requests_moved(struct requests *q, uint32_t from, uint32_t to)
{
	uint32_t pfn = q->traced[from];

	if (q->to[pfn] != from)
		return false;
	put(q, pfn, to, q->order[pfn]);
	return true;
}

bool requests_reclaimed(struct requests *q, uint32_t at, unsigned int order)
{
	uint32_t pfn = q->traced[at];

	if (q->to[pfn] != at)
		return false;
	for (uint32_t i = 0; i < 1u << order && pfn + i < q->nr_pfns; i++)
		put(q, pfn + i, EARLY, 0);
	return true;
}

void requests_load(struct requests *q, uint64_t pfn, unsigned int order)
{
	put(q, pfn, (uint32_t)pfn, order);
}

static void give_back(struct requests *q, unsigned int cpu, uint64_t pfn)
{
	bool kept = q->ops->keep && q->ops->keep(q->ctx, cpu, q->to[pfn]);

	if (!kept && q->ops->free(q->ctx, cpu, q->to[pfn], q->order[pfn]))
		q->counts.free_refused++;
	q->to[pfn] = NOT_LIVE;
}

/* A live block becomes single pages. Return: whether it could */
static bool split(struct requests *q, uint64_t head)
{
	unsigned int order = q->order[head];
	uint32_t at = q->to[head];

	if (q->ops->split(q->ctx, at, order)) {
		q->counts.free_refused++;
		return false;
	}
	for (uint32_t i = 0; i < 1u << order && head + i < q->nr_pfns; i++)
		put(q, head + i, at + i, 0);
	return true;
}

/* Find and split a larger live block that holds @pfn. */
static void split_around(struct requests *q, uint64_t pfn, unsigned int order)
{
	for (unsigned int o = order; o < 32; o++) {
		uint64_t head = pfn >> o << o;

		if (q->to[head] >= FRAMES)
			continue;
		if (q->order[head] > order && head + (1ull << q->order[head]) > pfn)
			q->counts.split_live += split(q, head);
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
	uint64_t end = e->address + (1ull << e->order), parts = 0, failed = 0, aside = 0;
	uint64_t early = 0;

	for (uint64_t p = e->address; p < end; p++) {
		if (q->to[p] == FAILED) {
			q->to[p] = NOT_LIVE;
			failed++;
		} else if (q->to[p] == ASIDE) {
			q->to[p] = NOT_LIVE;
			aside++;
		} else if (q->to[p] == EARLY) {
			q->to[p] = NOT_LIVE;
			early++;
		} else if (q->to[p] < FRAMES) {
			give_back(q, e->cpu, p);
			parts++;
		}
	}
	q->counts.free_of_reclaimed += early;
	if (parts > 1)
		q->counts.joined_live++;
	else if (failed)
		q->counts.free_of_failed++;
	else if (!parts && !aside && !early && !grow(q, e->address, e->order))
		q->counts.free_unknown++;
}

static void free_block(struct requests *q, const struct trace_event *e)
{
	uint32_t at = q->to[e->address];

	if (at == GROWN) {
		q->to[e->address] = NOT_LIVE;
		return;
	}
	if (at < FRAMES) {
		if (q->order[e->address] == e->order) {
			give_back(q, e->cpu, e->address);
			return;
		}
		if (q->order[e->address] > e->order)
			q->counts.split_live += split(q, e->address);
	} else if (at == NOT_LIVE) {
		split_around(q, e->address, e->order);
	}
	free_parts(q, e);
}

/* The slowest path that a request took. */
static enum path path_between(const uint64_t before[PATHS], const uint64_t after[PATHS])
{
	for (unsigned int path = PATHS - 1; path > PATH_HIT; path--)
		if (after[path] != before[path])
			return (enum path)path;
	return PATH_HIT;
}

static uint32_t alloc_timed(struct requests *q, const struct trace_event *e, uint32_t gfp)
{
	uint64_t before[PATHS] = {0}, after[PATHS] = {0}, begin, ns;
	uint32_t at;

	if (!q->timer || !call_timer_counts(q->timer, e->order))
		return q->ops->alloc(q->ctx, e, gfp);
	if (q->ops->paths)
		q->ops->paths(q->ctx, e->cpu, before);
	begin = call_timer_begin();
	at = q->ops->alloc(q->ctx, e, gfp);
	ns = call_timer_stop(q->timer, begin);
	if (q->ops->paths)
		q->ops->paths(q->ctx, e->cpu, after);
	call_timer_add(q->timer, path_between(before, after), e->order, ns, e->time_ns);
	return at;
}

static void alloc_block(struct requests *q, const struct trace_event *e, uint32_t gfp)
{
	uint32_t at;

	if (q->to[e->address] < FRAMES) {
		q->counts.alloc_of_live++;
		give_back(q, e->cpu, e->address);
	}
	at = alloc_timed(q, e, gfp);
	if (at == REQUESTS_NONE)
		q->counts.alloc_failed++;
	put(q, e->address, at == REQUESTS_NONE ? FAILED : at, e->order);
}

/* What is live already has an event of its own, or is a stack that is reused. */
static void alloc_unless_live(struct requests *q, const struct trace_event *e, uint32_t gfp)
{
	if (q->to[e->address] == NOT_LIVE || q->to[e->address] == ASIDE)
		alloc_block(q, e, gfp);
}

static void split_block(struct requests *q, const struct trace_event *e)
{
	if (q->to[e->address] < FRAMES && q->order[e->address])
		split(q, e->address);
}

/* Free pages that the kernel takes for itself: it gives back what it does not use. */
static void set_aside(struct requests *q, const struct trace_event *e)
{
	for (uint64_t p = e->address; p < e->address + (1ull << e->order); p++)
		if (q->to[p] == NOT_LIVE)
			q->to[p] = ASIDE;
}

/*
 * The content of one block has moved to another. Where the kernel allocated that
 * by an event it has been asked for; else here the block stays where it is under
 * the new name, and the free of the old one is not asked for.
 */
static void move(struct requests *q, const struct trace_event *e)
{
	uint64_t from = q->moving[e->cpu];

	q->moving[e->cpu] = q->nr_pfns;
	if (q->to[e->address] != NOT_LIVE && q->to[e->address] != ASIDE)
		return;
	if (from >= q->nr_pfns)
		return;
	if (q->to[from] == EARLY) {
		q->to[e->address] = EARLY;
		q->to[from] = ASIDE;
	}
	if (q->to[from] >= FRAMES || q->order[from] != e->order)
		return;
	put(q, e->address, q->to[from], e->order);
	q->to[from] = ASIDE;
}

static uint32_t gfp_of(const struct requests *q, const struct trace_event *e)
{
	return gfp_translate(q->gfp, q->classes[e->class_id]->gfp);
}

static void alloc_range(struct requests *q, const struct trace_event *e)
{
	const struct kmt_class *c = q->classes[e->class_id];
	uint32_t gfp = gfp_of(q, e);
	struct trace_event page = *e;

	for (uint64_t i = 0; i < c->bytes_alloc && page.address < q->nr_pfns; i++) {
		alloc_unless_live(q, &page, gfp);
		page.address++;
	}
}

static void serve(struct requests *q, const struct trace_event *e)
{
	switch (e->kind) {
	case KMT_PAGE_ALLOC:
		alloc_block(q, e, gfp_of(q, e));
		break;
	case KMT_PAGE_FREE:
		free_block(q, e);
		break;
	case KMT_STACK_PAGE:
		alloc_unless_live(q, e, STACK_GFP);
		break;
	case KMT_BULK_PAGE:
		alloc_unless_live(q, e, gfp_of(q, e));
		break;
	case KMT_MIGRATE_PTE:
		alloc_unless_live(q, e, RMM_GFP_HIGHUSER_MOVABLE);
		break;
	case KMT_PAGE_SPLIT:
		split_block(q, e);
		break;
	case KMT_PAGE_ISOLATE:
	case KMT_PAGE_KEEP:
		set_aside(q, e);
		break;
	case KMT_MIGRATE_FROM:
		q->moving[e->cpu] = e->address;
		break;
	case KMT_MIGRATE_TO:
		move(q, e);
		break;
	default:
		alloc_range(q, e);
	}
}

/* The placement events are the kernel's business. */
static bool is_request(unsigned int kind)
{
	return kind <= KMT_PAGE_FREE || kind == KMT_STACK_PAGE ||
	       (kind >= KMT_BULK_PAGE && kind <= KMT_PAGE_KEEP);
}

/* Do all frames of the block exist? */
static bool in_frames(const struct requests *q, const struct trace_event *e)
{
	uint64_t size = e->order < 32 ? 1ull << e->order : UINT64_MAX;

	return e->address < q->nr_pfns && size <= q->nr_pfns - e->address;
}

static bool usable(struct requests *q, const struct trace_event *e)
{
	if (e->address == KMT_NO_PAGE) {
		q->counts.kernel_failed++;
		return false;
	}
	if (e->class_id < q->nr_classes && q->classes[e->class_id] && e->cpu < q->nr_cpus &&
	    in_frames(q, e) && !(e->address & ((1ull << e->order) - 1)))
		return true;
	q->counts.unusable++;
	return false;
}

static void reach(struct requests *q, uint64_t time_ns)
{
	q->now_ns = time_ns;
	if (time_ns >= q->wake_ns)
		q->ops->wake(q->ctx);
}

/* The kernel tried, and had none: its trying, reclaim and compaction, is work as well. */
static void try_refused(struct requests *q, const struct trace_event *e)
{
	reach(q, e->time_ns);
	q->counts.served_refused += q->ops->refused(q->ctx, e, gfp_of(q, e));
}

static bool is_refused(const struct requests *q, const struct trace_event *e)
{
	return e->kind == KMT_PAGE_ALLOC && e->address == KMT_NO_PAGE && q->ops->refused &&
	       e->cpu < q->nr_cpus && e->class_id < q->nr_classes && q->classes[e->class_id];
}

static void compact(struct requests *q, const struct trace_event *e)
{
	if (!q->ops->compact || e->time_ns <= q->t_ns || e->cpu >= q->nr_cpus ||
	    e->address >= q->nr_pfns)
		return;
	q->now_ns = e->time_ns;
	q->ops->compact(q->ctx, e);
}

static void make_request(struct requests *q, const struct trace_event *e)
{
	q->counts.events++;
	reach(q, e->time_ns);
	serve(q, e);
}

/*
 * The kernel drains a block from a CPU's list, or takes one from the free lists, and
 * here it is live: it was freed unseen, and if a list of @e's CPU had it, there. To wait for
 * its next allocation would leave it off the lists for long, and give it to another CPU.
 */
static void free_listed(struct requests *q, const struct trace_event *e)
{
	if (e->time_ns <= q->t_ns || e->cpu >= q->nr_cpus || !in_frames(q, e))
		return;
	for (uint64_t p = e->address; p < e->address + (1ull << e->order); p++) {
		if (q->to[p] >= FRAMES)
			continue;
		reach(q, e->time_ns);
		q->counts.listed_live++;
		give_back(q, e->cpu, p);
	}
}

void requests_feed(struct requests *q, const struct trace_event *e, long n)
{
	for (; n > 0; n--, e++) {
		if (e->kind == KMT_TASK && e->cpu < q->nr_cpus)
			q->task[e->cpu] = e->class_id;
		if (e->kind == KMT_COMPACT_BEGIN || e->kind == KMT_COMPACT_END ||
		    e->kind == KMT_MIGRATE_TO)
			compact(q, e);
		if (e->kind == KMT_PCPU_DRAIN || e->kind == KMT_ZONE_LOCKED)
			free_listed(q, e);
		if (q->ops->reclaim && e->cpu < q->nr_cpus &&
		    (e->kind == KMT_RECLAIM_BEGIN || e->kind == KMT_RECLAIM_END))
			q->ops->reclaim(q->ctx, e);
		if (!is_request(e->kind) || e->time_ns <= q->t_ns)
			continue;
		if (usable(q, e))
			make_request(q, e);
		else if (is_refused(q, e))
			try_refused(q, e);
		q->allocs += e->kind == KMT_PAGE_ALLOC;
	}
}
