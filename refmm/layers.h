/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * layers.h - what each layer offers the one above it, from the bottom up. No
 * layer calls upward. "Locked": the zone lock is held.
 */
#ifndef REFMM_LAYERS_H
#define REFMM_LAYERS_H

#include "lock.h"

/* What a request has become by the time it reaches a zone. */
struct rmm_want {
	unsigned int order;
	int migratetype;
	unsigned int alloc_flags; /* enum rmm_alloc_flags */
};

/* mm/internal.h's ALLOC_*, other bits */
enum rmm_alloc_flags {
	RMM_ALLOC_WMARK_MASK = 3, /* enum rmm_wmark */
	RMM_ALLOC_NO_WATERMARKS = 1 << 2,
	RMM_ALLOC_NON_BLOCK = 1 << 4,
	RMM_ALLOC_MIN_RESERVE = 1 << 5,
	RMM_ALLOC_CMA = 1 << 7,
	RMM_ALLOC_NOFRAGMENT = 1 << 8,
	RMM_ALLOC_HIGHATOMIC = 1 << 9,
	RMM_ALLOC_KSWAPD = 1 << 11,
	RMM_ALLOC_RESERVES = RMM_ALLOC_NON_BLOCK | RMM_ALLOC_MIN_RESERVE |
			     RMM_ALLOC_HIGHATOMIC,
};

/* Where the last search of a refill found something; see rmqueue.c. */
enum rmm_rmqueue_mode {
	RMM_RMQUEUE_NORMAL,
	RMM_RMQUEUE_CMA,
	RMM_RMQUEUE_CLAIM,
	RMM_RMQUEUE_STEAL,
};

/* What a pageblock holds, in pages. */
struct rmm_block_count {
	unsigned int free, movable;
};

/* fault.c */
bool rmm__should_fail(struct rmm *rmm, unsigned int gfp, unsigned int order);

/** rmm_should_fail() - shall this step fail? Nothing but one look, usually. */
static inline bool rmm_should_fail(struct rmm *rmm, unsigned int point,
				   unsigned int gfp, unsigned int order)
{
	return (rmm->fault.points & point) && rmm__should_fail(rmm, gfp, order);
}

/** rmm_set_watch() - what the quick ways of alloc.c, free.c and kmalloc_fast.c
 *  must leave */
static inline void rmm_set_watch(struct rmm *rmm)
{
	bool all = (rmm->fault.points & RMM_FAULT_ALLOC) || rmm->owner;
	unsigned int quick =
		(rmm->pcp_orders & 1) && !rmm->owner ? rmm->config.nr_cpus : 0;

	rmm->watch =
		(rmm->arena ? RMM_GFP_ZERO : 0) | (all ? RMM_WATCH_ALL : 0);
	rmm->quick_cpus = rmm->config.threads ? 0 : quick;
	rmm->locked_cpus = rmm->config.threads ? quick : 0;
	rmm->kmalloc_cpus = rmm->fault.points & RMM_FAULT_SLAB
				    ? 0
				    : rmm->kmalloc_quick_cpus;
}

/* owner.c; only with rmm->owner, but for the last */
int rmm_map_owners(struct rmm *rmm);
void rmm_unmap_owners(struct rmm *rmm);
void rmm_owner_alloc(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn);
void rmm_owner_free(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn);
void rmm_owner_copy(struct rmm *rmm, rmm_pfn to, rmm_pfn from);
void rmm_error_owner(struct rmm *rmm, rmm_pfn pfn);

/** rmm_is_61() - does the machine behave like 6.1 also where no setting of its
 *  own says so? What changed between 6.1 and 6.12 goes with the fallback
 *  policy. */
static inline bool rmm_is_61(const struct rmm *rmm)
{
	return rmm->config.fallback == RMM_FALLBACK_STEAL;
}

/** rmm_set_unusable_highatomic() - the reserve has changed: ordinary requests
 *  cannot have what is free of it; 6.1: all of it counts as free, to be quick
 */
static inline void rmm_set_unusable_highatomic(struct rmm_zone *z)
{
	RMM_WRITE(z->unusable_highatomic,
		  rmm_is_61(z->rmm) ? (int64_t)z->nr_reserved_highatomic
				    : z->nr_free_highatomic);
}

/** rmm_page_index() - its place in the memmap. What is no frame of this machine
 *  has a place beyond: the remainder becomes the top bits. */
static inline uint64_t rmm_page_index(const struct rmm *rmm,
				      const struct rmm_page *page)
{
	uint64_t at = (uintptr_t)page - (uintptr_t)rmm->memmap;

	_Static_assert(sizeof(*page) == 1 << 4, "shifted, not divided");
	return at >> 4 | at << 60;
}

/** rmm_is_page() - is @page a frame of this machine? */
static inline bool rmm_is_page(const struct rmm *rmm,
			       const struct rmm_page *page)
{
	return rmm_page_index(rmm, page) < rmm->end_pfn;
}

/* A part of an error message */
struct rmm_text {
	char s[96];
};

/* page.c */
rmm_pfn rmm_find_head(const struct rmm *rmm, rmm_pfn pfn);
bool rmm_state_text(const struct rmm *rmm, rmm_pfn pfn, struct rmm_text *text);

/* error.c */
char *rmm_error_text(struct rmm *rmm);
int rmm_error(struct rmm *rmm, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* shuffle.c; locked */
bool rmm_shuffle_pick_tail(struct rmm_zone *z);
void rmm_shuffle_zone(struct rmm_zone *z);

/** rmm_is_shuffle_order() - is_shuffle_order(): only the largest */
static inline bool rmm_is_shuffle_order(const struct rmm_zone *z,
					unsigned int order)
{
	return z->rmm->config.shuffle && order >= z->max_order;
}

/* buddy.c; all locked */
void rmm_account_freepages(struct rmm_zone *z, int64_t nr, int mt);
void rmm_add_to_free_list(struct rmm_zone *z, rmm_pfn pfn, unsigned int order,
			  int mt, bool tail);
void rmm_del_page_from_free_list(struct rmm_zone *z, rmm_pfn pfn);
void rmm_move_to_free_list(struct rmm_zone *z, rmm_pfn pfn, int mt);
void rmm__free_one_page(struct rmm_zone *z, rmm_pfn pfn, unsigned int order,
			int mt, bool to_tail);
void rmm_split_large_buddy(struct rmm_zone *z, rmm_pfn pfn, unsigned int order,
			   bool to_tail);
void rmm_free_one_page(struct rmm_zone *z, rmm_pfn pfn, unsigned int order,
		       bool to_tail);
unsigned int rmm_expand(struct rmm_zone *z, rmm_pfn pfn, unsigned int low,
			unsigned int high, int mt);
void rmm_page_del_and_expand(struct rmm_zone *z, rmm_pfn pfn, unsigned int low);
rmm_pfn rmm__rmqueue_smallest(struct rmm_zone *z, unsigned int order, int mt);

/* pageblock.c; all locked */
void rmm_change_pageblock_range(struct rmm_zone *z, rmm_pfn pfn,
				unsigned int order, int mt);
bool rmm_prep_move_freepages_block(struct rmm_zone *z, rmm_pfn pfn,
				   rmm_pfn *start, struct rmm_block_count *n);
unsigned int rmm__move_freepages_block(struct rmm_zone *z, rmm_pfn start,
				       int mt);
int rmm_move_freepages_block(struct rmm_zone *z, rmm_pfn pfn, int mt);
void rmm_move_freepages_block_isolate(struct rmm_zone *z, rmm_pfn pfn, int mt);

/* zone.c */
bool rmm__zone_watermark_ok(const struct rmm_zone *z,
			    const struct rmm_want *want, uint64_t mark,
			    unsigned int highest, int64_t free);
bool rmm_zone_watermark_slow(const struct rmm_zone *z,
			     const struct rmm_want *want, uint64_t mark,
			     unsigned int highest);
void rmm_set_stat_threshold(struct rmm_zone *z);
void rmm_fold_stat_diff(struct rmm_zone *z, unsigned int cpu);
bool rmm_boost_watermark(struct rmm_zone *z);

/** rmm_wmark_pages() - wmark_pages(): a mark with the boost */
static inline uint64_t rmm_wmark_pages(const struct rmm_zone *z,
				       enum rmm_wmark mark)
{
	return z->wmark[mark] + RMM_READ(z->boost);
}

/* setup.c */
void rmm_setup_per_zone_wmarks(struct rmm *rmm);
void rmm_setup_per_zone_lowmem_reserve(struct rmm *rmm);
void rmm_calculate_min_free_kbytes(struct rmm *rmm);
void rmm_zone_set_pageset_high_and_batch(struct rmm_zone *z,
					 const struct rmm_zone_config *given);

/* fallback.c, fallback_61.c; locked */
int rmm_find_suitable_fallback(const struct rmm_zone *z, unsigned int order,
			       int mt, bool *can_claim);
bool rmm_may_claim(const struct rmm_zone *z, int block_type, int mt,
		   const struct rmm_block_count *n);
void rmm_trace_extfrag(struct rmm_zone *z, rmm_pfn pfn,
		       const struct rmm_want *want, unsigned int order, int mt);
rmm_pfn rmm__rmqueue_claim(struct rmm_zone *z, const struct rmm_want *want);
rmm_pfn rmm__rmqueue_steal(struct rmm_zone *z, const struct rmm_want *want);
bool rmm__rmqueue_fallback(struct rmm_zone *z, const struct rmm_want *want);

/* rmqueue.c; locked */
rmm_pfn rmm__rmqueue(struct rmm_zone *z, const struct rmm_want *want,
		     enum rmm_rmqueue_mode *mode);

/* highatomic.c */
void rmm_reserve_highatomic_pageblock(struct rmm_zone *z, unsigned int cpu,
				      rmm_pfn pfn, unsigned int order);

/* pcp_tune.c; pcp->lock held */
int rmm_nr_pcp_alloc(struct rmm_pcp *pcp, const struct rmm_zone *z,
		     unsigned int order);
int rmm_nr_pcp_drain(struct rmm_pcp *pcp, const struct rmm_zone *z,
		     unsigned int order);

/* compact_scan.c */
void rmm_reset_isolation_suitable(struct rmm_zone *z);

/* pcp.c; the rest is in pcp.h */
void rmm_drain_zone_pages(struct rmm_zone *z, unsigned int cpu);
unsigned int rmm_pindex_to_order(const struct rmm *rmm, unsigned int pindex);

/* address.c */
int rmm_map_arena(struct rmm *rmm);
int rmm_can_remap(struct rmm *rmm);
uintptr_t rmm_reserve_addresses(size_t bytes, uintptr_t align);
void rmm_release_addresses(uintptr_t at, size_t bytes);
int rmm_map_pages_at(struct rmm *rmm, uintptr_t at, rmm_pfn pfn, size_t nr);
void rmm_unmap_at(struct rmm *rmm, uintptr_t at, size_t bytes);
void rmm_unmap_arena(struct rmm *rmm);
void rmm_clear_pages(struct rmm *rmm, rmm_pfn pfn, unsigned int order);
void rmm_copy_pages(struct rmm *rmm, rmm_pfn to, rmm_pfn from,
		    unsigned int order);

/* free.c */
void rmm_free_unused(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn,
		     unsigned int order);
void rmm_free_frozen_pages(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn,
			   unsigned int order);

/* gfp.c, alloc.c, slowpath.c: see alloc.h */

#endif
