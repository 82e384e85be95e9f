/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_partial.c - slabs that are neither full nor anybody's: who keeps them.
 *
 *              takes all free objects           first free in a full slab
 *   cpu slab  <--------------------- cpu partial <--------------- full
 *      |  ^                             |   (no list: nowhere)     ^
 *      |  | get_partial                 | too many                 | last
 *      v  |                             v                          | object
 *      +------------------------> node partial ------> discard     | given
 *       deactivate                  when empty, and the node has   | out
 *                                   min_partial slabs already
 *
 * The list of a CPU is a stack of slabs, each of which knows how many are
 * below it; when a free would make it longer than cpu_partial_slabs, all of it
 * goes to the nodes first.
 *
 *   slab->slabs = 1 + slab->next->slabs
 *   node->partial.count = slabs on that list
 *
 * An empty slab may stay on a CPU's list: nobody looks.
 *
 * Locking: a CPU's list belongs to the CPU. node->lock for the node's; links
 * and slab->where change under the lock of the list that the slab enters or
 * leaves. A slab's word changes by compare and exchange, whoever has the slab.
 *
 * Modelled: add_partial, remove_partial, get_freelist, freeze_slab,
 * get_partial_node, get_any_partial, put_cpu_partial, __put_partials,
 * deactivate_slab, flush_slab, unfreeze_partials. Simplified: other nodes are
 * always asked (remote_node_defrag_ratio 100; the kernel draws lots); each slab
 * takes its node's lock anew; a CPU's partial slabs are not frozen, as
 * since 6.8. Omitted: pfmemalloc. (6.12, mm/slub.c; LKD3 ch. 12 "Slab Layer")
 */
#include "slab_parts.h"

/** rmm_slab_list_add() - at the head, the next to be taken, or at the tail */
void rmm_slab_list_add(struct rmm_slab_list *list, struct rmm_slab *slab,
		       bool tail)
{
	slab->prev = tail ? list->last : NULL;
	slab->next = tail ? NULL : list->first;
	if (slab->prev)
		slab->prev->next = slab;
	else
		list->first = slab;
	if (slab->next)
		slab->next->prev = slab;
	else
		list->last = slab;
	RMM_WRITE(list->count, list->count + 1);
}

/** rmm_slab_list_del() - a member leaves */
void rmm_slab_list_del(struct rmm_slab_list *list, struct rmm_slab *slab)
{
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		list->first = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
	else
		list->last = slab->prev;
	slab->next = slab->prev = NULL;
	RMM_WRITE(list->count, list->count - 1);
}

/* add_partial(); node->lock held */
static void add_partial(struct rmm_kmem_cache_node *n, struct rmm_slab *slab,
			bool tail)
{
	rmm_slab_list_add(&n->partial, slab, tail);
	RMM_WRITE(slab->where, RMM_SLAB_ON_PARTIAL);
}

/* remove_partial(); node->lock held */
static void remove_partial(struct rmm_kmem_cache_node *n, struct rmm_slab *slab)
{
	rmm_slab_list_del(&n->partial, slab);
	RMM_WRITE(slab->where, RMM_SLAB_NOWHERE);
}

/** rmm_get_freelist() - get_freelist(), freeze_slab(): take all free objects of
 *  a slab; with @freeze it is the CPU's from now on, if there were any.
 *  Return: the first, 0: none */
uintptr_t rmm_get_freelist(const struct rmm_kmem_cache *s,
			   struct rmm_slab *slab, bool freeze)
{
	struct rmm_slab_word old, new;

	do {
		old = new = rmm_slab_word(slab);
		new.freelist = RMM_SLAB_NIL;
		new.inuse = old.objects;
		new.frozen = old.freelist == RMM_SLAB_NIL ? 0 : freeze;
	} while (!rmm_slab_cas(s, slab, old, new));
	return old.freelist == RMM_SLAB_NIL
		       ? 0
		       : rmm_index_to_obj(s, slab, old.freelist);
}

/* How many objects follow each other from @freelist on, and the last of them */
static unsigned int count_freelist(const struct rmm_kmem_cache *s,
				   const struct rmm_slab *slab,
				   uintptr_t freelist, uintptr_t *tail)
{
	unsigned int nr = 0;

	for (; freelist; freelist = rmm_get_freepointer(s, slab, freelist)) {
		*tail = freelist;
		nr++;
	}
	return nr;
}

/* The slab gets its objects back, and is nobody's. Returns its new word. */
static struct rmm_slab_word unfreeze(const struct rmm_kmem_cache *s,
				     struct rmm_slab *slab, uintptr_t freelist)
{
	uintptr_t tail = 0;
	unsigned int nr = count_freelist(s, slab, freelist, &tail);
	struct rmm_slab_word old, new;

	do {
		old = new = rmm_slab_word(slab);
		new.frozen = 0;
		if (nr) {
			new.inuse = (uint16_t)(old.inuse - nr);
			new.freelist =
				(uint16_t)rmm_obj_to_index(s, slab, freelist);
			rmm_set_freepointer(
				s, slab, tail,
				old.freelist == RMM_SLAB_NIL
					? 0
					: rmm_index_to_obj(s, slab,
							   old.freelist));
		}
	} while (!rmm_slab_cas(s, slab, old, new));
	return new;
}

/** rmm_deactivate_slab() - deactivate_slab(): a CPU's slab goes to its node,
 *  with the objects that the CPU had taken from it */
void rmm_deactivate_slab(struct rmm_kmem_cache *s, unsigned int cpu,
			 struct rmm_slab *slab, uintptr_t freelist)
{
	struct rmm_kmem_cache_node *n = &s->node[slab->node];
	struct rmm_slab_stat *stat = &s->cpu[cpu].stat;
	bool tail = rmm_slab_word(slab).freelist != RMM_SLAB_NIL;
	struct rmm_slab_word new = unfreeze(s, slab, freelist);

	stat->deactivate_remote_frees += tail;
	if (!new.inuse && RMM_READ(n->partial.count) >= s->min_partial) {
		stat->deactivate_empty++;
		rmm_discard_slab(s, cpu, slab);
	} else if (new.freelist != RMM_SLAB_NIL) {
		rmm_lock(s->layer->rmm, &n->lock);
		add_partial(n, slab, tail);
		rmm_unlock(s->layer->rmm, &n->lock);
		if (tail)
			stat->deactivate_to_tail++;
		else
			stat->deactivate_to_head++;
	} else {
		stat->deactivate_full++;
	}
}

/* A slab of a CPU's list goes to its node, if that wants it. */
static bool put_partial(struct rmm_kmem_cache *s, unsigned int cpu,
			struct rmm_kmem_cache_node *n, struct rmm_slab *slab)
{
	if (!rmm_slab_word(slab).inuse && n->partial.count >= s->min_partial)
		return false;
	add_partial(n, slab, true);
	s->cpu[cpu].stat.free_add_partial++;
	return true;
}

/** rmm_put_partials() - __put_partials(): a CPU's list goes to the nodes; what
 *  is empty, and more than they need, to the page allocator */
void rmm_put_partials(struct rmm_kmem_cache *s, unsigned int cpu,
		      struct rmm_slab *slab)
{
	const struct rmm *rmm = s->layer->rmm;
	struct rmm_slab *discard = NULL, *next;

	for (; slab; slab = next) {
		struct rmm_kmem_cache_node *n = &s->node[slab->node];
		bool kept;

		next = slab->next;
		rmm_lock(rmm, &n->lock);
		kept = put_partial(s, cpu, n, slab);
		rmm_unlock(rmm, &n->lock);
		if (!kept) {
			slab->next = discard;
			discard = slab;
		}
	}
	for (; discard; discard = next) {
		next = discard->next;
		RMM_WRITE(discard->where, RMM_SLAB_NOWHERE);
		s->cpu[cpu].stat.deactivate_empty++;
		rmm_discard_slab(s, cpu, discard);
	}
}

/** rmm_put_cpu_partial() - put_cpu_partial(): on top of @cpu's list; @drain: if
 *  that is full, the others leave it */
void rmm_put_cpu_partial(struct rmm_kmem_cache *s, unsigned int cpu,
			 struct rmm_slab *slab, bool drain)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	struct rmm_slab *below = c->partial, *to_put = NULL;

	if (below && drain && below->slabs >= s->cpu_partial_slabs) {
		to_put = below;
		below = NULL;
	}
	slab->slabs = below ? below->slabs + 1 : 1;
	slab->next = below;
	RMM_WRITE(slab->where, RMM_SLAB_ON_CPU);
	c->partial = slab;
	if (!to_put)
		return;
	rmm_put_partials(s, cpu, to_put);
	c->stat.cpu_partial_drain++;
}

/* get_partial_node(): one slab of the node's, and some more for @cpu's list */
static struct rmm_slab *get_partial_node(struct rmm_kmem_cache *s,
					 unsigned int cpu,
					 struct rmm_kmem_cache_node *n)
{
	struct rmm_slab_stat *stat = &s->cpu[cpu].stat;
	struct rmm_slab *slab, *next, *partial = NULL;
	unsigned int more = 0;

	if (!RMM_READ(n->partial.count))
		return NULL;
	rmm_lock(s->layer->rmm, &n->lock);
	for (slab = n->partial.first; slab; slab = next) {
		next = slab->next;
		remove_partial(n, slab);
		if (!partial) {
			partial = slab;
			stat->alloc_from_partial++;
			if (!s->cpu_partial_slabs)
				break;
		} else {
			rmm_put_cpu_partial(s, cpu, slab, false);
			stat->cpu_partial_node++;
			if (++more > s->cpu_partial_slabs / 2)
				break;
		}
	}
	rmm_unlock(s->layer->rmm, &n->lock);
	return partial;
}

/* get_any_partial(): the other nodes, nearest first, if they have plenty */
static struct rmm_slab *get_any_partial(struct rmm_kmem_cache *s,
					unsigned int cpu, unsigned int nid)
{
	const struct rmm *rmm = s->layer->rmm;
	const struct rmm_zonelist *zl = &rmm->zonelist[nid];

	for (unsigned int i = 0; i < zl->nr; i++) {
		struct rmm_kmem_cache_node *n = &s->node[zl->zone[i]->node];
		struct rmm_slab *slab;

		if (RMM_READ(n->partial.count) <= s->min_partial)
			continue;
		slab = get_partial_node(s, cpu, n);
		if (slab)
			return slab;
	}
	return NULL;
}

/** rmm_get_partial() - get_partial(): a slab with free objects, off its list,
 *  near node @nid (-1: @cpu's); NULL: none. Not for debug caches */
struct rmm_slab *rmm_get_partial(struct rmm_kmem_cache *s, unsigned int cpu,
				 int nid, unsigned int gfp)
{
	const struct rmm *rmm = s->layer->rmm;
	unsigned int near = nid < 0 ? rmm->cpu[cpu].node : (unsigned int)nid;
	struct rmm_slab *slab = get_partial_node(s, cpu, &s->node[near]);

	if (slab || rmm->nr_nodes == 1 ||
	    (nid >= 0 && (gfp & RMM_GFP_THISNODE)))
		return slab;
	return get_any_partial(s, cpu, near);
}

/** rmm_flush_cpu_slab() - __flush_cpu_slab(): what CPU @of has goes to the
 *  nodes, on behalf of @cpu; @of must not be at work meanwhile */
void rmm_flush_cpu_slab(struct rmm_kmem_cache *s, unsigned int cpu,
			unsigned int of)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[of];
	struct rmm_slab *slab = c->slab, *partial = c->partial;
	uintptr_t freelist = c->freelist;

	rmm_set_cpu_slab(s, c, NULL);
	c->freelist = 0;
	c->partial = NULL;
	if (slab) {
		s->cpu[cpu].stat.cpuslab_flush++;
		rmm_deactivate_slab(s, cpu, slab, freelist);
	}
	if (partial)
		rmm_put_partials(s, cpu, partial);
}
