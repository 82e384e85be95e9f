/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gfp_names.c - gfp masks as tracepoints print them: names of combinations first, then of
 * bits (include/trace/events/mmflags.h). A trace in text does not say which kernel's bits
 * they are, so they become those of x86-64 from 6.1 to 6.18.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/line.h"

#define DMA	       (1u << 0)
#define HIGHMEM	       (1u << 1)
#define DMA32	       (1u << 2)
#define MOVABLE	       (1u << 3)
#define RECLAIMABLE    (1u << 4)
#define HIGH	       (1u << 5)
#define IO	       (1u << 6)
#define FS	       (1u << 7)
#define ZERO	       (1u << 8)
#define DIRECT_RECLAIM (1u << 10)
#define KSWAPD_RECLAIM (1u << 11)
#define WRITE	       (1u << 12)
#define NOWARN	       (1u << 13)
#define RETRY_MAYFAIL  (1u << 14)
#define NOFAIL	       (1u << 15)
#define NORETRY	       (1u << 16)
#define MEMALLOC       (1u << 17)
#define COMP	       (1u << 18)
#define NOMEMALLOC     (1u << 19)
#define HARDWALL       (1u << 20)
#define THISNODE       (1u << 21)
#define ACCOUNT	       (1u << 22)
#define RECLAIM	       (DIRECT_RECLAIM | KSWAPD_RECLAIM)
#define KERNEL	       (RECLAIM | IO | FS)
#define USER	       (KERNEL | HARDWALL)
#define THP_LIGHT      ((USER | HIGHMEM | MOVABLE | COMP | NOMEMALLOC | NOWARN) & ~RECLAIM)

static const struct {
	const char *name;
	uint32_t mask;
} names[] = {
	{"GFP_TRANSHUGE", THP_LIGHT | DIRECT_RECLAIM},
	{"GFP_TRANSHUGE_LIGHT", THP_LIGHT},
	{"GFP_HIGHUSER_MOVABLE", USER | HIGHMEM | MOVABLE},
	{"GFP_HIGHUSER", USER | HIGHMEM},
	{"GFP_USER", USER},
	{"GFP_KERNEL_ACCOUNT", KERNEL | ACCOUNT},
	{"GFP_KERNEL", KERNEL},
	{"GFP_NOFS", RECLAIM | IO},
	{"GFP_ATOMIC", HIGH | KSWAPD_RECLAIM},
	{"GFP_NOIO", RECLAIM},
	{"GFP_NOWAIT", KSWAPD_RECLAIM | NOWARN},
	{"GFP_DMA", DMA},
	{"GFP_DMA32", DMA32},
	{"__GFP_DMA", DMA},
	{"__GFP_HIGHMEM", HIGHMEM},
	{"__GFP_DMA32", DMA32},
	{"__GFP_MOVABLE", MOVABLE},
	{"__GFP_RECLAIMABLE", RECLAIMABLE},
	{"__GFP_HIGH", HIGH},
	{"__GFP_IO", IO},
	{"__GFP_FS", FS},
	{"__GFP_ZERO", ZERO},
	{"__GFP_RECLAIM", RECLAIM},
	{"__GFP_DIRECT_RECLAIM", DIRECT_RECLAIM},
	{"__GFP_KSWAPD_RECLAIM", KSWAPD_RECLAIM},
	{"__GFP_WRITE", WRITE},
	{"__GFP_NOWARN", NOWARN},
	{"__GFP_RETRY_MAYFAIL", RETRY_MAYFAIL},
	{"__GFP_NOFAIL", NOFAIL},
	{"__GFP_NORETRY", NORETRY},
	{"__GFP_MEMALLOC", MEMALLOC},
	{"__GFP_COMP", COMP},
	{"__GFP_NOMEMALLOC", NOMEMALLOC},
	{"__GFP_HARDWALL", HARDWALL},
	{"__GFP_THISNODE", THISNODE},
	{"__GFP_ACCOUNT", ACCOUNT},
	{"none", 0},
};

static uint32_t mask_of(const char *name, size_t length, bool *unknown)
{
	char number[24];
	char *end;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i].name) == length && !strncmp(names[i].name, name, length))
			return names[i].mask;
	snprintf(number, sizeof(number), "%.*s", (int)length, name);
	if (length && length < sizeof(number)) {
		uint32_t mask = (uint32_t)strtoul(number, &end, 0);

		if (!*end)
			return mask;
	}
	*unknown = true;
	return 0;
}

bool gfp_may_block(uint32_t gfp)
{
	return gfp & DIRECT_RECLAIM;
}

uint32_t gfp_parse(const char *text, bool *unknown)
{
	uint32_t mask = 0;

	while (*text && *text != ' ') {
		size_t n = strcspn(text, "| ");

		mask |= mask_of(text, n, unknown);
		text += n + (text[n] == '|');
	}
	return mask;
}
