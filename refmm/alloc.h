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
};

/* gfp.c */
unsigned int rmm_gfp_zone(const struct rmm *rmm, unsigned int gfp);
int rmm_gfp_migratetype(const struct rmm *rmm, unsigned int gfp);
unsigned int rmm_gfp_to_alloc_flags(const struct rmm *rmm, unsigned int gfp,
				    unsigned int order);
unsigned int rmm_alloc_flags_nofragment(const struct rmm *rmm,
					const struct rmm_zone *preferred,
					unsigned int gfp);
void rmm_build_zonelists(struct rmm *rmm);

/* alloc.c */
bool rmm_prepare_alloc_pages(struct rmm_alloc_context *ac, int nid);
rmm_pfn rmm_get_page_from_freelist(struct rmm_alloc_context *ac);
struct rmm_page *rmm_prep_new_page(struct rmm_alloc_context *ac, rmm_pfn pfn);

static inline struct rmm_zone *rmm_ac_zone(const struct rmm_alloc_context *ac,
					   unsigned int i)
{
	return &ac->rmm->zone[ac->zonelist->zone[i]];
}

/* highatomic.c */
bool rmm_unreserve_highatomic_pageblock(struct rmm_alloc_context *ac,
					bool force);

/* slowpath.c */
rmm_pfn rmm__alloc_pages_slowpath(struct rmm_alloc_context *ac);

#endif
