/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fates.c - look ahead for who frees what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "replay/fates.h"
#include "replay/start.h"
#include "trace/trace_io.h"

enum { BATCH = 1 << 14, FIRST_WORDS = 1024 };

/* What a frame holds: nothing, what it held at the start, or allocation number + FIRST. */
enum { NOTHING, AT_START, FIRST };

struct scan {
	struct fates *f;
	const struct start *s;
	uint64_t *held;	  /* by frame */
	bool *in_reclaim; /* by class of a TASK */
	uint32_t *task;	  /* by CPU: its class */
	uint64_t nr_pfns;
	uint64_t youngest; /* that reclaim took, as in held */
};

static void set(uint64_t *bits, uint64_t i)
{
	bits[i / 64] |= 1ull << (i % 64);
}

static int count(struct fates *f)
{
	uint64_t more = f->words ? f->words * 2 : FIRST_WORDS, *grown;

	if (f->n++ < f->words * 64)
		return 0;
	grown = realloc(f->kept, more * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + f->words, 0, (more - f->words) * sizeof(*grown));
	f->kept = grown;
	f->words = more;
	return 0;
}

static bool by_reclaim(const struct scan *c, unsigned int cpu)
{
	const struct kswapd_spans *k = &c->s->kswapd;
	uint32_t class = c->task[cpu];

	return class < k->nr_classes && (k->of_class[class] || c->in_reclaim[class]);
}

static void keep(struct scan *c, uint64_t pfn)
{
	if (c->held[pfn] >= FIRST)
		set(c->f->kept, c->held[pfn] - FIRST);
	else if (c->held[pfn] == AT_START)
		set(c->f->start_kept, pfn);
}

static void freed(struct scan *c, const struct trace_event *e)
{
	bool reclaimed = by_reclaim(c, e->cpu);

	if (reclaimed)
		c->f->reclaimed_pages += 1ull << (e->order & 31);
	if (!reclaimed)
		keep(c, e->address);
	else if (c->held[e->address] > c->youngest)
		c->youngest = c->held[e->address];
	c->held[e->address] = NOTHING;
}

static int look_at(struct scan *c, const struct trace_event *e)
{
	uint32_t class;

	if (e->cpu >= c->s->at.nr_cpus)
		return 0;
	class = c->task[e->cpu];
	if (e->kind == KMT_TASK)
		c->task[e->cpu] = e->class_id;
	if ((e->kind == KMT_RECLAIM_BEGIN || e->kind == KMT_RECLAIM_END) &&
	    class < c->s->kswapd.nr_classes)
		c->in_reclaim[class] = e->kind == KMT_RECLAIM_BEGIN;
	if (e->time_ns <= c->s->t_ns)
		return 0;
	if (e->kind == KMT_PAGE_FREE && e->address < c->nr_pfns)
		freed(c, e);
	if (e->kind != KMT_PAGE_ALLOC)
		return 0;
	if (e->address < c->nr_pfns)
		c->held[e->address] = c->f->n + FIRST;
	return count(c->f);
}

static int scan(struct scan *c, struct trace_reader *r)
{
	struct trace_event *e = malloc(BATCH * sizeof(*e));
	long n = e ? 1 : -ENOMEM;
	int err = 0;

	while (n > 0 && !err) {
		n = trace_reader_next(r, e, BATCH);
		for (long i = 0; i < n && !err; i++)
			err = look_at(c, &e[i]);
	}
	free(e);
	for (uint64_t pfn = 0; pfn < c->nr_pfns && !err && n >= 0; pfn++)
		if (c->held[pfn] < c->youngest)
			keep(c, pfn);
	return n < 0 ? (int)n : err;
}

int fates_read(struct fates *f, const struct start *s, struct trace_reader *r)
{
	struct scan c = {.f = f, .s = s, .nr_pfns = s->at.map.nr_pfns};
	int err = -ENOMEM;

	log_progress("replay: looking ahead for reclaim");
	memset(f, 0, sizeof(*f));
	f->start_kept = calloc(c.nr_pfns / 64 + 1, sizeof(*f->start_kept));
	c.held = malloc(c.nr_pfns * sizeof(*c.held));
	c.in_reclaim = calloc((size_t)s->kswapd.nr_classes + 1, sizeof(*c.in_reclaim));
	c.task = malloc(s->at.nr_cpus * sizeof(*c.task));
	if (f->start_kept && c.held && c.in_reclaim && c.task) {
		for (uint64_t pfn = 0; pfn < c.nr_pfns; pfn++)
			c.held[pfn] = AT_START;
		memset(c.task, 0xff, s->at.nr_cpus * sizeof(*c.task));
		err = scan(&c, r);
	}
	free(c.held);
	free(c.in_reclaim);
	free(c.task);
	return err ? err : trace_reader_rewind(r);
}

void fates_destroy(struct fates *f)
{
	free(f->kept);
	free(f->start_kept);
	memset(f, 0, sizeof(*f));
}
