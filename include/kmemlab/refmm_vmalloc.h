/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_vmalloc.h - memory that is contiguous by address only (LKD3 ch. 12,
 * "vmalloc()"), and pages of one's own mapped side by side (vmap).
 *
 *   rmm_setup_done -> rmm_vmalloc_init -> rmm_vmalloc / rmm_vfree
 *	-> rmm_destroy
 *
 * Addresses are numbers in the kernel's window. In backed mode with
 * rmm_config.remappable they are real: pages show up there, side by side, and
 * a byte beyond an area's pages faults. Functions that return int return 0 or
 * -errno and rmm_last_error() says what, on what and why.
 */
#ifndef KMEMLAB_REFMM_VMALLOC_H
#define KMEMLAB_REFMM_VMALLOC_H

#include <stddef.h>

#include <kmemlab/refmm_types.h>

enum rmm_vm_flags {
	RMM_VM_IOREMAP = 1 << 0, /* aligned to its size, up to 1 GiB */
	RMM_VM_ALLOC = 1 << 1,	 /* vmalloc's; set by refmm */
	RMM_VM_MAP = 1 << 2,	 /* vmap's */
	RMM_VM_NO_GUARD = 1 << 6,
	RMM_VM_MAP_PUT_PAGES = 1 << 9, /* vmap: vfree() frees the pages too */
	RMM_VM_ALLOW_HUGE_VMAP = 1 << 10, /* try huge pages first */
};

/* rmm_vmalloc_config_init() sets the defaults named here. */
struct rmm_vmalloc_config {
	/* Window; 0: x86-64's 32 TiB, or x86-32's between low memory and the
	 * kmap window. Backed: only its size counts; 0: enough. */
	uintptr_t start, end;
	bool pools; /* true: a node a CPU with pools of free areas (6.9; 64 bits
		     * only); false: as 6.1 */
	bool pool_drops_small;	  /* true: a pool of 1 to 3 areas decays wholly
				   * (6.9 to 6.15); false: by a quarter, so not
				   * at all */
	bool huge;		  /* true: CONFIG_HAVE_ARCH_HUGE_VMALLOC */
	bool manual_purge;	  /* false; true: only rmm_drain_vmap_work() */
	unsigned int online_cpus; /* 0: all */
	uint64_t lazy_max_pages;  /* 0: fls(online_cpus) * 32 MiB */
};

struct rmm_vmalloc_args {
	size_t size, align;   /* bytes; 0: a page */
	uintptr_t start, end; /* 0: the window */
	unsigned int gfp, flags;
	int nid; /* -1: @cpu's */
};

/* ---- The layer (refmm/vmalloc.c) ---------------------------------------- */

void rmm_vmalloc_config_init(struct rmm_vmalloc_config *c);
/** rmm_vmalloc_init() - once per machine, after rmm_setup_done(); NULL: the
 *  defaults. -EBUSY, -EINVAL, -ENOMEM, -EOPNOTSUPP: arena not remappable */
int rmm_vmalloc_init(struct rmm *rmm, const struct rmm_vmalloc_config *c);
/** rmm_vmalloc() - GFP_KERNEL; NULL: no pages, no addresses, or @size is 0 or
 *  more than all memory. rmm_vzalloc(): zeroed; _huge: huge pages if possible
 */
void *rmm_vmalloc(struct rmm *rmm, unsigned int cpu, size_t size);
void *rmm_vzalloc(struct rmm *rmm, unsigned int cpu, size_t size);
void *rmm_vmalloc_node(struct rmm *rmm, unsigned int cpu, size_t size, int nid);
void *rmm_vmalloc_huge(struct rmm *rmm, unsigned int cpu, size_t size,
		       unsigned int gfp);
void *rmm___vmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		    unsigned int gfp);
void *rmm___vmalloc_node_range(struct rmm *rmm, unsigned int cpu,
			       const struct rmm_vmalloc_args *args);
/** rmm_get_vm_area() - addresses and a guard, without pages (get_vm_area);
 *  rmm_vfree() gives them back. 0: none */
uintptr_t rmm_get_vm_area(struct rmm *rmm, unsigned int cpu,
			  const struct rmm_vmalloc_args *args);
/** rmm_vfree() - NULL is fine. In an interrupt put off until
 *  rmm_delayed_vfree_work(). -EINVAL: no area begins there, or freed already
 */
int rmm_vfree(struct rmm *rmm, unsigned int cpu, const void *address);
int rmm_vfree_atomic(struct rmm *rmm, unsigned int cpu, const void *address);
/** rmm_delayed_vfree_work() - frees what was put off on @cpu; how many areas */
size_t rmm_delayed_vfree_work(struct rmm *rmm, unsigned int cpu);
/** rmm_vmap() - show @pages[@count] side by side; @flags: RMM_VM_MAP and the
 *  like. The pages stay the caller's, unless MAP_PUT_PAGES. */
void *rmm_vmap(struct rmm *rmm, unsigned int cpu, struct rmm_page **pages,
	       size_t count, unsigned int flags);
int rmm_vunmap(struct rmm *rmm, unsigned int cpu, const void *address);

/* ---- kvmalloc (refmm/vmalloc_kv.c): kmalloc, or if that fails vmalloc ---- */
void *rmm_kvmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		   unsigned int gfp);
void *rmm_kvmalloc_node(struct rmm *rmm, unsigned int cpu, size_t size,
			unsigned int gfp, int nid);
int rmm_kvfree(struct rmm *rmm, unsigned int cpu, const void *address);

/* ---- Purging (refmm/vmalloc_purge.c) ------------------------------------ */

/** rmm_drain_vmap_work() - as the kernel's worker does over the threshold: one
 *  TLB flush, then freed areas can be used again; how many were purged */
uint64_t rmm_drain_vmap_work(struct rmm *rmm, unsigned int cpu);
/** rmm_purge_vmap_areas() - as on lack of addresses: pools too */
uint64_t rmm_purge_vmap_areas(struct rmm *rmm, unsigned int cpu);
/** rmm_shrink_vmap_pools() - as reclaim does: free areas leave the pools */
void rmm_shrink_vmap_pools(struct rmm *rmm, unsigned int cpu);

/* ---- Context: what runs on a CPU (refmm/vmalloc_context.c) -------------- */

/* In an interrupt, or with preemption off, nothing may sleep: vmalloc and kmap
 * are refused. Calls nest. */
void rmm_irq_enter(struct rmm *rmm, unsigned int cpu);
void rmm_irq_exit(struct rmm *rmm, unsigned int cpu);
void rmm_preempt_disable(struct rmm *rmm, unsigned int cpu);
void rmm_preempt_enable(struct rmm *rmm, unsigned int cpu);
bool rmm_in_interrupt(const struct rmm *rmm, unsigned int cpu);
bool rmm_in_atomic(const struct rmm *rmm, unsigned int cpu);

/* ---- Looking (refmm/vmalloc_stat.c) ------------------------------------- */

/* As in /proc/vmallocinfo: @size includes the guard page. */
struct rmm_vm_area {
	uintptr_t address;
	size_t size, requested;
	uint64_t nr_pages;
	unsigned int flags, page_order;
};

struct rmm_vmalloc_stat {
	uint64_t areas, lazy_areas, pool_areas, free_areas;
	uint64_t nr_pages;	       /* VmallocUsed, in pages */
	uint64_t lazy_pages, lazy_max; /* pages of address space */
	uint64_t alloc, failed, free;  /* calls */
	uint64_t pool_hit, tree_search;
	uint64_t drain, purge, purged; /* runs by threshold, by lack; areas */
	uint64_t bulk_calls, bulk_pages, single_pages, huge_pages;
	uint64_t huge_fallback, deferred;
};

uintptr_t rmm_vmalloc_start(const struct rmm *rmm);
uintptr_t rmm_vmalloc_end(const struct rmm *rmm);
bool rmm_is_vmalloc_addr(const struct rmm *rmm, const void *address);
/** rmm_vmalloc_to_page() - page behind @address; NULL: guard page, or none */
struct rmm_page *rmm_vmalloc_to_page(const struct rmm *rmm,
				     const void *address);
/** rmm_find_vm_area() - area that @address lies in; -ENOENT */
int rmm_find_vm_area(const struct rmm *rmm, const void *address,
		     struct rmm_vm_area *out);
/** rmm_next_vm_area() - the first in use that ends above @address, or -ENOENT
 */
int rmm_next_vm_area(const struct rmm *rmm, uintptr_t address,
		     struct rmm_vm_area *out);
void rmm_vmalloc_stat(const struct rmm *rmm, struct rmm_vmalloc_stat *out);

#endif
