/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc.h - address space: areas, trees of them, and the layer's state.
 *
 *   struct rmm_vmalloc --+-- free        tree: addresses nobody has
 *                        +-- node[id] ---+-- busy   tree: in use
 *                                        +-- lazy   tree: TLB not flushed
 *                                        +-- pool[pages - 1]  lists: ready
 *
 * An address of the space is in just one area, and each area in just one of
 * these places.
 *
 * Locking: purge_lock, then one of a node's locks or free_lock; never two of
 * these. None is held while pages are allocated or freed. (6.12: mm/vmalloc.c)
 */
#ifndef REFMM_VMALLOC_H
#define REFMM_VMALLOC_H

#include "vmalloc_tree.h"

enum {
	RMM_VMAP_POOLS = 256,	/* MAX_VA_SIZE_PAGES */
	RMM_VMAP_NODES = 128,	/* at most */
	RMM_VMAP_ZONE = 16,	/* pages that belong to one node */
	RMM_VMALLOC_BULK = 100, /* pages in one bulk call */
};

/* What an area in use holds (struct vm_struct). */
struct rmm_vm_struct {
	uintptr_t address;
	size_t size, requested;	 /* with guard; asked for */
	struct rmm_page **pages; /* what is mapped, in order */
	size_t nr_mapped;	 /* entries of it */
	size_t nr_pages;	 /* of these, those that vfree() frees */
	unsigned int flags, page_order;
	bool deferred;		    /* vfree() was put off; busy_lock */
	struct rmm_vm_struct *next; /* on the list of these */
};

struct rmm_vmap_pool {
	struct rmm_vmap_area *first, *last;
	size_t len;
};

struct rmm_vmap_node {
	uint8_t busy_lock, lazy_lock, pool_lock;
	bool skip_populate; /* purge past the pools */
	struct rmm_vmap_tree busy, lazy;
	struct rmm_vmap_area *purge; /* by address */
	struct rmm_vmap_pool pool[RMM_VMAP_POOLS];
} __attribute__((aligned(64)));

/* vfree() put off, for one CPU (struct vfree_deferred) */
struct rmm_vfree_deferred {
	struct rmm_vm_struct *first;
	uint8_t lock;
} __attribute__((aligned(64)));

struct rmm_vmalloc {
	struct rmm_vmalloc_config config;
	uintptr_t start, end;		  /* the window */
	uintptr_t space_start, space_end; /* all addresses */
	uintptr_t mapped_at;		  /* backed: reserved of the host's */
	size_t mapped_bytes;
	struct rmm_vmap_tree free;
	uint8_t free_lock, purge_lock;
	unsigned int nr_nodes;
	uintptr_t zone_size; /* bytes that belong to one node */
	struct rmm_vmap_node *node;
	struct rmm_vfree_deferred *deferred;  /* [nr_cpus] */
	uint64_t lazy_max, lazy_nr, nr_pages; /* in pages */
	uint64_t total_pages;		      /* totalram_pages() */
	struct rmm_vmalloc_stat stat;	      /* counts only */
};

#define RMM_ADD(x, n) __atomic_add_fetch(&(x), n, __ATOMIC_RELAXED)

static inline struct rmm_vmalloc *rmm_vmalloc_of(const struct rmm *rmm)
{
	return rmm->layer[RMM_LAYER_VMALLOC].state;
}

static inline uintptr_t rmm_page_bytes(const struct rmm *rmm)
{
	return (uintptr_t)1 << rmm->config.page_shift;
}

/* vmalloc_area.c */
struct rmm_vmap_node *rmm_addr_to_node(const struct rmm_vmalloc *v,
				       uintptr_t address);
struct rmm_vmap_area *rmm_alloc_vmap_area(struct rmm *rmm,
					  const struct rmm_vmap_want *want,
					  struct rmm_vm_struct *vm);
struct rmm_vm_struct *rmm_find_vm_struct(const struct rmm *rmm,
					 uintptr_t address);
uintptr_t rmm_vm_start(const struct rmm *rmm, uintptr_t address);
/* To what end an area is claimed */
enum rmm_vmap_claim {
	RMM_CLAIM_VFREE,
	RMM_CLAIM_VUNMAP, /* vfree() of what has no pages */
	RMM_CLAIM_DEFER,  /* vfree() later */
	RMM_CLAIM_WORKER, /* now */
};
int rmm_claim_vmap_area(struct rmm *rmm, uintptr_t address,
			enum rmm_vmap_claim claim, struct rmm_vmap_area **out);

/* vmalloc_purge.c */
struct rmm_vmap_area *rmm_node_alloc(struct rmm *rmm,
				     const struct rmm_vmap_want *want,
				     uint8_t *node);
void rmm_free_vmap_area_noflush(struct rmm *rmm, unsigned int cpu,
				struct rmm_vmap_area *va);
uint64_t rmm_reclaim_and_purge_vmap_areas(struct rmm *rmm);

/* vmalloc_pages.c */
int rmm___vmalloc_area_node(struct rmm *rmm, unsigned int cpu,
			    struct rmm_vm_struct *vm,
			    const struct rmm_vmalloc_args *args);
void rmm_vmalloc_free_pages(struct rmm *rmm, unsigned int cpu,
			    struct rmm_vm_struct *vm);
int rmm_vmap_pages_range(struct rmm *rmm, const struct rmm_vm_struct *vm);

/* vmalloc_validate.c */
int rmm_vmalloc_validate(const struct rmm *rmm, const void *state, char *msg,
			 size_t size);

#endif
