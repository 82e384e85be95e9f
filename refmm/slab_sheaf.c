/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_sheaf.c - sheaves: arrays of free objects in front of the slabs.
 *
 *     CPU 0              CPU 1               node's barn
 *   main  [o o o . .]  main  [o . . . .]    full   [ooooo] [ooooo]
 *   spare [. . . . .]  spare [o o o o o]    empty  [.....]
 *
 * A CPU takes objects from the end of its main sheaf and puts them back there.
 * When that is empty or full, the spare one takes its place; when both are, one
 * is changed at the barn for a full or an empty one; only when the barn cannot
 * help do objects come from slabs, or go there, a sheaf at a time. So a CPU
 * that only frees feeds one that only allocates, and neither touches a slab.
 * In 6.18, who may not wait (GFP_ATOMIC) fills none: past the barn, that takes
 * one object from a slab.
 *
 *   0 <= sheaf->size <= capacity
 *   full sheaves of a barn <= 10, all objects in them are free
 *
 * An object in a sheaf counts as in use in its slab; its free pointer says all
 * the same that it is free (end of a list), so that a double free is seen.
 * Objects of other nodes, and with a node in mind, go past the sheaves.
 *
 * Locking: a CPU's sheaves are the CPU's; node->barn_lock for the barn.
 *
 * Modelled: alloc_from_pcs, __pcs_replace_empty_main, free_to_pcs,
 * __pcs_replace_full_main, barn_replace_empty_sheaf, barn_replace_full_sheaf,
 * refill_sheaf, sheaf_flush_unused, __kfree_rcu_sheaf, rcu_free_sheaf,
 * pcs_flush_all, and 7.x's calculate_sheaf_capacity. Omitted: prefilled
 * sheaves (kmem_cache_prefill_sheaf). (6.18 and 7.x, mm/slub.c; not in LKD3)
 */
#include "slab_parts.h"

enum {
	SHEAF_HEAD_BYTES = 32, /* of the kernel's struct slab_sheaf */
};

/* What kmalloc() would give for @bytes: 2^n, and 96 and 192 */
static unsigned int kmalloc_bytes(unsigned int bytes)
{
	unsigned int size = 8;

	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	while (size < bytes)
		size *= 2;
	return size;
}

/* 7.x: half of what CPUs once kept in partial slabs, as there are two sheaves,
 * and as many more as the memory for it holds; at least what was asked for */
static unsigned int calculate_capacity(const struct rmm_kmem_cache *s,
				       unsigned int asked)
{
	unsigned int nr;

	if (s->size >= 1u << s->layer->page_shift)
		nr = 4;
	else if (s->size >= 1024)
		nr = 12;
	else if (s->size >= 256)
		nr = 26;
	else
		nr = 60;
	nr = (kmalloc_bytes(SHEAF_HEAD_BYTES + nr * 8) - SHEAF_HEAD_BYTES) / 8;
	return nr > asked ? nr : asked;
}

/** rmm_set_sheaf_capacity() - calculate_sheaf_capacity(); debug caches have no
 *  sheaves, as objects would pass unseen */
void rmm_set_sheaf_capacity(struct rmm_kmem_cache *s, unsigned int asked)
{
	enum rmm_sheaves which = s->layer->config.sheaves;

	if (s->debug || which == RMM_SHEAVES_OFF)
		s->sheaf_capacity = 0;
	else if (which == RMM_SHEAVES_CHOSEN)
		s->sheaf_capacity = asked;
	else
		s->sheaf_capacity = calculate_capacity(s, asked);
}

/** rmm_create_sheaves() - init_percpu_sheaves(): a main sheaf for each CPU;
 *  false: no memory, what there is is rmm_destroy_sheaves()'s */
bool rmm_create_sheaves(struct rmm_kmem_cache *s)
{
	for (unsigned int i = 0; s->sheaf_capacity && i < s->nr_cpus; i++) {
		s->cpu[i].main = rmm_alloc_empty_sheaf(s);
		if (!s->cpu[i].main)
			return false;
	}
	return true;
}

/** rmm_flush_sheaf() - sheaf_flush_unused(): all objects to their slabs */
void rmm_flush_sheaf(struct rmm_kmem_cache *s, unsigned int cpu,
		     struct rmm_sheaf *sheaf)
{
	s->cpu[cpu].stat.sheaf_flush += sheaf->size;
	while (sheaf->size) {
		uintptr_t object = (uintptr_t)sheaf->objects[--sheaf->size];

		rmm_free_to_slab(s, cpu, rmm_virt_to_slab(s->layer, object),
				 object);
	}
}

/* refill_sheaf(): full afterwards, or false and as it was */
static bool refill_sheaf(struct rmm_kmem_cache *s, unsigned int cpu,
			 unsigned int gfp, struct rmm_sheaf *sheaf)
{
	unsigned int nr = s->sheaf_capacity - sheaf->size;
	void **to = &sheaf->objects[sheaf->size];

	if (!rmm_bulk_from_slabs(s, cpu, gfp | RMM_GFP_NOMEMALLOC, nr, to))
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		uintptr_t object = (uintptr_t)to[i];

		rmm_set_freepointer(s, rmm_virt_to_slab(s->layer, object),
				    object, 0);
	}
	sheaf->size += nr;
	s->cpu[cpu].stat.sheaf_refill += nr;
	return true;
}

/* A full sheaf for the CPU whose two are empty, from slabs */
static struct rmm_sheaf *make_full(struct rmm_kmem_cache *s, unsigned int cpu,
				   unsigned int gfp)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	struct rmm_sheaf *empty = c->spare;

	c->spare = NULL;
	if (!empty)
		empty = rmm_barn_get_empty(s, cpu);
	if (!empty)
		empty = rmm_alloc_empty_sheaf(s);
	if (!empty || refill_sheaf(s, cpu, gfp, empty))
		return empty;
	rmm_barn_put_empty(s, cpu, empty);
	return NULL;
}

/* May a request that found no object fill a sheaf, too? Not if it must not wait
 * (gfpflags_allow_blocking); since 7.0, where all caches have sheaves and slabs
 * are slow, only if it must not even spin (gfpflags_allow_spinning). */
static bool may_fill(const struct rmm_kmem_cache *s, unsigned int gfp)
{
	bool chosen = s->layer->config.sheaves == RMM_SHEAVES_CHOSEN;

	return gfp & (chosen ? RMM_GFP_DIRECT_RECLAIM : RMM_GFP_RECLAIM);
}

/* __pcs_replace_empty_main(): false: no objects to be had this way */
static bool replace_empty_main(struct rmm_kmem_cache *s, unsigned int cpu,
			       unsigned int gfp)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	struct rmm_sheaf *main = c->main, *full;

	if (c->spare && c->spare->size) {
		c->main = c->spare;
		c->spare = main;
		c->stat.sheaf_swap++;
		return true;
	}
	full = rmm_barn_replace_empty(s, cpu, main);
	if (full) {
		c->stat.barn_get++;
		c->main = full;
		return true;
	}
	c->stat.barn_get_fail++;
	if (!may_fill(s, gfp))
		return false;
	full = make_full(s, cpu, gfp);
	if (!full)
		return false;
	/* Without a spare the empty one is that; else the barn has it. */
	if (!c->spare)
		c->spare = main;
	else
		rmm_barn_put_empty(s, cpu, main);
	c->main = full;
	return true;
}

/** rmm_alloc_from_pcs() - alloc_from_pcs(): 0: ask the slabs */
uintptr_t rmm_alloc_from_pcs(struct rmm_kmem_cache *s, unsigned int cpu,
			     unsigned int gfp, int nid)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	const struct rmm_slab *slab;
	uintptr_t object;

	if (nid >= 0 && nid != s->layer->rmm->cpu[cpu].node)
		return 0;
	if (!c->main->size && !replace_empty_main(s, cpu, gfp))
		return 0;
	object = (uintptr_t)c->main->objects[c->main->size - 1];
	slab = rmm_virt_to_slab(s->layer, object);
	/* Refilled when its own node had no memory */
	if (nid >= 0 && slab->node != nid)
		return 0;
	c->main->size--;
	c->stat.alloc_pcs++;
	rmm_wipe_freepointer(s, slab, object);
	return object;
}

/* An empty sheaf for the CPU whose two are full, wherever it comes from; NULL:
 * main was emptied instead */
static struct rmm_sheaf *make_empty(struct rmm_kmem_cache *s, unsigned int cpu)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	struct rmm_sheaf *empty;

	/* The barn has enough: the spare one's objects to their slabs */
	if (c->spare &&
	    RMM_READ(rmm_barn_of(s, cpu)->nr_full) >= RMM_MAX_FULL_SHEAVES) {
		c->stat.barn_put_fail++;
		empty = c->spare;
		c->spare = NULL;
		rmm_flush_sheaf(s, cpu, empty);
		return empty;
	}
	empty = rmm_barn_get_empty(s, cpu);
	if (!empty)
		empty = rmm_alloc_empty_sheaf(s);
	if (!empty)
		rmm_flush_sheaf(s, cpu, c->main);
	return empty;
}

/* __pcs_replace_full_main() */
static void replace_full_main(struct rmm_kmem_cache *s, unsigned int cpu)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	struct rmm_sheaf *main = c->main, *empty;

	if (c->spare && c->spare->size < s->sheaf_capacity) {
		c->main = c->spare;
		c->spare = main;
		c->stat.sheaf_swap++;
		return;
	}
	empty = make_empty(s, cpu);
	if (!empty)
		return;
	c->main = empty;
	if (!c->spare) {
		c->spare = main;
	} else if (rmm_barn_put_full(s, cpu, main)) {
		c->stat.barn_put++;
	} else {
		rmm_flush_sheaf(s, cpu, main);
		rmm_barn_put_empty(s, cpu, main);
	}
}

/** rmm_free_to_pcs() - free_to_pcs(): false: free it to its slab */
bool rmm_free_to_pcs(struct rmm_kmem_cache *s, unsigned int cpu,
		     struct rmm_slab *slab, uintptr_t object)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];

	if (slab->node != s->layer->rmm->cpu[cpu].node)
		return false;
	if (c->main->size == s->sheaf_capacity)
		replace_full_main(s, cpu);
	rmm_set_freepointer(s, slab, object, 0);
	c->main->objects[c->main->size++] = (void *)object;
	c->stat.free_pcs++;
	return true;
}

/** rmm_rcu_to_pcs() - kfree_rcu_sheaf(), __kfree_rcu_sheaf(): gather objects
 *  that wait for their readers; false: this one must wait by itself. In a sheaf
 *  another node's would get to this node's barn, and be given out as local. */
bool rmm_rcu_to_pcs(struct rmm_kmem_cache *s, unsigned int cpu, void *object)
{
	const struct rmm_slab *slab =
		rmm_virt_to_slab(s->layer, (uintptr_t)object);
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	unsigned int node = s->layer->rmm->cpu[cpu].node;

	if (slab->node != node)
		return false;
	if (!c->rcu_free && c->spare && !c->spare->size) {
		c->rcu_free = c->spare;
		c->spare = NULL;
	}
	if (!c->rcu_free)
		c->rcu_free = rmm_barn_get_empty(s, cpu);
	if (!c->rcu_free)
		c->rcu_free = rmm_alloc_empty_sheaf(s);
	if (!c->rcu_free)
		return false;
	c->rcu_free->node = node;
	c->rcu_free->objects[c->rcu_free->size++] = object;
	if (c->rcu_free->size < s->sheaf_capacity)
		return true;
	rmm_slab_rcu_sheaf(s->layer, c->rcu_free);
	c->rcu_free = NULL;
	return true;
}

/** rmm_rcu_free_sheaf() - rcu_free_sheaf(): the readers of its objects are
 * gone; -EINVAL: of one that was freed already */
int rmm_rcu_free_sheaf(unsigned int cpu, struct rmm_sheaf *sheaf)
{
	struct rmm_kmem_cache *s = sheaf->cache;
	unsigned int kept = 0;
	int err = 0;
	bool local = sheaf->node == s->layer->rmm->cpu[cpu].node;

	for (unsigned int i = 0; i < sheaf->size; i++) {
		uintptr_t object = (uintptr_t)sheaf->objects[i];
		struct rmm_slab *slab = rmm_virt_to_slab(s->layer, object);

		/* Freed twice meanwhile: rmm_slab_refuse() tells. */
		if (!slab || !rmm_object_is_live(s, slab, object)) {
			err = rmm_slab_refuse(s->layer->rmm, cpu, s, object);
			continue;
		}
		rmm_set_freepointer(s, slab, object, 0);
		sheaf->objects[kept++] = sheaf->objects[i];
	}
	sheaf->size = kept;
	if (local && kept == s->sheaf_capacity &&
	    rmm_barn_put_full(s, cpu, sheaf))
		return err;
	rmm_flush_sheaf(s, cpu, sheaf);
	rmm_barn_put_empty(s, cpu, sheaf);
	return err;
}

/** rmm_flush_pcs() - pcs_flush_all(): the sheaves of CPU @of are empty then;
 * @of must not be at work meanwhile */
void rmm_flush_pcs(struct rmm_kmem_cache *s, unsigned int cpu, unsigned int of)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[of];

	if (!s->sheaf_capacity)
		return;
	rmm_flush_sheaf(s, cpu, c->main);
	if (c->spare) {
		rmm_flush_sheaf(s, cpu, c->spare);
		rmm_free_empty_sheaf(c->spare);
		c->spare = NULL;
	}
	if (c->rcu_free) {
		rmm_slab_rcu_sheaf(s->layer, c->rcu_free);
		c->rcu_free = NULL;
	}
}

/** rmm_destroy_sheaves() - of a cache without objects */
void rmm_destroy_sheaves(struct rmm_kmem_cache *s)
{
	for (unsigned int i = 0; i < s->nr_cpus; i++) {
		rmm_free_empty_sheaf(s->cpu[i].main);
		rmm_free_empty_sheaf(s->cpu[i].spare);
		rmm_free_empty_sheaf(s->cpu[i].rcu_free);
	}
	rmm_shrink_barns(s, 0);
}
