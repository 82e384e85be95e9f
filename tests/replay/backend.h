/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * backend.h - what every plug-in must get right: random requests against a map
 * of who has which frame.
 */
#ifndef KMEMLAB_TEST_BACKEND_H
#define KMEMLAB_TEST_BACKEND_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/backend.h>

enum { FRAMES = 20000, HELD = 600, STEPS = 60000 };

static const struct kml_zone backend_zones[] = {
	{.start_pfn = 1, .spanned = 4095, .present = 4095, .managed = 4095, .type = RMM_ZONE_DMA},
	{.start_pfn = 4096,
	 .spanned = FRAMES - 4096,
	 .present = FRAMES - 4096,
	 .managed = FRAMES - 4096,
	 .type = RMM_ZONE_NORMAL},
};

static const struct kml_machine backend_machine = {
	.nr_pfns = FRAMES,
	.nr_cpus = 4,
	.nr_zones = 2,
	.page_shift = 12,
	.pageblock_order = 9,
	.max_order = 10,
	.zones = backend_zones,
	.options = "",
};

struct oracle {
	const struct kml_backend *b;
	void *self;
	unsigned char used[FRAMES]; /* reserved or in use */
	uint64_t pfn[HELD];
	uint32_t order[HELD];
	uint64_t seed;
};

static inline uint32_t oracle_random(struct oracle *o, uint32_t below)
{
	o->seed = o->seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(o->seed >> 33) % below;
}

static inline void oracle_mark(struct oracle *o, uint64_t pfn, uint32_t order, int used)
{
	for (uint64_t f = pfn; f < pfn + (1ull << order); f++) {
		assert_int_not_equal(o->used[f], used);
		o->used[f] = (unsigned char)used;
	}
}

/* Everything is free but frame 0 and a hole of every 1000th block of order 3. */
static inline void oracle_init(struct oracle *o, const struct kml_backend *b, uint64_t seed)
{
	char error[256] = "";

	memset(o, 0, sizeof(*o));
	memset(o->used, 1, sizeof(o->used));
	o->b = b;
	o->seed = seed;
	o->self = b->init(&backend_machine, error, sizeof(error));
	if (!o->self)
		fail_msg("%s", error);
	for (uint64_t pfn = 8; pfn < FRAMES; pfn += 8) {
		if (pfn % 8000 == 0)
			continue;
		assert_int_equal(b->load(o->self, pfn, 3, 1), 0);
		oracle_mark(o, pfn, 3, 0);
	}
	if (b->ready)
		b->ready(o->self);
}

static inline void oracle_alloc(struct oracle *o, uint32_t i)
{
	const struct kml_request r = {
		.cpu = oracle_random(o, 4),
		.order = oracle_random(o, 4) ? oracle_random(o, 3) : oracle_random(o, 11),
		.migratetype = oracle_random(o, 2),
		.highest_zone = oracle_random(o, 8) ? RMM_ZONE_NORMAL : RMM_ZONE_DMA,
	};

	o->pfn[i] = o->b->alloc(o->self, &r);
	o->order[i] = r.order;
	if (o->pfn[i] == KML_NO_PFN)
		return;
	assert_int_equal(o->pfn[i] & ((1u << r.order) - 1), 0);
	assert_true(o->pfn[i] + (1ull << r.order) <= FRAMES);
	if (r.highest_zone == RMM_ZONE_DMA)
		assert_true(o->pfn[i] < 4096);
	oracle_mark(o, o->pfn[i], r.order, 1);
}

/* Whole, or now and then in two halves. */
static inline void oracle_free(struct oracle *o, uint32_t i)
{
	uint32_t part = o->order[i] && !oracle_random(o, 4) ? o->order[i] - 1 : o->order[i];
	uint64_t end = o->pfn[i] + (1ull << o->order[i]);

	for (uint64_t p = o->pfn[i]; p < end; p += 1ull << part) {
		assert_int_equal(o->b->free(o->self, oracle_random(o, 4), p, part), 0);
		oracle_mark(o, p, part, 0);
	}
	o->pfn[i] = KML_NO_PFN;
}

/* Largest aligned free blocks of a zone, the slow way. */
static inline void oracle_blocks(const struct oracle *o, uint32_t zone, uint64_t *blocks)
{
	const struct kml_zone *z = &backend_zones[zone];
	uint64_t end = z->start_pfn + z->spanned;

	for (uint64_t p = z->start_pfn; p < end;) {
		uint32_t order = 0;

		for (uint32_t k = 1; k <= 10 && p % (1u << k) == 0 && p + (1u << k) <= end; k++)
			order = !memchr(o->used + p, 1, 1u << k) && order == k - 1 ? k : order;
		blocks[order] += !o->used[p];
		p += o->used[p] ? 1 : 1ull << order;
	}
}

static inline void oracle_count(const struct oracle *o)
{
	for (uint32_t z = 0; z < 2; z++) {
		uint64_t mine[KML_BACKEND_ORDERS] = {0}, its[KML_BACKEND_ORDERS] = {0};

		oracle_blocks(o, z, mine);
		assert_int_equal(o->b->count(o->self, z, its), 0);
		assert_memory_equal(mine, its, sizeof(mine));
	}
}

static inline void oracle_run(const struct kml_backend *b, uint64_t seed)
{
	static struct oracle o;

	oracle_init(&o, b, seed);
	memset(o.pfn, 0xff, sizeof(o.pfn));
	for (uint32_t step = 0; step < STEPS; step++) {
		uint32_t i = oracle_random(&o, HELD);

		if (o.pfn[i] == KML_NO_PFN)
			oracle_alloc(&o, i);
		else
			oracle_free(&o, i);
		if (step % 1000 == 0)
			oracle_count(&o);
	}
	for (uint32_t i = 0; i < HELD; i++)
		if (o.pfn[i] != KML_NO_PFN)
			oracle_free(&o, i);
	oracle_count(&o);
	b->destroy(o.self);
}

#endif
