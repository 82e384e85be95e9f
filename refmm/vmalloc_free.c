/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_free.c - addresses that nobody has: the lowest hole that fits.
 *
 *   free      |  A  |   | B |        |         C ...
 *   request   size 3, aligned to 4:    ^ in the first hole where it fits
 *
 * A hole that is used is cut; four cases:
 *
 *   full   |#####|     left  |##   |    right |   ##|    middle |  #  |
 *          hole gone         begins later     ends earlier      one more hole
 *
 * and a range that comes back joins its neighbours, so that two holes never
 * touch.
 *
 * With an alignment the search asks for size + align - 1 in a subtree, as only
 * that is sure to fit, but takes whatever fits among the areas it passes. So
 * with an alignment it is nearly the lowest hole, not always. The first fit
 * that is missed is the kernel's too, as the trees have the same shape.
 *
 * Locking: that of the tree.
 *
 * Modelled: is_within_this_va, find_vmap_lowest_match, va_clip, va_alloc,
 * __alloc_vmap_area, merge_or_add_vmap_area. Simplified: the object for the
 * fourth case comes from libc under the lock, instead of one preloaded for each
 * CPU. (6.12, mm/vmalloc.c; LKD3 ch. 12 "vmalloc()")
 */
#include <stdlib.h>

#include "vmalloc_tree.h"

/* Where the request would begin in @va; *@fits: whether it does */
static uintptr_t place(const struct rmm_vmap_area *va,
		       const struct rmm_vmap_want *want, uintptr_t from,
		       bool *fits)
{
	uintptr_t low = va->start > from ? va->start : from;
	uintptr_t at = rmm_align_up(low, want->align);

	/* Size or alignment may lead beyond the end of all addresses. */
	*fits = at >= low && at + want->size >= at &&
		at + want->size <= va->end;
	return at;
}

static uintptr_t max_of(const struct rmm_vmap_area *va)
{
	return va ? va->max : 0;
}

/* Nothing below @va fits: up, to the next that does, or to one whose right
 * subtree may; *@from then leads past what has been seen. *@found: the search
 * is over. */
static struct rmm_vmap_area *climb(struct rmm_vmap_area *va,
				   const struct rmm_vmap_want *want,
				   uintptr_t length, uintptr_t *from,
				   bool *found)
{
	while ((va = va->parent)) {
		place(va, want, *from, found);
		if (*found)
			return va;
		if (max_of(va->child[1]) >= length && *from <= va->start) {
			*from = va->start + 1;
			return va->child[1];
		}
	}
	return NULL;
}

/** rmm_find_vmap_lowest_match() - find_vmap_lowest_match(); @adjust: look for
 *  room for the worst alignment */
struct rmm_vmap_area *
rmm_find_vmap_lowest_match(const struct rmm_vmap_tree *t,
			   const struct rmm_vmap_want *want, bool adjust)
{
	uintptr_t length = want->size + (adjust ? want->align - 1 : 0);
	uintptr_t from = want->start;
	struct rmm_vmap_area *va = t->root;
	bool found = false;

	while (va && !found) {
		if (max_of(va->child[0]) >= length && from < va->start) {
			va = va->child[0];
			continue;
		}
		place(va, want, from, &found);
		if (found)
			break;
		if (max_of(va->child[1]) >= length)
			va = va->child[1];
		else
			va = climb(va, want, length, &from, &found);
	}
	return va;
}

/* va_clip(): [@at, @at + @size) leaves the hole @va; false: no memory for the
 * hole in front */
static bool clip(struct rmm_vmap_tree *t, struct rmm_vmap_area *va,
		 uintptr_t at, uintptr_t size)
{
	struct rmm_vmap_area *front = NULL;

	if (va->start == at && va->end == at + size) {
		rmm_vmap_erase(t, va);
		free(va);
		return true;
	}
	if (va->start != at && va->end != at + size) {
		front = calloc(1, sizeof(*front));
		if (!front)
			return false;
		front->start = va->start;
		front->end = at;
	}
	if (va->start == at || front)
		va->start = at + size;
	else
		va->end = at;
	rmm_vmap_propagate(va);
	return !front || rmm_vmap_insert(t, front);
}

/** rmm___alloc_vmap_area() - __alloc_vmap_area(): the lowest address where the
 *  request fits, taken; want->end if there is none */
uintptr_t rmm___alloc_vmap_area(struct rmm_vmap_tree *t, uintptr_t page,
				const struct rmm_vmap_want *want)
{
	/* A range of just this size would never do with room to spare. */
	bool adjust =
		want->align > page && want->end - want->start != want->size;
	struct rmm_vmap_area *va = rmm_find_vmap_lowest_match(t, want, adjust);
	uintptr_t at;
	bool fits;

	if (!va)
		return want->end;
	at = place(va, want, want->start, &fits);
	if (at + want->size > want->end || !clip(t, va, at, want->size))
		return want->end;
	return at;
}

static struct rmm_vmap_area *last_of(const struct rmm_vmap_tree *t)
{
	struct rmm_vmap_area *va = t->root;

	while (va && va->child[1])
		va = va->child[1];
	return va;
}

/**
 * rmm_merge_or_add_vmap_area() - merge_or_add_vmap_area(): @va is joined with
 * what it touches, or added
 *
 * Return: the area that holds it now, or NULL if it overlaps another, which
 * only a bug can bring about; then nothing changes. @va may be freed.
 */
struct rmm_vmap_area *rmm_merge_or_add_vmap_area(struct rmm_vmap_tree *t,
						 struct rmm_vmap_area *va)
{
	struct rmm_vmap_area *next = rmm_vmap_find_exceed(t, va->start);
	struct rmm_vmap_area *prev = next ? next->prev : last_of(t);

	if (next && next->start < va->end)
		return NULL;
	if (next && next->start == va->end) {
		next->start = va->start;
		free(va);
		va = next;
	}
	if (prev && prev->end == va->start) {
		if (va == next)
			rmm_vmap_erase(t, va);
		prev->end = va->end;
		free(va);
		va = prev;
	}
	if (va == next || va == prev)
		rmm_vmap_propagate(va);
	else
		rmm_vmap_insert(t, va);
	return va;
}
