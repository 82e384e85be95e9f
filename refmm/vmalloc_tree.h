/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_tree.h - areas of addresses, and trees of them; knows nothing of
 * pages.
 */
#ifndef REFMM_VMALLOC_TREE_H
#define REFMM_VMALLOC_TREE_H

#include "lock.h"

/* [start, end), guard included (struct vmap_area) */
struct rmm_vmap_area {
	uintptr_t start, end;
	struct rmm_vmap_area *child[2], *parent;
	struct rmm_vmap_area *prev, *next; /* by address; or of a pool */
	uintptr_t max; /* size of the largest in this subtree */
	struct rmm_vm_struct *vm;
	bool red;
	uint8_t node; /* to whose pool it goes, plus one; 0: to none */
};

struct rmm_vmap_tree {
	struct rmm_vmap_area *root, *first;
	size_t count;
};

/* A search for addresses */
struct rmm_vmap_want {
	uintptr_t size, align, start, end;
	unsigned int gfp, cpu;
};

static inline uintptr_t rmm_align_up(uintptr_t v, uintptr_t align)
{
	return (v + align - 1) & ~(align - 1);
}

static inline uintptr_t rmm_va_size(const struct rmm_vmap_area *va)
{
	return va->end - va->start;
}

/* vmalloc_tree.c */
bool rmm_vmap_insert(struct rmm_vmap_tree *t, struct rmm_vmap_area *va);
void rmm_vmap_erase(struct rmm_vmap_tree *t, struct rmm_vmap_area *va);
void rmm_vmap_propagate(struct rmm_vmap_area *va);
struct rmm_vmap_area *rmm_vmap_find(const struct rmm_vmap_tree *t,
				    uintptr_t address);
struct rmm_vmap_area *rmm_vmap_find_exceed(const struct rmm_vmap_tree *t,
					   uintptr_t address);

/* vmalloc_free.c; free_lock held where the tree is the free one */
struct rmm_vmap_area *rmm_merge_or_add_vmap_area(struct rmm_vmap_tree *t,
						 struct rmm_vmap_area *va);
struct rmm_vmap_area *
rmm_find_vmap_lowest_match(const struct rmm_vmap_tree *t,
			   const struct rmm_vmap_want *want, bool adjust);
uintptr_t rmm___alloc_vmap_area(struct rmm_vmap_tree *t, uintptr_t page,
				const struct rmm_vmap_want *want);

#endif
