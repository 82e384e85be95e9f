/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_create.c - chunks come and go.
 *
 * A chunk needs address space for a unit per CPU, and bookkeeping. Its pages
 * come later, when something is allocated in them:
 *
 *      window   | area 0: first | area 1 | area 2 | ...  max_chunks areas
 *      area     | unit 0 | unit 1 | ... | unit nr_units - 1 |
 *      unit     | page 0 | page 1 | ...    nothing there until populated
 *
 * All areas are alike, so an address in the window names its chunk by division,
 * and what is at one offset of a unit has the same distance to CPU 0's copy in
 * every chunk: a __percpu pointer is an address in unit 0 of some area, less
 * the window's beginning.
 *
 * Invariants: areas[c->area] = c; base_addr = window + area * area_bytes, but
 * for the first and reserved chunk, which share area 0.
 *
 * Locking: the mutex; areas[] is written with the lock held as well, as a free
 * reads it.
 *
 * Modelled: pcpu_alloc_chunk, pcpu_free_chunk, pcpu_create_chunk,
 * pcpu_destroy_chunk, pcpu_chunk_addr_search. Simplified: pcpu_get_vm_areas
 * searches vmalloc space from its end for gaps as far apart as the groups of
 * the first chunk are; here groups lie back to back, in the lowest free area.
 * Bookkeeping is libc's, not slab's and vmalloc's. (6.12, mm/percpu.c,
 * mm/percpu-vm.c; not in LKD3)
 */
#include <stdlib.h>

#include "percpu_chunk.h"

/** rmm_pcpu_alloc_chunk() - pcpu_alloc_chunk(): bookkeeping for @nr_pages per
 *  unit, all free, none populated; NULL: no memory */
struct rmm_pcpu_chunk *rmm_pcpu_alloc_chunk(struct rmm_pcpu *p, int nr_pages)
{
	struct rmm_pcpu_chunk *c = calloc(1, sizeof(*c));
	size_t pages = (size_t)nr_pages;
	int bits = nr_pages * p->block_bits;

	if (!c)
		return NULL;
	c->slot = -1;
	c->nr_pages = nr_pages;
	c->alloc_map = calloc(rmm_bits_to_words(bits), sizeof(uint64_t));
	c->bound_map = calloc(rmm_bits_to_words(bits + 1), sizeof(uint64_t));
	c->md_blocks = calloc(pages, sizeof(*c->md_blocks));
	c->populated = calloc(rmm_bits_to_words(nr_pages), sizeof(uint64_t));
	if (!c->alloc_map || !c->bound_map || !c->md_blocks || !c->populated) {
		rmm_pcpu_free_chunk(c);
		return NULL;
	}
	rmm_pcpu_init_md_blocks(p, c);
	c->free_bytes = bits << RMM_PCPU_SHIFT;
	return c;
}

/** rmm_pcpu_free_chunk() - pcpu_free_chunk(); NULL is fine */
void rmm_pcpu_free_chunk(struct rmm_pcpu_chunk *c)
{
	if (!c)
		return;
	free(c->pages);
	free(c->populated);
	free(c->md_blocks);
	free(c->bound_map);
	free(c->alloc_map);
	free(c);
}

/* pcpu_get_vm_areas(): the lowest free area; 0 is the first chunk's */
static unsigned int find_area(const struct rmm_pcpu *p)
{
	for (unsigned int i = 1; i < p->max_chunks; i++)
		if (!p->areas[i])
			return i;
	return 0;
}

/** rmm_pcpu_create_chunk() - pcpu_create_chunk(): not yet in a slot; NULL: no
 *  room in address space, or no memory */
struct rmm_pcpu_chunk *rmm_pcpu_create_chunk(struct rmm_pcpu *p)
{
	unsigned int area = find_area(p);
	struct rmm_pcpu_chunk *c;

	if (!area)
		return NULL;
	c = rmm_pcpu_alloc_chunk(p, p->unit_pages);
	if (!c)
		return NULL;
	c->pages = calloc((size_t)p->nr_cpus * (size_t)c->nr_pages,
			  sizeof(*c->pages));
	if (!c->pages) {
		rmm_pcpu_free_chunk(c);
		return NULL;
	}
	c->area = area;
	c->base_addr = p->window + area * p->area_bytes;
	rmm_lock(p->rmm, &p->lock);
	p->areas[area] = c;
	p->stat.nr_chunks++;
	if (p->stat.nr_chunks > p->stat.nr_max_chunks)
		p->stat.nr_max_chunks = p->stat.nr_chunks;
	rmm_unlock(p->rmm, &p->lock);
	return c;
}

/** rmm_pcpu_destroy_chunk() - pcpu_destroy_chunk(): in no slot and without
 *  pages */
void rmm_pcpu_destroy_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c)
{
	rmm_lock(p->rmm, &p->lock);
	p->areas[c->area] = NULL;
	p->stat.nr_chunks--;
	rmm_unlock(p->rmm, &p->lock);
	rmm_pcpu_free_chunk(c);
}

/* pcpu_addr_in_chunk(), for chunks that have part of an area */
static bool addr_in_chunk(const struct rmm_pcpu *p,
			  const struct rmm_pcpu_chunk *c, uintptr_t addr)
{
	uintptr_t end;

	if (!c)
		return false;
	end = c->base_addr + (uintptr_t)c->nr_pages * (uintptr_t)p->page_size;
	return addr >= c->base_addr + (uintptr_t)c->start_offset &&
	       addr < end - (uintptr_t)c->end_offset;
}

/** rmm_pcpu_addr_to_chunk() - pcpu_chunk_addr_search(): whose unit 0 @addr is
 *  in; NULL: nobody's. Static variables are in no chunk. */
struct rmm_pcpu_chunk *rmm_pcpu_addr_to_chunk(const struct rmm_pcpu *p,
					      uintptr_t addr)
{
	uintptr_t at = addr - p->window;
	unsigned int area = (unsigned int)(at / p->area_bytes);

	if (addr_in_chunk(p, p->first_chunk, addr))
		return p->first_chunk;
	if (addr_in_chunk(p, p->reserved_chunk, addr))
		return p->reserved_chunk;
	if (area == 0 || at / p->area_bytes >= p->max_chunks ||
	    at % p->area_bytes >= p->info.unit_size)
		return NULL;
	return p->areas[area];
}
