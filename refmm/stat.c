/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stat.c - what is free, how fragmented it is, and what happened so far.
 *
 * Two indices say why a request of an order would fail, for each zone:
 *
 *   unusable(o) = (free - (blocks of order >= o, in units of o) << o) / free
 *	0: all free memory can serve order o; 1000: none can
 *   extfrag(o)  = 1 - (1 + free / 2^o) / free blocks, in thousandths
 *	towards 0: too little memory; towards 1000: it is there, in pieces;
 *	-1000: the request would succeed
 *
 * Locking: reads without locks; with threads running the figures may not belong
 * together.
 *
 * Modelled: /proc/buddyinfo, /proc/pagetypeinfo, debugfs extfrag/ (
 * fill_contig_page_info, unusable_free_index, __fragmentation_index). (6.12,
 * mm/vmstat.c; not in LKD3)
 */
#include <errno.h>

#include "layers.h"

/* struct contig_page_info */
struct contig {
	uint64_t free_pages, blocks, suitable;
};

/** rmm_nr_zones() - as configured */
unsigned int rmm_nr_zones(const struct rmm *rmm)
{
	return rmm->nr_zones;
}

/** rmm_nr_free() - free blocks; 0 for what does not exist */
uint64_t rmm_nr_free(const struct rmm *rmm, unsigned int zone,
		     unsigned int order, int mt)
{
	const struct rmm_list *list;
	uint64_t sum = 0;

	if (zone >= rmm->nr_zones || order >= RMM_NR_ORDERS ||
	    mt >= RMM_MIGRATE_TYPES)
		return 0;
	list = rmm->zone[zone].free_area[order].free_list;
	if (mt >= 0)
		return RMM_READ(list[mt].count);
	for (mt = 0; mt < RMM_MIGRATE_TYPES; mt++)
		sum += RMM_READ(list[mt].count);
	return sum;
}

/** rmm_nr_free_pages() - NR_FREE_PAGES of the machine */
uint64_t rmm_nr_free_pages(const struct rmm *rmm)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		sum += (uint64_t)RMM_READ(rmm->zone[i].nr_free);
	return sum;
}

/** rmm_pcp_count() - base pages on @cpu's lists of @zone */
uint32_t rmm_pcp_count(const struct rmm *rmm, unsigned int zone,
		       unsigned int cpu)
{
	if (zone >= rmm->nr_zones || cpu >= rmm->config.nr_cpus)
		return 0;
	return (uint32_t)rmm->zone[zone].pcp[cpu].count;
}

/** rmm_pcp_high() - the mark that is tuned */
uint32_t rmm_pcp_high(const struct rmm *rmm, unsigned int zone,
		      unsigned int cpu)
{
	if (zone >= rmm->nr_zones || cpu >= rmm->config.nr_cpus)
		return 0;
	return (uint32_t)rmm->zone[zone].pcp[cpu].high;
}

/** rmm_set_pcp_high() - start from a mark that was observed */
int rmm_set_pcp_high(struct rmm *rmm, unsigned int zone, unsigned int cpu,
		     uint32_t high)
{
	struct rmm_pcp *pcp;

	if (zone >= rmm->nr_zones || cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot set PCP high: no zone %u or CPU %u",
				 zone, cpu);
	pcp = &rmm->zone[zone].pcp[cpu];
	pcp->high = (int)(high & INT32_MAX);
	if (rmm->ready && pcp->high > pcp->high_max)
		pcp->high = pcp->high_max;
	if (rmm->ready && pcp->high < pcp->high_min)
		pcp->high = pcp->high_min;
	return 0;
}

/** rmm_zone_info() - everything about a zone; -EINVAL */
int rmm_zone_info(const struct rmm *rmm, unsigned int zone,
		  struct rmm_zone_info *out)
{
	const struct rmm_zone *z;

	if (zone >= rmm->nr_zones)
		return -EINVAL;
	z = &rmm->zone[zone];
	*out = (struct rmm_zone_info){
		.node = z->node,
		.type = z->type,
		.start_pfn = z->start_pfn,
		.spanned = z->spanned,
		.present = z->present,
		.managed = z->managed,
		.free_pages = (uint64_t)RMM_READ(z->nr_free),
		.highatomic_pages = RMM_READ(z->nr_reserved_highatomic),
		.boost = RMM_READ(z->boost),
		.pcp_batch = z->pcp_batch,
		.pcp_high_min = z->pcp_high_min,
		.pcp_high_max = z->pcp_high_max,
	};
	for (int i = 0; i < RMM_NR_WMARK; i++)
		out->wmark[i] = z->wmark[i];
	for (int i = 0; i < RMM_ZONE_TYPES; i++)
		out->lowmem_reserve[i] = (uint64_t)z->lowmem_reserve[i];
	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++)
		out->pcp_pages += rmm_pcp_count(rmm, zone, i);
	return 0;
}

/* fill_contig_page_info() */
static struct contig contig_info(const struct rmm *rmm, unsigned int zone,
				 unsigned int order)
{
	struct contig info = {0};

	for (unsigned int o = 0; o < RMM_NR_ORDERS; o++) {
		uint64_t blocks = rmm_nr_free(rmm, zone, o, -1);

		info.blocks += blocks;
		info.free_pages += blocks << o;
		if (o >= order)
			info.suitable += blocks << (o - order);
	}
	return info;
}

/** rmm_unusable_index() - unusable_free_index(): 0..1000 */
int rmm_unusable_index(const struct rmm *rmm, unsigned int zone,
		       unsigned int order)
{
	struct contig info = contig_info(rmm, zone, order);

	if (!info.free_pages)
		return 1000;
	return (int)((info.free_pages - (info.suitable << order)) * 1000 /
		     info.free_pages);
}

/** rmm_extfrag_index() - __fragmentation_index(): -1000, or up to 1000 */
int rmm_extfrag_index(const struct rmm *rmm, unsigned int zone,
		      unsigned int order)
{
	struct contig info = contig_info(rmm, zone, order);

	if (!info.blocks)
		return 0;
	if (info.suitable)
		return -1000;
	return 1000 -
	       (int)((1000 + (info.free_pages * 1000 >> order)) / info.blocks);
}

/** rmm_cpu_stat() - see refmm_query.h */
const struct rmm_stat *rmm_cpu_stat(const struct rmm *rmm, unsigned int cpu)
{
	return cpu < rmm->config.nr_cpus ? &rmm->cpu[cpu].stat : NULL;
}

/* Pages freed the quick way, which counts them once: order 0, to a list */
static uint64_t nr_quick(const struct rmm *rmm)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		for (unsigned int cpu = 0; cpu < rmm->config.nr_cpus; cpu++)
			sum += rmm->zone[i].pcp[cpu].nr_quick;
	return sum;
}

/** rmm_stat() - the sum over CPUs; struct rmm_stat is all counters. Pages are
 *  counted here, not on the way: calls times 2^order */
void rmm_stat(const struct rmm *rmm, struct rmm_stat *out)
{
	uint64_t quick = nr_quick(rmm);
	uint64_t *sum = (uint64_t *)out;

	*out = (struct rmm_stat){0};
	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++) {
		const uint64_t *add = (const uint64_t *)&rmm->cpu[i].stat;

		for (size_t n = 0; n < sizeof(*out) / sizeof(*sum); n++)
			sum[n] += add[n];
	}
	out->free[0] += quick;
	out->pcp_free += quick;
	for (unsigned int o = 0; o < RMM_NR_ORDERS; o++) {
		out->alloc_pages += out->alloc[o] << o;
		out->free_pages += out->free[o] << o;
	}
}
