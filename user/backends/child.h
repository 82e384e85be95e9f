/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* child.h - the lowest layers of chunks.c: 512 frames, a counter, a bit for each. */
#ifndef KMEMLAB_BACKENDS_CHILD_H
#define KMEMLAB_BACKENDS_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>

#include <kmemlab/backend.h>

enum {
	CHILD_ORDER = 9,
	CHILD_FRAMES = 1 << CHILD_ORDER,
	CHILD_WORDS = CHILD_FRAMES / 64,
	HUGE = 1 << 15,	     /* handed out as one */
	SPLITTING = 1 << 14, /* on the way from HUGE to single frames */
};

struct children {
	_Atomic uint16_t *free; /* frames, or HUGE, or SPLITTING */
	_Atomic uint64_t *bits; /* 1: in use */
};

/* The bits of a block of @order <= 6, or of one of its words, from bit 0. */
static inline uint64_t run_mask(uint32_t order)
{
	return order >= 6 ? ~0ull : (1ull << (1u << order)) - 1;
}

/* Zero bits that begin an aligned run of 2^@order zero bits, @order <= 6. */
static inline uint64_t runs(uint64_t used, uint32_t order)
{
	uint64_t free = ~used, aligned = ~0ull / run_mask(order);

	for (uint32_t o = 0; o < order; o++)
		free &= free >> (1u << o);
	return free & aligned;
}

/* A run inside one word of the child whose words begin at @w; KML_NO_PFN: none. */
static inline uint64_t take_bits(_Atomic uint64_t *w, uint32_t order)
{
	for (uint32_t i = 0; i < CHILD_WORDS; i++) {
		uint64_t used = atomic_load(&w[i]), at;

		while ((at = runs(used, order))) {
			int bit = __builtin_ctzll(at);

			if (atomic_compare_exchange_weak(&w[i], &used,
							 used | run_mask(order) << bit))
				return i * 64 + (uint64_t)bit;
		}
	}
	return KML_NO_PFN;
}

/* Orders 7 and 8: whole words, undone where one of them is in use. */
static inline uint64_t take_words(_Atomic uint64_t *w, uint32_t order)
{
	uint32_t words = 1u << (order - 6);

	for (uint32_t first = 0; first < CHILD_WORDS; first += words) {
		uint32_t n = 0;

		while (n < words &&
		       atomic_compare_exchange_strong(&w[first + n], &(uint64_t){0}, ~0ull))
			n++;
		if (n == words)
			return first * 64ull;
		while (n-- > 0)
			atomic_store(&w[first + n], 0);
	}
	return KML_NO_PFN;
}

/* Take @frames off a child's counter, if it has them and is not HUGE. */
static inline bool child_take(_Atomic uint16_t *child, uint32_t frames)
{
	uint16_t have = atomic_load(child);

	while (!(have & (HUGE | SPLITTING)) && have >= frames)
		if (atomic_compare_exchange_weak(child, &have, (uint16_t)(have - frames)))
			return true;
	return false;
}

static inline uint64_t child_alloc(struct children *c, uint64_t child, uint32_t order)
{
	_Atomic uint64_t *w = &c->bits[child * CHILD_WORDS];
	uint64_t at;

	if (!child_take(&c->free[child], 1u << order))
		return KML_NO_PFN;
	at = order <= 6 ? take_bits(w, order) : take_words(w, order);
	if (at == KML_NO_PFN)
		atomic_fetch_add(&c->free[child], (uint16_t)(1u << order));
	return at;
}

static inline bool child_take_whole(struct children *c, uint64_t child)
{
	return atomic_compare_exchange_strong(&c->free[child], &(uint16_t){CHILD_FRAMES}, HUGE);
}

/* Part of what was handed out as one comes back: all its bits are set first. */
static inline void child_split(struct children *c, uint64_t child)
{
	while (atomic_load(&c->free[child]) & (HUGE | SPLITTING)) {
		if (!atomic_compare_exchange_strong(&c->free[child], &(uint16_t){HUGE}, SPLITTING))
			continue;
		for (uint32_t i = 0; i < CHILD_WORDS; i++)
			atomic_store(&c->bits[child * CHILD_WORDS + i], ~0ull);
		atomic_store(&c->free[child], 0);
	}
}

/* Clear the bits of a block within one child; false: some were clear. */
static inline bool clear_bits(struct children *c, uint64_t pfn, uint32_t order)
{
	uint64_t mask = run_mask(order) << pfn % 64;

	for (uint64_t i = 0; i < (order > 6 ? 1ull << (order - 6) : 1); i++) {
		_Atomic uint64_t *w = &c->bits[pfn / 64 + i];
		uint64_t used = atomic_load(w);

		do {
			if ((used & mask) != mask)
				return false;
		} while (!atomic_compare_exchange_weak(w, &used, used & ~mask));
	}
	return true;
}

static inline bool child_free(struct children *c, uint64_t pfn, uint32_t order)
{
	uint64_t child = pfn >> CHILD_ORDER;

	if (order == CHILD_ORDER &&
	    atomic_compare_exchange_strong(&c->free[child], &(uint16_t){HUGE}, CHILD_FRAMES))
		return true;
	child_split(c, child);
	if (!clear_bits(c, pfn, order))
		return false;
	atomic_fetch_add(&c->free[child], (uint16_t)(1u << order));
	return true;
}

#endif
