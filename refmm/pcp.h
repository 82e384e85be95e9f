/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pcp.h - the hot half of pcp.c: a list that holds something, and a free that
 * drains nothing. Nine requests in ten end here, so it is inlined into its two
 * callers, alloc.c and free.c. What the lists are for is told in pcp.c.
 *
 * Locking: takes pcp->lock, tried only.
 */
#ifndef REFMM_PCP_H
#define REFMM_PCP_H

#include "layers.h"

/* pcp.c: the cold half; pcp->lock is held */
bool rmm_pcp_refill(struct rmm_zone *z, unsigned int cpu,
		    const struct rmm_want *want, struct rmm_list *list);
void rmm_pcp_drain(struct rmm_zone *z, unsigned int cpu, int count,
		   unsigned int pindex);

/** rmm_order_to_pindex() - order_to_pindex(): which list */
static inline unsigned int rmm_order_to_pindex(const struct rmm *rmm, int mt,
					       unsigned int order)
{
	if (order <= RMM_COSTLY_ORDER)
		return RMM_PCPTYPES * order + (unsigned int)mt;
	return RMM_LOWORDER_LISTS +
	       (rmm->config.pcp_thp_lists > 1 && mt == RMM_MOVABLE);
}

/** rmm_put_on_pcp() - describe a block that is about to enter a list */
static inline void rmm_put_on_pcp(struct rmm_zone *z, unsigned int cpu,
				  rmm_pfn pfn, unsigned int order, int mt)
{
	struct rmm_page *page = &z->memmap[pfn];

	RMM_WRITE(page->order, (uint8_t)order);
	RMM_WRITE(page->migratetype, (uint8_t)mt);
	page->cpu = cpu;
	RMM_WRITE(page->state, RMM_PG_PCP);
}

/** rmm_take_from_pcp() - a hit: the head of a list that has one */
static inline rmm_pfn rmm_take_from_pcp(struct rmm_zone *z, unsigned int cpu,
					struct rmm_list *list,
					unsigned int order)
{
	rmm_pfn pfn = list->first;

	rmm_list_del_first(z->memmap, list);
	z->pcp[cpu].count -= 1 << order;
	z->rmm->cpu[cpu].stat.pcp_hit++;
	return pfn;
}

/** rmm__rmqueue_pcplist() - __rmqueue_pcplist(): take the head; pcp->lock held
 */
static inline rmm_pfn rmm__rmqueue_pcplist(struct rmm_zone *z, unsigned int cpu,
					   const struct rmm_want *want)
{
	unsigned int pindex =
		rmm_order_to_pindex(z->rmm, want->migratetype, want->order);
	struct rmm_list *list = &z->pcp[cpu].lists[pindex];
	rmm_pfn pfn;

	if (!rmm_list_empty(list))
		return rmm_take_from_pcp(z, cpu, list, want->order);
	if (!rmm_pcp_refill(z, cpu, want, list))
		return RMM_NO_PFN;
	pfn = list->first;
	rmm_list_del_first(z->memmap, list);
	z->pcp[cpu].count -= 1 << want->order;
	return pfn;
}

/** rmm_rmqueue_pcplist() - a block from @cpu's lists, or RMM_NO_PFN */
static inline rmm_pfn rmm_rmqueue_pcplist(struct rmm_zone *z, unsigned int cpu,
					  const struct rmm_want *want)
{
	struct rmm_pcp *pcp = &z->pcp[cpu];
	rmm_pfn pfn;

	if (!rmm_trylock(z->rmm, &pcp->lock))
		return RMM_NO_PFN;
	pcp->free_count >>= 1;
	pcp->free_factor >>= 1;
	pfn = rmm__rmqueue_pcplist(z, cpu, want);
	rmm_unlock(z->rmm, &pcp->lock);
	return pfn;
}

/* The case in which rmm_nr_pcp_drain() tunes nothing: a single page, room
 * enough, no memory pressure. */
static inline __attribute__((always_inline)) bool
pcp_has_room(struct rmm_pcp *pcp, const struct rmm_zone *z, unsigned int order)
{
	if (order || pcp->count >= pcp->high || pcp->high < pcp->high_min ||
	    pcp->high > pcp->high_max || RMM_READ(z->below_high) ||
	    RMM_READ(z->reclaim_active))
		return false;
	pcp->flags &= (uint8_t)~RMM_PREV_FREE_HIGH;
	if (pcp->free_count < pcp->batch << RMM_PCP_SCALE_MAX)
		pcp->free_count++;
	return true;
}

/**
 * rmm_free_unref_page() - free to @cpu's lists
 *
 * A block of a type without lists goes to the movable one.
 *
 * Return: false if the block must go to the buddy lists instead.
 */
static inline __attribute__((always_inline)) bool
rmm_free_unref_page(struct rmm_zone *z, unsigned int cpu, rmm_pfn pfn,
		    unsigned int order)
{
	struct rmm_pcp *pcp = &z->pcp[cpu];
	int type = rmm_block_type(z, pfn), drain;
	int mt = type < RMM_PCPTYPES ? type : RMM_MOVABLE;
	unsigned int pindex = rmm_order_to_pindex(z->rmm, mt, order);

	if (order >= RMM_NR_ORDERS || !(z->rmm->pcp_orders >> order & 1) ||
	    type == RMM_ISOLATE)
		return false;
	if (!rmm_trylock(z->rmm, &pcp->lock))
		return false;
	pcp->alloc_factor >>= 1;
	rmm_put_on_pcp(z, cpu, pfn, order, type);
	rmm_list_add(z->memmap, &pcp->lists[pindex], pfn);
	pcp->count += 1 << order;
	z->rmm->cpu[cpu].stat.pcp_free++;
	if (!pcp_has_room(pcp, z, order)) {
		drain = rmm_nr_pcp_drain(pcp, z, order);
		if (drain)
			rmm_pcp_drain(z, cpu, drain, pindex);
	}
	rmm_unlock(z->rmm, &pcp->lock);
	return true;
}

#endif
