/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_gfp_text.c - gfp masks in words. */
#include "../support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "trace/gfp_text.h"

/* Bits of 6.18, one of them named as no kernel names it. */
static json_t *bits(void)
{
	static const char *const names[] = {
		"DMA",
		"HIGHMEM",
		"DMA32",
		"MOVABLE",
		"RECLAIMABLE",
		"HIGH",
		"IO",
		"FS",
		"ZERO",
		"UNUSED",
		"DIRECT_RECLAIM",
		"KSWAPD_RECLAIM",
		"WRITE",
		"NOWARN",
		"RETRY_MAYFAIL",
		"NOFAIL",
		"NORETRY",
		"MEMALLOC",
		"COMP",
		"NOMEMALLOC",
		"HARDWALL",
		"THISNODE",
		"ACCOUNT",
	};
	json_t *out = json_object();
	char name[48];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(name, sizeof(name), "__GFP_%s", names[i]);
		json_object_set_new(out, name, json_integer(1ll << i));
	}
	return out;
}

/* As the tracepoints of a 6.18 kernel print these masks. */
static const struct {
	uint32_t gfp;
	const char *text;
} masks[] = {
	{0, "none"},
	{0xcc0, "GFP_KERNEL"},
	{0xdc0, "GFP_KERNEL|__GFP_ZERO"},
	{0x820, "GFP_ATOMIC"},
	{0x2800, "GFP_NOWAIT"},
	{0x400cc0, "GFP_KERNEL_ACCOUNT"},
	{0x440dc0, "GFP_KERNEL_ACCOUNT|__GFP_ZERO|__GFP_COMP"},
	{0x140dca, "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP"},
	{0xc40, "GFP_NOFS"},
	{0x1, "__GFP_DMA"},
	{0x80000001, "__GFP_DMA|0x80000000"},
};

static void test_gfp_text_says_what_tracepoints_say(void **state)
{
	json_t *known = bits();
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		gfp_text(known, masks[i].gfp, text, sizeof(text));
		assert_string_equal(text, masks[i].text);
	}
	json_decref(known);
}

static void test_gfp_text_without_names_is_a_number(void **state)
{
	char text[256];

	(void)state;
	gfp_text(NULL, 0xcc0, text, sizeof(text));
	assert_string_equal(text, "0xcc0");
}

static void test_gfp_text_never_leaves_its_room(void **state)
{
	json_t *known = bits();
	char text[24];

	(void)state;
	gfp_text(known, UINT32_MAX, text, sizeof(text));
	assert_in_range(strlen(text), 1, sizeof(text) - 1);
	json_decref(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gfp_text_says_what_tracepoints_say),
		cmocka_unit_test(test_gfp_text_without_names_is_a_number),
		cmocka_unit_test(test_gfp_text_never_leaves_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
