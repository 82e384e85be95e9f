/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_tree.c - areas in address order: a red-black tree and a list in one.
 *
 * The list gives neighbours at once, the tree finds an address in logarithmic
 * time. Each area also knows the largest size in its subtree, so that a search
 * for a hole passes by all that is too small:
 *
 *                   [8..9] max 6                  size of [a..b] = b - a
 *                  /            \
 *        [2..4] max 3        [20..26] max 6       first of size 3: left
 *        /         \
 *   [0..1] max 1  [5..8] max 3	<- found
 *
 * Invariants: start < end; areas do not overlap; in-order walk = list; the root
 * is black, no red area has a red child, every path down passes as many black
 * ones; max = max(own size, max of the children).
 *
 * Which of several holes a search with alignment finds depends on the shape of
 * the tree, so insertion and removal rotate as the kernel's do: a removed area
 * with two children is replaced by its successor.
 *
 * Locking: the caller's, one lock for each tree.
 *
 * Modelled: struct rb_list, rb_insert_augmented, rb_erase_augmented,
 * find_va_links, __link_va, __find_vmap_area, __find_vmap_area_exceed_addr.
 * Simplified: trees of areas in use have max too, though nobody asks for it.
 * (6.12, lib/rbtree.c, mm/vmalloc.c; LKD3 ch. 6 "Red-Black Trees", ch. 12
 * "vmalloc()")
 */
#include "vmalloc_tree.h"

static bool is_red(const struct rmm_vmap_area *va)
{
	return va && va->red;
}

static uintptr_t largest(const struct rmm_vmap_area *va)
{
	uintptr_t max = rmm_va_size(va);

	for (int i = 0; i < 2; i++)
		if (va->child[i] && va->child[i]->max > max)
			max = va->child[i]->max;
	return max;
}

/** rmm_vmap_propagate() - augment_tree_propagate_from(): @va has changed its
 *  size; ancestors are told until one knew already */
void rmm_vmap_propagate(struct rmm_vmap_area *va)
{
	for (; va; va = va->parent) {
		uintptr_t max = largest(va);

		if (va->max == max)
			return;
		va->max = max;
	}
}

/* @with, or nothing, takes the place of @va below its parent. */
static void replace(struct rmm_vmap_tree *t, const struct rmm_vmap_area *va,
		    struct rmm_vmap_area *with)
{
	struct rmm_vmap_area *parent = va->parent;

	if (!parent)
		t->root = with;
	else
		parent->child[parent->child[1] == va] = with;
	if (with)
		with->parent = parent;
}

/*
 * @va goes down to @side, its other child takes its place:
 *
 *        va               up
 *       /  \             /  \
 *      A    up   -->   va    C      (side 0: to the left)
 *          /  \       /  \
 *         B    C     A    B
 */
static void rotate(struct rmm_vmap_tree *t, struct rmm_vmap_area *va, int side)
{
	struct rmm_vmap_area *up = va->child[!side];

	replace(t, va, up);
	va->child[!side] = up->child[side];
	if (va->child[!side])
		va->child[!side]->parent = va;
	up->child[side] = va;
	va->parent = up;
	up->max = va->max; /* the same areas are below */
	va->max = largest(va);
}

/* @va is red; its parent may be. */
static void insert_fixup(struct rmm_vmap_tree *t, struct rmm_vmap_area *va)
{
	while (is_red(va->parent)) {
		struct rmm_vmap_area *parent = va->parent;
		struct rmm_vmap_area *grand = parent->parent;
		int side = grand->child[1] == parent;
		struct rmm_vmap_area *uncle = grand->child[!side];

		grand->red = true;
		if (is_red(uncle)) {
			parent->red = uncle->red = false;
			va = grand;
			continue;
		}
		if (parent->child[!side] == va) {
			rotate(t, parent, side);
			parent = va;
		}
		parent->red = false;
		rotate(t, grand, !side);
		break;
	}
	t->root->red = false;
}

static void link_list(struct rmm_vmap_tree *t, struct rmm_vmap_area *va,
		      struct rmm_vmap_area *parent, int side)
{
	va->prev = side ? parent : parent ? parent->prev : NULL;
	va->next = side ? parent->next : parent;
	if (va->prev)
		va->prev->next = va;
	else
		t->first = va;
	if (va->next)
		va->next->prev = va;
	t->count++;
}

/** rmm_vmap_insert() - insert_vmap_area(); false if @va overlaps another */
bool rmm_vmap_insert(struct rmm_vmap_tree *t, struct rmm_vmap_area *va)
{
	struct rmm_vmap_area *parent = NULL, *at = t->root;
	int side = 0;

	while (at) {
		if (va->start < at->end && va->end > at->start)
			return false;
		side = va->start >= at->end;
		parent = at;
		at = at->child[side];
	}
	va->child[0] = va->child[1] = NULL;
	va->parent = parent;
	va->red = true;
	va->max = rmm_va_size(va);
	link_list(t, va, parent, side);
	if (parent)
		parent->child[side] = va;
	else
		t->root = va;
	rmm_vmap_propagate(parent);
	insert_fixup(t, va);
	return true;
}

/* One black area is missing on the paths through @va, a child of @parent that
 * may be NULL. */
static void erase_fixup(struct rmm_vmap_tree *t, struct rmm_vmap_area *va,
			struct rmm_vmap_area *parent)
{
	while (parent && !is_red(va)) {
		int side = parent->child[0] != va;
		struct rmm_vmap_area *sibling = parent->child[!side];

		if (sibling->red) {
			sibling->red = false;
			parent->red = true;
			rotate(t, parent, side);
			sibling = parent->child[!side];
		}
		if (!is_red(sibling->child[0]) && !is_red(sibling->child[1])) {
			sibling->red = true;
			va = parent;
			parent = va->parent;
			continue;
		}
		if (!is_red(sibling->child[!side])) {
			sibling->child[side]->red = false;
			sibling->red = true;
			rotate(t, sibling, !side);
			sibling = parent->child[!side];
		}
		sibling->red = parent->red;
		parent->red = false;
		sibling->child[!side]->red = false;
		rotate(t, parent, side);
		return;
	}
	if (va)
		va->red = false;
}

static void unlink_list(struct rmm_vmap_tree *t, struct rmm_vmap_area *va)
{
	if (va->prev)
		va->prev->next = va->next;
	else
		t->first = va->next;
	if (va->next)
		va->next->prev = va->prev;
	t->count--;
}

static void adopt(struct rmm_vmap_area *parent, int side,
		  struct rmm_vmap_area *child)
{
	parent->child[side] = child;
	child->parent = parent;
}

/** rmm_vmap_erase() - unlink_va(): @va is in no tree afterwards */
void rmm_vmap_erase(struct rmm_vmap_tree *t, struct rmm_vmap_area *va)
{
	struct rmm_vmap_area *orphan, *parent = va->parent, *up;
	struct rmm_vmap_area *heir = va->next; /* leftmost on the right */
	bool red = va->red;

	if (!va->child[0] || !va->child[1]) {
		orphan = va->child[va->child[0] == NULL];
		replace(t, va, orphan);
	} else {
		orphan = heir->child[1];
		parent = heir;
		red = heir->red;
		if (heir != va->child[1]) {
			parent = heir->parent;
			replace(t, heir, orphan);
			adopt(heir, 1, va->child[1]);
		}
		replace(t, va, heir);
		adopt(heir, 0, va->child[0]);
		heir->red = va->red;
	}
	unlink_list(t, va);
	for (up = parent; up; up = up->parent)
		up->max = largest(up);
	if (!red)
		erase_fixup(t, orphan, parent);
}

/** rmm_vmap_find() - __find_vmap_area(): the area that @address lies in */
struct rmm_vmap_area *rmm_vmap_find(const struct rmm_vmap_tree *t,
				    uintptr_t address)
{
	struct rmm_vmap_area *va = t->root;

	while (va && (address < va->start || address >= va->end))
		va = va->child[address >= va->end];
	return va;
}

/** rmm_vmap_find_exceed() - __find_vmap_area_exceed_addr(): the first area that
 *  ends above @address */
struct rmm_vmap_area *rmm_vmap_find_exceed(const struct rmm_vmap_tree *t,
					   uintptr_t address)
{
	struct rmm_vmap_area *va = t->root, *found = NULL;

	while (va) {
		bool above = va->end > address;

		if (above)
			found = va;
		va = va->child[!above];
	}
	return found;
}
