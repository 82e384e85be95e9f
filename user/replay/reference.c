/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reference.c - from events to requests.
 *
 *   mm_page_alloc   rmm_alloc_pages, remember where
 *   mm_page_free    rmm_free_pages of what is there; block sizes that differ
 *                   are split or taken together first
 *   stack_page      rmm_alloc_pages, if the page is not known as live
 *
 * The placement events (zone_locked, drain, extfrag) are the kernel's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/reference.h"
#include "trace/trace_io.h"

#define SECOND_NS 1000000000ull

/* Values of `to` that are no frame. */
#define NOT_LIVE RMM_NO_PFN
#define FAILED	 (RMM_NO_PFN - 1)
#define GROWN	 (RMM_NO_PFN - 2) /* given to its zone before the kernel did */

enum {
	SECTION_PAGES = 1 << 15, /* what deferred_grow_zone() gives at once */
	STACK_GFP = RMM_GFP_KERNEL | RMM_GFP_ACCOUNT | RMM_GFP_ZERO,
	KSWAPD_NS = 20 * 1000 * 1000, /* how long kswapd takes to balance a zone */
};

static struct rmm_page *page_at(const struct reference *f, uint32_t pfn)
{
	return rmm_pfn_to_page(f->rmm, pfn);
}

static unsigned int order_of(const struct reference *f, uint32_t pfn)
{
	struct rmm_page_info info;

	return rmm_page_info(f->rmm, pfn, &info) ? 0 : info.order;
}

static void give_back(struct reference *f, unsigned int cpu, uint64_t pfn, unsigned int order)
{
	if (rmm_free_pages(f->rmm, cpu, page_at(f, f->to[pfn]), order))
		f->counts.free_refused++;
	f->to[pfn] = NOT_LIVE;
}

/* The block comes back in parts: it is single pages from now on. */
static void split(struct reference *f, uint64_t head, unsigned int order)
{
	uint32_t at = f->to[head];

	if (rmm_split_page(f->rmm, page_at(f, at), order)) {
		f->counts.free_refused++;
		return;
	}
	f->counts.split_live++;
	for (uint32_t i = 0; i < 1u << order && head + i < f->nr_pfns; i++)
		f->to[head + i] = at + i;
}

/* Find and split a larger live block that holds @pfn; false: there is none. */
static bool split_around(struct reference *f, uint64_t pfn, unsigned int order)
{
	for (unsigned int o = order; o < 32; o++) {
		uint64_t head = pfn >> o << o;
		unsigned int have;

		if (f->to[head] >= GROWN)
			continue;
		have = order_of(f, f->to[head]);
		if (have <= order || head + (1ull << have) <= pfn)
			return false;
		split(f, head, have);
		return true;
	}
	return false;
}

/* Reserved at the start, and now free: the zone grows. */
static bool grow(struct reference *f, uint64_t pfn, unsigned int order)
{
	struct rmm_page_info info;
	struct rmm_zone_info zone;

	if (rmm_page_info(f->rmm, (rmm_pfn)pfn, &info) || info.state != RMM_PG_RESERVED ||
	    rmm_free_reserved(f->rmm, (rmm_pfn)pfn, 1ull << order))
		return false;
	f->counts.grown_pages += 1ull << order;
	if (!rmm_zone_info(f->rmm, info.zone, &zone))
		rmm_set_managed(f->rmm, info.zone, zone.managed + (1u << order));
	return true;
}

/* All live parts of the freed range, one by one. */
static void free_parts(struct reference *f, unsigned int cpu, uint64_t pfn, unsigned int order)
{
	uint64_t parts = 0, failed = 0;

	for (uint64_t p = pfn; p < pfn + (1ull << order); p++) {
		if (f->to[p] == FAILED) {
			f->to[p] = NOT_LIVE;
			failed++;
		} else if (f->to[p] < GROWN) {
			give_back(f, cpu, p, order_of(f, f->to[p]));
			parts++;
		}
	}
	if (parts > 1)
		f->counts.joined_live++;
	else if (failed)
		f->counts.free_of_failed++;
	else if (!parts && !grow(f, pfn, order))
		f->counts.free_unknown++;
}

static void free_block(struct reference *f, const struct trace_event *e)
{
	uint32_t at = f->to[e->address];

	if (at == GROWN) {
		f->to[e->address] = NOT_LIVE;
		return;
	}
	if (at < GROWN) {
		unsigned int have = order_of(f, at);

		if (have == e->order) {
			give_back(f, e->cpu, e->address, e->order);
			return;
		}
		if (have > e->order)
			split(f, e->address, have);
	} else if (at == NOT_LIVE) {
		split_around(f, e->address, e->order);
	}
	free_parts(f, e->cpu, e->address, e->order);
}

/* The blocks that @zone is given next, a section's worth; false: no more follow. */
static bool grow_early(struct reference *f, int zone)
{
	uint64_t pages = 0;

	for (; f->next_growth < f->start->growths && pages < SECTION_PAGES; f->next_growth++) {
		const struct start_growth *g = &f->start->growth[f->next_growth];

		if (f->to[g->pfn] != NOT_LIVE || rmm_pfn_zone(f->rmm, g->pfn) != zone ||
		    !grow(f, g->pfn, g->order))
			continue;
		f->to[g->pfn] = GROWN;
		pages += 1ull << g->order;
	}
	f->counts.grown_early += pages;
	return pages > 0;
}

/*
 * Before the kernel turns to a lower zone it gives the better one the rest of its
 * memory (deferred_grow_zone). Where the reference turned lower than the kernel
 * did, it has come to that point first.
 */
static struct rmm_page *get_pages(struct reference *f, const struct trace_event *e, uint32_t gfp)
{
	struct rmm_page *page = rmm_alloc_pages(f->rmm, e->cpu, gfp, e->order);
	int wanted, got;

	if (f->next_growth == f->start->growths)
		return page;
	wanted = rmm_pfn_zone(f->rmm, (rmm_pfn)e->address);
	got = page ? rmm_pfn_zone(f->rmm, rmm_page_to_pfn(f->rmm, page)) : -1;
	if (got >= wanted || !grow_early(f, wanted))
		return page;
	if (page)
		rmm_free_pages(f->rmm, e->cpu, page, e->order);
	return rmm_alloc_pages(f->rmm, e->cpu, gfp, e->order);
}

static void alloc_block(struct reference *f, const struct trace_event *e, uint32_t gfp)
{
	struct rmm_page *page;

	if (f->to[e->address] < GROWN) {
		f->counts.alloc_of_live++;
		give_back(f, e->cpu, e->address, order_of(f, f->to[e->address]));
	}
	page = get_pages(f, e, gfp);
	if (!page)
		f->counts.alloc_failed++;
	f->to[e->address] = page ? rmm_page_to_pfn(f->rmm, page) : FAILED;
}

/* A stack that is reused is live already, alone or as part of a larger block. */
static void stack_page(struct reference *f, const struct trace_event *e)
{
	if (f->to[e->address] == NOT_LIVE)
		alloc_block(f, e, STACK_GFP);
}

/* kswapd and the vmstat worker, at their times. */
static void background(struct reference *f, uint64_t now_ns)
{
	for (unsigned int cpu = 0; cpu < f->nr_cpus; cpu++)
		rmm_refresh_cpu_vm_stats(f->rmm, cpu);
	f->next_refresh_ns = (now_ns / SECOND_NS + 1) * SECOND_NS;
}

static void kswapd(struct reference *f)
{
	f->kswapd_next_ns = 0;
	for (unsigned int z = 0; z < rmm_nr_zones(f->rmm); z++) {
		if (f->kswapd_ns[z] && f->now_ns >= f->kswapd_ns[z]) {
			rmm_kswapd_done(f->rmm, z);
			f->kswapd_ns[z] = 0;
		}
		if (f->kswapd_ns[z] && (!f->kswapd_next_ns || f->kswapd_ns[z] < f->kswapd_next_ns))
			f->kswapd_next_ns = f->kswapd_ns[z];
	}
}

static void wake_kswapd(void *ctx, unsigned int zone, unsigned int order)
{
	struct reference *f = ctx;

	(void)order;
	if (f->kswapd_ns[zone])
		return;
	f->kswapd_ns[zone] = f->now_ns + KSWAPD_NS;
	if (!f->kswapd_next_ns)
		f->kswapd_next_ns = f->kswapd_ns[zone];
}

static bool usable(struct reference *f, const struct trace_event *e)
{
	uint64_t size = e->order < 32 ? 1ull << e->order : UINT64_MAX;

	if (e->address == KMT_NO_PAGE) {
		f->counts.kernel_failed++;
		return false;
	}
	if (e->class_id < f->nr_classes && f->classes[e->class_id] && e->cpu < f->nr_cpus &&
	    e->address < f->nr_pfns && size <= f->nr_pfns - e->address &&
	    !(e->address & (size - 1)))
		return true;
	f->counts.unusable++;
	return false;
}

void reference_feed(struct reference *f, const struct trace_event *e, long n)
{
	for (; n > 0; n--, e++) {
		if ((e->kind > KMT_PAGE_FREE && e->kind != KMT_STACK_PAGE) ||
		    e->time_ns <= f->t_ns || !usable(f, e))
			continue;
		f->now_ns = e->time_ns;
		f->counts.events++;
		if (e->time_ns >= f->next_refresh_ns)
			background(f, e->time_ns);
		if (f->kswapd_next_ns && f->now_ns >= f->kswapd_next_ns)
			kswapd(f);
		if (e->kind == KMT_PAGE_ALLOC)
			alloc_block(f, e, gfp_translate(&f->gfp, f->classes[e->class_id]->gfp));
		else if (e->kind == KMT_PAGE_FREE)
			free_block(f, e);
		else
			stack_page(f, e);
	}
}

static void load_one(struct reference *f, const struct start *s, uint64_t pfn)
{
	const struct pagemap *m = &s->at.map;
	unsigned int order = page_head_order(m->head[pfn]);
	uint8_t type = s->at.block_type[pfn >> m->pageblock_order];
	int err;

	switch (page_head_kind(m->head[pfn])) {
	case PAGE_FREE:
		err = rmm_load_free(f->rmm, (rmm_pfn)pfn, order, type);
		break;
	case PAGE_LIVE:
	case PAGE_START:
	case PAGE_TAKEN:
		err = rmm_load_allocated(f->rmm, (rmm_pfn)pfn, order,
					 type < RMM_MIGRATE_TYPES ? type : RMM_MOVABLE);
		if (!err)
			f->to[pfn] = (uint32_t)pfn;
		break;
	default:
		return;
	}
	f->counts.load_refused += err != 0;
}

static void load_types(struct reference *f, const struct start *s)
{
	const struct pagemap *m = &s->at.map;

	for (uint64_t b = 0; b < m->nr_blocks; b++) {
		rmm_pfn pfn = (rmm_pfn)(b << m->pageblock_order);
		unsigned int z = m->block_zone[b];

		if (z == HOST_ZONE_NONE)
			continue;
		if (pfn < f->zones[z].start_pfn)
			pfn = f->zones[z].start_pfn;
		rmm_set_pageblock_migratetype(f->rmm, pfn, s->at.block_type[b]);
	}
}

static void load(struct reference *f, const struct start *s)
{
	load_types(f, s);
	for (uint64_t pfn = 0; pfn < s->at.map.nr_pfns; pfn++)
		if (s->at.map.head[pfn])
			load_one(f, s, pfn);
	for (size_t i = 0; i < s->pcps; i++) {
		const struct start_pcp *p = &s->pcp[i];

		if (rmm_load_pcp(f->rmm, p->cpu, p->pfn, p->order, p->migratetype))
			f->counts.load_refused++;
	}
}

static void load_marks(struct reference *f, const struct host *h)
{
	for (unsigned int z = 0; z < h->nr_zones; z++)
		for (unsigned int cpu = 0; cpu < h->cpus && h->zones[z].pcp_high; cpu++)
			rmm_load_pcp_high(f->rmm, z, cpu, h->zones[z].pcp_high[cpu]);
}

int reference_start(struct reference *f, const struct start *s, const struct host *h, char *error)
{
	const struct rmm_hooks hooks = {.ctx = f, .wake_kswapd = wake_kswapd};

	f->nr_pfns = h->nr_pfns;
	f->t_ns = f->now_ns = s->t_ns;
	/* The vmstat worker's timer is rounded to whole seconds of uptime. */
	f->next_refresh_ns = (s->t_ns / SECOND_NS + 1) * SECOND_NS;
	f->classes = s->at.classes;
	f->nr_classes = s->at.nr_classes;
	f->nr_cpus = h->cpus;
	f->start = s;
	f->to = malloc(f->nr_pfns * sizeof(*f->to));
	if (!f->to)
		return -ENOMEM;
	memset(f->to, 0xff, f->nr_pfns * sizeof(*f->to));
	f->rmm = rmm_create(&f->config, error);
	if (!f->rmm)
		return -errno;
	rmm_set_hooks(f->rmm, &hooks);
	load(f, s);
	load_marks(f, h);
	return rmm_setup_done(f->rmm);
}

void reference_destroy(struct reference *f)
{
	if (f->rmm)
		rmm_destroy(f->rmm);
	free(f->to);
	free(f->cpu_node);
	memset(f, 0, sizeof(*f));
}
