/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_stat.c - looking at areas: what /proc/vmallocinfo shows, and what
 * lies behind an address.
 *
 * Locking: that of what is looked at; counts of pools and trees are exact only
 * while nothing else runs.
 *
 * Modelled: is_vmalloc_addr, vmalloc_to_page, find_vm_area,
 * find_vmap_area_exceed_addr_lock, vmalloc_nr_pages, s_show of
 * /proc/vmallocinfo. Simplified: the page behind an address is looked up in the
 * area, not in page tables. (6.12, mm/vmalloc.c; LKD3 ch. 12 "vmalloc()")
 */
#include <errno.h>

#include "vmalloc.h"

/** rmm_vmalloc_start() - VMALLOC_START; 0: vmalloc is not set up */
uintptr_t rmm_vmalloc_start(const struct rmm *rmm)
{
	return rmm_vmalloc_of(rmm) ? rmm_vmalloc_of(rmm)->start : 0;
}

/** rmm_vmalloc_end() - VMALLOC_END */
uintptr_t rmm_vmalloc_end(const struct rmm *rmm)
{
	return rmm_vmalloc_of(rmm) ? rmm_vmalloc_of(rmm)->end : 0;
}

/** rmm_is_vmalloc_addr() - is_vmalloc_addr(): in the window, used or not */
bool rmm_is_vmalloc_addr(const struct rmm *rmm, const void *address)
{
	uintptr_t at = (uintptr_t)address;

	return at >= rmm_vmalloc_start(rmm) && at < rmm_vmalloc_end(rmm);
}

/** rmm_vmalloc_to_page() - vmalloc_to_page(); see refmm_vmalloc.h */
struct rmm_page *rmm_vmalloc_to_page(const struct rmm *rmm, const void *address)
{
	uintptr_t at = (uintptr_t)address, i;
	const struct rmm_vm_struct *vm =
		rmm_vmalloc_of(rmm) ? rmm_find_vm_struct(rmm, at) : NULL;

	if (!vm)
		return NULL;
	i = (at - vm->address) >> rmm->config.page_shift;
	return i < vm->nr_mapped ? vm->pages[i] : NULL;
}

static void describe(const struct rmm_vm_struct *vm, struct rmm_vm_area *out)
{
	*out = (struct rmm_vm_area){
		.address = vm->address,
		.size = vm->size,
		.requested = vm->requested,
		.nr_pages = vm->nr_pages,
		.flags = vm->flags,
		.page_order = vm->page_order,
	};
}

/** rmm_find_vm_area() - find_vm_area(); see refmm_vmalloc.h */
int rmm_find_vm_area(const struct rmm *rmm, const void *address,
		     struct rmm_vm_area *out)
{
	const struct rmm_vm_struct *vm =
		rmm_vmalloc_of(rmm)
			? rmm_find_vm_struct(rmm, (uintptr_t)address)
			: NULL;

	if (!vm)
		return -ENOENT;
	describe(vm, out);
	return 0;
}

/** rmm_next_vm_area() - find_vmap_area_exceed_addr_lock(): the lowest over all
 *  nodes; see refmm_vmalloc.h */
int rmm_next_vm_area(const struct rmm *rmm, uintptr_t address,
		     struct rmm_vm_area *out)
{
	const struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	int err = -ENOENT;

	for (unsigned int i = 0; v && i < v->nr_nodes; i++) {
		struct rmm_vmap_node *vn = &v->node[i];
		const struct rmm_vmap_area *va;

		rmm_lock(rmm, &vn->busy_lock);
		va = rmm_vmap_find_exceed(&vn->busy, address);
		if (va && (err || va->start < out->address)) {
			describe(va->vm, out);
			err = 0;
		}
		rmm_unlock(rmm, &vn->busy_lock);
	}
	return err;
}

/** rmm_vmalloc_stat() - see refmm_vmalloc.h */
void rmm_vmalloc_stat(const struct rmm *rmm, struct rmm_vmalloc_stat *out)
{
	const struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);

	*out = v ? v->stat : (struct rmm_vmalloc_stat){0};
	if (!v)
		return;
	out->nr_pages = RMM_READ(v->nr_pages);
	out->lazy_pages = RMM_READ(v->lazy_nr);
	out->lazy_max = v->lazy_max;
	out->free_areas = v->free.count;
	for (unsigned int i = 0; i < v->nr_nodes; i++) {
		out->areas += v->node[i].busy.count;
		out->lazy_areas += v->node[i].lazy.count;
		for (int p = 0; p < RMM_VMAP_POOLS; p++)
			out->pool_areas += v->node[i].pool[p].len;
	}
}
