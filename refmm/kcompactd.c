/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kcompactd.c - compaction that no request waits for.
 *
 * The kernel's thread kcompactd compacts after kswapd has freed memory for a
 * high order, and, every half a second, before anybody asks, if free memory has
 * fallen to pieces:
 *
 *   score(zone) = 100 * (free pages that cannot serve a huge page) / free
 *   score(node) = sum over zones: score * present / (present of the node + 1)
 *
 *   100 |            proactive compaction starts
 *       | high = min(low + 10, 100)
 *       | low  = max(100 - compaction_proactiveness, 5)
 *       |            and stops, zone by zone
 *     0 |
 *
 * There are no threads here: the caller says when, and how much at a time.
 *
 * Locking: none held on entry.
 *
 * Modelled: kcompactd_do_work, proactive_compact_node, compact_node,
 * fragmentation_score_node, should_proactive_compact_node; what kswapd does
 * before it sleeps. (6.12, mm/compaction.c, mm/vmscan.c; not in LKD3)
 */
#include <errno.h>

#include "compact.h"

/** rmm_kswapd_done() - balance_pgdat() is through with @zone: no boost left,
 * and compaction may look again at what it had given up */
void rmm_kswapd_done(struct rmm *rmm, unsigned int zone)
{
	struct rmm_zone *z;

	if (zone >= rmm->nr_zones)
		return;
	z = &rmm->zone[zone];
	RMM_WRITE(z->boost, 0);
	if (RMM_READ(z->compact.blockskip_flush))
		rmm_reset_isolation_suitable(z);
}

/* ---- Proactive ---------------------------------------------------------- */

/** rmm_fragmentation_score_zone() - 0..100 */
unsigned int rmm_fragmentation_score_zone(const struct rmm_zone *z)
{
	unsigned int order = z->rmm->thp_order;

	if (!RMM_READ(z->nr_free))
		return 0;
	if (order > z->max_order)
		order = z->max_order;
	return (unsigned int)rmm_unusable_index(z->rmm, z->id, order) / 10;
}

/** rmm_fragmentation_score_wmark() - stop at the low one, start over the other
 */
unsigned int rmm_fragmentation_score_wmark(const struct rmm *rmm, bool low)
{
	unsigned int proactiveness = rmm->config.compaction_proactiveness;
	unsigned int mark = proactiveness < 95 ? 100 - proactiveness : 5;

	if (low)
		return mark;
	return mark + 10 < 100 ? mark + 10 : 100;
}

/** rmm_fragmentation_score() - fragmentation_score_node() */
unsigned int rmm_fragmentation_score(const struct rmm *rmm, unsigned int node)
{
	uint64_t present = 0, score = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		if (rmm->zone[i].node == node)
			present += rmm->zone[i].present;
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		const struct rmm_zone *z = &rmm->zone[i];

		if (z->node == node)
			score += (uint64_t)z->present *
				 rmm_fragmentation_score_zone(z) /
				 (present + 1);
	}
	return (unsigned int)score;
}

/* compact_node() */
static void compact_node(struct rmm *rmm, unsigned int cpu, unsigned int node,
			 bool proactive)
{
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		struct rmm_compact cc = {
			.z = &rmm->zone[i],
			.cpu = cpu,
			.order = RMM_COMPACT_ALL,
			.migratetype = RMM_UNMOVABLE,
			.mode = proactive ? RMM_MIGRATE_SYNC_LIGHT
					  : RMM_MIGRATE_SYNC,
			.proactive = proactive,
			.whole_zone = true,
			.ignore_skip = true,
		};

		if (cc.z->node != node || !cc.z->present)
			continue;
		rmm_compact_init_lists(&cc);
		rmm_compact_zone(&cc);
	}
}

/** rmm_compact_node() - see refmm_compact.h */
void rmm_compact_node(struct rmm *rmm, unsigned int cpu, unsigned int node)
{
	if (cpu < rmm->config.nr_cpus)
		compact_node(rmm, cpu, node, false);
}

/* Compact if the score is over a mark, and kswapd is not at work */
static bool compact_over(struct rmm *rmm, unsigned int cpu, unsigned int node,
			 bool low)
{
	if (cpu >= rmm->config.nr_cpus || !rmm->hooks.migrate ||
	    !rmm->config.compaction_proactiveness)
		return false;
	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		if (rmm->zone[i].node == node &&
		    RMM_READ(rmm->zone[i].reclaim_active))
			return false;
	if (rmm_fragmentation_score(rmm, node) <=
	    rmm_fragmentation_score_wmark(rmm, low))
		return false;
	compact_node(rmm, cpu, node, true);
	return true;
}

/** rmm_proactive_compact() - see refmm_compact.h */
bool rmm_proactive_compact(struct rmm *rmm, unsigned int cpu, unsigned int node)
{
	return compact_over(rmm, cpu, node, false);
}

/** rmm_proactive_finish() - see refmm_compact.h */
bool rmm_proactive_finish(struct rmm *rmm, unsigned int cpu, unsigned int node)
{
	return compact_over(rmm, cpu, node, true);
}

/* ---- Step by step ------------------------------------------------------- */

/* Go on where the last step stopped, or start. */
static enum rmm_compact_result resume(struct rmm_compact *cc)
{
	struct rmm_zone_compact *zc = &cc->z->compact;

	if (zc->step_order != cc->order) {
		if (rmm_compaction_deferred(cc->z, cc->order))
			return RMM_COMPACT_DEFERRED;
		return rmm_compact_begin(cc);
	}
	if (!cc->z->rmm->hooks.migrate)
		return RMM_COMPACT_SKIPPED;
	cc->migrate_pfn = zc->step_migrate;
	cc->free_pfn = zc->step_free;
	cc->last_migrated = zc->step_last;
	cc->whole_zone = zc->step_whole;
	return RMM_COMPACT_CONTINUE;
}

static void suspend(const struct rmm_compact *cc)
{
	struct rmm_zone_compact *zc = &cc->z->compact;

	zc->step_order = (uint8_t)cc->order;
	zc->step_migrate = cc->migrate_pfn;
	zc->step_free = cc->free_pfn;
	zc->step_last = cc->last_migrated;
	zc->step_whole = cc->whole_zone;
}

/* The end of kcompactd_do_work() for a zone */
static void conclude(struct rmm_compact *cc, enum rmm_compact_result result)
{
	struct rmm *rmm = cc->z->rmm;

	cc->z->compact.step_order = 0;
	if (result == RMM_COMPACT_SUCCESS)
		rmm_compaction_defer_reset(cc->z, cc->order, false);
	if (result != RMM_COMPACT_PARTIAL_SKIPPED &&
	    result != RMM_COMPACT_COMPLETE)
		return;
	/* It may succeed still, when all frees have reached the lists. */
	for (unsigned int of = 0; of < rmm->config.nr_cpus; of++)
		rmm_drain_pages(rmm, of);
	rmm_defer_compaction(cc->z, cc->order);
}

/** rmm_compact_step() - see refmm_compact.h */
int rmm_compact_step(struct rmm *rmm, unsigned int cpu, unsigned int zone,
		     unsigned int order)
{
	enum rmm_compact_result result;
	struct rmm_compact cc = {
		.cpu = cpu,
		.order = (int)order,
		.search_order = (int)order,
		.migratetype = rmm_grouped_type(rmm, RMM_UNMOVABLE),
		.mode = RMM_MIGRATE_SYNC_LIGHT,
		.alloc_flags = RMM_WMARK_MIN,
	};

	if (zone >= rmm->nr_zones || cpu >= rmm->config.nr_cpus || order == 0 ||
	    order > rmm->config.max_order)
		return rmm_error(rmm, -EINVAL,
				 "cannot compact zone %u on CPU %u for order "
				 "%u: no such zone or CPU, or the order is not "
				 "in 1..%u",
				 zone, cpu, order, rmm->config.max_order);
	cc.z = &rmm->zone[zone];
	cc.highest = cc.z->type;
	rmm_compact_init_lists(&cc);
	result = resume(&cc);
	if (result == RMM_COMPACT_CONTINUE) {
		result = rmm_compact_once(&cc);
		rmm_compact_end(&cc);
	}
	if (result == RMM_COMPACT_CONTINUE)
		suspend(&cc);
	else
		conclude(&cc, result);
	return (int)result;
}
