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
	bool nomerge;	      /* false; slab_nomerge */
	bool cpu_partial;     /* true; CONFIG_SLUB_CPU_PARTIAL */
	bool freelist_random; /* false; CONFIG_SLAB_FREELIST_RANDOM */
	uint64_t random_seed;
	enum rmm_sheaves sheaves;
	unsigned int kmalloc_minalign; /* 8; ARCH_KMALLOC_MINALIGN */
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
	bool freeptr_outside; /* the free pointer never overlays the object */
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
/** rmm_kmem_cache_free_bulk() - @s NULL: each object's own cache */
int rmm_kmem_cache_free_bulk(struct rmm *rmm, unsigned int cpu,
			     struct rmm_kmem_cache *s, size_t nr,
			     void **objects);
/** rmm_kmem_cache_shrink() - give empty slabs back, sort the partial ones;
 *  returns 1 if slabs are left, 0 if none is */
int rmm_kmem_cache_shrink(struct rmm *rmm, unsigned int cpu,
			  struct rmm_kmem_cache *s);
/** rmm_kfree_rcu() - free after a grace period, which is rmm_rcu_barrier()'s
 *  return (kvfree_rcu) */
int rmm_kfree_rcu(struct rmm *rmm, unsigned int cpu, void *object);
/** rmm_rcu_barrier() - a grace period passes: what waited for it is freed */
void rmm_rcu_barrier(struct rmm *rmm, unsigned int cpu);

/* ---- kmalloc (refmm/kmalloc.c) ----------------------------------------- */

enum { RMM_KMALLOC_MAX_CACHE_BYTES = 8192 }; /* larger: whole pages */
/* What kmalloc(0) returns; freeing it does nothing. */
#define RMM_ZERO_SIZE_PTR ((void *)16)

void *rmm_kmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		  unsigned int gfp);
void *rmm_kmalloc_node(struct rmm *rmm, unsigned int cpu, size_t size,
		       unsigned int gfp, int nid);
void *rmm_kzalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		  unsigned int gfp);
/** rmm_kmalloc_array(), rmm_kcalloc() - NULL if @n * @size overflows */
void *rmm_kmalloc_array(struct rmm *rmm, unsigned int cpu, size_t n,
			size_t size, unsigned int gfp);
void *rmm_kcalloc(struct rmm *rmm, unsigned int cpu, size_t n, size_t size,
		  unsigned int gfp);
/** rmm_krealloc() - moves only if the object's slot is too small; size 0 frees
 */
void *rmm_krealloc(struct rmm *rmm, unsigned int cpu, void *object, size_t size,
		   unsigned int gfp);
int rmm_kfree(struct rmm *rmm, unsigned int cpu, const void *object);
/** rmm_ksize() - usable bytes of an object; 0 for NULL and for size 0 */
size_t rmm_ksize(const struct rmm *rmm, const void *object);
/** rmm_kmalloc_size_roundup() - bytes that a request of @size really gets */
size_t rmm_kmalloc_size_roundup(const struct rmm *rmm, size_t size);
/** rmm_kmalloc_slab() - cache that serves @size under @gfp; NULL: too large */
struct rmm_kmem_cache *rmm_kmalloc_slab(const struct rmm *rmm, size_t size,
					unsigned int gfp);

/* ---- Looking (refmm/slab_stat.c) --------------------------------------- */

/* As in /sys/kernel/slab/NAME and /proc/slabinfo */
struct rmm_kmem_cache_info {
	const char *name;
	unsigned int object_size, size, align, flags;
	unsigned int order, objs_per_slab; /* of new slabs (oo) */
	unsigned int min_order,
		min_objects; /* when that order is not to be had */
	unsigned int cpu_partial, cpu_partial_slabs, min_partial;
	unsigned int sheaf_capacity, aliases;
	uint64_t slabs, partial;	    /* partial: on the nodes' lists */
	uint64_t cpu_slabs, cpu_partial_nr; /* held by CPUs */
	uint64_t objects, total_objects;    /* live; live and free */
	uint64_t pages;
	uint64_t requested_bytes; /* kmalloc: of live objects; else 0 */
};

/* Path counts: CONFIG_SLUB_STATS' names */
struct rmm_slab_stat {
	uint64_t alloc_fastpath, alloc_slowpath, free_fastpath, free_slowpath;
	uint64_t alloc_from_partial, alloc_slab, alloc_refill, free_slab;
	uint64_t cpu_partial_alloc, cpu_partial_free, cpu_partial_node,
		cpu_partial_drain;
	uint64_t free_frozen, free_add_partial, free_remove_partial;
	uint64_t deactivate_full, deactivate_empty, deactivate_to_head,
		deactivate_to_tail, cpuslab_flush, order_fallback;
	uint64_t sheaf_refill, sheaf_flush, barn_get, barn_put;
};

void rmm_kmem_cache_info(const struct rmm *rmm, const struct rmm_kmem_cache *s,
			 struct rmm_kmem_cache_info *out);
void rmm_slab_stat(const struct rmm *rmm, const struct rmm_kmem_cache *s,
		   struct rmm_slab_stat *out);
/** rmm_kmem_cache_next() - caches in order of creation; NULL begins and ends */
struct rmm_kmem_cache *rmm_kmem_cache_next(const struct rmm *rmm,
					   const struct rmm_kmem_cache *s);
struct rmm_kmem_cache *rmm_kmem_cache_find(const struct rmm *rmm,
					   const char *name);
/** rmm_virt_to_cache() - cache that @object's page belongs to; NULL: none */
struct rmm_kmem_cache *rmm_virt_to_cache(const struct rmm *rmm,
					 const void *object);

#endif
