/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * free.c - __free_pages(): give a block back.
 *
 *   rmm_free_pages --+-- per-CPU list     orders 0..3 and huge pages
 *                    +-- buddy lists      other orders, isolated pageblocks,
 *                                         or the per-CPU lock is taken
 *
 * The kernel trusts the caller, and a wrong free destroys somebody else's data
 * some time later. Here a head knows its order and state, so a wrong free is
 * refused and named.
 *
 * Locking: takes pcp->lock or the zone lock.
 *
 * Modelled: __free_pages, free_unref_page, __free_pages_ok, free_one_page,
 * split_page, free_pages_prepare's checks. Simplified: a block has one
 * reference. Omitted: free_unref_folios (one page at a time does the same in
 * the same order). (6.12, mm/page_alloc.c; LKD3 ch. 12 "Freeing Pages")
 */
#include <errno.h>

#include "pcp.h"

/* Why @pfn cannot be freed as @order */
static int refuse(struct rmm *rmm, rmm_pfn pfn, unsigned int order)
{
	struct rmm_page_info info;

	if (rmm_page_info(rmm, pfn, &info))
		return rmm_error(
			rmm, -EINVAL,
			"cannot free pfn %u: in no zone (foreign page)", pfn);
	switch (info.state) {
	case RMM_PG_RESERVED:
		return rmm_error(
			rmm, -EINVAL,
			"cannot free pfn %u: reserved, never allocated", pfn);
	case RMM_PG_TAIL:
		return rmm_error(rmm, -EINVAL,
				 "cannot free pfn %u: tail page of pfn %u, "
				 "order %u; free that",
				 pfn, info.head, info.order);
	case RMM_PG_ALLOCATED:
		return rmm_error(rmm, -EINVAL,
				 "cannot free pfn %u as order %u: wrong order, "
				 "allocated as order %u",
				 pfn, order, info.order);
	default:
		return rmm_error(
			rmm, -EINVAL,
			"cannot free pfn %u: double free, it is free "
			"on %s list of order %u",
			pfn, info.state == RMM_PG_PCP ? "a per-CPU" : "a buddy",
			info.order);
	}
}

/* Is this one of our pages, given out with this order? */
static bool may_free(const struct rmm *rmm, const struct rmm_page *page,
		     unsigned int order)
{
	size_t at = (size_t)((const char *)page - (const char *)rmm->memmap);

	if (at >= rmm->memmap_bytes || at % sizeof(*page))
		return false;
	return RMM_READ(page->state) == RMM_PG_ALLOCATED &&
	       page->order == order;
}

static int refuse_page(struct rmm *rmm, unsigned int cpu,
		       const struct rmm_page *page, unsigned int order)
{
	size_t at = (size_t)((const char *)page - (const char *)rmm->memmap);

	if (cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot free on CPU %u: there are %u", cpu,
				 rmm->config.nr_cpus);
	if (at >= rmm->memmap_bytes || at % sizeof(*page))
		return rmm_error(rmm, -EINVAL,
				 "cannot free page %p: not of this instance "
				 "(foreign page)",
				 (const void *)page);
	return refuse(rmm, (rmm_pfn)(at / sizeof(*page)), order);
}

/* free_one_page() */
static void free_one_page(struct rmm_zone *z, unsigned int cpu, rmm_pfn pfn,
			  unsigned int order)
{
	rmm_zone_lock(z, cpu);
	z->stat->buddy_free++;
	rmm_split_large_buddy(z, pfn, order, false);
	rmm_zone_unlock(z);
}

/** rmm_free_pages() - __free_pages(); see refmm.h */
int rmm_free_pages(struct rmm *rmm, unsigned int cpu, struct rmm_page *page,
		   unsigned int order)
{
	struct rmm_stat *stat;
	struct rmm_zone *z;
	rmm_pfn pfn;

	if (cpu >= rmm->config.nr_cpus || !may_free(rmm, page, order))
		return refuse_page(rmm, cpu, page, order);
	pfn = (rmm_pfn)(page - rmm->memmap);
	z = rmm_page_zone(rmm, pfn);
	stat = &rmm->cpu[cpu].stat;
	/* Spelled out for order 0, so that a copy is made for it. */
	if (order == 0 && rmm_free_unref_page(z, cpu, pfn, 0)) {
		stat->free[0]++;
		stat->free_pages++;
		return 0;
	}
	stat->free[order < RMM_NR_ORDERS ? order : RMM_NR_ORDERS - 1]++;
	stat->free_pages += 1ull << order;
	if (order == 0 || !rmm_free_unref_page(z, cpu, pfn, order))
		free_one_page(z, cpu, pfn, order);
	return 0;
}

/** rmm_split_page() - split_page(): each page can be freed by itself then */
int rmm_split_page(struct rmm *rmm, struct rmm_page *page, unsigned int order)
{
	if (!may_free(rmm, page, order))
		return refuse_page(rmm, 0, page, order);
	for (size_t i = 1ull << order; i-- > 0;) {
		struct rmm_page *p = page + i;

		RMM_WRITE(p->order, 0);
		RMM_WRITE(p->migratetype, page->migratetype);
		p->flags = page->flags;
		p->count = 1;
		p->private = 0;
		RMM_WRITE(p->state, RMM_PG_ALLOCATED);
	}
	return 0;
}
