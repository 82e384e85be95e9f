/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_page.h - a page in use: references, flags, compound pages, address
 * (LKD3 ch. 12, "Pages" and "Getting Pages").
 *
 * Functions that take a page take any page of a block; what a compound page
 * keeps (references, flags, order) is its head's. Those that change something
 * return 0, or -EINVAL and rmm_last_error() says why not. What is no page of
 * this machine is refused by these, and has no flag, no user and no address.
 */
#ifndef KMEMLAB_REFMM_PAGE_H
#define KMEMLAB_REFMM_PAGE_H

#include <kmemlab/refmm_types.h>

/*
 * Flags that an allocated page keeps: the kernel's PG_ names, here with
 * RMM_PF_, as a page is in one state besides (enum rmm_page_state). All are
 * clear in a page that was just allocated, but for HEAD.
 *
 *   flag        set by                      cleared by         what it does
 *   locked      owner, during I/O           owner              never moved by
 *                                           compaction; cannot be freed
 *   dirty       owner, after writing        owner, written     not moved by
 *                                           asynchronous compaction
 *   writeback   owner, while writing back   owner              as locked
 *   unevictable owner, mlock()              owner, munlock()   moved only if
 *                                           compact_unevictable_allowed
 *   head        allocation with GFP_COMP    free               one unit: tails
 *                                           share the head's references
 *   isolated    compaction takes it         compaction, done   nobody else
 *                                           moves it
 *   slab        slab layer, a new slab      slab discarded     the page side
 *                                           frees it for nobody else
 */
enum rmm_pageflags {
	RMM_PF_LOCKED = 1 << 0,
	RMM_PF_DIRTY = 1 << 1,
	RMM_PF_WRITEBACK = 1 << 2,
	RMM_PF_UNEVICTABLE = 1 << 3,
	RMM_PF_HEAD = 1 << 4,
	RMM_PF_ISOLATED = 1 << 5,
	RMM_PF_SLAB = 1 << 6,
	/* what an owner may set and clear */
	RMM_PF_OWNERS = RMM_PF_LOCKED | RMM_PF_DIRTY | RMM_PF_WRITEBACK |
			RMM_PF_UNEVICTABLE,
};

/* ---- State and flags (refmm/pageflags.c) -------------------------------- */

/** rmm_PageReserved() - never given to the allocator (PG_reserved) */
bool rmm_PageReserved(const struct rmm *rmm, const struct rmm_page *page);
/** rmm_PageBuddy() - head of a free block on a buddy list (PG_buddy) */
bool rmm_PageBuddy(const struct rmm *rmm, const struct rmm_page *page);
/** rmm_PageHighMem() - in a HIGHMEM zone */
bool rmm_PageHighMem(const struct rmm *rmm, const struct rmm_page *page);
bool rmm_PageHead(const struct rmm *rmm, const struct rmm_page *page);
bool rmm_PageTail(const struct rmm *rmm, const struct rmm_page *page);
bool rmm_PageCompound(const struct rmm *rmm, const struct rmm_page *page);
bool rmm_PageLocked(const struct rmm *rmm, const struct rmm_page *page);
bool rmm_PageDirty(const struct rmm *rmm, const struct rmm_page *page);
bool rmm_PageWriteback(const struct rmm *rmm, const struct rmm_page *page);
bool rmm_PageUnevictable(const struct rmm *rmm, const struct rmm_page *page);
bool rmm_PageIsolated(const struct rmm *rmm, const struct rmm_page *page);
/** rmm_PageSlab() - cut into objects: kfree() frees these, nobody the page */
bool rmm_PageSlab(const struct rmm *rmm, const struct rmm_page *page);
/** rmm_set_page_flags() - SetPageX(): @flags out of RMM_PF_OWNERS; clear:
 *  ClearPageX(). Refused for a page that is not allocated. */
int rmm_set_page_flags(struct rmm *rmm, struct rmm_page *page,
		       unsigned int flags);
int rmm_clear_page_flags(struct rmm *rmm, struct rmm_page *page,
			 unsigned int flags);

/* ---- Compound pages ----------------------------------------------------- */

/** rmm_compound_head() - head of the compound page, else @page itself */
struct rmm_page *rmm_compound_head(const struct rmm *rmm,
				   struct rmm_page *page);
/** rmm_compound_order() - order of the compound page, 0 if it is none */
unsigned int rmm_compound_order(const struct rmm *rmm,
				const struct rmm_page *page);

/* ---- References (refmm/pageflags.c) ------------------------------------- */

/** rmm_page_count() - users of a page; 0: it is free. Reserved pages have one.
 */
int rmm_page_count(const struct rmm *rmm, const struct rmm_page *page);
/** rmm_get_page() - one more user; refused for a free page, and while
 *  compaction moves the page (rmm_hooks.migrate) */
int rmm_get_page(struct rmm *rmm, struct rmm_page *page);
/** rmm_put_page() - one user less; the last one frees the page, on @cpu */
int rmm_put_page(struct rmm *rmm, unsigned int cpu, struct rmm_page *page);

/* ---- Pages by address (refmm/address.c) --------------------------------- */

/*
 * Addresses are those of the kernel's direct map: page_offset + pfn * page
 * size. They are numbers, unless rmm_config.backed puts memory behind them.
 */

/** rmm_page_address() - NULL for a page of high memory that kmap() does not
 *  show, and for another machine's */
void *rmm_page_address(const struct rmm *rmm, const struct rmm_page *page);
/** rmm_virt_to_page() - page that @address lies in, NULL if none does */
struct rmm_page *rmm_virt_to_page(const struct rmm *rmm, uintptr_t address);
/** rmm___get_free_pages() - address of 2^@order pages, 0: none; @gfp's HIGHMEM
 *  is ignored. rmm___get_free_page(): one. rmm_get_zeroed_page(): full of zeros
 *  (in backed mode), so that no data leaks from one owner to the next. */
uintptr_t rmm___get_free_pages(struct rmm *rmm, unsigned int cpu,
			       unsigned int gfp, unsigned int order);
uintptr_t rmm___get_free_page(struct rmm *rmm, unsigned int cpu,
			      unsigned int gfp);
uintptr_t rmm_get_zeroed_page(struct rmm *rmm, unsigned int cpu,
			      unsigned int gfp);
/** rmm_free_pages_addr() - free_pages(), by address; 0 is fine. -EINVAL as
 *  rmm_free_pages(), the kernel's __free_pages() */
int rmm_free_pages_addr(struct rmm *rmm, unsigned int cpu, uintptr_t address,
			unsigned int order);
int rmm_free_page_addr(struct rmm *rmm, unsigned int cpu, uintptr_t address);

/* ---- History, with rmm_config.page_owner (refmm/owner.c) ---------------- */

/* Last allocation and free of a block that began at a frame; times count both,
 * from 1 on; 0: never. */
struct rmm_page_owner {
	uint64_t alloc_time, free_time;
	uint32_t alloc_caller, free_caller;
	uint16_t alloc_cpu, free_cpu;
	uint32_t pad;
};

/** rmm_set_caller() - who acts on @cpu from now on: a number of your choice */
void rmm_set_caller(struct rmm *rmm, unsigned int cpu, uint32_t caller);
/** rmm_page_owner() - -ENOENT: no such page, or no history is kept */
int rmm_page_owner(const struct rmm *rmm, rmm_pfn pfn,
		   struct rmm_page_owner *out);

#endif
