/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_area.c - areas in use: take addresses, find an area, let it go.
 *
 * So that CPUs do not wait for each other, areas in use are kept by nodes, one
 * a CPU, and which node follows from the address, 16 pages each in turn:
 *
 *   address   |0      |16     |32     |48     |64 ...	(pages, 3 nodes)
 *   node         0       1       2       0       1
 *   area                  <---------->		kept by node 1, where it begins
 *
 * An address inside an area may lead to another node first; then the others are
 * asked in turn.
 *
 * Invariant: an area in use is kept by the node of its first address.
 *
 * Locking: busy_lock of one node at a time, which covers vm->deferred, too: who
 * may free an area is decided in the section that finds it. What an area's
 * owner finds stays, as nobody else frees it.
 *
 * Modelled: alloc_vmap_area, addr_to_node, find_vmap_area,
 * find_unlink_vmap_area. Simplified: objects come from libc; no notifiers to
 * call when addresses run out. (6.12, mm/vmalloc.c; before 6.9 there was one
 * node; LKD3 ch. 12 "vmalloc()")
 */
#include <errno.h>
#include <stdlib.h>

#include "layers.h"
#include "vmalloc.h"

static unsigned int node_id(const struct rmm_vmalloc *v, uintptr_t address)
{
	return (unsigned int)(address / v->zone_size % v->nr_nodes);
}

/** rmm_addr_to_node() - addr_to_node() */
struct rmm_vmap_node *rmm_addr_to_node(const struct rmm_vmalloc *v,
				       uintptr_t address)
{
	return &v->node[node_id(v, address)];
}

static uintptr_t search_tree(struct rmm *rmm, struct rmm_vmalloc *v,
			     const struct rmm_vmap_want *want)
{
	uintptr_t at;

	if (rmm_should_fail(rmm, RMM_FAULT_VMALLOC, want->gfp, 0))
		return want->end;
	RMM_ADD(v->stat.tree_search, 1);
	rmm_lock(rmm, &v->free_lock);
	at = rmm___alloc_vmap_area(&v->free, rmm_page_bytes(rmm), want);
	rmm_unlock(rmm, &v->free_lock);
	return at;
}

/* Addresses from the tree; if there are none, once more after a purge. false:
 * none at all */
static bool take_addresses(struct rmm *rmm, const struct rmm_vmap_want *want,
			   struct rmm_vmap_area *va)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	uintptr_t at = search_tree(rmm, v, want);

	if (at == want->end) {
		rmm_reclaim_and_purge_vmap_areas(rmm);
		at = search_tree(rmm, v, want);
	}
	if (at == want->end)
		return false;
	va->start = at;
	va->end = at + want->size;
	return true;
}

/**
 * rmm_alloc_vmap_area() - alloc_vmap_area(): addresses for @vm, from this CPU's
 * pool or from the tree
 *
 * Return: the area, in use from now on, or NULL.
 */
struct rmm_vmap_area *rmm_alloc_vmap_area(struct rmm *rmm,
					  const struct rmm_vmap_want *want,
					  struct rmm_vm_struct *vm)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	struct rmm_vmap_node *vn;
	struct rmm_vmap_area *va;
	uint8_t node = 0;

	va = rmm_node_alloc(rmm, want, &node);
	if (!va) {
		if (rmm_should_fail(rmm, RMM_FAULT_VMALLOC, want->gfp, 0))
			return NULL;
		va = calloc(1, sizeof(*va));
		if (!va)
			return NULL;
		if (!take_addresses(rmm, want, va)) {
			free(va);
			return NULL;
		}
	}
	va->node = node;
	va->vm = vm;
	vm->address = va->start;
	vm->size = rmm_va_size(va);
	vn = rmm_addr_to_node(v, va->start);
	rmm_lock(rmm, &vn->busy_lock);
	rmm_vmap_insert(&vn->busy, va);
	rmm_unlock(rmm, &vn->busy_lock);
	return va;
}

/* What is in use at @address, and from where on; NULL: nothing */
static struct rmm_vm_struct *look_up(const struct rmm *rmm, uintptr_t address,
				     uintptr_t *start)
{
	const struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	unsigned int first = node_id(v, address);

	for (unsigned int i = 0; i < v->nr_nodes; i++) {
		struct rmm_vmap_node *vn = &v->node[(first + i) % v->nr_nodes];
		const struct rmm_vmap_area *va;
		struct rmm_vm_struct *vm;

		rmm_lock(rmm, &vn->busy_lock);
		va = rmm_vmap_find(&vn->busy, address);
		vm = va ? va->vm : NULL;
		*start = va ? va->start : 0;
		rmm_unlock(rmm, &vn->busy_lock);
		if (vm)
			return vm;
	}
	return NULL;
}

/** rmm_find_vm_struct() - find_vm_area(): what is in use at @address, which is
 *  the caller's; NULL: nothing */
struct rmm_vm_struct *rmm_find_vm_struct(const struct rmm *rmm,
					 uintptr_t address)
{
	uintptr_t start;

	return look_up(rmm, address, &start);
}

/** rmm_vm_start() - where the area around @address begins, whosever it is; 0:
 *  there is none */
uintptr_t rmm_vm_start(const struct rmm *rmm, uintptr_t address)
{
	uintptr_t start = 0;

	look_up(rmm, address, &start);
	return start;
}

static int may_claim(const struct rmm_vm_struct *vm, enum rmm_vmap_claim claim)
{
	if (vm->deferred != (claim == RMM_CLAIM_WORKER))
		return -EBUSY;
	return claim == RMM_CLAIM_VUNMAP && vm->nr_pages ? -EPERM : 0;
}

/**
 * rmm_claim_vmap_area() - find_unlink_vmap_area(): the area that begins at
 * @address is the caller's to free, and no longer in use; or, to be put off, in
 * use until RMM_CLAIM_WORKER comes
 *
 * The kernel lets go of an area by any page of it. Here only its first address
 * will do, and of two that free the same area, one is told.
 *
 * Return: 0; -ENOENT: no area begins there; -EBUSY: it is put off already;
 * -EPERM: it has pages, which vunmap() would lose.
 */
int rmm_claim_vmap_area(struct rmm *rmm, uintptr_t address,
			enum rmm_vmap_claim claim, struct rmm_vmap_area **out)
{
	struct rmm_vmap_node *vn =
		rmm_addr_to_node(rmm_vmalloc_of(rmm), address);
	struct rmm_vmap_area *va;
	int err = -ENOENT;

	rmm_lock(rmm, &vn->busy_lock);
	va = rmm_vmap_find(&vn->busy, address);
	if (va && va->start == address)
		err = may_claim(va->vm, claim);
	if (!err && claim == RMM_CLAIM_DEFER)
		va->vm->deferred = true;
	else if (!err)
		rmm_vmap_erase(&vn->busy, va);
	rmm_unlock(rmm, &vn->busy_lock);
	*out = err ? NULL : va;
	return err;
}
