/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_track.c - who had this object last? (slab_debug=U)
 *
 * With STORE_USER each object remembers who took it and who gave it back, and
 * errors tell:
 *
 *   cannot free 0x..c0: double free (object 3 of the slab at pfn 12, cache
 *   dentry); allocated by 12 on CPU 0 at 8141, freed by 99 on CPU 3 at 8150
 *
 * A caller is the number that rmm_set_caller() was told, and time is counted in
 * such events, over all caches that track. The two records lie behind the
 * object, where the kernel has them, or, without memory, behind the slab's
 * links.
 *
 *   with memory      | object | free pointer | alloc | free | size | ...
 *   without          link[objects] | alloc 0 | free 0 | alloc 1 | ...
 *
 * Locking: an object's records are its owner's.
 *
 * Modelled: get_track, set_track, init_tracking, print_tracking, set_orig_size.
 * Simplified: numbers instead of stack traces. (6.12, mm/slub.c; not in LKD3)
 */
#include <stdio.h>

#include "slab_parts.h"

static size_t link_bytes(unsigned int objects)
{
	return (objects * sizeof(uint16_t) + 63) / 64 * 64;
}

/** rmm_slab_meta_bytes() - what a slab of @objects needs beside its pages */
size_t rmm_slab_meta_bytes(const struct rmm_kmem_cache *s, unsigned int objects)
{
	size_t bytes = link_bytes(objects);

	if (s->backed)
		return 0;
	if (s->flags & RMM_SLAB_STORE_USER)
		bytes += 2 * sizeof(struct rmm_track) * objects;
	return bytes;
}

/** rmm_get_track() - get_track(): NULL for a cache that keeps none */
struct rmm_track *rmm_get_track(const struct rmm_kmem_cache *s,
				const struct rmm_slab *slab, uintptr_t object,
				enum rmm_track_item item)
{
	unsigned int behind = s->inuse;
	struct rmm_track *all;

	if (!(s->flags & RMM_SLAB_STORE_USER))
		return NULL;
	if (!s->backed) {
		all = (struct rmm_track *)(void *)((char *)slab->link +
						   link_bytes(
							   rmm_slab_word(slab)
								   .objects));
		return &all[2 * rmm_obj_to_index(s, slab, object) + item];
	}
	if (s->offset >= s->inuse)
		behind += (unsigned int)sizeof(uint64_t);
	return (struct rmm_track *)(object + behind) + item;
}

static void set_track(struct rmm_kmem_cache *s, unsigned int cpu,
		      struct rmm_track *t, size_t size)
{
	if (!t)
		return;
	t->when = rmm_slab_clock(s->layer);
	t->caller = s->layer->rmm->cpu[cpu].caller;
	t->cpu = cpu;
	t->size = size;
}

/** rmm_track_alloc() - set_track(TRACK_ALLOC), set_orig_size() */
void rmm_track_alloc(struct rmm_kmem_cache *s, unsigned int cpu,
		     uintptr_t object, size_t size)
{
	const struct rmm_slab *slab = rmm_virt_to_slab(s->layer, object);

	set_track(s, cpu, rmm_get_track(s, slab, object, RMM_TRACK_ALLOC),
		  size);
	rmm_red_zone_rest(s, slab, object);
}

/** rmm_track_free() - set_track(TRACK_FREE) */
void rmm_track_free(struct rmm_kmem_cache *s, unsigned int cpu,
		    struct rmm_slab *slab, uintptr_t object)
{
	set_track(s, cpu, rmm_get_track(s, slab, object, RMM_TRACK_FREE), 0);
}

/** rmm_slab_error() - note what is wrong with an object, and who had it */
int rmm_slab_error(struct rmm *rmm, int err, const struct rmm_slab_report *r)
{
	const struct rmm_kmem_cache *s = r->slab->cache;
	unsigned long long pfn =
		(unsigned long long)(r->slab - s->layer->slabs);
	uint64_t index = rmm_obj_to_index(s, r->slab, r->object);
	const char *names[] = {"; allocated", ", freed"};
	char *text = rmm_error_text(rmm);
	uintptr_t object;
	size_t at, size = RMM_ERROR_BYTES;

	rmm_error(rmm, err,
		  "cannot %s 0x%llx: %.80s (object %llu of the slab at pfn "
		  "%llu, cache %.40s)",
		  r->verb, (unsigned long long)r->object, r->what,
		  (unsigned long long)index, pfn, s->name);
	/* An address inside an object has that object's owner. */
	if (r->object < r->slab->base ||
	    index >= rmm_slab_word(r->slab).objects)
		return err;
	object = rmm_index_to_obj(s, r->slab, (unsigned int)index);
	for (at = 0; text[at];)
		at++;
	for (int item = RMM_TRACK_ALLOC; item <= RMM_TRACK_FREE; item++) {
		const struct rmm_track *t = rmm_get_track(
			s, r->slab, object, (enum rmm_track_item)item);

		if (t && t->when && at < size)
			at += (size_t)snprintf(text + at, size - at,
					       "%s by %u on CPU %u at %llu",
					       names[item], t->caller, t->cpu,
					       (unsigned long long)t->when);
	}
	return err;
}
