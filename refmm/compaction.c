/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compaction.c - make large free blocks by moving small used ones.
 *
 * Memory can be free and yet useless: in pieces. Compaction moves what can move
 * to one end of a zone (compact_scan.c, migrate.c). It costs time, so most of
 * this file is about not doing it:
 *
 *   suitable   enough is free: min (costly orders: low) + 2 * 2^order above the
 *              mark; and, for costly orders, extfrag_index > extfrag_threshold:
 *              the lack is one of order, not of memory
 *   deferred   after the n-th failure in a row, 2^n requests of that order or
 *              more go by without trying, n <= 6
 *   finished   at the end of a pageblock: a block of the order is free, on the
 *              right list or where it may be claimed; or the scanners met
 *
 *      request --> suitable? --> deferred? --> [ isolate 32 --> move ]*
 *                                                    |
 *                           reset <-- SUCCESS <------+------> COMPLETE -->
 * defer
 *
 * Locking: none held on entry; parts take the zone lock and pcp->lock. What a
 * zone remembers of failures is read and written without a lock, as in the
 * kernel: a count that is lost costs one attempt more or less.
 *
 * Capture: while a request compacts, the first block of its order that comes
 * together in a pageblock, by what the run itself frees, is not put on a list
 * but kept for the request (rmm_cpu.capture, buddy.c). Nobody else can take it,
 * no watermark is asked, and the run is over.
 *
 * Modelled: compaction_suitable, compaction_suit_allocation_order,
 * compact_zone, __compact_finished, compaction_deferred, defer_compaction,
 * compaction_defer_reset, try_to_compact_pages. Simplified: what asynchronous
 * runs learn is kept apart from the start. Omitted: signals, contention. (6.12,
 * mm/compaction.c; compaction_capture, mm/page_alloc.c; not in LKD3)
 */
#include <errno.h>

#include "compact.h"

/* ---- Deferral ----------------------------------------------------------- */

/** rmm_compaction_deferred() - shall this request go by? */
bool rmm_compaction_deferred(struct rmm_zone *z, int order)
{
	struct rmm_zone_compact *zc = &z->compact;
	unsigned int limit = 1u << RMM_READ(zc->defer_shift);
	unsigned int considered = RMM_READ(zc->considered) + 1u;

	if (order < RMM_READ(zc->order_failed))
		return false;
	RMM_WRITE(zc->considered,
		  (uint8_t)(considered < limit ? considered : limit));
	return considered < limit;
}

/** rmm_defer_compaction() - it was in vain */
void rmm_defer_compaction(struct rmm_zone *z, int order)
{
	struct rmm_zone_compact *zc = &z->compact;

	uint8_t shift = RMM_READ(zc->defer_shift);

	RMM_WRITE(zc->considered, 0);
	if (shift < RMM_COMPACT_MAX_DEFER)
		RMM_WRITE(zc->defer_shift, shift + 1);
	if (order < RMM_READ(zc->order_failed))
		RMM_WRITE(zc->order_failed, (uint8_t)order);
}

/** rmm_compaction_defer_reset() - it seems to have helped; @success: it has */
void rmm_compaction_defer_reset(struct rmm_zone *z, int order, bool success)
{
	struct rmm_zone_compact *zc = &z->compact;

	if (success) {
		RMM_WRITE(zc->considered, 0);
		RMM_WRITE(zc->defer_shift, 0);
	}
	if (order >= RMM_READ(zc->order_failed))
		RMM_WRITE(zc->order_failed, (uint8_t)(order + 1));
}

/* compaction_restarting(): the first try after the longest deferral */
static bool is_restarting(const struct rmm_zone *z, int order)
{
	const struct rmm_zone_compact *zc = &z->compact;

	return order >= RMM_READ(zc->order_failed) &&
	       RMM_READ(zc->defer_shift) == RMM_COMPACT_MAX_DEFER &&
	       RMM_READ(zc->considered) >= 1u << RMM_COMPACT_MAX_DEFER;
}

/* ---- Is it worth while? ------------------------------------------------- */

/* __compaction_suitable(): would @free pages be enough to move to? */
static bool has_room(const struct rmm_zone *z, unsigned int order,
		     unsigned int highest, int64_t free)
{
	const struct rmm_want order0 = {.alloc_flags = RMM_ALLOC_CMA};
	bool costly = order > RMM_COSTLY_ORDER;
	uint64_t mark =
		rmm_wmark_pages(z, costly ? RMM_WMARK_LOW : RMM_WMARK_MIN);

	mark += 2ull << order; /* compact_gap() */
	return rmm__zone_watermark_ok(z, &order0, mark, highest, free);
}

/* compaction_suitable() */
static bool is_suitable(const struct rmm_compact *cc)
{
	const struct rmm_zone *z = cc->z;
	unsigned int order = (unsigned int)cc->order;
	int index;

	if (!has_room(z, order, cc->highest, RMM_READ(z->nr_free_seen)))
		return false;
	if (order <= RMM_COSTLY_ORDER)
		return true;
	index = rmm_extfrag_index(z->rmm, z->id, order);
	return index < 0 || index > z->rmm->config.extfrag_threshold;
}

/** rmm_compaction_zonelist_suitable() - compaction_zonelist_suitable(): if
 *  reclaim went on, would there be room to compact in a zone of the request,
 *  which is not for order 0? What is in use counts as what may be reclaimed. */
bool rmm_compaction_zonelist_suitable(const struct rmm_alloc_context *ac)
{
	unsigned int order = ac->want.order;

	for (unsigned int i = ac->begin; i < ac->end; i++) {
		const struct rmm_zone *z = rmm_ac_zone(ac, i);
		int64_t free = RMM_READ(z->nr_free);

		if (z->type <= ac->highest &&
		    has_room(z, order, ac->highest,
			     free + ((int64_t)z->managed - free) / order))
			return true;
	}
	return false;
}

/* compaction_suit_allocation_order() */
static enum rmm_compact_result suits_order(const struct rmm_compact *cc)
{
	const struct rmm_want want = {
		.order = (unsigned int)cc->order,
		.migratetype = cc->migratetype,
		.alloc_flags = cc->alloc_flags,
	};
	enum rmm_wmark mark = cc->alloc_flags & RMM_ALLOC_WMARK_MASK;

	if (rmm__zone_watermark_ok(cc->z, &want, rmm_wmark_pages(cc->z, mark),
				   cc->highest, RMM_READ(cc->z->nr_free_seen)))
		return RMM_COMPACT_SUCCESS;
	return is_suitable(cc) ? RMM_COMPACT_CONTINUE : RMM_COMPACT_SKIPPED;
}

/* ---- One run ------------------------------------------------------------ */

/* Is there a block that the request could have? */
static bool block_is_free(const struct rmm_compact *cc)
{
	const struct rmm_zone *z = cc->z;
	int mt = cc->migratetype;

	for (unsigned int o = (unsigned int)cc->order; o <= z->max_order; o++) {
		const struct rmm_list *list = z->free_area[o].free_list;
		bool can_claim;

		if (!rmm_list_empty(&list[mt]))
			return true;
		if (mt == RMM_MOVABLE && !rmm_list_empty(&list[RMM_CMA]))
			return true;
		if (rmm_find_suitable_fallback(z, o, mt, &can_claim) >= 0 &&
		    can_claim)
			return true;
	}
	return false;
}

/* __compact_finished() */
static enum rmm_compact_result finished(struct rmm_compact *cc)
{
	struct rmm_zone *z = cc->z;
	rmm_pfn block = 1u << z->pageblock_order;

	if (rmm_scanners_met(cc)) {
		rmm_reset_cached_positions(z);
		if (cc->direct)
			RMM_WRITE(z->compact.blockskip_flush, true);
		return cc->whole_zone ? RMM_COMPACT_COMPLETE
				      : RMM_COMPACT_PARTIAL_SKIPPED;
	}
	if (cc->proactive) {
		if (RMM_READ(z->reclaim_active))
			return RMM_COMPACT_PARTIAL_SKIPPED;
		return rmm_fragmentation_score_zone(
			       z) > rmm_fragmentation_score_wmark(z->rmm, true)
			       ? RMM_COMPACT_CONTINUE
			       : RMM_COMPACT_SUCCESS;
	}
	/* A pageblock that was begun is finished: half of one is no use. */
	if (cc->order == RMM_COMPACT_ALL || cc->migrate_pfn % block)
		return RMM_COMPACT_CONTINUE;
	return block_is_free(cc) ? RMM_COMPACT_SUCCESS : RMM_COMPACT_CONTINUE;
}

static void set_scanners(struct rmm_compact *cc)
{
	struct rmm_zone *z = cc->z;
	struct rmm_zone_compact *zc = &z->compact;
	rmm_pfn end = rmm_zone_end(z);

	if (cc->whole_zone) {
		cc->migrate_pfn = z->start_pfn;
		cc->free_pfn = rmm_block_start(z, end - 1);
		return;
	}
	cc->migrate_pfn =
		RMM_READ(zc->migrate_pfn[cc->mode != RMM_MIGRATE_ASYNC]);
	cc->free_pfn = RMM_READ(zc->free_pfn);
	if (cc->free_pfn < z->start_pfn || cc->free_pfn >= end) {
		cc->free_pfn = rmm_block_start(z, end - 1);
		RMM_WRITE(zc->free_pfn, cc->free_pfn);
	}
	if (cc->migrate_pfn < z->start_pfn || cc->migrate_pfn >= end) {
		cc->migrate_pfn = z->start_pfn;
		RMM_WRITE(zc->migrate_pfn[0], z->start_pfn);
		RMM_WRITE(zc->migrate_pfn[1], z->start_pfn);
	}
	if (cc->migrate_pfn == z->start_pfn)
		cc->whole_zone = true;
}

/** rmm_compact_begin() - the first half of compact_zone(); anything but
 * CONTINUE ends the run */
enum rmm_compact_result rmm_compact_begin(struct rmm_compact *cc)
{
	enum rmm_compact_result result = RMM_COMPACT_CONTINUE;

	if (!cc->z->rmm->hooks.migrate || !cc->z->spanned)
		return RMM_COMPACT_SKIPPED;
	if (cc->order != RMM_COMPACT_ALL && !cc->no_marks)
		result = suits_order(cc);
	if (result != RMM_COMPACT_CONTINUE)
		return result;
	if (is_restarting(cc->z, cc->order))
		rmm_reset_isolation_suitable(cc->z);
	set_scanners(cc);
	cc->last_migrated = RMM_NO_PFN;
	return result;
}

/* Move one batch; -EAGAIN: some pages had to stay; -ENOMEM: no place for them
 */
static int move_batch(struct rmm_compact *cc)
{
	const struct rmm_zone *z = cc->z;
	rmm_pfn begin;
	int err;

	if (!rmm_isolate_migratepages(cc))
		return 0;
	begin = rmm_block_start(z, cc->migrate_pfn - 1);
	cc->last_migrated = begin > z->start_pfn ? begin : z->start_pfn;
	err = rmm_migrate_pages(cc, rmm_compaction_alloc);
	rmm_putback_pages(cc);
	cc->nr_migratepages = 0;
	return err;
}

/* The scanner has left the block of the wanted order from which it moved pages:
 * they may hang on this CPU's lists, and keep it from being whole. */
static void flush_freed(struct rmm_compact *cc)
{
	rmm_pfn block;

	if (cc->order <= 0 || cc->last_migrated == RMM_NO_PFN)
		return;
	block = cc->migrate_pfn & ~((1u << cc->order) - 1);
	if (cc->last_migrated >= block)
		return;
	rmm_drain_zone_pages(cc->z, cc->cpu);
	cc->last_migrated = RMM_NO_PFN;
}

/*
 * Some pages had to stay. The rest of the pageblock is looked at as well then,
 * and skipped from now on, so that no search comes back to it at once. 6.1: the
 * rest of the block that an asynchronous request wants is not worth it.
 */
static void leave_block(struct rmm_compact *cc)
{
	rmm_pfn block = 1u << cc->z->pageblock_order, wanted;

	if (rmm_is_61(cc->z->rmm)) {
		if (!cc->direct || cc->mode != RMM_MIGRATE_ASYNC)
			return;
		wanted = 1u << cc->order;
		cc->migrate_pfn =
			(cc->migrate_pfn + wanted - 1) & ~(wanted - 1);
		cc->last_migrated = RMM_NO_PFN;
		return;
	}
	if (cc->migrate_pfn % block == 0 || cc->ignore_skip ||
	    cc->finish_pageblock || cc->mode >= RMM_MIGRATE_SYNC)
		return;
	cc->finish_pageblock = true;
	/* To flush does not help: it will not be a whole one. */
	if (cc->order == (int)cc->z->rmm->thp_order)
		cc->last_migrated = RMM_NO_PFN;
	move_batch(cc);
}

/* Has the request its block? */
static bool has_captured(const struct rmm_compact *cc)
{
	return cc->capture && cc->capture->pfn != RMM_NO_PFN;
}

/** rmm_compact_once() - one round of compact_zone()'s loop */
enum rmm_compact_result rmm_compact_once(struct rmm_compact *cc)
{
	enum rmm_compact_result result = finished(cc);
	int err;

	if (result != RMM_COMPACT_CONTINUE)
		return result;
	/* Seen twice in a row: look at all of it, and then skip it. */
	cc->finish_pageblock = cc->last_migrated != RMM_NO_PFN &&
			       rmm_block_start(cc->z, cc->last_migrated) ==
				       rmm_block_start(cc->z, cc->migrate_pfn);
	err = move_batch(cc);
	if (err == -ENOMEM && !rmm_scanners_met(cc))
		return RMM_COMPACT_CONTENDED;
	if (err)
		leave_block(cc);
	/* 6.1 looks after the flush, so a block that this gives ends it, too.
	 */
	if (has_captured(cc) && !rmm_is_61(cc->z->rmm))
		return RMM_COMPACT_SUCCESS;
	flush_freed(cc);
	return has_captured(cc) && rmm_is_61(cc->z->rmm) ? RMM_COMPACT_SUCCESS
							 : RMM_COMPACT_CONTINUE;
}

/** rmm_compact_end() - the rest: unused targets go back */
void rmm_compact_end(struct rmm_compact *cc)
{
	if (cc->nr_freepages)
		rmm_release_freepages(cc);
}

/** rmm_compact_zone() - compact_zone(): until there is what was asked for, or
 *  nothing more can be done */
enum rmm_compact_result rmm_compact_zone(struct rmm_compact *cc)
{
	enum rmm_compact_result result = rmm_compact_begin(cc);

	if (result != RMM_COMPACT_CONTINUE)
		return result;
	do
		result = rmm_compact_once(cc);
	while (result == RMM_COMPACT_CONTINUE);
	rmm_compact_end(cc);
	return result;
}

/* ---- For a request ------------------------------------------------------ */

/* compact_zone_order(); @capture: as rmm_try_to_compact_pages() */
static enum rmm_compact_result
compact_zone_order(struct rmm_zone *z, struct rmm_alloc_context *ac,
		   enum rmm_compact_priority prio, rmm_pfn *capture)
{
	struct rmm_capture capc = {
		.zone = z,
		.order = ac->want.order,
		.migratetype = ac->want.migratetype,
		.pfn = RMM_NO_PFN,
	};
	struct rmm_compact cc = {
		.z = z,
		.cpu = ac->cpu,
		.order = (int)ac->want.order,
		.search_order = (int)ac->want.order,
		.migratetype = ac->want.migratetype,
		.mode = prio == RMM_COMPACT_ASYNC ? RMM_MIGRATE_ASYNC
						  : RMM_MIGRATE_SYNC_LIGHT,
		.alloc_flags = ac->want.alloc_flags,
		.highest = ac->highest,
		.direct = true,
		.whole_zone = prio == RMM_COMPACT_SYNC_FULL,
		.ignore_skip = prio == RMM_COMPACT_SYNC_FULL,
		.ignore_suitable = prio == RMM_COMPACT_SYNC_FULL,
		.no_marks = ac->no_marks,
		.capture = capture ? &capc : NULL,
	};
	enum rmm_compact_result result;

	rmm_compact_init_lists(&cc);
	ac->rmm->cpu[ac->cpu].capture = cc.capture;
	result = rmm_compact_zone(&cc);
	ac->rmm->cpu[ac->cpu].capture = NULL;
	if (!capture || !has_captured(&cc))
		return result;
	*capture = capc.pfn;
	return RMM_COMPACT_SUCCESS;
}

/**
 * rmm_try_to_compact_pages() - try_to_compact_pages(): in each zone that the
 *	request may use, until one has a block
 * @capture: set to a block that was made and is on no list, if there is one;
 *	NULL: nobody would take it
 *
 * Return: the best of the zones' results.
 */
enum rmm_compact_result rmm_try_to_compact_pages(struct rmm_alloc_context *ac,
						 enum rmm_compact_priority prio,
						 rmm_pfn *capture)
{
	enum rmm_compact_result best = RMM_COMPACT_SKIPPED, result;
	int order = (int)ac->want.order;

	for (unsigned int i = ac->begin; i < ac->end; i++) {
		struct rmm_zone *z = rmm_ac_zone(ac, i);

		if (z->type > ac->highest)
			continue;
		if (prio > RMM_COMPACT_SYNC_FULL &&
		    rmm_compaction_deferred(z, order)) {
			result = RMM_COMPACT_DEFERRED;
		} else {
			result = compact_zone_order(z, ac, prio, capture);
			if (prio != RMM_COMPACT_ASYNC &&
			    (result == RMM_COMPACT_COMPLETE ||
			     result == RMM_COMPACT_PARTIAL_SKIPPED))
				rmm_defer_compaction(z, order);
		}
		if (result > best)
			best = result;
		if (result == RMM_COMPACT_SUCCESS) {
			rmm_compaction_defer_reset(z, order, false);
			break;
		}
	}
	return best;
}
