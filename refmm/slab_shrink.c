/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_shrink.c - give empty slabs back, and put the fullest first.
 *
 * Objects are taken from the head of a node's list. With the slabs that are
 * nearly full there, the nearly empty ones at the tail may run empty.
 *
 *   before   [5 free] [empty] [1 free] [40 free] [5 free]
 *   after    [1 free] [5 free] [5 free] [40 free]
 *
 * Locking: node->lock; objects may be freed meanwhile, so that a slab that was
 * counted may be emptier than that.
 *
 * Modelled: kmem_cache_shrink, __kmem_cache_do_shrink, flush_all. Simplified:
 * with threads only the caller's CPU gives its slabs and sheaves back. (6.12,
 * mm/slub.c; not in LKD3)
 */
#include "slab_parts.h"

enum { PROMOTE_MAX = 32 }; /* SHRINK_PROMOTE_MAX */

/* All of @from in front of @list */
static void splice(struct rmm_slab_list *list, struct rmm_slab_list *from)
{
	struct rmm_slab *slab;

	while ((slab = from->last)) {
		rmm_slab_list_del(from, slab);
		rmm_slab_list_add(list, slab, false);
	}
}

/* Empty slabs of @n to @discard, the others in order; lock held */
static void sort_partial(struct rmm_kmem_cache_node *n,
			 struct rmm_slab_list *discard)
{
	struct rmm_slab_list promote[PROMOTE_MAX] = {0};
	struct rmm_slab *slab, *next;

	for (slab = n->partial.first; slab; slab = next) {
		struct rmm_slab_word word = rmm_slab_word(slab);
		unsigned int free = word.objects - word.inuse;

		next = slab->next;
		if (free == word.objects) {
			rmm_slab_list_del(&n->partial, slab);
			RMM_WRITE(slab->where, RMM_SLAB_NOWHERE);
			rmm_slab_list_add(discard, slab, false);
		} else if (free <= PROMOTE_MAX) {
			rmm_slab_list_del(&n->partial, slab);
			rmm_slab_list_add(&promote[free - 1], slab, false);
		}
	}
	for (int i = PROMOTE_MAX - 1; i >= 0; i--)
		splice(&n->partial, &promote[i]);
}

static void shrink_node(struct rmm_kmem_cache *s, unsigned int cpu,
			struct rmm_kmem_cache_node *n)
{
	struct rmm_slab_list discard = {0};
	struct rmm_slab *slab;

	rmm_lock(s->layer->rmm, &n->lock);
	sort_partial(n, &discard);
	rmm_unlock(s->layer->rmm, &n->lock);
	while ((slab = discard.first)) {
		rmm_slab_list_del(&discard, slab);
		rmm_discard_slab(s, cpu, slab);
	}
}

/** rmm_kmem_cache_shrink() - kmem_cache_shrink(): 1 if slabs are left, 0 if
 *  none is */
int rmm_kmem_cache_shrink(struct rmm *rmm, unsigned int cpu,
			  struct rmm_kmem_cache *s)
{
	uint64_t left = 0;

	if (cpu >= s->nr_cpus)
		return 1;
	for (unsigned int i = 0; i < s->nr_cpus; i++) {
		if (s->threads && i != cpu)
			continue;
		rmm_flush_pcs(s, cpu, i);
		rmm_flush_cpu_slab(s, cpu, i);
	}
	rmm_shrink_barns(s, cpu);
	if (s->cpu[cpu].slab)
		rmm_flush_cpu_slab(s, cpu, cpu);
	for (unsigned int i = 0; i < rmm->nr_nodes; i++) {
		shrink_node(s, cpu, &s->node[i]);
		left += RMM_READ(s->node[i].nr_slabs);
	}
	return left != 0;
}
