/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * migrate.c - move a page that is in use, and have its owner follow.
 *
 *      isolate          move                              done
 *      from: owner+1    from: frozen                      from: freed
 *            ISOLATED   to: allocated                     to: the owner's
 *                       memory, flags, private copied
 *                       hook: owner takes `to`
 *
 * The reference taken at isolation keeps the frame from being freed and used
 * again: if the owner lets go meanwhile, that is what frees it. Others may
 * refer to an isolated page; then it stays, as they know this frame. So it
 * moves only if the count is the owner's and this file's, and is frozen for
 * that time:
 *
 *      _count   1 --> -1    nobody can refer to it; a free only counts, to -2
 *               moved: freed.  It stays: + 2, so 1 again, or 0 if it was freed
 *
 * In the kernel a page is found through page tables, which migration edits.
 * Here its owner holds a pointer, so the owner is asked (rmm_hooks.migrate),
 * and may refuse.
 *
 * Movable is what was allocated as movable, has one reference, and is neither
 * locked nor under writeback. Asynchronous migration leaves dirty pages alone;
 * in other modes they move, as those of a file system with migrate_folio do.
 *
 * Invariant: after rmm_migrate_pages() and rmm_putback_pages() no page is
 * isolated, and no block was lost or doubled, whichever step failed.
 *
 * Locking: none held. With threads, an owner must serialise its frees of
 * movable pages with its migrate hook, as the kernel does with the page lock.
 *
 * Modelled: migrate_pages, putback_movable_pages, folio_ref_freeze, and what
 * isolate_migratepages_block asks of a page. Simplified: one attempt; a block
 * of any order moves as a unit; nobody waits for locked pages; what belongs to
 * a file is not known, so requests without __GFP_FS move all that others move.
 * Omitted: LRU lists, splitting huge pages, migration entries. (6.12,
 * mm/migrate.c, mm/compaction.c; not in LKD3)
 */
#include <errno.h>

#include "compact.h"

/* May a page whose word this is be taken? */
static bool may_isolate(const struct rmm_compact *cc, uint64_t word)
{
	unsigned int flags = (unsigned int)(word >> RMM_FLAGS_SHIFT);
	unsigned int refuse =
		RMM_PF_LOCKED | RMM_PF_WRITEBACK | RMM_PF_ISOLATED;
	const uint64_t matters = rmm_page_word(-1, UINT8_MAX, 0, UINT8_MAX);

	if (cc->mode == RMM_MIGRATE_ASYNC)
		refuse |= RMM_PF_DIRTY;
	if (!cc->contig && !cc->z->rmm->config.compact_unevictable_allowed)
		refuse |= RMM_PF_UNEVICTABLE;
	if (flags & refuse)
		return false;
	return (word & matters) ==
	       rmm_page_word(0, RMM_PG_ALLOCATED, 0, RMM_MOVABLE);
}

/** rmm_isolate_page() - take the block at @pfn for moving; false: it must stay.
 *  There is room in cc->from. */
bool rmm_isolate_page(struct rmm_compact *cc, rmm_pfn pfn)
{
	struct rmm_page *page = &cc->z->memmap[pfn];
	uint64_t word = __atomic_load_n(&page->word, __ATOMIC_ACQUIRE), taken;

	if (!may_isolate(cc, word))
		return false;
	taken = word + 1; /* a second reference */
	taken |= (uint64_t)RMM_PF_ISOLATED << RMM_FLAGS_SHIFT;
	if (!__atomic_compare_exchange_n(&page->word, &word, taken, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	cc->from[cc->nr_from++] = pfn;
	cc->nr_migratepages += 1u << (word >> RMM_ORDER_SHIFT & UINT8_MAX);
	return true;
}

/* Let go of an isolated page: the flag and @references, in one step */
static void release(struct rmm_compact *cc, rmm_pfn pfn, int references)
{
	const uint64_t flag = (uint64_t)RMM_PF_ISOLATED << RMM_FLAGS_SHIFT;
	struct rmm_page *page = &cc->z->memmap[pfn];
	uint64_t word = RMM_READ(page->word), next;
	int32_t left;

	do {
		left = (int32_t)word - references;
		next = (word & ~flag & ~(uint64_t)UINT32_MAX) | (uint32_t)left;
	} while (!__atomic_compare_exchange_n(&page->word, &word, next, false,
					      __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	if (left < 0)
		rmm_free_unused(cc->z->rmm, cc->cpu, pfn,
				word >> RMM_ORDER_SHIFT & UINT8_MAX);
}

/** rmm_putback_pages() - putback_movable_pages(): all that is still isolated */
void rmm_putback_pages(struct rmm_compact *cc)
{
	for (unsigned int i = 0; i < cc->nr_from; i++)
		release(cc, cc->from[i], 1);
	cc->nr_from = cc->nr_migratepages = 0;
}

/* Does the owner follow from @from to @to? */
static bool owner_follows(struct rmm_compact *cc, rmm_pfn from, rmm_pfn to)
{
	struct rmm *rmm = cc->z->rmm;
	unsigned int order = RMM_READ(rmm->memmap[from].order);

	if (rmm_should_fail(rmm, RMM_FAULT_MIGRATE, 0, order))
		return false;
	return rmm->hooks.migrate(rmm->hooks.ctx, cc->cpu, from, to, order);
}

/* folio_ref_freeze(), to -1: are its owner and this file all that refer to it?
 */
static bool freeze(struct rmm_page *page)
{
	uint64_t word = RMM_READ(page->word), frozen;

	do {
		if ((int32_t)word != 1)
			return false;
		frozen = word | UINT32_MAX;
	} while (!__atomic_compare_exchange_n(&page->word, &word, frozen, false,
					      __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return true;
}

/* folio_ref_unfreeze() */
static void unfreeze(struct rmm_page *page)
{
	__atomic_add_fetch(&page->_count, 2, __ATOMIC_ACQ_REL);
}

/* move_to_new_folio(): all that is the owner's, then the owner; @from is frozen
 */
static bool move_to(struct rmm_compact *cc, rmm_pfn from, rmm_pfn to)
{
	struct rmm_page *map = cc->z->memmap;
	unsigned int order = RMM_READ(map[from].order);
	uint64_t flags =
		RMM_READ(map[from].flags) & (RMM_PF_OWNERS | RMM_PF_HEAD);

	map[to].private = map[from].private;
	RMM_WRITE(map[to].word,
		  rmm_page_word(0, RMM_PG_ALLOCATED, order, RMM_MOVABLE) |
			  flags << RMM_FLAGS_SHIFT);
	rmm_copy_pages(cc->z->rmm, to, from, order);
	if (cc->z->rmm->owner)
		rmm_owner_copy(cc->z->rmm, to, from);
	return owner_follows(cc, from, to);
}

/* migrate_folio_move(): false: it stays, with the references it had */
static bool migrate_page(struct rmm_compact *cc, rmm_pfn from, rmm_pfn to)
{
	struct rmm_page *page = &cc->z->memmap[from];

	if (!freeze(page))
		return false;
	if (move_to(cc, from, to))
		return true;
	unfreeze(page);
	return false;
}

/**
 * rmm_migrate_pages() - migrate_pages(): move what cc->from holds
 * @get: a frozen block of an order to move to, or RMM_NO_PFN
 *
 * Whatever cannot be moved stays in cc->from.
 *
 * Return: 0, -EAGAIN if something stayed, -ENOMEM if there was no place.
 */
int rmm_migrate_pages(struct rmm_compact *cc,
		      rmm_pfn (*get)(struct rmm_compact *cc,
				     unsigned int order))
{
	struct rmm_stat *stat = &cc->z->rmm->cpu[cc->cpu].stat;
	unsigned int stay = 0;
	int err = 0;

	for (unsigned int i = 0; i < cc->nr_from; i++) {
		rmm_pfn from = cc->from[i], to = RMM_NO_PFN;
		unsigned int order = RMM_READ(cc->z->memmap[from].order);

		if (err != -ENOMEM)
			to = get(cc, order);
		if (to != RMM_NO_PFN && migrate_page(cc, from, to)) {
			release(cc, from, 0); /* nobody's any more */
			stat->migrate_success++;
			continue;
		}
		cc->from[stay++] = from;
		stat->migrate_fail++;
		if (to != RMM_NO_PFN)
			rmm_free_target(cc, to, order);
		err = to == RMM_NO_PFN ? -ENOMEM : err ? err : -EAGAIN;
	}
	cc->nr_from = stay;
	return err;
}
