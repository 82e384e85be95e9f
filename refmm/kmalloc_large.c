/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kmalloc_large.c - kmalloc() of more than the largest class: whole pages.
 *
 *      kmalloc(20000)   | page | page | page | page | page | . | . | . |
 *                       ^ head: private = mark and size     order 3, GFP_COMP
 *
 * A block is as large as the next power of two, and most of the difference is
 * lost; who minds uses alloc_pages_exact() or vmalloc(). The block is a
 * compound page, so that its order need not be remembered.
 *
 *   first page's private = MARK | size requested   while it is kmalloc()'s
 *
 * Locking: the page's owner's.
 *
 * Modelled: ___kmalloc_large_node, free_large_kmalloc, get_order,
 * kmalloc_fix_flags; the mark answers to PG_large_kmalloc of 6.18, by which a
 * page that somebody else has cannot be given to kfree(). (6.12, mm/slub.c;
 * LKD3 ch. 12 "kmalloc()")
 */
#include <errno.h>

#include "kmalloc.h"

/* get_order() */
static unsigned int order_of(const struct rmm *rmm, size_t size)
{
	unsigned int order = 0;

	while ((size_t)1 << (order + rmm->config.page_shift) < size)
		order++;
	return order;
}

/** rmm_kmalloc_large_node() - the kernel's ___kmalloc_large_node() */
void *rmm_kmalloc_large_node(struct rmm *rmm, unsigned int cpu, size_t size,
			     unsigned int gfp, int nid)
{
	size_t most = (size_t)1
		      << (rmm->config.max_order + rmm->config.page_shift);
	struct rmm_page *page;
	void *p;

	if (size > most) {
		rmm_error(rmm, -EINVAL,
			  "cannot kmalloc %zu bytes: a block has at most %zu; "
			  "use vmalloc",
			  size, most);
		return NULL;
	}
	/* GFP_SLAB_BUG_MASK: what has no address, or is not for kmalloc. And
	 * compaction must not move what has been given by its address. */
	gfp &= ~(unsigned int)(RMM_GFP_HIGHMEM | RMM_GFP_DMA32 |
			       RMM_GFP_MOVABLE);
	page = rmm_alloc_pages_node(rmm, cpu, nid, gfp | RMM_GFP_COMP,
				    order_of(rmm, size));
	if (!page)
		return NULL;
	p = rmm_page_address(rmm, page);
	if (rmm_kmalloc_tables(rmm)->count) {
		rmm_kmalloc_set_large_size(page, 0);
		rmm_kmalloc_account(rmm, cpu, (uintptr_t)p, size);
	} else {
		rmm_kmalloc_set_large_size(page, size);
	}
	return p;
}

static bool marked(const struct rmm_page *page)
{
	return (page->private & ~RMM_KMALLOC_MARK_SIZE) == RMM_KMALLOC_MARK;
}

/** rmm_kmalloc_large_page() - the block that begins at @address, if it is
 *  kmalloc()'s */
struct rmm_page *rmm_kmalloc_large_page(const struct rmm *rmm,
					uintptr_t address)
{
	struct rmm_page *page = rmm_virt_to_page(rmm, address);

	if (!page || RMM_READ(page->state) != RMM_PG_ALLOCATED ||
	    (uintptr_t)rmm_page_address(rmm, page) != address || !marked(page))
		return NULL;
	return page;
}

/* Why @address cannot be given to kfree() */
static int refuse(struct rmm *rmm, unsigned int cpu, uintptr_t address)
{
	unsigned long long at = address;
	struct rmm_page *page = rmm_virt_to_page(rmm, address);
	struct rmm_page_info info;
	rmm_pfn pfn;

	if (cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot kfree 0x%llx on CPU %u: there are %u",
				 at, cpu, rmm->config.nr_cpus);
	if (!page)
		return rmm_error(rmm, -EINVAL,
				 "cannot kfree 0x%llx: not in this machine's "
				 "memory",
				 at);
	pfn = rmm_page_to_pfn(rmm, page);
	rmm_page_info(rmm, pfn, &info);
	page = &rmm->memmap[info.head];
	if (info.state == RMM_PG_BUDDY || info.state == RMM_PG_PCP ||
	    (info.state == RMM_PG_TAIL && page->state != RMM_PG_ALLOCATED))
		return rmm_error(rmm, -EINVAL,
				 "cannot kfree 0x%llx: pfn %u is free (double "
				 "free, or never allocated)",
				 at, pfn);
	if (info.state == RMM_PG_RESERVED)
		return rmm_error(rmm, -EINVAL,
				 "cannot kfree 0x%llx: pfn %u is reserved, "
				 "never allocated",
				 at, pfn);
	if (marked(page))
		return rmm_error(
			rmm, -EINVAL,
			"cannot kfree 0x%llx: inside a block of %llu "
			"bytes; free its first byte, 0x%llx",
			at, (unsigned long long)rmm_kmalloc_large_size(page),
			(unsigned long long)(uintptr_t)rmm_page_address(rmm,
									page));
	return rmm_error(rmm, -EINVAL,
			 "cannot kfree 0x%llx: pfn %u is in a block of order "
			 "%u that kmalloc() did not give; use "
			 "rmm_free_pages()",
			 at, pfn, info.order);
}

/** rmm_free_large_kmalloc() - free_large_kmalloc(), or no object at all */
int rmm_free_large_kmalloc(struct rmm *rmm, unsigned int cpu, uintptr_t address)
{
	struct rmm_page *page = rmm_kmalloc_large_page(rmm, address);
	const struct rmm_kmalloc *k = rmm_kmalloc_tables(rmm);
	size_t size;
	int err;

	if (!page || cpu >= rmm->config.nr_cpus)
		return refuse(rmm, cpu, address);
	size = rmm_kmalloc_large_size(page);
	if (k->count)
		rmm_kmalloc_account(rmm, cpu, address, 0);
	/* The mark goes with the page: its links lie where it was. */
	err = rmm_free_pages(rmm, cpu, page, page->order);
	if (err && k->count)
		rmm_kmalloc_account(rmm, cpu, address, size);
	return err;
}

/** rmm_large_ksize() - the whole block, 0: none */
size_t rmm_large_ksize(const struct rmm *rmm, uintptr_t address)
{
	const struct rmm_page *page = rmm_kmalloc_large_page(rmm, address);

	return page ? (size_t)1 << (page->order + rmm->config.page_shift) : 0;
}
