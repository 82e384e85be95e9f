/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kmalloc_caches.c - the caches behind kmalloc(), and the table of sizes.
 *
 *              8       16       32  ...   96       192  ...  8k
 *   NORMAL     kmalloc-8        ...       kmalloc-96         kmalloc-8k
 *   RECLAIM    kmalloc-rcl-8    ...       pages RECLAIMABLE
 *   DMA        dma-kmalloc-8    ...       pages of ZONE_DMA
 *   CGROUP     kmalloc-cg-8     ...       charged to somebody
 *
 * An object of 2^n bytes is aligned to 2^n, others to the largest power of two
 * that divides their size: 96 to 32, 192 to 64 (before 6.11 to a word); with
 * debugging, too, at the price of larger slots. Where devices write memory past
 * the CPU's cache, objects must not share a line, and the smallest class is one
 * line (ARCH_KMALLOC_MINALIGN): with 64 there is no 96, with 128 no 192.
 *
 *   size <= caches[type][index(size)]->object_size, and no smaller class holds
 *   it
 *
 * Locking: none; runs once, before anybody allocates.
 *
 * Modelled: create_kmalloc_caches, new_kmalloc_cache, create_boot_cache,
 * setup_kmalloc_cache_index_table, kmalloc_info's names. Simplified: minalign
 * is one number, not the architecture's and the DMA engine's; the largest class
 * is 8 KiB whatever the page size. Omitted: RANDOM copies, buckets,
 * KMALLOC_NO_OBJ_EXT. (6.12, mm/slab_common.c; LKD3 ch. 12 "kmalloc()")
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kmalloc.h"
#include "slab_parts.h"

enum { INDEX_96 = 1, INDEX_192 = 2, MINALIGN_MOST = 256 };

/* Bytes of the class at @index */
static unsigned int class_size(unsigned int index)
{
	if (index == INDEX_96)
		return 96;
	return index == INDEX_192 ? 192 : 1u << index;
}

/* Is there such a class, with the smallest of 2^@low bytes? */
static bool class_exists(unsigned int index, unsigned int low)
{
	if (index == INDEX_96)
		return low <= 5;
	if (index == INDEX_192)
		return low <= 6;
	return index >= low;
}

/* The smallest class that holds @size */
static unsigned int index_of(unsigned int size, unsigned int low)
{
	unsigned int best = RMM_KMALLOC_SHIFT_HIGH;

	for (unsigned int i = 1; i <= RMM_KMALLOC_SHIFT_HIGH; i++)
		if (class_exists(i, low) && class_size(i) >= size &&
		    class_size(i) < class_size(best))
			best = i;
	return best;
}

static void setup_size_index(struct rmm_kmalloc *k)
{
	for (unsigned int i = 0; i < RMM_KMALLOC_STEPS; i++)
		k->size_index[i] = (uint8_t)index_of(8 * (i + 1), k->shift_low);
}

static const struct {
	const char *prefix;
	unsigned int flags;
} types[RMM_KMALLOC_TYPES] = {
	[RMM_KMALLOC_NORMAL] = {"kmalloc", RMM_SLAB_NO_MERGE},
	[RMM_KMALLOC_RECLAIM] = {"kmalloc-rcl", RMM_SLAB_RECLAIM_ACCOUNT},
	[RMM_KMALLOC_DMA] = {"dma-kmalloc", RMM_SLAB_CACHE_DMA},
	[RMM_KMALLOC_CGROUP] = {"kmalloc-cg", RMM_SLAB_ACCOUNT},
};

/* create_boot_cache(): also if red zones and tracks lie between the objects,
 * and the slot is larger than the class */
static unsigned int class_align(const struct rmm_slab_config *c,
				unsigned int size)
{
	unsigned int align = size & -size;

	if (c->kmalloc_align_61 && align != size)
		align = 0;
	return align > c->kmalloc_minalign ? align : c->kmalloc_minalign;
}

static int new_kmalloc_cache(struct rmm *rmm, struct rmm_kmalloc *k,
			     enum rmm_kmalloc_type type, unsigned int index)
{
	unsigned int size = class_size(index);
	bool kilo = size >= 1024;
	char name[32];
	struct rmm_kmem_cache_args args = {
		.name = name,
		.size = size,
		.align = class_align(&rmm_slab_layer(rmm)->config, size),
		.flags = types[type].flags | RMM_SLAB_KMALLOC,
		.usersize = size, /* any part of it may go to user space */
	};

	if (!class_exists(index, k->shift_low))
		return 0;
	snprintf(name, sizeof(name), "%s-%u%s", types[type].prefix,
		 kilo ? size / 1024 : size, kilo ? "k" : "");
	k->caches[type][index] = rmm_kmem_cache_create(rmm, &args);
	return k->caches[type][index] ? 0 : -ENOMEM;
}

/* Who may take the fast paths: with memory behind the pages, without accounts,
 * and, cache by cache, without debugging and sheaves */
static void set_up_cpus(struct rmm *rmm, struct rmm_kmalloc *k)
{
	for (unsigned int cpu = 0; cpu < rmm->config.nr_cpus; cpu++) {
		k->cpu[cpu].last = &k->nothing;
		for (unsigned int i = 0; i < RMM_KMALLOC_INDEXES; i++) {
			const struct rmm_kmem_cache *s =
				k->caches[RMM_KMALLOC_NORMAL][index_of(
					class_size(i), k->shift_low)];

			k->cpu[cpu].of[i] = s && !(s->watch & RMM_WATCH_ALL)
						    ? &s->cpu[cpu]
						    : &k->nothing;
		}
	}
	rmm->kmalloc_cpu = k->cpu;
	rmm->kmalloc_index = k->size_index;
	if (rmm->arena && !k->count)
		rmm->kmalloc_quick_cpus = rmm->config.nr_cpus;
	rmm_set_watch(rmm);
}

/** rmm_create_kmalloc_caches() - create_kmalloc_caches(); -EINVAL, -ENOMEM: the
 *  layer must go */
int rmm_create_kmalloc_caches(struct rmm *rmm)
{
	struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	unsigned int minalign = l->config.kmalloc_minalign;
	struct rmm_kmalloc *k;
	size_t bytes = sizeof(*k) + rmm->config.nr_cpus * sizeof(k->cpu[0]);
	int err = 0;

	if (minalign < 8 || minalign > MINALIGN_MOST)
		return rmm_error(rmm, -EINVAL,
				 "cannot set up kmalloc: kmalloc_minalign %u "
				 "is not in 8..256",
				 minalign);
	k = rmm_slab_meta_alloc(l, bytes);
	if (!k)
		return rmm_error(rmm, -ENOMEM,
				 "cannot set up kmalloc: out of memory");
	l->kmalloc = k;
	k->shift_low = (unsigned int)__builtin_ctz(minalign);
	setup_size_index(k);
	for (unsigned int t = 0; !err && t < RMM_KMALLOC_TYPES; t++)
		for (unsigned int i = 1; !err && i < RMM_KMALLOC_INDEXES; i++)
			err = new_kmalloc_cache(rmm, k, t, i);
	if (!err && l->config.kmalloc_account)
		err = rmm_kmalloc_account_create(rmm, k);
	if (!err)
		set_up_cpus(rmm, k);
	return err;
}

/** rmm_destroy_kmalloc_caches() - what does not go with the slab layer */
void rmm_destroy_kmalloc_caches(struct rmm_slab_layer *l)
{
	struct rmm_kmalloc *k = l->kmalloc;

	if (k && k->sizes)
		munmap(k->sizes, k->sizes_bytes);
	l->kmalloc = NULL;
	l->rmm->kmalloc_quick_cpus = 0;
	rmm_set_watch(l->rmm);
}

/** rmm_is_kmalloc_cache() - does kmalloc() serve requests from it? Not only as
 *  the alias of a cache that somebody else has made */
bool rmm_is_kmalloc_cache(const struct rmm_kmem_cache *s)
{
	const struct rmm_kmalloc *k = s->layer->kmalloc;

	for (unsigned int t = 0; k && t < RMM_KMALLOC_TYPES; t++)
		for (unsigned int i = 1; i < RMM_KMALLOC_INDEXES; i++)
			if (k->caches[t][i] == s)
				return true;
	return false;
}
