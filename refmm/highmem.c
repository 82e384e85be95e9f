/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * highmem.c - kmap() and kunmap(): a small window on much memory.
 *
 * A page of high memory gets one of a fixed number of slots, the same for all
 * that map it. A slot counts its users, plus one once it shows a page:
 *
 *      count   0       1                          n
 *              empty   unused, but TLBs may       n - 1 users
 *                      still know it
 *
 * kunmap() only counts down to 1, and kmap() looks for a slot with 0, in turn.
 * When the turn is over, all slots with 1 are flushed at once: a TLB flush is
 * shared by a whole window. If then none is free, all are in use, and the
 * caller sleeps until somebody lets go: so kmap() cannot be used where nothing
 * may sleep, and whoever holds many mappings at a time can stop all others.
 *
 *      slot    | A:2 | B:1 | C:3 |  0  | ...
 *                ^last_nr, goes round; at 0: B is flushed
 *
 * Locking: kmap_lock over all of it; not held while waiting.
 *
 * Modelled: kmap, kmap_high, map_new_virtual, flush_all_zero_pkmaps,
 * kunmap_high, __kmap_flush_unused, __kmap_to_page. Simplified: waiting is the
 * caller's hook; no page colours; in backed mode the arena shows high memory
 * too, only nobody is told the address. (6.12, mm/highmem.c; LKD3 ch. 12 "High
 * Memory Mappings", "Permanent Mappings")
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "highmem.h"
#include "layers.h"
#include "vmalloc.h"

static uintptr_t slot_address(const struct rmm *rmm,
			      const struct rmm_highmem *h, unsigned int nr)
{
	return h->pkmap + ((uintptr_t)nr << rmm->config.page_shift);
}

/* set_page_address() */
static void set_address(struct rmm *rmm, rmm_pfn pfn, uintptr_t address)
{
	RMM_WRITE(rmm->page_virtual[pfn], address);
}

/* flush_all_zero_pkmaps(): slots that nobody uses are empty again. Locked. */
static void flush_all_zero_pkmaps(struct rmm *rmm, struct rmm_highmem *h)
{
	h->stat.flushes++;
	for (unsigned int i = 0; i < h->last_pkmap; i++) {
		if (h->count[i] != 1)
			continue;
		h->count[i] = 0;
		set_address(rmm, h->pfn[i], 0);
		h->pfn[i] = RMM_NO_PFN;
		if (rmm->arena)
			rmm_unmap_at(rmm, slot_address(rmm, h, i),
				     rmm_page_bytes(rmm));
	}
}

/* The next empty slot, after at most one turn; -1: all are in use. Locked. */
static int find_slot(struct rmm *rmm, struct rmm_highmem *h)
{
	unsigned int left = h->last_pkmap;

	for (;;) {
		h->last_nr = (h->last_nr + 1) & (h->last_pkmap - 1);
		if (!h->last_nr) {
			flush_all_zero_pkmaps(rmm, h);
			left = h->last_pkmap;
		}
		if (!h->count[h->last_nr])
			return (int)h->last_nr;
		if (!--left)
			return -1;
	}
}

/* The caller sleeps, if it can; true: it is worth looking again. Locked, but
 * not while it sleeps. */
static bool wait_for_slot(struct rmm *rmm, struct rmm_highmem *h,
			  unsigned int cpu)
{
	bool again = false;

	if (!h->config.wait)
		return false;
	h->stat.waits++;
	rmm_unlock(rmm, &h->lock);
	again = h->config.wait(h->config.ctx, cpu);
	rmm_lock(rmm, &h->lock);
	return again;
}

/* map_new_virtual(): a slot for @pfn, which has none; 0: there is none.
 * Somebody else may have mapped it while we waited. Locked. */
static uintptr_t map_new_virtual(struct rmm *rmm, struct rmm_highmem *h,
				 unsigned int cpu, rmm_pfn pfn)
{
	uintptr_t at;
	int nr;

	while ((nr = find_slot(rmm, h)) < 0) {
		if (!wait_for_slot(rmm, h, cpu))
			return 0;
		if (rmm->page_virtual[pfn])
			return rmm->page_virtual[pfn];
	}
	at = slot_address(rmm, h, (unsigned int)nr);
	if (rmm_should_fail(rmm, RMM_FAULT_VMALLOC, 0, 0) ||
	    (rmm->arena && rmm_map_pages_at(rmm, at, pfn, 1)))
		return 0;
	h->count[nr] = 1;
	h->pfn[nr] = pfn;
	set_address(rmm, pfn, at);
	return at;
}

/* kmap_high() */
static void *kmap_high(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn)
{
	struct rmm_highmem *h = rmm_highmem_of(rmm);
	uintptr_t at;

	rmm_lock(rmm, &h->lock);
	at = rmm->page_virtual[pfn];
	if (at)
		h->stat.found++;
	else
		at = map_new_virtual(rmm, h, cpu, pfn);
	if (at) {
		h->stat.kmap++;
		h->count[(at - h->pkmap) >> rmm->config.page_shift]++;
	} else {
		h->stat.failed++;
	}
	rmm_unlock(rmm, &h->lock);
	return (void *)at;
}

static int check_kmap(struct rmm *rmm, unsigned int cpu,
		      const struct rmm_page *page, const char *what)
{
	if (!rmm_is_page(rmm, page))
		return rmm_error(rmm, -EINVAL,
				 "cannot %s page %p: not of this machine", what,
				 (const void *)page);
	if (cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot %s on CPU %u: there are "
				 "%u",
				 what, cpu, rmm->config.nr_cpus);
	/* Low memory has its address without any of this. */
	if (!rmm_highmem_of(rmm) && rmm_PageHighMem(rmm, page))
		return rmm_error(rmm, -EINVAL,
				 "cannot %s: call rmm_highmem_init first",
				 what);
	return 0;
}

/** rmm_kmap() - kmap(); see refmm_highmem.h */
void *rmm_kmap(struct rmm *rmm, unsigned int cpu, struct rmm_page *page)
{
	rmm_pfn pfn = rmm_page_to_pfn(rmm, page);
	void *at;

	if (check_kmap(rmm, cpu, page, "kmap"))
		return NULL;
	if (rmm_in_atomic(rmm, cpu)) {
		rmm_error(rmm, -EINVAL,
			  "cannot kmap pfn %u on CPU %u: it may sleep, and "
			  "this CPU is in atomic context; use kmap_local_page",
			  pfn, cpu);
		return NULL;
	}
	if (!rmm_PageHighMem(rmm, page))
		return rmm_page_address(rmm, page);
	at = kmap_high(rmm, cpu, pfn);
	if (!at)
		rmm_error(rmm, -EAGAIN,
			  "cannot kmap pfn %u on CPU %u: all %u slots are in "
			  "use; unmap a page, or wait for one",
			  pfn, cpu, rmm_highmem_of(rmm)->last_pkmap);
	return at;
}

/* kunmap_high(): false if @pfn is not mapped */
static bool kunmap_high(struct rmm *rmm, rmm_pfn pfn)
{
	struct rmm_highmem *h = rmm_highmem_of(rmm);
	bool mapped = false;
	uintptr_t at, nr;

	rmm_lock(rmm, &h->lock);
	at = rmm->page_virtual[pfn];
	nr = (at - h->pkmap) >> rmm->config.page_shift;
	if (at && h->count[nr] > 1) {
		h->count[nr]--; /* never to 0, but by a flush */
		h->stat.kunmap++;
		mapped = true;
	}
	rmm_unlock(rmm, &h->lock);
	return mapped;
}

/** rmm_kunmap() - kunmap(); see refmm_highmem.h */
int rmm_kunmap(struct rmm *rmm, unsigned int cpu, struct rmm_page *page)
{
	rmm_pfn pfn = rmm_page_to_pfn(rmm, page);

	if (check_kmap(rmm, cpu, page, "kunmap"))
		return -EINVAL;
	if (rmm_in_interrupt(rmm, cpu))
		return rmm_error(rmm, -EINVAL,
				 "cannot kunmap pfn %u on CPU %u: not allowed "
				 "in an interrupt",
				 pfn, cpu);
	if (!rmm_PageHighMem(rmm, page) || kunmap_high(rmm, pfn))
		return 0;
	return rmm_error(rmm, -EINVAL,
			 "cannot kunmap pfn %u: nobody has it mapped", pfn);
}

/** rmm_kmap_flush_unused() - kmap_flush_unused() */
void rmm_kmap_flush_unused(struct rmm *rmm)
{
	struct rmm_highmem *h = rmm_highmem_of(rmm);

	if (!h)
		return;
	rmm_lock(rmm, &h->lock);
	flush_all_zero_pkmaps(rmm, h);
	rmm_unlock(rmm, &h->lock);
}

/** rmm_highmem_stat() - see refmm_highmem.h */
void rmm_highmem_stat(const struct rmm *rmm, struct rmm_highmem_stat *out)
{
	struct rmm_highmem *h = rmm_highmem_of(rmm);

	*out = (struct rmm_highmem_stat){0};
	if (!h)
		return;
	rmm_lock(rmm, &h->lock);
	*out = h->stat;
	out->slots = h->last_pkmap;
	for (unsigned int i = 0; i < h->last_pkmap; i++) {
		out->used += h->count[i] > 1;
		out->stale += h->count[i] == 1;
	}
	rmm_unlock(rmm, &h->lock);
}
