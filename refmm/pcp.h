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
		    const struct rmm_want *want, struct rmm_ring *list);
int rmm_pcp_commit_unlock(struct rmm_zone *z, unsigned int cpu,
			  unsigned int order, unsigned int pindex);
bool rmm_free_unref_page(struct rmm_zone *z, unsigned int cpu, rmm_pfn pfn,
			 unsigned int order);

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
static inline void rmm_put_on_pcp(struct rmm_page *page, unsigned int cpu,
				  unsigned int order, int mt)
{
	RMM_WRITE(page->word, rmm_page_word((int32_t)~cpu, RMM_PG_PCP, order,
					    (unsigned int)mt));
}

/** rmm_take_from_pcp() - the head of a list that has one */
static inline rmm_pfn rmm_take_from_pcp(struct rmm_pcp *pcp,
					struct rmm_ring *list,
					unsigned int order)
{
	pcp->count -= 1 << order;
	return rmm_ring_del_first(list);
}

/** rmm__rmqueue_pcplist() - __rmqueue_pcplist(): take the head; pcp->lock held
 */
static inline rmm_pfn rmm__rmqueue_pcplist(struct rmm_zone *z, unsigned int cpu,
					   const struct rmm_want *want)
{
	unsigned int pindex =
		rmm_order_to_pindex(z->rmm, want->migratetype, want->order);
	struct rmm_pcp *pcp = &z->pcp[cpu];
	struct rmm_ring *list = &pcp->lists[pindex];

	if (rmm_ring_count(list))
		z->rmm->cpu[cpu].stat.pcp_hit++;
	else if (!rmm_pcp_refill(z, cpu, want, list))
		return RMM_NO_PFN;
	return rmm_take_from_pcp(pcp, list, want->order);
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

/**
 * rmm_free_unref_page_quick() - free a single page to a CPU's lists
 * @block: its pageblock's type_zone
 *
 * The case in which rmm_nr_pcp_drain() tunes nothing: room enough, no memory
 * pressure. The lock is held, or there are no threads.
 *
 * Return: 0; 1 if rmm_pcp_commit_unlock() must follow; -1 if it is another
 * case, and nothing has changed.
 */
static inline int rmm_free_unref_page_quick(struct rmm_pcp *pcp,
					    struct rmm_page *page, rmm_pfn pfn,
					    size_t block)
{
	size_t type = block & UINT8_MAX;
	const struct rmm_zone *z = pcp->zone;
	struct rmm_ring *list = &pcp->lists[type];

	if (rmm_unlikely(type >= RMM_PCPTYPES || block >> 8 != z->id ||
			 rmm_ring_count(list) == list->room))
		return -1;
	rmm_ring_add(list, pfn);
	RMM_WRITE(page->word, pcp->word | (uint64_t)type << RMM_TYPE_SHIFT);
	pcp->nr_quick++;
	if (rmm_unlikely(pcp->untuned)) {
		pcp->alloc_factor >>= 1;
		pcp->flags &= (uint8_t)~RMM_PREV_FREE_HIGH;
	}
	if (rmm_unlikely(++pcp->count >= pcp->high || RMM_READ(z->pressure)))
		return 1;
	if (pcp->free_count < pcp->batch << RMM_PCP_SCALE_MAX)
		pcp->free_count++;
	return 0;
}

#endif
