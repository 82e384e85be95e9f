/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* gfp.c - by name where the trace names its bits. */
#include <jansson.h>
#include <string.h>

#include <kmemlab/refmm.h>

#include "replay/gfp.h"

struct gfp_bit {
	const char *name;
	uint32_t rmm;
	uint32_t kernel; /* x86-64, 6.1 to 6.18 */
};

static const struct gfp_bit gfp_bits[] = {
	{"DMA", RMM_GFP_DMA, 1u << 0},
	{"HIGHMEM", RMM_GFP_HIGHMEM, 1u << 1},
	{"DMA32", RMM_GFP_DMA32, 1u << 2},
	{"MOVABLE", RMM_GFP_MOVABLE, 1u << 3},
	{"RECLAIMABLE", RMM_GFP_RECLAIMABLE, 1u << 4},
	{"HIGH", RMM_GFP_HIGH, 1u << 5},
	{"IO", RMM_GFP_IO, 1u << 6},
	{"FS", RMM_GFP_FS, 1u << 7},
	{"ZERO", RMM_GFP_ZERO, 1u << 8},
	{"DIRECT_RECLAIM", RMM_GFP_DIRECT_RECLAIM, 1u << 10},
	{"KSWAPD_RECLAIM", RMM_GFP_KSWAPD_RECLAIM, 1u << 11},
	{"WRITE", RMM_GFP_WRITE, 1u << 12},
	{"NOWARN", RMM_GFP_NOWARN, 1u << 13},
	{"RETRY_MAYFAIL", RMM_GFP_RETRY_MAYFAIL, 1u << 14},
	{"NOFAIL", RMM_GFP_NOFAIL, 1u << 15},
	{"NORETRY", RMM_GFP_NORETRY, 1u << 16},
	{"MEMALLOC", RMM_GFP_MEMALLOC, 1u << 17},
	{"COMP", RMM_GFP_COMP, 1u << 18},
	{"NOMEMALLOC", RMM_GFP_NOMEMALLOC, 1u << 19},
	{"HARDWALL", RMM_GFP_HARDWALL, 1u << 20},
	{"THISNODE", RMM_GFP_THISNODE, 1u << 21},
	{"ACCOUNT", RMM_GFP_ACCOUNT, 1u << 22},
};

/* "__GFP_DMA", "___GFP_DMA", "GFP_DMA" and "DMA" are the same. */
static const char *bare_name(const char *name)
{
	name += strspn(name, "_");
	return strncmp(name, "GFP_", 4) ? name : name + 4;
}

static void map_bit(struct gfp_map *m, uint32_t kernel, uint32_t rmm)
{
	for (unsigned int byte = 0; byte < 4; byte++)
		for (unsigned int v = 0; v < 256; v++)
			if (v & (kernel >> (8 * byte) & 255))
				m->to[byte][v] |= rmm;
}

static uint32_t rmm_bit(const char *name)
{
	for (size_t i = 0; i < sizeof(gfp_bits) / sizeof(*gfp_bits); i++)
		if (!strcmp(bare_name(name), gfp_bits[i].name))
			return gfp_bits[i].rmm;
	return 0;
}

void gfp_map_init(struct gfp_map *m, const json_t *bits)
{
	const char *name;
	json_t *mask;

	memset(m, 0, sizeof(*m));
	json_object_foreach ((json_t *)(uintptr_t)bits, name, mask) {
		json_int_t v = json_integer_value(mask);

		/* A mask of several bits is a combination, not a bit. */
		if (v > 0 && v <= UINT32_MAX && !(v & (v - 1)) && rmm_bit(name)) {
			map_bit(m, (uint32_t)v, rmm_bit(name));
			m->from_trace = true;
		}
	}
	for (size_t i = 0; !m->from_trace && i < sizeof(gfp_bits) / sizeof(*gfp_bits); i++)
		map_bit(m, gfp_bits[i].kernel, gfp_bits[i].rmm);
}
