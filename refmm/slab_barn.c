/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_barn.c - where a node's CPUs leave and fetch whole sheaves.
 *
 *   CPU 0, its two sheaves full --> [ooooo] [ooooo] --> CPU 1, its two empty
 *                               <-- [.....] [.....] <--
 *
 *   0 <= nr_full <= 10
 *   every object of a full sheaf is free, and there are `capacity` of them
 *
 * Empty ones are kept from 10 on only where a full one was got for them: the
 * exchange must not fail. CPUs that look at the same time may exceed that too.
 *
 * Sheaves are taken from the head, where the last one was put: its objects are
 * the ones most likely in some CPU's cache.
 *
 * Locking: node->barn_lock. Counts are read without it first: a barn that looks
 * empty is not worth the lock.
 *
 * Modelled: barn_replace_empty_sheaf, barn_replace_full_sheaf,
 * barn_get_empty_sheaf, barn_put_empty_sheaf, barn_put_full_sheaf, barn_shrink.
 * (6.18 and 7.x, mm/slub.c; not in LKD3)
 */
#include "slab_parts.h"

enum { MAX_EMPTY_SHEAVES = 10 };

static size_t sheaf_bytes(const struct rmm_kmem_cache *s)
{
	return sizeof(struct rmm_sheaf) + s->sheaf_capacity * sizeof(void *);
}

/** rmm_alloc_empty_sheaf() - alloc_empty_sheaf(); NULL: no memory */
struct rmm_sheaf *rmm_alloc_empty_sheaf(struct rmm_kmem_cache *s)
{
	struct rmm_sheaf *sheaf = rmm_slab_meta_alloc(s->layer, sheaf_bytes(s));

	if (sheaf)
		sheaf->cache = s;
	return sheaf;
}

/** rmm_free_empty_sheaf() - NULL is fine */
void rmm_free_empty_sheaf(struct rmm_sheaf *sheaf)
{
	if (sheaf)
		rmm_slab_meta_free(sheaf->cache->layer, sheaf,
				   sheaf_bytes(sheaf->cache));
}

/** rmm_barn_of() - get_barn(): of @cpu's node */
struct rmm_kmem_cache_node *rmm_barn_of(const struct rmm_kmem_cache *s,
					unsigned int cpu)
{
	return &s->node[s->layer->rmm->cpu[cpu].node];
}

static void push(struct rmm_sheaf **list, unsigned int *nr,
		 struct rmm_sheaf *sheaf)
{
	sheaf->next = *list;
	*list = sheaf;
	RMM_WRITE(*nr, *nr + 1);
}

static struct rmm_sheaf *pop(struct rmm_sheaf **list, unsigned int *nr)
{
	struct rmm_sheaf *sheaf = *list;

	if (sheaf) {
		*list = sheaf->next;
		RMM_WRITE(*nr, *nr - 1);
	}
	return sheaf;
}

/** rmm_barn_replace_empty() - barn_replace_empty_sheaf(): a full one for an
 * empty one; NULL: there is none
 */
struct rmm_sheaf *rmm_barn_replace_empty(struct rmm_kmem_cache *s,
					 unsigned int cpu,
					 struct rmm_sheaf *empty)
{
	struct rmm_kmem_cache_node *n = rmm_barn_of(s, cpu);
	struct rmm_sheaf *full;

	if (!RMM_READ(n->nr_full))
		return NULL;
	rmm_lock(s->layer->rmm, &n->barn_lock);
	full = pop(&n->sheaves_full, &n->nr_full);
	if (full)
		push(&n->sheaves_empty, &n->nr_empty, empty);
	rmm_unlock(s->layer->rmm, &n->barn_lock);
	return full;
}

/** rmm_barn_get_empty() - barn_get_empty_sheaf(); NULL: there is none */
struct rmm_sheaf *rmm_barn_get_empty(struct rmm_kmem_cache *s, unsigned int cpu)
{
	struct rmm_kmem_cache_node *n = rmm_barn_of(s, cpu);
	struct rmm_sheaf *empty;

	if (!RMM_READ(n->nr_empty))
		return NULL;
	rmm_lock(s->layer->rmm, &n->barn_lock);
	empty = pop(&n->sheaves_empty, &n->nr_empty);
	rmm_unlock(s->layer->rmm, &n->barn_lock);
	return empty;
}

/** rmm_barn_put_empty() - barn_put_empty_sheaf(), or away with it where there
 * are plenty */
void rmm_barn_put_empty(struct rmm_kmem_cache *s, unsigned int cpu,
			struct rmm_sheaf *empty)
{
	struct rmm_kmem_cache_node *n = rmm_barn_of(s, cpu);

	if (RMM_READ(n->nr_empty) >= MAX_EMPTY_SHEAVES) {
		rmm_free_empty_sheaf(empty);
		return;
	}
	rmm_lock(s->layer->rmm, &n->barn_lock);
	push(&n->sheaves_empty, &n->nr_empty, empty);
	rmm_unlock(s->layer->rmm, &n->barn_lock);
}

/** rmm_barn_put_full() - a full sheaf to the barn; false: that has enough */
bool rmm_barn_put_full(struct rmm_kmem_cache *s, unsigned int cpu,
		       struct rmm_sheaf *full)
{
	struct rmm_kmem_cache_node *n = rmm_barn_of(s, cpu);
	bool room;

	rmm_lock(s->layer->rmm, &n->barn_lock);
	room = n->nr_full < RMM_MAX_FULL_SHEAVES;
	if (room)
		push(&n->sheaves_full, &n->nr_full, full);
	rmm_unlock(s->layer->rmm, &n->barn_lock);
	return room;
}

/** rmm_shrink_barns() - barn_shrink(): no sheaf is left in any */
void rmm_shrink_barns(struct rmm_kmem_cache *s, unsigned int cpu)
{
	const struct rmm *rmm = s->layer->rmm;

	for (unsigned int i = 0; i < rmm->nr_nodes; i++) {
		struct rmm_kmem_cache_node *n = &s->node[i];
		struct rmm_sheaf *full, *empty, *next;

		rmm_lock(rmm, &n->barn_lock);
		full = n->sheaves_full;
		empty = n->sheaves_empty;
		n->sheaves_full = n->sheaves_empty = NULL;
		RMM_WRITE(n->nr_full, 0);
		RMM_WRITE(n->nr_empty, 0);
		rmm_unlock(rmm, &n->barn_lock);
		for (; full; full = next) {
			next = full->next;
			rmm_flush_sheaf(s, cpu, full);
			rmm_free_empty_sheaf(full);
		}
		for (; empty; empty = next) {
			next = empty->next;
			rmm_free_empty_sheaf(empty);
		}
	}
}
