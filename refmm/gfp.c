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

static unsigned int zone_of(unsigned int gfp)
{
	if (gfp & RMM_GFP_DMA)
		return RMM_ZONE_DMA;
	if (gfp & RMM_GFP_DMA32)
		return RMM_ZONE_DMA32;
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
		rmm->gfp_zone[gfp] = (uint8_t)zone_of(gfp);
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

/*
 * alloc_flags_nofragment(): shall the first walk avoid mixing types, if it
 * prefers zone @z? Only between NORMAL and DMA32: other zones below are too
 * small to help.
 */
static bool avoids_mixing(const struct rmm *rmm, const struct rmm_zone *z)
{
	if (rmm->config.defrag_mode)
		return true;
	if (z->type != RMM_ZONE_NORMAL)
		return false;
	if (rmm->nr_nodes == 1)
		return true;
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		const struct rmm_zone *below = &rmm->zone[i];

		if (below->node == z->node && below->type == RMM_ZONE_DMA32 &&
		    below->present)
			return true;
	}
	return false;
}

/* build_zonerefs_node(): append the populated zones of @node */
static void add_node(const struct rmm *rmm, struct rmm_zonelist *list,
		     unsigned int node)
{
	for (int type = RMM_ZONE_TYPES - 1; type >= 0; type--)
		for (unsigned int i = 0; i < rmm->nr_zones; i++)
			if (rmm->zone[i].node == node &&
			    rmm->zone[i].type == type && rmm->zone[i].present)
				list->zone[list->nr++] = &rmm->zone[i];
}

/* For each CPU and highest zone type, the first zone to try */
static void set_preferred(struct rmm *rmm)
{
	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++) {
		struct rmm_cpu *cpu = &rmm->cpu[i];
		const struct rmm_zonelist *list = &rmm->zonelist[cpu->node];

		for (unsigned int t = 0; t < RMM_ZONE_TYPES; t++)
			if (list->first[t] < list->nr)
				cpu->preferred[t] = list->zone[list->first[t]];
	}
}

/** rmm_build_zonelists() - for each node, the zones in the order to try */
void rmm_build_zonelists(struct rmm *rmm)
{
	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		rmm->zone[i].nofragment = avoids_mixing(rmm, &rmm->zone[i]);
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

			while (first < list->nr && list->zone[first]->type > t)
				first++;
			list->first[t] = (uint8_t)first;
		}
	}
	set_preferred(rmm);
}
