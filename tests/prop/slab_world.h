/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_world.h - a machine with caches, and an oracle that knows which words of
 * its memory are in use and by whom; what prop_slab.c plays with.
 */
#ifndef KMEMLAB_TESTS_SLAB_WORLD_H
#define KMEMLAB_TESTS_SLAB_WORLD_H

#include "prop.h"

#include "../../refmm/slab_parts.h"

enum {
	PAGES = 2048,
	WORDS = PAGES * 512,
	CACHES = 6,
	LIVE_MAX = 2500,
	CHECK_EVERY = 64,
	BULK_MAX = 40,
	SERIAL_NONE = 0,
	CONSTRUCTED = 0xc7,
};

struct live {
	uintptr_t at;
	unsigned int cache;
	uint8_t fill;
	bool in_rcu; /* freed, but for its readers */
};

struct world {
	struct rmm *rmm;
	struct rmm_kmem_cache *cache[CACHES]; /* some may be the same */
	struct rmm_kmem_cache_args args[CACHES];
	uint8_t used[WORDS];
	struct live live[LIVE_MAX];
	size_t n;
	bool faults, backed;
	uint8_t serial;
	uint64_t hash;
	char *msg;
};

static bool broken(struct world *w, const char *what, uintptr_t at)
{
	snprintf(w->msg, 512, "%s (0x%llx)", what, (unsigned long long)(at - w->rmm->page_offset));
	return false;
}

static void construct(void *object)
{
	memset(object, CONSTRUCTED, 8);
}

static const struct rmm_zone_config zones[] = {
	{.node = 0, .type = RMM_ZONE_NORMAL, .spanned = 1024, .present = 1024, .managed = 1024},
	{.node = 1,
	 .type = RMM_ZONE_NORMAL,
	 .start_pfn = 1024,
	 .spanned = 1024,
	 .present = 1024,
	 .managed = 1024},
};

static struct rmm *make(uint64_t knobs)
{
	static const uint8_t cpu_node[3] = {0, 1, 0};
	struct rmm_config c;

	rmm_config_init(&c);
	c.nr_cpus = 3;
	c.cpu_node = cpu_node;
	c.zones = zones;
	c.nr_zones = 2;
	c.min_free_kbytes = 0;
	c.backed = knobs & 1;
	c.page_offset = 1ull << 32;
	return rmm_create(&c, NULL);
}

static void start_layer(struct world *w, uint64_t knobs)
{
	static const unsigned int debug[] = {
		0,
		0,
		0,
		RMM_SLAB_RED_ZONE,
		RMM_SLAB_POISON | RMM_SLAB_STORE_USER,
		RMM_SLAB_DEBUG_FLAGS,
		RMM_SLAB_CONSISTENCY_CHECKS,
		0,
	};
	struct rmm_slab_config c;

	rmm_slab_config_init(&c);
	c.max_order = (unsigned int)(knobs >> 1) % 4;
	c.nomerge = knobs >> 3 & 1;
	c.freelist_random = knobs >> 4 & 1;
	c.random_seed = knobs;
	c.cpu_partial = knobs >> 5 & 3;
	c.debug = debug[knobs >> 7 & 7];
	c.sheaves = (enum rmm_sheaves)((knobs >> 10) % 3);
	c.order_61 = c.kmalloc_align_61 = knobs >> 13 & 1;
	c.min_objects = knobs >> 14 & 1 ? 1 : 0;
	assert_int_equal(rmm_kmem_cache_init(w->rmm, &c), 0);
}

static void start(struct world *w, uint64_t seed, char *msg)
{
	uint64_t number = prop_config(seed), knobs = prop_random(&number);

	memset(w, 0, sizeof(*w));
	w->msg = msg;
	w->backed = knobs & 1;
	w->rmm = make(knobs);
	assert_non_null(w->rmm);
	for (int i = 0; i < 2; i++)
		assert_int_equal(rmm_free_reserved(w->rmm, zones[i].start_pfn, zones[i].spanned),
				 0);
	assert_int_equal(rmm_setup_done(w->rmm), 0);
	start_layer(w, knobs);
}

static unsigned int words_of(const struct world *w, const struct live *l)
{
	return (w->args[l->cache].size + 7) / 8;
}

static uint8_t *words_at(struct world *w, const struct live *l)
{
	return &w->used[(l->at - w->rmm->page_offset) / 8];
}

/* Is @at memory that may be given out? */
static bool is_good(struct world *w, uintptr_t at, unsigned int size, unsigned int align)
{
	uintptr_t from = at - w->rmm->page_offset;
	struct rmm_page_info info;

	if (from + size > (uintptr_t)PAGES * 4096)
		return broken(w, "allocated out of memory", at);
	if (at & (align - 1))
		return broken(w, "allocated an object that is not aligned", at);
	for (uintptr_t p = from >> 12; p <= (from + size - 1) >> 12; p++)
		if (rmm_page_info(w->rmm, (rmm_pfn)p, &info) ||
		    rmm_find_head(w->rmm, (rmm_pfn)p) == RMM_NO_PFN ||
		    w->rmm->memmap[info.head].state != RMM_PG_ALLOCATED)
			return broken(w, "allocated in a page that is free", at);
	return true;
}

/* What its bytes must be when it is given out */
static bool has_content(struct world *w, const struct live *l, unsigned int gfp)
{
	const struct rmm_kmem_cache_args *a = &w->args[l->cache];
	const uint8_t *bytes = (const uint8_t *)l->at;

	for (unsigned int i = 0; a->ctor && i < 8; i++)
		if (bytes[i] != CONSTRUCTED)
			return broken(w, "allocated an object that is not constructed", l->at);
	for (unsigned int i = 0; (gfp & RMM_GFP_ZERO) && i < a->size; i++)
		if (bytes[i])
			return broken(w, "allocated an object that is not zeroed", l->at);
	return true;
}

static bool take(struct world *w, void *object, unsigned int cache, unsigned int gfp)
{
	struct live *l = &w->live[w->n];
	const struct rmm_kmem_cache_args *a = &w->args[cache];

	*l = (struct live){.at = (uintptr_t)object, .cache = cache, .fill = ++w->serial};
	w->hash = w->hash * 31 + (l->at - w->rmm->page_offset);
	if (!is_good(w, l->at, a->size, a->align ? a->align : 8))
		return false;
	for (unsigned int i = 0; i < words_of(w, l); i++) {
		if (words_at(w, l)[i])
			return broken(w, "allocated an object that is in use", l->at);
		words_at(w, l)[i] = 1;
	}
	w->n++;
	if (!w->backed)
		return true;
	if (!has_content(w, l, gfp))
		return false;
	if (!a->ctor)
		memset(object, l->fill, a->size);
	return true;
}

/* The oracle forgets live object @i; false if its bytes are not its owner's. */
static bool forget(struct world *w, size_t i)
{
	struct live *l = &w->live[i];
	const struct rmm_kmem_cache_args *a = &w->args[l->cache];
	const uint8_t *bytes = (const uint8_t *)l->at;
	uintptr_t at = l->at;
	bool ok = true;

	for (unsigned int k = 0; w->backed && k < a->size; k++)
		ok &= a->ctor ? k >= 8 || bytes[k] == CONSTRUCTED : bytes[k] == l->fill;
	memset(words_at(w, l), 0, words_of(w, l));
	*l = w->live[--w->n];
	return ok || broken(w, "somebody wrote into an object", at);
}

/* After a grace period */
static bool forget_rcu(struct world *w)
{
	for (size_t i = w->n; i-- > 0;) {
		struct live *l = &w->live[i];

		if (!l->in_rcu)
			continue;
		memset(words_at(w, l), 0, words_of(w, l));
		*l = w->live[--w->n];
	}
	return true;
}

#endif
