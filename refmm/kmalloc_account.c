/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kmalloc_account.c - how much of what kmalloc() gives out was asked for.
 *
 * A slot of 64 bytes for a request of 40 wastes 24. The kernel knows requests
 * only with slub_debug=U, which makes objects larger; here a table beside the
 * memory keeps them, and objects stay as they are:
 *
 *      memory   | 40 of 64         | 64 of 64         | ...
 *      sizes    | 40 . . . . . . . | 64 . . . . . . . | one entry per 8 bytes
 *
 *   waste of a class = objects * object_size - requested
 *
 * Memory is set aside only for entries that are used. Whoever gives an object
 * back by another way than kfree() leaves its entry; the next one in the slot
 * sees to it.
 *
 * Locking: entries are the object's owner's, counters the CPU's.
 *
 * Modelled: orig_size of slub_debug=U, as a question that may always be asked.
 * (6.12, mm/slub.c; not in LKD3)
 */
#include <errno.h>
#include <sys/mman.h>

#include "kmalloc.h"
#include "slab_parts.h"

enum { LARGE = 0 }; /* the index that no class has */

/** rmm_kmalloc_account_create() - -ENOMEM */
int rmm_kmalloc_account_create(struct rmm *rmm, struct rmm_kmalloc *k)
{
	struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	void *map;

	k->sizes_bytes = l->bytes / 8 * sizeof(*k->sizes);
	map = mmap(NULL, k->sizes_bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map != MAP_FAILED) {
		k->sizes = map;
		k->count = rmm_slab_meta_alloc(l, rmm->config.nr_cpus *
							  sizeof(*k->count));
	}
	if (!k->count)
		return rmm_error(rmm, -ENOMEM,
				 "cannot account kmalloc: out of memory");
	return 0;
}

/* Where a cache's objects count */
static struct rmm_kmalloc_count *counter(const struct rmm_kmalloc *k,
					 unsigned int cpu,
					 const struct rmm_kmem_cache *s)
{
	unsigned int index;

	if (s->object_size > RMM_KMALLOC_MAX_CACHE_BYTES)
		return NULL;
	index = rmm_kmalloc_size_index(k, s->object_size);
	for (unsigned int t = 0; t < RMM_KMALLOC_TYPES; t++)
		if (k->caches[t][index] == s)
			return &k->count[cpu][t][index];
	return NULL; /* no cache of kmalloc()'s */
}

/* An object's size changes to @size, which may be 0: it has none */
static void change(const struct rmm_slab_layer *l, unsigned int cpu,
		   const struct rmm_slab *slab, uintptr_t object, size_t size)
{
	const struct rmm_kmalloc *k = l->kmalloc;
	uint16_t *entry = &k->sizes[(object - l->page_offset) / 8];
	struct rmm_kmalloc_count *c = counter(k, cpu, slab->cache);

	if (!c)
		return;
	if (*entry) {
		c->objects--;
		c->requested -= *entry;
		c->given -= slab->cache->object_size;
	}
	if (size) {
		c->objects++;
		c->requested += (int64_t)size;
		c->given += slab->cache->object_size;
	}
	*entry = (uint16_t)size;
}

/* The same for a block of pages, which keeps its size itself */
static void change_large(struct rmm *rmm, unsigned int cpu, uintptr_t address,
			 size_t size)
{
	struct rmm_kmalloc_count *c =
		&rmm_kmalloc_tables(rmm)->count[cpu][0][LARGE];
	struct rmm_page *page = rmm_kmalloc_large_page(rmm, address);
	size_t bytes, old;

	if (!page)
		return;
	bytes = (size_t)1 << (page->order + rmm->config.page_shift);
	old = rmm_kmalloc_large_size(page);
	if (old) {
		c->objects--;
		c->requested -= (int64_t)old;
		c->given -= (int64_t)bytes;
	}
	if (size) {
		c->objects++;
		c->requested += (int64_t)size;
		c->given += (int64_t)bytes;
	}
	rmm_kmalloc_set_large_size(page, size);
}

/** rmm_kmalloc_account() - what kmalloc() gave at @object is for @size bytes;
 * 0: it comes back. A size that was known so far counts no more. */
void rmm_kmalloc_account(struct rmm *rmm, unsigned int cpu, uintptr_t object,
			 size_t size)
{
	const struct rmm_slab_layer *l = rmm_slab_layer(rmm);
	const struct rmm_slab *slab = rmm_virt_to_slab(l, object);

	if (cpu >= rmm->config.nr_cpus)
		return;
	if (!slab)
		change_large(rmm, cpu, object, size);
	else if (rmm_is_object(slab->cache, slab, object))
		change(l, cpu, slab, object, size);
}

static void add_up(const struct rmm *rmm, unsigned int type, unsigned int index,
		   struct rmm_kmalloc_usage *out)
{
	const struct rmm_kmalloc *k = rmm_kmalloc_tables(rmm);

	for (unsigned int cpu = 0; cpu < rmm->config.nr_cpus; cpu++) {
		const struct rmm_kmalloc_count *c = &k->count[cpu][type][index];

		out->objects += (uint64_t)c->objects;
		out->requested_bytes += (uint64_t)c->requested;
		out->given_bytes += (uint64_t)c->given;
	}
}

/** rmm_kmalloc_usage() - see refmm_kmalloc.h */
bool rmm_kmalloc_usage(const struct rmm *rmm, unsigned int n,
		       struct rmm_kmalloc_usage *out)
{
	const struct rmm_kmalloc *k = rmm_kmalloc_tables(rmm);

	*out = (struct rmm_kmalloc_usage){.name = "pages"};
	if (!k || !k->count)
		return false;
	for (unsigned int t = 0; t < RMM_KMALLOC_TYPES; t++)
		for (unsigned int i = 1; i < RMM_KMALLOC_INDEXES; i++) {
			const struct rmm_kmem_cache *s = k->caches[t][i];

			if (!s || n-- > 0)
				continue;
			out->name = s->name;
			out->object_size = s->object_size;
			add_up(rmm, t, i, out);
			return true;
		}
	if (n > 0)
		return false;
	add_up(rmm, 0, LARGE, out);
	return true;
}
