/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * alloc.h - what the parts of an allocation share: gfp.c says what a request
 * means, alloc.c walks the zones, slowpath.c tries harder.
 */
#ifndef REFMM_ALLOC_H
#define REFMM_ALLOC_H

#include "layers.h"

/* struct alloc_context: what stays the same over all attempts */
struct rmm_alloc_context {
	struct rmm *rmm;
	const struct rmm_zonelist *zonelist;
	unsigned int cpu;
	unsigned int gfp;
	unsigned int highest;	 /* zone type */
	unsigned int begin, end; /* of the zone list */
	struct rmm_want want;
	bool no_marks; /* there was room when its compaction began */
};

/* gfp.c */
unsigned int rmm_gfp_to_alloc_flags(const struct rmm *rmm, unsigned int gfp,
				    unsigned int order);
void rmm_build_gfp_table(struct rmm *rmm);

/* zonelist.c */
void rmm_build_zonelists(struct rmm *rmm);

/* The bits that say where and what kind */
#define RMM_GFP_INDEX                                                          \
	(RMM_GFP_DMA | RMM_GFP_HIGHMEM | RMM_GFP_DMA32 | RMM_GFP_MOVABLE |     \
	 RMM_GFP_RECLAIMABLE)

/** rmm_gfp_zone() - gfp_zone(): highest zone type that a request may use */
static inline unsigned int rmm_gfp_zone(const struct rmm *rmm, unsigned int gfp)
{
	return rmm->gfp_zone[gfp & RMM_GFP_INDEX];
}

/** rmm_gfp_migratetype() - gfp_migratetype(): mobility of what is asked for */
static inline int rmm_gfp_migratetype(const struct rmm *rmm, unsigned int gfp)
{
	return rmm->gfp_migratetype[gfp & RMM_GFP_INDEX];
}

/* alloc.c */
bool rmm_prepare_alloc_pages(struct rmm_alloc_context *ac, int nid);
rmm_pfn rmm_get_page_from_freelist(struct rmm_alloc_context *ac);
struct rmm_page *rmm_prep_new_page(struct rmm_alloc_context *ac, rmm_pfn pfn);

static inline struct rmm_zone *rmm_ac_zone(const struct rmm_alloc_context *ac,
					   unsigned int i)
{
	return ac->zonelist->zone[i];
}

/** rmm_unusable_free() - __zone_watermark_unusable_free(): free pages that this
 *  request cannot have */
static inline int64_t rmm_unusable_free(const struct rmm_zone *z,
					const struct rmm_want *want)
{
	int64_t unusable = (1ll << want->order) - 1;

	if (!(want->alloc_flags & RMM_ALLOC_RESERVES))
		unusable += RMM_READ(z->unusable_highatomic);
	if (!(want->alloc_flags & RMM_ALLOC_CMA))
		unusable += RMM_READ(z->nr_free_cma);
	return unusable;
}

/* A single page would leave the zone above @mark, without any liberty. */
static inline bool rmm_plenty(const struct rmm_zone *z,
			      const struct rmm_want *want, uint64_t mark,
			      unsigned int highest)
{
	return RMM_READ(z->nr_free_seen) - rmm_unusable_free(z, want) >
	       (int64_t)mark + z->lowmem_reserve[highest];
}

/** rmm_zone_watermark_fast() - zone_watermark_fast(): as
 *  rmm__zone_watermark_ok(), quick for a single page and plenty of memory */
static inline bool rmm_zone_watermark_fast(const struct rmm_zone *z,
					   const struct rmm_want *want,
					   uint64_t mark, unsigned int highest)
{
	if (want->order == 0 && rmm_plenty(z, want, mark, highest))
		return true;
	return rmm_zone_watermark_slow(z, want, mark, highest);
}

/* highatomic.c */
bool rmm_unreserve_highatomic_pageblock(struct rmm_alloc_context *ac,
					bool force);

/* slowpath.c */
rmm_pfn rmm__alloc_pages_slowpath(struct rmm_alloc_context *ac);

#endif
