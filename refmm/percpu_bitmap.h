/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_bitmap.h - runs of bits in 64-bit words, as the kernel's bitmap
 * functions find and change them.
 *
 *      word   |        0        |        1        | ...
 *      bit    0 ............. 63 64 ........... 127
 *
 * All bounds are half open: [from, end). Where nothing is found, the searches
 * forward return @end, as the kernel's do, and the one backward -1.
 *
 * Locking: the caller's.
 *
 * Modelled: find_next_bit, find_next_zero_bit, find_last_bit, bitmap_set,
 * bitmap_clear. (6.12, lib/find_bit.c, lib/bitmap.c; not in LKD3)
 */
#ifndef REFMM_PERCPU_BITMAP_H
#define REFMM_PERCPU_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RMM_WORD_BITS = 64 };

static inline size_t rmm_bits_to_words(int bits)
{
	return ((size_t)bits + RMM_WORD_BITS - 1) / RMM_WORD_BITS;
}

static inline bool rmm_test_bit(const uint64_t *map, int bit)
{
	return map[bit / RMM_WORD_BITS] >> (bit % RMM_WORD_BITS) & 1;
}

static inline void rmm_set_bit(uint64_t *map, int bit)
{
	map[bit / RMM_WORD_BITS] |= 1ull << (bit % RMM_WORD_BITS);
}

static inline void rmm_clear_bit(uint64_t *map, int bit)
{
	map[bit / RMM_WORD_BITS] &= ~(1ull << (bit % RMM_WORD_BITS));
}

/* percpu_bitmap.c */
int rmm_find_next_bit(const uint64_t *map, int end, int from);
int rmm_find_next_zero_bit(const uint64_t *map, int end, int from);
int rmm_find_last_bit(const uint64_t *map, int from, int end);
void rmm_bitmap_set(uint64_t *map, int from, int nr);
void rmm_bitmap_clear(uint64_t *map, int from, int nr);
int rmm_bitmap_weight(const uint64_t *map, int from, int end);

#endif
