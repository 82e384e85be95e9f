/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* observed.c - the rules of each page event (mm/page_alloc.c, 6.1 to 6.18). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/observed.h"
#include "replay/paths.h"
#include "trace/trace_io.h"

enum { PCP_MAX_ORDER = 3 }; /* PAGE_ALLOC_COSTLY_ORDER */

int observed_init(struct observed *o, const struct host *h, const struct kmt_class *const *classes,
		  uint32_t nr_classes)
{
	int err;

	memset(o, 0, sizeof(*o));
	err = pagemap_init(&o->map, h);
	if (err)
		return err;
	o->classes = classes;
	o->nr_classes = nr_classes;
	o->thp_pcp = h->thp_pcp;
	o->nr_cpus = h->cpus;
	o->pending = calloc(h->cpus, sizeof(*o->pending));
	o->pcp_hidden = calloc(HOST_ZONE_NONE + 1, sizeof(*o->pcp_hidden));
	o->pcp_since_ns = h->start_ns;
	o->block_type = malloc(o->map.nr_blocks);
	if (!o->pending || !o->block_type || !o->pcp_hidden) {
		observed_destroy(o);
		return -ENOMEM;
	}
	memset(o->block_type, OBSERVED_NO_TYPE, o->map.nr_blocks);
	for (unsigned int i = 0; i < h->nr_zones; i++)
		o->pcp_hidden[i] = (int64_t)h->zones[i].pcp_start;
	return 0;
}

void observed_destroy(struct observed *o)
{
	pagemap_destroy(&o->map);
	free(o->pending);
	free(o->pcp_hidden);
	free(o->block_type);
	memset(o, 0, sizeof(*o));
}

static enum page_kind kind_of_state(uint8_t state)
{
	static const uint8_t kinds[] = {
		[KMT_PG_NONE] = PAGE_NONE,
		[KMT_PG_RESERVED] = PAGE_RESERVED,
		[KMT_PG_FREE] = PAGE_FREE,
		[KMT_PG_KERNEL] = PAGE_START,
	};

	return state < sizeof(kinds) ? kinds[state] : PAGE_LIVE;
}

static void load_block(struct observed *o, uint64_t pfn, unsigned int order, enum page_kind kind)
{
	if (kind == PAGE_FREE)
		pagemap_put_free(&o->map, pfn, order);
	else
		pagemap_put(&o->map, pfn, order, kind);
	if (kind != PAGE_RESERVED)
		pagemap_known(&o->map, pfn, 1ull << order);
}

/* Blocks that are not aligned, or free ones over max_order, come page by page. */
static void load_run(void *ctx, uint64_t pfn, const struct trace_page_run *run)
{
	struct observed *o = ctx;
	enum page_kind kind = kind_of_state(run->state);
	unsigned int order = run->order;
	uint64_t end = pfn + (run->blocks << order);

	if (kind == PAGE_NONE || pfn >= o->map.nr_pfns)
		return;
	if (end > o->map.nr_pfns)
		end = o->map.nr_pfns;
	if (kind == PAGE_FREE && pfn & ((1ull << order) - 1))
		o->counts.unaligned_free += end - pfn;
	if (pfn & ((1ull << order) - 1) || kind == PAGE_RESERVED ||
	    (kind == PAGE_FREE && order > o->map.max_order))
		order = 0;
	for (; pfn + (1ull << order) <= end; pfn += 1ull << order)
		load_block(o, pfn, order, kind);
}

int observed_load(struct observed *o, const struct snapshot *s, struct trace_reader *r)
{
	int err = 0;

	for (size_t i = 0; i < s->n && !err; i++)
		err = snapshot_chunk_runs(s, r, i, load_run, o);
	o->start = s->n ? s : NULL;
	return err;
}

bool observed_expects(unsigned int row, enum page_kind found)
{
	static const uint8_t sets[OBSERVED_KINDS] = {
		[KMT_PAGE_ALLOC] = 1 << PAGE_PCP | 1 << PAGE_TAKEN | 1 << PAGE_START,
		[KMT_PAGE_FREE] = 1 << PAGE_LIVE | 1 << PAGE_START,
		[KMT_ZONE_LOCKED] = 1 << PAGE_FREE,
		[KMT_EXTFRAG] = 1 << PAGE_FREE,
		[KMT_PCPU_DRAIN] = 1 << PAGE_PCP | 1 << PAGE_START,
		[OBSERVED_STACK] = 1 << PAGE_PCP | 1 << PAGE_START | 1 << PAGE_LIVE,
		[OBSERVED_BULK] = 1 << PAGE_PCP | 1 << PAGE_START | 1 << PAGE_LIVE,
		[OBSERVED_ISOLATE] = 1 << PAGE_FREE,
		[OBSERVED_MIGRATE] = 1 << PAGE_LIVE | 1 << PAGE_START,
		[OBSERVED_MIGRATE_PTE] =
			1 << PAGE_LIVE | 1 << PAGE_START | 1 << PAGE_FREE | 1 << PAGE_PCP,
		[OBSERVED_KEEP] = 1 << PAGE_LIVE | 1 << PAGE_PCP | 1 << PAGE_FREE,
	};

	return sets[row] & 1 << found;
}

static bool ambiguous(const struct observed *o, uint64_t pfn, uint64_t time_ns)
{
	return o->start && snapshot_age(o->start, pfn, time_ns) == SNAPSHOT_AMBIGUOUS;
}

/* The allocated block at @start is blocks of @order from now on. */
static void split(struct observed *o, uint64_t start, uint8_t head, unsigned int order)
{
	for (uint64_t i = 0; i < 1ull << page_head_order(head); i += 1ull << order)
		pagemap_put(&o->map, start + i, order, page_head_kind(head));
}

/* A block that comes back in parts (THP split, split_page) is parts from now on. */
static void shatter(struct observed *o, uint64_t pfn, unsigned int order)
{
	uint8_t head;
	uint64_t start = pagemap_find(&o->map, pfn, &head);
	enum page_kind kind = page_head_kind(head);

	if ((kind != PAGE_LIVE && kind != PAGE_START) || page_head_order(head) == order)
		return;
	if (page_head_order(head) < order) {
		o->counts.joined_live++;
		return;
	}
	o->counts.split_live++;
	split(o, start, head, order);
}

void observed_note_bypass(struct observed *o, uint64_t pfn, uint64_t n)
{
	uint64_t end = pfn + n;

	while (pfn < end && pfn < o->map.nr_pfns) {
		uint8_t head;
		uint64_t at = pagemap_find(&o->map, pfn, &head);

		if (page_head_kind(head) == PAGE_PCP && o->last_free[at] != OBSERVED_NO_FREE) {
			o->found_bypass(o->ctx, o->last_free[at]);
			o->last_free[at] = OBSERVED_NO_FREE;
		}
		pfn = head ? at + (1ull << page_head_order(head)) : pfn + 1;
	}
}

/* Cut the event's pages out of what holds them and count what that was. */
static void pull(struct observed *o, unsigned int event, const struct trace_event *e,
		 unsigned int order)
{
	bool unsure = ambiguous(o, e->address, e->time_ns);
	uint64_t pages[PAGE_KINDS] = {0};

	if (event == KMT_PAGE_FREE)
		shatter(o, e->address, order);
	if (o->last_free &&
	    (event == KMT_ZONE_LOCKED || event == KMT_EXTFRAG || event == OBSERVED_ISOLATE))
		observed_note_bypass(o, e->address, 1ull << order);
	pagemap_detach(&o->map, e->address, order, pages);
	if (event == KMT_PAGE_ALLOC || event == OBSERVED_BULK || event == KMT_PCPU_DRAIN)
		o->pcp_hidden[pagemap_zone(&o->map, e->address)] -= (int64_t)pages[PAGE_START];
	for (unsigned int k = 0; k < PAGE_KINDS; k++) {
		if (unsure && !observed_expects(event, (enum page_kind)k))
			o->counts.reconciled += pages[k];
		else
			o->counts.found[event][k] += pages[k];
	}
}

static bool goes_to_pcp(const struct observed *o, unsigned int order)
{
	return order <= PCP_MAX_ORDER || (o->thp_pcp && order == o->map.pageblock_order);
}

static void page_alloc(struct observed *o, const struct trace_event *e, unsigned int order)
{
	uint8_t *head = &o->map.head[e->address];

	if (*head == PAGE_HEAD(PAGE_PCP, order)) {
		o->map.pcp_pages[pagemap_zone(&o->map, e->address)] -= 1ull << order;
		o->counts.found[KMT_PAGE_ALLOC][PAGE_PCP] += 1ull << order;
	} else if (*head == PAGE_HEAD(PAGE_TAKEN, order)) {
		o->counts.found[KMT_PAGE_ALLOC][PAGE_TAKEN] += 1ull << order;
	} else {
		pull(o, KMT_PAGE_ALLOC, e, order);
	}
	*head = PAGE_HEAD(PAGE_LIVE, order);
}

/* A block that is live from here on, wherever it comes from. */
static void becomes_live(struct observed *o, unsigned int row, const struct trace_event *e)
{
	uint8_t *head = &o->map.head[e->address];

	if (*head == PAGE_HEAD(PAGE_LIVE, e->order))
		o->counts.found[row][PAGE_LIVE] += 1ull << e->order;
	else
		pull(o, row, e, e->order);
	if (row == OBSERVED_KEEP && o->last_free)
		o->last_free[e->address] = OBSERVED_NO_FREE;
	*head = PAGE_HEAD(PAGE_LIVE, e->order);
}

static void page_split(struct observed *o, const struct trace_event *e, const struct kmt_class *c)
{
	uint8_t head;
	uint64_t start = pagemap_find(&o->map, e->address, &head);

	if (page_head_kind(head) != PAGE_LIVE && page_head_kind(head) != PAGE_START)
		return;
	if (page_head_order(head) > c->fallback_order)
		split(o, start, head, c->fallback_order);
}

/* Is the next free to a PCP order one that went past the lists? */
static bool bypasses(struct observed *o)
{
	uint32_t number = o->frees++;

	if (o->next_bypass == o->bypasses || o->bypass[o->next_bypass] != number)
		return false;
	o->next_bypass++;
	o->counts.bypassed++;
	return true;
}

static void page_free(struct observed *o, const struct trace_event *e, unsigned int order)
{
	uint8_t *head = &o->map.head[e->address];

	if (*head == PAGE_HEAD(PAGE_LIVE, order)) {
		*head = 0;
		o->counts.found[KMT_PAGE_FREE][PAGE_LIVE] += 1ull << order;
	} else {
		pull(o, KMT_PAGE_FREE, e, order);
	}
	if (goes_to_pcp(o, order) && !bypasses(o)) {
		o->counts.to_pcp++;
		if (o->last_free)
			o->last_free[e->address] = o->frees - 1;
		pagemap_put(&o->map, e->address, order, PAGE_PCP);
	} else {
		o->counts.to_buddy++;
		pagemap_put_free(&o->map, e->address, order);
	}
}

/* A block of at least @order leaves the buddy lists; its rest stays. */
static void leave_buddy(struct observed *o, const struct trace_event *e, unsigned int event,
			bool to_pcp)
{
	uint8_t head = o->map.head[e->address];
	unsigned int order = e->order;

	if (page_head_kind(head) == PAGE_FREE && page_head_order(head) >= order) {
		pagemap_take_head(&o->map, e->address, order);
		o->counts.found[event][PAGE_FREE] += 1ull << order;
	} else {
		pull(o, event, e, order);
	}
	pagemap_put(&o->map, e->address, order, to_pcp ? PAGE_PCP : PAGE_TAKEN);
	if (o->last_free)
		o->last_free[e->address] = OBSERVED_NO_FREE;
	*(to_pcp ? &o->counts.refill : &o->counts.direct) += 1ull << order;
}

static void zone_locked(struct observed *o, const struct trace_event *e, const struct kmt_class *c)
{
	leave_buddy(o, e, KMT_ZONE_LOCKED, c->percpu_refill);
	o->block_type[e->address >> o->map.pageblock_order] = c->migratetype;
}

static void pcpu_drain(struct observed *o, const struct trace_event *e, const struct kmt_class *c)
{
	uint8_t *head = &o->map.head[e->address];

	if (*head == PAGE_HEAD(PAGE_PCP, e->order)) {
		*head = 0;
		o->map.pcp_pages[pagemap_zone(&o->map, e->address)] -= 1ull << e->order;
		o->counts.found[KMT_PCPU_DRAIN][PAGE_PCP] += 1ull << e->order;
	} else {
		pull(o, KMT_PCPU_DRAIN, e, e->order);
	}
	pagemap_put_free(&o->map, e->address, e->order);
	o->block_type[e->address >> o->map.pageblock_order] = c->migratetype;
}

static void change_hands(struct observed *o, uint64_t pfn, const struct kmt_class *c)
{
	uint64_t first = pfn >> o->map.pageblock_order, n = 1;

	if (c->fallback_order > o->map.pageblock_order)
		n = 1ull << (c->fallback_order - o->map.pageblock_order);
	for (uint64_t b = first; b < first + n && b < o->map.nr_blocks; b++)
		o->block_type[b] = c->migratetype;
}

static void extfrag(struct observed *o, const struct trace_event *e, const struct kmt_class *c)
{
	struct observed_fallback *f = &o->counts.fallback[c->migratetype % OBSERVED_TYPES]
							 [c->fallback_type % OBSERVED_TYPES];
	uint8_t head;

	pagemap_find(&o->map, e->address, &head);
	f->events++;
	if (page_head_kind(head) == PAGE_PCP || page_head_kind(head) == PAGE_TAKEN) {
		f->claimed++;
		change_hands(o, e->address, c);
		return;
	}
	if (c->fallback_order >= o->map.pageblock_order) {
		f->claimed++;
		change_hands(o, e->address, c);
	}
	o->pending[e->cpu] = (struct observed_pending){true, e->class_id, e->address};
}

/* Does @e, the CPU's next event, show that the extfrag only announced it? */
static bool announced(const struct observed *o, const struct observed_pending *p,
		      const struct kmt_class *c, const struct trace_event *e)
{
	unsigned int order = o->map.pageblock_order;

	if (!e || e->kind != KMT_ZONE_LOCKED || e->order != c->order)
		return false;
	if (e->address == p->pfn)
		return true;
	return c->fallback_order < order && e->address >> order == p->pfn >> order;
}

static void settle(struct observed *o, unsigned int cpu, const struct trace_event *next)
{
	struct observed_pending *p = &o->pending[cpu];
	const struct kmt_class *c = o->classes[p->class_id];
	struct trace_event e = {.address = p->pfn, .cpu = (uint16_t)cpu, .order = c->order};

	p->active = false;
	if (announced(o, p, c, next)) {
		o->counts.extfrag_announced++;
		return;
	}
	if (c->fallback_order < o->map.pageblock_order)
		o->counts
			.fallback[c->migratetype % OBSERVED_TYPES]
				 [c->fallback_type % OBSERVED_TYPES]
			.stolen++;
	o->counts.extfrag_removed++;
	e.time_ns = next ? next->time_ns : UINT64_MAX;
	leave_buddy(o, &e, KMT_EXTFRAG, goes_to_pcp(o, c->order));
}

/* Larger than any buddy block: gigantic pages. */
static void apply_gigantic(struct observed *o, const struct trace_event *e)
{
	struct trace_event part = *e;
	unsigned int order = o->map.max_order;

	for (uint64_t i = 0; i < 1ull << (e->order - order); i++) {
		if (e->kind == KMT_PAGE_FREE)
			page_free(o, &part, order);
		else
			page_alloc(o, &part, order);
		part.address += 1ull << order;
	}
}

static void apply(struct observed *o, const struct trace_event *e)
{
	const struct kmt_class *c = o->classes[e->class_id];

	o->counts.events[observed_row(e->kind)]++;
	switch (e->kind) {
	case KMT_PAGE_ALLOC:
	case KMT_PAGE_FREE:
		if (e->order > o->map.max_order)
			apply_gigantic(o, e);
		else if (e->kind == KMT_PAGE_ALLOC)
			page_alloc(o, e, e->order);
		else
			page_free(o, e, e->order);
		break;
	case KMT_ZONE_LOCKED:
		zone_locked(o, e, c);
		break;
	case KMT_EXTFRAG:
		extfrag(o, e, c);
		break;
	case KMT_PAGE_SPLIT:
		page_split(o, e, c);
		break;
	case KMT_STACK_PAGE:
	case KMT_BULK_PAGE:
	case KMT_PAGE_ISOLATE:
	case KMT_MIGRATE_TO:
	case KMT_MIGRATE_PTE:
	case KMT_PAGE_KEEP:
		becomes_live(o, (unsigned int)observed_row(e->kind), e);
		break;
	default:
		pcpu_drain(o, e, c);
	}
}

/* Is it an event on a block that can be? Damage and surprises stop here. */
static bool usable(struct observed *o, const struct trace_event *e)
{
	uint64_t size = e->order < 32 ? 1ull << e->order : UINT64_MAX;

	if (e->class_id >= o->nr_classes || !o->classes[e->class_id]) {
		o->counts.class_unknown++;
		return false;
	}
	if (e->address == KMT_NO_PAGE) {
		o->counts.kernel_failed++;
		return false;
	}
	if (e->cpu >= o->nr_cpus || e->address >= o->map.nr_pfns ||
	    size > o->map.nr_pfns - e->address || e->address & (size - 1) ||
	    (e->order > o->map.max_order && e->kind > KMT_PAGE_FREE)) {
		o->counts.out_of_range++;
		return false;
	}
	return true;
}

/* Pages that an event puts on per-CPU lists, or takes off, whatever is on them. */
static int64_t list_change(const struct observed *o, const struct trace_event *e)
{
	int64_t pages = goes_to_pcp(o, e->order) ? 1ll << e->order : 0;

	switch (e->kind) {
	case KMT_PAGE_FREE:
		return pages;
	case KMT_ZONE_LOCKED:
		return o->classes[e->class_id]->percpu_refill ? pages : 0;
	case KMT_PAGE_ALLOC:
	case KMT_BULK_PAGE:
	case KMT_PCPU_DRAIN:
		return -pages;
	default:
		return 0;
	}
}

/* While the snapshot is being read: does it show the event already? */
static bool in_snapshot(struct observed *o, const struct trace_event *e)
{
	if (e->time_ns > o->start->t_last_ns) {
		o->start = NULL;
		return false;
	}
	if (snapshot_age(o->start, e->address, e->time_ns) != SNAPSHOT_INCLUDED)
		return false;
	if (e->time_ns > o->pcp_since_ns)
		o->pcp_hidden[pagemap_zone(&o->map, e->address)] += list_change(o, e);
	o->counts.before_snapshot++;
	return true;
}

void observed_feed(struct observed *o, const struct trace_event *e, long n)
{
	for (; n > 0; n--, e++) {
		if (o->paths)
			paths_event(o->paths, e, paths_found(&o->map, e));
		if (observed_row(e->kind) < 0 || !usable(o, e))
			continue;
		if (o->start && in_snapshot(o, e))
			continue;
		if (o->pending[e->cpu].active)
			settle(o, e->cpu, e);
		apply(o, e);
	}
}

void observed_finish(struct observed *o)
{
	for (unsigned int cpu = 0; cpu < o->nr_cpus; cpu++)
		if (o->pending[cpu].active)
			settle(o, cpu, NULL);
}
