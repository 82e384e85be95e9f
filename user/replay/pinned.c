/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pinned.c - see pinned.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/pinned.h"
#include "replay/replay.h"
#include "trace/trace_io.h"

enum { MOVABLE = 1 };

/* The page's last allocation, or what was known without one. */
struct owner {
	uint64_t born_ns; /* 0: not seen */
	uint32_t comm;
	uint8_t state;
	bool movable, freed;
};

struct block {
	struct owner *pages; /* NULL: not looked at */
	bool pinned, mixed;
};

struct pinned {
	const struct replay *p;
	struct tasks tasks;
	struct block *blocks;
	uint64_t nr_blocks, pages_of_block;
	uint16_t *free_pages, *known, *unmovable; /* by pageblock, of the end snapshot */
	struct pinned_found found;
};

static bool is_unmovable(uint8_t state)
{
	return state == KMT_PG_KERNEL || state == KMT_PG_SLAB || state == KMT_PG_PGTABLE;
}

static void count_run(void *ctx, uint64_t pfn, const struct trace_page_run *run)
{
	struct pinned *x = ctx;
	uint64_t end = pfn + (run->blocks << run->order);
	uint64_t limit = x->nr_blocks * x->pages_of_block;

	if (run->state == KMT_PG_NONE || run->state == KMT_PG_RESERVED)
		return;
	for (end = end < limit ? end : limit; pfn < end; pfn++) {
		uint64_t block = pfn / x->pages_of_block;

		x->known[block]++;
		x->free_pages[block] += run->state == KMT_PG_FREE;
		x->unmovable[block] += is_unmovable(run->state);
	}
}

static void note_states(void *ctx, uint64_t pfn, const struct trace_page_run *run)
{
	struct pinned *x = ctx;
	uint64_t end = pfn + (run->blocks << run->order);
	uint64_t limit = x->nr_blocks * x->pages_of_block;

	for (end = end < limit ? end : limit; pfn < end; pfn++) {
		struct block *b = &x->blocks[pfn / x->pages_of_block];

		if (b->pages)
			b->pages[pfn % x->pages_of_block].state = run->state;
	}
}

/* Only where an event told: a type that was inferred would make culprits of its own. */
static bool is_movable(const struct replay *p, uint64_t block)
{
	const struct observed *o = p->observed ? p->observed->observed : NULL;

	return o && block < o->map.nr_blocks && o->block_type[block] == MOVABLE;
}

static int choose(struct pinned *x)
{
	for (uint64_t i = 0; i < x->nr_blocks; i++) {
		struct block *b = &x->blocks[i];

		b->pinned =
			x->known[i] == x->pages_of_block && x->free_pages[i] < x->known[i] &&
			100ull * x->free_pages[i] >= (uint64_t)PINNED_FREE_PERCENT * x->known[i];
		b->mixed = x->unmovable[i] && is_movable(x->p, i);
		if (!b->pinned && !b->mixed)
			continue;
		b->pages = calloc(x->pages_of_block, sizeof(*b->pages));
		if (!b->pages)
			return -ENOMEM;
	}
	return 0;
}

static int read_snapshot(struct pinned *x, snapshot_run_fn *fn)
{
	const struct snapshot *s = &x->p->end_pages;

	for (size_t i = 0; i < s->n; i++) {
		int err = snapshot_chunk_runs(s, x->p->reader, i, fn, x);

		/* A damaged block is counted as such; its pages are not known. */
		if (err && err != -EBADMSG)
			return err;
	}
	return 0;
}

int pinned_new(struct pinned **out, const struct replay *p, unsigned int cpus)
{
	struct pinned *x;
	int err = -ENOMEM;

	*out = NULL;
	if (!p->end_pages.n)
		return 0;
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->p = p;
	x->pages_of_block = 1ull << p->host.pageblock_order;
	x->nr_blocks = (p->host.nr_pfns + x->pages_of_block - 1) / x->pages_of_block;
	x->blocks = calloc(x->nr_blocks + 1, sizeof(*x->blocks));
	x->free_pages = calloc(x->nr_blocks + 1, sizeof(*x->free_pages));
	x->known = calloc(x->nr_blocks + 1, sizeof(*x->known));
	x->unmovable = calloc(x->nr_blocks + 1, sizeof(*x->unmovable));
	if (!tasks_init(&x->tasks, cpus) && x->blocks && x->free_pages && x->known && x->unmovable)
		err = read_snapshot(x, count_run);
	if (!err)
		err = choose(x);
	if (!err)
		err = read_snapshot(x, note_states);
	if (err) {
		pinned_free(x);
		return err;
	}
	*out = x;
	return 0;
}

void pinned_free(struct pinned *x)
{
	if (!x)
		return;
	for (uint64_t i = 0; x->blocks && i < x->nr_blocks; i++)
		free(x->blocks[i].pages);
	tasks_destroy(&x->tasks);
	free(x->blocks);
	free(x->free_pages);
	free(x->known);
	free(x->unmovable);
	free(x->found.list);
	free(x->found.owners);
	free(x->found.mixers);
	free(x);
}

/* Whom a migrated page belonged to is not kept: compaction moves, it does not allocate. */
static struct owner new_owner(const struct pinned *x, const struct trace_event *e,
			      const struct kmt_class *c)
{
	uint32_t task = tasks_at(&x->tasks, e->cpu);
	const struct kmt_class *t = task < x->p->nr_classes ? x->p->classes[task] : NULL;

	if (e->kind == KMT_MIGRATE_TO)
		return (struct owner){.movable = true};
	return (struct owner){
		.born_ns = e->time_ns,
		.comm = t ? t->comm : 0,
		.movable = e->kind == KMT_PAGE_ALLOC && c->migratetype == MOVABLE,
	};
}

static void set_owner(struct pinned *x, const struct trace_event *e, const struct kmt_class *c)
{
	uint64_t end = e->address + (e->order < 32 ? 1ull << e->order : 1);
	struct owner owner = new_owner(x, e, c);

	for (uint64_t pfn = e->address; pfn < end && pfn / x->pages_of_block < x->nr_blocks;
	     pfn++) {
		struct block *b = &x->blocks[pfn / x->pages_of_block];
		struct owner *o;

		if (!b->pages) {
			pfn |= x->pages_of_block - 1;
			continue;
		}
		if (snapshot_age(&x->p->end_pages, pfn, e->time_ns) == SNAPSHOT_LATER)
			continue;
		o = &b->pages[pfn % x->pages_of_block];
		owner.state = o->state;
		owner.freed = false;
		if (e->kind == KMT_PAGE_FREE)
			o->freed = true;
		else
			*o = owner;
	}
}

void pinned_feed(struct pinned *x, const struct trace_event *e, long n)
{
	for (long i = 0; i < n; i++) {
		const struct kmt_class *c;

		tasks_see(&x->tasks, &e[i]);
		if (e[i].kind != KMT_PAGE_ALLOC && e[i].kind != KMT_PAGE_FREE &&
		    e[i].kind != KMT_BULK_PAGE && e[i].kind != KMT_STACK_PAGE &&
		    e[i].kind != KMT_MIGRATE_TO)
			continue;
		c = e[i].class_id < x->p->nr_classes ? x->p->classes[e[i].class_id] : NULL;
		if (c && e[i].address != KMT_NO_PAGE)
			set_owner(x, &e[i], c);
	}
}

/* ---- summing up ----------------------------------------------------------- */

static bool same(const struct pinned_owner *a, const struct pinned_owner *b)
{
	return a->comm == b->comm && a->state == b->state && a->on_list == b->on_list;
}

static void merge(struct pinned_owner *to, const struct pinned_owner *from)
{
	to->pages += from->pages;
	to->blocks += from->blocks;
	to->alone += from->alone;
	if (from->oldest_ns && (!to->oldest_ns || from->oldest_ns < to->oldest_ns))
		to->oldest_ns = from->oldest_ns;
	if (from->newest_ns > to->newest_ns)
		to->newest_ns = from->newest_ns;
}

struct list {
	struct pinned_owner *at;
	size_t n, room;
};

static int add(struct list *l, const struct pinned_owner *o)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!same(&l->at[i], o))
			continue;
		merge(&l->at[i], o);
		return 0;
	}
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		struct pinned_owner *at = realloc(l->at, room * sizeof(*at));

		if (!at)
			return -ENOMEM;
		l->at = at;
		l->room = room;
	}
	l->at[l->n++] = *o;
	return 0;
}

/* A page on a CPU's list is nobody's. */
static struct pinned_owner owner_of(const struct owner *o)
{
	if (o->freed)
		return (struct pinned_owner){.state = o->state, .on_list = true, .pages = 1};
	return (struct pinned_owner){.comm = o->comm,
				     .state = o->state,
				     .pages = 1,
				     .oldest_ns = o->born_ns,
				     .newest_ns = o->born_ns};
}

/* Owners of a pageblock's pages into @here, then these into @all. */
static int sum_block(const struct pinned *x, const struct block *b, bool unmovable_only,
		     struct list *here, struct list *all)
{
	int err = 0;

	here->n = 0;
	for (uint64_t i = 0; i < x->pages_of_block && !err; i++) {
		const struct owner *o = &b->pages[i];
		struct pinned_owner one = owner_of(o);

		if (o->state == KMT_PG_FREE || o->state == KMT_PG_NONE ||
		    o->state == KMT_PG_RESERVED)
			continue;
		if (unmovable_only && (!is_unmovable(o->state) || o->freed || o->movable))
			continue;
		err = add(here, &one);
	}
	for (size_t i = 0; i < here->n && !err; i++) {
		here->at[i].blocks = 1;
		here->at[i].alone = here->n == 1;
		err = add(all, &here->at[i]);
	}
	return err;
}

static int by_blocks(const void *x, const void *y)
{
	const struct pinned_owner *a = x, *b = y;

	if (a->blocks != b->blocks)
		return a->blocks < b->blocks ? 1 : -1;
	if (a->pages != b->pages)
		return a->pages < b->pages ? 1 : -1;
	if (a->comm != b->comm)
		return a->comm < b->comm ? -1 : 1;
	return a->state * 2 + a->on_list - (b->state * 2 + b->on_list);
}

static uint64_t pages_in(const struct list *l)
{
	uint64_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->at[i].pages;
	return n;
}

static int by_pages(const void *x, const void *y)
{
	const struct pinned_owner *a = x, *b = y;

	return a->pages != b->pages ? (a->pages < b->pages ? 1 : -1) : by_blocks(x, y);
}

/* Keep a pageblock and who is in its way, @here, which is sorted. */
static int list_block(struct pinned *x, uint64_t i, struct list *here, size_t *room)
{
	struct pinned_found *f = &x->found;
	struct pinned_block *b;

	if (f->nr_list == *room) {
		size_t more = *room ? 2 * *room : 256;
		struct pinned_block *list = realloc(f->list, more * sizeof(*list));

		if (!list)
			return -ENOMEM;
		f->list = list;
		*room = more;
	}
	b = &f->list[f->nr_list++];
	*b = (struct pinned_block){.block = i,
				   .free_pages = x->free_pages[i],
				   .pinned = x->blocks[i].pinned,
				   .mixed = x->blocks[i].mixed,
				   .nr_owners = (uint32_t)here->n};
	if (here->n)
		qsort(here->at, here->n, sizeof(*here->at), by_pages);
	for (size_t k = 0; k < here->n && k < PINNED_OWNERS_SHOWN; k++)
		b->owners[k] = here->at[k];
	return 0;
}

int pinned_finish(struct pinned *x, struct pinned_found *out)
{
	struct list here = {0}, owners = {0}, mixers = {0};
	size_t room = 0;
	int err = 0;

	for (uint64_t i = 0; i < x->nr_blocks && !err; i++) {
		const struct block *b = &x->blocks[i];

		here.n = 0;
		if (b->pinned) {
			err = sum_block(x, b, false, &here, &owners);
			x->found.pinned_blocks++;
			x->found.pinned_free_pages += x->free_pages[i];
		}
		if (b->pinned && !err)
			err = list_block(x, i, &here, &room);
		if (b->mixed && !err) {
			err = sum_block(x, b, true, &here, &mixers);
			x->found.mixed_blocks += here.n != 0;
			if (!err && here.n && !b->pinned)
				err = list_block(x, i, &here, &room);
		}
	}
	if (owners.n)
		qsort(owners.at, owners.n, sizeof(*owners.at), by_blocks);
	if (mixers.n)
		qsort(mixers.at, mixers.n, sizeof(*mixers.at), by_blocks);
	free(here.at);
	x->found.owners = owners.at;
	x->found.nr_owners = owners.n;
	x->found.pinned_pages = pages_in(&owners);
	x->found.mixers = mixers.at;
	x->found.nr_mixers = mixers.n;
	x->found.mixed_pages = pages_in(&mixers);
	*out = x->found;
	return err;
}
