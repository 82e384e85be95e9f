/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_highmem.h - pages without an address of their own (LKD3 ch. 12, "High
 * Memory Mappings"), on a machine that rmm_config_32bit() has laid out.
 *
 *   rmm_setup_done -> rmm_highmem_init -> rmm_kmap / rmm_kunmap,
 *	rmm_kmap_local_page / rmm_kunmap_local -> rmm_destroy
 *
 * Pages of low memory have an address anyway: all calls return it at once, on
 * any machine, and without rmm_highmem_init().
 */
#ifndef KMEMLAB_REFMM_HIGHMEM_H
#define KMEMLAB_REFMM_HIGHMEM_H

#include <stddef.h>

#include <kmemlab/refmm_types.h>

enum { RMM_KM_MAX_IDX = 16 }; /* slots a CPU; 15 of them can be used */

/* rmm_highmem_config_init() sets the defaults named here. */
struct rmm_highmem_config {
	/* Slots of the kmap window, a power of two; 0: 512 (PAE) with memory
	 * beyond 4 GiB, else 1024 */
	unsigned int last_pkmap;
	/* The window is full: wait until somebody has called rmm_kunmap(), on
	 * whatever CPU; no lock is held. Returns false to give up. NULL: never
	 * wait. */
	bool (*wait)(void *ctx, unsigned int cpu);
	void *ctx;
};

struct rmm_highmem_stat {
	unsigned int slots, used, stale; /* stale: unused, but not flushed */
	uint64_t kmap, kunmap;		 /* of high memory */
	uint64_t found;			 /* kmaps of what was mapped already */
	uint64_t flushes, waits, failed;
	uint64_t local, local_deepest;
};

void rmm_highmem_config_init(struct rmm_highmem_config *c);
/** rmm_highmem_init() - once per machine; NULL: the defaults. -EBUSY, -EINVAL,
 *  -ENOMEM, -EOPNOTSUPP: arena not remappable */
int rmm_highmem_init(struct rmm *rmm, const struct rmm_highmem_config *c);

/* ---- Permanent mappings: few, shared, may wait --------------------------- */

/** rmm_kmap() - address of @page, the same for all that have it mapped; NULL:
 *  the window is full and nobody waits, or the CPU is in atomic context */
void *rmm_kmap(struct rmm *rmm, unsigned int cpu, struct rmm_page *page);
/** rmm_kunmap() - -EINVAL: @page is not mapped */
int rmm_kunmap(struct rmm *rmm, unsigned int cpu, struct rmm_page *page);
/** rmm_kmap_flush_unused() - slots nobody uses are unmapped now */
void rmm_kmap_flush_unused(struct rmm *rmm);

/* ---- Temporary mappings: this CPU's, never wait -------------------------- */

/** rmm_kmap_local_page() - an address for @cpu alone; NULL: too deep */
void *rmm_kmap_local_page(struct rmm *rmm, unsigned int cpu,
			  struct rmm_page *page);
/** rmm_kunmap_local() - the last one mapped first; -EINVAL: it is not that */
int rmm_kunmap_local(struct rmm *rmm, unsigned int cpu, const void *address);
/** rmm_kmap_atomic() - LKD3's name: a local mapping, and no sleep until
 *  rmm_kunmap_atomic(). The type that LKD3 passes chose the slot then; since
 *  2.6.37 the slots are a stack. */
void *rmm_kmap_atomic(struct rmm *rmm, unsigned int cpu, struct rmm_page *page);
int rmm_kunmap_atomic(struct rmm *rmm, unsigned int cpu, const void *address);

/** rmm_kmap_to_page() - page that a kmap address shows, or a page of low
 *  memory; NULL: neither */
struct rmm_page *rmm_kmap_to_page(const struct rmm *rmm, const void *address);
void rmm_highmem_stat(const struct rmm *rmm, struct rmm_highmem_stat *out);

#endif
