/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * setup.c - from sizes and sysctls to watermarks, reserves and PCP limits.
 *
 * With M = managed pages of a zone, L = managed pages of all zones but HIGHMEM
 * and MOVABLE:
 *
 *   min_free_kbytes = isqrt(16 * L in KiB), within 128..262144; with THP at
 *	least 11 pageblocks a zone, but at most 5 % of L
 *   min   = min_free_pages * M / L	(HIGHMEM, MOVABLE: M/1024 in 32..128;
 *	6.1: MOVABLE counts in L here, and has a share)
 *   delta = max(min_free_pages * M / L / 4, M * watermark_scale_factor / 10000)
 *   low   = min + delta, high = low + delta, promo = high + delta
 *
 *   lowmem_reserve[j] = (sum of M over zones above, up to j) / ratio[own type]
 *
 *   batch    = 2^floor(log2(1.5 b)) - 1 with b = min(M/1024, 1 MiB)/4; >= 1
 *   high_min = max(low / CPUs of the node, 4 batch)
 *   high_max = max(M / 8 / CPUs of the node, 4 batch)
 *
 * Called at setup, and when a zone has grown; not while threads run. What the
 * caller gives as known is kept until then.
 *
 * Modelled: init_per_zone_wmark_min, __setup_per_zone_wmarks,
 * setup_per_zone_lowmem_reserve, set_recommended_min_free_kbytes,
 * zone_batchsize, zone_highsize. Omitted: totalreserve_pages. (6.12,
 * mm/page_alloc.c, mm/khugepaged.c; LKD3 ch. 12 "Zones")
 */
#include "layers.h"

static uint64_t clamp_u64(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* int_sqrt(): the largest r with r * r <= v */
static uint64_t int_sqrt(uint64_t v)
{
	uint64_t r = 0;

	for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
		if ((r | bit) * (r | bit) <= v)
			r |= bit;
	return r;
}

static bool is_lowmem(const struct rmm_zone *z)
{
	return z->type != RMM_ZONE_HIGHMEM && z->type != RMM_ZONE_MOVABLE;
}

/* Does the zone have a share of min_free_kbytes? In 6.1 MOVABLE has, too. */
static bool has_share(const struct rmm_zone *z)
{
	return is_lowmem(z) ||
	       (rmm_is_61(z->rmm) && z->type == RMM_ZONE_MOVABLE);
}

/* nr_free_buffer_pages(): lowmem that is not below the high mark */
static uint64_t free_buffer_pages(const struct rmm *rmm)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		const struct rmm_zone *z = &rmm->zone[i];
		uint64_t high = z->wmark[RMM_WMARK_HIGH];

		if (is_lowmem(z) && z->managed > high)
			sum += z->managed - high;
	}
	return sum;
}

/* set_recommended_min_free_kbytes(): room for two pageblocks of each type
 * fallback in each zone, so that huge pages stay possible */
static uint64_t recommended_min_kbytes(const struct rmm *rmm)
{
	unsigned int kb_shift = rmm->config.page_shift - 10;
	uint64_t block = 1ull << rmm->config.pageblock_order, pages = 0, max;

	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		if (rmm->zone[i].present && is_lowmem(&rmm->zone[i]))
			pages += block * (2 + RMM_PCPTYPES * RMM_PCPTYPES);
	max = free_buffer_pages(rmm) / 20;
	return (pages < max ? pages : max) << kb_shift;
}

/** rmm_calculate_min_free_kbytes() - the boot default, or what is given */
void rmm_calculate_min_free_kbytes(struct rmm *rmm)
{
	uint64_t kbytes, recommended;

	if (rmm->config.min_free_kbytes >= 0) {
		rmm->min_free_kbytes = (uint64_t)rmm->config.min_free_kbytes;
		return;
	}
	kbytes = free_buffer_pages(rmm) << (rmm->config.page_shift - 10);
	rmm->min_free_kbytes = clamp_u64(int_sqrt(kbytes * 16), 128, 262144);
	if (!rmm->config.thp)
		return;
	/* khugepaged starts when there are watermarks already. */
	rmm_setup_per_zone_wmarks(rmm);
	recommended = recommended_min_kbytes(rmm);
	if (recommended > rmm->min_free_kbytes)
		rmm->min_free_kbytes = recommended;
}

static void setup_zone_wmarks(struct rmm_zone *z, uint64_t share)
{
	uint64_t scaled = (uint64_t)z->managed *
			  z->rmm->config.watermark_scale_factor / 10000;
	uint64_t delta = share / 4 > scaled ? share / 4 : scaled;

	z->wmark[RMM_WMARK_MIN] =
		has_share(z) ? share : clamp_u64(z->managed / 1024, 32, 128);
	for (int i = RMM_WMARK_LOW; i < RMM_NR_WMARK; i++)
		z->wmark[i] = z->wmark[i - 1] + delta;
	z->boost = 0;
}

/** rmm_setup_per_zone_wmarks() - share min_free_kbytes out among the zones */
void rmm_setup_per_zone_wmarks(struct rmm *rmm)
{
	uint64_t pages_min =
		rmm->min_free_kbytes >> (rmm->config.page_shift - 10);
	uint64_t lowmem = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		if (has_share(&rmm->zone[i]))
			lowmem += rmm->zone[i].managed;
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		struct rmm_zone *z = &rmm->zone[i];
		uint64_t share = lowmem ? pages_min * z->managed / lowmem : 0;

		setup_zone_wmarks(z, share);
	}
}

/* Managed pages of the node's zones above @z, up to type @top */
static uint64_t managed_above(const struct rmm_zone *z, unsigned int top)
{
	const struct rmm *rmm = z->rmm;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		const struct rmm_zone *up = &rmm->zone[i];

		if (up->node == z->node && up->type > z->type &&
		    up->type <= top)
			sum += up->managed;
	}
	return sum;
}

/** rmm_setup_per_zone_lowmem_reserve() - protect low zones from requests that
 *  could go higher */
void rmm_setup_per_zone_lowmem_reserve(struct rmm *rmm)
{
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		struct rmm_zone *z = &rmm->zone[i];
		unsigned int ratio = rmm->config.lowmem_reserve_ratio[z->type];

		for (unsigned int j = 0; j < RMM_ZONE_TYPES; j++)
			z->lowmem_reserve[j] =
				j > z->type && ratio && z->managed
					? (int64_t)(managed_above(z, j) / ratio)
					: 0;
	}
}

/* zone_batchsize() */
static uint32_t zone_batchsize(const struct rmm_zone *z)
{
	uint64_t mib = (1ull << 20) >> z->rmm->config.page_shift;
	uint64_t batch = z->managed >> 10, pow2 = 1;

	batch = (batch < mib ? batch : mib) / 4;
	if (batch < 1)
		batch = 1;
	while (pow2 * 2 <= batch + batch / 2)
		pow2 *= 2;
	return pow2 > 2 ? (uint32_t)pow2 - 1 : 1;
}

/* zone_highsize(): @total pages shared by the node's CPUs, or by all if the
 * node has none */
static uint32_t zone_highsize(const struct rmm_zone *z, uint32_t batch,
			      uint64_t total)
{
	const struct rmm *rmm = z->rmm;
	uint32_t cpus = 0, least = batch * 4;
	uint64_t high;

	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++)
		cpus += rmm->cpu[i].node == z->node;
	if (!cpus)
		cpus = rmm->config.nr_cpus;
	high = cpus ? total / cpus : total;
	return high > least ? (uint32_t)high : least;
}

static uint32_t choose(uint32_t override, uint32_t given, uint32_t computed)
{
	return override ? override : given ? given : computed;
}

static void pageset_update(struct rmm_zone *z, struct rmm_pcp *pcp)
{
	pcp->batch = (int)z->pcp_batch;
	pcp->high_min = (int)z->pcp_high_min;
	pcp->high_max = (int)z->pcp_high_max;
	if (pcp->high > pcp->high_max)
		pcp->high = pcp->high_max;
	if (z->rmm->config.pcp_mode == RMM_PCP_FIXED ||
	    pcp->high < pcp->high_min)
		pcp->high = pcp->high_min;
}

/**
 * rmm_zone_set_pageset_high_and_batch() - limits of the per-CPU lists
 * @given: limits that are known; NULL: compute all
 */
void rmm_zone_set_pageset_high_and_batch(struct rmm_zone *z,
					 const struct rmm_zone_config *given)
{
	static const struct rmm_zone_config none;
	const struct rmm_config *c = &z->rmm->config;
	unsigned int fraction = c->pcp_high_fraction;
	uint64_t low = z->wmark[RMM_WMARK_LOW];
	uint32_t batch, min, max;

	if (!given)
		given = &none;
	batch = choose(c->pcp_batch, given->pcp_batch, zone_batchsize(z));
	min = zone_highsize(z, batch, fraction ? z->managed / fraction : low);
	max = fraction ? min : zone_highsize(z, batch, z->managed / 8);
	z->pcp_batch = batch;
	if (c->compute_pcp_high)
		given = &none;
	z->pcp_high_min = choose(c->pcp_high, given->pcp_high_min, min);
	z->pcp_high_max = choose(c->pcp_high, given->pcp_high_max, max);
	if (c->pcp_mode == RMM_PCP_FIXED)
		z->pcp_high_max = z->pcp_high_min;
	for (unsigned int i = 0; i < c->nr_cpus; i++)
		pageset_update(z, &z->pcp[i]);
}
