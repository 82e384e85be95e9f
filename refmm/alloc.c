/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * alloc.c - alloc_pages(): walk the zones, take a block from the first that may
 * give one.
 *
 *   rmm_alloc_pages
 *     get_page_from_freelist   low mark, no mixing of types if avoidable
 *       watermark ok? -> rmqueue: per-CPU list, or buddy lists
 *     __alloc_pages_slowpath   (slowpath.c) if that gave nothing
 *
 * The walk asks for the high mark first. That changes nothing for the request,
 * but once it fails the zone is BELOW_HIGH and per-CPU lists stop growing.
 *
 * Allocation failure is ordinary: NULL is an answer, and callers that cannot
 * wait get it soonest.
 *
 * Locking: takes pcp->lock or the zone lock.
 *
 * Modelled: __alloc_pages, prepare_alloc_pages, get_page_from_freelist,
 * rmqueue, rmqueue_buddy, prep_new_page. Omitted: cpusets, dirty balancing,
 * node_reclaim, deferred and unaccepted memory, memcg. (6.12,
 * mm/page_alloc.c; LKD3 ch. 12 "Getting Pages")
 */
#include <errno.h>

#include "alloc.h"
#include "pcp.h"

/* rmqueue_buddy(): straight from the lists under the zone lock */
static rmm_pfn rmqueue_buddy(struct rmm_zone *z, unsigned int cpu,
			     const struct rmm_want *want)
{
	enum rmm_rmqueue_mode mode = RMM_RMQUEUE_NORMAL;
	unsigned int flags = want->alloc_flags;
	rmm_pfn pfn = RMM_NO_PFN;

	rmm_zone_lock(z, cpu);
	if (flags & RMM_ALLOC_HIGHATOMIC)
		pfn = rmm__rmqueue_smallest(z, want->order, RMM_HIGHATOMIC);
	if (pfn == RMM_NO_PFN)
		pfn = rmm__rmqueue(z, want, &mode);
	/* Failing now is worse than failing a high-order request later. */
	if (pfn == RMM_NO_PFN && (flags & RMM_ALLOC_NON_BLOCK))
		pfn = rmm__rmqueue_smallest(z, want->order, RMM_HIGHATOMIC);
	if (pfn != RMM_NO_PFN)
		z->stat->buddy_alloc++;
	rmm_zone_unlock(z);
	return pfn;
}

/* rmqueue(): from zone @z, per-CPU lists first */
static rmm_pfn rmqueue(struct rmm_alloc_context *ac, struct rmm_zone *z)
{
	const struct rmm_want *want = &ac->want;
	const struct rmm_hooks *hooks = &ac->rmm->hooks;
	rmm_pfn pfn = RMM_NO_PFN;

	if (ac->rmm->pcp_orders >> want->order & 1)
		pfn = rmm_rmqueue_pcplist(z, ac->cpu, want);
	if (pfn == RMM_NO_PFN)
		pfn = rmqueue_buddy(z, ac->cpu, want);
	if ((want->alloc_flags & RMM_ALLOC_KSWAPD) && RMM_READ(z->boosted)) {
		RMM_WRITE(z->boosted, 0);
		if (hooks->wake_kswapd)
			hooks->wake_kswapd(hooks->ctx, z->id, 0);
	}
	return pfn;
}

/* May the request have memory of @z now? */
static bool zone_may_give(struct rmm_alloc_context *ac, struct rmm_zone *z)
{
	const struct rmm_want *want = &ac->want;
	unsigned int flags = want->alloc_flags;
	enum rmm_wmark mark = flags & RMM_ALLOC_WMARK_MASK;

	if (!RMM_READ(z->below_high)) {
		if (rmm_zone_watermark_fast(z, want,
					    rmm_wmark_pages(z, RMM_WMARK_HIGH),
					    ac->highest))
			return true;
		RMM_WRITE(z->below_high, 1);
	}
	if (flags & RMM_ALLOC_NO_WATERMARKS)
		return true;
	return rmm_zone_watermark_fast(z, want, rmm_wmark_pages(z, mark),
				       ac->highest);
}

/* One walk. *@remote: it stopped because NOFRAGMENT would have gone to another
 * node, and locality is worth more. */
static rmm_pfn walk_zones(struct rmm_alloc_context *ac, bool *remote)
{
	const struct rmm *rmm = ac->rmm;
	bool stay = (ac->want.alloc_flags & RMM_ALLOC_NOFRAGMENT) &&
		    !rmm->config.defrag_mode && rmm->nr_nodes > 1;
	unsigned int node = rmm_ac_zone(ac, ac->begin)->node;

	*remote = false;
	for (unsigned int i = ac->begin; i < ac->end; i++) {
		struct rmm_zone *z = rmm_ac_zone(ac, i);
		rmm_pfn pfn;

		if (z->type > ac->highest)
			continue;
		if (stay && z->node != node) {
			*remote = true;
			return RMM_NO_PFN;
		}
		if (!zone_may_give(ac, z))
			continue;
		pfn = rmqueue(ac, z);
		if (pfn == RMM_NO_PFN)
			continue;
		if (ac->want.alloc_flags & RMM_ALLOC_HIGHATOMIC)
			rmm_reserve_highatomic_pageblock(z, ac->cpu, pfn,
							 ac->want.order);
		return pfn;
	}
	return RMM_NO_PFN;
}

/**
 * rmm_get_page_from_freelist() - the first block that some zone may give
 *
 * With NOFRAGMENT, a walk that found nothing is repeated without.
 */
rmm_pfn rmm_get_page_from_freelist(struct rmm_alloc_context *ac)
{
	unsigned int flags = ac->want.alloc_flags;
	bool remote, again;
	rmm_pfn pfn;

	if (ac->begin >= ac->end)
		return RMM_NO_PFN;
	pfn = walk_zones(ac, &remote);
	again = remote || ((flags & RMM_ALLOC_NOFRAGMENT) &&
			   !ac->rmm->config.defrag_mode);
	if (pfn == RMM_NO_PFN && again) {
		ac->want.alloc_flags &= ~(unsigned int)RMM_ALLOC_NOFRAGMENT;
		pfn = walk_zones(ac, &remote);
		ac->want.alloc_flags = flags;
	}
	return pfn;
}

/* The block is the caller's now, and counted. Released, as compaction may take
 * it from here on. */
static inline struct rmm_page *give_page(struct rmm_page *page,
					 struct rmm_stat *stat,
					 unsigned int order, uint64_t word)
{
	page->private = 0;
	__atomic_store_n(&page->word, word, __ATOMIC_RELEASE);
	stat->alloc[order]++;
	return page;
}

/** rmm_prep_new_page() - prep_new_page() */
struct rmm_page *rmm_prep_new_page(struct rmm_alloc_context *ac, rmm_pfn pfn)
{
	struct rmm *rmm = ac->rmm;
	unsigned int order = ac->want.order;
	uint64_t word = rmm_page_word(0, RMM_PG_ALLOCATED, order,
				      (unsigned int)ac->want.migratetype);

	if (order && (ac->gfp & RMM_GFP_COMP))
		word |= (uint64_t)RMM_PF_HEAD << RMM_FLAGS_SHIFT;
	if (rmm->arena && (ac->gfp & RMM_GFP_ZERO))
		rmm_clear_pages(rmm, pfn, order);
	if (rmm->owner)
		rmm_owner_alloc(rmm, ac->cpu, pfn);
	return give_page(&rmm->memmap[pfn], &rmm->cpu[ac->cpu].stat, order,
			 word);
}

/**
 * rmm_prepare_alloc_pages() - derive everything from cpu, gfp and order
 * @nid: node to prefer, -1 for the CPU's
 *
 * Return: false if the request makes no sense, or shall fail.
 */
bool rmm_prepare_alloc_pages(struct rmm_alloc_context *ac, int nid)
{
	struct rmm *rmm = ac->rmm;

	if (ac->cpu >= rmm->config.nr_cpus || nid >= (int)rmm->nr_nodes ||
	    ac->want.order > rmm->config.max_order) {
		rmm_error(rmm, -EINVAL,
			  "cannot allocate order %u on CPU %u, node %d: beyond "
			  "order %u, %u CPUs or %u nodes",
			  ac->want.order, ac->cpu, nid, rmm->config.max_order,
			  rmm->config.nr_cpus, rmm->nr_nodes);
		return false;
	}
	if (!(ac->gfp & RMM_GFP_NOFAIL) &&
	    rmm_should_fail(rmm, RMM_FAULT_ALLOC, ac->gfp, ac->want.order))
		return false;
	if (nid < 0)
		nid = rmm->cpu[ac->cpu].node;
	ac->zonelist = &rmm->zonelist[nid];
	ac->highest = rmm_gfp_zone(rmm, ac->gfp);
	ac->begin = ac->zonelist->first[ac->highest];
	ac->end = ac->gfp & RMM_GFP_THISNODE ? ac->zonelist->nr_local
					     : ac->zonelist->nr;
	ac->want.migratetype = rmm_gfp_migratetype(rmm, ac->gfp);
	ac->want.alloc_flags = RMM_WMARK_LOW;
	if (ac->want.migratetype == RMM_MOVABLE)
		ac->want.alloc_flags |= RMM_ALLOC_CMA;
	return true;
}

/* alloc_flags_nofragment() */
static unsigned int first_walk_flags(const struct rmm_alloc_context *ac)
{
	unsigned int flags = 0;

	if (ac->gfp & RMM_GFP_KSWAPD_RECLAIM)
		flags |= RMM_ALLOC_KSWAPD;
	if (rmm_ac_zone(ac, ac->begin)->nofragment)
		flags |= RMM_ALLOC_NOFRAGMENT;
	return flags;
}

/* The walk, and what follows when it finds nothing */
static struct rmm_page *alloc_pages_walk(struct rmm *rmm, unsigned int cpu,
					 int nid, unsigned int gfp,
					 unsigned int order)
{
	struct rmm_alloc_context ac = {
		.rmm = rmm,
		.cpu = cpu,
		.gfp = gfp,
		.want = {.order = order},
	};
	rmm_pfn pfn = RMM_NO_PFN;

	if (!rmm_prepare_alloc_pages(&ac, nid)) {
		if (cpu < rmm->config.nr_cpus)
			rmm->cpu[cpu].stat.failed++;
		return NULL;
	}
	if (ac.begin < ac.end) {
		ac.want.alloc_flags |= first_walk_flags(&ac);
		pfn = rmm_get_page_from_freelist(&ac);
	}
	if (pfn == RMM_NO_PFN)
		pfn = rmm__alloc_pages_slowpath(&ac);
	if (pfn != RMM_NO_PFN)
		return rmm_prep_new_page(&ac, pfn);
	rmm->cpu[cpu].stat.failed++;
	return NULL;
}

/*
 * The case that decides the speed: a single page, the preferred zone above all
 * marks, and a per-CPU list that holds something. The walk would do the same.
 *
 * Return: NULL if it is another case; nothing has changed then.
 */
static inline struct rmm_page *
alloc_page_quick(struct rmm *rmm, unsigned int cpu, unsigned int gfp)
{
	unsigned int highest = rmm_gfp_zone(rmm, gfp);
	int mt = rmm_gfp_migratetype(rmm, gfp);
	struct rmm_cpu *c = &rmm->cpu[cpu];
	struct rmm_zone *z = c->preferred[highest];
	const struct rmm_want order0 = {.migratetype = mt};
	struct rmm_pcp *pcp;
	rmm_pfn pfn;

	if (rmm_unlikely(!z || (RMM_READ(rmm->watch) & (gfp | RMM_WATCH_ALL)) ||
			 RMM_READ(z->pressure) ||
			 !rmm_plenty(z, &order0,
				     rmm_wmark_pages(z, RMM_WMARK_HIGH),
				     highest)))
		return NULL;
	pcp = &z->pcp[cpu];
	if (rmm_unlikely(!rmm_trylock(rmm, &pcp->lock)))
		return NULL;
	/* Only now: another CPU may be draining this one's lists. */
	if (rmm_unlikely(!rmm_ring_count(&pcp->lists[mt]))) {
		rmm_unlock(rmm, &pcp->lock);
		return NULL;
	}
	pcp->free_count >>= 1;
	pcp->free_factor >>= 1;
	pfn = rmm_take_from_pcp(pcp, &pcp->lists[mt], 0);
	rmm_unlock(rmm, &pcp->lock);
	c->stat.pcp_hit++;
	return give_page(
		&rmm->memmap[pfn], &c->stat, 0,
		rmm_page_word(0, RMM_PG_ALLOCATED, 0, (unsigned int)mt));
}

/** rmm_alloc_pages_node() - __alloc_pages_node() */
struct rmm_page *rmm_alloc_pages_node(struct rmm *rmm, unsigned int cpu,
				      int nid, unsigned int gfp,
				      unsigned int order)
{
	return alloc_pages_walk(rmm, cpu, nid, gfp, order);
}

/** rmm_alloc_pages() - alloc_pages(), for simulated CPU @cpu */
struct rmm_page *rmm_alloc_pages(struct rmm *rmm, unsigned int cpu,
				 unsigned int gfp, unsigned int order)
{
	struct rmm_page *page;

	if (order == 0 && cpu < rmm->config.nr_cpus) {
		page = alloc_page_quick(rmm, cpu, gfp);
		if (page)
			return page;
	}
	return alloc_pages_walk(rmm, cpu, -1, gfp, order);
}
