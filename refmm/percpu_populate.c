/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_populate.c - pages for a chunk, the same ones in every unit.
 *
 * Address space is cheap and memory is not: a page is there from the first
 * allocation in it on. One page populated is one page per CPU:
 *
 *      unit 0   |pp......|
 *      unit 1   |pp......|    all or none: a failure gives back what it got
 *
 * They are order-0 pages near the CPU whose unit they are for. In backed mode
 * they must be usable at the unit's address, too.
 *
 * Invariants: bit i of populated is set if and only if pages[cpu][i] is
 * allocated for every CPU; nr_pages of the machine = nr_populated * units.
 *
 * Locking: the mutex for pages; the lock, too, for the bookkeeping afterwards.
 *
 * Modelled: pcpu_alloc_pages, pcpu_free_pages, pcpu_populate_chunk,
 * pcpu_depopulate_chunk, pcpu_chunk_populated, pcpu_chunk_depopulated,
 * pcpu_map_pages, pcpu_unmap_pages. Simplified: in backed mode, unless
 * rmm_config.remappable lets pages show up at a second address, a unit's memory
 * is of its own, accessible while the page is held. Omitted: page tables,
 * caches and TLB to flush. (6.12, mm/percpu-vm.c; not in LKD3)
 */
#include <errno.h>
#include <sys/mman.h>

#include "percpu_chunk.h"

static rmm_pfn *page_slot(struct rmm_pcpu_chunk *c, unsigned int cpu, int page)
{
	return &c->pages[(size_t)cpu * (size_t)c->nr_pages + (size_t)page];
}

static void hold_page(struct rmm_pcpu_chunk *c, unsigned int unit, int i,
		      rmm_pfn pfn, struct rmm_page *page)
{
	rmm_pfn *slot = page_slot(c, unit, i);

	*slot = pfn;
	page->private = rmm_pcpu_page_mark(c, (size_t)(slot - c->pages));
}

static void free_page(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
		      unsigned int cpu, unsigned int unit, int i)
{
	rmm_free_pages(p->rmm, cpu, &p->rmm->memmap[*page_slot(c, unit, i)], 0);
}

/* pcpu_free_pages(), for the first @nr CPUs */
static void free_pages(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
		       unsigned int cpu, int page, int end, unsigned int nr)
{
	for (unsigned int unit = 0; unit < nr; unit++)
		for (int i = page; i < end; i++)
			free_page(p, c, cpu, unit, i);
}

/* pcpu_alloc_pages(): -ENOMEM, and none is kept */
static int alloc_pages(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
		       unsigned int cpu, int page, int end, unsigned int gfp)
{
	for (unsigned int unit = 0; unit < p->nr_cpus; unit++) {
		for (int i = page; i < end; i++) {
			struct rmm_page *got = rmm_alloc_pages_node(
				p->rmm, cpu, p->rmm->cpu[unit].node,
				gfp | RMM_GFP_HIGHMEM, 0);

			if (got) {
				hold_page(c, unit, i,
					  rmm_page_to_pfn(p->rmm, got), got);
				continue;
			}
			while (--i >= page)
				free_page(p, c, cpu, unit, i);
			free_pages(p, c, cpu, page, end, unit);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Page @i of @cpu's unit can be used */
static int map_page(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
		    unsigned int cpu, int i)
{
	uintptr_t at = rmm_pcpu_chunk_addr(p, c, cpu, i);

	if (p->rmm->arena_fd >= 0)
		return rmm_map_pages_at(p->rmm, at, *page_slot(c, cpu, i), 1);
	return mprotect((void *)at, (size_t)p->page_size,
			PROT_READ | PROT_WRITE)
		       ? -ENOMEM
		       : 0;
}

/* Pages [@page, @end) of @cpu's unit no more; that they could be is no must */
static void unmap_pages(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			unsigned int cpu, int page, int end)
{
	size_t bytes = (size_t)(end - page) * (size_t)p->page_size;
	uintptr_t at = rmm_pcpu_chunk_addr(p, c, cpu, page);

	if (p->rmm->arena_fd >= 0) {
		rmm_unmap_at(p->rmm, at, bytes);
		return;
	}
	madvise((void *)at, bytes, MADV_DONTNEED);
	mprotect((void *)at, bytes, PROT_NONE);
}

static void unmap_units(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int page,
			int end)
{
	for (unsigned int cpu = 0; p->backed && cpu < p->nr_cpus; cpu++)
		unmap_pages(p, c, cpu, page, end);
}

/* pcpu_map_pages(): all units, or -ENOMEM and none */
static int map_units(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int page,
		     int end)
{
	int err = 0;

	for (unsigned int cpu = 0; p->backed && !err && cpu < p->nr_cpus; cpu++)
		for (int i = page; !err && i < end; i++)
			err = map_page(p, c, cpu, i);
	if (err)
		unmap_units(p, c, page, end);
	return err;
}

/** rmm_pcpu_populate_chunk() - pcpu_populate_chunk(): pages [@page, @end) of
 *  every unit, asked for by @cpu; -ENOMEM, and nothing has changed */
int rmm_pcpu_populate_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			    unsigned int cpu, int page, int end,
			    unsigned int gfp)
{
	int err = alloc_pages(p, c, cpu, page, end, gfp);

	if (err)
		return err;
	err = map_units(p, c, page, end);
	if (err)
		free_pages(p, c, cpu, page, end, p->nr_cpus);
	return err;
}

/** rmm_pcpu_depopulate_chunk() - pcpu_depopulate_chunk() */
void rmm_pcpu_depopulate_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			       unsigned int cpu, int page, int end)
{
	unmap_units(p, c, page, end);
	free_pages(p, c, cpu, page, end, p->nr_cpus);
}

/** rmm_pcpu_chunk_populated() - pcpu_chunk_populated(): the bookkeeping */
void rmm_pcpu_chunk_populated(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			      int page, int end)
{
	rmm_bitmap_set(c->populated, page, end - page);
	c->nr_populated += end - page;
	p->nr_populated += (uint64_t)(end - page);
	rmm_pcpu_update_empty_pages(p, c, end - page);
}

/** rmm_pcpu_chunk_depopulated() - pcpu_chunk_depopulated() */
void rmm_pcpu_chunk_depopulated(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
				int page, int end)
{
	rmm_bitmap_clear(c->populated, page, end - page);
	c->nr_populated -= end - page;
	p->nr_populated -= (uint64_t)(end - page);
	p->stat.depopulated += (uint64_t)(end - page);
	rmm_pcpu_update_empty_pages(p, c, page - end);
}
