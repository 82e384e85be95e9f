/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_stat.c - what a cache is made of and where its objects are.
 *
 *   total_objects = objects (live) + free
 *   free = on nodes' partial lists + CPUs' slabs and partial lists + sheaves
 *
 * /proc/slabinfo knows only the first kind of free objects: its active_objs is
 * total_objects less those, so that a cache looks fuller than it is.
 *
 * Locking: the machine must be at rest.
 *
 * Modelled: get_slabinfo, show_slab_objects, the attributes of
 * /sys/kernel/slab, CONFIG_SLUB_STATS. (6.12, mm/slub.c)
 */
#include "slab_parts.h"

/* On the slab's own list; what a CPU took from it is not */
static unsigned int free_in(const struct rmm_slab *slab)
{
	struct rmm_slab_word word = rmm_slab_word(slab);

	return word.objects - word.inuse;
}

/* Free objects that only the CPU knows of */
static uint64_t freelist_length(const struct rmm_kmem_cache *s,
				const struct rmm_kmem_cache_cpu *c)
{
	uint64_t nr = 0;

	for (uintptr_t o = c->freelist; o;
	     o = rmm_get_freepointer(s, c->slab, o))
		nr++;
	return nr;
}

/* count_partial(n, count_free) */
static uint64_t free_on_nodes(const struct rmm_kmem_cache *s)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < s->layer->rmm->nr_nodes; i++)
		for (const struct rmm_slab *slab = s->node[i].partial.first;
		     slab; slab = slab->next)
			nr += free_in(slab);
	return nr;
}

/* In use for their slabs, and free all the same. Not those that wait for their
 * readers: somebody may look at them. */
static uint64_t free_in_sheaves(const struct rmm_kmem_cache *s)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; s->sheaf_capacity && i < s->nr_cpus; i++) {
		nr += s->cpu[i].main->size;
		nr += s->cpu[i].spare ? s->cpu[i].spare->size : 0;
	}
	for (unsigned int i = 0; i < s->layer->rmm->nr_nodes; i++)
		for (const struct rmm_sheaf *f = s->node[i].sheaves_full; f;
		     f = f->next)
			nr += f->size;
	return nr;
}

/** rmm_count_free() - objects that nobody has, wherever they are */
uint64_t rmm_count_free(const struct rmm_kmem_cache *s)
{
	uint64_t nr = free_on_nodes(s) + free_in_sheaves(s);

	for (unsigned int i = 0; i < s->nr_cpus; i++) {
		const struct rmm_kmem_cache_cpu *c = &s->cpu[i];

		nr += freelist_length(s, c);
		if (c->slab)
			nr += free_in(c->slab);
		for (const struct rmm_slab *slab = c->partial; slab;
		     slab = slab->next)
			nr += free_in(slab);
	}
	return nr;
}

/* What was asked for, where that is known: debug caches know all slabs */
static uint64_t requested(const struct rmm_kmem_cache *s,
			  const struct rmm_slab *slab)
{
	uint64_t bytes = 0;

	for (; slab; slab = slab->next) {
		for (unsigned int i = 0; i < rmm_slab_word(slab).objects; i++) {
			uintptr_t object = rmm_index_to_obj(s, slab, i);
			const struct rmm_track *t =
				rmm_get_track(s, slab, object, RMM_TRACK_ALLOC);

			if (rmm_object_is_live(s, slab, object))
				bytes += t->size;
		}
	}
	return bytes;
}

/* Slabs by who has them; a full slab is in no list and only counted */
static void count_slabs(const struct rmm_kmem_cache *s,
			struct rmm_kmem_cache_info *out)
{
	for (unsigned int i = 0; i < s->layer->rmm->nr_nodes; i++) {
		const struct rmm_kmem_cache_node *n = &s->node[i];

		out->slabs += n->nr_slabs;
		out->total_objects += n->total_objects;
		out->partial += n->partial.count;
		if (rmm_keeps_size(s))
			out->requested_bytes += requested(s, n->partial.first) +
						requested(s, n->full.first);
	}
	for (unsigned int i = 0; i < s->nr_cpus; i++) {
		out->cpu_slabs += s->cpu[i].slab != NULL;
		if (s->cpu[i].partial)
			out->cpu_partial_nr += s->cpu[i].partial->slabs;
	}
}

/** rmm_kmem_cache_info() - see refmm_slab_stat.h */
void rmm_kmem_cache_info(const struct rmm *rmm, const struct rmm_kmem_cache *s,
			 struct rmm_kmem_cache_info *out)
{
	(void)rmm;
	*out = (struct rmm_kmem_cache_info){
		.name = s->name,
		.object_size = s->object_size,
		.size = s->size,
		.align = s->align,
		.flags = s->flags,
		.order = s->oo.order,
		.objs_per_slab = s->oo.objects,
		.min_order = s->min.order,
		.min_objects = s->min.objects,
		.cpu_partial = s->cpu_partial,
		.cpu_partial_slabs = s->cpu_partial_slabs,
		.min_partial = (unsigned int)s->min_partial,
		.sheaf_capacity = s->sheaf_capacity,
		.aliases = s->aliases,
	};
	count_slabs(s, out);
	out->objects = out->total_objects - rmm_count_free(s);
	out->active_objs = out->total_objects - free_on_nodes(s);
	out->pages = s->pages;
}

/** rmm_slab_stat() - see refmm_slab_stat.h: over all CPUs */
void rmm_slab_stat(const struct rmm *rmm, const struct rmm_kmem_cache *s,
		   struct rmm_slab_stat *out)
{
	uint64_t *to = (uint64_t *)(void *)out;

	(void)rmm;
	*out = (struct rmm_slab_stat){0};
	for (unsigned int i = 0; i < s->nr_cpus; i++) {
		const struct rmm_kmem_cache_cpu *c = &s->cpu[i];
		const uint64_t *from = (const uint64_t *)(const void *)&c->stat;

		for (size_t k = 0; k < sizeof(*out) / sizeof(*to); k++)
			to[k] += from[k];
		out->alloc_fastpath += c->alloc_fastpath;
		out->free_fastpath += c->free_fastpath;
	}
}
