/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * create.c - make a machine, with all its memory reserved.
 *
 * The memmap is one mapping from frame 0 to the end of the last zone, reserved
 * but not populated: holes between zones, and pages nobody looks at, cost
 * address space only. A new frame is all zero, which means RESERVED.
 *
 *      frame  0    1        4096          786432       1048576
 *      zone   |gap|  DMA   |    DMA32    |    hole     |  Normal ...
 *
 * Invariants: zones may be given in any order, but do not overlap, and no two
 * share a pageblock, so that a frame's zone can be read from its pageblock. A
 * node's zones lie by height: DMA below DMA32 and so on.
 *
 * Modelled: free_area_init, setup_zone_pageset, the
 * choice of page_group_by_mobility_disabled. Simplified: a node has one range
 * of frames of a type; other nodes' may lie between those of its types, but not
 * inside one. (6.12, mm/mm_init.c; LKD3 ch. 12 "Zones")
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "alloc.h"

#define NO_ZONE	  UINT8_MAX
#define PCP_MOST  (1u << 30)
#define HUGE_PAGE ((size_t)1 << 21) /* the host's */
#define HUGE_MOST ((size_t)1 << 28) /* a memmap of 64 GiB */

/** rmm_config_init() - a machine like Linux 6.12 on x86-64, without zones */
void rmm_config_init(struct rmm_config *c)
{
	*c = (struct rmm_config){
		.nr_cpus = 1,
		.page_shift = 12,
		.pageblock_order = 9,
		.max_order = 10,
		.min_free_kbytes = -1,
		.thp = true,
		.watermark_scale_factor = 10,
		.watermark_boost_factor = 15000,
		.lowmem_reserve_ratio = {256, 256, 32, 0, 0},
		.mobility = RMM_MOBILITY_ON,
		.pcp_thp_lists = 2,
		.pcp_free_high_batch = true,
		.pcp = true,
		.compaction_proactiveness = 20,
		.extfrag_threshold = 500,
		.compact_unevictable_allowed = true,
		.page_offset = (uintptr_t)0xffff888000000000,
	};
}

/** rmm_config_32bit() - see refmm.h; the kernel has the upper 1 GiB of
 * addresses and keeps 128 MiB of them for vmalloc and kmap, hence 896 MiB of
 * NORMAL */
void rmm_config_32bit(struct rmm_config *c, struct rmm_zone_config *zones,
		      uint32_t pages)
{
	uint32_t mib = 1u << (20 - c->page_shift), start = 0;
	const struct {
		uint8_t type;
		uint32_t end;
	} layout[] = {
		{RMM_ZONE_DMA, 16 * mib},
		{RMM_ZONE_NORMAL, 896 * mib},
		{RMM_ZONE_HIGHMEM, UINT32_MAX},
	};

	c->zones = zones;
	c->nr_zones = 0;
	c->page_offset = 0xc0000000;
	for (int i = 0; i < 3 && start < pages; i++) {
		uint32_t end = layout[i].end < pages ? layout[i].end : pages;

		zones[c->nr_zones++] = (struct rmm_zone_config){
			.type = layout[i].type,
			.start_pfn = start,
			.spanned = end - start,
			.present = end - start,
			.managed = end - start,
		};
		start = end;
	}
}

/* Pages are counted in an int, also 2^5 batches of them. */
static const char *check_pcp_limits(uint32_t batch, uint32_t high_min,
				    uint32_t high_max)
{
	if (batch > PCP_MOST >> RMM_PCP_SCALE_MAX || high_min > PCP_MOST ||
	    high_max > PCP_MOST)
		return "a pcp_batch is over 2^25, or a pcp_high over 2^30";
	return NULL;
}

/* What is wrong with the scalar settings; NULL if nothing */
static const char *check_numbers(const struct rmm_config *c)
{
	if (c->nr_cpus < 1 || c->nr_cpus > RMM_MAX_CPUS)
		return "nr_cpus is not in 1..8192";
	if (c->page_shift < 10 || c->page_shift > 20)
		return "page_shift is not in 10..20";
	if (c->max_order >= RMM_NR_ORDERS)
		return "max_order is over 15";
	if (c->pageblock_order > c->max_order)
		return "pageblock_order is not in 0..max_order";
	if (c->nr_nodes > RMM_MAX_NODES || (c->node_distance && !c->nr_nodes))
		return "nr_nodes is over 64, or missing for node_distance";
	if (!c->zones || c->nr_zones < 1 || c->nr_zones > RMM_MAX_ZONES)
		return "there are no zones, or over 255";
	if (c->pcp_thp_lists > 2)
		return "pcp_thp_lists is over 2";
	if (c->fallback > RMM_FALLBACK_STEAL ||
	    c->mobility > RMM_MOBILITY_AUTO || c->pcp_mode > RMM_PCP_FIXED)
		return "fallback, mobility or pcp_mode has an unknown value";
	return check_pcp_limits(c->pcp_batch, c->pcp_high, c->pcp_high);
}

/* The last 2^16 frame numbers stay free: the memmap's end is rounded up to a
 * largest block, and RMM_NO_PFN and RMM_NIL are no frames. */
static const char *check_zone(const struct rmm_zone_config *z)
{
	if (z->type >= RMM_ZONE_TYPES)
		return "a zone has an unknown type";
	if (z->node >= RMM_MAX_NODES)
		return "a zone has a node over 63";
	if ((uint64_t)z->start_pfn + z->spanned > UINT32_MAX - (1u << 16))
		return "a zone ends beyond frame 2^32 - 2^16";
	if (z->present > z->spanned || z->managed > z->present)
		return "a zone has more pages than it spans, or manages more "
		       "than are present";
	return check_pcp_limits(z->pcp_batch, z->pcp_high_min, z->pcp_high_max);
}

/* Two zones of one node lie by height, if both have frames. */
static const char *check_pair(const struct rmm_zone_config *a,
			      const struct rmm_zone_config *b)
{
	if (a->node != b->node || !a->spanned || !b->spanned)
		return NULL;
	if (a->type == b->type)
		return "a node has two zones of a type";
	if ((a->type < b->type) != (a->start_pfn < b->start_pfn))
		return "a node's zones are not in order of address";
	return NULL;
}

static const char *check_zones(const struct rmm_config *c)
{
	const char *bad = NULL;

	for (unsigned int i = 0; !bad && i < c->nr_zones; i++) {
		bad = check_zone(&c->zones[i]);
		for (unsigned int j = 0; !bad && j < i; j++)
			bad = check_pair(&c->zones[j], &c->zones[i]);
	}
	return bad;
}

/* With nr_nodes given, as a distance matrix has it, no zone or CPU may be of a
 * node outside; without, measure() counts them. */
static const char *check_config(const struct rmm_config *c)
{
	const char *bad = check_numbers(c);

	if (!bad)
		bad = check_zones(c);
	for (unsigned int i = 0; !bad && c->cpu_node && i < c->nr_cpus; i++)
		if (c->cpu_node[i] >= RMM_MAX_NODES)
			bad = "a CPU has a node over 63";
	for (unsigned int i = 0; !bad && c->nr_nodes && i < c->nr_zones; i++)
		if (c->zones[i].node >= c->nr_nodes)
			bad = "a zone has a node beyond nr_nodes";
	for (unsigned int i = 0;
	     !bad && c->nr_nodes && c->cpu_node && i < c->nr_cpus; i++)
		if (c->cpu_node[i] >= c->nr_nodes)
			bad = "a CPU has a node beyond nr_nodes";
	return bad;
}

/* Nodes and frames that the zones and CPUs need */
static void measure(struct rmm *rmm)
{
	const struct rmm_config *c = &rmm->config;
	uint64_t end = 0, align = 1ull << c->max_order;

	rmm->nr_nodes = c->nr_nodes;

	for (unsigned int i = 0; i < c->nr_zones; i++) {
		const struct rmm_zone_config *z = &c->zones[i];
		uint64_t zone_end = (uint64_t)z->start_pfn + z->spanned;

		if (zone_end > end)
			end = zone_end;
		if (z->node >= rmm->nr_nodes)
			rmm->nr_nodes = z->node + 1u;
	}
	for (unsigned int i = 0; c->cpu_node && i < c->nr_cpus; i++)
		if (c->cpu_node[i] >= rmm->nr_nodes)
			rmm->nr_nodes = c->cpu_node[i] + 1u;
	/* Every buddy of every frame lies inside. */
	rmm->end_pfn = (rmm_pfn)((end / align + 1) * align);
	rmm->nr_blocks = rmm->end_pfn >> c->pageblock_order;
	rmm->memmap_bytes = (size_t)rmm->end_pfn * sizeof(struct rmm_page);
}

/* calloc() at a cache line; freed by free() */
static void *zalloc(size_t nr, size_t size)
{
	size_t bytes = (nr * size + 63) / 64 * 64;
	void *p = aligned_alloc(64, bytes ? bytes : 64);

	if (p)
		memset(p, 0, bytes);
	return p;
}

/* A small memmap fills none; and of a very large one little is used: what is
 * not had better not be there. */
static bool in_huge_pages(const struct rmm *rmm)
{
	return rmm->memmap_bytes >= HUGE_PAGE && rmm->memmap_bytes <= HUGE_MOST;
}

static size_t mapped_bytes(const struct rmm *rmm)
{
	size_t bytes = rmm->memmap_bytes;

	if (!in_huge_pages(rmm))
		return bytes;
	return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

/*
 * Map the memmap, in huge pages where the host gives them: frames are visited
 * in the order in which callers free them, which may be any, and with pages of
 * 4 KiB most visits would miss the TLB too. They must be aligned for that, so
 * some more is mapped and the ends are cut off.
 */
static int map_memmap(struct rmm *rmm)
{
	size_t bytes = mapped_bytes(rmm), front;
	size_t spare = in_huge_pages(rmm) ? HUGE_PAGE : 0;
	char *map;

	map = mmap(NULL, bytes + spare, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	front = spare ? -(uintptr_t)map % HUGE_PAGE : 0;
	if (front)
		munmap(map, front);
	if (spare)
		munmap(map + front + bytes, spare - front);
	rmm->memmap = (void *)(map + front);
	/* Refused, it is slower and nothing else. */
	if (spare)
		(void)madvise(rmm->memmap, bytes, MADV_HUGEPAGE);
	return 0;
}

/* Whatever fails, rmm_destroy() frees what is there by then. */
static int allocate(struct rmm *rmm)
{
	const struct rmm_config *c = &rmm->config;

	if (map_memmap(rmm))
		return -ENOMEM;
	rmm->nr_zones = c->nr_zones;
	rmm->blocks = zalloc(rmm->nr_blocks, sizeof(*rmm->blocks));
	rmm->zone = zalloc(c->nr_zones, sizeof(*rmm->zone));
	rmm->cpu = zalloc(c->nr_cpus, sizeof(*rmm->cpu));
	rmm->freed_to = zalloc(c->nr_cpus, sizeof(*rmm->freed_to));
	rmm->zonelist = zalloc(rmm->nr_nodes, sizeof(*rmm->zonelist));
	if (!rmm->blocks || !rmm->zone || !rmm->cpu || !rmm->freed_to ||
	    !rmm->zonelist)
		return -ENOMEM;
	for (unsigned int i = 0; i < c->nr_zones; i++) {
		rmm->zone[i].pcp = zalloc(c->nr_cpus, sizeof(struct rmm_pcp));
		if (!rmm->zone[i].pcp)
			return -ENOMEM;
	}
	return rmm_map_arena(rmm) || rmm_map_owners(rmm) ? -ENOMEM : 0;
}

static void init_lists(struct rmm_zone *z)
{
	for (int o = 0; o < RMM_NR_ORDERS; o++)
		for (int mt = 0; mt < RMM_MIGRATE_TYPES; mt++)
			rmm_list_init(&z->free_area[o].free_list[mt]);
}

/* Claim the zone's pageblocks for it. Moving a pageblock to another type moves
 * all its free blocks in one zone's lists: it cannot be of two. */
static int init_blocks(struct rmm *rmm, const struct rmm_zone *z)
{
	unsigned int first = z->start_pfn >> z->pageblock_order, last;

	if (!z->spanned)
		return 0;
	last = (z->start_pfn + z->spanned - 1) >> z->pageblock_order;
	for (unsigned int b = first; b <= last; b++) {
		if (rmm->blocks[b].zone != NO_ZONE)
			return rmm_error(rmm, -EINVAL,
					 "zones %u and %u share the pageblock "
					 "of pfn %u",
					 rmm->blocks[b].zone, z->id,
					 b << z->pageblock_order);
		rmm->blocks[b].zone = z->id;
	}
	return 0;
}

/* Marks, reserves and PCP limits are set up later (setup.c): they depend on all
 * zones. */
static int init_zone(struct rmm *rmm, unsigned int id)
{
	const struct rmm_config *c = &rmm->config;
	const struct rmm_zone_config *from = &c->zones[id];
	struct rmm_zone *z = &rmm->zone[id];

	z->rmm = rmm;
	z->memmap = rmm->memmap;
	z->blocks = rmm->blocks;
	z->id = (uint8_t)id;
	z->type = from->type;
	z->node = from->node;
	z->pageblock_order = (uint8_t)c->pageblock_order;
	z->max_order = (uint8_t)c->max_order;
	z->start_pfn = from->start_pfn;
	z->spanned = from->spanned;
	z->present = from->present;
	z->managed = from->managed;
	z->stat = &rmm->cpu[0].stat;
	z->random = c->shuffle_seed + id;
	if (c->fallback == RMM_FALLBACK_STEAL)
		z->loose = RMM_LOOSE_TYPE; /* see fallback_61.c and pcp.c */
	for (unsigned int i = 0; i < c->nr_cpus; i++) {
		z->pcp[i].zone = z;
		z->pcp[i].word = rmm_page_word((int32_t)~i, RMM_PG_PCP, 0, 0);
	}
	init_lists(z);
	return init_blocks(rmm, z);
}

/* Orders that have per-CPU lists; a huge page is 2 MiB */
static void init_pcp_orders(struct rmm *rmm)
{
	const struct rmm_config *c = &rmm->config;

	rmm->thp_order = c->page_shift < 21 ? 21 - c->page_shift : 0;
	if (!c->pcp)
		return;
	rmm->pcp_orders = (1u << (RMM_COSTLY_ORDER + 1)) - 1;
	if (c->thp && c->pcp_thp_lists && rmm->thp_order > RMM_COSTLY_ORDER)
		rmm->pcp_orders |= 1u << rmm->thp_order;
	rmm->pcp_orders &= (2u << c->max_order) - 1;
}

/* page_group_by_mobility_disabled: too little memory to have all types. At boot
 * no watermarks are set yet, so all that is managed counts. */
static void decide_mobility(struct rmm *rmm)
{
	struct rmm_config *c = &rmm->config;
	uint64_t total = 0;

	if (c->mobility != RMM_MOBILITY_AUTO)
		return;
	for (unsigned int i = 0; i < c->nr_zones; i++)
		total += c->zones[i].managed;
	c->mobility = total < (uint64_t)RMM_MIGRATE_TYPES << c->pageblock_order
			      ? RMM_MOBILITY_OFF
			      : RMM_MOBILITY_ON;
}

static int init(struct rmm *rmm)
{
	const struct rmm_config *c = &rmm->config;
	int mt;

	decide_mobility(rmm);
	mt = rmm_grouped_type(rmm, RMM_MOVABLE);
	for (unsigned int b = 0; b < rmm->nr_blocks; b++) {
		rmm->blocks[b].zone = NO_ZONE;
		rmm->blocks[b].migratetype = (uint8_t)mt;
	}
	for (unsigned int i = 0; i < c->nr_cpus; i++) {
		rmm->cpu[i].node = c->cpu_node ? c->cpu_node[i] : 0;
		rmm->freed_to[i] = &rmm->zone[0].pcp[i];
	}
	for (unsigned int i = 0; i < c->nr_zones; i++) {
		int err = init_zone(rmm, i);

		if (err)
			return err;
		rmm->has_dma32 |= c->zones[i].type == RMM_ZONE_DMA32;
	}
	init_pcp_orders(rmm);
	rmm_set_watch(rmm);
	rmm_build_zonelists(rmm);
	rmm->config.node_distance = NULL; /* the caller may free it now */
	rmm_build_gfp_table(rmm);
	return 0;
}

/** rmm_create() - see refmm.h */
struct rmm *rmm_create(const struct rmm_config *c, char *error)
{
	const char *bad = check_config(c);
	struct rmm *rmm;
	int err;

	if (bad) {
		if (error)
			snprintf(error, 256, "cannot set up memory: %s", bad);
		errno = EINVAL;
		return NULL;
	}
	rmm = zalloc(1, sizeof(*rmm));
	if (!rmm) {
		errno = ENOMEM;
		return NULL;
	}
	rmm->config = *c;
	rmm->arena_fd = -1;
	measure(rmm);
	err = allocate(rmm);
	if (!err)
		err = init(rmm);
	if (!err)
		return rmm;
	if (error)
		snprintf(error, 256, "cannot set up memory: %.200s",
			 err == -ENOMEM ? "out of memory"
					: rmm_last_error(rmm));
	rmm_destroy(rmm);
	errno = -err;
	return NULL;
}

static void free_pcp(struct rmm_pcp *pcp, unsigned int nr_cpus)
{
	for (unsigned int i = 0; pcp && i < nr_cpus; i++)
		for (int l = 0; l < RMM_PCP_LISTS; l++)
			free(pcp[i].lists[l].slot);
	free(pcp);
}

/** rmm_destroy() - NULL is fine. Layers from the top down, as each may look at
 *  what it is built on; their pages need not be freed one by one, as the memmap
 *  goes. */
void rmm_destroy(struct rmm *rmm)
{
	if (!rmm)
		return;
	for (int i = RMM_LAYERS - 1; i >= 0; i--)
		if (rmm->layer[i].state)
			rmm->layer[i].destroy(rmm, rmm->layer[i].state);
	for (unsigned int i = 0; rmm->zone && i < rmm->nr_zones; i++)
		free_pcp(rmm->zone[i].pcp, rmm->config.nr_cpus);
	rmm_unmap_owners(rmm);
	rmm_unmap_arena(rmm);
	if (rmm->memmap)
		munmap(rmm->memmap, mapped_bytes(rmm));
	free(rmm->zonelist);
	free(rmm->cpu);
	free(rmm->freed_to);
	free(rmm->zone);
	free(rmm->blocks);
	free(rmm);
}
