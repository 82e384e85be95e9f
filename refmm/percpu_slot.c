/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_slot.c - chunks in the order in which they are tried.
 *
 * A chunk stands in the slot of its largest free area, as far as is known. A
 * request begins at the slot of its own size and goes up, so the fullest chunk
 * that may serve it comes first, and emptier ones drain and can be given back:
 *
 *      slot(size) = max(fls(size) - 3, 1)
 *
 *      0 | 1: 4..31 | 2: 32..63 | ... | sidelined | free | to_depopulate
 *                                       n + 1       n + 2  n + 3
 *      with n = slot(unit_size)
 *
 * A chunk that gets fuller goes to the tail of its new slot, one that gets
 * emptier to the head. Isolated ones stay where reclaim has put them.
 *
 * Invariants: a chunk but the reserved one is in one slot; not isolated, it is
 * in the slot of its contig_hint, or in slot 0 after a failure in slots 1, 2.
 *
 * Locking: state->lock.
 *
 * Modelled: __pcpu_size_to_slot, pcpu_size_to_slot, pcpu_chunk_slot,
 * pcpu_chunk_move, pcpu_chunk_relocate, pcpu_isolate_chunk,
 * pcpu_reintegrate_chunk, pcpu_should_reclaim_chunk. (6.12, mm/percpu.c,
 * mm/percpu-vm.c; not in LKD3)
 */
#include "percpu_chunk.h"

/* fls() */
static int highest_bit(int size)
{
	return size > 0 ? 32 - __builtin_clz((unsigned int)size) : 0;
}

/* __pcpu_size_to_slot() */
static int size_to_slot(int size)
{
	int slot = highest_bit(size) - RMM_PCPU_SLOT_BASE_SHIFT + 2;

	return slot > 1 ? slot : 1;
}

/** rmm_pcpu_size_to_slot() - pcpu_size_to_slot() */
int rmm_pcpu_size_to_slot(const struct rmm_pcpu *p, int size)
{
	if ((size_t)size == p->info.unit_size)
		return p->info.free_slot;
	return size_to_slot(size);
}

/** rmm_pcpu_init_slots() - as many as the unit size needs */
void rmm_pcpu_init_slots(struct rmm_pcpu *p)
{
	struct rmm_percpu_info *i = &p->info;

	i->sidelined_slot = size_to_slot((int)i->unit_size) + 1;
	i->free_slot = i->sidelined_slot + 1;
	i->to_depopulate_slot = i->free_slot + 1;
	i->nr_slots = i->to_depopulate_slot + 1;
}

/** rmm_pcpu_chunk_slot() - pcpu_chunk_slot(): where it belongs */
int rmm_pcpu_chunk_slot(const struct rmm_pcpu *p,
			const struct rmm_pcpu_chunk *c)
{
	if (c->free_bytes < RMM_PCPU_MIN_ALLOC || !c->chunk_md.contig_hint)
		return 0;
	return rmm_pcpu_size_to_slot(p,
				     c->chunk_md.contig_hint << RMM_PCPU_SHIFT);
}

/** rmm_pcpu_chunk_remove() - out of its slot, if it is in one */
void rmm_pcpu_chunk_remove(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c)
{
	struct rmm_pcpu_slot *slot;

	if (c->slot < 0)
		return;
	slot = &p->slots[c->slot];
	if (c->prev)
		c->prev->next = c->next;
	else
		slot->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		slot->last = c->prev;
	c->prev = c->next = NULL;
	c->slot = -1;
}

/** rmm_pcpu_chunk_move() - __pcpu_chunk_move(): to the head or tail of a slot;
 *  the reserved chunk has none */
void rmm_pcpu_chunk_move(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int to,
			 bool front)
{
	struct rmm_pcpu_slot *slot = &p->slots[to];

	if (c == p->reserved_chunk)
		return;
	rmm_pcpu_chunk_remove(p, c);
	c->slot = to;
	if (front) {
		c->next = slot->first;
		if (c->next)
			c->next->prev = c;
		else
			slot->last = c;
		slot->first = c;
	} else {
		c->prev = slot->last;
		if (c->prev)
			c->prev->next = c;
		else
			slot->first = c;
		slot->last = c;
	}
}

/** rmm_pcpu_chunk_relocate() - pcpu_chunk_relocate(): it was one for @oslot
 *  before something was taken or came back; -1: it is new */
void rmm_pcpu_chunk_relocate(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			     int oslot)
{
	int slot = rmm_pcpu_chunk_slot(p, c);

	if (!c->isolated && slot != oslot)
		rmm_pcpu_chunk_move(p, c, slot, oslot < slot);
}

/** rmm_pcpu_isolate_chunk() - pcpu_isolate_chunk(): reclaim shall see to it,
 *  and its empty pages are no reserve for atomic requests any more */
void rmm_pcpu_isolate_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c)
{
	if (!c->isolated) {
		c->isolated = true;
		RMM_WRITE(p->nr_empty_pop_pages,
			  p->nr_empty_pop_pages - c->nr_empty_pop_pages);
	}
	rmm_pcpu_chunk_move(p, c, p->info.to_depopulate_slot, true);
}

/** rmm_pcpu_reintegrate_chunk() - pcpu_reintegrate_chunk(): back into use */
void rmm_pcpu_reintegrate_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c)
{
	if (!c->isolated)
		return;
	c->isolated = false;
	RMM_WRITE(p->nr_empty_pop_pages,
		  p->nr_empty_pop_pages + c->nr_empty_pop_pages);
	rmm_pcpu_chunk_relocate(p, c, -1);
	p->stat.reintegrated++;
}

/** rmm_pcpu_should_reclaim_chunk() - pcpu_should_reclaim_chunk(): a quarter of
 *  its pages is populated for nothing, and others have enough; or it has been
 *  reclaimed, and there is more now */
bool rmm_pcpu_should_reclaim_chunk(const struct rmm_pcpu *p,
				   const struct rmm_pcpu_chunk *c)
{
	if (c == p->first_chunk || c == p->reserved_chunk)
		return false;
	if (c->isolated && c->nr_empty_pop_pages)
		return true;
	return p->nr_empty_pop_pages >
		       RMM_PCPU_EMPTY_HIGH + c->nr_empty_pop_pages &&
	       c->nr_empty_pop_pages >= c->nr_pages / 4;
}
