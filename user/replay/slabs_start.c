/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slabs_start.c - the machine and its caches, as slabinfo and the kernel's own lists
 * have them. slabs_fill.c fills them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_slab.h>

#include "metrics/objects.h"
#include "replay/host.h"
#include "replay/slabs.h"
#include "trace/slab_text.h"
#include "trace/trace_io.h"

/* Values of the table are 32 bits of 8 bytes each. */
enum { PAGES_MAX = 1 << 23, CACHES_MAX = 60000 };

static int create_machine(struct slabs *s, const struct host *h)
{
	struct rmm_zone_config zone = {.type = RMM_ZONE_NORMAL};
	uint64_t pages = 0;
	struct rmm_config c;
	int err;

	for (unsigned int z = 0; z < h->nr_zones; z++)
		pages += h->zones[z].managed;
	pages = (pages | 1023) + 1;
	zone.spanned = pages < PAGES_MAX ? (uint32_t)pages : PAGES_MAX;
	zone.present = zone.managed = zone.spanned;
	rmm_config_init(&c);
	c.zones = &zone;
	c.nr_zones = 1;
	c.nr_cpus = s->cpus = h->cpus;
	c.min_free_kbytes = 0;
	s->rmm = rmm_create(&c, NULL);
	if (!s->rmm)
		return -ENOMEM;
	s->base = c.page_offset;
	s->pages_left = zone.spanned - zone.spanned / 4; /* for slabs of the start */
	err = rmm_free_reserved(s->rmm, 0, zone.spanned);
	return err ? err : rmm_setup_done(s->rmm);
}

static void set_knobs(struct rmm_slab_config *c, const struct slabs_knobs *k)
{
	if (k->min_order)
		c->min_order = k->min_order - 1;
	if (k->max_order)
		c->max_order = k->max_order - 1;
	if (k->min_objects)
		c->min_objects = k->min_objects - 1;
	if (k->cpu_partial)
		c->cpu_partial = k->cpu_partial > 1;
}

static int create_layer(struct slabs *s, const struct host *h)
{
	struct rmm_slab_config c;

	rmm_slab_config_init(&c);
	set_knobs(&c, &s->knobs);
	c.order_61 = !host_release_from(h, 6, 8);
	if (host_release_from(h, 6, 18))
		c.sheaves = RMM_SHEAVES_CHOSEN;
	if (host_release_from(h, 7, 0))
		c.sheaves = RMM_SHEAVES_ALL;
	if (s->knobs.sheaf_capacity)
		c.sheaves = s->knobs.sheaf_capacity > 1 ? RMM_SHEAVES_CHOSEN : RMM_SHEAVES_OFF;
	return rmm_kmem_cache_init(s->rmm, &c);
}

static bool asks_for_sheaf(const struct host *h, const char *name)
{
	return host_release_from(h, 6, 18) &&
	       (!strcmp(name, "maple_node") || !strcmp(name, "vm_area_struct"));
}

static unsigned int sheaf_capacity(const struct slabs *s, const struct host *h, const char *name)
{
	if (s->knobs.sheaf_capacity)
		return s->knobs.sheaf_capacity - 1;
	return asks_for_sheaf(h, name) ? 32 : 0;
}

/* The kernel's slabs, and the reference's slabs for as many objects at the start */
static void shape_cache(struct slabs *s, struct slabs_cache *c, const struct slabs_cache *plain)
{
	struct rmm_kmem_cache_info info;

	rmm_kmem_cache_info(s->rmm, c->cache, &info);
	c->size = info.size;
	c->my_order = info.order;
	c->my_objects = info.objs_per_slab;
	c->order = plain ? plain->order : info.order;
	c->objects = plain ? plain->objects : info.objs_per_slab;
	c->differs = info.size != c->start.object_bytes ||
		     c->objects != c->start.objects_per_slab ||
		     1u << c->order != c->start.pages_per_slab;
}

uint64_t slabs_at_start(const struct slabs_cache *c)
{
	return (c->start.slabs * c->objects + c->my_objects - 1) / c->my_objects;
}

/* slabinfo's size holds alignment and free pointer already. */
static void create_cache(struct slabs *s, struct slabs_cache *c, const struct host *h)
{
	const struct rmm_kmem_cache_args args = {
		.name = c->start.name,
		.size = c->start.object_bytes,
		.align = 8,
		.flags = RMM_SLAB_NO_MERGE,
		.sheaf_capacity = sheaf_capacity(s, h, c->start.name),
	};

	if (!c->has_start || !c->start.object_bytes)
		return;
	c->cache = rmm_kmem_cache_create(s->rmm, &args);
	if (!c->cache)
		return;
	shape_cache(s, c, s->plain ? slabs_find(s->plain, c->string) : NULL);
	if (!c->differs)
		c->differs = slabs_at_start(c) > s->pages_left >> c->my_order;
	if (!c->differs)
		s->pages_left -= slabs_at_start(c) << c->my_order;
}

/* A cache for each name that classes have; index + 1 */
static uint32_t cache_of(struct slabs *s, uint32_t string)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->caches[i].string == string)
			return i + 1;
	if (s->n == CACHES_MAX)
		return 0;
	s->caches[s->n].string = string;
	return ++s->n;
}

static void describe(struct slabs_cache *c, const char *name, const struct proc_slabinfo *start,
		     const struct proc_slabinfo *end)
{
	const struct proc_slab *a = proc_slabinfo_find(start, name);
	const struct proc_slab *b = end->n ? proc_slabinfo_find(end, name) : NULL;

	c->has_start = a != NULL;
	c->has_end = b != NULL;
	if (a)
		c->start = *a;
	if (b)
		c->end = *b;
	if (!a || !c->listed)
		return;
	/* Read later, and slab by slab: that is where it begins. */
	c->start.slabs = c->listed->slabs;
	c->start.objects = c->listed->objects;
	c->start.active_objects = c->listed->objects - listed_free_on_nodes(c->listed);
}

static int list_caches(struct slabs *s, const struct kmt_class *const *classes, uint32_t n)
{
	s->nr_classes = n;
	s->of_class = calloc((size_t)n + 1, sizeof(*s->of_class));
	s->caches = calloc((size_t)n + 1, sizeof(*s->caches));
	if (!s->of_class || !s->caches)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if (classes[i] && classes[i]->cache &&
		    (objects_allocates(classes[i]->kind) || objects_frees(classes[i]->kind)))
			s->of_class[i] = cache_of(s, classes[i]->cache);
	return s->n ? 0 : -ENOENT;
}

int slabs_create(struct slabs *s, const struct host *h, struct trace_reader *r,
		 const struct kmt_class *const *classes, uint32_t nr_classes)
{
	struct proc_slabinfo start = {0}, end = {0};
	int err = list_caches(s, classes, nr_classes);

	s->end_ns = UINT64_MAX;
	if (!err && !trace_slabinfo(r, KMT_PHASE_START, &start, &s->start_ns))
		err = -ENOENT;
	if (!err)
		trace_slabinfo(r, KMT_PHASE_END, &end, &s->end_ns);
	if (!err)
		err = slab_lists_read(&s->lists, r);
	if (!err && s->lists.known && s->lists.time_ns > s->start_ns)
		s->start_ns = s->lists.time_ns;
	if (!err)
		err = create_machine(s, h);
	if (!err)
		err = create_layer(s, h);
	for (uint32_t i = 0; i < s->n && !err; i++) {
		struct slabs_cache *c = &s->caches[i];

		c->listed = slab_lists_find(&s->lists, trace_reader_string(r, c->string));
		describe(c, trace_reader_string(r, c->string), &start, &end);
		create_cache(s, c, h);
	}
	proc_slabinfo_free(&start);
	proc_slabinfo_free(&end);
	return err;
}
