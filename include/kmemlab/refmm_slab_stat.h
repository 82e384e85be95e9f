/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_slab_stat.h - looking at caches of objects: what /sys/kernel/slab and
 * /proc/slabinfo say, path counts, finding caches. Nothing here changes
 * anything; the machine must be at rest.
 */
#ifndef KMEMLAB_REFMM_SLAB_STAT_H
#define KMEMLAB_REFMM_SLAB_STAT_H

#include <stddef.h>

#include <kmemlab/refmm_types.h>

struct rmm_kmem_cache;

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
	/* /proc/slabinfo's active_objs: all but what is free on the nodes'
	 * partial lists; free objects that CPUs hold count as active */
	uint64_t active_objs;
	uint64_t pages;
	uint64_t requested_bytes; /* kmalloc with STORE_USER: of live objects */
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
	uint64_t cmpxchg_fail, alloc_node_mismatch, deactivate_bypass,
		deactivate_remote_frees;
	uint64_t alloc_pcs, free_pcs, sheaf_refill, sheaf_flush, sheaf_swap;
	uint64_t barn_get, barn_get_fail, barn_put, barn_put_fail;
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
