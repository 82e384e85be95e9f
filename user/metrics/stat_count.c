/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stat_count.c - one pass over a trace, counting per source.
 *
 * A live block of pages is kept under its first frame as source | order << 28.
 * The kernel may free it in parts (split pages); then the block is cut like a
 * buddy allocator would, and the parts stay live.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/stat_count.h"
#include "metrics/objects.h"

#define NO_SOURCE   UINT32_MAX
#define ADDRESS_MAX (KMT_OPAQUE << 1)

enum {
	ORDER_SHIFT = 28,
	ORDER_MAX = 14,
	FREE_ORDER_MAX = 18,
	FIRST_SLOTS = 1024,
	STRETCH_ORDER = 8,
	STRETCHES = 1 << 16, /* counted, then shared */
};

struct stat_count {
	const struct trace_reader *reader;
	struct stat_source *sources;
	uint32_t sources_n, sources_max;
	uint32_t *slots; /* open addressing: source + 1, 0 = empty */
	uint32_t slots_n;
	uint32_t *comm; /* string of what runs, by CPU */
	struct live pages, objects;
	uint32_t *stretch; /* blocks in .pages that begin in 2^STRETCH_ORDER pages */
	struct stat_unmatched unmatched;
};

struct stat_count *stat_count_new(const struct trace_reader *r)
{
	struct stat_count *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->reader = r;
	s->slots_n = FIRST_SLOTS;
	s->slots = calloc(s->slots_n, sizeof(*s->slots));
	s->comm = calloc(trace_reader_cpus(r) + 1, sizeof(*s->comm));
	s->stretch = calloc(STRETCHES, sizeof(*s->stretch));
	if (!s->slots || !s->comm || !s->stretch || live_init(&s->pages) ||
	    live_init(&s->objects)) {
		stat_count_free(s);
		return NULL;
	}
	return s;
}

void stat_count_free(struct stat_count *s)
{
	if (!s)
		return;
	free(s->sources);
	free(s->slots);
	free(s->comm);
	free(s->stretch);
	live_destroy(&s->pages);
	live_destroy(&s->objects);
	free(s);
}

/* ---- Sources ----------------------------------------------------------- */

/* The slot of a source, or the empty one where it belongs. */
static uint32_t *find(const struct stat_count *s, uint32_t class_id, uint32_t comm)
{
	uint64_t key = (uint64_t)comm << 32 | class_id;
	uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32);

	for (;; i++) {
		uint32_t *slot = &s->slots[i & (s->slots_n - 1)];
		const struct stat_source *source;

		if (!*slot)
			return slot;
		source = &s->sources[*slot - 1];
		if (source->class_id == class_id && source->comm == comm)
			return slot;
	}
}

static int grow_slots(struct stat_count *s)
{
	uint32_t *bigger = calloc((size_t)s->slots_n * 2, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	free(s->slots);
	s->slots = bigger;
	s->slots_n *= 2;
	for (uint32_t i = 0; i < s->sources_n; i++)
		*find(s, s->sources[i].class_id, s->sources[i].comm) = i + 1;
	return 0;
}

static int add_source(struct stat_count *s, uint32_t class_id, uint32_t comm)
{
	if (s->sources_n == s->sources_max) {
		uint32_t max = s->sources_max ? s->sources_max * 2 : FIRST_SLOTS;
		struct stat_source *bigger = NULL;

		if (max < STAT_SOURCES_MAX)
			bigger = reallocarray(s->sources, max, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		s->sources = bigger;
		s->sources_max = max;
	}
	if (s->sources_n >= s->slots_n / 2 && grow_slots(s))
		return -ENOMEM;
	s->sources[s->sources_n++] = (struct stat_source){.class_id = class_id, .comm = comm};
	*find(s, class_id, comm) = s->sources_n;
	return 0;
}

/* The source of an event, counted; NO_SOURCE on no memory. */
static uint32_t count_source(struct stat_count *s, const struct trace_event *e)
{
	uint32_t comm = s->comm[e->cpu];
	uint32_t slot = *find(s, e->class_id, comm);

	if (!slot) {
		if (add_source(s, e->class_id, comm))
			return NO_SOURCE;
		slot = s->sources_n;
	}
	s->sources[slot - 1].events++;
	return slot - 1;
}

/* ---- Live things ------------------------------------------------------- */

static uint32_t *stretch_of(const struct stat_count *s, uint64_t pfn)
{
	return &s->stretch[(pfn >> STRETCH_ORDER) % STRETCHES];
}

static int put(struct stat_count *s, uint64_t key, uint32_t value)
{
	struct live *l = &s->pages;
	uint32_t old;
	int err;

	if (l->used >= STAT_LIVE_MAX) {
		s->unmatched.untracked++;
		return 0;
	}
	err = live_put(l, key, value, &old);
	if (!err && old == LIVE_NONE)
		*stretch_of(s, key) += 1;
	return err;
}

static uint32_t take(struct stat_count *s, uint64_t pfn)
{
	uint32_t value = live_take(&s->pages, pfn);

	if (value != LIVE_NONE)
		*stretch_of(s, pfn) -= 1;
	return value;
}

/* Does surely no block begin in the stretch that begins with @pfn? */
static bool stretch_empty(const struct stat_count *s, uint64_t pfn)
{
	return !(pfn & ((1u << STRETCH_ORDER) - 1)) && !*stretch_of(s, pfn);
}

static uint32_t source_of(uint32_t value)
{
	return value & (STAT_SOURCES_MAX - 1);
}

static unsigned int order_of(uint32_t value)
{
	return value >> ORDER_SHIFT;
}

/* Put the parts of a cut block back, all but the one of @order at @pfn. */
static int put_rest(struct stat_count *s, uint64_t head, uint32_t value, uint64_t pfn,
		    unsigned int order)
{
	for (unsigned int o = order_of(value); o-- > order;) {
		uint64_t half = head + (1ull << o);
		uint64_t other = pfn < half ? half : head;
		int err = put(s, other, source_of(value) | o << ORDER_SHIFT);

		if (err)
			return err;
		head = pfn < half ? head : half;
	}
	return 0;
}

/* Take the block out that holds @pfn; LIVE_NONE if none does. */
static uint32_t take_holder(struct stat_count *s, uint64_t pfn, uint64_t *head)
{
	uint32_t value = take(s, pfn);

	*head = pfn;
	for (unsigned int o = 1; value == LIVE_NONE && o <= ORDER_MAX; o++) {
		if (*head == (pfn & -(1ull << o)))
			continue; /* looked there already */
		*head = pfn & -(1ull << o);
		value = take(s, *head);
	}
	return value;
}

/* Take 2^@order pages at @pfn out of a block, or all of a smaller one. */
static int take_part(struct stat_count *s, uint64_t head, uint32_t value, uint64_t pfn,
		     unsigned int order)
{
	if (order > order_of(value))
		order = order_of(value);
	s->sources[source_of(value)].live -= 1ull << order;
	return put_rest(s, head, value, pfn, order);
}

/*
 * Take what is live of 2^@order pages at @pfn out of the table. A block larger
 * than that holds them all; otherwise they may be several blocks.
 */
static int take_pages(struct stat_count *s, uint64_t pfn, unsigned int order, bool freed,
		      uint64_t *pages)
{
	uint64_t head, end = pfn + (1ull << order);
	uint32_t value = take_holder(s, pfn, &head);
	int err = 0;

	*pages = 0;
	if (value != LIVE_NONE && head + (1ull << order_of(value)) <= pfn) {
		err = put(s, head, value); /* it ends before @pfn */
		value = LIVE_NONE;
	}
	while (!err && pfn < end) {
		uint64_t n = 1;

		if (value != LIVE_NONE) {
			n <<= order_of(value) < order ? order_of(value) : order;
			err = take_part(s, head, value, pfn, order);
			s->sources[source_of(value)].freed += freed ? n : 0;
			*pages += n;
		}
		pfn += n;
		while (pfn + (1ull << STRETCH_ORDER) <= end && stretch_empty(s, pfn))
			pfn += 1ull << STRETCH_ORDER;
		head = pfn;
		value = pfn < end ? take(s, pfn) : LIVE_NONE;
	}
	return err;
}

static int alloc_pages(struct stat_count *s, const struct trace_event *e, uint32_t source)
{
	unsigned int order = e->order < ORDER_MAX ? e->order : ORDER_MAX;
	uint64_t pages;
	int err = take_pages(s, e->address, order, false, &pages);

	/* A stack page that is live comes out of the kernel's own reserve; a page of a
	 * bulk allocation, or one mapped by a migration, has an event of its own. */
	if (e->kind == KMT_PAGE_ALLOC)
		s->unmatched.pages_reallocated += pages;
	if (err)
		return err;
	if (s->pages.used < STAT_LIVE_MAX)
		s->sources[source].live += 1ull << order;
	return put(s, e->address, source | order << ORDER_SHIFT);
}

static int free_pages(struct stat_count *s, const struct trace_event *e, uint32_t source)
{
	unsigned int order = e->order < FREE_ORDER_MAX ? e->order : FREE_ORDER_MAX;
	uint64_t pages;
	int err = take_pages(s, e->address, order, true, &pages);

	s->sources[source].matched += pages;
	s->unmatched.pages_freed_unknown += (1ull << order) - pages;
	return err;
}

static int alloc_object(struct stat_count *s, const struct trace_event *e, uint32_t source)
{
	uint32_t old = LIVE_NONE;

	if (s->objects.used >= STAT_LIVE_MAX) {
		s->unmatched.untracked++;
		return 0;
	}
	if (live_put(&s->objects, e->address, source, &old))
		return -ENOMEM;
	if (old != LIVE_NONE) {
		s->sources[old].live--;
		if (objects_traced_twice(trace_reader_class(s->reader, s->sources[old].class_id),
					 trace_reader_class(s->reader, e->class_id))) {
			s->sources[old].twice++;
			s->unmatched.traced_twice++;
		} else {
			s->unmatched.objects_reallocated++;
		}
	}
	s->sources[source].live++;
	return 0;
}

static void free_object(struct stat_count *s, const struct trace_event *e, uint32_t source)
{
	uint32_t old = live_take(&s->objects, e->address);

	if (old == LIVE_NONE) {
		s->unmatched.objects_freed_unknown++;
		return;
	}
	s->sources[old].live--;
	s->sources[old].freed++;
	s->sources[source].matched++;
}

/* ---- Events ------------------------------------------------------------ */

/* Nothing was allocated; and kfree(NULL), which looks alike, frees nothing. */
static void count_failed(struct stat_count *s, const struct trace_event *e, uint32_t source)
{
	bool page = e->kind == KMT_PAGE_ALLOC || e->kind == KMT_STACK_PAGE;

	if (!page && e->kind != KMT_KMALLOC && e->kind != KMT_CACHE_ALLOC &&
	    e->kind != KMT_CACHE_BULK_ALLOC)
		return;
	s->sources[source].failed++;
	*(page ? &s->unmatched.pages_failed : &s->unmatched.objects_failed) += 1;
}

static int count_event(struct stat_count *s, const struct trace_event *e)
{
	uint32_t source;

	if (e->kind == KMT_TASK) {
		const struct kmt_class *c = trace_reader_class(s->reader, e->class_id);

		s->comm[e->cpu] = c ? c->comm : 0;
	}
	source = count_source(s, e);
	if (source == NO_SOURCE)
		return -ENOMEM;
	if (e->address == KMT_NO_PAGE) {
		count_failed(s, e, source);
		return 0;
	}
	if (e->address > ADDRESS_MAX) /* no recorder writes that, and tables reserve it */
		return 0;
	switch (e->kind) {
	case KMT_PAGE_ALLOC:
	case KMT_STACK_PAGE:
	case KMT_BULK_PAGE:
	case KMT_MIGRATE_TO:
	case KMT_MIGRATE_PTE:
		return alloc_pages(s, e, source);
	case KMT_PAGE_FREE:
		return free_pages(s, e, source);
	case KMT_KMALLOC:
	case KMT_CACHE_ALLOC:
	case KMT_CACHE_BULK_ALLOC:
		return alloc_object(s, e, source);
	case KMT_KFREE:
	case KMT_CACHE_FREE:
	case KMT_CACHE_BULK_FREE:
		free_object(s, e, source);
		return 0;
	default:
		return 0;
	}
}

int stat_count_feed(struct stat_count *s, const struct trace_event *e, long n)
{
	int err = 0;

	for (long i = 0; !err && i < n; i++)
		err = count_event(s, &e[i]);
	return err;
}

const struct stat_source *stat_count_sources(const struct stat_count *s, uint32_t *n)
{
	*n = s->sources_n;
	return s->sources;
}

const struct stat_unmatched *stat_count_unmatched(const struct stat_count *s)
{
	return &s->unmatched;
}
