// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * percpu_areas.c - see percpu_areas.h. A bit stands for 4 bytes; an area goes on to the
 * next bound:
 *
 *   alloc   |1111......111111..|    the first chunk's maps begin and end with bits that
 *   bound   |1...1.....1.1...1.|    are set for ever: what is not its own
 *                      | |
 *                      two areas
 */
#include "percpu_areas.h"

#include <stddef.h>
#include <string.h>

enum { BIT_BYTES = 4, WORD_BITS = 64, PAGE_BITS = KML_PERCPU_PAGE_WORDS * WORD_BITS };

/* The first bit from @from on that is @value; @end where there is none */
static uint32_t next_bit(const __u64 *map, uint32_t end, uint32_t from, bool value)
{
	while (from < end) {
		uint64_t word = (value ? map[from / WORD_BITS] : ~map[from / WORD_BITS]) >>
				from % WORD_BITS;

		if (word) {
			from += (uint32_t)__builtin_ctzll(word);
			return from < end ? from : end;
		}
		from += WORD_BITS - from % WORD_BITS;
	}
	return end;
}

static uint32_t begin_of(const struct kml_percpu_chunk *c)
{
	return (uint32_t)c->start_offset / BIT_BYTES;
}

static uint32_t end_of(const struct kml_percpu_chunk *c)
{
	return (uint32_t)c->pages * PAGE_BITS - (uint32_t)c->end_offset / BIT_BYTES;
}

static uint32_t count(const __u64 *map, uint32_t words)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < words; i++)
		n += (uint32_t)__builtin_popcountll(map[i]);
	return n;
}

static bool bounds_sound(const struct kml_percpu_chunk *c)
{
	uint32_t end = end_of(c), at = begin_of(c);

	/* Each run of areas begins with a bound. */
	while ((at = next_bit(c->alloc, end, at, true)) < end) {
		if (!(c->bound[at / WORD_BITS] >> at % WORD_BITS & 1))
			return false;
		at = next_bit(c->alloc, end, at, false);
	}
	return true;
}

bool percpu_chunk_sound(const struct kml_percpu_chunk *c)
{
	uint32_t words, bits;

	if (c->pages <= 0 || c->pages > KML_PERCPU_PAGES || c->start_offset < 0 ||
	    c->end_offset < 0 || begin_of(c) > (uint32_t)c->pages * PAGE_BITS ||
	    (uint32_t)c->end_offset / BIT_BYTES > (uint32_t)c->pages * PAGE_BITS - begin_of(c))
		return false;
	words = (uint32_t)c->pages * KML_PERCPU_PAGE_WORDS;
	bits = words * WORD_BITS - count(c->alloc, words);
	return c->free_bytes >= 0 && bits * BIT_BYTES == (uint32_t)c->free_bytes && bounds_sound(c);
}

bool percpu_chunk_same(const struct kml_percpu_chunk *a, const struct kml_percpu_chunk *b)
{
	size_t words = (size_t)a->pages * KML_PERCPU_PAGE_WORDS;
	size_t head = offsetof(struct kml_percpu_chunk, populated);

	return !memcmp(a, b, head) &&
	       !memcmp(a->populated, b->populated,
		       ((size_t)a->pages + WORD_BITS - 1) / WORD_BITS * sizeof(__u64)) &&
	       !memcmp(a->alloc, b->alloc, words * sizeof(__u64)) &&
	       !memcmp(a->bound, b->bound, words * sizeof(__u64));
}

bool percpu_next_area(const struct kml_percpu_chunk *c, struct percpu_run *r)
{
	uint32_t end = end_of(c), at = r->n ? (r->at + r->n) / BIT_BYTES : begin_of(c), stop;

	at = next_bit(c->alloc, end, at, true);
	if (at == end)
		return false;
	stop = next_bit(c->bound, end, at + 1, true);
	*r = (struct percpu_run){at * BIT_BYTES, (stop - at) * BIT_BYTES};
	return true;
}

bool percpu_next_populated(const struct kml_percpu_chunk *c, struct percpu_run *r)
{
	uint32_t end = (uint32_t)c->pages;
	uint32_t at = next_bit(c->populated, end, r->at + r->n, true);

	*r = (struct percpu_run){at, next_bit(c->populated, end, at, false) - at};
	return at < end;
}
