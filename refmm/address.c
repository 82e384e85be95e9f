/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * address.c - pages by address: page_address() and the __get_free_pages family.
 *
 * The kernel maps all low memory at a fixed offset, the direct map, so a page's
 * address is arithmetic. High memory has no address until somebody maps it:
 *
 *      frame     0        4096 (16 MiB)        229376 (896 MiB)
 *      zone      |  DMA   |      NORMAL        |   HIGHMEM ...
 *      address   page_offset + (pfn << page_shift)   | NULL
 *
 * refmm has no memory behind its pages: an address is a number, the one that
 * the kernel's direct map would give. In backed mode (rmm_config.backed) the
 * direct map is an arena of real memory, given by the caller or mapped at
 * creation; then an address can be written to, and __GFP_ZERO means something.
 *
 *   virt_to_page(page_address(p)) = p for every page p of low memory
 *
 * Locking: none.
 *
 * Modelled: lowmem_page_address, virt_to_page, __get_free_pages,
 * get_zeroed_page, free_pages, alloc_page, __free_page. Simplified: high memory
 * is never mapped, so its address is always NULL. Omitted: kmap. (6.12,
 * include/linux/mm.h, mm/page_alloc.c; LKD3 ch. 12 "Getting Pages", "Getting
 * Zeroed Pages", "Freeing Pages")
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "alloc.h"

static size_t arena_bytes(const struct rmm *rmm)
{
	return (size_t)rmm->end_pfn << rmm->config.page_shift;
}

/** rmm_map_arena() - the direct map: the caller's arena, a mapping, or only
 *  numbers; -ENOMEM */
int rmm_map_arena(struct rmm *rmm)
{
	const struct rmm_config *c = &rmm->config;
	void *map;

	rmm->page_offset = c->page_offset;
	if (!c->backed)
		return 0;
	rmm->arena = c->arena;
	if (!rmm->arena) {
		map = mmap(NULL, arena_bytes(rmm), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (map == MAP_FAILED)
			return -ENOMEM;
		rmm->arena = map;
	}
	rmm->page_offset = (uintptr_t)rmm->arena;
	return 0;
}

/** rmm_unmap_arena() - the inverse; a given arena stays the caller's */
void rmm_unmap_arena(struct rmm *rmm)
{
	if (rmm->arena && rmm->arena != rmm->config.arena)
		munmap(rmm->arena, arena_bytes(rmm));
}

/** rmm_clear_pages() - clear_highpage() for each page of a block */
void rmm_clear_pages(struct rmm *rmm, rmm_pfn pfn, unsigned int order)
{
	memset((char *)rmm->arena + ((size_t)pfn << rmm->config.page_shift), 0,
	       (size_t)1 << (order + rmm->config.page_shift));
}

/** rmm_copy_pages() - folio_copy(), if there is anything to copy */
void rmm_copy_pages(struct rmm *rmm, rmm_pfn to, rmm_pfn from,
		    unsigned int order)
{
	unsigned int shift = rmm->config.page_shift;

	if (rmm->arena)
		memcpy((char *)rmm->arena + ((size_t)to << shift),
		       (char *)rmm->arena + ((size_t)from << shift),
		       (size_t)1 << (order + shift));
}

/** rmm_page_address() - page_address(): NULL for high memory */
void *rmm_page_address(const struct rmm *rmm, const struct rmm_page *page)
{
	uintptr_t pfn = rmm_page_to_pfn(rmm, page);

	if (rmm_PageHighMem(rmm, page))
		return NULL;
	/* An address in the kernel's terms, not always one in this process */
	return (void *)(rmm->page_offset + (pfn << rmm->config.page_shift));
}

/** rmm_virt_to_page() - virt_to_page(): NULL if no low memory is there */
struct rmm_page *rmm_virt_to_page(const struct rmm *rmm, uintptr_t address)
{
	uintptr_t at = address - rmm->page_offset;
	struct rmm_page *page;

	if (at >= arena_bytes(rmm))
		return NULL;
	page = rmm_pfn_to_page(rmm, (rmm_pfn)(at >> rmm->config.page_shift));
	return page && !rmm_PageHighMem(rmm, page) ? page : NULL;
}

/** rmm_alloc_page() - alloc_page() */
struct rmm_page *rmm_alloc_page(struct rmm *rmm, unsigned int cpu,
				unsigned int gfp)
{
	return rmm_alloc_pages(rmm, cpu, gfp, 0);
}

/** rmm_free_page() - __free_page() */
int rmm_free_page(struct rmm *rmm, unsigned int cpu, struct rmm_page *page)
{
	return rmm_free_pages(rmm, cpu, page, 0);
}

/** rmm___get_free_pages() - __get_free_pages(): 0 if there are none */
uintptr_t rmm___get_free_pages(struct rmm *rmm, unsigned int cpu,
			       unsigned int gfp, unsigned int order)
{
	struct rmm_page *page;

	/* What has no address is no use here. */
	gfp &= ~(unsigned int)RMM_GFP_HIGHMEM;
	page = rmm_alloc_pages(rmm, cpu, gfp, order);
	return page ? (uintptr_t)rmm_page_address(rmm, page) : 0;
}

/** rmm___get_free_page() - __get_free_page() */
uintptr_t rmm___get_free_page(struct rmm *rmm, unsigned int cpu,
			      unsigned int gfp)
{
	return rmm___get_free_pages(rmm, cpu, gfp, 0);
}

/** rmm_get_zeroed_page() - get_zeroed_page() */
uintptr_t rmm_get_zeroed_page(struct rmm *rmm, unsigned int cpu,
			      unsigned int gfp)
{
	return rmm___get_free_pages(rmm, cpu, gfp | RMM_GFP_ZERO, 0);
}

/** rmm_free_pages_addr() - free_pages(); see refmm_page.h */
int rmm_free_pages_addr(struct rmm *rmm, unsigned int cpu, uintptr_t address,
			unsigned int order)
{
	struct rmm_page *page;

	if (!address)
		return 0;
	page = rmm_virt_to_page(rmm, address);
	if (!page || (uintptr_t)rmm_page_address(rmm, page) != address)
		return rmm_error(rmm, -EINVAL,
				 "cannot free address 0x%llx: no page of low "
				 "memory begins there",
				 (unsigned long long)address);
	return rmm_free_pages(rmm, cpu, page, order);
}

/** rmm_free_page_addr() - free_page() */
int rmm_free_page_addr(struct rmm *rmm, unsigned int cpu, uintptr_t address)
{
	return rmm_free_pages_addr(rmm, cpu, address, 0);
}
