/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* varint.c - the slow path of varint_get(). */
#include "trace/varint.h"

bool varint_get_long(const uint8_t **at, const uint8_t *end, uint64_t *v)
{
	const uint8_t *p = *at;
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 70; shift += 7) {
		if (p == end)
			return false;
		/* The tenth byte holds the one bit that is left. */
		if (shift == 63 && *p > 1)
			return false;
		value |= (uint64_t)(*p & 0x7f) << shift;
		if (*p++ < 0x80) {
			*v = value;
			*at = p;
			return true;
		}
	}
	return false;
}
