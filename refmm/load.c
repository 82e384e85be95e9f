/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load.c - put a machine into the state that another one was found in.
 *
 * The replay knows of each block whether it is free (and on which list), on a
 * per-CPU list, or in use. It loads them one by one; what it does not load
 * stays reserved. Lists fill in the order of the calls, so the first block
 * loaded is the first to be allocated.
 *
 *      reserved --load_free------> BUDDY
 *               --load_pcp-------> PCP
 *               --load_allocated-> ALLOCATED
 *               --free_reserved--> BUDDY, merged, as at boot
 *
 * A snapshot is not taken in an instant, so it may break what the kernel keeps:
 * free buddies that are not merged, lists that differ from their pageblock.
 * Such zones are noted as loose and rmm_validate() does not insist.
 *
 * Locking: before threads start.
 *
 * Modelled: free_reserved_area, __free_pages_core, init_per_zone_wmark_min on
 * memory hotplug. The rest is this file's own.
 * (6.12, mm/page_alloc.c; LKD3 ch. 12 "Zones")
 */
#include <errno.h>

#include "alloc.h"
#include "pcp.h"

/* May the block be loaded? @zone: where it lies */
static int check_block(struct rmm *rmm, rmm_pfn pfn, unsigned int order,
		       struct rmm_zone **zone)
{
	int id = rmm_pfn_zone(rmm, pfn);
	uint64_t nr = order < 32 ? 1ull << order : 0, end = pfn + nr;
	rmm_pfn head;

	if (!nr || (pfn & (nr - 1)))
		return rmm_error(rmm, -EINVAL,
				 "cannot load pfn %u: not aligned to order %u",
				 pfn, order);
	if (id < 0)
		return rmm_error(rmm, -ERANGE, "cannot load pfn %u: in no zone",
				 pfn);
	*zone = &rmm->zone[id];
	if (end > (uint64_t)(*zone)->start_pfn + (*zone)->spanned)
		return rmm_error(rmm, -ERANGE,
				 "cannot load pfn %u, order %u: reaches out of "
				 "zone %d",
				 pfn, order, id);
	head = rmm_find_head(rmm, pfn);
	if (head != RMM_NO_PFN)
		return rmm_error(
			rmm, -EBUSY,
			"cannot load pfn %u: loaded already, as a part "
			"of pfn %u, order %u",
			pfn, head, rmm->memmap[head].order);
	return 0;
}

/* No frame of a block may be the head of another. Pageblocks in which nothing
 * was loaded yet need no look. */
static int check_inside(struct rmm *rmm, rmm_pfn pfn, unsigned int order)
{
	unsigned int shift = rmm->config.pageblock_order;
	uint64_t end = (uint64_t)pfn + (1ull << order);

	for (uint64_t p = pfn; p < end; p++) {
		if (!rmm_get_pageblock(&rmm->blocks[p >> shift],
				       RMM_PB_PRESENT)) {
			p |= (1ull << shift) - 1;
			continue;
		}
		if (RMM_READ(rmm->memmap[p].state) != RMM_PG_RESERVED)
			return rmm_error(rmm, -EBUSY,
					 "cannot load pfn %u, order %u: pfn "
					 "%llu in it is loaded already",
					 pfn, order, (unsigned long long)p);
	}
	return 0;
}

static void mark_present(struct rmm_zone *z, rmm_pfn pfn, uint64_t nr)
{
	unsigned int shift = z->pageblock_order;

	for (uint64_t b = pfn >> shift; b <= (pfn + nr - 1) >> shift; b++)
		rmm_set_pageblock(&z->blocks[b], RMM_PB_PRESENT, true);
	__atomic_fetch_add(&z->nr_given, nr, __ATOMIC_RELAXED);
}

/* All checks; the frames then belong to the allocator of the zone that is
 * returned. NULL: *@err says why not. */
static struct rmm_zone *give(struct rmm *rmm, rmm_pfn pfn, unsigned int order,
			     int *err)
{
	struct rmm_zone *z = NULL;

	*err = check_block(rmm, pfn, order, &z);
	if (!*err)
		*err = check_inside(rmm, pfn, order);
	if (*err || !z)
		return NULL;
	mark_present(z, pfn, 1ull << order);
	return z;
}

/* give(), for what may happen before setup is done only */
static struct rmm_zone *prepare(struct rmm *rmm, rmm_pfn pfn,
				unsigned int order, int *err)
{
	if (!rmm->ready)
		return give(rmm, pfn, order, err);
	*err = rmm_error(rmm, -EPERM, "cannot load pfn %u: setup is done", pfn);
	return NULL;
}

static int bad_type(struct rmm *rmm, rmm_pfn pfn, unsigned int order, int mt)
{
	return rmm_error(rmm, -EINVAL,
			 "cannot load pfn %u, order %u, type %d: no such list",
			 pfn, order, mt);
}

/** rmm_load_free() - see refmm.h */
int rmm_load_free(struct rmm *rmm, rmm_pfn pfn, unsigned int order, int mt)
{
	struct rmm_zone *z;
	int err;

	if (order > rmm->config.max_order || mt < 0 || mt >= RMM_MIGRATE_TYPES)
		return bad_type(rmm, pfn, order, mt);
	z = prepare(rmm, pfn, order, &err);
	if (!z)
		return err;
	mt = rmm_grouped_type(rmm, mt);
	rmm->loaded = true;
	rmm_add_to_free_list(z, pfn, order, mt, true);
	rmm_account_freepages(z, 1ll << order, mt);
	return 0;
}

/** rmm_load_allocated() - see refmm.h */
int rmm_load_allocated(struct rmm *rmm, rmm_pfn pfn, unsigned int order, int mt)
{
	struct rmm_zone *z;
	int err;

	if (mt < 0 || mt >= RMM_MIGRATE_TYPES)
		return bad_type(rmm, pfn, order, mt);
	z = prepare(rmm, pfn, order, &err);
	if (!z)
		return err;
	rmm->memmap[pfn].word =
		rmm_page_word(0, RMM_PG_ALLOCATED, order, (unsigned int)mt);
	return 0;
}

/** rmm_load_pcp() - see refmm.h */
int rmm_load_pcp(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn,
		 unsigned int order, int mt)
{
	struct rmm_zone *z;
	struct rmm_pcp *pcp;
	struct rmm_ring *list;
	int err;

	if (order >= RMM_NR_ORDERS || !(rmm->pcp_orders >> order & 1) ||
	    mt < 0 || mt >= RMM_PCPTYPES || cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -ENOSPC,
				 "cannot load pfn %u: CPU %u has no list for "
				 "order %u, type %d",
				 pfn, cpu, order, mt);
	z = prepare(rmm, pfn, order, &err);
	if (!z)
		return err;
	mt = rmm_grouped_type(rmm, mt);
	pcp = &z->pcp[cpu];
	list = &pcp->lists[rmm_order_to_pindex(rmm, mt, order)];
	if (!rmm_ring_has_room(rmm, list, 1))
		return rmm_error(rmm, -ENOMEM,
				 "cannot load pfn %u: out of memory for the "
				 "list of CPU %u",
				 pfn, cpu);
	rmm_put_on_pcp(&z->memmap[pfn], cpu, order,
		       rmm_block_type(z, pfn) == RMM_CMA ? RMM_CMA : mt);
	rmm_ring_add_tail(list, pfn);
	pcp->count += 1 << order;
	pcp->loaded += 1 << order;
	return 0;
}

/** rmm_load_pcp_high() - see refmm.h */
int rmm_load_pcp_high(struct rmm *rmm, unsigned int zone, unsigned int cpu,
		      uint32_t high)
{
	if (rmm->ready || zone >= rmm->nr_zones || cpu >= rmm->config.nr_cpus ||
	    high > INT32_MAX)
		return rmm_error(rmm, -EINVAL,
				 "cannot load the high mark of CPU %u, zone "
				 "%u: no such list, or setup is done",
				 cpu, zone);
	rmm->zone[zone].pcp[cpu].high = (int)high;
	return 0;
}

/** rmm_set_pcp_tuning() - see refmm.h */
int rmm_set_pcp_tuning(struct rmm *rmm, unsigned int zone, unsigned int cpu,
		       const struct rmm_pcp_tuning *to)
{
	struct rmm_pcp *pcp;

	if (zone >= rmm->nr_zones || cpu >= rmm->config.nr_cpus ||
	    to->free_count > INT32_MAX / 2 ||
	    to->alloc_factor > RMM_PCP_SCALE_MAX ||
	    to->free_factor > RMM_PCP_SCALE_MAX)
		return rmm_error(rmm, -EINVAL,
				 "cannot tune the lists of CPU %u, zone %u: no "
				 "such list, or no such state",
				 cpu, zone);
	pcp = &rmm->zone[zone].pcp[cpu];
	pcp->free_count = (int)to->free_count;
	pcp->alloc_factor = to->alloc_factor;
	pcp->free_factor = to->free_factor;
	return 0;
}

/* The largest block that starts at @pfn and ends by @end */
static unsigned int largest_order(const struct rmm *rmm, uint64_t pfn,
				  uint64_t end)
{
	unsigned int order = rmm->config.max_order;

	while (order &&
	       ((pfn & ((1ull << order) - 1)) || pfn + (1ull << order) > end))
		order--;
	return order;
}

/** rmm_free_reserved() - see refmm.h */
int rmm_free_reserved(struct rmm *rmm, rmm_pfn pfn, uint64_t nr)
{
	uint64_t end = pfn + nr;

	if (nr > (pfn < rmm->end_pfn ? rmm->end_pfn - pfn : 0))
		return rmm_error(rmm, -ERANGE,
				 "cannot give %llu pages from pfn %u: beyond "
				 "the last zone",
				 (unsigned long long)nr, pfn);
	for (uint64_t p = pfn; p < end;) {
		unsigned int order = largest_order(rmm, p, end);
		int err;
		struct rmm_zone *z = give(rmm, (rmm_pfn)p, order, &err);

		if (!z)
			return err;
		rmm_zone_lock(z, 0);
		rmm_free_one_page(z, (rmm_pfn)p, order, true);
		rmm_zone_unlock(z);
		p += 1ull << order;
	}
	return 0;
}

/* Does the loaded free block break what the kernel keeps? */
static void check_loose(struct rmm_zone *z, rmm_pfn pfn)
{
	const struct rmm_page *page = &z->memmap[pfn];
	unsigned int order = page->order;
	rmm_pfn buddy = pfn ^ (1u << order);
	const struct rmm_page *other = &z->memmap[buddy];
	uint64_t block = 1ull << z->pageblock_order;

	for (uint64_t p = pfn; p - pfn < 1ull << order; p += block) {
		int type = rmm_block_type(z, (rmm_pfn)p);

		if (type != page->migratetype)
			z->loose |= RMM_LOOSE_TYPE;
		if ((type == RMM_CMA) != (page->migratetype == RMM_CMA))
			z->loose |= RMM_LOOSE_CMA;
	}
	if (order < z->max_order && other->state == RMM_PG_BUDDY &&
	    other->order == order && rmm_page_zone(z->rmm, buddy) == z)
		z->loose |= RMM_LOOSE_MERGE;
}

static void check_lists(struct rmm_zone *z)
{
	for (unsigned int o = 0; o <= z->max_order; o++)
		for (int mt = 0; mt < RMM_MIGRATE_TYPES; mt++)
			for (rmm_pfn p = z->free_area[o].free_list[mt].first;
			     p != RMM_NIL; p = z->memmap[p].next)
				check_loose(z, p);
}

static void count_highatomic(struct rmm_zone *z)
{
	uint64_t block = 1ull << z->pageblock_order;

	for (uint64_t p = z->start_pfn / block * block;
	     p < (uint64_t)z->start_pfn + z->spanned; p += block)
		if (rmm_block_type(z, (rmm_pfn)p) == RMM_HIGHATOMIC)
			z->nr_reserved_highatomic += block;
	rmm_set_unusable_highatomic(z);
}

/* What the caller knows instead of having it computed */
static void take_given(struct rmm_zone *z, const struct rmm_zone_config *from)
{
	for (int m = 0; m < RMM_NR_WMARK; m++)
		z->wmark[m] = from->wmark[m];
	if (z->rmm->config.compute_reserve)
		return;
	for (int t = 0; t < RMM_ZONE_TYPES; t++)
		z->lowmem_reserve[t] = (int64_t)from->lowmem_reserve[t];
}

/** rmm_setup_done() - see refmm.h */
int rmm_setup_done(struct rmm *rmm)
{
	const struct rmm_config *c = &rmm->config;

	if (rmm->ready)
		return rmm_error(rmm, -EPERM, "setup is done already");
	rmm_calculate_min_free_kbytes(rmm);
	rmm_setup_per_zone_wmarks(rmm);
	rmm_setup_per_zone_lowmem_reserve(rmm);
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		struct rmm_zone *z = &rmm->zone[i];

		if (c->given_watermarks)
			take_given(z, &c->zones[i]);
		rmm_zone_set_pageset_high_and_batch(z, &c->zones[i]);
		rmm_set_stat_threshold(z);
		if (c->shuffle && !rmm->loaded)
			rmm_shuffle_zone(z);
		check_lists(z);
		count_highatomic(z);
		if (z->spanned)
			rmm_reset_isolation_suitable(z);
	}
	rmm->config.zones = NULL; /* the caller may free them now */
	rmm->config.cpu_node = NULL;
	rmm->ready = true;
	return 0;
}

/** rmm_set_managed() - see refmm.h */
int rmm_set_managed(struct rmm *rmm, unsigned int zone, uint32_t managed)
{
	if (zone >= rmm->nr_zones || managed > rmm->zone[zone].spanned ||
	    !rmm->ready)
		return rmm_error(rmm, -EINVAL,
				 "cannot resize zone %u to %u pages: no such "
				 "zone, beyond its span, or setup is not done",
				 zone, managed);
	rmm->zone[zone].managed = managed;
	rmm_calculate_min_free_kbytes(rmm);
	rmm_setup_per_zone_wmarks(rmm);
	rmm_setup_per_zone_lowmem_reserve(rmm);
	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		rmm_zone_set_pageset_high_and_batch(&rmm->zone[i], NULL);
	return 0;
}

/** rmm_set_hooks() - NULL: none */
void rmm_set_hooks(struct rmm *rmm, const struct rmm_hooks *hooks)
{
	rmm->hooks = hooks ? *hooks : (struct rmm_hooks){0};
}
