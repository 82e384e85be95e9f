/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pcp_tune.c - how many pages a per-CPU list takes, keeps and gives back.
 *
 *    pages on the lists
 *   high_max +- - - - - - - - - - - - - - - - -  1/8 of the zone per CPU
 *            |            high, tuned:
 *            |     ^  +batch at every refill
 *       high +-----|-------------------------  drain from here on
 *            |     v  -1/8 a second when idle; less when memory is short
 *   high_min +- - - - - - - - - - - - - - - - -  low watermark per CPU
 *
 * Refills double while allocations are not broken by frees (alloc_factor), and
 * drains grow with the frees not broken by allocations (free_count). Each
 * halves the other's. So a CPU that only allocates or only frees takes the zone
 * lock seldom, and one that does both in turn keeps little.
 *
 * Linux 6.1 had one high mark per zone and a doubling drain (free_factor).
 *
 *   high_min <= high <= high_max, 0 <= alloc_factor <= 5
 *
 * Locking: pcp->lock is held.
 *
 * Modelled: nr_pcp_alloc, nr_pcp_free, nr_pcp_high, the tuning part of
 * free_unref_page_commit; their 6.1 forms. Simplified: PCPF_FREE_HIGH_BATCH is
 * a setting (the kernel derives it from cache sizes). (6.12 and 6.1,
 * mm/page_alloc.c; LKD3 ch. 12 knows per-CPU pages only by name)
 */
#include "layers.h"

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

/* As the kernel's clamp(), also where lo > hi */
static int clamp_int(int v, int lo, int hi)
{
	return v >= hi ? hi : v <= lo ? lo : v;
}

/* Part of nr_pcp_alloc(): order 0 doubles, up to what has room */
static int nr_alloc_order0(struct rmm_pcp *pcp, int high)
{
	int batch = pcp->batch << pcp->alloc_factor;
	int room = max_int(high - pcp->count - pcp->batch, pcp->batch);

	if (batch <= room && pcp->alloc_factor < RMM_PCP_SCALE_MAX)
		pcp->alloc_factor++;
	return min_int(batch, room);
}

/** rmm_nr_pcp_alloc() - nr_pcp_alloc(): blocks of @order for the next refill */
int rmm_nr_pcp_alloc(struct rmm_pcp *pcp, const struct rmm_zone *z,
		     unsigned int order)
{
	int batch = pcp->batch, high;

	if (z->rmm->config.pcp_mode == RMM_PCP_AUTO) {
		high = clamp_int(pcp->high, pcp->high_min, pcp->high_max);
		pcp->high = high;
		if (high < batch)
			return 1;
		if (order == 0)
			batch = pcp->batch << pcp->alloc_factor;
		/* A larger high could have saved this refill. */
		if (pcp->high_min != pcp->high_max && !RMM_READ(z->below_high))
			high = pcp->high = min_int(high + batch, pcp->high_max);
		batch = order ? batch : nr_alloc_order0(pcp, high);
	}
	return batch > 1 ? max_int(batch >> order, 2) : batch;
}

/* nr_pcp_free(): pages to drain, leaving a batch on the lists */
static int nr_pcp_free(const struct rmm_pcp *pcp, int high, bool free_high)
{
	int most = pcp->batch << RMM_PCP_SCALE_MAX;

	if (free_high)
		return min_int(pcp->count, most);
	if (high < pcp->batch)
		return 1;
	return clamp_int(pcp->free_count, pcp->batch, high - pcp->batch);
}

/* nr_pcp_high(): drain from this many pages on */
static int nr_pcp_high(struct rmm_pcp *pcp, const struct rmm_zone *z,
		       bool free_high)
{
	int high = clamp_int(pcp->high, pcp->high_min, pcp->high_max);
	int batch = pcp->batch, step;

	pcp->high = high;
	if (!high)
		return 0;
	if (free_high) {
		pcp->high = max_int(high - (batch << RMM_PCP_SCALE_MAX),
				    pcp->high_min);
		return 0;
	}
	step = max_int(pcp->free_count, batch);
	if (RMM_READ(z->reclaim_active)) {
		pcp->high = max_int(high - step, pcp->high_min);
		return min_int(batch << 2, pcp->high);
	}
	if (pcp->high_min == pcp->high_max)
		return high;
	if (RMM_READ(z->below_high)) {
		pcp->high = max_int(high - step, pcp->high_min);
		return max_int(pcp->count, pcp->high_min);
	}
	if (pcp->count >= high && high < pcp->free_count + batch)
		pcp->high = clamp_int(pcp->free_count + batch, pcp->high_min,
				      pcp->high_max);
	return high;
}

/* 6.1: pages to drain after a free of @order; 0 for none */
static int nr_drain_61(struct rmm_pcp *pcp, const struct rmm_zone *z,
		       unsigned int order)
{
	bool free_high = pcp->free_factor && order && order <= RMM_COSTLY_ORDER;
	int batch = pcp->batch, high = pcp->high, room;

	if (free_high)
		return pcp->count;
	if (RMM_READ(z->reclaim_active))
		high = min_int(batch << 2, high);
	if (pcp->count < high)
		return 0;
	if (high < batch)
		return 1;
	room = high - batch;
	batch <<= pcp->free_factor;
	if (batch < room && pcp->free_factor < RMM_PCP_SCALE_MAX)
		pcp->free_factor++;
	return clamp_int(batch, pcp->batch, room);
}

/* High-order pages freed in a row are not worth keeping, unless the cache holds
 * a batch of them. */
static bool frees_high_order(struct rmm_pcp *pcp, const struct rmm_zone *z,
			     unsigned int order)
{
	bool keep =
		z->rmm->config.pcp_free_high_batch && pcp->count < pcp->batch;
	bool before = pcp->flags & RMM_PREV_FREE_HIGH;
	int enough = pcp->batch;

	if (order == 0 || order > RMM_COSTLY_ORDER) {
		pcp->flags &= (uint8_t)~RMM_PREV_FREE_HIGH;
		return false;
	}
	pcp->flags |= RMM_PREV_FREE_HIGH;
	if (z->rmm->config.pcp_free_high_patient)
		enough += pcp->high_min / 2;
	return before && !keep && pcp->free_count >= enough;
}

/**
 * rmm_nr_pcp_drain() - a block of @order was freed to @pcp: pages to drain now
 *
 * The second half of free_unref_page_commit().
 */
int rmm_nr_pcp_drain(struct rmm_pcp *pcp, const struct rmm_zone *z,
		     unsigned int order)
{
	bool free_high;
	int high;

	if (z->rmm->config.pcp_mode == RMM_PCP_FIXED)
		return nr_drain_61(pcp, z, order);
	free_high = frees_high_order(pcp, z, order);
	if (pcp->free_count < pcp->batch << RMM_PCP_SCALE_MAX)
		pcp->free_count += 1 << order;
	high = nr_pcp_high(pcp, z, free_high);
	return pcp->count < high ? 0 : nr_pcp_free(pcp, high, free_high);
}
