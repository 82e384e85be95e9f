/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_load.c - begin with the partly free slabs that another machine has.
 *
 *   full, nowhere   [1 2 3 4]
 *   loaded          [1 . 3 .] -> 4 -> 2	behind the node's list, or on
 *						top of a CPU's
 *
 * Allocated and freed one by one, objects would leave their slabs on whatever
 * list the order of frees leads to, and empty ones would go.
 *
 * Locking: before threads start.
 *
 * Modelled: nothing that the kernel has; the state afterwards is one that its
 * functions can bring about.
 */
#include <errno.h>

#include <kmemlab/refmm_slab_load.h>

#include "slab_parts.h"

static bool is_cpus(const struct rmm_kmem_cache *s, const struct rmm_slab *slab)
{
	for (unsigned int i = 0; i < s->nr_cpus; i++)
		if (s->cpu[i].slab == slab)
			return true;
	return false;
}

/* The slab that all of them are live objects of; NULL: there is none */
static struct rmm_slab *slab_of(const struct rmm_kmem_cache *s,
				const struct rmm_slab_load *l)
{
	struct rmm_slab *slab =
		l->nr ? rmm_virt_to_slab(s->layer, (uintptr_t)l->object[0])
		      : NULL;

	for (size_t i = 0; slab && i < l->nr; i++) {
		uintptr_t object = (uintptr_t)l->object[i];

		if (slab->cache != s ||
		    rmm_virt_to_slab(s->layer, object) != slab ||
		    !rmm_is_object(s, slab, object) ||
		    !rmm_object_is_live(s, slab, object))
			return NULL;
	}
	return slab;
}

static bool is_full(const struct rmm_kmem_cache *s, const struct rmm_slab *slab)
{
	struct rmm_slab_word word = rmm_slab_word(slab);

	return word.inuse == word.objects && slab->where == RMM_SLAB_NOWHERE &&
	       !is_cpus(s, slab);
}

/* Each in front of those before it. What comes twice is live no more. */
static void free_objects(struct rmm_kmem_cache *s, struct rmm_slab *slab,
			 const struct rmm_slab_load *l)
{
	struct rmm_slab_word word = rmm_slab_word(slab);
	uintptr_t head = 0;
	size_t n = 0;

	for (size_t i = 0; i < l->nr; i++) {
		uintptr_t object = (uintptr_t)l->object[i];

		if (!rmm_object_is_live(s, slab, object))
			continue;
		rmm_set_freepointer(s, slab, object, head);
		head = object;
		n++;
	}
	word.freelist = (uint16_t)rmm_obj_to_index(s, slab, head);
	word.inuse = (uint16_t)(word.inuse - n);
	slab->word = word.word;
}

/** rmm_slab_load() - see refmm_slab_load.h */
int rmm_slab_load(struct rmm *rmm, struct rmm_kmem_cache *s,
		  const struct rmm_slab_load *l)
{
	struct rmm_slab *slab = s->debug ? NULL : slab_of(s, l);
	struct rmm_kmem_cache_node *n;

	if (!slab || !is_full(s, slab) ||
	    (l->place == RMM_SLAB_ON_TOP &&
	     (l->cpu >= s->nr_cpus || !s->cpu_slabs || !s->cpu_partial)))
		return rmm_error(rmm, -EINVAL,
				 "cannot load %zu free objects of '%s': they "
				 "are not live ones of a full slab that is "
				 "nobody's, or there is no such list",
				 l->nr, s->name);
	free_objects(s, slab, l);
	if (l->place == RMM_SLAB_ON_TOP) {
		rmm_put_cpu_partial(s, l->cpu, slab, false);
		return 0;
	}
	n = &s->node[slab->node];
	rmm_lock(rmm, &n->lock);
	rmm_slab_list_add(&n->partial, slab, true);
	RMM_WRITE(slab->where, RMM_SLAB_ON_PARTIAL);
	rmm_unlock(rmm, &n->lock);
	return 0;
}
