/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* varint.h - LEB128 and zigzag, as include/kmemlab/trace.h defines them. */
#ifndef KMEMLAB_VARINT_H
#define KMEMLAB_VARINT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { VARINT_MAX_BYTES = 10 };

static inline uint64_t zigzag(int64_t d)
{
	return ((uint64_t)d << 1) ^ -((uint64_t)d >> 63);
}

static inline int64_t unzigzag(uint64_t u)
{
	return (int64_t)((u >> 1) ^ -(u & 1));
}

/** varint_put() - store @v at @to (VARINT_MAX_BYTES free); the byte after it */
static inline uint8_t *varint_put(uint8_t *to, uint64_t v)
{
	while (v >= 0x80) {
		*to++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*to++ = (uint8_t)v;
	return to;
}

/** varint_put_long() - varint_put() for values whose length cannot be foreseen: no branch on it */
static inline uint8_t *varint_put_long(uint8_t *to, uint64_t v)
{
	unsigned int bytes = (unsigned int)(70 - __builtin_clzll(v | 1)) / 7;
	uint64_t spread = v;

	if (__builtin_expect(v >> 56, 0))
		return varint_put(to, v);
	/* 56 bits to eight groups of 7 with a bit free above each: by halves, thrice. */
	spread = (spread & 0xfffffff0000000) << 4 | (spread & 0xfffffff);
	spread = (spread & 0x0fffc0000fffc000) << 2 | (spread & 0x00003fff00003fff);
	spread = (spread & 0x3f803f803f803f80) << 1 | (spread & 0x007f007f007f007f);
	spread |= 0x8080808080808080 & ((1ull << (8 * (bytes - 1))) - 1);
	memcpy(to, &spread, sizeof(spread));
	return to + bytes;
}

/** varint_get_long() - varint_get() for more than one byte */
bool varint_get_long(const uint8_t **at, const uint8_t *end, uint64_t *v);

/** varint_get() - load from *@at, not beyond @end; false if cut off or too long */
static inline bool varint_get(const uint8_t **at, const uint8_t *end, uint64_t *v)
{
	const uint8_t *p = *at;

	if (__builtin_expect(p < end && *p < 0x80, 1)) {
		*v = *p;
		*at = p + 1;
		return true;
	}
	return varint_get_long(at, end, v);
}

#endif
