/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bulk.c - alloc_pages_bulk(): many single pages at once.
 *
 * vmalloc, network page pools and the like need hundreds of order-0 pages.
 * Taking them from the per-CPU list in one go saves the zone walk for each. The
 * array may have holes; only those are filled:
 *
 *      pages[]  | A | - | - | B | - |   -->   | A | 7 | 8 | B | 9 |
 *
 * It is no promise: if no local zone has room for all above its low mark, or
 * the lists run dry, the caller gets one page, or fewer, and asks again.
 *
 * Locking: pcp->lock once for all pages.
 *
 * Modelled: alloc_pages_bulk (array form), including that the watermark check
 * asks for room for all @nr entries, filled or not. Simplified: requests
 * charged to a memory cgroup get one page, as with memcg_kmem_online(). (6.12,
 * mm/page_alloc.c; after LKD3)
 */
#include "alloc.h"
#include "pcp.h"

/* The first local zone that keeps its low mark after @nr pages; NULL if none */
static struct rmm_zone *find_zone(struct rmm_alloc_context *ac, size_t nr)
{
	unsigned int node = rmm_ac_zone(ac, ac->begin)->node;

	for (unsigned int i = ac->begin; i < ac->end; i++) {
		struct rmm_zone *z = rmm_ac_zone(ac, i);
		uint64_t mark = rmm_wmark_pages(z, RMM_WMARK_LOW) + nr;

		if (z->type > ac->highest)
			continue;
		if (z->node != node)
			return NULL;
		if (rmm_zone_watermark_fast(z, &ac->want, mark,
					    rmm_ac_zone(ac, ac->begin)->type))
			return z;
	}
	return NULL;
}

/* Fill holes from @z's per-CPU list; returns the pages found. *@done: entries
 * known to be filled. */
static size_t fill(struct rmm_alloc_context *ac, struct rmm_zone *z, size_t nr,
		   struct rmm_page **pages, size_t *done)
{
	uint8_t *lock = &z->pcp[ac->cpu].lock;
	size_t found = 0;

	if (!rmm_trylock(ac->rmm, lock))
		return 0;
	for (; *done < nr; ++*done) {
		rmm_pfn pfn;

		if (pages[*done])
			continue;
		pfn = rmm__rmqueue_pcplist(z, ac->cpu, &ac->want);
		if (pfn == RMM_NO_PFN)
			break;
		pages[*done] = rmm_prep_new_page(ac, pfn);
		found++;
	}
	rmm_unlock(ac->rmm, lock);
	return found;
}

/** rmm_alloc_pages_bulk() - alloc_pages_bulk(); see refmm.h */
size_t rmm_alloc_pages_bulk(struct rmm *rmm, unsigned int cpu, unsigned int gfp,
			    size_t nr, struct rmm_page **pages)
{
	size_t done = 0;

	while (done < nr && pages[done])
		done++;
	if (done == nr)
		return done;
	/* One page, or none of its own: as any other request */
	if (nr - done > 1 && (rmm->pcp_orders & 1) &&
	    !(gfp & RMM_GFP_ACCOUNT)) {
		struct rmm_alloc_context ac = {
			.rmm = rmm, .cpu = cpu, .gfp = gfp};
		struct rmm_zone *z = NULL;

		if (!rmm_prepare_alloc_pages(&ac, -1))
			return done;
		if (ac.begin < ac.end)
			z = find_zone(&ac, nr);
		if (z && fill(&ac, z, nr, pages, &done))
			return done;
	}
	pages[done] = rmm_alloc_pages(rmm, cpu, gfp, 0);
	return pages[done] ? done + 1 : done;
}
