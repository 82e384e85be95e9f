/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_validate.c - every invariant of per-CPU memory, counted afresh.
 *
 *      maps      free_bytes, nr_alloc, bounds around every allocation
 *      pages     populated, counted, held by this chunk and no other
 *      hints     true where they are promises, on the safe side elsewhere
 *      slots     each chunk in one, the one it belongs to
 *      totals    sums over chunks
 *
 * Hints are checked as percpu_hints.c states them: a hinted area is really
 * free, none is larger than there is, nothing is free before first_free.
 *
 * Locking: none; nobody may be at work.
 *
 * Modelled: nothing; the kernel has no such check. (LKD3 ch. 12)
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "percpu_chunk.h"

struct check {
	const struct rmm_pcpu *p;
	const struct rmm_pcpu_chunk *c;
	char *msg;
	size_t size;
	int empty; /* pages, over all chunks that count */
	uint64_t populated, allocs, chunks;
};

__attribute__((format(printf, 2, 3))) static int broken(const struct check *k,
							const char *fmt, ...)
{
	int at = 0;
	va_list ap;

	if (!k->msg || !k->size)
		return -EUCLEAN;
	if (k->c)
		at = snprintf(k->msg, k->size, "per-CPU chunk %s%u: ",
			      k->c == k->p->reserved_chunk ? "reserved " : "",
			      k->c->area);
	va_start(ap, fmt);
	if (at >= 0 && (size_t)at < k->size)
		vsnprintf(k->msg + at, k->size - (size_t)at, fmt, ap);
	va_end(ap);
	return -EUCLEAN;
}

/* Bits of the map that are the chunk's own */
static void own_bits(const struct check *k, int *from, int *end)
{
	*from = k->c->start_offset >> RMM_PCPU_SHIFT;
	*end = rmm_pcpu_map_bits(k->p, k->c) -
	       (k->c->end_offset >> RMM_PCPU_SHIFT);
}

/* Each run of allocated bits begins and ends at a bound; bounds in between
 * separate allocations. */
static int check_maps(const struct check *k)
{
	const struct rmm_pcpu_chunk *c = k->c;
	int from, end, nr = 0, used;

	own_bits(k, &from, &end);
	used = rmm_bitmap_weight(c->alloc_map, from, end);
	if (c->free_bytes != (end - from - used) << RMM_PCPU_SHIFT)
		return broken(k, "%d bytes are free, free_bytes says %d",
			      (end - from - used) << RMM_PCPU_SHIFT,
			      c->free_bytes);
	while ((from = rmm_find_next_bit(c->alloc_map, end, from)) < end) {
		int stop = rmm_find_next_zero_bit(c->alloc_map, end, from);

		if (!rmm_test_bit(c->bound_map, from) ||
		    !rmm_test_bit(c->bound_map, stop))
			return broken(k, "no bound around bits %d to %d", from,
				      stop);
		nr += rmm_bitmap_weight(c->bound_map, from, stop);
		from = stop;
	}
	if (nr != c->nr_alloc)
		return broken(k, "%d allocations, nr_alloc says %d", nr,
			      c->nr_alloc);
	return 0;
}

/* Populated page @i: the chunk's own, on every CPU */
static int check_page(const struct check *k, int i)
{
	const struct rmm_pcpu_chunk *c = k->c;

	for (unsigned int cpu = 0; c->pages && cpu < k->p->nr_cpus; cpu++) {
		size_t n = (size_t)cpu * (size_t)c->nr_pages + (size_t)i;
		const struct rmm_page *page = &k->p->rmm->memmap[c->pages[n]];

		if (page->state != RMM_PG_ALLOCATED ||
		    page->private != rmm_pcpu_page_mark(c, n))
			return broken(k,
				      "page %d of CPU %u is pfn %u, which is "
				      "free or somebody else's",
				      i, cpu, c->pages[n]);
	}
	return 0;
}

static int check_pages(const struct check *k)
{
	const struct rmm_pcpu_chunk *c = k->c;
	int empty = 0, err = 0;

	for (int i = 0; !err && i < c->nr_pages; i++) {
		int used = rmm_bitmap_weight(c->alloc_map, i * k->p->block_bits,
					     (i + 1) * k->p->block_bits);
		bool there = rmm_test_bit(c->populated, i);

		if (used && !there)
			return broken(k, "page %d is in use, not populated", i);
		empty += there && !used;
		err = there ? check_page(k, i) : 0;
	}
	if (err)
		return err;
	if (empty != c->nr_empty_pop_pages)
		return broken(k, "%d empty populated pages, counter says %d",
			      empty, c->nr_empty_pop_pages);
	if (rmm_bitmap_weight(c->populated, 0, c->nr_pages) != c->nr_populated)
		return broken(k, "nr_populated is not %d", c->nr_populated);
	return 0;
}

/* Is [@from, @from + @bits) of @map, from @base on, free? */
static bool is_free(const struct check *k, int base, int from, int bits)
{
	return from >= 0 && bits >= 0 &&
	       rmm_find_next_bit(k->c->alloc_map, base + from + bits,
				 base + from) == base + from + bits;
}

/* What @md says of the bits from @base on */
static int check_md(const struct check *k, const struct rmm_pcpu_md *md,
		    int base, const char *what)
{
	int first = rmm_find_next_zero_bit(k->c->alloc_map, base + md->nr_bits,
					   base) -
		    base;

	if (!is_free(k, base, md->contig_hint_start, md->contig_hint))
		return broken(k, "contig_hint of %s is in use", what);
	if (md->scan_hint &&
	    !is_free(k, base, md->scan_hint_start, md->scan_hint))
		return broken(k, "scan_hint of %s is in use", what);
	if (md->scan_hint > md->contig_hint)
		return broken(k, "scan_hint of %s is over contig_hint", what);
	if (md->scan_hint && md->scan_hint_start > md->contig_hint_start &&
	    md->scan_hint != md->contig_hint)
		return broken(k, "scan_hint of %s lies behind a larger area",
			      what);
	if (md->contig_hint && md->first_free > first)
		return broken(k, "first_free of %s is %d, not %d", what,
			      md->first_free, first);
	return 0;
}

static int check_hints(const struct check *k)
{
	const struct rmm_pcpu_chunk *c = k->c;
	int bits = k->p->block_bits, err = 0;
	int first = rmm_find_next_zero_bit(c->alloc_map,
					   rmm_pcpu_map_bits(k->p, c), 0);

	err = check_md(k, &c->chunk_md, 0, "the chunk");
	if (!err && c->chunk_md.first_free != first)
		return broken(k, "first_free is %d, not %d",
			      c->chunk_md.first_free, first);
	for (int i = 0; !err && i < c->nr_pages; i++) {
		const struct rmm_pcpu_md *md = &c->md_blocks[i];
		char what[32];

		snprintf(what, sizeof(what), "block %d", i);
		err = check_md(k, md, i * bits, what);
		if (!err && !is_free(k, (i + 1) * bits - md->right_free, 0,
				     md->right_free))
			err = broken(k, "right_free of block %d is in use", i);
		if (!err &&
		    (md->contig_hint == bits) != is_free(k, i * bits, 0, bits))
			err = broken(k, "block %d is empty, or not", i);
	}
	return err;
}

static int check_chunk(struct check *k, const struct rmm_pcpu_chunk *c)
{
	int err;

	k->c = c;
	err = check_maps(k);
	if (!err)
		err = check_pages(k);
	if (!err)
		err = check_hints(k);
	k->allocs += (uint64_t)c->nr_alloc;
	if (c != k->p->reserved_chunk && !c->isolated)
		k->empty += c->nr_empty_pop_pages;
	if (!c->immutable)
		k->populated += (uint64_t)c->nr_populated;
	k->chunks++;
	return err;
}

/* @c, in slot @slot behind @prev */
static int check_place(const struct check *k, const struct rmm_pcpu_chunk *c,
		       int slot, const struct rmm_pcpu_chunk *prev)
{
	const struct rmm_percpu_info *i = &k->p->info;
	bool isolated =
		slot == i->sidelined_slot || slot == i->to_depopulate_slot;

	if (c->slot != slot || c->prev != prev || k->p->areas[c->area] != c)
		return broken(k,
			      "it is in slot %d and thinks %d, or its links "
			      "or its area are wrong",
			      slot, c->slot);
	if (c->isolated != isolated)
		return broken(k, "slot %d, and %s", slot,
			      c->isolated ? "isolated" : "not isolated");
	if (!isolated && slot != 0 && slot != rmm_pcpu_chunk_slot(k->p, c))
		return broken(k, "it is in slot %d, not %d", slot,
			      rmm_pcpu_chunk_slot(k->p, c));
	return 0;
}

static int check_totals(struct check *k)
{
	const struct rmm_pcpu *p = k->p;
	const struct rmm_percpu_info *i = &p->info;
	size_t boot = i->static_size + i->reserved_size + i->dyn_size;

	k->c = NULL;
	if (k->empty != p->nr_empty_pop_pages)
		return broken(k,
			      "per-CPU: %d empty populated pages, counter "
			      "says %d",
			      k->empty, p->nr_empty_pop_pages);
	k->populated += boot / (size_t)p->page_size;
	if (k->populated != p->nr_populated)
		return broken(k,
			      "per-CPU: %llu pages populated, counter says "
			      "%llu",
			      (unsigned long long)k->populated,
			      (unsigned long long)p->nr_populated);
	if (k->allocs != p->stat.nr_cur_alloc || k->chunks != p->stat.nr_chunks)
		return broken(k,
			      "per-CPU: %llu allocations in %llu chunks, "
			      "counters say %llu and %llu",
			      (unsigned long long)k->allocs,
			      (unsigned long long)k->chunks,
			      (unsigned long long)p->stat.nr_cur_alloc,
			      (unsigned long long)p->stat.nr_chunks);
	return 0;
}

/** rmm_pcpu_validate() - of the layer; see rmm_validate() */
int rmm_pcpu_validate(const struct rmm *rmm, const void *state, char *msg,
		      size_t size)
{
	const struct rmm_pcpu *p = state;
	struct check k = {.p = p, .msg = msg, .size = size};
	int err = 0;

	(void)rmm;
	if (p->reserved_chunk) {
		err = check_chunk(&k, p->reserved_chunk);
		k.chunks = 0; /* it is part of the first one */
	}
	for (int s = 0; s < p->info.nr_slots; s++) {
		const struct rmm_pcpu_chunk *prev = NULL;

		for (const struct rmm_pcpu_chunk *c = p->slots[s].first;
		     !err && c; c = c->next) {
			k.c = c;
			err = check_place(&k, c, s, prev);
			if (!err)
				err = check_chunk(&k, c);
			prev = c;
		}
	}
	return err ? err : check_totals(&k);
}
