/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_validate.c - does what the other vmalloc files promise hold?
 *
 *   trees: ordered, linked both ways, red-black, max right
 *   busy + lazy + pools + free = all addresses		(conservation)
 *   free areas do not touch				(coalescing)
 *   an area in use lies with its first address's node
 *   size = mapped pages + guard			(guards)
 *   pages that areas own: allocated, single, each in one area only
 *   nr_pages, lazy_nr, len of pools = what is there
 *
 * As no two areas of a tree overlap, and sizes add up to the whole, overlaps
 * between trees could only hide behind a gap of the same size; so all areas are
 * sorted once more and laid end to end.
 *
 * Locking: the machine must be at rest.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmalloc.h"

struct check {
	const struct rmm *rmm;
	const struct rmm_vmalloc *v;
	char *msg;
	size_t size;
	const struct rmm_vmap_area **all; /* every area there is */
	size_t n, room;
	uint8_t *owned; /* [end_pfn]: in some area already */
	uint64_t lazy, pages;
};

__attribute__((format(printf, 2, 3))) static int broken(const struct check *c,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (c->msg && c->size)
		vsnprintf(c->msg, c->size, fmt, ap);
	va_end(ap);
	return -EUCLEAN;
}

static unsigned long long ull(uintptr_t v)
{
	return v;
}

/* Black areas on each path below @va, itself included; -1: they differ, or what
 * else is wrong with the subtree */
static int black_height(const struct rmm_vmap_area *va)
{
	uintptr_t max;
	int height[2];

	if (!va)
		return 0;
	max = rmm_va_size(va);
	for (int i = 0; i < 2; i++) {
		const struct rmm_vmap_area *child = va->child[i];

		if (child && (child->parent != va || (va->red && child->red)))
			return -1;
		if (child && child->max > max)
			max = child->max;
		height[i] = black_height(child);
	}
	if (height[0] < 0 || height[0] != height[1] || max != va->max)
		return -1;
	return height[0] + !va->red;
}

/* Each area passes here once, whatever holds it, for check_space(). */
static int remember(struct check *c, const struct rmm_vmap_area *va)
{
	if (c->n == c->room) {
		size_t room = c->room ? 2 * c->room : 256;
		void *all = realloc(c->all, room * sizeof(*c->all));

		if (!all)
			return broken(c, "no memory to check vmalloc areas");
		c->all = all;
		c->room = room;
	}
	c->all[c->n++] = va;
	return 0;
}

/* Two walks must agree: by the list, and down the tree to each member of it. */
static int check_tree(struct check *c, const struct rmm_vmap_tree *t,
		      const char *name)
{
	const struct rmm_vmap_area *va = t->first, *prev = NULL;
	size_t n = 0;

	if ((t->root && (t->root->parent || t->root->red)) ||
	    black_height(t->root) < 0)
		return broken(c,
			      "vmalloc's %s tree: colours, links or the "
			      "largest size of a subtree are wrong",
			      name);
	for (; va; prev = va, va = va->next, n++) {
		if (va->prev != prev || (prev && prev->end > va->start) ||
		    va->start >= va->end || rmm_vmap_find(t, va->start) != va)
			return broken(c,
				      "vmalloc's %s list: 0x%llx-0x%llx is "
				      "out of order, empty, or not in the tree",
				      name, ull(va->start), ull(va->end));
		if (remember(c, va))
			return -EUCLEAN;
	}
	if (n != t->count)
		return broken(c, "vmalloc's %s tree: %zu areas, count says %zu",
			      name, n, t->count);
	return 0;
}

/* Pages that an area owns. vmap may show a page several times, if its caller
 * wants that; what vmalloc has allocated is in one place. */
static int check_pages(struct check *c, const struct rmm_vm_struct *vm)
{
	for (size_t i = 0; i < vm->nr_pages; i++) {
		rmm_pfn pfn = rmm_page_to_pfn(c->rmm, vm->pages[i]);
		const struct rmm_page *page = &c->rmm->memmap[pfn];

		if (page->state != RMM_PG_ALLOCATED || page->order)
			return broken(c,
				      "vmalloc area 0x%llx: page %zu, pfn %u, "
				      "is not an allocated single page",
				      ull(vm->address), i, pfn);
		if (c->owned[pfn] && (vm->flags & RMM_VM_ALLOC))
			return broken(c,
				      "vmalloc area 0x%llx: pfn %u is in two "
				      "areas",
				      ull(vm->address), pfn);
		c->owned[pfn] = 1;
	}
	if (vm->flags & RMM_VM_ALLOC)
		c->pages += vm->nr_pages;
	return 0;
}

/* An area in use against what is in it; without pages it is addresses only */
static int check_busy(struct check *c, unsigned int node,
		      const struct rmm_vmap_area *va)
{
	const struct rmm_vm_struct *vm = va->vm;
	uintptr_t page = rmm_page_bytes(c->rmm);
	size_t guard;

	if (!vm || vm->address != va->start || vm->size != rmm_va_size(va))
		return broken(c,
			      "vmalloc area 0x%llx-0x%llx: its vm_struct is "
			      "of other addresses",
			      ull(va->start), ull(va->end));
	if (rmm_addr_to_node(c->v, va->start) != &c->v->node[node])
		return broken(c, "vmalloc area 0x%llx is kept by node %u",
			      ull(va->start), node);
	guard = vm->flags & RMM_VM_NO_GUARD ? 0 : page;
	if (!vm->pages && !vm->nr_pages)
		return 0;
	if (!vm->pages || vm->nr_mapped * page + guard != vm->size ||
	    vm->nr_pages > vm->nr_mapped)
		return broken(c,
			      "vmalloc area 0x%llx: %zu pages and a guard are "
			      "not %zu bytes",
			      ull(va->start), vm->nr_mapped, vm->size);
	return check_pages(c, vm);
}

/* Areas of one size, linked both ways; their order is that of coming and going
 */
static int check_pool(struct check *c, const struct rmm_vmap_pool *p,
		      unsigned int pages)
{
	const struct rmm_vmap_area *va = p->first, *prev = NULL;
	size_t n = 0;

	for (; va; prev = va, va = va->next, n++)
		if (rmm_va_size(va) != pages * rmm_page_bytes(c->rmm) ||
		    va->prev != prev || remember(c, va))
			return broken(c,
				      "vmalloc's pool of %u pages holds "
				      "0x%llx-0x%llx",
				      pages, ull(va->start), ull(va->end));
	if (n != p->len || p->last != prev)
		return broken(c,
			      "vmalloc's pool of %u pages: %zu areas, len "
			      "says %zu",
			      pages, n, p->len);
	return 0;
}

static int check_node(struct check *c, unsigned int id)
{
	const struct rmm_vmap_node *vn = &c->v->node[id];
	const struct rmm_vmap_area *va;
	int err = check_tree(c, &vn->busy, "busy");

	for (va = vn->busy.first; va && !err; va = va->next)
		err = check_busy(c, id, va);
	if (!err)
		err = check_tree(c, &vn->lazy, "lazy");
	for (va = vn->lazy.first; va && !err; va = va->next)
		c->lazy += rmm_va_size(va) >> c->rmm->config.page_shift;
	for (unsigned int i = 0; i < RMM_VMAP_POOLS && !err; i++)
		err = check_pool(c, &vn->pool[i], i + 1);
	return err;
}

static int by_address(const void *a, const void *b)
{
	const struct rmm_vmap_area *x = *(const struct rmm_vmap_area *const *)a;
	const struct rmm_vmap_area *y = *(const struct rmm_vmap_area *const *)b;

	return (x->start > y->start) - (x->start < y->start);
}

/* All areas, laid end to end, are all addresses. */
static int check_space(const struct check *c)
{
	uintptr_t at = c->v->space_start;

	if (!c->all)
		return broken(c, "vmalloc: no address is in any area");
	qsort(c->all, c->n, sizeof(*c->all), by_address);
	for (size_t i = 0; i < c->n; i++) {
		if (c->all[i]->start != at)
			return broken(c,
				      "vmalloc: addresses from 0x%llx to "
				      "0x%llx are %s",
				      ull(at), ull(c->all[i]->start),
				      at < c->all[i]->start ? "in no area"
							    : "in two areas");
		at = c->all[i]->end;
	}
	if (at != c->v->space_end)
		return broken(c,
			      "vmalloc: addresses from 0x%llx on are in no "
			      "area",
			      ull(at));
	for (const struct rmm_vmap_area *va = c->v->free.first; va && va->next;
	     va = va->next)
		if (va->end == va->next->start)
			return broken(c, "vmalloc: free areas touch at 0x%llx",
				      ull(va->end));
	return 0;
}

static int check_all(struct check *c)
{
	int err = check_tree(c, &c->v->free, "free");

	for (unsigned int i = 0; i < c->v->nr_nodes && !err; i++)
		err = check_node(c, i);
	if (!err)
		err = check_space(c);
	if (err)
		return err;
	if (c->lazy != c->v->lazy_nr || c->pages != c->v->nr_pages)
		return broken(c,
			      "vmalloc: %llu lazy and %llu mapped pages, "
			      "counters say %llu and %llu",
			      (unsigned long long)c->lazy,
			      (unsigned long long)c->pages,
			      (unsigned long long)c->v->lazy_nr,
			      (unsigned long long)c->v->nr_pages);
	return 0;
}

/** rmm_vmalloc_validate() - the layer's part of rmm_validate() */
int rmm_vmalloc_validate(const struct rmm *rmm, const void *state, char *msg,
			 size_t size)
{
	struct check c = {.rmm = rmm, .v = state, .msg = msg, .size = size};
	int err;

	c.owned = calloc(rmm->end_pfn, 1);
	err = c.owned ? check_all(&c)
		      : broken(&c, "no memory to check vmalloc pages");
	free(c.owned);
	free(c.all);
	return err;
}
