/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_single.c - debug caches: one object at a time, and every slab on a list.
 *
 *   new slab --> node partial <--> node full
 *                    |
 *                    v  empty, and the node has min_partial slabs
 *                 discard
 *
 * No CPU has a slab of its own, so that an object cannot be given out or come
 * back unseen. When an object was damaged, the kernel trusts its slab no more:
 * all its objects count as in use from then on, and it is never given back.
 *
 * Locking: node->lock, over the checks too.
 *
 * Modelled: alloc_single_from_partial, alloc_single_from_new_slab,
 * alloc_debug_processing, free_to_partial_list, free_debug_processing.
 * (6.12, mm/slub.c; not in LKD3)
 */
#include <errno.h>

#include "slab_parts.h"

/* A slab that is on no list enters one */
static void move_to(struct rmm_slab_list *list, struct rmm_slab *slab,
		    enum rmm_slab_where where, bool tail)
{
	rmm_slab_list_add(list, slab, tail);
	RMM_WRITE(slab->where, (uint8_t)where);
}

/* Readers without the lock see a whole word */
static void set_word(struct rmm_slab *slab, struct rmm_slab_word word)
{
	__atomic_store_n(&slab->word, word.word, __ATOMIC_RELEASE);
}

/* The slab is not to be trusted: nobody gets an object of it any more. */
static void quarantine(struct rmm_kmem_cache_node *n, struct rmm_slab *slab)
{
	struct rmm_slab_word word = rmm_slab_word(slab);

	word.inuse = word.objects;
	word.freelist = RMM_SLAB_NIL;
	set_word(slab, word);
	slab->damaged = 1;
	rmm_slab_list_del(&n->partial, slab);
	move_to(&n->full, slab, RMM_SLAB_ON_FULL, false);
}

/* alloc_single_from_partial(): the first object of a slab on the node's list;
 * 0: it is damaged */
static uintptr_t take_single(struct rmm_kmem_cache *s,
			     struct rmm_kmem_cache_node *n,
			     struct rmm_slab *slab)
{
	struct rmm_slab_word word = rmm_slab_word(slab);
	uintptr_t object = rmm_index_to_obj(s, slab, word.freelist), next;

	if (rmm_check_object(s, slab, object, false, "allocate")) {
		quarantine(n, slab);
		return 0;
	}
	next = rmm_get_freepointer(s, slab, object);
	word.freelist =
		next ? (uint16_t)rmm_obj_to_index(s, slab, next) : RMM_SLAB_NIL;
	word.inuse++;
	set_word(slab, word);
	rmm_init_object(s, object, true);
	rmm_wipe_freepointer(s, slab, object);
	if (word.inuse == word.objects) {
		rmm_slab_list_del(&n->partial, slab);
		move_to(&n->full, slab, RMM_SLAB_ON_FULL, false);
	}
	return object;
}

/* Damaged slabs leave the list on the way, so that this ends. */
static uintptr_t alloc_from_node(struct rmm_kmem_cache *s, unsigned int cpu,
				 struct rmm_kmem_cache_node *n)
{
	uintptr_t object = 0;

	rmm_lock(s->layer->rmm, &n->lock);
	while (!object && n->partial.first)
		object = take_single(s, n, n->partial.first);
	rmm_unlock(s->layer->rmm, &n->lock);
	if (object)
		s->cpu[cpu].stat.alloc_from_partial++;
	return object;
}

/* alloc_single_from_new_slab() */
static uintptr_t alloc_from_new(struct rmm_kmem_cache *s, unsigned int cpu,
				unsigned int gfp, int nid)
{
	struct rmm_slab *slab = rmm_new_slab(s, cpu, gfp, nid);
	struct rmm_kmem_cache_node *n;
	uintptr_t object;

	if (!slab)
		return 0;
	n = &s->node[slab->node];
	rmm_lock(s->layer->rmm, &n->lock);
	move_to(&n->partial, slab, RMM_SLAB_ON_PARTIAL, false);
	object = take_single(s, n, slab);
	rmm_unlock(s->layer->rmm, &n->lock);
	return object;
}

/** rmm_alloc_single() - an object of a debug cache, checked; 0: no memory */
uintptr_t rmm_alloc_single(struct rmm_kmem_cache *s, unsigned int cpu,
			   unsigned int gfp, int nid)
{
	const struct rmm *rmm = s->layer->rmm;
	unsigned int near = nid < 0 ? rmm->cpu[cpu].node : (unsigned int)nid;
	uintptr_t object = alloc_from_node(s, cpu, &s->node[near]);

	if (!object)
		object = alloc_from_new(s, cpu, gfp, nid);
	for (unsigned int i = 0; !object && i < rmm->nr_nodes; i++)
		if (nid < 0 || !(gfp & RMM_GFP_THISNODE))
			object = alloc_from_node(s, cpu, &s->node[i]);
	return object;
}

/* free_debug_processing(); node->lock held */
static int check_free(struct rmm_kmem_cache *s, unsigned int cpu,
		      struct rmm_slab *slab, uintptr_t object)
{
	int err;

	if (!rmm_object_is_live(s, slab, object))
		return rmm_slab_refuse(s->layer->rmm, cpu, NULL, object);
	err = rmm_check_object(s, slab, object, true, "free");
	return err ? err : rmm_check_slab_pad(s, slab);
}

/* The slab, one object of which was freed, to where it belongs now; true: it
 * is empty and goes. node->lock held */
static bool place(struct rmm_kmem_cache *s, unsigned int cpu,
		  struct rmm_slab *slab, struct rmm_slab_word old)
{
	struct rmm_kmem_cache_node *n = &s->node[slab->node];
	struct rmm_slab_stat *stat = &s->cpu[cpu].stat;
	bool discard = old.inuse == 1 && n->partial.count >= s->min_partial;

	if (old.inuse == old.objects) {
		rmm_slab_list_del(&n->full, slab);
		if (!discard) {
			move_to(&n->partial, slab, RMM_SLAB_ON_PARTIAL, true);
			stat->free_add_partial++;
		}
	} else if (discard) {
		rmm_slab_list_del(&n->partial, slab);
		stat->free_remove_partial++;
	}
	return discard;
}

/** rmm_free_single() - free_to_partial_list(): -EINVAL: double free, -EUCLEAN:
 *  damaged; it is not free then, but what was damaged is put right */
int rmm_free_single(struct rmm_kmem_cache *s, unsigned int cpu,
		    struct rmm_slab *slab, uintptr_t object)
{
	struct rmm_kmem_cache_node *n = &s->node[slab->node];
	struct rmm_slab_word old, new;
	bool discard = false;
	int err;

	s->cpu[cpu].stat.free_slowpath++;
	rmm_lock(s->layer->rmm, &n->lock);
	err = slab->damaged ? 0 : check_free(s, cpu, slab, object);
	if (!err && !slab->damaged) {
		old = new = rmm_slab_word(slab);
		rmm_track_free(s, cpu, slab, object);
		rmm_init_object(s, object, false);
		rmm_set_freepointer(
			s, slab, object,
			old.freelist == RMM_SLAB_NIL
				? 0
				: rmm_index_to_obj(s, slab, old.freelist));
		new.freelist = (uint16_t)rmm_obj_to_index(s, slab, object);
		new.inuse--;
		set_word(slab, new);
		discard = place(s, cpu, slab, old);
	}
	rmm_unlock(s->layer->rmm, &n->lock);
	if (discard)
		rmm_discard_slab(s, cpu, slab);
	return err;
}
