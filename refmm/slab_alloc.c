/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_alloc.c - an object of a cache, from the nearest place that has one.
 *
 *   kmem_cache_alloc --+--> sheaf of the CPU (slab_sheaf.c)
 *                      +--> the CPU's freelist (slab_fast.h)
 *                      +--> what others have freed in the CPU's slab
 *                      +--> the CPU's partial slabs
 *                      +--> the node's partial slabs, other nodes'
 *                      +--> a new slab (slab_page.c)
 *
 * A slab that a CPU allocates from is frozen: all its free objects are the
 * CPU's, and what others free there gathers on the slab's own list, until the
 * CPU comes for it. So both sides work without a lock.
 *
 *   objects out of a frozen slab = objects - on the CPU's list - on its own
 *   inuse of a frozen slab = objects - on its own
 *
 * A debug cache has no CPU slabs: each object is taken from a slab on a node's
 * list, under the lock, and looked at before it is given out.
 *
 * Locking: see slab_partial.c. A simulated CPU is one thread, so that nothing
 * of it changes between two lines.
 *
 * Modelled: slab_alloc_node, ___slab_alloc, get_from_partial's debug half
 * (alloc_single_from_partial, alloc_single_from_new_slab),
 * slab_pre_alloc_hook's should_failslab, slab_post_alloc_hook's zeroing.
 * Omitted: memory control groups, KASAN, KFENCE, pfmemalloc. (6.12, mm/slub.c;
 * LKD3 ch. 12 "Slab Layer")
 */
#include <string.h>

#include "slab_parts.h"

/* node_match() */
static bool node_match(const struct rmm_slab *slab, int nid)
{
	return nid < 0 || slab->node == nid;
}

/* load_freelist: take the first object, keep the rest */
static uintptr_t load_freelist(struct rmm_kmem_cache *s,
			       struct rmm_kmem_cache_cpu *c, uintptr_t freelist)
{
	c->freelist = rmm_get_freepointer(s, c->slab, freelist);
	rmm_wipe_freepointer(s, c->slab, freelist);
	return freelist;
}

/* The CPU has no free object of the right node. What others have freed in its
 * slab is its own now; a slab of another node has to go. */
static uintptr_t refill_cpu_slab(struct rmm_kmem_cache *s, unsigned int cpu,
				 int nid)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	struct rmm_slab *slab = c->slab;
	uintptr_t freelist = c->freelist;

	if (!slab)
		return 0;
	if (!node_match(slab, nid)) {
		c->stat.alloc_node_mismatch++;
		rmm_set_cpu_slab(s, c, NULL);
		c->freelist = 0;
		rmm_deactivate_slab(s, cpu, slab, freelist);
		return 0;
	}
	freelist = rmm_get_freelist(s, slab, true);
	if (freelist) {
		c->stat.alloc_refill++;
		return load_freelist(s, c, freelist);
	}
	rmm_set_cpu_slab(s, c, NULL);
	c->stat.deactivate_bypass++;
	return 0;
}

/* @slab, all of whose free objects were taken, becomes the CPU's. */
static uintptr_t load_slab(struct rmm_kmem_cache *s, unsigned int cpu,
			   struct rmm_slab *slab, uintptr_t freelist)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];

	rmm_set_cpu_slab(s, c, slab);
	return load_freelist(s, c, freelist);
}

/* The CPU's partial slabs; those of other nodes leave on the way. */
static uintptr_t alloc_from_cpu_partial(struct rmm_kmem_cache *s,
					unsigned int cpu, int nid)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	struct rmm_slab *slab;

	while ((slab = c->partial)) {
		c->partial = slab->next;
		slab->next = NULL;
		RMM_WRITE(slab->where, RMM_SLAB_NOWHERE);
		if (node_match(slab, nid)) {
			c->stat.cpu_partial_alloc++;
			return load_slab(s, cpu, slab,
					 rmm_get_freelist(s, slab, true));
		}
		rmm_put_partials(s, cpu, slab);
	}
	return 0;
}

/* What is left in a slab that is not to become the CPU's goes to its node. */
static uintptr_t take_one(struct rmm_kmem_cache *s, unsigned int cpu,
			  struct rmm_slab *slab)
{
	uintptr_t object = rmm_get_freelist(s, slab, true);
	uintptr_t rest = rmm_get_freepointer(s, slab, object);

	rmm_wipe_freepointer(s, slab, object);
	rmm_deactivate_slab(s, cpu, slab, rest);
	return object;
}

/* A slab that was found or made: the CPU's from now on, or, where CPUs have
 * none, good for one object */
static uintptr_t alloc_from(struct rmm_kmem_cache *s, unsigned int cpu,
			    struct rmm_slab *slab)
{
	if (!s->cpu_slabs)
		return take_one(s, cpu, slab);
	return load_slab(s, cpu, slab, rmm_get_freelist(s, slab, true));
}

/* new_objects: a node's slab or a new one. With a node in mind, but without
 * THISNODE, first only there and without effort. */
static uintptr_t alloc_new_objects(struct rmm_kmem_cache *s, unsigned int cpu,
				   unsigned int gfp, int nid)
{
	bool try_thisnode = nid >= 0 && !(gfp & RMM_GFP_THISNODE);
	unsigned int flags =
		try_thisnode ? (RMM_GFP_NOWAIT | RMM_GFP_THISNODE) : gfp;
	struct rmm_slab *slab;

	for (;;) {
		slab = rmm_get_partial(s, cpu, nid, flags);
		if (!slab)
			slab = rmm_new_slab(s, cpu, flags, nid);
		if (slab)
			return alloc_from(s, cpu, slab);
		if (!try_thisnode)
			return 0;
		try_thisnode = false;
		flags = gfp;
	}
}

/** rmm_alloc_from_slabs() - ___slab_alloc(): past the sheaves; 0: no memory */
uintptr_t rmm_alloc_from_slabs(struct rmm_kmem_cache *s, unsigned int cpu,
			       unsigned int gfp, int nid)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	uintptr_t object;

	if (c->freelist && node_match(c->slab, nid)) {
		c->alloc_fastpath++;
		return load_freelist(s, c, c->freelist);
	}
	c->stat.alloc_slowpath++;
	if (s->debug)
		return rmm_alloc_single(s, cpu, gfp, nid);
	object = refill_cpu_slab(s, cpu, nid);
	if (!object)
		object = alloc_from_cpu_partial(s, cpu, nid);
	return object ? object : alloc_new_objects(s, cpu, gfp, nid);
}

/* A node that the machine lacks, or that has no memory, is no wish. */
static int known_node(const struct rmm *rmm, int nid)
{
	return nid < (int)rmm->nr_nodes && nid >= 0 &&
			       rmm->zonelist[nid].nr_local
		       ? nid
		       : -1;
}

/* Sheaves first. When they are empty and cannot be filled, memory is tight: one
 * object may be had where a sheaf full of them is not. */
static void *alloc_node(struct rmm_kmem_cache *s, unsigned int cpu,
			unsigned int gfp, int nid)
{
	uintptr_t object = 0;

	if (s->sheaf_capacity)
		object = rmm_alloc_from_pcs(s, cpu, gfp, nid);
	if (!object)
		object = rmm_alloc_from_slabs(s, cpu, gfp, nid);
	return (void *)object;
}

/** rmm__slab_alloc_node() - slab_alloc_node(): all that the fast path leaves */
void *rmm__slab_alloc_node(struct rmm *rmm, unsigned int cpu,
			   struct rmm_kmem_cache *s, unsigned int gfp, int nid,
			   size_t size)
{
	void *object;

	if (cpu >= s->nr_cpus)
		return NULL;
	if (!(gfp & RMM_GFP_NOFAIL) &&
	    rmm_should_fail(rmm, RMM_FAULT_SLAB, gfp, 0))
		return NULL;
	object = alloc_node(s, cpu, gfp, known_node(rmm, nid));
	if (!object)
		return NULL;
	if (s->debug)
		rmm_track_alloc(s, cpu, (uintptr_t)object, size);
	/* All of it, for ksize() lets the caller use all; but where the request
	 * is kept, what lies behind it is a red zone. */
	if ((gfp & RMM_GFP_ZERO) && s->backed)
		memset(object, 0, rmm_keeps_size(s) ? size : s->object_size);
	return object;
}

/** rmm_kmem_cache_alloc() - kmem_cache_alloc() */
void *rmm_kmem_cache_alloc(struct rmm *rmm, unsigned int cpu,
			   struct rmm_kmem_cache *s, unsigned int gfp)
{
	return rmm_slab_alloc(rmm, cpu, s, gfp, s->object_size);
}

/** rmm_kmem_cache_alloc_node() - kmem_cache_alloc_node() */
void *rmm_kmem_cache_alloc_node(struct rmm *rmm, unsigned int cpu,
				struct rmm_kmem_cache *s, unsigned int gfp,
				int nid)
{
	return rmm__slab_alloc_node(rmm, cpu, s, gfp, nid, s->object_size);
}
