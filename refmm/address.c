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
 * What page tables do for the kernel, mmap() does here: with
 * rmm_config.remappable a memfd lies behind the arena, and the layers above map
 * parts of it a second time, into addresses that were reserved before.
 *
 *      arena     | 0 | 1 | 2 | 3 | 4 | ...        the direct map
 *      window      ...| 3 | 1 |guard| 4 |...      the same memory once more
 *
 * Locking: none.
 *
 * Modelled: page_address, virt_to_page, __get_free_pages, get_zeroed_page,
 * free_pages, alloc_page, __free_page. Simplified: where high memory is mapped
 * (set_page_address) is an array instead of a hash. (6.12, include/linux/mm.h,
 * mm/page_alloc.c, mm/highmem.c; LKD3 ch. 12 "Getting Pages", "Getting Zeroed
 * Pages", "Freeing Pages")
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *map;

	rmm->page_offset = c->page_offset;
	if (!c->backed)
		return 0;
	rmm->arena = c->arena;
	if (!rmm->arena && c->remappable) {
		flags = MAP_SHARED;
		rmm->arena_fd = memfd_create("refmm", MFD_CLOEXEC);
		if (rmm->arena_fd < 0 ||
		    ftruncate(rmm->arena_fd, (off_t)arena_bytes(rmm)))
			return -ENOMEM;
	}
	if (!rmm->arena) {
		map = mmap(NULL, arena_bytes(rmm), PROT_READ | PROT_WRITE,
			   flags | MAP_NORESERVE, rmm->arena_fd, 0);
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
	if (rmm->arena_fd >= 0)
		close(rmm->arena_fd);
}

/** rmm_can_remap() - may pages show up at further addresses? 0: they are
 *  numbers, or lie in a memfd; -EOPNOTSUPP: neither */
int rmm_can_remap(struct rmm *rmm)
{
	if (!rmm->arena)
		return 0;
	if (rmm->arena_fd < 0)
		return rmm_error(rmm, -EOPNOTSUPP,
				 "cannot map pages a second time: the arena is "
				 "not a memfd; set backed and remappable, and "
				 "give no arena");
	if (rmm->config.page_shift < 12)
		return rmm_error(rmm, -EOPNOTSUPP,
				 "cannot map pages a second time: page_shift "
				 "%u is less than the host's 12",
				 rmm->config.page_shift);
	return 0;
}

/** rmm_reserve_addresses() - @bytes of the host's addresses where nothing is;
 *  0: there are none */
uintptr_t rmm_reserve_addresses(size_t bytes, uintptr_t align)
{
	uintptr_t at, skip;
	void *map = mmap(NULL, bytes + align, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return 0;
	at = (uintptr_t)map;
	skip = -at & (align - 1);
	if (skip)
		munmap(map, skip);
	munmap((char *)map + skip + bytes, align - skip);
	return at + skip;
}

/** rmm_release_addresses() - the inverse */
void rmm_release_addresses(uintptr_t at, size_t bytes)
{
	munmap((void *)at, bytes);
}

/** rmm_map_pages_at() - set_pte_at() for @nr pages from @pfn on, at reserved
 *  addresses; -ENOMEM: the host has no more mappings (vm.max_map_count) */
int rmm_map_pages_at(struct rmm *rmm, uintptr_t at, rmm_pfn pfn, size_t nr)
{
	unsigned int shift = rmm->config.page_shift;
	void *map = mmap((void *)at, nr << shift, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_NORESERVE, rmm->arena_fd,
			 (off_t)pfn << shift);

	return map == MAP_FAILED ? -ENOMEM : 0;
}

/** rmm_unmap_at() - pte_clear(): whoever looks there again, faults. Where the
 *  host cannot even do that for lack of mappings, taking access away must do.
 */
void rmm_unmap_at(struct rmm *rmm, uintptr_t at, size_t bytes)
{
	void *map = mmap(
		(void *)at, bytes, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	(void)rmm;
	if (map == MAP_FAILED)
		mprotect((void *)at, bytes, PROT_NONE);
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

/** rmm_page_address() - page_address(): high memory has one while kmap() shows
 *  it, else NULL */
void *rmm_page_address(const struct rmm *rmm, const struct rmm_page *page)
{
	uintptr_t pfn = rmm_page_to_pfn(rmm, page);

	if (pfn == RMM_NO_PFN)
		return NULL;
	if (rmm_PageHighMem(rmm, page))
		return rmm->page_virtual
			       ? (void *)RMM_READ(rmm->page_virtual[pfn])
			       : NULL;
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
