/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gfp.h - the recorded kernel's gfp bits in the reference's terms.
 */
#ifndef KMEMLAB_REPLAY_GFP_H
#define KMEMLAB_REPLAY_GFP_H

#include <stdbool.h>
#include <stdint.h>

struct json_t;

/* A byte of the kernel's mask at a time. */
struct gfp_map {
	uint32_t to[4][256];
	bool from_trace; /* false: the trace names no bits, x86's of 6.1 to 6.18 used */
};

/** gfp_map_init() - @bits: the header's gfp_bits {name: mask}, or NULL */
void gfp_map_init(struct gfp_map *m, const struct json_t *bits);

/** gfp_translate() - kernel's bits to enum rmm_gfp; bits without a name vanish */
static inline uint32_t gfp_translate(const struct gfp_map *m, uint32_t gfp)
{
	return m->to[0][gfp & 255] | m->to[1][gfp >> 8 & 255] | m->to[2][gfp >> 16 & 255] |
	       m->to[3][gfp >> 24];
}

#endif
