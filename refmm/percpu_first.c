/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_first.c - the first chunk, where static per-CPU variables live.
 *
 * DEFINE_PER_CPU() puts a variable into a section of the kernel's image. At
 * boot that section is copied once for each CPU, to the beginning of its unit;
 * what is left of the unit's pages serves modules and dynamic allocations:
 *
 *      unit   | static | reserved | dynamic      | not used
 *             0        |          |              |<- pages are populated
 *                      |  chunk   |  chunk       |
 *             no chunk | reserved_chunk  first_chunk
 *
 * Static variables belong to no chunk, as they are never freed. The two chunks
 * begin at whole pages; the bits before their part (start_offset) and behind it
 * (end_offset) are set for ever. Both keep their pages: immutable.
 *
 *      rmm_define_per_cpu()  name = its offset in the static area, as the
 *                            linker would have placed it
 *
 * Invariants: static_used <= static_size; start_offset + own + end_offset =
 * nr_pages * page.
 *
 * Locking: the lock for static_used; the rest is set up once.
 *
 * Modelled: pcpu_setup_first_chunk, pcpu_alloc_first_chunk, DEFINE_PER_CPU,
 * pcpu_embed_first_chunk and pcpu_page_first_chunk (which differ in
 * percpu_layout.c only). Simplified: static variables are placed at run time,
 * one after the other; the memory is the boot allocator's, which refmm has not,
 * so it is none of the machine's pages. (6.12, mm/percpu.c; LKD3 ch. 12
 * "Per-CPU Data at Compile-Time")
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "percpu_chunk.h"

/* Set for ever what is not the chunk's: [@from, @from + @bits) */
static void hide(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int from,
		 int bits)
{
	rmm_bitmap_set(c->alloc_map, from, bits);
	rmm_set_bit(c->bound_map, from);
	rmm_set_bit(c->bound_map, from + bits);
	if (!from)
		c->chunk_md.first_free = bits;
	rmm_pcpu_block_update_hint_alloc(p, c, from, bits);
}

/* pcpu_alloc_first_chunk(): serves @bytes from offset @at of area 0's units */
static struct rmm_pcpu_chunk *alloc_first_chunk(struct rmm_pcpu *p, size_t at,
						size_t bytes)
{
	size_t page = (size_t)p->page_size, start = at % page;
	size_t region = (start + bytes + page - 1) / page * page;
	struct rmm_pcpu_chunk *c =
		rmm_pcpu_alloc_chunk(p, (int)(region / page));
	int bits;

	if (!c)
		return NULL;
	c->base_addr = p->window + at - start;
	c->start_offset = (int)start;
	c->end_offset = (int)(region - start - bytes);
	c->immutable = true;
	rmm_bitmap_set(c->populated, 0, c->nr_pages);
	c->nr_populated = c->nr_empty_pop_pages = c->nr_pages;
	c->free_bytes = (int)bytes;
	if (c->start_offset)
		hide(p, c, 0, c->start_offset >> RMM_PCPU_SHIFT);
	bits = c->end_offset >> RMM_PCPU_SHIFT;
	if (bits)
		hide(p, c, rmm_pcpu_map_bits(p, c) - bits, bits);
	return c;
}

/* The copies of the first chunk can be used, on every CPU */
static int map_first_chunk(struct rmm_pcpu *p, size_t bytes)
{
	for (unsigned int cpu = 0; p->backed && cpu < p->nr_cpus; cpu++) {
		uintptr_t at = p->window +
			       (uintptr_t)p->unit_map[cpu] * p->info.unit_size;

		if (mprotect((void *)at, bytes, PROT_READ | PROT_WRITE))
			return -ENOMEM;
	}
	return 0;
}

/** rmm_pcpu_setup_first_chunk() - pcpu_setup_first_chunk(); -ENOMEM */
int rmm_pcpu_setup_first_chunk(struct rmm_pcpu *p)
{
	const struct rmm_percpu_info *i = &p->info;
	size_t page = (size_t)p->page_size;
	size_t fixed = (i->static_size + RMM_PCPU_MIN_ALLOC - 1) &
		       ~(size_t)(RMM_PCPU_MIN_ALLOC - 1);
	size_t dyn = i->dyn_size - (fixed - i->static_size);
	size_t sum = i->static_size + i->reserved_size + i->dyn_size;

	if (i->reserved_size) {
		p->reserved_chunk =
			alloc_first_chunk(p, fixed, i->reserved_size);
		if (!p->reserved_chunk)
			return -ENOMEM;
	}
	/* Not by name yet: the empty pages are added up once, here. */
	p->first_chunk = alloc_first_chunk(p, fixed + i->reserved_size, dyn);
	if (!p->first_chunk)
		return -ENOMEM;
	p->nr_empty_pop_pages = p->first_chunk->nr_empty_pop_pages;
	p->areas[0] = p->first_chunk;
	rmm_pcpu_chunk_relocate(p, p->first_chunk, -1);
	p->nr_populated = sum / page;
	p->stat.nr_chunks = p->stat.nr_max_chunks = 1;
	p->stat.min_alloc_size = i->unit_size;
	return map_first_chunk(p, (sum + page - 1) / page * page);
}

/** rmm_define_per_cpu() - see refmm_percpu.h */
rmm_percpu rmm_define_per_cpu(struct rmm *rmm, size_t size, size_t align,
			      const void *init)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	rmm_percpu ptr;
	size_t at;

	if (!p || !size || !align || (align & (align - 1)) ||
	    align > (size_t)p->page_size) {
		rmm_error(rmm, -EINVAL,
			  "cannot define a per-CPU variable of %zu bytes, "
			  "aligned to %zu: %s",
			  size, align,
			  p ? "no size, or no power of two up to a page"
			    : "rmm_percpu_init() was not called");
		return RMM_NO_PERCPU;
	}
	rmm_lock(rmm, &p->lock);
	at = (p->static_used + align - 1) & ~(align - 1);
	if (size > p->info.static_size || at > p->info.static_size - size) {
		rmm_unlock(rmm, &p->lock);
		rmm_error(rmm, -ENOMEM,
			  "cannot define a per-CPU variable of %zu bytes: %zu "
			  "of %zu static ones are taken",
			  size, p->static_used, p->info.static_size);
		return RMM_NO_PERCPU;
	}
	p->static_used = at + size;
	rmm_unlock(rmm, &p->lock);
	ptr = at + (size_t)p->page_size;
	for (unsigned int cpu = 0; init && p->backed && cpu < p->nr_cpus; cpu++)
		memcpy(rmm_per_cpu_ptr(rmm, ptr, cpu), init, size);
	return ptr;
}
