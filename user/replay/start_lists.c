/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * start_lists.c - what was on the per-CPU lists at the start.
 *
 *   head                                                     tail
 *   | allocated, in that order | guessed | stand-ins | drained, last first |
 *
 * Events tell the ends of a list: what is allocated comes from its head, what is
 * drained from its tail. The middle is pages that no event touches: as many as the
 * level of the CPU's lists (levels.h) lacks. Which pages these are cannot be known;
 * kernel pages that no event touches stand in for them. Which lists they are on can
 * be told in part: a list that was empty at any time has no middle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/start_lists.h"
#include "trace/trace_io.h"

enum { FIRST_PCPS = 1024, COSTLY_ORDER = 3 };

static bool add_pcp(struct start_pcp **list, size_t *n, size_t *room, const struct start_pcp *p)
{
	if (*n == *room) {
		size_t more = *room ? *room * 2 : FIRST_PCPS;
		struct start_pcp *grown = realloc(*list, more * sizeof(*grown));

		if (!grown)
			return false;
		*list = grown;
		*room = more;
	}
	(*list)[(*n)++] = *p;
	return true;
}

void touch_listed(struct touch *t, const struct start_pcp *p, bool drained)
{
	struct start *s = t->s;

	if (drained)
		t->no_memory |= !add_pcp(&t->drained, &t->drains, &t->drain_room, p);
	else
		t->no_memory |= !add_pcp(&s->pcp, &s->pcps, &t->pcp_room, p);
}

/* The kernel's number of a list (order_to_pindex): three types an order from 0 to 3, and
 * for huge pages two lists, the second for movable ones. */
static unsigned int list_number(unsigned int order, uint8_t migratetype)
{
	if (order <= COSTLY_ORDER)
		return order * PCP_TYPES + migratetype;
	return (COSTLY_ORDER + 1) * PCP_TYPES + (migratetype == MOVABLE);
}

/* Lists [@from, @to) of the CPU were empty. */
static void were_empty(struct touch *t, unsigned int zone, unsigned int cpu, unsigned int from,
		       unsigned int to)
{
	for (; from < to; from++)
		t->empty[zone * t->s->at.nr_cpus + cpu] |= (uint16_t)(1u << from);
}

/*
 * A drain empties a list before it turns to the next one, and passes over those that are
 * empty: if it comes from list a to list b, all from a to b - 1 are.
 */
static void learn_drain(struct touch *t, unsigned int zone, unsigned int cpu, unsigned int list)
{
	struct last_drained *last = &t->drain[cpu];

	if (last->list && last->zone == zone)
		were_empty(t, zone, cpu, last->list - 1, list);
	*last = (struct last_drained){zone, list + 1};
}

void touch_empty(struct touch *t, const struct trace_event *e, const struct kmt_class *c)
{
	unsigned int zone = pagemap_zone(&t->s->at.map, e->address), list;

	if (e->kind != KMT_PCPU_DRAIN)
		t->drain[e->cpu].list = 0;
	if (zone == HOST_ZONE_NONE || c->migratetype >= PCP_TYPES)
		return;
	list = list_number(e->order, c->migratetype);
	if (e->kind == KMT_PCPU_DRAIN)
		learn_drain(t, zone, e->cpu, list);
	else if (e->kind == KMT_ZONE_LOCKED && c->percpu_refill)
		were_empty(t, zone, e->cpu, list, list + 1);
}

static uint8_t block_type(const struct touch *t, uint64_t pfn)
{
	uint8_t type = t->s->at.block_type[pfn >> t->s->at.map.pageblock_order];

	return type < PCP_TYPES ? type : MOVABLE;
}

static bool was_empty(const struct touch *t, unsigned int zone, const struct start_pcp *p)
{
	return t->empty[zone * t->s->at.nr_cpus + p->cpu] >> list_number(p->order, p->migratetype) &
	       1;
}

/* Pages that came to a list before the pass began, and that no later event touched. */
static void guess_lists(struct touch *t)
{
	const struct pagemap *m = &t->s->at.map;
	struct start_pcp p = {0};

	for (uint64_t pfn = 0; pfn < m->nr_pfns; pfn++) {
		if (page_head_kind(m->head[pfn]) != PAGE_PCP || t->touched[pfn])
			continue;
		p.pfn = (uint32_t)pfn;
		p.order = (uint8_t)page_head_order(m->head[pfn]);
		p.migratetype = block_type(t, pfn);
		for (unsigned int tries = 0; tries < t->s->at.nr_cpus; tries++) {
			p.cpu = (uint16_t)((p.cpu + 1) % t->s->at.nr_cpus);
			if (!was_empty(t, pagemap_zone(m, pfn), &p))
				break;
		}
		touch_listed(t, &p, false);
		t->s->pcp_guessed += 1ull << p.order;
	}
}

/* Lists of one zone: what they held by the kernel's count, less what is known. */
struct lack {
	unsigned int zone;
	uint64_t pages;
	int64_t *by_cpu;
};

static void lack_of(const struct touch *t, struct lack *out)
{
	const struct start *s = t->s;
	int64_t total = 0;

	for (unsigned int c = 0; c < s->at.nr_cpus; c++) {
		int64_t pages = levels_at(&s->levels, out->zone, c)->pages;

		out->by_cpu[c] = pages;
		total += pages > 0 ? pages : 0;
	}
	for (size_t i = 0; i < s->pcps + t->drains; i++) {
		const struct start_pcp *p = i < s->pcps ? &s->pcp[i] : &t->drained[i - s->pcps];

		if (pagemap_zone(&s->at.map, p->pfn) != out->zone)
			continue;
		total -= 1ll << p->order;
		out->by_cpu[p->cpu] -= 1ll << p->order;
	}
	out->pages = total > 0 ? (uint64_t)total : 0;
}

/* Puts @p on the list that lacks most, of those that may hold it; false: none lacks it. */
static bool choose_cpu(const struct touch *t, const struct lack *l, struct start_pcp *p)
{
	int64_t most = (1ll << p->order) - 1;
	uint16_t best = 0;
	bool found = false;

	for (p->cpu = 0; p->cpu < t->s->at.nr_cpus; p->cpu++) {
		if (l->by_cpu[p->cpu] <= most || was_empty(t, l->zone, p))
			continue;
		most = l->by_cpu[p->cpu];
		best = p->cpu;
		found = true;
	}
	p->cpu = best;
	return found;
}

/* Is any page of the pageblock touched by an event? */
static bool in_use(const struct touch *t, uint64_t block)
{
	const struct pagemap *m = &t->s->at.map;
	uint64_t first = block << m->pageblock_order, n = 1ull << m->pageblock_order;

	if (first + n > m->nr_pfns)
		n = m->nr_pfns - first;
	for (uint64_t i = first; i < first + n; i++)
		if (t->touched[i])
			return true;
	return false;
}

/* Kernel pages, side by side, that no event touches. */
static bool can_stand_in(const struct touch *t, uint64_t pfn, unsigned int order)
{
	const struct pagemap *m = &t->s->at.map;

	for (uint64_t i = pfn; i < pfn + (1ull << order); i++)
		if (i >= m->nr_pfns || m->head[i] != PAGE_HEAD(PAGE_START, 0) || t->touched[i])
			return false;
	return true;
}

static void hide_in_block(struct touch *t, uint64_t block, unsigned int order, struct lack *l)
{
	struct pagemap *m = &t->s->at.map;
	uint64_t pfn = block << m->pageblock_order, end = (block + 1) << m->pageblock_order;
	uint64_t pages[PAGE_KINDS] = {0};

	for (; pfn < end && l->pages >= 1ull << order; pfn += 1ull << order) {
		struct start_pcp p = {.pfn = (uint32_t)pfn, .order = (uint8_t)order};

		p.migratetype = block_type(t, pfn);
		if (!can_stand_in(t, pfn, order))
			continue;
		if (!choose_cpu(t, l, &p))
			return;
		l->by_cpu[p.cpu] -= 1ll << order;
		l->pages -= 1ull << order;
		pagemap_detach(m, pfn, order, pages);
		pagemap_put(m, pfn, order, PAGE_PCP);
		touch_listed(t, &p, false);
		t->s->pcp_hidden += 1ull << order;
	}
}

/* Pageblocks that were in use come first. */
static void hide_in_zone(struct touch *t, unsigned int order, struct lack *l)
{
	const struct pagemap *m = &t->s->at.map;

	for (int used = 1; used >= 0; used--)
		for (uint64_t b = 0; b < m->nr_blocks && l->pages; b++)
			if (m->block_zone[b] == l->zone && in_use(t, b) == used)
				hide_in_block(t, b, order, l);
}

/* Most lists are of single pages; where those were empty it must be larger blocks. */
static void hide_lists(struct touch *t, const struct host *h)
{
	struct lack l = {.by_cpu = calloc(t->s->at.nr_cpus, sizeof(*l.by_cpu))};

	t->no_memory |= !l.by_cpu;
	for (; l.zone < h->nr_zones && l.by_cpu; l.zone++) {
		lack_of(t, &l);
		hide_in_zone(t, 0, &l);
		for (unsigned int order = COSTLY_ORDER; order > 0; order--)
			hide_in_zone(t, order, &l);
		if (h->thp_pcp)
			hide_in_zone(t, h->pageblock_order, &l);
	}
	free(l.by_cpu);
}

/* What was drained first sat at the tail. */
static void append_drained(struct touch *t)
{
	struct start *s = t->s;

	while (t->drains)
		t->no_memory |= !add_pcp(&s->pcp, &s->pcps, &t->pcp_room, &t->drained[--t->drains]);
	for (size_t i = 0; i < s->pcps; i++)
		s->pcp_pages += 1ull << s->pcp[i].order;
}

/* ---- Lists that were read ---------------------------------------------- */

/* What the map knows of a block on a list: kernel pages, or freed since. */
static bool could_be_listed(const struct pagemap *m, uint64_t pfn, unsigned int order)
{
	uint64_t end = pfn + (1ull << order);

	while (pfn < end) {
		uint8_t head;
		uint64_t first = pagemap_find(m, pfn, &head);
		enum page_kind kind = page_head_kind(head);

		if (kind != PAGE_START && kind != PAGE_PCP)
			return false;
		pfn = first + (1ull << page_head_order(head));
	}
	return true;
}

static void put_read(struct touch *t, uint8_t *listed, const struct start_pcp *p)
{
	struct pagemap *m = &t->s->at.map;
	uint64_t pages[PAGE_KINDS] = {0};

	if (listed[p->pfn] || !could_be_listed(m, p->pfn, p->order)) {
		t->s->pcp_misread += 1ull << p->order;
		return;
	}
	memset(listed + p->pfn, 1, 1ull << p->order);
	pagemap_detach(m, p->pfn, p->order, pages);
	pagemap_put(m, p->pfn, p->order, PAGE_PCP);
	touch_listed(t, p, false);
	t->s->pcp_read += 1ull << p->order;
}

static void put_lists(struct touch *t, uint8_t *listed, unsigned int zone, unsigned int cpu)
{
	const struct start_read *read = &t->s->read;
	const struct read_lists *from = &read->at[zone * read->cpus + cpu];
	struct level *level = &t->s->levels.at[zone * read->cpus + cpu];

	if (!from->at_ns)
		return;
	level->pages = from->count;
	level->high = from->high;
	for (unsigned int l = 0; l < START_READ_LISTS; l++)
		for (size_t i = 0; i < from->list[l].n; i++) {
			const struct start_pcp p = {
				.pfn = from->list[l].pfn[i],
				.cpu = (uint16_t)cpu,
				.order = (uint8_t)start_read_order(read, l),
				.migratetype = start_read_type(l),
			};

			put_read(t, listed, &p);
		}
}

/* Freed before the moment, and on no list then: past the lists. */
static void give_back(struct touch *t, const uint8_t *listed)
{
	struct pagemap *m = &t->s->at.map;
	uint64_t pages[PAGE_KINDS] = {0};

	for (uint64_t pfn = 0; pfn < m->nr_pfns; pfn++) {
		unsigned int order = page_head_order(m->head[pfn]);

		if (page_head_kind(m->head[pfn]) != PAGE_PCP || listed[pfn])
			continue;
		pagemap_detach(m, pfn, order, pages);
		pagemap_put_free(m, pfn, order);
	}
}

static void take_read(struct touch *t)
{
	const struct start_read *read = &t->s->read;
	uint8_t *listed = calloc(t->s->at.map.nr_pfns, 1);

	t->no_memory |= !listed || start_read_undo(&t->s->read, &t->s->at.map);
	for (unsigned int z = 0; !t->no_memory && z < read->zones; z++)
		for (unsigned int c = 0; c < read->cpus; c++)
			put_lists(t, listed, z, c);
	if (!t->no_memory)
		give_back(t, listed);
	free(listed);
}

void touch_lists(struct touch *t, const struct host *h)
{
	if (t->s->read.at) {
		take_read(t);
	} else {
		guess_lists(t);
		hide_lists(t, h);
	}
	append_drained(t);
}
