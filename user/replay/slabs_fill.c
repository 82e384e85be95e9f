/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slabs_fill.c - caches in the state they start in.
 *
 * Each cache gets its slabs, full. Where the kernel's lists were read, each of its slabs
 * that are not full has as many free objects as it had, those among them that the look
 * ahead found free, on the list where it was, in that order. Where not, what the look
 * ahead found free is freed object by object; what slabinfo counts as free besides is
 * freed in slabs that no event touches, evenly.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_slab.h>
#include <kmemlab/refmm_slab_load.h>

#include "replay/slabs.h"
#include "replay/slabs_firsts.h"

enum { PAGE_SHIFT = 12, SHEAF_ROOM = 1024 };

/* One cache while it is filled */
struct filling {
	struct slabs_cache *c;
	uintptr_t *slab;     /* address of each slab at the start */
	uint64_t nr;	     /* of them */
	uint64_t bound;	     /* slabs of the kernel's that are known by an event */
	struct live of_head; /* kernel's first frame -> index of slab */
	struct live known;   /* address of slab in pages -> the same */
	uint64_t freed;
	struct live free; /* where lists were read: objects known to be free, still to be freed */
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
	uint64_t most = slabs_at_start(f->c), wanted = most * f->c->my_objects, got = 0, extra = 0;
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

/* ---- As the kernel's lists have it ------------------------------------------- */

static uint64_t address_of(const struct filling *f, const struct listed_slab *slab, unsigned int i)
{
	return (slab->pfn << 9) + (uint64_t)i * f->c->size / 8;
}

/* Slabs of the lists come first, so that no event takes their places. */
static int bind_listed(struct filling *f)
{
	const struct listed_cache *l = f->c->listed;
	uint32_t old;
	int err = 0;

	for (size_t i = 0; i < l->n && !err && f->bound < f->c->start.slabs; i++)
		if (live_find(&f->of_head, l->slab[i].pfn) == LIVE_NONE)
			err = live_put(&f->of_head, l->slab[i].pfn, (uint32_t)f->bound++, &old);
	return err;
}

/* What is known to be free, by its address. */
static int note_free(struct filling *f, const struct slabs_first *first)
{
	uint32_t old;

	return first->live ? 0 : live_put(&f->free, first->address, 0, &old);
}

static bool is_free(const struct filling *f, const struct listed_slab *slab, unsigned int i)
{
	return live_find(&f->free, address_of(f, slab, i)) != LIVE_NONE;
}

static bool is_live(const struct slabs *s, const struct filling *f, const struct listed_slab *slab,
		    unsigned int i)
{
	return live_find(&s->live, address_of(f, slab, i)) != LIVE_NONE;
}

/*
 * As many as the slab had free: those of which it is known, and of the others the last
 * ones. The known ones come last in @object: they are given out first.
 *
 * Where more are live by the events than the list leaves, some were allocated where no
 * event looks before they were freed. What else such a slab had free may have gone that
 * way, too, and stays live: else the slab would run empty, which the kernel's did not.
 */
static size_t choose(struct slabs *s, struct filling *f, const struct listed_slab *slab,
		     void **object)
{
	size_t n = 0, known = 0, live = 0, more;

	for (unsigned int i = 0; i < f->c->objects; i++) {
		known += is_free(f, slab, i);
		live += is_live(s, f, slab, i);
	}
	more = slab->free > known ? slab->free - known : 0;
	if (live + known + more > f->c->objects) {
		s->counts.start_disputed++;
		more = 0;
	}
	for (unsigned int i = f->c->objects; i-- > 0 && n < more;)
		if (!is_free(f, slab, i) && !is_live(s, f, slab, i))
			object[n++] = stand_in(f, address_of(f, slab, i));
	for (unsigned int i = f->c->objects; i-- > 0;)
		if (is_free(f, slab, i))
			object[n++] = stand_in(f, address_of(f, slab, i));
	return n;
}

/* Of another shape the reference's slabs are not the kernel's: objects alone count. */
static int give(struct slabs *s, const struct filling *f, const struct listed_slab *slab,
		void *const *object, size_t n)
{
	const struct rmm_slab_load load = {
		.place = slab->holder == SLAB_OF_NODE ? RMM_SLAB_BEHIND : RMM_SLAB_ON_TOP,
		.cpu = slab->of % s->cpus,
		.object = object,
		.nr = n,
	};
	int err = 0;

	if (f->c->my_objects == f->c->objects && f->c->my_order == f->c->order)
		return rmm_slab_load(s->rmm, f->c->cache, &load);
	for (size_t i = 0; i < n && !err; i++)
		err = rmm_kmem_cache_free(s->rmm, load.cpu, f->c->cache, object[i]);
	return err;
}

static int load_slab(struct slabs *s, struct filling *f, const struct listed_slab *slab)
{
	void **object = calloc(f->c->objects + 1, sizeof(*object));
	size_t n;
	int err;

	if (!object)
		return -ENOMEM;
	n = choose(s, f, slab, object);
	s->counts.start_listed++;
	if (!n) { /* disputed, and nothing is known to be free */
		free(object);
		return 0;
	}
	/* A slab more than there are, or listed twice: there is no place for it. */
	err = object[0] ? give(s, f, slab, object, n) : -EINVAL;
	s->counts.start_unlisted += err != 0;
	for (unsigned int i = 0; i < f->c->objects && !err; i++)
		live_take(&f->free, address_of(f, slab, i));
	free(object);
	return 0;
}

/* In order of the nodes' lists; on top of a CPU's the one that it allocates from. */
static int load_listed(struct slabs *s, struct filling *f)
{
	const struct listed_cache *l = f->c->listed;
	int err = 0;

	for (size_t i = 0; i < l->n && !err; i++)
		if (l->slab[i].holder == SLAB_OF_NODE)
			err = load_slab(s, f, &l->slab[i]);
	for (size_t i = l->n; i-- > 0 && !err;)
		if (l->slab[i].holder == SLAB_OF_CPU_PARTIAL)
			err = load_slab(s, f, &l->slab[i]);
	for (size_t i = 0; i < l->n && !err; i++)
		if (l->slab[i].holder == SLAB_OF_CPU)
			err = load_slab(s, f, &l->slab[i]);
	if (f->c->my_objects != f->c->objects)
		rmm_kmem_cache_shrink(s->rmm, 0, f->c->cache);
	return err;
}

/* ---- One cache, then all ----------------------------------------------------- */

static bool still_to_free(const struct filling *f, const struct slabs_first *first)
{
	return !f->c->listed || live_find(&f->free, first->address) != LIVE_NONE;
}

static int begin(struct slabs *s, struct filling *f)
{
	int err =
		live_init(&f->of_head) || live_init(&f->known) || live_init(&f->free) ? -ENOMEM : 0;

	if (!err)
		err = fill(s, f);
	if (err || !f->c->listed)
		return err;
	rmm_kmem_cache_shrink(s->rmm, 0, f->c->cache); /* now no CPU has a slab */
	return bind_listed(f);
}

static int preload_cache(struct slabs *s, uint32_t index, const struct slabs_firsts *firsts)
{
	struct filling f = {.c = &s->caches[index]};
	size_t first = firsts->of_cache[index], end = firsts->of_cache[index + 1];
	struct rmm_kmem_cache_info info;
	int err = begin(s, &f);

	for (size_t i = first; i < end && !err; i++)
		err = place(s, &f, &firsts->items[i]);
	for (size_t i = first; i < end && !err && f.c->listed; i++)
		err = note_free(&f, &firsts->items[i]);
	if (!err)
		err = f.c->listed ? load_listed(s, &f) : free_rest(s, &f);
	for (size_t i = first; i < end && !err; i++)
		if (still_to_free(&f, &firsts->items[i]))
			err = free_first(s, &f, &firsts->items[i]);
	rmm_kmem_cache_info(s->rmm, f.c->cache, &info);
	f.c->slabs_start = info.slabs;
	live_destroy(&f.of_head);
	live_destroy(&f.known);
	live_destroy(&f.free);
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
