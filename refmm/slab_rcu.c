/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_rcu.c - what may still be read is not free yet.
 *
 * Readers that take no lock (RCU) may look at an object until a grace period
 * has passed. So three things wait:
 *
 *   objects   rmm_kfree_rcu(): freed as by rmm_kfree() then
 *   sheaves   the same, a sheaf at a time (slab_sheaf.c)
 *   slabs     of a TYPESAFE_BY_RCU cache: its objects are reused at once, but
 *             stay objects of that type, as the slab does not go to the page
 *             allocator
 *
 *   kfree_rcu --> [objects] --+
 *   full rcu sheaf -----------+--> rmm_rcu_barrier() --> free
 *   empty typesafe slab ------+
 *
 * When a grace period ends is the caller's to say: rmm_rcu_barrier() is that
 * moment. Only then shows that an object was given twice, and it is that call
 * that says so.
 *
 * Locking: rcu->lock for the queues; outside of it rcu->barrier, so that a
 * grace period is over for all when rmm_rcu_barrier() returns, also for what
 * another CPU is just freeing.
 *
 * Modelled: kfree_rcu, kvfree_rcu_barrier, call_rcu of free_slab and of
 * rcu_free_sheaf, rcu_barrier. Simplified: if there is no memory to remember an
 * object, the grace period passes at once, as in kvfree_call_rcu; with threads
 * a sheaf that another CPU has not filled yet waits on. Omitted: vmalloc()'s
 * memory, which kvfree_rcu() takes too. (6.12 and 6.18,
 * mm/slab_common.c, mm/slub.c; not in LKD3)
 */
#include <errno.h>

#include "kmalloc.h"
#include "slab_parts.h"

enum { BATCH = 126 }; /* objects; a batch is 1 KiB */

struct batch {
	struct batch *next;
	uint64_t nr;
	void *objects[BATCH];
};

struct rmm_slab_rcu {
	struct batch *batches;
	struct rmm_sheaf *sheaves;
	struct rmm_slab *slabs;
	uint8_t lock, barrier;
};

/** rmm_slab_rcu_create() - -ENOMEM */
int rmm_slab_rcu_create(struct rmm_slab_layer *l)
{
	l->rcu = rmm_slab_meta_alloc(l, sizeof(*l->rcu));
	return l->rcu ? 0 : -ENOMEM;
}

/** rmm_slab_rcu_slab() - call_rcu(rcu_free_slab) */
void rmm_slab_rcu_slab(struct rmm_kmem_cache *s, struct rmm_slab *slab)
{
	struct rmm_slab_rcu *rcu = s->layer->rcu;

	rmm_lock(s->layer->rmm, &rcu->lock);
	RMM_WRITE(slab->where, RMM_SLAB_IN_RCU);
	slab->next = rcu->slabs;
	rcu->slabs = slab;
	rmm_unlock(s->layer->rmm, &rcu->lock);
}

/** rmm_slab_rcu_sheaf() - call_rcu(rcu_free_sheaf) */
void rmm_slab_rcu_sheaf(struct rmm_slab_layer *l, struct rmm_sheaf *sheaf)
{
	rmm_lock(l->rmm, &l->rcu->lock);
	sheaf->next = l->rcu->sheaves;
	l->rcu->sheaves = sheaf;
	rmm_unlock(l->rmm, &l->rcu->lock);
}

/* Remember @object; false: no memory for that */
static bool enqueue(struct rmm_slab_layer *l, void *object)
{
	struct rmm_slab_rcu *rcu = l->rcu;
	struct batch *b;

	rmm_lock(l->rmm, &rcu->lock);
	b = rcu->batches;
	if (!b || b->nr == BATCH) {
		b = rmm_slab_meta_alloc(l, sizeof(*b));
		if (b) {
			b->next = rcu->batches;
			rcu->batches = b;
		}
	}
	if (b)
		b->objects[b->nr++] = object;
	rmm_unlock(l->rmm, &rcu->lock);
	return b;
}

/* Would rmm_kfree() do? What is wrong with an object shows before it waits. */
static bool may_free(const struct rmm *rmm, uintptr_t object)
{
	const struct rmm_slab *slab =
		rmm_virt_to_slab(rmm_slab_layer(rmm), object);

	if (slab)
		return rmm_is_object(slab->cache, slab, object) &&
		       rmm_object_is_live(slab->cache, slab, object);
	return rmm_kmalloc_large_page(rmm, object);
}

/** rmm_kfree_rcu() - kfree_rcu(); see refmm_slab.h */
int rmm_kfree_rcu(struct rmm *rmm, unsigned int cpu, void *object)
{
	struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	const struct rmm_slab *slab;

	if (object <= RMM_ZERO_SIZE_PTR)
		return 0;
	if (!l)
		return rmm_error(rmm, -EINVAL,
				 "cannot free %p: call rmm_kmem_cache_init()",
				 object);
	if (cpu >= rmm->config.nr_cpus || !may_free(rmm, (uintptr_t)object))
		return rmm_slab_refuse(rmm, cpu, NULL, (uintptr_t)object);
	slab = rmm_virt_to_slab(l, (uintptr_t)object);
	if (slab && slab->cache->sheaf_capacity &&
	    rmm_rcu_to_pcs(slab->cache, cpu, object))
		return 0;
	return enqueue(l, object) ? 0 : rmm_kfree(rmm, cpu, object);
}

/* The last error, as below */
static int free_batches(struct rmm_slab_layer *l, unsigned int cpu,
			struct batch *b)
{
	struct batch *next;
	int err = 0, one;

	for (; b; b = next) {
		next = b->next;
		for (uint64_t i = 0; i < b->nr; i++) {
			one = rmm_kfree(l->rmm, cpu, b->objects[i]);
			err = one ? one : err;
		}
		rmm_slab_meta_free(l, b, sizeof(*b));
	}
	return err;
}

static int free_sheaves(unsigned int cpu, struct rmm_sheaf *sheaf)
{
	struct rmm_sheaf *next;
	int err = 0, one;

	for (; sheaf; sheaf = next) {
		next = sheaf->next;
		one = rmm_rcu_free_sheaf(cpu, sheaf);
		err = one ? one : err;
	}
	return err;
}

/* flush_rcu_sheaves_on_cpu(): sheaves that are not full wait no longer. */
static void queue_rcu_sheaves(struct rmm_slab_layer *l, unsigned int cpu)
{
	rmm_lock(l->rmm, &l->lock);
	for (struct rmm_kmem_cache *s = l->first; s; s = s->next) {
		for (unsigned int i = 0; i < s->nr_cpus; i++) {
			struct rmm_kmem_cache_cpu *c = &s->cpu[i];

			if ((l->threads && i != cpu) || !c->rcu_free)
				continue;
			rmm_slab_rcu_sheaf(l, c->rcu_free);
			c->rcu_free = NULL;
		}
	}
	rmm_unlock(l->rmm, &l->lock);
}

/* All that waits, off the queues; false: nothing does */
static bool take_queues(struct rmm_slab_layer *l, struct rmm_slab_rcu *was)
{
	rmm_lock(l->rmm, &l->rcu->lock);
	was->batches = l->rcu->batches;
	was->sheaves = l->rcu->sheaves;
	was->slabs = l->rcu->slabs;
	l->rcu->batches = NULL;
	l->rcu->sheaves = NULL;
	l->rcu->slabs = NULL;
	rmm_unlock(l->rmm, &l->rcu->lock);
	return was->batches || was->sheaves || was->slabs;
}

/** rmm_rcu_barrier() - rcu_barrier(), kvfree_rcu_barrier(); see refmm_slab.h */
int rmm_rcu_barrier(struct rmm *rmm, unsigned int cpu)
{
	struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	struct rmm_slab_rcu was;
	int err = 0, one;

	if (!l || cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot end a grace period on CPU %u: there "
				 "is no such CPU, or no rmm_kmem_cache_init()",
				 cpu);
	queue_rcu_sheaves(l, cpu);
	rmm_lock(rmm, &l->rcu->barrier);
	/* Freeing may leave slabs that wait in turn: their grace period passes
	 * too. */
	while (take_queues(l, &was)) {
		one = free_batches(l, cpu, was.batches);
		err = one ? one : err;
		one = free_sheaves(cpu, was.sheaves);
		err = one ? one : err;
		for (struct rmm_slab *next; was.slabs; was.slabs = next) {
			next = was.slabs->next;
			rmm_free_slab_pages(was.slabs->cache, cpu, was.slabs);
		}
	}
	rmm_unlock(rmm, &l->rcu->barrier);
	return err;
}
