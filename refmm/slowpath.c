/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slowpath.c - the zones are low: wake kswapd, dip into reserves, compact,
 * reclaim, try again, give up.
 *
 *   min mark and reserves of the request's urgency
 *     | costly orders, and unmovable ones: compact first
 *     v
 *   retry: again, MEMALLOC without any mark
 *     | may not wait (GFP_ATOMIC, GFP_NOWAIT), or reclaims itself: NULL
 *     v
 *   reclaim; drain per-CPU lists, give back HIGHATOMIC; compact
 *     | NORETRY, or costly without RETRY_MAYFAIL: NULL
 *     | progress, and enough memory in theory: retry
 *     v
 *   last attempt, against the high mark; NULL, but
 *     | NOFAIL: with reserves, without any mark, with what is on others' lists
 *     v
 *   NOFAIL: all of it again
 *
 * refmm has no page cache to reclaim: the caller's hook does. It compacts by
 * itself if owners can follow (rmm_hooks.migrate), unless the caller does that
 * too. Without hooks a request that may sleep ends where the free memory ends.
 *
 * A hook may allocate. It works to make memory free, so such requests get what
 * there is, without any mark (unless NOMEMALLOC), and do not start the same
 * again: rmm_cpu.memalloc says so while a hook runs.
 *
 * Locking: none held, as the hooks may call back.
 *
 * Modelled: __alloc_pages_slowpath, __alloc_pages_direct_reclaim,
 * __alloc_pages_direct_compact, should_reclaim_retry, should_compact_retry,
 * wake_all_kswapds, PF_MEMALLOC. Simplified: how much can be reclaimed is not
 * known; after a reclaim that freed something it is all that is in use, after
 * one that did not, nothing. At most 64 rounds, also for NOFAIL, as a hook may
 * promise for ever; a hook's requests do not compact, also with NOMEMALLOC.
 * Omitted: OOM killer (NOFAIL gets memory without a mark, as after an OOM
 * kill).
 * (6.12, mm/page_alloc.c; LKD3 ch. 12 "gfp_mask Flags")
 */
#include "compact.h"

enum { MAX_RECLAIM_RETRIES = 16, MAX_COMPACT_RETRIES = 16, MAX_ROUNDS = 64 };

static rmm_pfn try_with(struct rmm_alloc_context *ac, unsigned int alloc_flags)
{
	ac->want.alloc_flags = alloc_flags;
	return rmm_get_page_from_freelist(ac);
}

/* wake_all_kswapds(): once for each node */
static void wake_all_kswapds(const struct rmm_alloc_context *ac)
{
	const struct rmm_hooks *hooks = &ac->rmm->hooks;
	int last = -1;

	if (!hooks->wake_kswapd || !(ac->gfp & RMM_GFP_KSWAPD_RECLAIM))
		return;
	for (unsigned int i = ac->begin; i < ac->end; i++) {
		const struct rmm_zone *z = rmm_ac_zone(ac, i);

		if (z->type > ac->highest || !z->managed || z->node == last)
			continue;
		last = z->node;
		hooks->wake_kswapd(hooks->ctx, z->id, ac->want.order);
	}
}

/* gfp_compaction_allowed(): migration may need I/O */
static bool may_compact(unsigned int gfp)
{
	return gfp & RMM_GFP_IO;
}

/* Somebody else's compaction; is it worth looking again? */
static bool compact_by_hook(struct rmm_alloc_context *ac)
{
	const struct rmm_hooks *hooks = &ac->rmm->hooks;

	return hooks->compact(hooks->ctx, ac->cpu, ac->gfp, ac->want.order);
}

/* __alloc_pages_direct_compact(); *@result: how it went */
static rmm_pfn direct_compact(struct rmm_alloc_context *ac,
			      enum rmm_compact_priority prio,
			      enum rmm_compact_result *result)
{
	const struct rmm_hooks *hooks = &ac->rmm->hooks;
	struct rmm_cpu *cpu = &ac->rmm->cpu[ac->cpu];
	rmm_pfn pfn = RMM_NO_PFN;
	bool again = true;

	*result = RMM_COMPACT_SKIPPED;
	if (ac->want.order == 0 || !(hooks->compact || hooks->migrate) ||
	    !may_compact(ac->gfp))
		return RMM_NO_PFN;
	cpu->stat.compact++;
	cpu->memalloc = true;
	*result = RMM_COMPACT_CONTINUE;
	if (hooks->compact)
		again = compact_by_hook(ac);
	else
		*result = rmm_try_to_compact_pages(ac, prio, &pfn);
	cpu->memalloc = false;
	if (!again || *result <= RMM_COMPACT_DEFERRED)
		return RMM_NO_PFN;
	if (pfn != RMM_NO_PFN)
		cpu->stat.compact_captured++;
	else
		pfn = rmm_get_page_from_freelist(ac);
	if (pfn != RMM_NO_PFN && !hooks->compact) {
		struct rmm_zone *z = rmm_page_zone(ac->rmm, pfn);

		RMM_WRITE(z->compact.blockskip_flush, false);
		rmm_compaction_defer_reset(z, (int)ac->want.order, true);
	}
	return pfn;
}

/* __alloc_pages_direct_reclaim(); *@progress: pages reclaimed */
static rmm_pfn direct_reclaim(struct rmm_alloc_context *ac, uint64_t *progress)
{
	const struct rmm_hooks *hooks = &ac->rmm->hooks;
	struct rmm_cpu *cpu = &ac->rmm->cpu[ac->cpu];
	rmm_pfn pfn;

	*progress = 0;
	if (!hooks->reclaim)
		return RMM_NO_PFN;
	cpu->stat.direct_reclaim++;
	cpu->memalloc = true;
	*progress =
		hooks->reclaim(hooks->ctx, ac->cpu, ac->gfp, ac->want.order);
	cpu->memalloc = false;
	if (!*progress)
		return RMM_NO_PFN;
	pfn = rmm_get_page_from_freelist(ac);
	if (pfn != RMM_NO_PFN)
		return pfn;
	/* What was reclaimed may hang on per-CPU lists or in the reserve. */
	rmm_unreserve_highatomic_pageblock(ac, false);
	rmm_drain_all_pages(ac->rmm, ac->cpu);
	return rmm_get_page_from_freelist(ac);
}

/* should_reclaim_retry(): would there be a block, if reclaim went on? */
static bool should_reclaim_retry(struct rmm_alloc_context *ac,
				 uint64_t progress, unsigned int *no_progress)
{
	if (progress && ac->want.order <= RMM_COSTLY_ORDER)
		*no_progress = 0;
	else
		++*no_progress;
	for (unsigned int i = ac->begin;
	     i < ac->end && *no_progress <= MAX_RECLAIM_RETRIES; i++) {
		const struct rmm_zone *z = rmm_ac_zone(ac, i);
		int64_t available =
			progress ? z->managed : RMM_READ(z->nr_free);

		if (z->type <= ac->highest &&
		    rmm__zone_watermark_ok(z, &ac->want,
					   rmm_wmark_pages(z, RMM_WMARK_MIN),
					   ac->highest, available))
			return true;
	}
	return rmm_unreserve_highatomic_pageblock(ac, true);
}

/* What is left when retrying is no use: __alloc_pages_may_oom() and after. What
 * must not fail gets what hangs on per-CPU lists or in the reserve, too. */
static rmm_pfn last_attempt(struct rmm_alloc_context *ac)
{
	unsigned int cma = ac->want.alloc_flags & RMM_ALLOC_CMA;
	rmm_pfn pfn = try_with(ac, RMM_WMARK_HIGH);

	if (pfn != RMM_NO_PFN || !(ac->gfp & RMM_GFP_NOFAIL))
		return pfn;
	pfn = try_with(ac, RMM_ALLOC_MIN_RESERVE | cma);
	if (pfn == RMM_NO_PFN)
		pfn = try_with(ac, RMM_ALLOC_NO_WATERMARKS | cma);
	if (pfn != RMM_NO_PFN)
		return pfn;
	rmm_unreserve_highatomic_pageblock(ac, true);
	rmm_drain_all_pages(ac->rmm, ac->cpu);
	return try_with(ac, RMM_ALLOC_NO_WATERMARKS | cma);
}

/* What the rounds of retry() hand on */
struct rounds {
	unsigned int no_progress; /* in a row */
	enum rmm_compact_priority prio;
	unsigned int compactions; /* that seemed to succeed */
};

/* should_compact_retry(): after some progress, try as often as it seems to
 * help, then harder; but never hardest for a costly order */
static bool should_compact_retry(const struct rmm_alloc_context *ac,
				 enum rmm_compact_result result,
				 struct rounds *r)
{
	bool costly = ac->want.order > RMM_COSTLY_ORDER;
	enum rmm_compact_priority hardest =
		costly ? RMM_COMPACT_SYNC_LIGHT : RMM_COMPACT_SYNC_FULL;

	if (ac->want.order == 0 || !may_compact(ac->gfp))
		return false;
	if (result == RMM_COMPACT_SKIPPED || ac->rmm->hooks.compact)
		return rmm_compaction_zonelist_suitable(ac);
	if (result == RMM_COMPACT_SUCCESS &&
	    ++r->compactions <= MAX_COMPACT_RETRIES / (costly ? 4 : 1))
		return true;
	if (r->prio <= hardest)
		return false;
	r->prio--;
	r->compactions = 0;
	return true;
}

/* One round of reclaim and compaction. *@again: another may help */
static rmm_pfn reclaim_round(struct rmm_alloc_context *ac, struct rounds *r,
			     bool *again)
{
	bool costly = ac->want.order > RMM_COSTLY_ORDER;
	enum rmm_compact_result result;
	uint64_t progress;
	rmm_pfn pfn;

	*again = false;
	pfn = direct_reclaim(ac, &progress);
	if (pfn == RMM_NO_PFN)
		pfn = direct_compact(ac, r->prio, &result);
	if (pfn != RMM_NO_PFN || (ac->gfp & RMM_GFP_NORETRY))
		return pfn;
	if (costly &&
	    (!may_compact(ac->gfp) || !(ac->gfp & RMM_GFP_RETRY_MAYFAIL)))
		return pfn;
	*again = should_reclaim_retry(ac, progress, &r->no_progress) ||
		 (progress && should_compact_retry(ac, result, r));
	if (!*again && ac->rmm->config.defrag_mode &&
	    (ac->want.alloc_flags & RMM_ALLOC_NOFRAGMENT)) {
		/* Reclaim did not prevent the fallback: so be it. */
		ac->want.alloc_flags &= ~(unsigned int)RMM_ALLOC_NOFRAGMENT;
		*again = true;
	}
	return pfn;
}

/* Is there anybody who could still free something? */
static bool may_change(const struct rmm *rmm)
{
	return rmm->config.threads || rmm->hooks.reclaim || rmm->hooks.compact;
}

/* Retry as long as that makes sense, for a request that may wait, and as long
 * as it may help for one that must not fail. */
static rmm_pfn retry(struct rmm_alloc_context *ac,
		     enum rmm_compact_priority prio)
{
	bool costly = ac->want.order > RMM_COSTLY_ORDER, again = true;
	bool nofail = ac->gfp & RMM_GFP_NOFAIL;
	unsigned int flags = ac->want.alloc_flags;
	struct rounds rounds = {.prio = prio};
	rmm_pfn pfn = RMM_NO_PFN;

	for (int round = 0; again && round < MAX_ROUNDS; round++) {
		wake_all_kswapds(ac);
		pfn = rmm_get_page_from_freelist(ac);
		if (pfn == RMM_NO_PFN)
			pfn = reclaim_round(ac, &rounds, &again);
		if (pfn == RMM_NO_PFN && !again && nofail &&
		    may_change(ac->rmm)) {
			pfn = last_attempt(ac);
			ac->want.alloc_flags = flags;
			rounds.no_progress = 0;
			again = true;
		}
		if (pfn != RMM_NO_PFN)
			return pfn;
	}
	if (!nofail && ((ac->gfp & RMM_GFP_NORETRY) ||
			(costly && !(ac->gfp & RMM_GFP_RETRY_MAYFAIL))))
		return RMM_NO_PFN;
	return last_attempt(ac);
}

/* Compact before reclaiming: costly orders, as there are probably enough single
 * pages, and unmovable ones, which would spoil another pageblock. *@prio: how
 * hard to try later; *@give_up: not worth it */
static rmm_pfn compact_first(struct rmm_alloc_context *ac,
			     enum rmm_compact_priority *prio, bool *give_up)
{
	bool costly = ac->want.order > RMM_COSTLY_ORDER;
	enum rmm_compact_result result;
	rmm_pfn pfn;

	if (!may_compact(ac->gfp) ||
	    (!costly && ac->want.migratetype == RMM_MOVABLE))
		return RMM_NO_PFN;
	pfn = direct_compact(ac, RMM_COMPACT_ASYNC, &result);
	if (!costly || !(ac->gfp & RMM_GFP_NORETRY))
		return pfn;
	/* Huge pages: fail fast. */
	*prio = RMM_COMPACT_ASYNC;
	*give_up = !(ac->gfp & RMM_GFP_NOFAIL) &&
		   (result <= RMM_COMPACT_DEFERRED ||
		    (ac->gfp & RMM_GFP_THISNODE));
	return pfn;
}

/* __gfp_pfmemalloc_flags(): may the request ignore all marks? */
static bool ignores_marks(const struct rmm_alloc_context *ac)
{
	return !(ac->gfp & RMM_GFP_NOMEMALLOC) &&
	       ((ac->gfp & RMM_GFP_MEMALLOC) || ac->rmm->cpu[ac->cpu].memalloc);
}

/* Direct compaction at its hardest, for no request of the slow path */
static enum rmm_compact_result compact_hardest(struct rmm_alloc_context *ac,
					       rmm_pfn *capture)
{
	struct rmm_cpu *cpu;
	enum rmm_compact_result result;

	if (ac->want.order == 0 || !ac->rmm->hooks.migrate ||
	    !rmm_prepare_alloc_pages(ac, -1))
		return RMM_COMPACT_SKIPPED;
	cpu = &ac->rmm->cpu[ac->cpu];
	ac->want.alloc_flags =
		rmm_gfp_to_alloc_flags(ac->rmm, ac->gfp, ac->want.order);
	cpu->stat.compact++;
	cpu->memalloc = true;
	result = rmm_try_to_compact_pages(ac, RMM_COMPACT_SYNC_FULL, capture);
	cpu->memalloc = false;
	return result;
}

/** rmm_compact_hardest() - see refmm_compact.h */
bool rmm_compact_hardest(struct rmm *rmm, unsigned int cpu, unsigned int gfp,
			 unsigned int order)
{
	struct rmm_alloc_context ac = {
		.rmm = rmm,
		.cpu = cpu,
		.gfp = gfp,
		.want = {.order = order},
	};

	return compact_hardest(&ac, NULL) == RMM_COMPACT_SUCCESS;
}

/** rmm_alloc_pages_captured() - see refmm_compact.h */
struct rmm_page *rmm_alloc_pages_captured(struct rmm *rmm, unsigned int cpu,
					  unsigned int gfp, unsigned int order)
{
	struct rmm_alloc_context ac = {
		.rmm = rmm,
		.cpu = cpu,
		.gfp = gfp,
		.want = {.order = order},
		.no_marks = true,
	};
	rmm_pfn pfn = RMM_NO_PFN;

	compact_hardest(&ac, &pfn);
	if (pfn == RMM_NO_PFN)
		return NULL;
	rmm->cpu[cpu].stat.compact_captured++;
	return rmm_prep_new_page(&ac, pfn);
}

/** rmm__alloc_pages_slowpath() - the fast path found nothing */
rmm_pfn rmm__alloc_pages_slowpath(struct rmm_alloc_context *ac)
{
	enum rmm_compact_priority prio = RMM_COMPACT_SYNC_LIGHT;
	struct rmm_cpu *cpu = &ac->rmm->cpu[ac->cpu];
	bool may_wait = (ac->gfp & RMM_GFP_DIRECT_RECLAIM) && !cpu->memalloc;
	bool no_marks = ignores_marks(ac), give_up = false;
	unsigned int keep = RMM_ALLOC_KSWAPD | RMM_ALLOC_CMA;
	rmm_pfn pfn;

	cpu->stat.slow_path++;
	if (ac->begin >= ac->end)
		return RMM_NO_PFN;
	wake_all_kswapds(ac);
	pfn = try_with(
		ac, rmm_gfp_to_alloc_flags(ac->rmm, ac->gfp, ac->want.order));
	if (pfn == RMM_NO_PFN && may_wait && !no_marks)
		pfn = compact_first(ac, &prio, &give_up);
	if (pfn != RMM_NO_PFN || give_up)
		return pfn;
	if (no_marks)
		ac->want.alloc_flags =
			RMM_ALLOC_NO_WATERMARKS | (ac->want.alloc_flags & keep);
	if (may_wait)
		return retry(ac, prio);
	wake_all_kswapds(ac);
	return rmm_get_page_from_freelist(ac);
}
