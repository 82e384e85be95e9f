/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rmqueue.c - take a block off the free lists, whatever it needs.
 *
 * In this order, each a little worse than the one before:
 *
 *   CMA first, for movable requests while CMA holds over half of what is free
 *   NORMAL  own list, smallest block that fits
 *   CMA     the CMA lists, for movable requests
 *   CLAIM   another type's pageblock          (fallback.c)
 *   STEAL   another type's block
 *
 * A refill asks many times under one hold of the lock, so it remembers where it
 * found something last: after a steal it goes on stealing without searching
 * again; a claim filled the own list, so it starts over. The 6.1 policy
 * searches afresh every time.
 *
 * Locking: under the zone lock.
 *
 * Modelled: __rmqueue (6.12.117 and 6.1). (mm/page_alloc.c; LKD3 ch. 12
 * "Getting Pages")
 */
#include "layers.h"

/* 6.1: look on the own list, else have blocks moved there and look again */
static rmm_pfn rmqueue_61(struct rmm_zone *z, const struct rmm_want *want)
{
	for (;;) {
		rmm_pfn pfn = rmm__rmqueue_smallest(z, want->order,
						    want->migratetype);

		if (pfn == RMM_NO_PFN && (want->alloc_flags & RMM_ALLOC_CMA))
			pfn = rmm__rmqueue_smallest(z, want->order, RMM_CMA);
		if (pfn != RMM_NO_PFN)
			return pfn;
		if (!rmm__rmqueue_fallback(z, want))
			return RMM_NO_PFN;
	}
}

static rmm_pfn rmqueue_mode(struct rmm_zone *z, const struct rmm_want *want,
			    enum rmm_rmqueue_mode *mode)
{
	rmm_pfn pfn;

	switch (*mode) {
	case RMM_RMQUEUE_NORMAL:
		pfn = rmm__rmqueue_smallest(z, want->order, want->migratetype);
		if (pfn != RMM_NO_PFN)
			return pfn;
		/* fall through */
	case RMM_RMQUEUE_CMA:
		if (want->alloc_flags & RMM_ALLOC_CMA) {
			pfn = rmm__rmqueue_smallest(z, want->order, RMM_CMA);
			*mode = RMM_RMQUEUE_CMA;
			if (pfn != RMM_NO_PFN)
				return pfn;
		}
		/* fall through */
	case RMM_RMQUEUE_CLAIM:
		pfn = rmm__rmqueue_claim(z, want);
		*mode = RMM_RMQUEUE_NORMAL;
		if (pfn != RMM_NO_PFN)
			return pfn;
		/* fall through */
	case RMM_RMQUEUE_STEAL:
		if (want->alloc_flags & RMM_ALLOC_NOFRAGMENT)
			return RMM_NO_PFN;
		*mode = RMM_RMQUEUE_STEAL;
		return rmm__rmqueue_steal(z, want);
	}
	return RMM_NO_PFN;
}

/**
 * rmm__rmqueue() - one block for @want
 * @mode: RMM_RMQUEUE_NORMAL at the first call of a hold of the lock
 *
 * Return: its frame number, or RMM_NO_PFN.
 */
rmm_pfn rmm__rmqueue(struct rmm_zone *z, const struct rmm_want *want,
		     enum rmm_rmqueue_mode *mode)
{
	if (rmm_should_fail(z->rmm, RMM_FAULT_RMQUEUE, 0, want->order))
		return RMM_NO_PFN;
	if ((want->alloc_flags & RMM_ALLOC_CMA) &&
	    z->nr_free_cma > z->nr_free / 2) {
		rmm_pfn pfn = rmm__rmqueue_smallest(z, want->order, RMM_CMA);

		if (pfn != RMM_NO_PFN)
			return pfn;
	}
	if (z->rmm->config.fallback == RMM_FALLBACK_STEAL)
		return rmqueue_61(z, want);
	return rmqueue_mode(z, want, mode);
}
