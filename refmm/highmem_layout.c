/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * highmem_layout.c - where a 32-bit kernel puts what, and its mappings' end.
 *
 *   4 GiB  --------------------------
 *          fixed addresses, among them KM_MAX_IDX local slots for each CPU
 *          CPU entry areas, LDT             (one PMD each at least)
 *          kmap window, LAST_PKMAP slots    <- PKMAP_BASE
 *          two pages
 *          vmalloc window                   <- VMALLOC_END
 *          8 MiB                            <- VMALLOC_START
 *   low memory, at most 896 MiB             <- high_memory
 *   PAGE_OFFSET, 3 GiB
 *
 * So all that is mapped at need shares 128 MiB.
 *
 * Invariants (at rest): a slot's count is 0 and shows nothing, or is above 0
 * and shows a page of high memory whose address is that slot, and no other page
 * has one; a CPU's local slots show pages below idx and nothing from there on.
 *
 * Locking: the machine must be at rest.
 *
 * Modelled: PKMAP_BASE, FIX_KMAP_BEGIN, LAST_PKMAP, VMALLOC_END. Simplified: a
 * build's options decide how many fixed addresses lie above the slots; here 64.
 * (6.12, arch/x86/include/asm/fixmap.h, pgtable_32_areas.h, highmem.h; LKD3 ch.
 * 12 "High Memory Mappings")
 */
#include <errno.h>
#include <stdio.h>

#include "highmem.h"

enum { FIXED_PAGES = 64, PAE_SLOTS = 512, SLOTS = 1024 };
#define FIXADDR_TOP ((uintptr_t)0xfffff000)

static uintptr_t page_bytes(const struct rmm *rmm)
{
	return (uintptr_t)1 << rmm->config.page_shift;
}

/** rmm_high_memory() - high_memory: where the direct map ends */
uintptr_t rmm_high_memory(const struct rmm *rmm)
{
	rmm_pfn end = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		const struct rmm_zone *z = &rmm->zone[i];

		if (z->type <= RMM_ZONE_NORMAL &&
		    z->start_pfn + z->spanned > end)
			end = z->start_pfn + z->spanned;
	}
	return rmm->config.page_offset +
	       ((uintptr_t)end << rmm->config.page_shift);
}

/** rmm_last_pkmap() - LAST_PKMAP: page tables of PAE have entries of twice the
 *  size, so half as many; who has more than 4 GiB needs PAE */
unsigned int rmm_last_pkmap(const struct rmm *rmm)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		if (rmm->zone[i].start_pfn + (uint64_t)rmm->zone[i].spanned >
		    end)
			end = rmm->zone[i].start_pfn + rmm->zone[i].spanned;
	return end << rmm->config.page_shift > 1ull << 32 ? PAE_SLOTS : SLOTS;
}

/** rmm_fix_kmap_begin() - __fix_to_virt(FIX_KMAP_BEGIN) */
uintptr_t rmm_fix_kmap_begin(const struct rmm *rmm)
{
	return FIXADDR_TOP - FIXED_PAGES * page_bytes(rmm);
}

/** rmm_pkmap_base() - PKMAP_BASE: below fixed addresses, CPU entry areas and
 *  LDT, each aligned to what one page of page tables maps */
uintptr_t rmm_pkmap_base(const struct rmm *rmm, unsigned int last_pkmap)
{
	uintptr_t page = page_bytes(rmm), pmd = last_pkmap * page;
	uintptr_t at = rmm_fix_kmap_begin(rmm) -
		       (uintptr_t)rmm->config.nr_cpus * RMM_KM_MAX_IDX * page;

	for (int i = 0; i < 3; i++)
		at = (at - page) & ~(pmd - 1);
	return at;
}

static int check_slot(const struct rmm *rmm, const struct rmm_highmem *h,
		      unsigned int nr, char *msg, size_t size)
{
	rmm_pfn pfn = h->pfn[nr];
	uintptr_t at = h->pkmap + ((uintptr_t)nr << rmm->config.page_shift);

	if (h->count[nr] == 0 && pfn == RMM_NO_PFN)
		return 0;
	if (h->count[nr] > 0 && pfn != RMM_NO_PFN &&
	    rmm_pfn_zone(rmm, pfn) >= 0 && rmm->page_virtual[pfn] == at)
		return 0;
	snprintf(msg, size,
		 "kmap slot %u: count %d, but shows pfn %u, whose address is "
		 "0x%llx",
		 nr, h->count[nr], pfn,
		 pfn == RMM_NO_PFN
			 ? 0ull
			 : (unsigned long long)rmm->page_virtual[pfn]);
	return -EUCLEAN;
}

static int check_local(const struct rmm *rmm, const struct rmm_highmem *h,
		       unsigned int cpu, char *msg, size_t size)
{
	const struct rmm_kmap_ctrl *c = &h->ctrl[cpu];

	for (unsigned int i = 0; i < RMM_KM_MAX_IDX; i++) {
		if (c->idx < RMM_KM_MAX_IDX &&
		    (i < c->idx) == (rmm_pfn_zone(rmm, c->pfn[i]) >= 0))
			continue;
		snprintf(msg, size,
			 "CPU %u: %u local kmap slots in use, and slot %u "
			 "shows pfn %u",
			 cpu, c->idx, i, c->pfn[i]);
		return -EUCLEAN;
	}
	return 0;
}

/* Pages of high memory that have an address */
static unsigned int count_addresses(const struct rmm *rmm)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < rmm->nr_zones; i++) {
		const struct rmm_zone *z = &rmm->zone[i];

		if (z->type != RMM_ZONE_HIGHMEM)
			continue;
		for (rmm_pfn p = 0; p < z->spanned; p++)
			n += rmm->page_virtual[z->start_pfn + p] != 0;
	}
	return n;
}

/** rmm_highmem_validate() - the layer's part of rmm_validate() */
int rmm_highmem_validate(const struct rmm *rmm, const void *state, char *msg,
			 size_t size)
{
	const struct rmm_highmem *h = state;
	unsigned int mapped = 0, addresses;
	int err = 0;

	for (unsigned int i = 0; i < h->last_pkmap && !err; i++) {
		err = check_slot(rmm, h, i, msg, size);
		mapped += h->count[i] > 0;
	}
	for (unsigned int i = 0; i < rmm->config.nr_cpus && !err; i++)
		err = check_local(rmm, h, i, msg, size);
	if (err)
		return err;
	addresses = count_addresses(rmm);
	if (addresses == mapped)
		return 0;
	snprintf(msg, size,
		 "%u pages of high memory have an address, but %u kmap slots "
		 "show one",
		 addresses, mapped);
	return -EUCLEAN;
}
