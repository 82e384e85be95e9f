/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_bulk.c - many objects at once: all or none.
 *
 *   alloc_bulk   CPU freelist | slow path | CPU freelist | ...   until nr
 *                    on failure: what was taken goes back
 *   free_bulk    one after the other, each to its own slab
 *
 * Locking: as one call for each object.
 *
 * Modelled: kmem_cache_alloc_bulk, kmem_cache_free_bulk. Simplified: the kernel
 * gathers the objects of one slab and frees them in one step; the order of the
 * slab's list is then another. (6.12, mm/slub.c; not in LKD3)
 */
#include <errno.h>
#include <string.h>

#include "slab_parts.h"

/** rmm_bulk_from_slabs() - __kmem_cache_alloc_bulk(): @nr objects, or none */
bool rmm_bulk_from_slabs(struct rmm_kmem_cache *s, unsigned int cpu,
			 unsigned int gfp, unsigned int nr, void **objects)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		uintptr_t object = rmm_alloc_from_slabs(s, cpu, gfp, -1);

		if (!object)
			break;
		objects[i] = (void *)object;
	}
	if (i == nr)
		return true;
	while (i-- > 0) {
		uintptr_t object = (uintptr_t)objects[i];

		rmm_free_to_slab(s, cpu, rmm_virt_to_slab(s->layer, object),
				 object);
	}
	return false;
}

/** rmm_kmem_cache_alloc_bulk() - kmem_cache_alloc_bulk() */
size_t rmm_kmem_cache_alloc_bulk(struct rmm *rmm, unsigned int cpu,
				 struct rmm_kmem_cache *s, unsigned int gfp,
				 size_t nr, void **objects)
{
	for (size_t i = 0; i < nr; i++) {
		objects[i] = rmm_slab_alloc(rmm, cpu, s, gfp, s->object_size);
		if (objects[i])
			continue;
		while (i-- > 0)
			rmm_slab_free(rmm, cpu, s, (uintptr_t)objects[i]);
		return 0;
	}
	return nr;
}

/** rmm_kmem_cache_free_bulk() - kmem_cache_free_bulk(), and without a cache
 *  kfree_bulk(), which also takes kmalloc()'s blocks of pages; the first error
 * is returned, and the others are freed all the same */
int rmm_kmem_cache_free_bulk(struct rmm *rmm, unsigned int cpu,
			     struct rmm_kmem_cache *s, size_t nr,
			     void **objects)
{
	char first[RMM_ERROR_BYTES];
	int err = 0;

	for (size_t i = 0; i < nr; i++) {
		int one = s ? rmm_kmem_cache_free(rmm, cpu, s, objects[i])
			    : rmm_kfree(rmm, cpu, objects[i]);

		if (one && !err) {
			err = one;
			memcpy(first, rmm_error_text(rmm), sizeof(first));
		}
	}
	if (err)
		memcpy(rmm_error_text(rmm), first, sizeof(first));
	return err;
}
