/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_query.h - looking at an instance: pages, zones, free lists,
 * fragmentation, path counts, and the check of every invariant. Nothing here
 * changes anything. Zones are numbered as in rmm_config.zones.
 */
#ifndef KMEMLAB_REFMM_QUERY_H
#define KMEMLAB_REFMM_QUERY_H

#include <stddef.h>

#include <kmemlab/refmm_stat.h>
#include <kmemlab/refmm_types.h>

enum rmm_page_state {
	RMM_PG_RESERVED = 0,  /* never given to the allocator, or a hole */
	RMM_PG_BUDDY = 1,     /* head of a free block */
	RMM_PG_PCP = 2,	      /* head of a block on a per-CPU list */
	RMM_PG_ALLOCATED = 3, /* head of a block in use */
	RMM_PG_TAIL = 4,      /* inside one of these */
};

struct rmm_page_info {
	enum rmm_page_state state;
	rmm_pfn head;		    /* of the block it belongs to */
	uint8_t order, migratetype; /* of that block; its list's type if free */
	uint8_t zone, pageblock_type;
	uint16_t cpu; /* PCP: whose list */
};

struct rmm_zone_info {
	uint8_t node, type;
	rmm_pfn start_pfn;
	uint32_t spanned, present, managed;
	uint64_t free_pages; /* NR_FREE_PAGES: not the per-CPU lists' */
	uint64_t pcp_pages, highatomic_pages, boost;
	uint64_t wmark[RMM_NR_WMARK]; /* without boost */
	uint64_t lowmem_reserve[RMM_ZONE_TYPES];
	uint32_t pcp_batch, pcp_high_min, pcp_high_max;
};

unsigned int rmm_nr_zones(const struct rmm *rmm);
int rmm_zone_info(const struct rmm *rmm, unsigned int zone,
		  struct rmm_zone_info *out);
/** rmm_pfn_zone() - zone number, -1 if none spans it */
int rmm_pfn_zone(const struct rmm *rmm, rmm_pfn pfn);
int rmm_get_pageblock_migratetype(const struct rmm *rmm, rmm_pfn pfn);
int rmm_page_info(const struct rmm *rmm, rmm_pfn pfn,
		  struct rmm_page_info *out);
/** rmm_nr_free() - free blocks of @order, of type @mt (-1: all) */
uint64_t rmm_nr_free(const struct rmm *rmm, unsigned int zone,
		     unsigned int order, int mt);
uint64_t rmm_nr_free_pages(const struct rmm *rmm); /* over all zones */
/** rmm_pcp_count() - base pages on @cpu's lists; high: the present mark */
uint32_t rmm_pcp_count(const struct rmm *rmm, unsigned int zone,
		       unsigned int cpu);
uint32_t rmm_pcp_high(const struct rmm *rmm, unsigned int zone,
		      unsigned int cpu);
/** rmm_unusable_index() - 0..1000, of free memory @order cannot use */
int rmm_unusable_index(const struct rmm *rmm, unsigned int zone,
		       unsigned int order);
/** rmm_extfrag_index() - 0 (lack of memory)..1000 (fragmentation), or -1000 */
int rmm_extfrag_index(const struct rmm *rmm, unsigned int zone,
		      unsigned int order);
/** rmm_cpu_stat() - what happened on @cpu so far, there to be read as it goes
 * on; NULL: there is no such CPU. What counts frees and pages is complete in
 * rmm_stat() only. */
const struct rmm_stat *rmm_cpu_stat(const struct rmm *rmm, unsigned int cpu);
void rmm_stat(const struct rmm *rmm, struct rmm_stat *out);
/** rmm_validate() - 0, or -EUCLEAN and @msg names the first broken invariant */
int rmm_validate(const struct rmm *rmm, char *msg, size_t size);

#endif
