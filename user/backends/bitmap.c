/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bitmap.c - the plainest allocator there is: a bit per frame, first fit.
 *
 *   word   |<------ 64 frames ------>|
 *   free   1 1 1 0 0 0 1 1 ... 1 1 1 1    1: free
 *
 * An allocation takes the lowest aligned run of free frames in the highest zone
 * the request may use. Nothing is cached, nobody has a list, mobility is
 * ignored: a lower bound for machinery, and a figure for what it buys.
 *
 * `low[zone][order]`: no free aligned run of that order begins below it, so a
 * search begins there. Frees lower it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/backend.h>

struct bitmap {
	const struct kml_machine *m;
	uint64_t *free;
	uint64_t (*low)[KML_BACKEND_ORDERS]; /* by zone */
	uint64_t words_read;
};

static uint64_t mask_of(uint64_t pfn, uint32_t order)
{
	uint64_t run = order >= 6 ? ~0ull : (1ull << (1u << order)) - 1;

	return run << pfn % 64;
}

/* Blocks of order 6 and above are whole words. */
static uint64_t words_of(uint32_t order)
{
	return order > 6 ? 1ull << (order - 6) : 1;
}

static bool is_free(struct bitmap *b, uint64_t pfn, uint32_t order)
{
	uint64_t mask = mask_of(pfn, order);

	for (uint64_t i = 0; i < words_of(order); i++) {
		b->words_read++;
		if ((b->free[pfn / 64 + i] & mask) != mask)
			return false;
	}
	return true;
}

static void set(struct bitmap *b, uint64_t pfn, uint32_t order, bool value)
{
	for (uint64_t i = 0; i < words_of(order); i++) {
		uint64_t *word = &b->free[pfn / 64 + i];

		*word = value ? *word | mask_of(pfn, order) : *word & ~mask_of(pfn, order);
	}
}

static unsigned int zone_of(const struct bitmap *b, uint64_t pfn)
{
	unsigned int z = 0;

	while (pfn - b->m->zones[z].start_pfn >= b->m->zones[z].spanned)
		z++;
	return z;
}

static void lower(struct bitmap *b, uint64_t pfn)
{
	uint64_t *low = b->low[zone_of(b, pfn)];

	for (uint32_t o = 0; o <= b->m->max_order; o++)
		if (pfn >> o << o < low[o])
			low[o] = pfn >> o << o;
}

static void destroy(void *self)
{
	struct bitmap *b = self;

	free(b->free);
	free(b->low);
	free(b);
}

static void *init(const struct kml_machine *m, char *error, size_t size)
{
	struct bitmap *b = calloc(1, sizeof(*b));

	if (*m->options) {
		snprintf(error, size, "it has no options, but was given '%s'", m->options);
		free(b);
		return NULL;
	}
	if (!b)
		return NULL;
	b->m = m;
	/* Room for a block of the largest order that begins in the last frames. */
	b->free = calloc((m->nr_pfns + (1ull << m->max_order)) / 64 + 1, sizeof(*b->free));
	b->low = calloc(m->nr_zones, sizeof(*b->low));
	if (b->free && b->low)
		return b;
	snprintf(error, size, "out of memory");
	destroy(b);
	return NULL;
}

static int load(void *self, uint64_t pfn, uint32_t order, int is_free_now)
{
	if (is_free_now) {
		set(self, pfn, order, true);
		lower(self, pfn);
	}
	return 0;
}

/* The next place at or after @pfn worth a look: words without a free frame are
 * passed over. */
static uint64_t pass_full(struct bitmap *b, uint64_t pfn, uint64_t end, uint32_t order)
{
	while (pfn < end && !b->free[pfn / 64]) {
		b->words_read++;
		pfn = (pfn / 64 + words_of(order)) * 64;
	}
	return pfn;
}

static uint64_t search(struct bitmap *b, uint32_t zone, uint32_t order)
{
	const struct kml_zone *z = &b->m->zones[zone];
	uint64_t size = 1ull << order, end = z->start_pfn + z->spanned;
	uint64_t pfn = (z->start_pfn + size - 1) / size * size;

	if (pfn < b->low[zone][order])
		pfn = b->low[zone][order];
	for (pfn = pass_full(b, pfn, end, order); pfn + size <= end;
	     pfn = pass_full(b, pfn + size, end, order))
		if (is_free(b, pfn, order))
			break;
	b->low[zone][order] = pfn;
	return pfn + size <= end ? pfn : KML_NO_PFN;
}

static uint64_t alloc(void *self, const struct kml_request *r)
{
	struct bitmap *b = self;

	for (uint32_t type = r->highest_zone + 1; type-- > 0;) {
		for (uint32_t z = 0; z < b->m->nr_zones; z++) {
			uint64_t pfn = KML_NO_PFN;

			if (b->m->zones[z].type == type)
				pfn = search(b, z, r->order);
			if (pfn != KML_NO_PFN) {
				set(b, pfn, r->order, false);
				return pfn;
			}
		}
	}
	return KML_NO_PFN;
}

static int give_back(void *self, uint32_t cpu, uint64_t pfn, uint32_t order)
{
	(void)cpu;
	set(self, pfn, order, true);
	lower(self, pfn);
	return 0;
}

/* The largest aligned free blocks, as a buddy allocator would have them. */
static uint64_t count(void *self, uint32_t zone, uint64_t *blocks)
{
	struct bitmap *b = self;
	const struct kml_zone *z = &b->m->zones[zone];
	uint64_t end = z->start_pfn + z->spanned, read = b->words_read;

	for (uint64_t pfn = pass_full(b, z->start_pfn, end, 0); pfn < end;) {
		uint32_t order = 0;

		if (!is_free(b, pfn, 0)) {
			pfn = pass_full(b, pfn + 1, end, 0);
			continue;
		}
		while (order < b->m->max_order && !(pfn & ((2ull << order) - 1)) &&
		       pfn + (2ull << order) <= end && is_free(b, pfn, order + 1))
			order++;
		blocks[order]++;
		pfn += 1ull << order;
	}
	b->words_read = read;
	return 0;
}

static size_t counters(void *self, struct kml_counter *out, size_t n)
{
	struct bitmap *b = self;

	if (!n)
		return 0;
	out[0] = (struct kml_counter){"words_read", b->words_read};
	return 1;
}

const struct kml_backend *kmemlab_backend(void)
{
	static const struct kml_backend backend = {
		.abi = KML_BACKEND_ABI,
		.size = sizeof(backend),
		.name = "first-fit",
		.init = init,
		.load = load,
		.alloc = alloc,
		.free = give_back,
		.count = count,
		.counters = counters,
		.destroy = destroy,
	};

	return &backend;
}
