/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_purge.c - freed areas wait, so that one TLB flush serves many.
 *
 * An address must not be given to somebody else while some CPU's TLB still
 * knows its old page, and to flush all TLBs costs far more than the rest of
 * vfree(). So areas are freed lazily:
 *
 *   busy --vfree--> lazy --purge--> pool[pages - 1] of the node, or free tree
 *    ^                                |
 *    +------------ same size ---------+
 *
 *   purge when lazy pages > lazy_max = fls(CPUs) * 32 MiB / page size,
 *   or when no hole in the free tree is large enough (then pools are emptied
 *   too)
 *
 * A pool keeps areas of one size, up to 256 pages with guard, as they come: the
 * next request of that size on that CPU needs no search. Each purge lets a
 * quarter of each pool go.
 *
 * Invariants: lazy_nr = pages of all lazy areas; an area in pool[i] has i + 1
 * pages; len = areas on the list.
 *
 * Locking: purge_lock for a purge as a whole; the lock of what is touched.
 *
 * Modelled: node_alloc, node_pool_add_va, node_pool_del_va,
 * free_vmap_area_noflush, __purge_vmap_area_lazy, purge_vmap_node,
 * decay_va_pool_node, reclaim_and_purge_vmap_areas, drain_vmap_area_work,
 * vmap_node_shrink_scan; 6.1's merging of lazy areas. Simplified: the worker
 * runs at once, on the CPU whose vfree() crossed the threshold, or when told
 * (manual_purge); no helpers; the TLB flush is only counted (drain, purge).
 * Omitted: vm_map_ram's blocks. (6.12, mm/vmalloc.c; LKD3 ch. 12 "vmalloc()")
 */
#include <stdlib.h>

#include "layers.h"
#include "vmalloc.h"

/* size_to_va_pool(): pool for areas of @size; NULL: too large */
static struct rmm_vmap_pool *pool_of(const struct rmm *rmm,
				     struct rmm_vmap_node *vn, uintptr_t size)
{
	uintptr_t i = (size - 1) >> rmm->config.page_shift;

	return i < RMM_VMAP_POOLS ? &vn->pool[i] : NULL;
}

static void pool_add(struct rmm_vmap_pool *p, struct rmm_vmap_area *va)
{
	va->prev = NULL;
	va->next = p->first;
	if (p->first)
		p->first->prev = va;
	else
		p->last = va;
	p->first = va;
	RMM_WRITE(p->len, p->len + 1);
}

/* The first area; the list is not empty. */
static struct rmm_vmap_area *pool_del(struct rmm_vmap_pool *p)
{
	struct rmm_vmap_area *va = p->first;

	p->first = va->next;
	if (p->first)
		p->first->prev = NULL;
	else
		p->last = NULL;
	RMM_WRITE(p->len, p->len - 1);
	return va;
}

/* list_move_tail() of the first area */
static void pool_rotate(struct rmm_vmap_pool *p)
{
	struct rmm_vmap_area *va = p->first;

	if (p->last == va)
		return;
	p->first = va->next;
	p->first->prev = NULL;
	va->prev = p->last;
	va->next = NULL;
	p->last->next = va;
	p->last = va;
}

/* node_pool_del_va(): the first area of the size, if it is aligned; if not, it
 * goes to the end and the tree is asked */
static struct rmm_vmap_area *pool_take(const struct rmm *rmm,
				       struct rmm_vmap_node *vn,
				       const struct rmm_vmap_want *want)
{
	struct rmm_vmap_pool *p = pool_of(rmm, vn, want->size);
	struct rmm_vmap_area *va = NULL;

	if (!p)
		return NULL;
	rmm_lock(rmm, &vn->pool_lock);
	if (p->first && !(p->first->start & (want->align - 1)))
		va = pool_del(p);
	else if (p->first)
		pool_rotate(p);
	rmm_unlock(rmm, &vn->pool_lock);
	return va;
}

/** rmm_node_alloc() - node_alloc(): an area from @cpu's pool, or NULL. *@node:
 *  where it shall go one day, hit or not, so that pools fill by demand */
struct rmm_vmap_area *
rmm_node_alloc(struct rmm *rmm, const struct rmm_vmap_want *want, uint8_t *node)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	unsigned int id = want->cpu % v->nr_nodes;
	struct rmm_vmap_area *va;

	if (want->start != v->start || want->end != v->end || v->nr_nodes == 1)
		return NULL;
	*node = (uint8_t)(id + 1);
	va = pool_take(rmm, &v->node[id], want);
	if (va)
		RMM_ADD(v->stat.pool_hit, 1);
	return va;
}

/* reclaim_list_global(): a list goes to the free tree */
static void reclaim(struct rmm *rmm, struct rmm_vmalloc *v,
		    struct rmm_vmap_area *list)
{
	struct rmm_vmap_area *next;

	rmm_lock(rmm, &v->free_lock);
	for (; list; list = next) {
		next = list->next;
		rmm_merge_or_add_vmap_area(&v->free, list);
	}
	rmm_unlock(rmm, &v->free_lock);
}

/* How many areas leave a pool of @len */
static size_t to_decay(const struct rmm_vmalloc *v, size_t len, bool full)
{
	if (full || (v->config.pool_drops_small && len < 4))
		return len;
	return len / 4;
}

/* decay_va_pool_node(): a quarter of each pool, or all, from the head; joined
 * among themselves before the free tree is locked */
static void decay(struct rmm *rmm, struct rmm_vmap_node *vn, bool full)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	struct rmm_vmap_tree tree = {0};

	for (int i = 0; i < RMM_VMAP_POOLS; i++) {
		struct rmm_vmap_pool *p = &vn->pool[i];

		if (!RMM_READ(p->len))
			continue;
		rmm_lock(rmm, &vn->pool_lock);
		for (size_t n = to_decay(v, p->len, full); n; n--)
			rmm_merge_or_add_vmap_area(&tree, pool_del(p));
		rmm_unlock(rmm, &vn->pool_lock);
	}
	reclaim(rmm, v, tree.first);
}

/* purge_vmap_node(): each goes to the pool of its node, or to the free tree */
static uint64_t purge_node(struct rmm *rmm, struct rmm_vmap_node *vn)
{
	struct rmm_vmap_area *va = vn->purge, *next, *global = NULL;
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	uint64_t pages = 0, areas = 0;

	vn->purge = NULL;
	for (; va; va = next, areas++) {
		struct rmm_vmap_pool *p = pool_of(rmm, vn, rmm_va_size(va));

		next = va->next;
		pages += rmm_va_size(va) >> rmm->config.page_shift;
		if (va->node && !vn->skip_populate && p) {
			rmm_lock(rmm, &vn->pool_lock);
			pool_add(p, va);
			rmm_unlock(rmm, &vn->pool_lock);
		} else {
			va->next = global;
			global = va;
		}
	}
	RMM_ADD(v->lazy_nr, -pages);
	reclaim(rmm, v, global);
	return areas;
}

/* __purge_vmap_area_lazy(); purge_lock held. Returns the areas. */
static uint64_t purge_lazy(struct rmm *rmm, bool full)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	uint64_t areas = 0;

	for (unsigned int i = 0; i < v->nr_nodes; i++) {
		struct rmm_vmap_node *vn = &v->node[i];

		vn->skip_populate = full;
		decay(rmm, vn, full);
		rmm_lock(rmm, &vn->lazy_lock);
		vn->purge = vn->lazy.first;
		vn->lazy = (struct rmm_vmap_tree){0};
		rmm_unlock(rmm, &vn->lazy_lock);
	}
	for (unsigned int i = 0; i < v->nr_nodes; i++)
		areas += purge_node(rmm, &v->node[i]);
	RMM_ADD(v->stat.purged, areas);
	return areas;
}

/** rmm_reclaim_and_purge_vmap_areas() - reclaim_and_purge_vmap_areas(): there
 *  are no addresses left */
uint64_t rmm_reclaim_and_purge_vmap_areas(struct rmm *rmm)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	uint64_t areas;

	rmm_lock(rmm, &v->purge_lock);
	RMM_ADD(v->stat.purge, 1);
	areas = purge_lazy(rmm, true);
	rmm_unlock(rmm, &v->purge_lock);
	return areas;
}

/** rmm_purge_vmap_areas() - see refmm_vmalloc.h */
uint64_t rmm_purge_vmap_areas(struct rmm *rmm, unsigned int cpu)
{
	(void)cpu;
	return rmm_vmalloc_of(rmm) ? rmm_reclaim_and_purge_vmap_areas(rmm) : 0;
}

/** rmm_drain_vmap_work() - drain_vmap_area_work(); see refmm_vmalloc.h */
uint64_t rmm_drain_vmap_work(struct rmm *rmm, unsigned int cpu)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	uint64_t areas;

	(void)cpu;
	if (!v)
		return 0;
	rmm_lock(rmm, &v->purge_lock);
	RMM_ADD(v->stat.drain, 1);
	areas = purge_lazy(rmm, false);
	rmm_unlock(rmm, &v->purge_lock);
	return areas;
}

/** rmm_shrink_vmap_pools() - vmap_node_shrink_scan(); see refmm_vmalloc.h */
void rmm_shrink_vmap_pools(struct rmm *rmm, unsigned int cpu)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);

	(void)cpu;
	if (!v)
		return;
	rmm_lock(rmm, &v->purge_lock);
	for (unsigned int i = 0; i < v->nr_nodes; i++)
		decay(rmm, &v->node[i], true);
	rmm_unlock(rmm, &v->purge_lock);
}

/** rmm_free_vmap_area_noflush() - free_vmap_area_noflush(): @va, unmapped and
 *  no longer in use, waits for a purge, or sets one off */
void rmm_free_vmap_area_noflush(struct rmm *rmm, unsigned int cpu,
				struct rmm_vmap_area *va)
{
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	uint64_t lazy =
		RMM_ADD(v->lazy_nr, rmm_va_size(va) >> rmm->config.page_shift);
	struct rmm_vmap_node *vn = va->node ? &v->node[va->node - 1]
					    : rmm_addr_to_node(v, va->start);

	va->vm = NULL;
	rmm_lock(rmm, &vn->lazy_lock);
	if (v->config.pools)
		rmm_vmap_insert(&vn->lazy, va);
	else
		rmm_merge_or_add_vmap_area(&vn->lazy, va);
	rmm_unlock(rmm, &vn->lazy_lock);
	if (lazy > v->lazy_max && !v->config.manual_purge)
		rmm_drain_vmap_work(rmm, cpu);
}
