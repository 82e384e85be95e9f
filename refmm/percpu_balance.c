/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_balance.c - the worker that keeps the right amount populated.
 *
 * Requests that may not wait need populated pages; memory that is populated for
 * nothing is lost to everybody else. So from time to time:
 *
 *      1  free chunks but one are destroyed
 *      2  chunks to depopulate give up their empty pages, from the end on,
 *         while more than HIGH are left elsewhere; then they are sidelined, or
 *         come back into use if they are free or the pages are needed
 *      3  empty populated pages are made up to HIGH, in the fullest chunks
 *      4  again: free chunks but one, now only those without pages
 *
 *      LOW = 2 <= empty populated pages <= HIGH = 4, then more only until a
 *      chunk has a quarter of its pages empty
 *
 * The kernel queues a work item when it is wanted; here rmm_percpu_balance_
 * needed() says so, and the caller decides when it runs.
 *
 * Invariants: afterwards no chunk waits in to_depopulate, at most one free
 * chunk has no pages, and unless memory ran out empty_pop_pages >= HIGH.
 *
 * Locking: the mutex throughout; the lock, but not while pages come and go.
 *
 * Modelled: pcpu_balance_free, pcpu_balance_populated, pcpu_reclaim_populated,
 * pcpu_balance_workfn, schedule_work as a flag. (6.12, mm/percpu.c; not in
 * LKD3)
 */
#include "percpu_chunk.h"

/* As far as the chunks in @c's slot go, without the first one: all populated
 * pages away, then the chunk itself; locked, and unlocked in between */
static void destroy_free(struct rmm_pcpu *p, unsigned int cpu,
			 struct rmm_pcpu_chunk *c)
{
	int from = 0, to;

	rmm_pcpu_chunk_remove(p, c);
	rmm_unlock(p->rmm, &p->lock);
	while ((from = rmm_find_next_bit(c->populated, c->nr_pages, from)) <
	       c->nr_pages) {
		to = rmm_find_next_zero_bit(c->populated, c->nr_pages, from);
		rmm_pcpu_depopulate_chunk(p, c, cpu, from, to);
		rmm_lock(p->rmm, &p->lock);
		rmm_pcpu_chunk_depopulated(p, c, from, to);
		rmm_unlock(p->rmm, &p->lock);
		from = to;
	}
	rmm_pcpu_destroy_chunk(p, c);
	rmm_lock(p->rmm, &p->lock);
}

/* A free chunk that is one too many. The kernel takes them all off the slot
 * first: nobody may find one whose pages are going. */
static struct rmm_pcpu_chunk *surplus(const struct rmm_pcpu *p, bool empty_only)
{
	struct rmm_pcpu_chunk *c = p->slots[p->info.free_slot].first;

	for (c = c ? c->next : NULL; c; c = c->next)
		if (!empty_only || !c->nr_empty_pop_pages)
			return c;
	return NULL;
}

/* pcpu_balance_free(); locked */
static void balance_free(struct rmm_pcpu *p, unsigned int cpu, bool empty_only)
{
	struct rmm_pcpu_chunk *c;

	while ((c = surplus(p, empty_only)) != NULL)
		destroy_free(p, cpu, c);
}

static bool is_idle(const struct rmm_pcpu *p, const struct rmm_pcpu_chunk *c,
		    int page)
{
	return c->md_blocks[page].contig_hint == p->block_bits &&
	       rmm_test_bit(c->populated, page);
}

static void depopulate(struct rmm_pcpu *p, unsigned int cpu,
		       struct rmm_pcpu_chunk *c, int from, int to)
{
	rmm_unlock(p->rmm, &p->lock);
	rmm_pcpu_depopulate_chunk(p, c, cpu, from, to);
	rmm_lock(p->rmm, &p->lock);
	rmm_pcpu_chunk_depopulated(p, c, from, to);
}

/* The last run of idle pages below @end: it begins at the return value and ends
 * at *@end; -1: there is none */
static int last_idle_run(const struct rmm_pcpu *p,
			 const struct rmm_pcpu_chunk *c, int *end)
{
	int i = *end - 1;

	while (i >= 0 && !is_idle(p, c, i))
		i--;
	*end = i + 1;
	while (i > 0 && is_idle(p, c, i - 1))
		i--;
	return i;
}

/* Give up idle pages from the end on, so that those that stay are at the
 * beginning; true if the others have too few, and @c shall be used again */
static bool reclaim_chunk(struct rmm_pcpu *p, unsigned int cpu,
			  struct rmm_pcpu_chunk *c)
{
	int end = c->nr_pages;

	while (end > 0 && c->nr_empty_pop_pages) {
		int from;

		if (p->nr_empty_pop_pages < RMM_PCPU_EMPTY_HIGH)
			return true;
		from = last_idle_run(p, c, &end);
		if (from < 0)
			break;
		depopulate(p, cpu, c, from, end);
		end = from;
	}
	return false;
}

/* pcpu_reclaim_populated(); locked */
static void reclaim_populated(struct rmm_pcpu *p, unsigned int cpu)
{
	struct rmm_pcpu_chunk *c;

	while ((c = p->slots[p->info.to_depopulate_slot].first) != NULL) {
		bool needed = reclaim_chunk(p, cpu, c);

		if (needed || (size_t)c->free_bytes == p->info.unit_size)
			rmm_pcpu_reintegrate_chunk(p, c);
		else
			rmm_pcpu_chunk_move(p, c, p->info.sidelined_slot,
					    false);
	}
}

/* The first chunk of a slot that has pages to populate */
static struct rmm_pcpu_chunk *unpopulated(const struct rmm_pcpu *p, int slot)
{
	struct rmm_pcpu_chunk *c = p->slots[slot].first;

	while (c && c->nr_populated == c->nr_pages)
		c = c->next;
	return c;
}

/* Up to @nr pages of a chunk; how many are still to do: 0 too when memory ran
 * out, for this is no time to insist */
static int populate_some(struct rmm_pcpu *p, unsigned int cpu,
			 struct rmm_pcpu_chunk *c, int nr)
{
	/* memalloc_noio: waiters on the mutex may be in no-I/O context. */
	const unsigned int gfp =
		RMM_GFP_NOIO | RMM_GFP_NORETRY | RMM_GFP_NOWARN;
	int from = 0;

	while (nr && (from = rmm_find_next_zero_bit(c->populated, c->nr_pages,
						    from)) < c->nr_pages) {
		int to = rmm_find_next_bit(c->populated, c->nr_pages, from);
		int err;

		if (to > from + nr)
			to = from + nr;
		rmm_unlock(p->rmm, &p->lock);
		err = rmm_pcpu_populate_chunk(p, c, cpu, from, to, gfp);
		rmm_lock(p->rmm, &p->lock);
		if (err)
			return 0;
		rmm_pcpu_chunk_populated(p, c, from, to);
		nr -= to - from;
		from = to;
	}
	return nr;
}

/* How many pages are missing; all of HIGH after an atomic request failed, as
 * those that are there may have been too small for it */
static int pages_missing(struct rmm_pcpu *p)
{
	int nr = RMM_PCPU_EMPTY_HIGH - p->nr_empty_pop_pages;

	if (RMM_READ(p->atomic_alloc_failed)) {
		RMM_WRITE(p->atomic_alloc_failed, false);
		return RMM_PCPU_EMPTY_HIGH;
	}
	if (nr < 0)
		return 0;
	return nr < RMM_PCPU_EMPTY_HIGH ? nr : RMM_PCPU_EMPTY_HIGH;
}

/* pcpu_balance_populated(); locked */
static void balance_populated(struct rmm_pcpu *p, unsigned int cpu)
{
	int nr = pages_missing(p);

	for (;;) {
		struct rmm_pcpu_chunk *c;

		for (int s = rmm_pcpu_size_to_slot(p, p->page_size);
		     nr && s <= p->info.free_slot; s++) {
			c = unpopulated(p, s);
			if (c)
				nr = populate_some(p, cpu, c, nr);
		}
		if (!nr)
			return;
		rmm_unlock(p->rmm, &p->lock);
		c = rmm_pcpu_create_chunk(p);
		rmm_lock(p->rmm, &p->lock);
		if (!c)
			return;
		rmm_pcpu_chunk_relocate(p, c, -1);
		nr = pages_missing(p);
	}
}

/** rmm_percpu_balance_needed() - see refmm_percpu.h */
bool rmm_percpu_balance_needed(const struct rmm *rmm)
{
	const struct rmm_pcpu *p = rmm_pcpu_of(rmm);

	return p && RMM_READ(p->balance_needed);
}

/** rmm_percpu_balance() - pcpu_balance_workfn(); see refmm_percpu.h */
void rmm_percpu_balance(struct rmm *rmm, unsigned int cpu)
{
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);

	if (!p)
		return;
	rmm_lock(rmm, &p->mutex);
	RMM_WRITE(p->balance_needed, false);
	rmm_lock(rmm, &p->lock);
	p->stat.balanced++;
	balance_free(p, cpu, false);
	reclaim_populated(p, cpu);
	balance_populated(p, cpu);
	balance_free(p, cpu, true);
	rmm_unlock(rmm, &p->lock);
	rmm_unlock(rmm, &p->mutex);
}
