/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * zone.c - watermarks: may this request have memory of this zone?
 *
 *    free pages
 *        |  plenty
 *   high +---------- kswapd stops; per-CPU lists need not shrink
 *        |
 *    low +---------- the fast path stops here and wakes kswapd
 *        |  slow path only
 *    min +---------- ordinary requests must reclaim for themselves
 *        |  MIN_RESERVE (__GFP_HIGH): down to min/2, and with NON_BLOCK
 *        |  (GFP_ATOMIC) to 3 min/8
 *      0 +----------
 *
 * A request that could use a higher zone must also leave lowmem_reserve[highest
 * zone it may use], so that NORMAL requests cannot eat up DMA memory. After a
 * fallback that mixed migrate types all marks are raised for a while (boost),
 * to make kswapd free memory before the next one.
 *
 *   ok  <=>  free - (2^order - 1) - free highatomic (unless reserves may be
 *	      used) - free CMA (unless movable)  >  mark + lowmem_reserve,
 *	      and a block of at least `order` is on a list that may be used
 *
 * Locking: reads counters without a lock; rmm_boost_watermark() is locked.
 *
 * Modelled: __zone_watermark_ok, zone_watermark_fast, boost_watermark; with
 * config.stat_threshold that NR_FREE_PAGES lags by what CPUs have not told yet
 * (mm/vmstat.c). Simplified: 6.1 tells of a refill at once, not page by page.
 * Omitted: ALLOC_OOM, folding by CPUs that go idle, percpu_drift_mark. (6.12,
 * mm/page_alloc.c; LKD3 ch. 12 "Zones")
 */
#include "alloc.h"

/* How far below the mark the caller may go. */
static int64_t reserve_mark(int64_t min, unsigned int alloc_flags)
{
	if (alloc_flags & RMM_ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (alloc_flags & RMM_ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	return min;
}

/* Is there a block of at least this order on a list that may be used? */
static bool suitable_block(const struct rmm_zone *z,
			   const struct rmm_want *want)
{
	for (unsigned int o = want->order; o <= z->max_order; o++) {
		const struct rmm_list *list = z->free_area[o].free_list;

		for (int mt = 0; mt < RMM_PCPTYPES; mt++)
			if (!rmm_list_empty(&list[mt]))
				return true;
		if ((want->alloc_flags & RMM_ALLOC_CMA) &&
		    !rmm_list_empty(&list[RMM_CMA]))
			return true;
		if ((want->alloc_flags & RMM_ALLOC_HIGHATOMIC) &&
		    !rmm_list_empty(&list[RMM_HIGHATOMIC]))
			return true;
	}
	return false;
}

/**
 * rmm__zone_watermark_ok() - may @want be served with @free pages free?
 * @mark: pages
 * @highest: highest zone type that the request may use
 */
bool rmm__zone_watermark_ok(const struct rmm_zone *z,
			    const struct rmm_want *want, uint64_t mark,
			    unsigned int highest, int64_t free)
{
	int64_t min = (int64_t)mark;

	free -= rmm_unusable_free(z, want);
	if (want->alloc_flags & RMM_ALLOC_RESERVES)
		min = reserve_mark(min, want->alloc_flags);
	if (free <= min + z->lowmem_reserve[highest])
		return false;
	return want->order == 0 || suitable_block(z, want);
}

/**
 * rmm_zone_watermark_slow() - zone_watermark_fast() when its quick test failed
 *
 * An urgent order-0 request against the min mark may ignore the boost: the
 * boost is there to wake kswapd, not to fail atomic requests.
 */
bool rmm_zone_watermark_slow(const struct rmm_zone *z,
			     const struct rmm_want *want, uint64_t mark,
			     unsigned int highest)
{
	int64_t free = RMM_READ(z->nr_free_seen);
	unsigned int flags = want->alloc_flags;

	if (rmm__zone_watermark_ok(z, want, mark, highest, free))
		return true;
	if (want->order == 0 && (flags & RMM_ALLOC_MIN_RESERVE) &&
	    RMM_READ(z->boost) &&
	    (flags & RMM_ALLOC_WMARK_MASK) == RMM_WMARK_MIN)
		return rmm__zone_watermark_ok(z, want, z->wmark[RMM_WMARK_MIN],
					      highest, free);
	return false;
}

/**
 * rmm_boost_watermark() - raise the marks by a pageblock, up to a limit
 *
 * Return: whether there is a boost now. Small zones get none: it could leave
 * nothing to allocate.
 */
bool rmm_boost_watermark(struct rmm_zone *z)
{
	uint64_t block = 1ull << z->pageblock_order, max, boost;
	unsigned int factor = z->rmm->config.watermark_boost_factor;

	if (!factor || block * 4 > z->managed)
		return false;
	max = z->wmark[RMM_WMARK_HIGH] * factor / 10000;
	if (!max)
		return false;
	if (max < block)
		max = block;
	boost = z->boost + block;
	RMM_WRITE(z->boost, boost < max ? boost : max);
	z->stat->boost++;
	return true;
}

enum { STAT_THRESHOLD_MAX = 125 };

static unsigned int fls(uint64_t v)
{
	return v ? 64 - (unsigned int)__builtin_clzll(v) : 0;
}

/**
 * rmm_set_stat_threshold() - how far a CPU's part of the free pages may be off
 *
 * calculate_normal_threshold(): by the number of CPUs and of 128 MiB. While
 * kswapd works, calculate_pressure_threshold(): by what is between the marks.
 */
void rmm_set_stat_threshold(struct rmm_zone *z)
{
	const struct rmm_config *c = &z->rmm->config;
	uint64_t units = (uint64_t)z->managed >> (27 - c->page_shift);
	uint64_t pages = 2ull * fls(c->nr_cpus) * (1 + fls(units));

	if (!c->stat_threshold)
		return;
	if (z->reclaim_active)
		pages = (z->wmark[RMM_WMARK_LOW] - z->wmark[RMM_WMARK_MIN]) /
			c->nr_cpus;
	if (pages > STAT_THRESHOLD_MAX)
		pages = STAT_THRESHOLD_MAX;
	z->stat_threshold = pages ? (uint8_t)pages : 1;
}

/** rmm_fold_stat_diff() - a CPU adds its part, with the zone's lock held */
void rmm_fold_stat_diff(struct rmm_zone *z, unsigned int cpu)
{
	RMM_WRITE(z->nr_free_seen, z->nr_free_seen + z->pcp[cpu].free_diff);
	z->pcp[cpu].free_diff = 0;
}

/** rmm_set_reclaim_active() - ZONE_RECLAIM_ACTIVE, while kswapd runs */
void rmm_set_reclaim_active(struct rmm *rmm, unsigned int zone, bool active)
{
	if (zone >= rmm->nr_zones)
		return;
	RMM_WRITE(rmm->zone[zone].reclaim_active, active);
	rmm_zone_lock(&rmm->zone[zone], 0);
	rmm_set_stat_threshold(&rmm->zone[zone]);
	rmm_zone_unlock(&rmm->zone[zone]);
}
