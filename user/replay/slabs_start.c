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

static int create_layer(struct slabs *s, const struct host *h)
{
	struct rmm_slab_config c;

	rmm_slab_config_init(&c);
	c.order_61 = !host_release_from(h, 6, 8);
	if (host_release_from(h, 6, 18))
		c.sheaves = RMM_SHEAVES_CHOSEN;
	if (host_release_from(h, 7, 0))
		c.sheaves = RMM_SHEAVES_ALL;
	return rmm_kmem_cache_init(s->rmm, &c);
}

static bool asks_for_sheaf(const struct host *h, const char *name)
{
	return host_release_from(h, 6, 18) &&
	       (!strcmp(name, "maple_node") || !strcmp(name, "vm_area_struct"));
}

/* slabinfo's size holds alignment and free pointer already. */
static void create_cache(struct slabs *s, struct slabs_cache *c, const struct host *h)
{
	const struct rmm_kmem_cache_args args = {
		.name = c->start.name,
		.size = c->start.object_bytes,
		.align = 8,
		.flags = RMM_SLAB_NO_MERGE,
		.sheaf_capacity = asks_for_sheaf(h, c->start.name) ? 32 : 0,
	};
	struct rmm_kmem_cache_info info;

	if (!c->has_start || !c->start.object_bytes)
		return;
	c->cache = rmm_kmem_cache_create(s->rmm, &args);
	if (!c->cache)
		return;
	rmm_kmem_cache_info(s->rmm, c->cache, &info);
	c->size = info.size;
	c->order = info.order;
	c->objects = info.objs_per_slab;
	c->differs = info.size != c->start.object_bytes ||
		     info.objs_per_slab != c->start.objects_per_slab ||
		     1u << info.order != c->start.pages_per_slab ||
		     c->start.slabs > s->pages_left >> info.order;
	if (!c->differs)
		s->pages_left -= c->start.slabs << info.order;
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
		if (classes[i] && classes[i]->kind >= KMT_KMALLOC &&
		    classes[i]->kind <= KMT_CACHE_FREE && classes[i]->cache)
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
	uintptr_t *slab; /* address of each slab at the start */
	uint64_t nr, bound;
	struct live of_head; /* kernel's first frame -> index of slab */
	struct live known;   /* address of slab in pages -> the same */
	uint64_t freed;
};

static uintptr_t slab_of(const struct slabs *s, const struct slabs_cache *c, const void *object)
{
	unsigned int shift = PAGE_SHIFT + c->order;

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
	uint64_t most = f->c->start.slabs, wanted = most * f->c->objects, got = 0, extra = 0;
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
	uint64_t at = (address - (head << 9)) * 8;
	uint32_t slab, old;

	if (at % f->c->size || at / f->c->size >= f->c->objects)
		return NULL;
	slab = live_take(&f->of_head, head);
	if (slab == LIVE_NONE && f->bound < f->nr)
		slab = (uint32_t)f->bound++;
	if (slab == LIVE_NONE || live_put(&f->of_head, head, slab, &old))
		return NULL;
	return (void *)(f->slab[slab] + at);
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

/* What slabinfo counts as free and no event touches, in slabs that none touches;
 * an object stays in each. It counts those on the nodes' lists: there they go. */
static int free_rest(struct slabs *s, struct filling *f)
{
	uint64_t free = f->c->start.objects - f->c->start.active_objects, each;
	uint64_t slabs = f->nr - f->bound;

	if (f->c->start.objects < f->c->start.active_objects || free <= f->freed || !slabs)
		return 0;
	free -= f->freed;
	each = (free + slabs - 1) / slabs;
	if (each >= f->c->objects)
		each = f->c->objects - 1;
	for (uint64_t i = f->bound; i < f->nr && free; i++) {
		for (uint64_t k = 0; k < each && free; k++, free--) {
			void *o = (void *)(f->slab[i] + k * f->c->size);
			int err = rmm_kmem_cache_free(s->rmm, 0, f->c->cache, o);

			if (err)
				return err;
		}
	}
	rmm_kmem_cache_shrink(s->rmm, 0, f->c->cache);
	return 0;
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
