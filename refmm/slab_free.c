/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_free.c - an object back to where it came from.
 *
 *   kmem_cache_free --+--> sheaf of the CPU (slab_sheaf.c)
 *                     +--> the CPU's freelist, if the slab is the CPU's
 *                     +--> the slab's own list; then the slab was
 *
 *     a CPU's (frozen)    nothing else to do, that CPU will find it
 *     full                the first free object: to this CPU's partial list
 *     on a node's list    the last object: off the list and away, if the node
 *                         has min_partial slabs
 *     on a CPU's list     nothing: an empty slab may wait there
 *
 * So a free takes a lock only for the last object of a slab, or for the first
 * where CPUs keep no partial slabs.
 *
 *   after n frees: inuse' = inuse - n, and n more on a list
 *
 * Wrong frees are refused with the reason, and change nothing.
 *
 * Locking: a slab's word by compare and exchange; node->lock is taken before,
 * if the slab may have to leave or enter the node's list.
 *
 * Modelled: kmem_cache_free, cache_from_obj, do_slab_free, __slab_free. (6.12,
 * mm/slub.c; LKD3 ch. 12 "Slab Layer")
 */
#include <errno.h>
#include <stdio.h>

#include "slab_parts.h"

/* A free that had to look at the node's list */
struct locked_free {
	struct rmm_kmem_cache_node *n; /* NULL: it did not */
	bool on_partial;
};

/* May this change concern the node's list? Then lock that. */
static void lock_node(struct rmm_kmem_cache *s, struct rmm_slab *slab,
		      struct rmm_slab_word old, struct locked_free *f)
{
	bool prior = old.freelist != RMM_SLAB_NIL;

	if (old.frozen || (prior && old.inuse > 1))
		return;
	/* The first free one goes to the CPU's list, without a lock. */
	if (!prior && s->cpu_partial)
		return;
	f->n = &s->node[slab->node];
	rmm_lock(s->layer->rmm, &f->n->lock);
	f->on_partial = RMM_READ(slab->where) == RMM_SLAB_ON_PARTIAL;
}

/* The slab's word with @object on its list; returns what it was before */
static struct rmm_slab_word push(struct rmm_kmem_cache *s,
				 struct rmm_slab *slab, uintptr_t object,
				 struct locked_free *f)
{
	unsigned int index = (unsigned int)rmm_obj_to_index(s, slab, object);
	struct rmm_slab_word old, new;
	bool done;

	do {
		old = new = rmm_slab_word(slab);
		rmm_set_freepointer(
			s, slab, object,
			old.freelist == RMM_SLAB_NIL
				? 0
				: rmm_index_to_obj(s, slab, old.freelist));
		new.freelist = (uint16_t)index;
		new.inuse--;
		lock_node(s, slab, old, f);
		done = rmm_slab_cas(s, slab, old, new);
		if (!done && f->n) {
			rmm_unlock(s->layer->rmm, &f->n->lock);
			f->n = NULL;
		}
	} while (!done);
	return old;
}

/* The rest of a free that holds the node's lock; gives it back */
static void free_locked(struct rmm_kmem_cache *s, unsigned int cpu,
			struct rmm_slab *slab, struct rmm_slab_word old,
			const struct locked_free *f)
{
	struct rmm_slab_stat *stat = &s->cpu[cpu].stat;
	bool prior = old.freelist != RMM_SLAB_NIL, discard;

	/* Partly free, but not on the list: a CPU has it. */
	if (prior && !f->on_partial) {
		rmm_unlock(s->layer->rmm, &f->n->lock);
		return;
	}
	discard = old.inuse == 1 && f->n->partial.count >= s->min_partial;
	if (discard && prior) {
		rmm_slab_list_del(&f->n->partial, slab);
		RMM_WRITE(slab->where, RMM_SLAB_NOWHERE);
		stat->free_remove_partial++;
	} else if (!discard && !prior) {
		rmm_slab_list_add(&f->n->partial, slab, true);
		RMM_WRITE(slab->where, RMM_SLAB_ON_PARTIAL);
		stat->free_add_partial++;
	}
	rmm_unlock(s->layer->rmm, &f->n->lock);
	if (discard)
		rmm_discard_slab(s, cpu, slab);
}

/* __slab_free() */
static void slab_free_slow(struct rmm_kmem_cache *s, unsigned int cpu,
			   struct rmm_slab *slab, uintptr_t object)
{
	struct rmm_slab_stat *stat = &s->cpu[cpu].stat;
	struct locked_free f = {0};
	struct rmm_slab_word old;

	stat->free_slowpath++;
	old = push(s, slab, object, &f);
	if (f.n) {
		free_locked(s, cpu, slab, old, &f);
	} else if (old.frozen) {
		stat->free_frozen++;
	} else if (old.freelist == RMM_SLAB_NIL) {
		rmm_put_cpu_partial(s, cpu, slab, true);
		stat->cpu_partial_free++;
	}
}

/** rmm_free_to_slab() - do_slab_free(): past the sheaves; not for debug caches
 */
void rmm_free_to_slab(struct rmm_kmem_cache *s, unsigned int cpu,
		      struct rmm_slab *slab, uintptr_t object)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];

	if (c->slab != slab) {
		slab_free_slow(s, cpu, slab, object);
		return;
	}
	rmm_set_freepointer(s, slab, object, c->freelist);
	c->freelist = object;
	c->free_fastpath++;
}

/*
 * The case that decides the speed of freeing what others allocate from, or what
 * was allocated long ago: the slab stays on whatever list it is on.
 * slab_free_slow() would do the same. False: another case, nothing has changed.
 */
static inline bool free_quick(struct rmm_kmem_cache *s, unsigned int cpu,
			      struct rmm_slab *slab, uintptr_t object)
{
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	struct rmm_slab_word old = rmm_slab_word(slab), new = old;

	if (c->slab == slab || old.frozen || old.freelist == RMM_SLAB_NIL ||
	    old.inuse == 1)
		return false;
	rmm_set_freepointer(s, slab, object,
			    rmm_index_to_obj(s, slab, old.freelist));
	new.freelist = (uint16_t)rmm_obj_to_index(s, slab, object);
	new.inuse--;
	if (!rmm_slab_cas(s, slab, old, new))
		return false;
	c->stat.free_slowpath++;
	return true;
}

/** rmm__slab_free() - slab_free(): an object of @slab, on an existing CPU */
int rmm__slab_free(struct rmm *rmm, unsigned int cpu, struct rmm_slab *slab,
		   uintptr_t object)
{
	struct rmm_kmem_cache *s = slab->cache;

	if (s->debug)
		return rmm_free_single(s, cpu, slab, object);
	if (!rmm_object_is_live(s, slab, object))
		return rmm_slab_refuse(rmm, cpu, NULL, object);
	if (s->sheaf_capacity && rmm_free_to_pcs(s, cpu, slab, object))
		return 0;
	if (!free_quick(s, cpu, slab, object))
		rmm_free_to_slab(s, cpu, slab, object);
	return 0;
}

/* Why @object of @slab cannot be freed to @s */
static const char *wrong_with(const struct rmm_kmem_cache *s,
			      const struct rmm_slab *slab, uintptr_t object,
			      char *text, size_t size)
{
	if (s && s != slab->cache) {
		snprintf(text, size, "wrong cache, it is freed to %.40s",
			 s->name);
		return text;
	}
	if (!rmm_is_object(slab->cache, slab, object))
		return "no object begins there";
	return "double free";
}

/** rmm_slab_refuse() - say why @object cannot be freed */
int rmm_slab_refuse(struct rmm *rmm, unsigned int cpu,
		    const struct rmm_kmem_cache *s, uintptr_t object)
{
	const struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	const struct rmm_slab *slab = rmm_virt_to_slab(l, object);
	struct rmm_slab_report report = {slab, object, "free", NULL};
	char text[80];

	if (cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot free on CPU %u: there are %u", cpu,
				 rmm->config.nr_cpus);
	if (!slab)
		return rmm_error(rmm, -EINVAL,
				 "cannot free 0x%llx%s%s: no slab is there "
				 "(foreign pointer, or freed long ago)",
				 (unsigned long long)object, s ? " to " : "",
				 s ? s->name : "");
	report.what = wrong_with(s, slab, object, text, sizeof(text));
	return rmm_slab_error(rmm, -EINVAL, &report);
}

/** rmm_kmem_cache_free() - kmem_cache_free() */
int rmm_kmem_cache_free(struct rmm *rmm, unsigned int cpu,
			struct rmm_kmem_cache *s, void *object)
{
	if (!object)
		return 0;
	return rmm_slab_free(rmm, cpu, s, (uintptr_t)object);
}
