/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_load.c - begin with the chunks of per-CPU memory that another machine
 * has.
 *
 *   new       |..................|    address space and no page
 *   populated |ppp..p............|    those that were there, and areas' pages
 *   areas     |#.####.#..........|    each at its offset, by what an allocation
 *                                     does that finds its place
 *
 * So hints, counts of empty pages and slots are those of a chunk to which
 * nothing but this has happened; where the other machine knows less of a free
 * area than there is, this one may know it.
 *
 * Invariants: a chunk is loaded as a whole or not at all.
 *
 * Locking: before threads start; mutex and lock as those functions want them.
 *
 * Modelled: nothing that the kernel has; the state afterwards is one that its
 * functions can bring about. Simplified: pages are this machine's next ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm_percpu_load.h>

#include "percpu_chunk.h"

static int refuse(struct rmm *rmm, int err, const char *why)
{
	return rmm_error(rmm, err, "cannot load a chunk of per-CPU memory: %s",
			 why);
}

/* Bytes of a chunk that areas may have: [*@from, *@to) */
static void own_bytes(const struct rmm_pcpu *p, const struct rmm_percpu_load *l,
		      size_t *from, size_t *to)
{
	const struct rmm_pcpu_chunk *c = p->first_chunk;

	*from = l->first ? (size_t)c->start_offset : 0;
	*to = l->first ? (size_t)c->nr_pages * (size_t)p->page_size -
				 (size_t)c->end_offset
		       : p->info.unit_size;
}

static const char *flaw(const struct rmm_pcpu *p,
			const struct rmm_percpu_load *l)
{
	size_t from, to;

	if (l->first && p->first_chunk->nr_alloc)
		return "something was allocated in the first one";
	own_bytes(p, l, &from, &to);
	for (size_t i = 0; i < l->n; i++) {
		const struct rmm_percpu_load_area *a = &l->area[i];

		if (!a->bytes ||
		    (a->offset | a->bytes) & (RMM_PCPU_MIN_ALLOC - 1))
			return "an area is empty, or no multiple of 4 bytes";
		if (a->offset < from || a->offset > to ||
		    a->bytes > to - a->offset)
			return "an area lies outside it, or over another";
		from = a->offset + a->bytes;
	}
	return NULL;
}

/* Pages that must be there; the caller's to free, NULL: no memory */
static uint64_t *wanted_pages(const struct rmm_pcpu *p,
			      const struct rmm_percpu_load *l)
{
	size_t words = rmm_bits_to_words(p->unit_pages);
	uint64_t *map = calloc(words, sizeof(*map));

	if (!map)
		return NULL;
	memcpy(map, l->populated, words * sizeof(*map));
	for (size_t i = 0; i < l->n; i++) {
		int first = (int)l->area[i].offset / p->page_size;
		int last = (int)(l->area[i].offset + l->area[i].bytes - 1) /
			   p->page_size;

		rmm_bitmap_set(map, first, last - first + 1);
	}
	return map;
}

static void unpopulate(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c)
{
	for (int i = 0; i < c->nr_pages; i++) {
		if (!rmm_test_bit(c->populated, i))
			continue;
		rmm_pcpu_depopulate_chunk(p, c, 0, i, i + 1);
		rmm_lock(p->rmm, &p->lock);
		rmm_pcpu_chunk_depopulated(p, c, i, i + 1);
		rmm_unlock(p->rmm, &p->lock);
	}
}

static int populate(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
		    const uint64_t *map)
{
	int end = c->nr_pages, from = rmm_find_next_bit(map, end, 0);

	while (from < end) {
		int to = rmm_find_next_zero_bit(map, end, from);

		if (rmm_pcpu_populate_chunk(p, c, 0, from, to, RMM_GFP_KERNEL))
			return -ENOMEM;
		rmm_lock(p->rmm, &p->lock);
		rmm_pcpu_chunk_populated(p, c, from, to);
		rmm_unlock(p->rmm, &p->lock);
		from = rmm_find_next_bit(map, end, to);
	}
	return 0;
}

/* One with its pages, in its slot; NULL: no memory */
static struct rmm_pcpu_chunk *new_chunk(struct rmm_pcpu *p,
					const struct rmm_percpu_load *l)
{
	uint64_t *map = wanted_pages(p, l);
	struct rmm_pcpu_chunk *c = map ? rmm_pcpu_create_chunk(p) : NULL;

	if (c && populate(p, c, map)) {
		unpopulate(p, c);
		rmm_pcpu_destroy_chunk(p, c);
		c = NULL;
	}
	free(map);
	if (!c)
		return NULL;
	rmm_lock(p->rmm, &p->lock);
	rmm_pcpu_chunk_relocate(p, c, -1);
	rmm_unlock(p->rmm, &p->lock);
	return c;
}

/* Behind the others of the slot that it was in */
static void stand(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
		  const struct rmm_percpu_load *l)
{
	int slot = rmm_pcpu_chunk_slot(p, c);

	if (l->isolated) {
		rmm_pcpu_isolate_chunk(p, c);
		slot = l->slot == p->info.sidelined_slot
			       ? l->slot
			       : p->info.to_depopulate_slot;
	} else if (l->slot == 0 && slot < RMM_PCPU_SLOT_FAIL) {
		slot = 0;
	}
	rmm_pcpu_chunk_move(p, c, slot, false);
}

static void take_areas(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
		       const struct rmm_percpu_load *l, rmm_percpu *name)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct rmm_percpu_load_area *a = &l->area[i];
		int bits = (int)(a->bytes >> RMM_PCPU_SHIFT);

		rmm_pcpu_alloc_area(p, c, bits, 1,
				    (int)(a->offset >> RMM_PCPU_SHIFT));
		rmm_pcpu_count_alloc(p, c, a->bytes);
		name[i] = rmm_pcpu_name(p, c, (int)a->offset);
	}
}

/** rmm_percpu_load() - see refmm_percpu_load.h */
int rmm_percpu_load(struct rmm *rmm, const struct rmm_percpu_load *l,
		    rmm_percpu *name)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	struct rmm_pcpu_chunk *c;
	const char *why;

	if (!p)
		return refuse(rmm, -EINVAL, "rmm_percpu_init() was not called");
	why = flaw(p, l);
	if (why)
		return refuse(rmm, -EINVAL, why);
	rmm_lock(rmm, &p->mutex);
	c = l->first ? p->first_chunk : new_chunk(p, l);
	if (c) {
		rmm_lock(rmm, &p->lock);
		take_areas(p, c, l, name);
		stand(p, c, l);
		rmm_unlock(rmm, &p->lock);
	}
	rmm_unlock(rmm, &p->mutex);
	return c ? 0 : refuse(rmm, -ENOMEM, "out of memory");
}
