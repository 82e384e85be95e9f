/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * validate.c - does everything that the other files promise hold?
 *
 * Two independent walks must agree. One follows the lists:
 *
 *   links go both ways, counts are right, each member has the list's state,
 *   order and type, and is aligned to its order
 *
 * The other goes over all frames, from block to block:
 *
 *   no block holds the head of another		(no overlap)
 *   blocks found = members of lists		(no stray, none lost)
 *   BUDDY + PCP + ALLOCATED pages = pages given	(conservation)
 *   no two free buddies that may merge		(complete coalescing)
 *   a free block's list = its pageblocks' type	(policy claim; CMA's always)
 *   nothing is isolated				(migration is over)
 *   _count is -1 in BUDDY, >= 0 in ALLOCATED		(references)
 *   no flag in what is not the head of an allocated block
 *   nr_free, nr_free_cma, nr_free_highatomic = what is on the lists
 *
 * and for each per-CPU structure
 *
 *   count = pages on its lists <= max(high_max, loaded)
 *				    + sum over lists of max(batch, 2 << order)
 *
 * as a list that runs empty is refilled whatever the others hold.
 *
 * Locking: the machine must be at rest. (The kernel checks bits of this with
 * CONFIG_DEBUG_VM and CONFIG_DEBUG_LIST.)
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "layers.h"

struct check {
	const struct rmm *rmm;
	const struct rmm_zone *z;
	char *msg;
	size_t size;
	/* Members of lists, in blocks; and pages free on them by type */
	uint64_t buddy_blocks, pcp_blocks;
	int64_t free[RMM_MIGRATE_TYPES];
	/* Found by walking the frames */
	uint64_t seen_buddy, seen_pcp, seen_pages;
};

__attribute__((format(printf, 2, 3))) static int broken(const struct check *c,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (c->msg && c->size)
		vsnprintf(c->msg, c->size, fmt, ap);
	va_end(ap);
	return -EUCLEAN;
}

/* A member of a list: what it must be */
struct expect {
	unsigned int state, order;
	int type; /* -1: any */
};

static int check_member(const struct check *c, const struct expect *e,
			rmm_pfn pfn)
{
	const struct rmm_page *page;

	if (rmm_pfn_zone(c->rmm, pfn) != c->z->id)
		return broken(c, "pfn %u is on a list of zone %u, not in it",
			      pfn, c->z->id);
	page = &c->rmm->memmap[pfn];
	if (page->state != e->state || page->order != e->order)
		return broken(c,
			      "pfn %u: state %u, order %u on a list of "
			      "state %u, order %u",
			      pfn, page->state, page->order, e->state,
			      e->order);
	if (e->type >= 0 && page->migratetype != e->type)
		return broken(c, "pfn %u: type %u on a list of type %d", pfn,
			      page->migratetype, e->type);
	if (pfn & ((1u << e->order) - 1))
		return broken(c, "pfn %u is not aligned to its order %u", pfn,
			      e->order);
	return 0;
}

static int check_list(const struct check *c, const struct rmm_list *list,
		      const struct expect *e)
{
	rmm_pfn prev = RMM_NIL, pfn = list->first;
	uint32_t n = 0;

	for (; pfn != RMM_NIL && n <= list->count; n++) {
		int err = check_member(c, e, pfn);

		if (err)
			return err;
		if (c->rmm->memmap[pfn].prev != prev)
			return broken(c,
				      "list of order %u: pfn %u links back to "
				      "%u, not %u",
				      e->order, pfn, c->rmm->memmap[pfn].prev,
				      prev);
		prev = pfn;
		pfn = c->rmm->memmap[pfn].next;
	}
	if (n != list->count || list->last != prev)
		return broken(c,
			      "list of order %u, type %d: %s%u members, "
			      "count says %u",
			      e->order, e->type, n > list->count ? "over " : "",
			      n, list->count);
	return 0;
}

static int check_free_lists(struct check *c)
{
	for (unsigned int o = 0; o < RMM_NR_ORDERS; o++) {
		for (int mt = 0; mt < RMM_MIGRATE_TYPES; mt++) {
			const struct rmm_list *list =
				&c->z->free_area[o].free_list[mt];
			const struct expect e = {
				.state = RMM_PG_BUDDY,
				.order = o,
				.type = mt,
			};
			int err = check_list(c, list, &e);

			if (err)
				return err;
			c->buddy_blocks += list->count;
			c->free[mt] += (int64_t)list->count << o;
		}
	}
	return 0;
}

static int check_pcp_limits(const struct check *c, unsigned int cpu, int pages)
{
	const struct rmm_pcp *pcp = &c->z->pcp[cpu];
	int bound = pcp->high_max > pcp->loaded ? pcp->high_max : pcp->loaded;

	for (unsigned int l = 0; l < RMM_PCP_LISTS; l++) {
		int least = 2 << rmm_pindex_to_order(c->rmm, l);

		bound += pcp->batch > least ? pcp->batch : least;
	}
	if (pcp->count != pages)
		return broken(c,
			      "zone %u, CPU %u: %d pages on per-CPU lists, "
			      "count says %d",
			      c->z->id, cpu, pages, pcp->count);
	if (c->rmm->ready && pages > bound)
		return broken(c,
			      "zone %u, CPU %u: %d pages on per-CPU lists, "
			      "at most %d expected",
			      c->z->id, cpu, pages, bound);
	if (pcp->alloc_factor > RMM_PCP_SCALE_MAX ||
	    pcp->free_factor > RMM_PCP_SCALE_MAX)
		return broken(c, "zone %u, CPU %u: factors %u, %u over %d",
			      c->z->id, cpu, pcp->alloc_factor,
			      pcp->free_factor, RMM_PCP_SCALE_MAX);
	return 0;
}

/* One per-CPU list. A page that is on it twice shows in the sum of all. */
static int check_ring(const struct check *c, const struct rmm_ring *list,
		      const struct expect *e, unsigned int cpu)
{
	if (rmm_ring_count(list) > list->room ||
	    (list->room & (list->room - 1)))
		return broken(c, "CPU %u: %u members in %u slots", cpu,
			      rmm_ring_count(list), list->room);
	for (uint32_t i = 0; i < rmm_ring_count(list); i++) {
		rmm_pfn pfn = rmm_ring_at(list, i);
		int err = check_member(c, e, pfn);
		unsigned int of;

		if (err)
			return err;
		of = rmm_page_cpu(&c->rmm->memmap[pfn]);
		if (of != cpu)
			return broken(c,
				      "pfn %u: of CPU %u, on a list of CPU %u",
				      pfn, of, cpu);
	}
	return 0;
}

static int check_pcp(struct check *c, unsigned int cpu)
{
	const struct rmm_pcp *pcp = &c->z->pcp[cpu];
	int pages = 0;

	for (unsigned int l = 0; l < RMM_PCP_LISTS; l++) {
		const struct expect e = {
			.state = RMM_PG_PCP,
			.order = rmm_pindex_to_order(c->rmm, l),
			.type = -1,
		};
		int err = check_ring(c, &pcp->lists[l], &e, cpu);

		if (err)
			return err;
		c->pcp_blocks += rmm_ring_count(&pcp->lists[l]);
		pages += (int)(rmm_ring_count(&pcp->lists[l]) << e.order);
	}
	return check_pcp_limits(c, cpu, pages);
}

/* Two free buddies side by side? They may be, if their types must not mix. */
static int check_coalesced(const struct check *c, rmm_pfn pfn)
{
	const struct rmm_page *page = &c->rmm->memmap[pfn], *other;
	unsigned int order = page->order;
	rmm_pfn buddy = pfn ^ (1u << order);
	int a = rmm_block_type(c->z, pfn), b;

	if (order >= c->z->max_order || (c->z->loose & RMM_LOOSE_MERGE))
		return 0;
	other = &c->rmm->memmap[buddy];
	if (other->state != RMM_PG_BUDDY || other->order != order ||
	    c->z->blocks[buddy >> c->z->pageblock_order].zone != c->z->id)
		return 0;
	b = rmm_block_type(c->z, buddy);
	if (order >= c->z->pageblock_order && a != b &&
	    (a >= RMM_PCPTYPES || b >= RMM_PCPTYPES))
		return 0;
	return broken(c,
		      "free buddies pfn %u and %u of order %u are not merged",
		      pfn, buddy, order);
}

/* Must the free block @page be on list @mt? In CMA's area always: what is free
 * there may go to movable requests only. */
static bool may_not_differ(const struct rmm_zone *z, int mt,
			   const struct rmm_page *page)
{
	if (mt == RMM_CMA || page->migratetype == RMM_CMA)
		return !(z->loose & RMM_LOOSE_CMA);
	return !(z->loose & RMM_LOOSE_TYPE);
}

static int check_types(const struct check *c, rmm_pfn pfn)
{
	const struct rmm_page *page = &c->rmm->memmap[pfn];
	uint64_t block = 1ull << c->z->pageblock_order;

	for (uint64_t p = pfn; p - pfn < 1ull << page->order; p += block) {
		int mt = rmm_block_type(c->z, (rmm_pfn)p);

		if (mt != page->migratetype && may_not_differ(c->z, mt, page))
			return broken(c,
				      "free pfn %u: on a list of type %u, "
				      "in a pageblock of type %d",
				      pfn, page->migratetype, mt);
	}
	return 0;
}

/* The block whose head is @pfn */
static int check_block(struct check *c, rmm_pfn pfn)
{
	const struct rmm_page *page = &c->rmm->memmap[pfn];
	uint64_t nr = 1ull << page->order;
	int err;

	if ((pfn & (nr - 1)) || pfn < c->z->start_pfn ||
	    pfn + nr > (uint64_t)c->z->start_pfn + c->z->spanned)
		return broken(c,
			      "pfn %u, order %u: not aligned, or not all in "
			      "zone %u",
			      pfn, page->order, c->z->id);
	for (uint64_t i = 1; i < nr; i++)
		if (page[i].state != RMM_PG_RESERVED || page[i].flags)
			return broken(c,
				      "pfn %llu is a head in the block of "
				      "pfn %u, order %u, or has flags (0x%x)",
				      (unsigned long long)pfn + i, pfn,
				      page->order, page[i].flags);
	if ((page->_count >= 0) != (page->state == RMM_PG_ALLOCATED) ||
	    (page->state == RMM_PG_BUDDY && page->_count != -1))
		return broken(c, "pfn %u: state %u, but _count is %d", pfn,
			      page->state, page->_count);
	if (page->flags & RMM_PF_ISOLATED)
		return broken(c, "pfn %u: still isolated for migration", pfn);
	if (page->flags && page->state != RMM_PG_ALLOCATED)
		return broken(c, "pfn %u is free, with flags 0x%x", pfn,
			      page->flags);
	c->seen_pages += nr;
	if (page->state == RMM_PG_PCP)
		c->seen_pcp++;
	if (page->state != RMM_PG_BUDDY)
		return 0;
	c->seen_buddy++;
	err = check_coalesced(c, pfn);
	return err ? err : check_types(c, pfn);
}

static int check_frames(struct check *c)
{
	unsigned int shift = c->z->pageblock_order;
	uint64_t end = (uint64_t)c->z->start_pfn + c->z->spanned;

	for (uint64_t p = c->z->start_pfn; p < end; p++) {
		int err;

		if (!rmm_get_pageblock(&c->rmm->blocks[p >> shift],
				       RMM_PB_PRESENT)) {
			p |= (1ull << shift) - 1;
			continue;
		}
		if (c->rmm->memmap[p].state == RMM_PG_RESERVED) {
			if (c->rmm->memmap[p].flags)
				return broken(c, "reserved pfn %llu has flags",
					      (unsigned long long)p);
			continue;
		}
		err = check_block(c, (rmm_pfn)p);
		if (err)
			return err;
		p += (1ull << c->rmm->memmap[p].order) - 1;
	}
	return 0;
}

static int check_sums(const struct check *c)
{
	const struct rmm_zone *z = c->z;
	int64_t free = 0;

	for (int mt = 0; mt < RMM_MIGRATE_TYPES; mt++)
		if (mt != RMM_ISOLATE)
			free += c->free[mt];
	if (free != z->nr_free)
		return broken(c,
			      "zone %u: %lld pages on free lists, counter "
			      "says %lld",
			      z->id, (long long)free, (long long)z->nr_free);
	for (unsigned int cpu = 0; cpu < c->rmm->config.nr_cpus; cpu++)
		free -= z->pcp[cpu].free_diff;
	if (free != z->nr_free_seen)
		return broken(
			c,
			"zone %u: watermarks see %lld pages, not the %lld "
			"that CPUs have told",
			z->id, (long long)z->nr_free_seen, (long long)free);
	if (c->free[RMM_CMA] != z->nr_free_cma ||
	    c->free[RMM_HIGHATOMIC] != z->nr_free_highatomic)
		return broken(c,
			      "zone %u: %lld CMA and %lld highatomic pages "
			      "free, counters say %lld and %lld",
			      z->id, (long long)c->free[RMM_CMA],
			      (long long)c->free[RMM_HIGHATOMIC],
			      (long long)z->nr_free_cma,
			      (long long)z->nr_free_highatomic);
	if (c->seen_buddy != c->buddy_blocks || c->seen_pcp != c->pcp_blocks)
		return broken(c,
			      "zone %u: %llu free and %llu per-CPU blocks, "
			      "but %llu and %llu on lists",
			      z->id, (unsigned long long)c->seen_buddy,
			      (unsigned long long)c->seen_pcp,
			      (unsigned long long)c->buddy_blocks,
			      (unsigned long long)c->pcp_blocks);
	if (c->seen_pages != z->nr_given)
		return broken(c, "zone %u: %llu pages in blocks, %llu given",
			      z->id, (unsigned long long)c->seen_pages,
			      (unsigned long long)z->nr_given);
	return 0;
}

static int check_zone(struct check *c)
{
	int err = check_free_lists(c);

	for (unsigned int cpu = 0; !err && cpu < c->rmm->config.nr_cpus; cpu++)
		err = check_pcp(c, cpu);
	if (!err)
		err = check_frames(c);
	return err ? err : check_sums(c);
}

/** rmm_validate() - see refmm_query.h */
int rmm_validate(const struct rmm *rmm, char *msg, size_t size)
{
	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		struct check c = {
			.rmm = rmm,
			.z = &rmm->zone[i],
			.msg = msg,
			.size = size,
		};
		int err = check_zone(&c);

		if (err)
			return err;
	}
	for (unsigned int i = 0; i < RMM_LAYERS; i++) {
		const struct rmm_layer *l = &rmm->layer[i];
		int err = l->state ? l->validate(rmm, l->state, msg, size) : 0;

		if (err)
			return err;
	}
	if (msg && size)
		msg[0] = '\0';
	return 0;
}
