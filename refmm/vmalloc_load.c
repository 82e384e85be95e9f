/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_load.c - begin with the areas that another machine has.
 *
 *   free      |######################################|
 *   loaded    |##|used|##|lazy|####|pool|############|
 *
 * What is loaded leaves the free tree, just there, and goes where it was: in
 * use, waiting for a purge, or in a pool, behind what the pool has.
 *
 * Locking: before threads start.
 *
 * Modelled: nothing that the kernel has; the state afterwards is one that its
 * functions can bring about. Simplified: loaded areas in use have no pages.
 */
#include <errno.h>
#include <stdlib.h>

#include <kmemlab/refmm_vmalloc_load.h>

#include "layers.h"
#include "vmalloc.h"

static int refuse(struct rmm *rmm, const struct rmm_vm_load *l, int err,
		  const char *why)
{
	return rmm_error(rmm, err,
			 "cannot load the area of %zu bytes at 0x%llx: %s",
			 l->size, (unsigned long long)l->address, why);
}

static const char *flaw(const struct rmm *rmm, const struct rmm_vmalloc *v,
			const struct rmm_vm_load *l)
{
	uintptr_t page = rmm_page_bytes(rmm);

	if (!l->size || (l->address | l->size) & (page - 1))
		return "it is empty, or does not begin and end with a page";
	if (l->address < v->space_start || l->size > v->space_end ||
	    l->address > v->space_end - l->size)
		return "it lies outside the addresses there are";
	if (l->node >= v->nr_nodes || l->pool > v->nr_nodes)
		return "there is no such node";
	if (l->state == RMM_VM_IN_POOL &&
	    (v->nr_nodes == 1 || l->size / page > RMM_VMAP_POOLS))
		return "no pool holds such areas";
	return NULL;
}

static bool use(struct rmm_vmalloc *v, struct rmm_vmap_area *va)
{
	struct rmm_vm_struct *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return false;
	vm->address = va->start;
	vm->size = rmm_va_size(va);
	vm->flags = RMM_VM_NO_GUARD; /* the size tells of no guard */
	va->vm = vm;
	return rmm_vmap_insert(&rmm_addr_to_node(v, va->start)->busy, va);
}

static void to_pool(const struct rmm *rmm, struct rmm_vmap_node *vn,
		    struct rmm_vmap_area *va)
{
	struct rmm_vmap_pool *p =
		&vn->pool[rmm_va_size(va) / rmm_page_bytes(rmm) - 1];

	va->prev = p->last;
	*(p->last ? &p->last->next : &p->first) = va;
	p->last = va;
	p->len++;
}

static bool put(struct rmm *rmm, struct rmm_vmalloc *v,
		const struct rmm_vm_load *l, struct rmm_vmap_area *va)
{
	struct rmm_vmap_node *vn = &v->node[l->node];

	switch (l->state) {
	case RMM_VM_IN_USE:
		return use(v, va);
	case RMM_VM_IS_LAZY:
		v->lazy_nr += l->size / rmm_page_bytes(rmm);
		return rmm_vmap_insert(&vn->lazy, va);
	default:
		to_pool(rmm, vn, va);
		return true;
	}
}

/** rmm_vm_load() - see refmm_vmalloc_load.h */
int rmm_vm_load(struct rmm *rmm, const struct rmm_vm_load *l)
{
	const struct rmm_vmap_want want = {.size = l->size,
					   .align = rmm_page_bytes(rmm),
					   .start = l->address,
					   .end = l->address + l->size};
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	struct rmm_vmap_area *va;
	const char *why;

	if (!v)
		return refuse(rmm, l, -EINVAL, "vmalloc is not set up");
	why = flaw(rmm, v, l);
	if (why)
		return refuse(rmm, l, -EINVAL, why);
	va = calloc(1, sizeof(*va));
	if (!va)
		return refuse(rmm, l, -ENOMEM, "out of memory");
	if (rmm___alloc_vmap_area(&v->free, want.align, &want) != l->address) {
		free(va);
		return refuse(rmm, l, -EEXIST, "the addresses are not free");
	}
	va->start = l->address;
	va->end = want.end;
	va->node = (uint8_t)l->pool;
	/* Memory alone can fail now; what was taken goes back. */
	if (put(rmm, v, l, va))
		return 0;
	free(va->vm);
	va->vm = NULL;
	rmm_merge_or_add_vmap_area(&v->free, va);
	return refuse(rmm, l, -ENOMEM, "out of memory");
}
