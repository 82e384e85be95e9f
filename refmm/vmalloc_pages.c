/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_pages.c - the pages of an area: get them, map them, give them back.
 *
 * Any free page will do, wherever it lies; that is the point of vmalloc():
 *
 *   address   |  0  |  1  |  2  |  3  | guard |
 *   page        907   12    908   4711    -
 *
 * Single pages come in calls of at most 100, and as soon as one call gives less
 * than asked, one by one with the liberties of an ordinary request. A huge
 * mapping needs blocks of the PMD's order, aligned in both worlds; they are
 * split, so that all that frees or counts pages need not know. If one is not to
 * be had, all go back and the area is made anew of single pages.
 *
 * In backed mode the mapping is the host's: pages with consecutive numbers take
 * one mmap(). The host allows some 65,000 mappings (vm.max_map_count); beyond
 * that mapping fails like a page table that cannot be allocated.
 *
 * Invariant: nr_pages pages are allocated, single, and in no other area.
 *
 * Locking: none; nobody else knows the area yet, or any more.
 *
 * Modelled: vm_area_alloc_pages, __vmalloc_area_node, vmap_pages_range.
 * Simplified: the array of pages comes from libc, as do vm_struct and vmap_area
 * (a replay feeds those kmallocs as events of their own); page tables take no
 * pages; bulk calls only near the CPU's own node, else single pages; NOFAIL
 * covers pages, not addresses. (6.12, mm/vmalloc.c; LKD3 ch. 12 "vmalloc()")
 */
#include <errno.h>
#include <stdlib.h>

#include "layers.h"
#include "vmalloc.h"

/* Pages @from.. of @vm in bulk, as far as that goes; returns how many there are
 * then */
static size_t get_bulk(struct rmm *rmm, unsigned int cpu,
		       struct rmm_vm_struct *vm, unsigned int gfp)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	size_t have = 0;

	while (have < vm->nr_mapped) {
		size_t want = vm->nr_mapped - have, got;

		if (want > RMM_VMALLOC_BULK)
			want = RMM_VMALLOC_BULK;
		got = rmm_alloc_pages_bulk(rmm, cpu, gfp, want,
					   vm->pages + have);
		RMM_ADD(v->stat.bulk_calls, 1);
		RMM_ADD(v->stat.bulk_pages, got);
		have += got;
		if (got < want)
			break;
	}
	return have;
}

/* One block for each 2^page_order entries from @have on */
static size_t get_each(struct rmm *rmm, unsigned int cpu,
		       struct rmm_vm_struct *vm,
		       const struct rmm_vmalloc_args *args, size_t have)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	size_t block = (size_t)1 << vm->page_order;

	for (; have < vm->nr_mapped; have += block) {
		struct rmm_page *page = rmm_alloc_pages_node(
			rmm, cpu, args->nid, args->gfp, vm->page_order);

		if (!page)
			break;
		if (vm->page_order && rmm_split_page(rmm, page, vm->page_order))
			break;
		for (size_t i = 0; i < block; i++)
			vm->pages[have + i] = page + i;
		RMM_ADD(*(vm->page_order ? &v->stat.huge_pages
					 : &v->stat.single_pages),
			block);
	}
	return have;
}

/* vm_area_alloc_pages(); returns how many pages @vm has got */
static size_t get_pages(struct rmm *rmm, unsigned int cpu,
			struct rmm_vm_struct *vm,
			const struct rmm_vmalloc_args *args)
{
	size_t have = 0;

	if (!vm->page_order &&
	    (args->nid < 0 || args->nid == rmm->cpu[cpu].node))
		have = get_bulk(rmm, cpu, vm, args->gfp);
	return get_each(rmm, cpu, vm, args, have);
}

/** rmm_vmap_pages_range() - vmap_pages_range(): the pages show up at their
 *  addresses; -ENOMEM, and then some of them may */
int rmm_vmap_pages_range(struct rmm *rmm, const struct rmm_vm_struct *vm)
{
	unsigned int shift = rmm->config.page_shift;
	int err = 0;

	if (rmm_should_fail(rmm, RMM_FAULT_VMALLOC, 0, 0))
		return -ENOMEM;
	if (!rmm->arena)
		return 0;
	for (size_t i = 0, n; i < vm->nr_mapped && !err; i += n) {
		for (n = 1; i + n < vm->nr_mapped; n++)
			if (vm->pages[i + n] != vm->pages[i] + n)
				break;
		err = rmm_map_pages_at(rmm, vm->address + (i << shift),
				       rmm_page_to_pfn(rmm, vm->pages[i]), n);
	}
	return err;
}

/** rmm_vmalloc_free_pages() - what vfree() does with an area's pages */
void rmm_vmalloc_free_pages(struct rmm *rmm, unsigned int cpu,
			    struct rmm_vm_struct *vm)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);

	for (size_t i = 0; i < vm->nr_pages; i++)
		rmm_free_page(rmm, cpu, vm->pages[i]);
	if (vm->flags & RMM_VM_ALLOC)
		RMM_ADD(v->nr_pages, -(uint64_t)vm->nr_pages);
	vm->nr_pages = 0;
}

/**
 * rmm___vmalloc_area_node() - __vmalloc_area_node(): fill @vm, whose
 * page_order says how, with pages
 *
 * Return: 0, or -ENOMEM; what it has got by then is the caller's to free.
 */
int rmm___vmalloc_area_node(struct rmm *rmm, unsigned int cpu,
			    struct rmm_vm_struct *vm,
			    const struct rmm_vmalloc_args *args)
{
	struct rmm_vmalloc_args a = *args;
	size_t guard = vm->flags & RMM_VM_NO_GUARD ? 0 : rmm_page_bytes(rmm);

	/* Compound blocks could not be split, and what is mapped cannot be
	 * moved: the kernel's compaction sees that from the page, this one from
	 * its type. */
	a.gfp &= ~(unsigned int)(RMM_GFP_COMP | RMM_GFP_MOVABLE);
	if (!(a.gfp & (RMM_GFP_DMA | RMM_GFP_DMA32)))
		a.gfp |= RMM_GFP_HIGHMEM;
	a.gfp |= RMM_GFP_NOWARN;
	if (vm->page_order)
		a.gfp &= ~(unsigned int)RMM_GFP_NOFAIL;
	vm->nr_mapped = (vm->size - guard) >> rmm->config.page_shift;
	if (!rmm_should_fail(rmm, RMM_FAULT_VMALLOC, args->gfp, 0))
		vm->pages = calloc(vm->nr_mapped, sizeof(*vm->pages));
	if (!vm->pages)
		return -ENOMEM;
	vm->nr_pages = get_pages(rmm, cpu, vm, &a);
	RMM_ADD(rmm_vmalloc_of(rmm)->nr_pages, vm->nr_pages);
	if (vm->nr_pages < vm->nr_mapped)
		return -ENOMEM;
	return rmm_vmap_pages_range(rmm, vm);
}
