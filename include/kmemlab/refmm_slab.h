/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_slab.h - caches of equal objects, and kmalloc on top of them (LKD3
 * ch. 12, "Slab Layer" and "kmalloc()"). The rules are SLUB's.
 *
 *   rmm_setup_done -> rmm_kmem_cache_init -> rmm_kmem_cache_create
 *	-> rmm_kmem_cache_alloc / free -> rmm_kmem_cache_destroy -> rmm_destroy
 *
 * Objects are addresses: of usable memory in backed mode, else numbers in the
 * direct map. NULL means none, as ever. Functions that return int return 0 or
 * -errno and rmm_last_error() names cache, object, slab and last owner.
 */
#ifndef KMEMLAB_REFMM_SLAB_H
#define KMEMLAB_REFMM_SLAB_H

#include <stddef.h>

#include <kmemlab/refmm_kmalloc.h>
#include <kmemlab/refmm_slab_stat.h>
#include <kmemlab/refmm_types.h>

struct rmm_kmem_cache;

enum rmm_slab_flags {
	RMM_SLAB_HWCACHE_ALIGN = 1 << 0,
	RMM_SLAB_PANIC = 1 << 1,	   /* kept for the name's sake */
	RMM_SLAB_RECLAIM_ACCOUNT = 1 << 2, /* pages are RECLAIMABLE */
	RMM_SLAB_TYPESAFE_BY_RCU = 1 << 3, /* slabs live until a grace period */
	RMM_SLAB_CACHE_DMA = 1 << 4,
	RMM_SLAB_CACHE_DMA32 = 1 << 5,
	RMM_SLAB_ACCOUNT = 1 << 6,
	RMM_SLAB_NO_MERGE = 1 << 7,
	RMM_SLAB_CONSISTENCY_CHECKS = 1 << 8, /* slab_debug=F */
	RMM_SLAB_RED_ZONE = 1 << 9,	      /* Z */
	RMM_SLAB_POISON = 1 << 10,	      /* P */
	RMM_SLAB_STORE_USER = 1 << 11,	      /* U: who had an object */
	RMM_SLAB_KMALLOC = 1 << 12, /* a kmalloc cache: U knows the request */
	RMM_SLAB_DEBUG_FLAGS = RMM_SLAB_CONSISTENCY_CHECKS | RMM_SLAB_RED_ZONE |
			       RMM_SLAB_POISON | RMM_SLAB_STORE_USER,
};

/* Which caches keep per-CPU arrays of free objects in front of their slabs */
enum rmm_sheaves {
	RMM_SHEAVES_OFF = 0,	/* up to 6.17 */
	RMM_SHEAVES_CHOSEN = 1, /* 6.18: those that ask for it */
	RMM_SHEAVES_ALL = 2,	/* 7.x: all, and no per-CPU slabs */
};

/* Boot parameters and build options, under the kernel's names. */
struct rmm_slab_config {
	unsigned int min_order;	      /* 0; slab_min_order */
	unsigned int max_order;	      /* 3; slab_max_order */
	unsigned int min_objects;     /* 0: 4 * (fls(nr_cpus) + 1) */
	unsigned int nr_cpus;	      /* 0: as the machine's; possible CPUs */
	unsigned int cache_line_size; /* 64 */
	unsigned int debug;   /* RMM_SLAB_*: of all caches; slab_debug */
	bool order_61;	      /* false; calculate_order() before 6.8 */
	bool nomerge;	      /* false; slab_nomerge */
	bool cpu_partial;     /* true; CONFIG_SLUB_CPU_PARTIAL */
	bool freelist_random; /* false; CONFIG_SLAB_FREELIST_RANDOM */
	uint64_t random_seed;
	enum rmm_sheaves sheaves;
	unsigned int kmalloc_minalign; /* 8; ARCH_KMALLOC_MINALIGN */
	bool kmalloc_align_61; /* false; before 6.11: aligned if 2^n bytes */
	bool kmalloc_account;  /* false; keep what kmalloc() was asked for */
};

struct rmm_kmem_cache_args {
	const char *name;   /* copied */
	unsigned int size;  /* bytes of an object; 1..4 MiB */
	unsigned int align; /* a power of two, or 0 */
	unsigned int flags; /* enum rmm_slab_flags */
	/* May be NULL. Called once per object when its slab is made; only in
	 * backed mode is there memory to construct. */
	void (*ctor)(void *object);
	unsigned int sheaf_capacity; /* 0: the default of the configuration */
	unsigned int usersize; /* bytes that users may copy: never merged */
	/* Where the free pointer lies although a constructor or RCU readers
	 * forbid the middle of the object; read if use_freeptr_offset */
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
};

/* ---- The layer (refmm/slab.c) ------------------------------------------ */

void rmm_slab_config_init(struct rmm_slab_config *c);
/** rmm_kmem_cache_init() - once per machine, after rmm_setup_done(); creates
 * the kmalloc caches. NULL: the defaults. -EBUSY, -EINVAL, -ENOMEM */
int rmm_kmem_cache_init(struct rmm *rmm, const struct rmm_slab_config *c);
/** rmm_kmem_cache_create() - NULL: see rmm_last_error(). A cache that may be
 *  merged is an alias of the one that is like it. */
struct rmm_kmem_cache *
rmm_kmem_cache_create(struct rmm *rmm, const struct rmm_kmem_cache_args *args);
/** rmm_kmem_cache_destroy() - -EBUSY, and nothing changes, if objects live */
int rmm_kmem_cache_destroy(struct rmm *rmm, unsigned int cpu,
			   struct rmm_kmem_cache *s);
void *rmm_kmem_cache_alloc(struct rmm *rmm, unsigned int cpu,
			   struct rmm_kmem_cache *s, unsigned int gfp);
/** rmm_kmem_cache_alloc_node() - near node @nid (-1: @cpu's) */
void *rmm_kmem_cache_alloc_node(struct rmm *rmm, unsigned int cpu,
				struct rmm_kmem_cache *s, unsigned int gfp,
				int nid);
/** rmm_kmem_cache_free() - NULL is fine. -EINVAL: double free, not an object of
 *  @s, or not an object at all; -EUCLEAN: overrun or used after free (debug) */
int rmm_kmem_cache_free(struct rmm *rmm, unsigned int cpu,
			struct rmm_kmem_cache *s, void *object);
/** rmm_kmem_cache_alloc_bulk() - all @nr or none; returns @nr or 0 */
size_t rmm_kmem_cache_alloc_bulk(struct rmm *rmm, unsigned int cpu,
				 struct rmm_kmem_cache *s, unsigned int gfp,
				 size_t nr, void **objects);
/** rmm_kmem_cache_free_bulk() - @s NULL: as rmm_kfree() of each (kfree_bulk) */
int rmm_kmem_cache_free_bulk(struct rmm *rmm, unsigned int cpu,
			     struct rmm_kmem_cache *s, size_t nr,
			     void **objects);
/** rmm_kmem_cache_shrink() - give empty slabs back, sort the partial ones;
 *  returns 1 if slabs are left, 0 if none is */
int rmm_kmem_cache_shrink(struct rmm *rmm, unsigned int cpu,
			  struct rmm_kmem_cache *s);
/** rmm_kfree_rcu() - rmm_kfree() after a grace period, which has passed when
 *  rmm_rcu_barrier() returns */
int rmm_kfree_rcu(struct rmm *rmm, unsigned int cpu, void *object);
/** rmm_rcu_barrier() - a grace period passes: what waited for it is freed, all
 *  of it; returns 0, or why the last object that was refused was (-EINVAL:
 *  rmm_kfree_rcu() twice, or freed meanwhile; -EUCLEAN, as for a free) */
int rmm_rcu_barrier(struct rmm *rmm, unsigned int cpu);

#endif
