/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * highmem_local.c - kmap_local_page(): a mapping of this CPU's, for a moment.
 *
 * Where nothing may sleep, and where a mapping is needed for a memcpy() only,
 * kmap()'s shared window is the wrong tool. Each CPU has slots of its own:
 *
 *      fixed address   begin       - 1 page    - 2 pages  ...  - 15 pages
 *      CPU 0           | first map | second    | third    ...  |  (guard)
 *      CPU 1           16 pages further down
 *
 * They are a stack. A mapping goes on top, and only the top can be taken off:
 * no search, no lock, no other CPU's TLB. Of 16 slots 15 can be used, as the
 * kernel stops when the index reaches 16 (kmap_local_idx_push).
 *
 * LKD3 calls this kmap_atomic(page, type), and its type, KM_USER0 and the like,
 * named the slot. Since 2.6.37 the slots are a stack without names; since 5.11
 * kmap_atomic() is kmap_local_page() with preemption and page faults off, kept
 * for callers that rely on this.
 *
 * Invariant: slots 0..idx-1 show pages, the others nothing.
 *
 * Locking: none; a CPU's own slots.
 *
 * Modelled: __kmap_local_page_prot, kunmap_local_indexed, kmap_local_idx_push,
 * kmap_atomic, kunmap_atomic. Simplified: as no thread is switched here, a CPU
 * has what the kernel keeps for each task since 5.11 (__kmap_local_sched_out).
 * (6.12, mm/highmem.c; LKD3 ch. 12 "Temporary Mappings")
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "highmem.h"
#include "layers.h"
#include "vmalloc.h"

/* __fix_to_virt(): fixed addresses are counted downwards */
static uintptr_t local_address(const struct rmm *rmm,
			       const struct rmm_highmem *h, unsigned int cpu,
			       unsigned int idx)
{
	uintptr_t nr = (uintptr_t)cpu * RMM_KM_MAX_IDX + idx;

	return h->fixmap - (nr << rmm->config.page_shift);
}

static const struct rmm_highmem *check_local(struct rmm *rmm, unsigned int cpu)
{
	const struct rmm_highmem *h = rmm_highmem_of(rmm);

	if (h && cpu < rmm->config.nr_cpus)
		return h;
	rmm_error(rmm, -EINVAL,
		  "cannot map locally on CPU %u: there is no such CPU, or no "
		  "rmm_highmem_init",
		  cpu);
	return NULL;
}

/** rmm_kmap_local_page() - kmap_local_page(); see refmm_highmem.h */
void *rmm_kmap_local_page(struct rmm *rmm, unsigned int cpu,
			  struct rmm_page *page)
{
	rmm_pfn pfn = rmm_page_to_pfn(rmm, page);
	const struct rmm_highmem *h;
	struct rmm_kmap_ctrl *c;
	uintptr_t at;

	if (!rmm_is_page(rmm, page)) {
		rmm_error(rmm, -EINVAL,
			  "cannot map page %p locally: not of this machine",
			  (const void *)page);
		return NULL;
	}
	if (!rmm_PageHighMem(rmm, page))
		return rmm_page_address(rmm, page);
	h = check_local(rmm, cpu);
	if (!h)
		return NULL;
	c = &h->ctrl[cpu];
	at = local_address(rmm, h, cpu, c->idx);
	if (c->idx + 1 >= RMM_KM_MAX_IDX ||
	    rmm_should_fail(rmm, RMM_FAULT_VMALLOC, 0, 0) ||
	    (rmm->arena && rmm_map_pages_at(rmm, at, pfn, 1))) {
		rmm_error(rmm, -ENOSPC,
			  "cannot map pfn %u locally on CPU %u: %u mappings "
			  "are open, at most %u can be",
			  pfn, cpu, c->idx, RMM_KM_MAX_IDX - 1);
		return NULL;
	}
	c->pfn[c->idx++] = pfn;
	RMM_ADD(rmm_highmem_of(rmm)->stat.local, 1);
	if (c->idx > RMM_READ(h->stat.local_deepest))
		RMM_WRITE(rmm_highmem_of(rmm)->stat.local_deepest, c->idx);
	return (void *)at;
}

/** rmm_kunmap_local() - kunmap_local(); any address in the page will do */
int rmm_kunmap_local(struct rmm *rmm, unsigned int cpu, const void *address)
{
	uintptr_t at = (uintptr_t)address & ~(rmm_page_bytes(rmm) - 1);
	const struct rmm_highmem *h;
	struct rmm_kmap_ctrl *c;
	uintptr_t top;

	if (rmm_virt_to_page(rmm, at))
		return 0; /* low memory was never mapped */
	h = check_local(rmm, cpu);
	if (!h)
		return -EINVAL;
	c = &h->ctrl[cpu];
	if (!c->idx)
		return rmm_error(rmm, -EINVAL,
				 "cannot unmap %p on CPU %u: it has no local "
				 "mapping",
				 address, cpu);
	top = local_address(rmm, h, cpu, c->idx - 1);
	if (top != at)
		return rmm_error(
			rmm, -EINVAL,
			"cannot unmap %p on CPU %u: mappings end in "
			"reverse order; 0x%llx, of pfn %u, comes first",
			address, cpu, (unsigned long long)top,
			c->pfn[c->idx - 1]);
	c->pfn[--c->idx] = RMM_NO_PFN;
	if (rmm->arena)
		rmm_unmap_at(rmm, at, rmm_page_bytes(rmm));
	return 0;
}

/** rmm_kmap_atomic() - kmap_atomic() */
void *rmm_kmap_atomic(struct rmm *rmm, unsigned int cpu, struct rmm_page *page)
{
	void *at = rmm_kmap_local_page(rmm, cpu, page);

	if (at)
		rmm_preempt_disable(rmm, cpu);
	return at;
}

/** rmm_kunmap_atomic() - kunmap_atomic() */
int rmm_kunmap_atomic(struct rmm *rmm, unsigned int cpu, const void *address)
{
	int err = rmm_kunmap_local(rmm, cpu, address);

	if (!err)
		rmm_preempt_enable(rmm, cpu);
	return err;
}

/* Page that a local slot shows; NULL: @at is none, or shows nothing */
static struct rmm_page *local_page(const struct rmm *rmm,
				   const struct rmm_highmem *h, uintptr_t at)
{
	uintptr_t last = h->fixmap + rmm_page_bytes(rmm) - 1;
	uintptr_t nr = (last - at) >> rmm->config.page_shift;

	if (at > last || nr / RMM_KM_MAX_IDX >= rmm->config.nr_cpus)
		return NULL;
	return rmm_pfn_to_page(
		rmm, h->ctrl[nr / RMM_KM_MAX_IDX].pfn[nr % RMM_KM_MAX_IDX]);
}

/** rmm_kmap_to_page() - kmap_to_page(); see refmm_highmem.h */
struct rmm_page *rmm_kmap_to_page(const struct rmm *rmm, const void *address)
{
	const struct rmm_highmem *h = rmm_highmem_of(rmm);
	uintptr_t at = (uintptr_t)address, nr;

	if (!h)
		return rmm_virt_to_page(rmm, at);
	nr = (at - h->pkmap) >> rmm->config.page_shift;
	if (at >= h->pkmap && nr < h->last_pkmap)
		return rmm_pfn_to_page(rmm, RMM_READ(h->pfn[nr]));
	if (local_page(rmm, h, at))
		return local_page(rmm, h, at);
	return rmm_virt_to_page(rmm, at);
}
