/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gfp.c - what a gfp mask means: which zones, which mobility, which liberties.
 *
 *   zone modifiers     highest zone that may be used
 *   -                  NORMAL
 *   DMA                DMA
 *   DMA32              DMA32
 *   HIGHMEM            HIGHMEM
 *   HIGHMEM | MOVABLE  MOVABLE
 *
 * MOVABLE alone, or with DMA or DMA32, is mobility only. Requests then try the
 * zones of their node from the highest downward, and after them those of the
 * other nodes:
 *
 *   node 0: [N0 Movable] N0 Normal, N0 DMA32, N0 DMA | N1 Movable, N1 Normal
 *           ^ skipped by a GFP_KERNEL request
 *
 * Locking: none; zone lists are built once.
 *
 * Modelled: gfp_zone, gfp_migratetype, gfp_to_alloc_flags,
 * alloc_flags_nofragment, build_zonelists. Simplified: other nodes come in
 * cyclic order of their number (the kernel weighs distances). Omitted:
 * cpusets, node masks, real-time tasks. (6.12, mm/page_alloc.c,
 * include/linux/gfp.h; LKD3 ch. 12 "gfp_mask Flags")
 */
#include "alloc.h"

/** rmm_gfp_zone() - highest zone type that a request may use */
unsigned int rmm_gfp_zone(const struct rmm *rmm, unsigned int gfp)
{
	(void)rmm;
	if (gfp & RMM_GFP_DMA)
		return RMM_ZONE_DMA;
	if (gfp & RMM_GFP_DMA32)
		return RMM_ZONE_DMA32;
	if (!(gfp & RMM_GFP_HIGHMEM))
		return RMM_ZONE_NORMAL;
	return gfp & RMM_GFP_MOVABLE ? RMM_ZONE_MOVABLE : RMM_ZONE_HIGHMEM;
}

/** rmm_gfp_migratetype() - mobility of what is asked for */
int rmm_gfp_migratetype(const struct rmm *rmm, unsigned int gfp)
{
	if (!rmm->config.mobility)
		return RMM_UNMOVABLE;
	if (gfp & RMM_GFP_MOVABLE)
		return RMM_MOVABLE;
	return gfp & RMM_GFP_RECLAIMABLE ? RMM_RECLAIMABLE : RMM_UNMOVABLE;
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

/**
 * rmm_alloc_flags_nofragment() - shall the first walk avoid mixing types?
 * @preferred: the first zone that will be tried
 *
 * Only between NORMAL and DMA32: other zones below are too small to help.
 */
unsigned int rmm_alloc_flags_nofragment(const struct rmm *rmm,
					const struct rmm_zone *preferred,
					unsigned int gfp)
{
	unsigned int flags =
		gfp & RMM_GFP_KSWAPD_RECLAIM ? RMM_ALLOC_KSWAPD : 0;

	if (rmm->config.defrag_mode)
		return flags | RMM_ALLOC_NOFRAGMENT;
	if (preferred->type != RMM_ZONE_NORMAL)
		return flags;
	if (rmm->nr_nodes == 1)
		return flags | RMM_ALLOC_NOFRAGMENT;
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		const struct rmm_zone *z = &rmm->zone[i];

		if (z->node == preferred->node && z->type == RMM_ZONE_DMA32 &&
		    z->present)
			return flags | RMM_ALLOC_NOFRAGMENT;
	}
	return flags;
}

/* build_zonerefs_node(): append the populated zones of @node */
static void add_node(const struct rmm *rmm, struct rmm_zonelist *list,
		     unsigned int node)
{
	for (int type = RMM_ZONE_TYPES - 1; type >= 0; type--)
		for (unsigned int i = 0; i < rmm->nr_zones; i++)
			if (rmm->zone[i].node == node &&
			    rmm->zone[i].type == type && rmm->zone[i].present)
				list->zone[list->nr++] = (uint8_t)i;
}

/** rmm_build_zonelists() - for each node, the zones in the order to try */
void rmm_build_zonelists(struct rmm *rmm)
{
	for (unsigned int node = 0; node < rmm->nr_nodes; node++) {
		struct rmm_zonelist *list = &rmm->zonelist[node];

		list->nr = 0;
		for (unsigned int i = 0; i < rmm->nr_nodes; i++) {
			add_node(rmm, list, (node + i) % rmm->nr_nodes);
			if (i == 0)
				list->nr_local = list->nr;
		}
		for (unsigned int t = 0; t < RMM_ZONE_TYPES; t++) {
			unsigned int first = 0;

			while (first < list->nr &&
			       rmm->zone[list->zone[first]].type > t)
				first++;
			list->first[t] = (uint8_t)first;
		}
	}
}
