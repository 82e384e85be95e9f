/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_bitmap.c - runs of bits in 64-bit words; see percpu_bitmap.h.
 *
 * A search looks at whole words: what lies before @from is masked out of the
 * first one, what lies behind @end is dropped from the result.
 *
 * Locking: the caller's.
 *
 * Modelled: find_next_bit, find_next_zero_bit, find_last_bit, bitmap_set,
 * bitmap_clear, bitmap_weight. (6.12, lib/find_bit.c, lib/bitmap.c)
 */
#include "percpu_bitmap.h"

/* First bit in [@from, @end) that is set in the map, or in its inverse if @flip
 * is all ones */
static int find_next(const uint64_t *map, int end, int from, uint64_t flip)
{
	int word = from / RMM_WORD_BITS;
	uint64_t bits;

	if (from >= end)
		return end;
	bits = (map[word] ^ flip) & (~0ull << (from % RMM_WORD_BITS));
	while (!bits) {
		word++;
		if (word * RMM_WORD_BITS >= end)
			return end;
		bits = map[word] ^ flip;
	}
	from = word * RMM_WORD_BITS + __builtin_ctzll(bits);
	return from < end ? from : end;
}

/** rmm_find_next_bit() - first bit set in [@from, @end), or @end */
int rmm_find_next_bit(const uint64_t *map, int end, int from)
{
	return find_next(map, end, from, 0);
}

/** rmm_find_next_zero_bit() - first bit clear in [@from, @end), or @end */
int rmm_find_next_zero_bit(const uint64_t *map, int end, int from)
{
	return find_next(map, end, from, ~0ull);
}

/** rmm_find_last_bit() - last bit set in [@from, @end), or -1 */
int rmm_find_last_bit(const uint64_t *map, int from, int end)
{
	while (end > from) {
		int word = (end - 1) / RMM_WORD_BITS;
		int over = (word + 1) * RMM_WORD_BITS - end;
		uint64_t bits = map[word] << over >> over;

		if (bits) {
			end = word * RMM_WORD_BITS + 63 - __builtin_clzll(bits);
			return end >= from ? end : -1;
		}
		end = word * RMM_WORD_BITS;
	}
	return -1;
}

/* Bits of word @word that lie in [@from, @end) */
static uint64_t mask(int word, int from, int end)
{
	int first = from - word * RMM_WORD_BITS;
	int over = (word + 1) * RMM_WORD_BITS - end;
	uint64_t bits = ~0ull;

	if (first > 0)
		bits &= ~0ull << first;
	if (over > 0)
		bits &= ~0ull >> over;
	return bits;
}

/** rmm_bitmap_set() - set @nr bits from @from on */
void rmm_bitmap_set(uint64_t *map, int from, int nr)
{
	for (int w = from / RMM_WORD_BITS; w * RMM_WORD_BITS < from + nr; w++)
		map[w] |= mask(w, from, from + nr);
}

/** rmm_bitmap_clear() - clear @nr bits from @from on */
void rmm_bitmap_clear(uint64_t *map, int from, int nr)
{
	for (int w = from / RMM_WORD_BITS; w * RMM_WORD_BITS < from + nr; w++)
		map[w] &= ~mask(w, from, from + nr);
}

/** rmm_bitmap_weight() - how many bits are set in [@from, @end) */
int rmm_bitmap_weight(const uint64_t *map, int from, int end)
{
	int n = 0;

	for (int w = from / RMM_WORD_BITS; w * RMM_WORD_BITS < end; w++)
		n += __builtin_popcountll(map[w] & mask(w, from, end));
	return n;
}
