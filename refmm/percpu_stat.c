/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_stat.c - what debugfs percpu_stats prints.
 *
 * Fragments count up to the last allocation; what is free behind it is not
 * fragmented but simply there:
 *
 *      | start_offset |##..####...##|.............| end_offset |
 *                       sum_frag = 2 + 3
 *
 *      free_bytes = sum_frag + what is free behind the last allocation
 *      contig_bytes <= max(max_frag, that)
 *
 * Locking: the lock.
 *
 * Modelled: percpu_stats_show, chunk_map_stats with the last bit of a map that
 * it does not look at, pcpu_nr_pages. (6.12, mm/percpu-stats.c; not in LKD3)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "percpu_chunk.h"

/** rmm_percpu_info() - -ENOENT: not set up */
int rmm_percpu_info(const struct rmm *rmm, struct rmm_percpu_info *out)
{
	const struct rmm_pcpu *p = rmm_pcpu_of(rmm);

	if (!p)
		return -ENOENT;
	*out = p->info;
	return 0;
}

/** rmm_percpu_stat() - all zero if not set up */
void rmm_percpu_stat(const struct rmm *rmm, struct rmm_percpu_stat *out)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);

	*out = (struct rmm_percpu_stat){0};
	if (!p)
		return;
	rmm_lock(rmm, &p->lock);
	*out = p->stat;
	out->empty_pop_pages = p->nr_empty_pop_pages;
	out->nr_populated = p->nr_populated;
	/* Units that are nobody's count as well (pcpu_nr_pages). */
	out->nr_pages = p->nr_populated * p->info.nr_units;
	rmm_unlock(rmm, &p->lock);
}

/* The @n-th chunk: the reserved one, then slot by slot */
static struct rmm_pcpu_chunk *nth_chunk(const struct rmm_pcpu *p,
					unsigned int n)
{
	if (p->reserved_chunk && n-- == 0)
		return p->reserved_chunk;
	for (int s = 0; s < p->info.nr_slots; s++)
		for (struct rmm_pcpu_chunk *c = p->slots[s].first; c;
		     c = c->next)
			if (n-- == 0)
				return c;
	return NULL;
}

/* One past the last allocated bit */
static int last_alloc(const struct rmm_pcpu *p, const struct rmm_pcpu_chunk *c)
{
	int end =
		rmm_pcpu_map_bits(p, c) - (c->end_offset >> RMM_PCPU_SHIFT) - 1;
	int last = rmm_find_last_bit(c->alloc_map, 0, end);

	if (last < 0) /* the kernel's search returns its end then */
		last = end;
	return rmm_test_bit(c->alloc_map, last) ? last + 1 : 0;
}

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Sizes of allocations, and those of holes between them as negative numbers */
static int list_sizes(const struct rmm_pcpu *p, const struct rmm_pcpu_chunk *c,
		      int *sizes)
{
	int start = c->start_offset >> RMM_PCPU_SHIFT, end = last_alloc(p, c);
	int n = 0;

	while (start < end) {
		bool used = rmm_test_bit(c->alloc_map, start);
		int stop = rmm_find_next_bit(used ? c->bound_map : c->alloc_map,
					     end, start + 1);

		sizes[n++] = (used ? stop - start : start - stop) *
			     RMM_PCPU_MIN_ALLOC;
		start = stop;
	}
	qsort(sizes, (size_t)n, sizeof(*sizes), compare);
	return n;
}

static void summarize(const int *sizes, int n,
		      struct rmm_percpu_chunk_stat *out)
{
	int holes = 0;

	for (; holes < n && sizes[holes] < 0; holes++) {
		out->sum_frag -= sizes[holes];
		if (-sizes[holes] > out->max_frag)
			out->max_frag = -sizes[holes];
	}
	if (holes == n)
		return;
	out->cur_min_alloc = sizes[holes];
	out->cur_med_alloc = sizes[(holes + n - 1) / 2];
	out->cur_max_alloc = sizes[n - 1];
}

static void fill(const struct rmm_pcpu *p, const struct rmm_pcpu_chunk *c,
		 struct rmm_percpu_chunk_stat *out)
{
	*out = (struct rmm_percpu_chunk_stat){
		.first = c == p->first_chunk,
		.reserved = c == p->reserved_chunk,
		.sidelined = c->slot == p->info.sidelined_slot,
		.to_depopulate = c->slot == p->info.to_depopulate_slot,
		.slot = c->slot,
		.nr_alloc = c->nr_alloc,
		.max_alloc_size = c->max_alloc_size,
		.empty_pop_pages = c->nr_empty_pop_pages,
		.first_bit = c->chunk_md.first_free,
		.free_bytes = c->free_bytes,
		.contig_bytes = c->chunk_md.contig_hint << RMM_PCPU_SHIFT,
		.nr_pages = c->nr_pages,
		.nr_populated = c->nr_populated,
	};
}

/** rmm_percpu_chunk_stat() - see refmm_percpu.h; -ENOMEM: no room to sort */
int rmm_percpu_chunk_stat(const struct rmm *rmm, unsigned int n,
			  struct rmm_percpu_chunk_stat *out)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	struct rmm_pcpu_chunk *c;
	int *sizes, err = 0;

	if (!p)
		return -ENOENT;
	rmm_lock(rmm, &p->lock);
	c = nth_chunk(p, n);
	if (!c) {
		err = -ENOENT;
		goto unlock;
	}
	/* Each allocation, and a hole beside each */
	sizes = calloc((size_t)c->nr_alloc * 2 + 2, sizeof(*sizes));
	if (!sizes) {
		err = -ENOMEM;
		goto unlock;
	}
	fill(p, c, out);
	summarize(sizes, list_sizes(p, c, sizes), out);
	free(sizes);
unlock:
	rmm_unlock(rmm, &p->lock);
	return err;
}

/** rmm_percpu_where() - see refmm_percpu.h */
int rmm_percpu_where(const struct rmm *rmm, rmm_percpu ptr, unsigned int *chunk)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	const struct rmm_pcpu_chunk *c;
	uintptr_t addr;
	int off = -ENOENT;

	if (!p || !ptr)
		return -ENOENT;
	addr = ptr - (uintptr_t)p->page_size + p->window;
	rmm_lock(rmm, &p->lock);
	c = rmm_pcpu_addr_to_chunk(p, addr);
	if (c) {
		*chunk = c->area;
		off = (int)(addr - c->base_addr);
	}
	rmm_unlock(rmm, &p->lock);
	return off;
}

/** rmm_percpu_size_to_slot() - see refmm_percpu.h */
int rmm_percpu_size_to_slot(const struct rmm *rmm, int size)
{
	return rmm_pcpu_size_to_slot(rmm_pcpu_of(rmm), size);
}
