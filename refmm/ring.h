/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ring.h - a per-CPU list: frame numbers in an array.
 *
 *      slot   | 9 | 7 |   |   | 8 | 2 | 5 |     head: the next to be taken
 *                   ^           ^
 *                 head        tail              here 7 9 5 2 8
 *
 * A list through the frames themselves, as the free lists have it, would make
 * each step wait for a frame to arrive from memory before the next one is even
 * known: 80 ns instead of 2 when pages come back in any order. With their
 * numbers side by side, frames can be asked for ahead (pcp.c), and a page is
 * taken or given back without a look at its neighbours.
 *
 * Invariants: count = head - tail <= room, which is 0 or a power of two; the
 * members are slot[(head - 1 - i) mod room], i = 0 .. count - 1, i = 0 the
 * head.
 *
 * Locking: pcp->lock.
 *
 * Modelled: per_cpu_pages.lists. Simplified: an array instead of links; it
 * takes 4 bytes a page while pages are on it, and when libc has none to grow
 * it, pages go to the buddy lists. (6.12, include/linux/mmzone.h)
 */
#ifndef REFMM_RING_H
#define REFMM_RING_H

#include "page.h"

struct rmm_ring {
	rmm_pfn *slot;
	uint32_t room; /* slots, a power of two; or 0 */
	uint32_t head; /* slot behind the head, modulo room */
	uint32_t tail; /* slot of the tail, modulo room */
};

/* ring.c */
bool rmm_ring_grow(struct rmm *rmm, struct rmm_ring *r, uint32_t room);

/** rmm_ring_count() - members */
static inline uint32_t rmm_ring_count(const struct rmm_ring *r)
{
	return r->head - r->tail;
}

/** rmm_ring_at() - the @i-th member; 0: the head */
static inline rmm_pfn rmm_ring_at(const struct rmm_ring *r, uint32_t i)
{
	return r->slot[(r->head - 1 - i) & (r->room - 1)];
}

/** rmm_ring_has_room() - for @nr more? If not, it grows. */
static inline bool rmm_ring_has_room(struct rmm *rmm, struct rmm_ring *r,
				     uint32_t nr)
{
	uint32_t room = rmm_ring_count(r) + nr;

	return room <= r->room || rmm_ring_grow(rmm, r, room);
}

/** rmm_ring_add() - at the head, the next to be taken; there is room */
static inline void rmm_ring_add(struct rmm_ring *r, rmm_pfn pfn)
{
	r->slot[r->head++ & (r->room - 1)] = pfn;
}

/** rmm_ring_add_tail() - there is room */
static inline void rmm_ring_add_tail(struct rmm_ring *r, rmm_pfn pfn)
{
	r->slot[--r->tail & (r->room - 1)] = pfn;
}

/** rmm_ring_del_first() - the head leaves; there is one */
static inline rmm_pfn rmm_ring_del_first(struct rmm_ring *r)
{
	return r->slot[--r->head & (r->room - 1)];
}

/** rmm_ring_from_tail() - the @i-th member from behind; 0: the tail */
static inline rmm_pfn rmm_ring_from_tail(const struct rmm_ring *r, uint32_t i)
{
	return r->slot[(r->tail + i) & (r->room - 1)];
}

/** rmm_ring_del_last() - the tail leaves; there is one */
static inline rmm_pfn rmm_ring_del_last(struct rmm_ring *r)
{
	return r->slot[r->tail++ & (r->room - 1)];
}

#endif
