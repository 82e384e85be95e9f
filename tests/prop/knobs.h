/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* knobs.h - the machine of prop_pages.c, knobs that need nothing of its oracle's,
 * and what a run of one configuration (KML_PROP_CONFIG) has turned. */
#ifndef KMEMLAB_TESTS_KNOBS_H
#define KMEMLAB_TESTS_KNOBS_H

#include <kmemlab/refmm.h>

/* DMA32, Normal and Movable on node 0, Normal on node 1; odd sizes and gaps */
static const struct rmm_zone_config zones[] = {
	{.node = 0,
	 .type = RMM_ZONE_DMA32,
	 .start_pfn = 3,
	 .spanned = 317,
	 .present = 317,
	 .managed = 317},
	{.node = 0,
	 .type = RMM_ZONE_NORMAL,
	 .start_pfn = 320,
	 .spanned = 704,
	 .present = 700,
	 .managed = 700},
	{.node = 1,
	 .type = RMM_ZONE_NORMAL,
	 .start_pfn = 1040,
	 .spanned = 500,
	 .present = 500,
	 .managed = 500},
	{.node = 0,
	 .type = RMM_ZONE_MOVABLE,
	 .start_pfn = 1600,
	 .spanned = 320,
	 .present = 320,
	 .managed = 320},
};

/** knobs_far() - do nodes have distances of their own? */
static inline bool knobs_far(uint64_t knobs)
{
	return knobs >> 36 & 1;
}

/** knobs_more() - from bits that prop_pages.c does not use */
static inline void knobs_more(struct rmm_config *c, uint64_t knobs)
{
	c->shuffle = knobs % 13 == 0;
	c->shuffle_seed = knobs;
	c->page_owner = knobs % 17 == 0;
	c->pcp_high_fraction = knobs >> 16 & 1 ? 8 : 0;
	c->pcp_free_high_batch = knobs >> 17 & 1;
	c->pcp_free_high_patient = knobs >> 18 & 1;
	c->watermark_boost_factor = knobs >> 19 & 1 ? 0 : 15000;
	c->watermark_scale_factor = knobs >> 20 & 1 ? 10 : 300;
	c->thp = knobs >> 21 & 1;
	if (knobs >> 22 & 1)
		c->lowmem_reserve_ratio[RMM_ZONE_DMA32] = 8;
	c->threads = knobs >> 23 & 1; /* the locks are taken */
	c->pcp_high = knobs >> 24 & 3 ? 0 : 40;
	c->compute_pcp_high = knobs >> 26 & 1;
	c->extfrag_threshold = knobs >> 27 & 1 ? 500 : 0;
	c->compaction_proactiveness = knobs >> 28 & 1 ? 20 : 100;
	c->compact_unevictable_allowed = knobs >> 29 & 1;
	c->given_watermarks = knobs >> 30 & 1;
	c->backed = (knobs >> 31 & 15) == 0;
	c->stat_threshold = knobs >> 37 & 1;
	c->compute_reserve = knobs >> 38 & 1;
}

/** knobs_zones() - what zones say that given_watermarks and compute_pcp_high are
 *  about; returns @mine */
static inline const struct rmm_zone_config *knobs_zones(struct rmm_zone_config *mine,
							unsigned int nr, uint64_t knobs)
{
	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int m = 0; m < RMM_NR_WMARK; m++)
			mine[i].wmark[m] = mine[i].managed / 50 * (m + 1);
		for (unsigned int t = mine[i].type + 1u; t < RMM_ZONE_TYPES; t++)
			mine[i].lowmem_reserve[t] = mine[i].managed / 20;
		if (knobs >> 35 & 1) {
			mine[i].pcp_high_min = 20 + i;
			mine[i].pcp_high_max = 60 + i;
		}
	}
	return mine;
}

static inline const char *knobs_pcp(const struct rmm_config *c)
{
	if (!c->pcp)
		return "off";
	return c->pcp_mode == RMM_PCP_FIXED ? "fixed" : "auto";
}

/** knobs_print() - @set_types: pageblocks change type; @far: nodes have a table
 *  of distances */
static inline void knobs_print(const struct rmm_config *c, bool set_types, bool far)
{
	static bool printed;

	if (printed || !getenv("KML_PROP_CONFIG"))
		return;
	printed = true;
	print_message(
		"configuration %s: %s, %u zones, pageblock %u of %u, min_free %lld, "
		"pcp %s batch %u fraction %u thp %u/%u high-order %d/%d, mobility %d, "
		"defrag %d, boost %u, scale %u, DMA32 ratio %u, shuffle %d, isolate bit %d, "
		"owner %d, types %s, locks %d, pcp high %u (computed %d), extfrag threshold %d, "
		"proactiveness %u, unevictable %d, marks %s, distances %s, backed %d, "
		"late sums %d, reserve computed %d\n",
		getenv("KML_PROP_CONFIG"), c->fallback == RMM_FALLBACK_STEAL ? "steal" : "claim",
		c->nr_zones, c->pageblock_order, c->max_order, (long long)c->min_free_kbytes,
		knobs_pcp(c), c->pcp_batch, c->pcp_high_fraction, c->thp, c->pcp_thp_lists,
		c->pcp_free_high_batch, c->pcp_free_high_patient, c->mobility, c->defrag_mode,
		c->watermark_boost_factor, c->watermark_scale_factor,
		c->lowmem_reserve_ratio[RMM_ZONE_DMA32], c->shuffle, c->isolate_bit, c->page_owner,
		set_types ? "change" : "stay", c->threads, c->pcp_high, c->compute_pcp_high,
		c->extfrag_threshold, c->compaction_proactiveness, c->compact_unevictable_allowed,
		c->given_watermarks ? "given" : "computed", far ? "far" : "usual", c->backed,
		c->stat_threshold, c->compute_reserve);
}

#endif
