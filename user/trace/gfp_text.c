/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* gfp_text.c - see gfp_text.h. Combinations first, as in include/linux/gfp_types.h. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "trace/gfp_text.h"

#define KERNEL	  "DIRECT_RECLAIM KSWAPD_RECLAIM IO FS"
#define USER	  KERNEL " HARDWALL"
#define THP_LIGHT "IO FS HARDWALL HIGHMEM MOVABLE COMP NOMEMALLOC NOWARN"

enum { BIT_BYTES = 48 };

/* The larger come before those that they contain. */
static const struct {
	const char *name, *bits;
} combinations[] = {
	{"GFP_TRANSHUGE", THP_LIGHT " DIRECT_RECLAIM"},
	{"GFP_HIGHUSER_MOVABLE", USER " HIGHMEM MOVABLE"},
	{"GFP_TRANSHUGE_LIGHT", THP_LIGHT},
	{"GFP_HIGHUSER", USER " HIGHMEM"},
	{"GFP_USER", USER},
	{"GFP_KERNEL_ACCOUNT", KERNEL " ACCOUNT"},
	{"GFP_KERNEL", KERNEL},
	{"GFP_NOFS", "DIRECT_RECLAIM KSWAPD_RECLAIM IO"},
	{"GFP_ATOMIC", "HIGH KSWAPD_RECLAIM"},
	{"GFP_NOIO", "DIRECT_RECLAIM KSWAPD_RECLAIM"},
	{"GFP_NOWAIT", "KSWAPD_RECLAIM NOWARN"},
};

/* The mask of "A B C"; 0 if this kernel lacks one of them. */
static uint32_t mask_of(const json_t *bits, const char *names)
{
	uint32_t mask = 0;

	while (*names) {
		size_t n = strcspn(names, " ");
		char name[BIT_BYTES];
		json_int_t bit;

		snprintf(name, sizeof(name), "__GFP_%.*s", (int)n, names);
		bit = json_integer_value(json_object_get(bits, name));
		if (!bit)
			return 0;
		mask |= (uint32_t)bit;
		names += n + (names[n] == ' ');
	}
	return mask;
}

static void add(char *text, size_t size, const char *name)
{
	size_t at = strlen(text);

	snprintf(text + at, size - at, "%s%s", at ? "|" : "", name);
}

/* Single bits, in the order of their values. */
static uint32_t add_bits(const json_t *bits, uint32_t gfp, char *text, size_t size)
{
	for (uint32_t bit = 1; bit; bit <<= 1) {
		const char *name;
		json_t *mask;

		if (!(gfp & bit))
			continue;
		json_object_foreach ((json_t *)bits, name, mask) {
			if (json_integer_value(mask) != (json_int_t)bit)
				continue;
			add(text, size, name);
			gfp &= ~bit;
			break;
		}
	}
	return gfp;
}

void gfp_text(const json_t *bits, uint32_t gfp, char *text, size_t size)
{
	char rest[16];

	*text = '\0';
	if (!gfp)
		snprintf(text, size, "none");
	for (size_t i = 0; i < sizeof(combinations) / sizeof(combinations[0]); i++) {
		uint32_t mask = mask_of(bits, combinations[i].bits);

		if (!mask || (gfp & mask) != mask)
			continue;
		add(text, size, combinations[i].name);
		gfp &= ~mask;
	}
	gfp = add_bits(bits, gfp, text, size);
	if (gfp) {
		snprintf(rest, sizeof(rest), "0x%x", gfp);
		add(text, size, rest);
	}
}
