/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner.c - who had this page last? (page_owner)
 *
 * When a page is freed twice, the second caller is seen and the first is the
 * one to look for. With rmm_config.page_owner each frame remembers its last
 * allocation and its last free; refused frees then tell:
 *
 *      cannot free pfn 7: double free, it is free on a buddy list of order 0;
 *      allocated by 12 on CPU 0 at 8141, freed by 99 on CPU 3 at 8150
 *
 * A caller is a number of the caller's choice (rmm_set_caller), and time is
 * counted in allocations and frees. 32 bytes a frame, in pages nobody touches
 * until they are needed; without page_owner nothing. Then the quick ways of
 * alloc.c and free.c are closed.
 *
 * Locking: a frame's record is its owner's. The clock is atomic.
 *
 * Modelled: __set_page_owner, __reset_page_owner, split_page_owner,
 * folio_copy_owner. Simplified: numbers instead of stack traces. (6.12,
 * mm/page_owner.c; not in LKD3)
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "layers.h"

_Static_assert(sizeof(struct rmm_page_owner) == 32, "a power of two");

static size_t owner_bytes(const struct rmm *rmm)
{
	return (size_t)rmm->end_pfn * sizeof(struct rmm_page_owner);
}

/** rmm_map_owners() - -ENOMEM */
int rmm_map_owners(struct rmm *rmm)
{
	void *map;

	if (!rmm->config.page_owner)
		return 0;
	map = mmap(NULL, owner_bytes(rmm), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	rmm->owner = map;
	return 0;
}

/** rmm_unmap_owners() - the inverse */
void rmm_unmap_owners(struct rmm *rmm)
{
	if (rmm->owner)
		munmap(rmm->owner, owner_bytes(rmm));
}

/** rmm_set_caller() - who acts on @cpu from now on */
void rmm_set_caller(struct rmm *rmm, unsigned int cpu, uint32_t caller)
{
	if (cpu < rmm->config.nr_cpus)
		rmm->cpu[cpu].caller = caller;
}

static uint64_t now(struct rmm *rmm)
{
	return __atomic_add_fetch(&rmm->owner_clock, 1, __ATOMIC_RELAXED);
}

/** rmm_owner_alloc() - __set_page_owner(): a block was given out */
void rmm_owner_alloc(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn)
{
	rmm->owner[pfn].alloc_time = now(rmm);
	rmm->owner[pfn].alloc_caller = rmm->cpu[cpu].caller;
	rmm->owner[pfn].alloc_cpu = (uint16_t)cpu;
}

/** rmm_owner_free() - __reset_page_owner(): it came back */
void rmm_owner_free(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn)
{
	rmm->owner[pfn].free_time = now(rmm);
	rmm->owner[pfn].free_caller = rmm->cpu[cpu].caller;
	rmm->owner[pfn].free_cpu = (uint16_t)cpu;
}

/** rmm_owner_copy() - split_page_owner(), folio_copy_owner(): @to has @from's
 *  owner now */
void rmm_owner_copy(struct rmm *rmm, rmm_pfn to, rmm_pfn from)
{
	rmm->owner[to].alloc_time = rmm->owner[from].alloc_time;
	rmm->owner[to].alloc_caller = rmm->owner[from].alloc_caller;
	rmm->owner[to].alloc_cpu = rmm->owner[from].alloc_cpu;
}

/** rmm_page_owner() - see refmm_page.h */
int rmm_page_owner(const struct rmm *rmm, rmm_pfn pfn,
		   struct rmm_page_owner *out)
{
	if (!rmm->owner || rmm_pfn_zone(rmm, pfn) < 0)
		return -ENOENT;
	*out = rmm->owner[pfn];
	return 0;
}

/* Whose record tells about @pfn: that of the block that it is in use in, or its
 * own, if it has been a block itself */
static rmm_pfn record_of(const struct rmm *rmm, rmm_pfn pfn)
{
	rmm_pfn head = rmm_find_head(rmm, pfn);

	if (head == RMM_NO_PFN)
		return pfn;
	if (RMM_READ(rmm->memmap[head].state) == RMM_PG_ALLOCATED)
		return head;
	return rmm->owner[pfn].alloc_time ? pfn : head;
}

/** rmm_error_owner() - add @pfn's history to the error that was just noted */
void rmm_error_owner(struct rmm *rmm, rmm_pfn pfn)
{
	struct rmm_page_owner o;
	char *text = rmm_error_text(rmm);
	size_t at = 0;

	if (!rmm->owner || rmm_pfn_zone(rmm, pfn) < 0)
		return;
	o = rmm->owner[record_of(rmm, pfn)];
	if (!o.alloc_time)
		return;
	while (text[at])
		at++;
	at += (size_t)snprintf(text + at, RMM_ERROR_BYTES - at,
			       "; allocated by %u on CPU %u at %llu",
			       o.alloc_caller, o.alloc_cpu,
			       (unsigned long long)o.alloc_time);
	if (o.free_time > o.alloc_time && at < RMM_ERROR_BYTES)
		snprintf(text + at, RMM_ERROR_BYTES - at,
			 ", freed by %u on CPU %u at %llu", o.free_caller,
			 o.free_cpu, (unsigned long long)o.free_time);
}
