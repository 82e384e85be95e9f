/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reference.c - refmm as the allocator that requests.c asks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm_compact.h>

#include "replay/refcompact.h"
#include "replay/reference.h"
#include "trace/trace_io.h"

#define SECOND_NS 1000000000ull

enum {
	SECTION_PAGES = 1 << 15,       /* what deferred_grow_zone() gives at once */
	RECLAIM_NS = 10 * 1000 * 1000, /* at least, from one drain for want of pages to the next */
};

static struct rmm_page *page_at(const struct reference *f, uint32_t pfn)
{
	return rmm_pfn_to_page(f->rmm, pfn);
}

static void set_wake(struct reference *f)
{
	f->requests.wake_ns = f->next_refresh_ns;
	if (f->kswapd.next_ns < f->requests.wake_ns)
		f->requests.wake_ns = f->kswapd.next_ns;
	if (f->models_reclaim && f->reclaim.next_ns < f->requests.wake_ns)
		f->requests.wake_ns = f->reclaim.next_ns;
	if (f->next_tuning_ns < f->requests.wake_ns)
		f->requests.wake_ns = f->next_tuning_ns;
}

/* ops->grow */
static bool grow(void *ctx, uint64_t pfn, unsigned int order)
{
	struct reference *f = ctx;
	struct rmm_page_info info;
	struct rmm_zone_info zone;

	if (rmm_page_info(f->rmm, (rmm_pfn)pfn, &info) || info.state != RMM_PG_RESERVED ||
	    rmm_free_reserved(f->rmm, (rmm_pfn)pfn, 1ull << order))
		return false;
	if (!rmm_zone_info(f->rmm, info.zone, &zone))
		rmm_set_managed(f->rmm, info.zone, zone.managed + (1u << order));
	return true;
}

/* The blocks that @zone is given next, a section's worth; false: no more follow. */
static bool grow_early(struct reference *f, int zone)
{
	uint64_t pages = 0;

	for (; f->next_growth < f->start->growths && pages < SECTION_PAGES; f->next_growth++) {
		const struct start_growth *g = &f->start->growth[f->next_growth];

		if (rmm_pfn_zone(f->rmm, g->pfn) == zone &&
		    requests_grow_early(&f->requests, g->pfn, g->order))
			pages += 1ull << g->order;
	}
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

/* The kernel had a block: here it has to come from below the watermarks. */
static struct rmm_page *get_below_marks(struct reference *f, const struct trace_event *e,
					uint32_t gfp)
{
	uint32_t below = gfp & ~(uint32_t)(RMM_GFP_NOMEMALLOC | RMM_GFP_DIRECT_RECLAIM);
	struct rmm_page *page;

	page = rmm_alloc_pages(f->rmm, e->cpu, below | RMM_GFP_MEMALLOC, e->order);
	/* Its compaction began when there was room, and kept what it made. */
	if (!page && e->order)
		page = rmm_alloc_pages_captured(f->rmm, e->cpu, gfp, e->order);
	f->requests.counts.alloc_below_marks += page != NULL;
	return page;
}

/* The kernel had a block of some order: its compaction found what to move. */
static struct rmm_page *get_compacted(struct reference *f, const struct trace_event *e,
				      uint32_t gfp)
{
	if (!rmm_compact_hardest(f->rmm, e->cpu, gfp, e->order))
		return NULL;
	f->requests.counts.alloc_compacted++;
	return get_pages(f, e, gfp);
}

static uint32_t alloc_block(void *ctx, const struct trace_event *e, uint32_t gfp)
{
	struct reference *f = ctx;
	struct rmm_page *page;

	/* A huge page comes back in parts once the kernel has split it. */
	gfp &= ~(uint32_t)RMM_GFP_COMP;
	f->cpu = e->cpu;
	page = get_pages(f, e, gfp);
	if (!page && e->order)
		page = get_compacted(f, e, gfp);
	if (!page)
		page = get_below_marks(f, e, gfp);
	if (page && f->models_reclaim && reclaim_takes(gfp, e->order))
		reclaim_add(&f->reclaim, rmm_page_to_pfn(f->rmm, page), e->order,
			    fates_kept(f->fates, f->requests.allocs));
	return page ? rmm_page_to_pfn(f->rmm, page) : REQUESTS_NONE;
}

/* ops->refused */
static bool try_block(void *ctx, const struct trace_event *e, uint32_t gfp)
{
	struct reference *f = ctx;
	struct rmm_page *page;

	f->cpu = e->cpu;
	page = rmm_alloc_pages(f->rmm, e->cpu, gfp, e->order);
	if (page)
		rmm_free_pages(f->rmm, e->cpu, page, e->order);
	return page != NULL;
}

/* ops->paths */
static void count_paths(void *ctx, unsigned int cpu, uint64_t counts[PATHS])
{
	const struct reference *f = ctx;
	const struct rmm_stat *s = rmm_cpu_stat(f->rmm, cpu);

	counts[PATH_REFILL] = s->pcp_refill;
	counts[PATH_BUDDY] = s->buddy_alloc;
	counts[PATH_SLOW] = s->slow_path;
}

static int free_block(void *ctx, unsigned int cpu, uint32_t at, unsigned int order)
{
	struct reference *f = ctx;

	if (f->models_reclaim)
		reclaim_gone(&f->reclaim, at);
	return rmm_free_pages(f->rmm, cpu, page_at(f, at), order);
}

/* ops->keep */
static bool keep_block(void *ctx, unsigned int cpu, uint32_t at)
{
	struct reference *f = ctx;

	return f->models_reclaim && reclaim_defers(&f->reclaim, cpu, at);
}

/* ops->reclaim */
static void note_reclaim(void *ctx, const struct trace_event *e)
{
	struct reference *f = ctx;

	if (f->models_reclaim)
		reclaim_note(&f->reclaim, e);
}

static int split_block(void *ctx, uint32_t at, unsigned int order)
{
	struct reference *f = ctx;

	if (f->models_reclaim)
		lru_split(&f->reclaim.lru, at);
	return rmm_split_page(f->rmm, page_at(f, at), order);
}

/* What the vmstat worker does once a second. */
static void refresh(struct reference *f)
{
	const struct levels *l = &f->start->levels;
	/* Just after the start this is the rest of a second's work. */
	bool rest = l->decay_ns && f->next_refresh_ns == l->decay_ns;

	for (unsigned int cpu = 0; cpu < f->requests.nr_cpus; cpu++)
		if (!rest || levels_decayed(l, cpu))
			rmm_refresh_cpu_vm_stats(f->rmm, cpu);
	f->next_refresh_ns = (f->requests.now_ns / SECOND_NS + 1) * SECOND_NS;
}

static int set_tuning(struct reference *f, const struct read_lists *read, unsigned int zone,
		      unsigned int cpu)
{
	const struct rmm_pcp_tuning to = {
		.free_count = read->free_count,
		.alloc_factor =
			(uint8_t)(read->alloc_factor < UINT8_MAX ? read->alloc_factor : UINT8_MAX),
		.free_factor =
			(uint8_t)(read->free_factor < UINT8_MAX ? read->free_factor : UINT8_MAX),
	};

	return rmm_set_pcp_tuning(f->rmm, zone, cpu, &to);
}

/*
 * What the kernel's lists had adapted to, at the times when they were read: once before
 * the start, as the nearest there is, and once more when each time comes.
 */
static void tune(struct reference *f, bool before)
{
	const struct start_read *read = &f->start->read;
	uint64_t now = f->requests.now_ns, next = UINT64_MAX;

	for (size_t i = 0; read->at && i < (size_t)read->zones * read->cpus; i++) {
		const struct read_lists *at = &read->at[i];

		if (!at->at_ns)
			continue;
		if ((before || (at->at_ns >= f->next_tuning_ns && at->at_ns <= now)) &&
		    set_tuning(f, at, (unsigned int)(i / read->cpus),
			       (unsigned int)(i % read->cpus)))
			f->requests.counts.load_refused++;
		if ((before || at->at_ns > now) && at->at_ns < next)
			next = at->at_ns;
	}
	f->next_tuning_ns = next;
}

/* ops->wake: kswapd and the vmstat worker, at their times. */
static void background(void *ctx)
{
	struct reference *f = ctx;
	uint64_t now_ns = f->requests.now_ns;

	if (now_ns >= f->next_refresh_ns)
		refresh(f);
	if (now_ns >= f->next_tuning_ns)
		tune(f, false);
	if (now_ns >= f->kswapd.next_ns)
		kswapd_tick(&f->kswapd, now_ns);
	if (f->models_reclaim && now_ns >= f->reclaim.next_ns)
		reclaim_tick(&f->reclaim, now_ns);
	set_wake(f);
}

static void wake_kswapd(void *ctx, unsigned int zone, unsigned int order)
{
	struct reference *f = ctx;

	(void)order;
	if (f->models_reclaim)
		reclaim_wake(&f->reclaim, f->zones[zone].node, f->cpu, f->requests.now_ns);
	else
		kswapd_wake(&f->kswapd, f->zones[zone].node, f->requests.now_ns);
	set_wake(f);
}

/*
 * The kernel got its page, so its reclaim had made room by then: what it freed is in
 * the trace, before this. What is left is to look again with the lists drained; reclaim
 * takes its time, and so that is not done for every request. Modelled reclaim makes room
 * first, as long as it can.
 */
static uint64_t reclaimed(void *ctx, unsigned int cpu, unsigned int gfp, unsigned int order)
{
	struct reference *f = ctx;
	uint64_t pages = f->models_reclaim ? reclaim_direct(&f->reclaim, cpu, order) : 0;

	(void)gfp;
	if (pages)
		return pages;
	if (f->requests.now_ns < f->next_drain_ns)
		return 0;
	f->next_drain_ns = f->requests.now_ns + RECLAIM_NS;
	return 1;
}

static const struct requests_ops ops = {
	.alloc = alloc_block,
	.refused = try_block,
	.paths = count_paths,
	.free = free_block,
	.split = split_block,
	.grow = grow,
	.keep = keep_block,
	.reclaim = note_reclaim,
	.compact = reference_compact,
	.wake = background,
};

void reference_feed(struct reference *f, const struct trace_event *e, long n)
{
	requests_feed(&f->requests, e, n);
}

static void load_one(struct reference *f, const struct start *s, uint64_t pfn)
{
	const struct pagemap *m = &s->at.map;
	unsigned int order = page_head_order(m->head[pfn]);
	int type = f->config.pageblock_order > m->pageblock_order
			   ? rmm_get_pageblock_migratetype(f->rmm, (rmm_pfn)pfn)
			   : s->at.block_type[pfn >> m->pageblock_order];
	int err;

	switch (page_head_kind(m->head[pfn])) {
	case PAGE_FREE:
		err = rmm_load_free(f->rmm, (rmm_pfn)pfn, order, type);
		break;
	case PAGE_START: /* the kernel's own, and what no flag tells: stays where it is */
		type = RMM_UNMOVABLE;
		/* fall through */
	case PAGE_LIVE:
	case PAGE_TAKEN:
		err = rmm_load_allocated(f->rmm, (rmm_pfn)pfn, order,
					 type < RMM_MIGRATE_TYPES ? type : RMM_MOVABLE);
		if (!err)
			requests_load(&f->requests, pfn, order);
		break;
	default:
		return;
	}
	f->requests.counts.load_refused += err != 0;
}

/* Of the recorded pageblocks in @n pages from @pfn the type that most have, the first of
 * equals. @zone: of the pageblocks, HOST_ZONE_NONE: there are none */
static uint8_t type_of(const struct pagemap *m, const struct start *s, uint64_t pfn, uint64_t n,
		       unsigned int *zone)
{
	unsigned int votes[UINT8_MAX + 1] = {0};
	uint8_t most = 0;

	*zone = HOST_ZONE_NONE;
	for (uint64_t b = pfn >> m->pageblock_order;
	     b < m->nr_blocks && b << m->pageblock_order < pfn + n; b++) {
		if (m->block_zone[b] == HOST_ZONE_NONE)
			continue;
		if (*zone == HOST_ZONE_NONE)
			most = s->at.block_type[b];
		*zone = m->block_zone[b];
		if (++votes[s->at.block_type[b]] > votes[most])
			most = s->at.block_type[b];
	}
	return most;
}

/* A what-if's pageblocks may be smaller or larger than those that were recorded. */
static void load_types(struct reference *f, const struct start *s)
{
	const struct pagemap *m = &s->at.map;
	uint64_t n = 1ull << f->config.pageblock_order;

	for (uint64_t first = 0; first < m->nr_pfns; first += n) {
		unsigned int z;
		uint8_t type = type_of(m, s, first, n, &z);
		uint64_t pfn = first;

		if (z == HOST_ZONE_NONE)
			continue;
		if (pfn < f->zones[z].start_pfn)
			pfn = f->zones[z].start_pfn;
		if (pfn < first + n)
			rmm_set_pageblock_migratetype(f->rmm, (rmm_pfn)pfn, type);
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
			f->requests.counts.load_refused++;
	}
}

static void load_marks(struct reference *f, const struct host *h)
{
	for (unsigned int z = 0; z < h->nr_zones; z++)
		for (unsigned int cpu = 0; cpu < h->cpus; cpu++)
			rmm_load_pcp_high(f->rmm, z, cpu,
					  levels_at(&f->start->levels, z, cpu)->high);
}

int reference_start(struct reference *f, const struct start *s, const struct host *h, char *error)
{
	static const struct kswapd_spans no_spans;
	const struct rmm_hooks hooks = {.ctx = f,
					.wake_kswapd = wake_kswapd,
					.reclaim = reclaimed,
					.migrate = reference_migrate};
	int err;

	f->start = s;
	f->compact_zone = -1;
	f->requests = (struct requests){.ops = &ops, .ctx = f, .gfp = &f->gfp};
	err = requests_init(&f->requests, s, h);
	if (err)
		return err;
	/* The vmstat worker's timer is rounded to whole seconds of uptime. */
	f->next_refresh_ns = (s->t_ns / SECOND_NS + 1) * SECOND_NS;
	if (s->levels.decay_ns && s->levels.decay_ns < f->next_refresh_ns)
		f->next_refresh_ns = s->levels.decay_ns;
	f->next_tuning_ns = UINT64_MAX;
	set_wake(f);
	f->rmm = rmm_create(&f->config, error);
	if (!f->rmm)
		return -errno;
	rmm_set_hooks(f->rmm, &hooks);
	kswapd_init(&f->kswapd, f->rmm, f->models_reclaim ? &no_spans : &s->kswapd);
	load(f, s);
	load_marks(f, h);
	tune(f, true);
	err = rmm_setup_done(f->rmm);
	if (!err && f->models_reclaim)
		err = reclaim_init(&f->reclaim, f->rmm, &f->requests, &s->kswapd, f->cpu_node);
	set_wake(f);
	return err;
}

static void load_file(void *ctx, uint64_t pfn, const struct trace_page_run *run)
{
	struct reference *f = ctx;
	uint64_t end = pfn + (run->blocks << run->order);

	if (run->state != KMT_PG_FILE)
		return;
	for (; pfn < end && pfn < f->requests.nr_pfns; pfn++)
		if (f->requests.to[pfn] == pfn)
			reclaim_add(&f->reclaim, (uint32_t)pfn, f->requests.order[pfn],
				    fates_bit(f->fates->start_kept, pfn));
}

int reference_load_cache(struct reference *f, const struct fates *fates,
			 const struct snapshot *snap, struct trace_reader *r)
{
	int err = 0;

	f->fates = fates;
	for (size_t i = 0; i < snap->n && !err; i++)
		err = snapshot_chunk_runs(snap, r, i, load_file, f);
	return err;
}

void reference_destroy(struct reference *f)
{
	if (f->rmm)
		rmm_destroy(f->rmm);
	if (f->models_reclaim)
		reclaim_destroy(&f->reclaim);
	requests_destroy(&f->requests);
	free(f->cpu_node);
	memset(f, 0, sizeof(*f));
}
