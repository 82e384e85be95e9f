/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* knobs.h - knobs that need nothing of the oracle's, and what a run of one
 * configuration (KML_PROP_CONFIG) has turned. */
#ifndef KMEMLAB_TESTS_KNOBS_H
#define KMEMLAB_TESTS_KNOBS_H

#include <kmemlab/refmm.h>

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
}

static inline const char *knobs_pcp(const struct rmm_config *c)
{
	if (!c->pcp)
		return "off";
	return c->pcp_mode == RMM_PCP_FIXED ? "fixed" : "auto";
}

/** knobs_print() - @set_types: pageblocks change type */
static inline void knobs_print(const struct rmm_config *c, bool set_types)
{
	static bool printed;

	if (printed || !getenv("KML_PROP_CONFIG"))
		return;
	printed = true;
	print_message("configuration %s: %s, %u zones, pageblock %u of %u, min_free %lld, "
		      "pcp %s batch %u fraction %u thp %u/%u high-order %d/%d, mobility %d, "
		      "defrag %d, boost %u, scale %u, DMA32 ratio %u, shuffle %d, isolate bit %d, "
		      "owner %d, types %s\n",
		      getenv("KML_PROP_CONFIG"),
		      c->fallback == RMM_FALLBACK_STEAL ? "steal" : "claim", c->nr_zones,
		      c->pageblock_order, c->max_order, (long long)c->min_free_kbytes, knobs_pcp(c),
		      c->pcp_batch, c->pcp_high_fraction, c->thp, c->pcp_thp_lists,
		      c->pcp_free_high_batch, c->pcp_free_high_patient, c->mobility, c->defrag_mode,
		      c->watermark_boost_factor, c->watermark_scale_factor,
		      c->lowmem_reserve_ratio[RMM_ZONE_DMA32], c->shuffle, c->isolate_bit,
		      c->page_owner, set_types ? "change" : "stay");
}

#endif
