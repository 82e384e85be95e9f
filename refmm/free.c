/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * free.c - __free_pages(): give a block back.
 *
 *   rmm_free_pages --+-- per-CPU list     orders 0..3 and huge pages
 *                    +-- buddy lists      other orders, isolated pageblocks,
 *                                         or the per-CPU lock is taken
 *
 * The kernel trusts the caller, and a wrong free destroys somebody else's data
 * some time later. Here a head knows its order and state, so a wrong free is
 * refused and named.
 *
 * Locking: takes pcp->lock or the zone lock.
 *
 * Modelled: __free_pages, free_unref_page, __free_pages_ok, free_one_page,
 * split_page, free_pages_prepare's checks, and what is left of a block whose
 * first page is referenced elsewhere. Omitted: free_unref_folios (one page at a
 * time does the same in the same order). (6.12, mm/page_alloc.c; LKD3 ch. 12
 * "Freeing Pages")
 */
#include <errno.h>
#include <string.h>

#include "pcp.h"

/* Why @pfn cannot be freed, or whatever @call does, as @order */
static int refuse(struct rmm *rmm, const char *call, rmm_pfn pfn,
		  unsigned int order)
{
	const struct rmm_page *page = &rmm->memmap[pfn];
	struct rmm_text text;

	if (rmm_state_text(rmm, pfn, &text))
		return rmm_error(
			rmm, -EINVAL, "cannot %s pfn %u: %sit is %s", call, pfn,
			!strcmp(call, "free") ? "double free, " : "", text.s);
	if (RMM_READ(page->state) != RMM_PG_ALLOCATED)
		return rmm_error(rmm, -EINVAL, "cannot %s pfn %u: %s", call,
				 pfn, text.s);
	if (RMM_READ(page->order) != order)
		return rmm_error(rmm, -EINVAL,
				 "cannot %s pfn %u as order %u: wrong order, "
				 "allocated as order %u",
				 call, pfn, order, RMM_READ(page->order));
	if (RMM_READ(page->flags) & RMM_PF_SLAB)
		return rmm_error(rmm, -EINVAL,
				 "cannot %s pfn %u: bad page state, a slab's; "
				 "free its objects, with kfree",
				 call, pfn);
	return rmm_error(rmm, -EINVAL,
			 "cannot %s pfn %u: bad page state, locked or under "
			 "writeback; unlock it first",
			 call, pfn);
}

/* Flags of a page that is in use in a way that its reference does not show
 * (PAGE_FLAGS_CHECK_AT_FREE). What is cut into objects is the slab layer's. */
#define MAY_NOT_FREE (RMM_PF_LOCKED | RMM_PF_WRITEBACK | RMM_PF_SLAB)

/* Given out with this order, to one owner, who is through with it? One look at
 * the word; type and harmless flags do not matter. */
static inline bool may_free(uint64_t word, unsigned int order)
{
	const uint64_t matters = rmm_page_word(-1, UINT8_MAX, UINT8_MAX, 0) |
				 (uint64_t)MAY_NOT_FREE << RMM_FLAGS_SHIFT;

	return (word & matters) == rmm_page_word(0, RMM_PG_ALLOCATED, order, 0);
}

/* Make a block nobody's (frozen). With threads in one step, since compaction
 * may be about to take a reference. False: it may not be freed as it is. */
static bool freeze(const struct rmm *rmm, struct rmm_page *page,
		   unsigned int order)
{
	uint64_t word = RMM_READ(page->word);

	if (!may_free(word, order))
		return false;
	return !rmm->config.threads ||
	       __atomic_compare_exchange_n(&page->word, &word,
					   word | UINT32_MAX, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static int refuse_page(struct rmm *rmm, const char *call,
		       const struct rmm_page *page, unsigned int order)
{
	if (!rmm_is_page(rmm, page))
		return rmm_error(rmm, -EINVAL,
				 "cannot %s page %p: not of this instance "
				 "(foreign page)",
				 call, (const void *)page);
	refuse(rmm, call, (rmm_pfn)(page - rmm->memmap), order);
	rmm_error_owner(rmm, (rmm_pfn)(page - rmm->memmap));
	return -EINVAL;
}

/* free_one_page() */
static void free_one_page(struct rmm_zone *z, unsigned int cpu, rmm_pfn pfn,
			  unsigned int order)
{
	rmm_zone_lock(z, cpu);
	z->stat->buddy_free++;
	rmm_free_one_page(z, pfn, order, false);
	rmm_zone_unlock(z);
}

/** rmm_free_unused() - give back what no caller has ever had, or has no more:
 *  not counted as a free */
inline void rmm_free_unused(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn,
			    unsigned int order)
{
	struct rmm_zone *z = rmm_page_zone(rmm, pfn);

	if (!rmm_free_unref_page(z, cpu, pfn, order))
		free_one_page(z, cpu, pfn, order);
}

/**
 * rmm_free_frozen_pages() - free_unref_page(): nobody refers to the block
 *
 * What rmm_free_pages() and rmm_put_page() come to.
 */
void rmm_free_frozen_pages(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn,
			   unsigned int order)
{
	struct rmm_stat *stat = &rmm->cpu[cpu].stat;

	if (order < RMM_NR_ORDERS)
		stat->free[order]++;
	else
		stat->free_pages += 1ull << order;
	if (rmm->owner)
		rmm_owner_free(rmm, cpu, pfn);
	rmm_free_unused(rmm, cpu, pfn, order);
}

/*
 * Others hold references. A compound page just loses one, and so does a block
 * that compaction holds, frozen or not (migrate.c). Otherwise they can only be
 * to the first page: it stays, as a single one, and the rest goes.
 *
 * Return: 0, -EINVAL for a wrong free, -EAGAIN if the block changed meanwhile.
 */
static int drop_reference(struct rmm *rmm, unsigned int cpu,
			  struct rmm_page *page, unsigned int order)
{
	const uint64_t kind = rmm_page_word(0, UINT8_MAX, UINT8_MAX, 0);
	uint64_t word = RMM_READ(page->word), next = word - 1;
	rmm_pfn pfn = (rmm_pfn)(page - rmm->memmap);
	bool whole = word >> RMM_FLAGS_SHIFT & (RMM_PF_HEAD | RMM_PF_ISOLATED);
	bool frozen = (int32_t)word == -1 &&
		      (word >> RMM_FLAGS_SHIFT & RMM_PF_ISOLATED);

	if (may_free(word, order))
		return -EAGAIN;
	if ((word & kind) != rmm_page_word(0, RMM_PG_ALLOCATED, order, 0) ||
	    ((int32_t)word < 1 && !frozen) ||
	    word >> RMM_FLAGS_SHIFT & RMM_PF_SLAB)
		return -EINVAL;
	if (!whole)
		next &= ~((uint64_t)UINT8_MAX << RMM_ORDER_SHIFT);
	if (!__atomic_compare_exchange_n(&page->word, &word, next, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -EAGAIN;
	while (!whole && order-- > 0)
		rmm_free_frozen_pages(rmm, cpu, pfn + (1u << order), order);
	return 0;
}

/* Not for the lists that the CPU's last page went to: the long way, and those
 * lists from now on. The page is frozen, or nobody else is there. */
static __attribute__((noinline)) int
free_page_elsewhere(struct rmm *rmm, unsigned int cpu, struct rmm_page *page)
{
	rmm_pfn pfn = (rmm_pfn)(page - rmm->memmap);

	rmm->freed_to[cpu] = &rmm_page_zone(rmm, pfn)->pcp[cpu];
	rmm_free_frozen_pages(rmm, cpu, pfn, 0);
	return 0;
}

/* It is on the list; there is more to do. */
static __attribute__((noinline)) int
commit_page(struct rmm *rmm, unsigned int cpu, const struct rmm_page *page)
{
	return rmm_pcp_commit_unlock(rmm->freed_to[cpu]->zone, cpu, 0,
				     rmm_word_type(page->word));
}

/* To those lists; as rmm_free_unref_page_quick() returns */
static inline int put_page_quick(struct rmm *rmm, struct rmm_pcp *pcp,
				 struct rmm_page *page)
{
	rmm_pfn pfn = (rmm_pfn)(page - rmm->memmap);
	unsigned int shift = rmm->config.pageblock_order;

	return rmm_free_unref_page_quick(
		pcp, page, pfn, RMM_READ(rmm->blocks[pfn >> shift].type_zone));
}

/* A frozen page, with threads */
static int free_page_locked(struct rmm *rmm, unsigned int cpu,
			    struct rmm_page *page)
{
	struct rmm_pcp *pcp = rmm->freed_to[cpu];
	int left = -1;

	if (rmm_trylock(rmm, &pcp->lock)) {
		left = put_page_quick(rmm, pcp, page);
		if (left > 0)
			return commit_page(rmm, cpu, page);
		rmm_unlock(rmm, &pcp->lock);
	}
	return left ? free_page_elsewhere(rmm, cpu, page) : 0;
}

/* All other cases than the one below */
static __attribute__((noinline)) int free_pages_slow(struct rmm *rmm,
						     unsigned int cpu,
						     struct rmm_page *page,
						     unsigned int order)
{
	if (cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot free on CPU %u: there are %u", cpu,
				 rmm->config.nr_cpus);
	if (!rmm_is_page(rmm, page))
		return refuse_page(rmm, "free", page, order);
	while (!freeze(rmm, page, order)) {
		int err = drop_reference(rmm, cpu, page, order);

		if (err == -EINVAL)
			return refuse_page(rmm, "free", page, order);
		if (!err)
			return 0;
	}
	if (!order && cpu < rmm->locked_cpus)
		return free_page_locked(rmm, cpu, page);
	rmm_free_frozen_pages(rmm, cpu, (rmm_pfn)(page - rmm->memmap), order);
	return 0;
}

/**
 * rmm_free_pages() - __free_pages(); see refmm.h
 *
 * The case that decides the speed stands here: a single page, one owner, no
 * threads, a per-CPU list with room. free_pages_slow() would do the same.
 * Whatever else is left to do is left to the function called last.
 *
 * Callers free in any order, and the frame is seldom in a cache. Meanwhile the
 * CPU goes on, into the frees that follow, as far as it can note what it does:
 * the fewer instructions and loads a free has, the more frames are asked for at
 * a time.
 */
int rmm_free_pages(struct rmm *rmm, unsigned int cpu, struct rmm_page *page,
		   unsigned int order)
{
	int left;

	if (rmm_unlikely(order || cpu >= rmm->quick_cpus ||
			 !rmm_is_page(rmm, page) ||
			 !may_free(RMM_READ(page->word), 0)))
		return free_pages_slow(rmm, cpu, page, order);
	/* Usually the lists that the page before went to: a guess that is
	 * checked delays nothing, while the way from page to zone would. */
	left = put_page_quick(rmm, rmm->freed_to[cpu], page);
	if (rmm_likely(!left))
		return 0;
	return left < 0 ? free_page_elsewhere(rmm, cpu, page)
			: commit_page(rmm, cpu, page);
}

/** rmm_split_page() - split_page(): each page can be freed by itself then */
int rmm_split_page(struct rmm *rmm, struct rmm_page *page, unsigned int order)
{
	if (!rmm_is_page(rmm, page) ||
	    !rmm_page_is(page, RMM_PG_ALLOCATED, order))
		return refuse_page(rmm, "split", page, order);
	if (RMM_READ(page->flags) & RMM_PF_HEAD)
		return rmm_error(
			rmm, -EINVAL,
			"cannot split pfn %u: a compound page of order "
			"%u is one unit; allocate without GFP_COMP",
			(rmm_pfn)(page - rmm->memmap), order);
	/* The first page keeps its references and goes last: until then the
	 * others are its tails. */
	for (size_t i = 1ull << order; i-- > 1;) {
		page[i].private = 0;
		RMM_WRITE(page[i].word, rmm_page_word(0, RMM_PG_ALLOCATED, 0,
						      page->migratetype));
		if (rmm->owner)
			rmm_owner_copy(rmm, (rmm_pfn)(page - rmm->memmap + i),
				       (rmm_pfn)(page - rmm->memmap));
	}
	RMM_WRITE(page->order, 0);
	return 0;
}
