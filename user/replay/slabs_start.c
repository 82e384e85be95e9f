/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slabs_start.c - caches as slabinfo has them, in the state they start in.
 *
 * Each cache gets its slabs, full. Then, of those that the events touch, object by
 * object, what the look ahead found free is freed; what slabinfo counts as free
 * besides is freed in slabs that no event touches, evenly.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_slab.h>

#include "metrics/objects.h"
#include "replay/host.h"
#include "replay/slabs.h"
#include "replay/slabs_firsts.h"
#include "trace/trace_io.h"

/* Values of the table are 32 bits of 8 bytes each. */
enum { PAGE_SHIFT = 12, PAGES_MAX = 1 << 23, CACHES_MAX = 60000, SHEAF_ROOM = 1024 };

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

static uint64_t start_slabs(const struct slabs_cache *c)
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
		c->differs = start_slabs(c) > s->pages_left >> c->my_order;
	if (!c->differs)
		s->pages_left -= start_slabs(c) << c->my_order;
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

static bool load_info(struct trace_reader *r, uint16_t phase, struct proc_slabinfo *info,
		      uint64_t *time_ns)
{
	struct trace_text t;
	bool ok;

	if (trace_reader_find_text(r, "slabinfo", phase, &t))
		return false;
	ok = !proc_slabinfo_parse(t.text, info);
	*time_ns = t.time_ns;
	trace_text_free(&t);
	return ok;
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
	if (!err && !load_info(r, KMT_PHASE_START, &start, &s->start_ns))
		err = -ENOENT;
	if (!err)
		load_info(r, KMT_PHASE_END, &end, &s->end_ns);
	if (!err)
		err = create_machine(s, h);
	if (!err)
		err = create_layer(s, h);
	for (uint32_t i = 0; i < s->n && !err; i++) {
		struct slabs_cache *c = &s->caches[i];

		describe(c, trace_reader_string(r, c->string), &start, &end);
		create_cache(s, c, h);
	}
	proc_slabinfo_free(&start);
	proc_slabinfo_free(&end);
	return err;
}

/* One cache while it is filled */
struct filling {
	struct slabs_cache *c;
	uintptr_t *slab;     /* address of each slab at the start */
	uint64_t nr;	     /* of them */
	uint64_t bound;	     /* slabs of the kernel's that are known by an event */
	struct live of_head; /* kernel's first frame -> index of slab */
	struct live known;   /* address of slab in pages -> the same */
	uint64_t freed;
};

static uintptr_t slab_of(const struct slabs *s, const struct slabs_cache *c, const void *object)
{
	unsigned int shift = PAGE_SHIFT + c->my_order;

	return s->base + (((uintptr_t)object - s->base) >> shift << shift);
}

/* Index of the slab at @slab among the first ones; LIVE_NONE: it is a later one */
static uint32_t slab_index(struct filling *f, uintptr_t slab, uint64_t most)
{
	uint32_t index = live_take(&f->known, slab >> PAGE_SHIFT), old;

	if (index == LIVE_NONE && f->nr < most) {
		index = (uint32_t)f->nr;
		f->slab[f->nr++] = slab;
	}
	if (index != LIVE_NONE && live_put(&f->known, slab >> PAGE_SHIFT, index, &old))
		return LIVE_NONE;
	return index;
}

/* All slabs, full. A sheaf takes objects of later slabs before the last ones of
 * these are handed out: such go back. */
static int fill(struct slabs *s, struct filling *f)
{
	uint64_t most = start_slabs(f->c), wanted = most * f->c->my_objects, got = 0, extra = 0;
	void *extras[SHEAF_ROOM];

	f->slab = calloc(most + 1, sizeof(*f->slab));
	if (!f->slab)
		return -ENOMEM;
	while (got < wanted && extra < SHEAF_ROOM) {
		void *o = rmm_kmem_cache_alloc(s->rmm, 0, f->c->cache, RMM_GFP_KERNEL);

		if (!o)
			return -ENOMEM;
		if (slab_index(f, slab_of(s, f->c, o), most) == LIVE_NONE)
			extras[extra++] = o;
		else
			got++;
	}
	while (extra && !rmm_kmem_cache_free(s->rmm, 0, f->c->cache, extras[extra - 1]))
		extra--;
	return got < wanted || extra ? -EINVAL : 0;
}

/* The reference's object that stands for the one at @address; NULL: no object begins
 * there, or there are more slabs in the trace than in slabinfo */
static void *stand_in(struct filling *f, uint64_t address)
{
	uint64_t head = slabs_head(address, f->c->order);
	uint64_t at = (address - (head << 9)) * 8, index;
	uint32_t slab, old;

	if (at % f->c->size || at / f->c->size >= f->c->objects)
		return NULL;
	slab = live_take(&f->of_head, head);
	if (slab == LIVE_NONE && f->bound < f->c->start.slabs)
		slab = (uint32_t)f->bound++;
	if (slab == LIVE_NONE || live_put(&f->of_head, head, slab, &old))
		return NULL;
	index = (uint64_t)slab * f->c->objects + at / f->c->size;
	return (void *)(f->slab[index / f->c->my_objects] + index % f->c->my_objects * f->c->size);
}

/* Find its place; live ones are known by their address from now on. */
static int place(struct slabs *s, struct filling *f, const struct slabs_first *first)
{
	void *o = stand_in(f, first->address);
	uint32_t old;

	s->counts.start_live += first->live;
	s->counts.start_free += !first->live;
	if (!o)
		s->counts.start_unplaced++;
	else if (first->live)
		return live_put(&s->live, first->address, slabs_value(s, o), &old);
	else
		f->freed++;
	return 0;
}

/* Free ones are freed on the CPU that will find them, for mostly they lie there */
static int free_first(struct slabs *s, struct filling *f, const struct slabs_first *first)
{
	void *o = first->live ? NULL : stand_in(f, first->address);

	if (!o)
		return 0;
	return rmm_kmem_cache_free(s->rmm, first->cpu % s->cpus, f->c->cache, o);
}

static int free_nth(struct slabs *s, const struct filling *f, uint64_t index)
{
	uintptr_t slab = f->slab[index / f->c->my_objects];

	return rmm_kmem_cache_free(s->rmm, 0, f->c->cache,
				   (void *)(slab + index % f->c->my_objects * f->c->size));
}

/* Of slab @i at most @each that no event touches and the kernel had; @left: in all */
static int free_some(struct slabs *s, const struct filling *f, uint64_t i, uint64_t each,
		     uint64_t *left)
{
	uint64_t index = i * f->c->my_objects, end = index + f->c->my_objects;
	int err = 0;

	if (index < f->bound * f->c->objects)
		index = f->bound * f->c->objects;
	if (end > f->c->start.slabs * f->c->objects)
		end = f->c->start.slabs * f->c->objects;
	for (; index < end && each && *left && !err; index++, each--, --*left)
		err = free_nth(s, f, index);
	return err;
}

/* What slabinfo counts as free and no event touches, in slabs that none touches;
 * an object stays in each. It counts those on the nodes' lists: there they go. */
static int free_rest(struct slabs *s, struct filling *f)
{
	uint64_t free = f->c->start.objects - f->c->start.active_objects, each;
	uint64_t first = f->bound * f->c->objects / f->c->my_objects, slabs = f->nr - first;
	int err = 0;

	/* Of another shape, the last slab may have room for more than there were. */
	for (uint64_t i = f->c->start.slabs * f->c->objects; i < f->nr * f->c->my_objects && !err;
	     i++)
		err = free_nth(s, f, i);
	if (err || f->c->start.objects < f->c->start.active_objects || free <= f->freed || !slabs)
		return err;
	free -= f->freed;
	each = (free + slabs - 1) / slabs;
	if (each >= f->c->my_objects)
		each = f->c->my_objects - 1;
	for (uint64_t i = first; i < f->nr && free && !err; i++)
		err = free_some(s, f, i, each, &free);
	rmm_kmem_cache_shrink(s->rmm, 0, f->c->cache);
	return err;
}

static int preload_cache(struct slabs *s, uint32_t index, const struct slabs_firsts *firsts)
{
	struct filling f = {.c = &s->caches[index]};
	struct rmm_kmem_cache_info info;
	size_t end = firsts->of_cache[index + 1];
	int err = live_init(&f.of_head) || live_init(&f.known) ? -ENOMEM : 0;

	if (!err)
		err = fill(s, &f);
	for (size_t i = firsts->of_cache[index]; i < end && !err; i++)
		err = place(s, &f, &firsts->items[i]);
	if (!err)
		err = free_rest(s, &f);
	for (size_t i = firsts->of_cache[index]; i < end && !err; i++)
		err = free_first(s, &f, &firsts->items[i]);
	rmm_kmem_cache_info(s->rmm, f.c->cache, &info);
	f.c->slabs_start = info.slabs;
	live_destroy(&f.of_head);
	live_destroy(&f.known);
	free(f.slab);
	return err;
}

int slabs_preload(struct slabs *s, const struct slabs_firsts *f)
{
	int err = 0;

	for (uint32_t i = 0; i < s->n && !err; i++)
		if (s->caches[i].cache && !s->caches[i].differs)
			err = preload_cache(s, i, f);
	return err;
}
