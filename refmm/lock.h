/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lock.h - locks, and finding the zone and pageblock of a frame.
 *
 * A lock is a byte. Without rmm_config.threads it is counted and not taken, as
 * there is nobody to keep out; so one thread pays a predictable branch.
 *
 * Modelled: zone->lock, pcp->lock (try only). Simplified: waiting yields the
 * CPU, for a simulated CPU may lose its real one in a critical section.
 * Omitted: interrupts.
 */
#ifndef REFMM_LOCK_H
#define REFMM_LOCK_H

#include <sched.h>

#include "internal.h"

static inline bool rmm_trylock(const struct rmm *rmm, uint8_t *lock)
{
	if (!rmm->config.threads)
		return true;
	return !__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE);
}

static inline void rmm_lock(const struct rmm *rmm, uint8_t *lock)
{
	while (!rmm_trylock(rmm, lock))
		sched_yield();
}

static inline void rmm_unlock(const struct rmm *rmm, uint8_t *lock)
{
	if (rmm->config.threads)
		__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static inline void rmm_zone_lock(struct rmm_zone *z, unsigned int cpu)
{
	rmm_lock(z->rmm, &z->lock);
	z->cpu = cpu;
	z->stat = &z->rmm->cpu[cpu].stat;
	z->capture = z->rmm->cpu[cpu].capture;
	z->stat->zone_lock++;
}

static inline void rmm_zone_unlock(struct rmm_zone *z)
{
	rmm_unlock(z->rmm, &z->lock);
}

/* Without grouping by mobility everything counts as unmovable. */
static inline int rmm_grouped_type(const struct rmm *rmm, int mt)
{
	return rmm->config.mobility || mt >= RMM_PCPTYPES ? mt : RMM_UNMOVABLE;
}

/* page_zone() */
static inline struct rmm_zone *rmm_page_zone(const struct rmm *rmm, rmm_pfn pfn)
{
	unsigned int b = pfn >> rmm->config.pageblock_order;

	return &rmm->zone[rmm->blocks[b].zone];
}

/* get_pfnblock_migratetype() */
static inline int rmm_block_type(const struct rmm_zone *z, rmm_pfn pfn)
{
	return RMM_READ(z->blocks[pfn >> z->pageblock_order].migratetype);
}

#endif
