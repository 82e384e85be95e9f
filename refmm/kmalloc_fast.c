/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kmalloc_fast.c - kmalloc() and kfree() in the cases that decide their speed.
 *
 *   kmalloc   the CPU has a free object of the class: take it
 *
 *   kfree     the object is of the CPU's slab that gave one last
 *		  \ no: ask the page which slab it is of
 *		     it is the CPU's slab of another class, or type
 *			 \ no: it is partly free, and stays where it is
 *
 * The rest is kmalloc.c's, which would do all of this too, with the same effect
 * on lists, counts and order: these are shortcuts, not rules of their own. They
 * are for machines with memory behind their pages, and caches that are neither
 * debugged nor have sheaves; to the others a CPU here has an empty list and a
 * slab of no bytes (struct rmm_kmalloc_cpu's "nothing").
 *
 * The class of a size that the compiler knows is looked up by the compiler, too
 * (rmm__kmalloc_cache). All that these paths read of a cache lies in the CPU's
 * first cache line of it, and nothing of it but the object has to be known to
 * find the next: so a call does not wait for the one before.
 *
 *   object of the CPU's slab:  address - base < limit, a multiple of the size
 *   live:                      its free pointer leads out of the slab
 *
 * Locking: none; a slab's word changes by compare and exchange.
 *
 * Modelled: as kmalloc.c and slab_fast.h; the fast paths of slab_alloc_node and
 * do_slab_free, and __slab_free's for a slab that stays on its list.
 * (6.12, mm/slub.c; LKD3 ch. 12 "kmalloc()", "kfree()")
 */
#include "kmalloc.h"

enum { AHEAD = 1024 }; /* bytes: what a stream of frees looks forward to */

static inline uintptr_t *free_pointer(const struct rmm_kmem_cache_cpu *c,
				      uintptr_t object)
{
	return (uintptr_t *)(object + c->offset);
}

/* A free pointer's disguise; see slab_fast.h */
static inline uintptr_t disguise(const struct rmm_kmem_cache_cpu *c,
				 const uintptr_t *at)
{
	return c->random ^ __builtin_bswap64((uintptr_t)at);
}

/* Does @next, a free object's, lead out of the slab at @base, that is, is the
 * object live? A free one's leads inside, or nowhere. */
static inline bool leads_out(uintptr_t next, uintptr_t base)
{
	return next && next - base >= 1ul << RMM_SLAB_MAX_SHIFT;
}

/* The class at @index: NULL if the CPU's list of it is empty, or never has
 * anything */
static inline void *take(struct rmm_kmalloc_cpu *kc, size_t index)
{
	struct rmm_kmem_cache_cpu *c = kc->of[index];
	uintptr_t object = c->freelist, *at;

	if (rmm_unlikely(!object))
		return NULL;
	at = free_pointer(c, object);
	c->freelist = *at ^ disguise(c, at);
	*at = 0;
	c->alloc_fastpath++;
	kc->last = c;
	return (void *)object;
}

/** rmm__kmalloc_cache() - see refmm_kmalloc.h */
void *rmm__kmalloc_cache(struct rmm *rmm, unsigned int cpu, size_t size,
			 unsigned int gfp, size_t index)
{
	void *p = NULL;

	if (rmm_likely(cpu < rmm->kmalloc_cpus))
		p = take(&rmm->kmalloc_cpu[cpu], index);
	return rmm_likely(p) ? p : rmm__do_kmalloc(rmm, cpu, size, gfp);
}

/** rmm__kmalloc() - see refmm_kmalloc.h */
void *rmm__kmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		   unsigned int gfp)
{
	void *p = NULL;

	if (rmm_likely(cpu < rmm->kmalloc_cpus &&
		       size - 1 < RMM_KMALLOC_MAX_CACHE_BYTES &&
		       !(gfp & RMM_KMALLOC_SPECIAL)))
		p = take(&rmm->kmalloc_cpu[cpu],
			 rmm->kmalloc_index[(size - 1) / 8]);
	return rmm_likely(p) ? p : rmm__do_kmalloc(rmm, cpu, size, gfp);
}

/* An object of the CPU's own slab, back in front */
static inline int to_cpu_slab(struct rmm *rmm, unsigned int cpu,
			      struct rmm_kmem_cache_cpu *c, uintptr_t object)
{
	uintptr_t *at = free_pointer(c, object), key = disguise(c, at);

	if (rmm_unlikely((object - c->base) * c->multiple >= c->multiple ||
			 !leads_out(*at ^ key, c->base)))
		return rmm__kfree(rmm, cpu, object);
	*at = c->freelist ^ key;
	c->freelist = object;
	c->free_fastpath++;
	return 0;
}

/* Is the slab nobody's, and will it be partly free before and after? */
static inline bool stays_partial(struct rmm_slab_word word)
{
	const struct rmm_slab_word frozen = {.frozen = 1};

	return !(word.word & frozen.word) && word.freelist != RMM_SLAB_NIL &&
	       word.inuse != 1;
}

/* An object of another slab that is partly free: it is put on the slab's list
 * and the slab on none. Nobody else's slab, nor its first or last free one. */
static __attribute__((noinline)) int to_partial(struct rmm *rmm,
						unsigned int cpu,
						struct rmm_slab *slab,
						uintptr_t object)
{
	const struct rmm_slab_word old = rmm_slab_word(slab);
	struct rmm_kmem_cache *s = slab->cache;
	struct rmm_kmem_cache_cpu *c = &s->cpu[cpu];
	uintptr_t *at = free_pointer(c, object), key = disguise(c, at);
	uint64_t index = rmm_obj_to_index(s, slab, object);
	struct rmm_slab_word new = old;

	/* What was allocated in a row often dies in a row, and is in no cache
	 * by then. */
	__builtin_prefetch((void *)(object + AHEAD));
	if (rmm_unlikely((object - slab->base) * c->multiple >= c->multiple ||
			 index >= old.objects || !stays_partial(old) ||
			 !leads_out(*at ^ key, slab->base)))
		return rmm__kfree(rmm, cpu, object);
	*at = rmm_index_to_obj(s, slab, old.freelist) ^ key;
	/* inuse - 1, which is not 0, and another freelist */
	new.word += index - old.freelist - ((uint64_t)1 << 16);
	if (rmm_unlikely(!rmm_slab_cas(s, slab, old, new))) {
		*at = 0; /* live again */
		return rmm__kfree(rmm, cpu, object);
	}
	c->stat.free_slowpath++;
	return 0;
}

/* Not of the slab that gave one last: ask the page. */
static __attribute__((noinline)) int
kfree_by_page(struct rmm *rmm, unsigned int cpu, uintptr_t address)
{
	struct rmm_slab *slab = rmm_virt_to_slab(rmm_slab_layer(rmm), address);
	const struct rmm_kmem_cache *s;
	struct rmm_kmem_cache_cpu *c;

	if (rmm_unlikely(!slab))
		return rmm__kfree(rmm, cpu, address);
	s = slab->cache;
	if (rmm_unlikely(s->watch & RMM_WATCH_ALL))
		return rmm__kfree(rmm, cpu, address);
	c = &s->cpu[cpu];
	if (c->slab == slab && address - c->base < c->limit)
		return to_cpu_slab(rmm, cpu, c, address);
	return to_partial(rmm, cpu, slab, address);
}

/** rmm_kfree() - -EINVAL and nothing happens: a pointer that kmalloc() did not
 *  give, or no longer */
int rmm_kfree(struct rmm *rmm, unsigned int cpu, const void *object)
{
	uintptr_t address = (uintptr_t)object;
	struct rmm_kmem_cache_cpu *c;

	if (rmm_unlikely(cpu >= rmm->kmalloc_cpus))
		return rmm__kfree(rmm, cpu, address);
	c = rmm->kmalloc_cpu[cpu].last;
	if (rmm_likely(address - c->base < c->limit))
		return to_cpu_slab(rmm, cpu, c, address);
	return kfree_by_page(rmm, cpu, address);
}
