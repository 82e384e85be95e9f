/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fallbacks.c - see fallbacks.h. 24 bytes a fallback. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "metrics/fallbacks.h"
#include "metrics/tasks.h"

enum { MOVABLE = 1, OBJECT_TO_PFN = 9 }; /* units of 8 bytes to pages of 4096 */

struct fallback {
	uint64_t block : 48, claimed : 1, stolen : 1, mixing : 1;
	uint32_t comm, site;
};

/* What a CPU did last. */
struct cpu {
	uint64_t locked_pfn; /* of a zone_locked that was its last page event, else KMT_NO_PAGE */
	uint64_t pfn, end;   /* pages of its last fallback, until an object is in them */
	size_t last;	     /* that fallback */
	bool pending;	     /* whether it was only announced, its next page event tells */
	uint8_t order;
};

struct fallbacks {
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	unsigned int pageblock_order, nr_cpus;
	struct tasks tasks;
	struct cpu *cpu;
	struct fallback *at;
	size_t n, room;
	uint64_t first_ns;
	struct fallbacks_over_time times;
};

struct fallbacks *fallbacks_new(const struct kmt_class *const *classes, uint32_t n,
				unsigned int cpus, unsigned int pageblock_order)
{
	struct fallbacks *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->classes = classes;
	f->nr_classes = n;
	f->nr_cpus = cpus;
	f->pageblock_order = pageblock_order;
	f->cpu = calloc((size_t)cpus + 1, sizeof(*f->cpu));
	for (unsigned int i = 0; f->cpu && i < cpus; i++)
		f->cpu[i].locked_pfn = KMT_NO_PAGE;
	if (!tasks_init(&f->tasks, cpus) && f->cpu)
		return f;
	fallbacks_free(f);
	return NULL;
}

void fallbacks_free(struct fallbacks *f)
{
	if (!f)
		return;
	tasks_destroy(&f->tasks);
	free(f->cpu);
	free(f->at);
	free(f);
}

void fallbacks_span(struct fallbacks *f, uint64_t first_ns, uint64_t last_ns)
{
	f->first_ns = first_ns;
	f->times.column_ns = (last_ns - first_ns) / FALLBACKS_COLUMNS + 1;
}

const struct fallbacks_over_time *fallbacks_over_time(const struct fallbacks *f)
{
	return &f->times;
}

static void note_time(struct fallbacks *f, uint64_t time_ns, bool mixing)
{
	uint64_t column;

	if (!f->times.column_ns || time_ns < f->first_ns)
		return;
	column = (time_ns - f->first_ns) / f->times.column_ns;
	if (column >= FALLBACKS_COLUMNS)
		column = FALLBACKS_COLUMNS - 1;
	f->times.events[column]++;
	f->times.mixing[column] += mixing;
}

static int fallback(struct fallbacks *f, const struct trace_event *e, const struct kmt_class *c)
{
	struct cpu *cpu = &f->cpu[e->cpu];
	uint32_t task = tasks_at(&f->tasks, e->cpu);
	bool whole = c->fallback_order >= f->pageblock_order;
	bool claimed = whole || cpu->locked_pfn == e->address;

	if (f->n == f->room) {
		size_t room = f->room ? 2 * f->room : 256;
		struct fallback *at = realloc(f->at, room * sizeof(*at));

		if (!at)
			return -ENOMEM;
		f->at = at;
		f->room = room;
	}
	f->at[f->n] = (struct fallback){
		.block = e->address >> f->pageblock_order,
		.claimed = claimed,
		.stolen = !claimed,
		.mixing = c->migratetype != MOVABLE && c->fallback_type == MOVABLE,
		.comm = task < f->nr_classes && f->classes[task] ? f->classes[task]->comm : 0,
	};
	note_time(f, e->time_ns, f->at[f->n].mixing);
	cpu->pending = !claimed;
	cpu->order = c->order;
	cpu->pfn = e->address;
	cpu->end = e->address + (1ull << (c->order < 32 ? c->order : 0));
	cpu->last = f->n++;
	return 0;
}

/* Does the event after a fallback show that it only announced the taking? */
static void settle(struct fallbacks *f, struct cpu *cpu, const struct trace_event *e)
{
	unsigned int shift = f->pageblock_order;

	cpu->pending = false;
	if (e->kind == KMT_ZONE_LOCKED && e->order == cpu->order &&
	    e->address >> shift == cpu->pfn >> shift)
		f->at[cpu->last].stolen = 0;
}

static void object(struct fallbacks *f, const struct trace_event *e, const struct kmt_class *c)
{
	struct cpu *cpu = &f->cpu[e->cpu];
	uint64_t pfn = e->address >> OBJECT_TO_PFN;

	if (!cpu->end || e->address & KMT_OPAQUE || pfn < cpu->pfn || pfn >= cpu->end)
		return;
	f->at[cpu->last].site = c->call_site;
	cpu->end = 0;
}

static bool is_page_event(unsigned int kind)
{
	return kind <= KMT_PCPU_DRAIN || (kind >= KMT_BULK_PAGE && kind < KMT_OBJECT_KINDS);
}

static int take(struct fallbacks *f, const struct trace_event *e)
{
	const struct kmt_class *c = e->class_id < f->nr_classes ? f->classes[e->class_id] : NULL;
	struct cpu *cpu;
	int err = 0;

	tasks_see(&f->tasks, e);
	if (!c || e->cpu >= f->nr_cpus)
		return 0;
	cpu = &f->cpu[e->cpu];
	if (e->kind == KMT_KMALLOC || e->kind == KMT_CACHE_ALLOC)
		object(f, e, c);
	if (!is_page_event(e->kind))
		return 0;
	if (cpu->pending)
		settle(f, cpu, e);
	if (e->kind == KMT_EXTFRAG && e->address != KMT_NO_PAGE)
		err = fallback(f, e, c);
	cpu->locked_pfn = e->kind == KMT_ZONE_LOCKED ? e->address : KMT_NO_PAGE;
	return err;
}

int fallbacks_feed(struct fallbacks *f, const struct trace_event *e, long n)
{
	int err = 0;

	for (long i = 0; i < n && !err; i++)
		err = take(f, &e[i]);
	return err;
}

static int by_block(const struct fallback *a, const struct fallback *b)
{
	return (a->block > b->block) - (a->block < b->block);
}

static int by_comm(const void *x, const void *y)
{
	const struct fallback *a = x, *b = y;

	return a->comm != b->comm ? (a->comm < b->comm ? -1 : 1) : by_block(a, b);
}

static int by_site(const void *x, const void *y)
{
	const struct fallback *a = x, *b = y;

	return a->site != b->site ? (a->site < b->site ? -1 : 1) : by_block(a, b);
}

static int by_blocks(const void *x, const void *y)
{
	const struct fallback_culprit *a = x, *b = y;

	if (a->blocks != b->blocks)
		return a->blocks < b->blocks ? 1 : -1;
	if (a->events != b->events)
		return a->events < b->events ? 1 : -1;
	return (a->string > b->string) - (a->string < b->string);
}

/* Sorted by key and pageblock: a culprit's come together, and so do a pageblock's. */
static struct fallback_culprit *sum_up(struct fallbacks *f, bool sites, size_t *n)
{
	struct fallback_culprit *list = calloc(f->n + 1, sizeof(*list));
	bool mixed = false;

	*n = 0;
	if (!list)
		return NULL;
	if (f->n)
		qsort(f->at, f->n, sizeof(*f->at), sites ? by_site : by_comm);
	for (size_t i = 0; i < f->n; i++) {
		const struct fallback *b = &f->at[i];
		uint32_t key = sites ? b->site : b->comm;
		bool first = !*n || list[*n - 1].string != key;
		struct fallback_culprit *c = first ? &list[(*n)++] : &list[*n - 1];

		c->string = key;
		if (first || b->block != b[-1].block) {
			c->blocks++;
			mixed = false;
		}
		c->events++;
		c->claimed += b->claimed;
		c->stolen += b->stolen;
		c->mixed += b->mixing && !b->claimed && !mixed;
		mixed = mixed || (b->mixing && !b->claimed);
	}
	if (*n)
		qsort(list, *n, sizeof(*list), by_blocks);
	return list;
}

struct fallback_culprit *fallbacks_by_command(struct fallbacks *f, size_t *n)
{
	return sum_up(f, false, n);
}

struct fallback_culprit *fallbacks_by_site(struct fallbacks *f, size_t *n)
{
	return sum_up(f, true, n);
}
