/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gfp.c - what a gfp mask means: which zones, which mobility, which liberties.
 *
 *   zone modifiers     highest zone that may be used
 *   -                  NORMAL
 *   DMA                DMA
 *   DMA32              DMA32; NORMAL on a machine that has no such zone
 *   HIGHMEM            HIGHMEM
 *   HIGHMEM | MOVABLE  MOVABLE
 *
 * MOVABLE alone, or with DMA or DMA32, is mobility only. In which order the
 * zones below are tried is in zonelist.c.
 *
 * Locking: none; tables are built once.
 *
 * Modelled: gfp_zone, gfp_migratetype, gfp_to_alloc_flags. Omitted: real-time
 * tasks. (6.12, mm/page_alloc.c,
 * include/linux/gfp.h; LKD3 ch. 12 "gfp_mask Flags")
 */
#include "alloc.h"

static unsigned int zone_of(const struct rmm *rmm, unsigned int gfp)
{
	if (gfp & RMM_GFP_DMA)
		return RMM_ZONE_DMA;
	if (gfp & RMM_GFP_DMA32)
		return rmm->has_dma32 ? RMM_ZONE_DMA32 : RMM_ZONE_NORMAL;
	if (!(gfp & RMM_GFP_HIGHMEM))
		return RMM_ZONE_NORMAL;
	return gfp & RMM_GFP_MOVABLE ? RMM_ZONE_MOVABLE : RMM_ZONE_HIGHMEM;
}

static int mobility_of(unsigned int gfp)
{
	if (gfp & RMM_GFP_MOVABLE)
		return RMM_MOVABLE;
	return gfp & RMM_GFP_RECLAIMABLE ? RMM_RECLAIMABLE : RMM_UNMOVABLE;
}

/** rmm_build_gfp_table() - both, for each mask, as the kernel has them in
 *  GFP_ZONE_TABLE and in the position of two bits */
void rmm_build_gfp_table(struct rmm *rmm)
{
	for (unsigned int gfp = 0; gfp <= RMM_GFP_INDEX; gfp++) {
		rmm->gfp_zone[gfp] = (uint8_t)zone_of(rmm, gfp);
		rmm->gfp_migratetype[gfp] =
			(uint8_t)rmm_grouped_type(rmm, mobility_of(gfp));
	}
}

/** rmm_gfp_to_alloc_flags() - liberties of the slow path, by urgency */
unsigned int rmm_gfp_to_alloc_flags(const struct rmm *rmm, unsigned int gfp,
				    unsigned int order)
{
	unsigned int flags = RMM_WMARK_MIN;

	if (gfp & RMM_GFP_HIGH)
		flags |= RMM_ALLOC_MIN_RESERVE;
	if (gfp & RMM_GFP_KSWAPD_RECLAIM)
		flags |= RMM_ALLOC_KSWAPD;
	if (!(gfp & (RMM_GFP_DIRECT_RECLAIM | RMM_GFP_NOMEMALLOC))) {
		flags |= RMM_ALLOC_NON_BLOCK;
		if (order > 0 && (gfp & RMM_GFP_HIGH))
			flags |= RMM_ALLOC_HIGHATOMIC;
	}
	if (rmm_gfp_migratetype(rmm, gfp) == RMM_MOVABLE)
		flags |= RMM_ALLOC_CMA;
	if (rmm->config.defrag_mode)
		flags |= RMM_ALLOC_NOFRAGMENT;
	return flags;
}
