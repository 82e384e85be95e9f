/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pcp.c - per-CPU page lists, in front of the buddy lists.
 *
 * Each CPU keeps some free blocks of each zone, so that most requests take no
 * zone lock: three types times orders 0..3, and one or two lists of huge pages.
 *
 *      alloc: head <-- [5] [9] [7] <-- refill, in the order found
 *      free:  head --> [5] [9] [7] --> drain, coldest first
 *
 * A drain starts at the list that was just freed to, empties it or as much as
 * asked, and goes on round robin. A block of a type without lists goes to the
 * movable one, an isolated one straight to the buddy lists.
 *
 *   pcp->count = sum over lists l: nr(l) * 2^order(l)
 *
 * Locking: pcp->lock, tried only: who does not get it (a drain from another CPU
 * is at work) uses the buddy lists. Inside it, the zone lock.
 *
 * Modelled: order_to_pindex, rmqueue_bulk, __rmqueue_pcplist, rmqueue_pcplist,
 * free_pcppages_bulk, free_unref_page, drain_pages_zone, drain_all_pages,
 * decay_pcp_high. Simplified: lists are arrays (ring.h). Omitted: expiry of
 * remote nodes' lists. (6.12 and 6.1,
 * mm/page_alloc.c; LKD3 ch. 12 "Zones" has pageset in struct zone)
 */
#include "pcp.h"

enum {
	AHEAD = 16,	/* pages that a drain looks ahead */
	LINE_ORDER = 2, /* frames in a cache line */
};

/** rmm_pindex_to_order() - order of a list's blocks */
unsigned int rmm_pindex_to_order(const struct rmm *rmm, unsigned int pindex)
{
	return pindex < RMM_LOWORDER_LISTS ? pindex / RMM_PCPTYPES
					   : rmm->thp_order;
}

/* rmqueue_bulk(): @count blocks to @list's tail; returns how many there were */
static int rmqueue_bulk(struct rmm_zone *z, unsigned int cpu, int count,
			struct rmm_ring *list, const struct rmm_want *want)
{
	enum rmm_rmqueue_mode mode = RMM_RMQUEUE_NORMAL;
	int i;

	rmm_zone_lock(z, cpu);
	for (i = 0; i < count; i++) {
		rmm_pfn pfn = rmm__rmqueue(z, want, &mode);

		if (pfn == RMM_NO_PFN)
			break;
		/* Still noted: the list it was on, which may be CMA's. */
		rmm_put_on_pcp(&z->memmap[pfn], cpu, want->order,
			       z->memmap[pfn].migratetype);
		rmm_ring_add_tail(list, pfn);
	}
	z->stat->pcp_refill++;
	z->stat->pcp_refill_pages += (uint64_t)i << want->order;
	rmm_zone_unlock(z);
	return i;
}

/* 6.1 drains a page to the type noted when it came: of the list it was refilled
 * from, or of its pageblock when it was freed. 6.12 asks its pageblock now. */
static int drain_type(const struct rmm_zone *z, rmm_pfn pfn)
{
	int mt = rmm_block_type(z, pfn);

	if (z->rmm->config.fallback == RMM_FALLBACK_STEAL && mt != RMM_ISOLATE)
		return z->memmap[pfn].migratetype;
	return mt;
}

/* Drain a block that has left its list. */
static inline void drain_one(struct rmm_zone *z, rmm_pfn pfn,
			     unsigned int order)
{
	const struct rmm_hooks *hooks = &z->rmm->hooks;
	int mt = drain_type(z, pfn);

	/* A what-if: it may span types, which 6.1 does not look at. */
	if (order > z->pageblock_order && !rmm_is_61(z->rmm))
		rmm_split_large_buddy(z, pfn, order, false);
	else
		rmm__free_one_page(z, pfn, order, mt, false);
	if (hooks->pcpu_drain)
		hooks->pcpu_drain(hooks->ctx, z->cpu, pfn, order, mt);
}

/* Ask for what joining @pfn's buddy will touch: the frames that a free one is
 * linked to. Whether it is free is a toss, which the CPU would guess wrong, so
 * there is no branch: if it is not, frame 0 is asked for. */
static inline void expect_merge(const struct rmm_page *map, rmm_pfn pfn,
				unsigned int order)
{
	rmm_pfn half = 1u << order;
	bool merge = rmm_page_is(&map[pfn ^ half], RMM_PG_BUDDY, order);
	uint64_t mask = -(uint64_t)merge;
	uint64_t links = map[pfn ^ (half & mask)].private & mask;

	rmm_prefetch(map, (rmm_pfn)links);
	rmm_prefetch(map, links >> 32);
}

/*
 * Drain the @nr coldest blocks of a list.
 *
 * Pages come back in any order, and none of the frames that merging looks at
 * and unlinks is in a cache then. But the list says long before which pages are
 * next: so ask AHEAD pages early for their frames and for the nearest buddy's
 * that lies in another cache line, and half way, when those have come, for
 * what the first merge unlinks. Each later merge is half as frequent, and to
 * look ahead for it takes longer than it saves.
 */
static void drain_list(struct rmm_zone *z, struct rmm_ring *list,
		       unsigned int order, uint32_t nr)
{
	rmm_pfn other_line = 1u << (order > LINE_ORDER ? order : LINE_ORDER);
	bool inside = order < z->pageblock_order; /* this zone is the buddy */
	const struct rmm_page *map = z->memmap;
	struct rmm_ring r = *list; /* nobody else looks meanwhile */

	for (; nr; nr--) {
		if (rmm_likely(rmm_ring_count(&r) > AHEAD)) {
			rmm_pfn far = rmm_ring_from_tail(&r, AHEAD);
			rmm_pfn half_way = rmm_ring_from_tail(&r, AHEAD / 2);

			rmm_prefetch(map, far);
			rmm_prefetch(map, far ^ other_line);
			if (inside)
				expect_merge(map, half_way, order);
		}
		drain_one(z, rmm_ring_del_last(&r), order);
	}
	*list = r;
}

/* free_pcppages_bulk(): drain at least @count pages, list @pindex first */
static void free_pcppages_bulk(struct rmm_zone *z, unsigned int cpu, int count,
			       struct rmm_pcp *pcp, unsigned int pindex)
{
	int before = pcp->count;

	if (count > pcp->count)
		count = pcp->count;
	rmm_zone_lock(z, cpu);
	for (; count > 0; pindex = (pindex + 1) % RMM_PCP_LISTS) {
		struct rmm_ring *list = &pcp->lists[pindex];
		unsigned int order = rmm_pindex_to_order(z->rmm, pindex);
		uint32_t nr =
			((unsigned int)count + (1u << order) - 1) >> order;

		if (nr > rmm_ring_count(list))
			nr = rmm_ring_count(list);
		if (!nr)
			continue;
		drain_list(z, list, order, nr);
		pcp->count -= (int)(nr << order);
		count -= (int)(nr << order);
	}
	z->stat->pcp_drain++;
	z->stat->pcp_drain_pages += (uint64_t)(before - pcp->count);
	rmm_zone_unlock(z);
}

/** rmm_pcp_refill() - fill an empty list; false: there was nothing to find */
bool rmm_pcp_refill(struct rmm_zone *z, unsigned int cpu,
		    const struct rmm_want *want, struct rmm_ring *list)
{
	struct rmm_pcp *pcp = &z->pcp[cpu];
	int nr = rmm_nr_pcp_alloc(pcp, z, want->order);

	if (!rmm_ring_has_room(z->rmm, list, (uint32_t)nr))
		return false;
	nr = rmqueue_bulk(z, cpu, nr, list, want);
	pcp->count += nr << want->order;
	return nr > 0;
}

/* Memory is plentiful again: ZONE_BELOW_HIGH may go. */
static void check_below_high(struct rmm_zone *z)
{
	const struct rmm_want order0 = {0};

	if (!RMM_READ(z->below_high))
		return;
	if (rmm__zone_watermark_ok(z, &order0,
				   rmm_wmark_pages(z, RMM_WMARK_HIGH),
				   RMM_ZONE_MOVABLE, RMM_READ(z->nr_free_seen)))
		RMM_WRITE(z->below_high, 0);
}

/** rmm_pcp_commit_unlock() - the end of free_unref_page_commit(): a block of
 *  @order came to list @pindex; tune, drain if there are too many, and unlock.
 *  Returns 0. */
int rmm_pcp_commit_unlock(struct rmm_zone *z, unsigned int cpu,
			  unsigned int order, unsigned int pindex)
{
	struct rmm_pcp *pcp = &z->pcp[cpu];
	int drain = rmm_nr_pcp_drain(pcp, z, order);

	if (drain) {
		free_pcppages_bulk(z, cpu, drain, pcp, pindex);
		check_below_high(z);
	}
	rmm_unlock(z->rmm, &pcp->lock);
	return 0;
}

/**
 * rmm_free_unref_page() - free to @cpu's lists
 *
 * A block of a type without lists goes to the movable one.
 *
 * Return: false if the block must go to the buddy lists instead.
 */
bool rmm_free_unref_page(struct rmm_zone *z, unsigned int cpu, rmm_pfn pfn,
			 unsigned int order)
{
	struct rmm_pcp *pcp = &z->pcp[cpu];
	int type = rmm_block_type(z, pfn);
	int mt = type < RMM_PCPTYPES ? type : RMM_MOVABLE;
	unsigned int pindex = rmm_order_to_pindex(z->rmm, mt, order);

	if (order >= RMM_NR_ORDERS || !(z->rmm->pcp_orders >> order & 1) ||
	    type == RMM_ISOLATE)
		return false;
	if (!rmm_trylock(z->rmm, &pcp->lock))
		return false;
	if (!rmm_ring_has_room(z->rmm, &pcp->lists[pindex], 1)) {
		rmm_unlock(z->rmm, &pcp->lock);
		return false;
	}
	pcp->alloc_factor >>= 1;
	rmm_put_on_pcp(&z->memmap[pfn], cpu, order, type);
	rmm_ring_add(&pcp->lists[pindex], pfn);
	pcp->count += 1 << order;
	z->rmm->cpu[cpu].stat.pcp_free++;
	rmm_pcp_commit_unlock(z, cpu, order, pindex);
	return true;
}

/* drain_pages_zone(): empty the lists of CPU @of, on behalf of @cpu */
static void drain_pages_zone(struct rmm_zone *z, unsigned int cpu,
			     unsigned int of)
{
	struct rmm_pcp *pcp = &z->pcp[of];
	int count;

	do {
		rmm_lock(z->rmm, &pcp->lock);
		count = pcp->count;
		if (count > pcp->batch << RMM_PCP_SCALE_MAX)
			count = pcp->batch << RMM_PCP_SCALE_MAX;
		if (count)
			free_pcppages_bulk(z, cpu, count, pcp, 0);
		count = pcp->count;
		rmm_unlock(z->rmm, &pcp->lock);
	} while (count);
}

/** rmm_drain_zone_pages() - drain_local_pages() of @cpu for one zone */
void rmm_drain_zone_pages(struct rmm_zone *z, unsigned int cpu)
{
	drain_pages_zone(z, cpu, cpu);
}

/** rmm_drain_pages() - drain_local_pages() of @cpu */
void rmm_drain_pages(struct rmm *rmm, unsigned int cpu)
{
	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		drain_pages_zone(&rmm->zone[i], cpu, cpu);
}

/** rmm_drain_all_pages() - everybody's lists, by @cpu */
void rmm_drain_all_pages(struct rmm *rmm, unsigned int cpu)
{
	for (unsigned int of = 0; of < rmm->config.nr_cpus; of++)
		for (unsigned int i = 0; i < rmm->nr_zones; i++)
			drain_pages_zone(&rmm->zone[i], cpu, of);
}

/* decay_pcp_high() */
static void decay_pcp_high(struct rmm_zone *z, unsigned int cpu)
{
	struct rmm_pcp *pcp = &z->pcp[cpu];
	int most = pcp->count - (pcp->batch << RMM_PCP_SCALE_MAX);
	int high = pcp->high - (pcp->high >> 3), drain;

	if (pcp->high > pcp->high_min) {
		high = high > most ? high : most;
		pcp->high = high > pcp->high_min ? high : pcp->high_min;
	}
	for (drain = pcp->count - pcp->high; drain > 0; drain -= pcp->batch)
		free_pcppages_bulk(z, cpu,
				   drain < pcp->batch ? drain : pcp->batch, pcp,
				   0);
}

/** rmm_refresh_cpu_vm_stats() - refresh_cpu_vm_stats(): add up what the CPU put
 *  off, shrink its lists; 6.1 does not */
void rmm_refresh_cpu_vm_stats(struct rmm *rmm, unsigned int cpu)
{
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		struct rmm_zone *z = &rmm->zone[i];

		if (!z->present)
			continue;
		rmm_zone_lock(z, cpu);
		rmm_fold_stat_diff(z, cpu);
		rmm_zone_unlock(z);
		if (rmm->config.pcp_mode != RMM_PCP_AUTO ||
		    !rmm_trylock(rmm, &z->pcp[cpu].lock))
			continue;
		decay_pcp_high(z, cpu);
		rmm_unlock(rmm, &z->pcp[cpu].lock);
	}
}
