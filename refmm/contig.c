/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * contig.c - these very pages: alloc_contig_range().
 *
 * Huge buffers, gigantic pages and memory that shall be taken out need a
 * certain range, whatever is in it:
 *
 *      start         end
 *   |..##.|.#...|.#..|     1 isolate the pageblocks
 *   |ii##i|i#iii|i#..|     2 empty per-CPU lists, move what is in the range
 *   |iiiii|iiiii|i#..|     3 take it off the ISOLATE lists, and what sticks
 *   |aaaaa|aaaaa|a#..|       out give back
 *                          4 pageblocks get their type back
 *
 * If a step fails, the earlier ones are undone; what has moved stays moved.
 *
 *   success: each page of the range is a single page in use, one reference
 *   failure: nobody has lost a page, no pageblock is isolated
 *
 * Locking: none held on entry.
 *
 * Modelled: alloc_contig_range, __alloc_contig_migrate_range,
 * free_contig_range. Simplified: no reclaim of clean pages; places to move to
 * are taken above the low mark or not at all (the kernel's requests for them
 * enter the slow path). Omitted: compound
 * results (__GFP_COMP, 6.12), dissolving of hugetlb pages. (6.12,
 * mm/page_alloc.c; not in LKD3)
 */
#include <errno.h>

#include "compact.h"

enum { MIGRATE_TRIES = 5 };

/* alloc_migration_target(): anywhere that the page could have come from, as
 * isolated pageblocks give nothing. Single pages of low memory stay there, for
 * their address may be in use; blocks are huge pages. The block is frozen,
 * as those of compaction are. */
static rmm_pfn migration_target(struct rmm_compact *cc, unsigned int order)
{
	bool high = order || cc->z->type == RMM_ZONE_HIGHMEM ||
		    cc->z->type == RMM_ZONE_MOVABLE;
	unsigned int gfp = RMM_GFP_USER | RMM_GFP_MOVABLE;
	struct rmm_alloc_context ac = {
		.rmm = cc->z->rmm,
		.cpu = cc->cpu,
		.gfp = (gfp | (high ? RMM_GFP_HIGHMEM : 0)) &
		       ~(unsigned int)RMM_GFP_RECLAIM,
		.want = {.order = order},
	};

	if (rmm_should_fail(ac.rmm, RMM_FAULT_ISOLATE_FREE, 0, order) ||
	    !rmm_prepare_alloc_pages(&ac, cc->z->node))
		return RMM_NO_PFN;
	return rmm_get_page_from_freelist(&ac);
}

/* Give back targets that were not used. */
static void free_targets(struct rmm_compact *cc)
{
	for (unsigned int o = 0; o < RMM_NR_ORDERS; o++)
		while (!rmm_list_empty(&cc->free[o])) {
			rmm_pfn pfn = cc->free[o].first;

			rmm_list_del_first(cc->z->memmap, &cc->free[o]);
			rmm_free_unused(cc->z->rmm, cc->cpu, pfn, o);
		}
	cc->nr_freepages = 0;
}

/* Move away what cc->from holds. */
static int migrate_batch(struct rmm_compact *cc)
{
	int err = 0;

	for (int tries = 0; cc->nr_from && tries < MIGRATE_TRIES; tries++) {
		err = rmm_migrate_pages(cc, migration_target);
		if (err == -ENOMEM)
			break;
	}
	rmm_putback_pages(cc);
	free_targets(cc);
	return err == -EAGAIN ? -EBUSY : err;
}

/* __alloc_contig_migrate_range() */
static int migrate_range(struct rmm_compact *cc, rmm_pfn start, rmm_pfn end)
{
	rmm_pfn head = rmm_find_head(cc->z->rmm, start);
	int err = 0;

	/* The block that reaches into the range from below moves too. */
	cc->migrate_pfn = head != RMM_NO_PFN ? head : start;
	while (!err && cc->migrate_pfn < end) {
		rmm_pfn stop = rmm_block_end(cc->z, cc->migrate_pfn);

		rmm_isolate_migratepages_block(cc, cc->migrate_pfn,
					       stop < end ? stop : end);
		err = migrate_batch(cc);
	}
	return err;
}

/* The free block at @pfn becomes single pages in use. */
static void take_block(struct rmm_zone *z, rmm_pfn pfn)
{
	rmm_pfn nr = 1u << z->memmap[pfn].order;
	struct rmm_page *page = &z->memmap[pfn];

	rmm_del_page_from_free_list(z, pfn);
	for (rmm_pfn i = nr; i-- > 0;) {
		page[i].private = 0;
		RMM_WRITE(page[i].word,
			  rmm_page_word(0, RMM_PG_ALLOCATED, 0, RMM_MOVABLE));
	}
}

/*
 * isolate_freepages_range(): take all of [@start, @end), and what of the first
 * and last block sticks out; then give that back
 *
 * One hold of the lock from the test to the last block: what is freed beside
 * the range meanwhile would merge with it, and heads would be none any more.
 *
 * Return: RMM_NO_PFN, or the first frame that is in use; nothing is taken then.
 */
static rmm_pfn take_range(struct rmm_zone *z, unsigned int cpu, rmm_pfn start,
			  rmm_pfn end)
{
	rmm_pfn busy, outer, p;

	rmm_zone_lock(z, cpu);
	busy = rmm_test_pages_isolated(z, start, end);
	if (busy != RMM_NO_PFN) {
		rmm_zone_unlock(z);
		return busy;
	}
	outer = p = rmm_find_head(z->rmm, start);
	while (p < end) {
		rmm_pfn next = p + (1u << z->memmap[p].order);

		take_block(z, p);
		p = next;
	}
	rmm_zone_unlock(z);
	for (; outer < start; outer++)
		rmm_free_unused(z->rmm, cpu, outer, 0);
	for (; end < p; end++)
		rmm_free_unused(z->rmm, cpu, end, 0);
	return RMM_NO_PFN;
}

/* Empty an isolated range and take it. */
static int empty_and_take(struct rmm_compact *cc, rmm_pfn start, rmm_pfn end)
{
	struct rmm *rmm = cc->z->rmm;
	rmm_pfn busy;
	int err = 0;

	rmm_drain_all_pages(rmm, cc->cpu);
	if (rmm->hooks.migrate)
		err = migrate_range(cc, start, end);
	if (err && err != -EBUSY)
		return rmm_error(rmm, err,
				 "cannot have pfn %u..%u: no free page to move "
				 "what is in use to",
				 start, end - 1);
	rmm_drain_all_pages(rmm, cc->cpu);
	busy = take_range(cc->z, cc->cpu, start, end);
	if (busy == RMM_NO_PFN)
		return 0;
	return rmm_error(rmm, -EBUSY,
			 "cannot have pfn %u..%u: pfn %u is in use and did not "
			 "move",
			 start, end - 1, busy);
}

static int check_range(struct rmm *rmm, unsigned int cpu, rmm_pfn start,
		       uint64_t nr)
{
	int id = rmm_pfn_zone(rmm, start);

	if (cpu >= rmm->config.nr_cpus || !nr || id < 0 ||
	    nr > rmm_zone_end(&rmm->zone[id]) - start)
		return rmm_error(
			rmm, -EINVAL,
			"cannot have %llu pages from pfn %u on CPU %u: "
			"none, not all in one zone, or no such CPU",
			(unsigned long long)nr, start, cpu);
	return 0;
}

/** rmm_alloc_contig_range() - see refmm_compact.h */
int rmm_alloc_contig_range(struct rmm *rmm, unsigned int cpu, rmm_pfn start,
			   uint64_t nr, int mt)
{
	int err = check_range(rmm, cpu, start, nr);
	rmm_pfn end = (rmm_pfn)(start + nr);
	struct rmm_compact cc = {
		.cpu = cpu,
		.order = RMM_COMPACT_ALL,
		.mode = RMM_MIGRATE_SYNC,
		.ignore_skip = true,
		.no_set_skip = true,
		.contig = true,
	};

	if (err)
		return err;
	mt = rmm_grouped_type(rmm, mt);
	if (mt < 0 || mt >= RMM_ISOLATE)
		return rmm_error(rmm, -EINVAL,
				 "cannot have pfn %u..%u as type %d: no such "
				 "type",
				 start, end - 1, mt);
	cc.z = rmm_page_zone(rmm, start);
	rmm_compact_init_lists(&cc);
	err = rmm_start_isolate_page_range(cc.z, cpu, start, end, mt);
	if (err)
		return err;
	err = empty_and_take(&cc, start, end);
	rmm_undo_isolate_page_range(cc.z, cpu, start, end, mt);
	if (err)
		return err;
	rmm->cpu[cpu].stat.alloc[0] += nr;
	for (rmm_pfn p = start; rmm->owner && p < end; p++)
		rmm_owner_alloc(rmm, cpu, p);
	return 0;
}

/** rmm_free_contig_range() - free_contig_range(): page by page */
int rmm_free_contig_range(struct rmm *rmm, unsigned int cpu, rmm_pfn start,
			  uint64_t nr)
{
	int err = check_range(rmm, cpu, start, nr), first = err;

	for (uint64_t i = 0; !err && i < nr; i++) {
		int wrong = rmm_free_page(rmm, cpu, &rmm->memmap[start + i]);

		first = first ? first : wrong;
	}
	return first;
}
