/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* holders.c - see holders.h. Births lie in an array; a table finds them by address. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/holders.h"
#include "metrics/live.h"
#include "metrics/objects.h"
#include "metrics/tasks.h"
#include "trace/trace_io.h"

/* Pages and objects share a table; a bit tells their addresses apart. */
#define PAGE_BIT (1ull << 63)
#define NO_BIRTH UINT32_MAX

enum { FIRST = 1024, PAGE_BYTES = 4096, ORDERS = 32 };

struct birth {
	uint64_t born_ns; /* of a free place: the next one */
	uint32_t class_id, holder;
	uint32_t bytes;
	uint16_t cpu;
	uint16_t live;
};

struct holders {
	const struct kmt_class *const *classes;
	uint32_t nr_classes;
	uint64_t first_ns, last_ns;
	struct tasks tasks;
	struct live by_address;
	struct birth *births;
	uint32_t nr_births, max_births, free_births;
	struct live by_key; /* what a holder is: its number */
	struct holder *list;
	uint32_t nr, max;
	unsigned int quarter; /* that the last event was in */
	struct holders_cpu *cpus;
	uint64_t untracked;
};

struct holders *holders_new(const struct kmt_class *const *classes, uint32_t n,
			    const uint64_t times[2], unsigned int cpus)
{
	struct holders *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->classes = classes;
	h->nr_classes = n;
	h->first_ns = times[0];
	h->last_ns = times[1];
	h->free_births = NO_BIRTH;
	h->cpus = calloc((size_t)cpus + 1, sizeof(*h->cpus));
	if (!tasks_init(&h->tasks, cpus) && h->cpus && !live_init(&h->by_address) &&
	    !live_init(&h->by_key))
		return h;
	holders_free(h);
	return NULL;
}

void holders_free(struct holders *h)
{
	if (!h)
		return;
	tasks_destroy(&h->tasks);
	live_destroy(&h->by_address);
	live_destroy(&h->by_key);
	free(h->births);
	free(h->list);
	free(h->cpus);
	free(h);
}

/* ---- Holders -------------------------------------------------------------- */

static int add_holder(struct holders *h, const struct holder *new, uint64_t key)
{
	uint32_t old;

	if (h->nr == h->max) {
		uint32_t max = h->max ? h->max * 2 : FIRST;
		struct holder *list = reallocarray(h->list, max, sizeof(*list));

		if (!list)
			return -ENOMEM;
		h->list = list;
		h->max = max;
	}
	h->list[h->nr] = *new;
	return live_put(&h->by_key, key, h->nr++, &old);
}

/* Who allocates with @e, in *holder. */
static int find_holder(struct holders *h, const struct trace_event *e, bool pages, uint32_t *holder)
{
	struct holder new = {.name = h->classes[e->class_id]->call_site, .pages = pages};
	uint32_t task = tasks_at(&h->tasks, e->cpu);
	uint64_t key;

	if (pages) {
		new.order = e->order % ORDERS;
		new.name = task < h->nr_classes && h->classes[task] ? h->classes[task]->comm : 0;
	}
	key = (uint64_t) new.name << 8 | new.order << 1 | pages;
	*holder = live_find(&h->by_key, key);
	if (*holder != LIVE_NONE)
		return 0;
	*holder = h->nr;
	return add_holder(h, &new, key);
}

/* The quarters that ended before @ns. */
static void turn(struct holders *h, uint64_t ns)
{
	uint64_t length = h->last_ns > h->first_ns ? h->last_ns - h->first_ns : 1;
	uint64_t since = ns > h->first_ns ? ns - h->first_ns : 0;

	while (h->quarter + 1 < HOLDERS_QUARTERS &&
	       since * HOLDERS_QUARTERS >= length * (h->quarter + 1)) {
		for (uint32_t i = 0; i < h->nr; i++)
			h->list[i].at[h->quarter] = h->list[i].live_bytes;
		h->quarter++;
	}
}

/* ---- Births and ends ------------------------------------------------------ */

static int new_birth(struct holders *h, uint32_t *at)
{
	if (h->free_births != NO_BIRTH) {
		*at = h->free_births;
		h->free_births = (uint32_t)h->births[*at].born_ns;
		return 0;
	}
	if (h->nr_births == h->max_births) {
		uint32_t max = h->max_births ? h->max_births * 2 : FIRST;
		struct birth *births = reallocarray(h->births, max, sizeof(*births));

		if (!births)
			return -ENOMEM;
		h->births = births;
		h->max_births = max;
	}
	*at = h->nr_births++;
	return 0;
}

static bool born_early(const struct holders *h, const struct birth *b)
{
	uint64_t length = h->last_ns > h->first_ns ? h->last_ns - h->first_ns : 1;

	return b->born_ns <= h->first_ns || (b->born_ns - h->first_ns) * 2 < length;
}

static void end(struct holders *h, uint32_t at)
{
	struct birth *b = &h->births[at];
	struct holder *holder = &h->list[b->holder];

	holder->live--;
	holder->live_bytes -= b->bytes;
	if (born_early(h, b)) {
		holder->early_live--;
		holder->early_bytes -= b->bytes;
	}
	b->live = 0;
	b->born_ns = h->free_births;
	h->free_births = at;
}

static void begin(struct holders *h, const struct birth *b)
{
	struct holder *holder = &h->list[b->holder];

	holder->live++;
	holder->live_bytes += b->bytes;
	if (born_early(h, b)) {
		holder->early_live++;
		holder->early_bytes += b->bytes;
	}
}

/* What lived at @key ended unseen; or @e tells of it again: then it keeps its birth. */
static void replace(struct holders *h, uint32_t old, struct birth *new)
{
	const struct birth *b = &h->births[old];
	struct holder *holder = &h->list[b->holder];

	if (objects_traced_twice(h->classes[b->class_id], h->classes[new->class_id])) {
		holder->allocs--;
		holder->early -= born_early(h, b);
		h->cpus[b->cpu].allocs[0]--;
		new->born_ns = b->born_ns;
	} else {
		holder->unseen++;
	}
	end(h, old);
}

static int born(struct holders *h, const struct trace_event *e, bool pages)
{
	const struct kmt_class *c = h->classes[e->class_id];
	struct birth b = {.born_ns = e->time_ns, .class_id = e->class_id, .cpu = e->cpu, .live = 1};
	uint64_t key = e->address | (pages ? PAGE_BIT : 0);
	uint32_t at, old;
	int err = find_holder(h, e, pages, &b.holder);

	if (err)
		return err;
	if (h->by_address.used >= HOLDERS_LIVE_MAX) {
		h->untracked++;
		return 0;
	}
	b.bytes = pages ? (uint32_t)PAGE_BYTES << (e->order % (ORDERS - 12)) : c->bytes_alloc;
	old = live_take(&h->by_address, key);
	if (old != LIVE_NONE)
		replace(h, old, &b);
	h->list[b.holder].allocs++;
	h->list[b.holder].early += born_early(h, &b);
	h->cpus[e->cpu].allocs[pages]++;
	begin(h, &b);
	err = new_birth(h, &at);
	if (err)
		return err;
	h->births[at] = b;
	return live_put(&h->by_address, key, at, &old);
}

static void dies(struct holders *h, const struct trace_event *e, bool pages)
{
	uint32_t at = live_take(&h->by_address, e->address | (pages ? PAGE_BIT : 0));
	const struct birth *b;

	if (at == LIVE_NONE)
		return;
	b = &h->births[at];
	h->cpus[b->cpu].freed[pages]++;
	h->cpus[b->cpu].elsewhere[pages] += b->cpu != e->cpu;
	h->cpus[e->cpu].frees[pages]++;
	h->list[b->holder].freed++;
	end(h, at);
}

static int take(struct holders *h, const struct trace_event *e)
{
	tasks_see(&h->tasks, e);
	if (e->class_id >= h->nr_classes || !h->classes[e->class_id] || e->cpu >= h->tasks.cpus ||
	    e->address == KMT_NO_PAGE || e->address >= PAGE_BIT - 1) /* none writes that */
		return 0;
	turn(h, e->time_ns);
	switch (e->kind) {
	case KMT_PAGE_ALLOC:
	case KMT_STACK_PAGE:
	case KMT_BULK_PAGE:
		return born(h, e, true);
	case KMT_PAGE_FREE:
		dies(h, e, true);
		return 0;
	case KMT_KMALLOC:
	case KMT_CACHE_ALLOC:
	case KMT_CACHE_BULK_ALLOC:
		return born(h, e, false);
	case KMT_KFREE:
	case KMT_CACHE_FREE:
	case KMT_CACHE_BULK_FREE:
		dies(h, e, false);
		return 0;
	default:
		return 0;
	}
}

int holders_feed(struct holders *h, const struct trace_event *e, long n)
{
	int err = 0;

	for (long i = 0; i < n && !err; i++)
		err = take(h, &e[i]);
	return err;
}

/* ---- The end -------------------------------------------------------------- */

/* By holder, the oldest first. */
static int compare(const void *a, const void *b)
{
	const struct birth *x = a, *y = b;

	if (x->live != y->live)
		return x->live ? -1 : 1;
	if (x->holder != y->holder)
		return x->holder < y->holder ? -1 : 1;
	return x->born_ns < y->born_ns ? -1 : x->born_ns > y->born_ns;
}

static uint64_t age(const struct holders *h, const struct birth *b)
{
	return h->last_ns > b->born_ns ? h->last_ns - b->born_ns : 0;
}

void holders_finish(struct holders *h)
{
	size_t i = 0;

	turn(h, h->last_ns);
	for (uint32_t n = 0; n < h->nr; n++)
		h->list[n].at[HOLDERS_QUARTERS - 1] = h->list[n].live_bytes;
	if (h->nr_births)
		qsort(h->births, h->nr_births, sizeof(*h->births), compare);
	while (i < h->nr_births && h->births[i].live) {
		struct holder *holder = &h->list[h->births[i].holder];

		holder->oldest_ns = age(h, &h->births[i]);
		holder->median_ns = age(h, &h->births[i + holder->live / 2]);
		i += holder->live;
	}
}

const struct holder *holders_list(const struct holders *h, size_t *n)
{
	*n = h->nr;
	return h->list;
}

const struct holders_cpu *holders_cpus(const struct holders *h, size_t *n)
{
	*n = h->tasks.cpus;
	return h->cpus;
}

uint64_t holders_untracked(const struct holders *h)
{
	return h->untracked;
}

static uint64_t grown_in(const struct holder *h, unsigned int quarter)
{
	uint64_t before = quarter ? h->at[quarter - 1] : 0;

	return h->at[quarter] > before ? h->at[quarter] - before : 0;
}

uint64_t holder_growth(const struct holder *h)
{
	uint64_t least = h->unseen > h->freed ? 0 : UINT64_MAX;

	for (unsigned int q = 0; q < HOLDERS_QUARTERS; q++)
		least = grown_in(h, q) < least ? grown_in(h, q) : least;
	return least;
}

unsigned int holder_grew(const struct holder *h)
{
	unsigned int n = 0;

	for (unsigned int q = 0; q < HOLDERS_QUARTERS; q++)
		n += grown_in(h, q) > 0;
	return n;
}
