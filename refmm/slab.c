/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab.c - the layer: begins after the pages are set up, ends with the machine.
 *
 * One struct rmm_slab lies beside every frame, in a mapping of its own that
 * costs address space only until slabs are there. So the way from an object to
 * its slab is a subtraction, a shift and a load.
 *
 *      frame     0        1        2        3
 *      slabs     | NULL   | head 1 | head 1 | NULL   |     a slab of order 1
 *
 * Locking: rmm_kmem_cache_init() before any other call; l->lock for the list
 * of caches.
 *
 * Modelled: kmem_cache_init, setup_slub_min_order and its like, struct slab in
 * place of struct page. Simplified: bookkeeping does not come from caches, so
 * there is no bootstrap of kmem_cache and kmem_cache_node. (6.12, mm/slub.c,
 * mm/slab_common.c; LKD3 ch. 12 "Slab Layer")
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kmalloc.h"
#include "slab_parts.h"

/** rmm_slab_config_init() - as Linux 6.12 boots, but for random freelists */
void rmm_slab_config_init(struct rmm_slab_config *c)
{
	*c = (struct rmm_slab_config){
		.max_order = RMM_COSTLY_ORDER,
		.cache_line_size = 64,
		.cpu_partial = true,
		.random_seed = 1,
		.kmalloc_minalign = 8,
	};
}

static const char *check_config(const struct rmm *rmm,
				const struct rmm_slab_config *c)
{
	unsigned int line = c->cache_line_size;

	if (c->max_order > rmm->config.max_order)
		return "max_order is over the page side's";
	if (c->min_order > c->max_order)
		return "min_order is over max_order";
	if (c->nr_cpus > RMM_MAX_CPUS)
		return "nr_cpus is over 8192";
	if (line < 8 || line > 4096 || (line & (line - 1)))
		return "cache_line_size is no power of two in 8..4096";
	if (c->kmalloc_minalign & (c->kmalloc_minalign - 1))
		return "kmalloc_minalign is no power of two";
	if (c->debug & ~(unsigned int)RMM_SLAB_DEBUG_FLAGS)
		return "debug holds more than debug flags";
	if (c->sheaves > RMM_SHEAVES_ALL)
		return "sheaves is not off, chosen or all";
	return NULL;
}

/** rmm_slab_random() - the next number of the layer's sequence (splitmix64) */
uint64_t rmm_slab_random(struct rmm_slab_layer *l)
{
	uint64_t z = __atomic_add_fetch(&l->random, 0x9e3779b97f4a7c15ull,
					__ATOMIC_RELAXED);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/** rmm_slab_clock() - time, counted in allocations and frees that are tracked
 */
uint64_t rmm_slab_clock(struct rmm_slab_layer *l)
{
	return __atomic_add_fetch(&l->clock, 1, __ATOMIC_RELAXED);
}

static size_t map_bytes(const struct rmm *rmm)
{
	return (size_t)rmm->end_pfn * sizeof(struct rmm_slab);
}

static void destroy(struct rmm *rmm, void *state)
{
	struct rmm_slab_layer *l = state;

	rmm_destroy_kmalloc_caches(l);
	if (l->slabs)
		munmap(l->slabs, map_bytes(rmm));
	if (l->meta)
		rmm_slab_meta_destroy(l->meta);
	rmm->layer[RMM_LAYER_SLAB].state = NULL;
	munmap(l, sizeof(*l));
}

static int set_up(struct rmm *rmm, struct rmm_slab_layer *l)
{
	void *map = mmap(NULL, map_bytes(rmm), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return -ENOMEM;
	l->slabs = map;
	l->rmm = rmm;
	l->threads = rmm->config.threads;
	l->page_offset = rmm->page_offset;
	l->page_shift = rmm->config.page_shift;
	l->bytes = (uintptr_t)rmm->end_pfn << l->page_shift;
	l->random = l->config.random_seed;
	if (!l->config.nr_cpus)
		l->config.nr_cpus = rmm->config.nr_cpus;
	l->meta = rmm_slab_meta_create();
	return l->meta ? rmm_slab_rcu_create(l) : -ENOMEM;
}

/** rmm_slab_init() - the layer, without kmalloc's caches */
static int slab_init(struct rmm *rmm, const struct rmm_slab_config *c)
{
	struct rmm_slab_layer *l =
		mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (l == MAP_FAILED)
		return rmm_error(rmm, -ENOMEM,
				 "cannot set up slabs: out of memory");
	if (c)
		l->config = *c;
	else
		rmm_slab_config_init(&l->config);
	if (set_up(rmm, l)) {
		destroy(rmm, l);
		return rmm_error(rmm, -ENOMEM,
				 "cannot set up slabs: out of memory for one "
				 "struct rmm_slab a frame");
	}
	rmm->layer[RMM_LAYER_SLAB] = (struct rmm_layer){
		.state = l,
		.destroy = destroy,
		.validate = rmm_slab_validate,
	};
	return 0;
}

/** rmm_kmem_cache_init() - kmem_cache_init(); see refmm_slab.h */
int rmm_kmem_cache_init(struct rmm *rmm, const struct rmm_slab_config *c)
{
	const char *bad = c ? check_config(rmm, c) : NULL;
	int err;

	if (rmm->layer[RMM_LAYER_SLAB].state)
		return rmm_error(rmm, -EBUSY,
				 "cannot set up slabs: they are set up");
	if (!rmm->ready)
		return rmm_error(rmm, -EINVAL,
				 "cannot set up slabs: call rmm_setup_done() "
				 "first");
	if (bad)
		return rmm_error(rmm, -EINVAL, "cannot set up slabs: %s", bad);
	err = slab_init(rmm, c);
	if (!err)
		err = rmm_create_kmalloc_caches(rmm);
	if (err && rmm->layer[RMM_LAYER_SLAB].state)
		destroy(rmm, rmm->layer[RMM_LAYER_SLAB].state);
	return err;
}

/** rmm_kmem_cache_next() - see refmm_slab_stat.h */
struct rmm_kmem_cache *rmm_kmem_cache_next(const struct rmm *rmm,
					   const struct rmm_kmem_cache *s)
{
	const struct rmm_slab_layer *l = rmm_slab_layer(rmm);

	if (s)
		return s->next;
	return l ? l->first : NULL;
}

/** rmm_kmem_cache_find() - see refmm_slab_stat.h */
struct rmm_kmem_cache *rmm_kmem_cache_find(const struct rmm *rmm,
					   const char *name)
{
	struct rmm_kmem_cache *s = rmm_kmem_cache_next(rmm, NULL);

	while (s && strcmp(s->name, name))
		s = s->next;
	return s;
}

/** rmm_virt_to_cache() - see refmm_slab_stat.h */
struct rmm_kmem_cache *rmm_virt_to_cache(const struct rmm *rmm,
					 const void *object)
{
	const struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	const struct rmm_slab *slab =
		l ? rmm_virt_to_slab(l, (uintptr_t)object) : NULL;

	return slab ? slab->cache : NULL;
}
