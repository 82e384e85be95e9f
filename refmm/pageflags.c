/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pageflags.c - a page in use: who refers to it, what it is, what it belongs
 * to.
 *
 * An allocation gives one reference. Others may take more (get_page), and the
 * last one to let go frees the page (put_page), whoever allocated it:
 *
 *      alloc_pages   _count  0      users 1
 *      get_page              1            2
 *      put_page              0            1
 *      put_page             -1            0: free
 *
 * With __GFP_COMP the 2^order pages are one unit, a compound page: a reference
 * to any of them is one to the head, and the whole is freed at once.
 *
 *      compound   |head|tail|tail|tail|     get_page(tail) counts in the head
 *      plain      |    :    :    :    |     only the first page is counted
 *
 * Invariant: flags other than HEAD, ISOLATED and SLAB are the owner's; all are
 * clear in what is free.
 *
 * Locking: none; _count and flags change by atomic operations, as in the
 * kernel.
 *
 * Modelled: page_count, get_page, put_page, compound_head, compound_order, and
 * the tests and setters of page-flags.h. Simplified: a tail is found by looking
 * for a head in front; flags are set and cleared through two functions instead
 * of two for each flag. Omitted: folios, _mapcount, LRU, flags without a reader
 * here. (6.12, include/linux/page-flags.h, page_ref.h, mm.h; LKD3 ch. 12
 * "Pages")
 */
#include <errno.h>

#include "layers.h"

/* Head of the compound page, or the page itself; NULL: not of this machine */
static struct rmm_page *head_of(const struct rmm *rmm,
				const struct rmm_page *page)
{
	rmm_pfn pfn = rmm_page_to_pfn(rmm, page), head;

	if (pfn == RMM_NO_PFN)
		return NULL;
	if (RMM_READ(page->state) != RMM_PG_RESERVED)
		return &rmm->memmap[pfn];
	head = rmm_find_head(rmm, pfn);
	if (head != RMM_NO_PFN &&
	    (RMM_READ(rmm->memmap[head].flags) & RMM_PF_HEAD))
		return &rmm->memmap[head];
	return &rmm->memmap[pfn];
}

static bool has_flag(const struct rmm *rmm, const struct rmm_page *page,
		     unsigned int flag)
{
	const struct rmm_page *head = head_of(rmm, page);

	return head && (RMM_READ(head->flags) & flag);
}

/** rmm_PageReserved() - PageReserved() */
bool rmm_PageReserved(const struct rmm *rmm, const struct rmm_page *page)
{
	rmm_pfn pfn = rmm_page_to_pfn(rmm, page);

	return pfn != RMM_NO_PFN && rmm_find_head(rmm, pfn) == RMM_NO_PFN;
}

/** rmm_PageBuddy() - PageBuddy() */
bool rmm_PageBuddy(const struct rmm *rmm, const struct rmm_page *page)
{
	return rmm_is_page(rmm, page) && RMM_READ(page->state) == RMM_PG_BUDDY;
}

/** rmm_PageHighMem() - PageHighMem() */
bool rmm_PageHighMem(const struct rmm *rmm, const struct rmm_page *page)
{
	int zone = rmm_pfn_zone(rmm, rmm_page_to_pfn(rmm, page));

	return zone >= 0 && rmm->zone[zone].type == RMM_ZONE_HIGHMEM;
}

/** rmm_PageHead() - PageHead() */
bool rmm_PageHead(const struct rmm *rmm, const struct rmm_page *page)
{
	return has_flag(rmm, page, RMM_PF_HEAD) &&
	       RMM_READ(page->state) == RMM_PG_ALLOCATED;
}

/** rmm_PageTail() - PageTail() */
bool rmm_PageTail(const struct rmm *rmm, const struct rmm_page *page)
{
	const struct rmm_page *head = head_of(rmm, page);

	return head && head != page;
}

/** rmm_PageCompound() - PageCompound() */
bool rmm_PageCompound(const struct rmm *rmm, const struct rmm_page *page)
{
	return has_flag(rmm, page, RMM_PF_HEAD);
}

/** rmm_PageLocked() - PageLocked() */
bool rmm_PageLocked(const struct rmm *rmm, const struct rmm_page *page)
{
	return has_flag(rmm, page, RMM_PF_LOCKED);
}

/** rmm_PageDirty() - PageDirty() */
bool rmm_PageDirty(const struct rmm *rmm, const struct rmm_page *page)
{
	return has_flag(rmm, page, RMM_PF_DIRTY);
}

/** rmm_PageWriteback() - PageWriteback() */
bool rmm_PageWriteback(const struct rmm *rmm, const struct rmm_page *page)
{
	return has_flag(rmm, page, RMM_PF_WRITEBACK);
}

/** rmm_PageUnevictable() - PageUnevictable() */
bool rmm_PageUnevictable(const struct rmm *rmm, const struct rmm_page *page)
{
	return has_flag(rmm, page, RMM_PF_UNEVICTABLE);
}

/** rmm_PageIsolated() - PageIsolated(): compaction holds it */
bool rmm_PageIsolated(const struct rmm *rmm, const struct rmm_page *page)
{
	return has_flag(rmm, page, RMM_PF_ISOLATED);
}

/** rmm_PageSlab() - PageSlab() */
bool rmm_PageSlab(const struct rmm *rmm, const struct rmm_page *page)
{
	return has_flag(rmm, page, RMM_PF_SLAB);
}

/* May its owner do @what with @page, whose head is @head? */
static int check_used(struct rmm *rmm, const struct rmm_page *page,
		      const struct rmm_page *head, const char *what)
{
	struct rmm_text text;

	if (!head)
		return rmm_error(rmm, -EINVAL,
				 "cannot %s page %p: not of this machine "
				 "(foreign page)",
				 what, (const void *)page);
	if (RMM_READ(head->state) == RMM_PG_ALLOCATED)
		return 0;
	rmm_state_text(rmm, rmm_page_to_pfn(rmm, head), &text);
	rmm_error(rmm, -EINVAL, "cannot %s pfn %u: it is %s", what,
		  rmm_page_to_pfn(rmm, head), text.s);
	rmm_error_owner(rmm, rmm_page_to_pfn(rmm, head));
	return -EINVAL;
}

static int check_flags(struct rmm *rmm, const struct rmm_page *page,
		       const struct rmm_page *head, unsigned int flags)
{
	int err = check_used(rmm, page, head, "change flags of");

	if (!err && (flags & ~(unsigned int)RMM_PF_OWNERS))
		err = rmm_error(rmm, -EINVAL,
				"cannot change flags 0x%x of pfn %u: some are "
				"not its owner's",
				flags, rmm_page_to_pfn(rmm, head));
	return err;
}

/** rmm_set_page_flags() - SetPageLocked() and so on */
int rmm_set_page_flags(struct rmm *rmm, struct rmm_page *page,
		       unsigned int flags)
{
	struct rmm_page *head = head_of(rmm, page);
	int err = check_flags(rmm, page, head, flags);

	if (!err)
		__atomic_fetch_or(&head->flags, flags, __ATOMIC_ACQ_REL);
	return err;
}

/** rmm_clear_page_flags() - ClearPageLocked() and so on */
int rmm_clear_page_flags(struct rmm *rmm, struct rmm_page *page,
			 unsigned int flags)
{
	struct rmm_page *head = head_of(rmm, page);
	int err = check_flags(rmm, page, head, flags);

	if (!err)
		__atomic_fetch_and(&head->flags, ~flags, __ATOMIC_ACQ_REL);
	return err;
}

/** rmm_compound_head() - compound_head() */
struct rmm_page *rmm_compound_head(const struct rmm *rmm, struct rmm_page *page)
{
	struct rmm_page *head = head_of(rmm, page);

	return head ? head : page;
}

/** rmm_compound_order() - compound_order() */
unsigned int rmm_compound_order(const struct rmm *rmm,
				const struct rmm_page *page)
{
	const struct rmm_page *head = head_of(rmm, page);

	return head && rmm_PageHead(rmm, head) ? RMM_READ(head->order) : 0;
}

/** rmm_page_count() - page_count(): callers know _count by this */
int rmm_page_count(const struct rmm *rmm, const struct rmm_page *page)
{
	const struct rmm_page *head = head_of(rmm, page);
	int32_t count;

	if (!head)
		return 0;
	if (RMM_READ(head->state) == RMM_PG_RESERVED)
		return rmm_PageReserved(rmm, head);
	count = RMM_READ(head->_count);
	return count < 0 ? 0 : count + 1;
}

/** rmm_get_page() - folio_try_get(): not to what nobody refers to */
int rmm_get_page(struct rmm *rmm, struct rmm_page *page)
{
	struct rmm_page *head = head_of(rmm, page);
	int err = check_used(rmm, page, head, "refer to");
	int32_t count;

	if (err)
		return err;
	count = RMM_READ(head->_count);
	do {
		if (count < 0)
			return rmm_error(rmm, -EINVAL,
					 "cannot refer to pfn %u: it is being "
					 "moved",
					 rmm_page_to_pfn(rmm, head));
	} while (!__atomic_compare_exchange_n(&head->_count, &count, count + 1,
					      false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return 0;
}

/** rmm_put_page() - put_page() */
int rmm_put_page(struct rmm *rmm, unsigned int cpu, struct rmm_page *page)
{
	struct rmm_page *head = head_of(rmm, page);
	int err = check_used(rmm, page, head, "let go of");
	int32_t count;

	/* Whoever does not allocate with GFP_COMP must know the order. */
	if (!err && RMM_READ(head->order) &&
	    !(RMM_READ(head->flags) & RMM_PF_HEAD) &&
	    RMM_READ(head->_count) == 0)
		err = rmm_error(
			rmm, -EINVAL,
			"cannot let go of pfn %u: the last reference to "
			"a block of order %u that is not compound; use "
			"rmm_free_pages",
			rmm_page_to_pfn(rmm, head), head->order);
	if (err)
		return err;
	count = RMM_READ(head->_count);
	do {
		if (count == 0)
			return rmm_free_pages(rmm, cpu, head,
					      RMM_READ(head->order));
	} while (!__atomic_compare_exchange_n(&head->_count, &count, count - 1,
					      false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return 0;
}
