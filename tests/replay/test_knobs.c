/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_knobs.c - settings by name, and gfp bits. */
#include "../support/test.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>
#include <kmemlab/refmm.h>

#include "replay/gfp.h"
#include "replay/knobs.h"
#include "replay/slabs.h"

static void test_knob_known_settings_change_the_configuration(void **state)
{
	static const char *const settings[] = {
		"vm.min_free_kbytes=4096",
		"vm.watermark_boost_factor=0",
		"vm.defrag_mode=1",
		"fallback=steal",
		"mobility=off",
		"pcp.high=64",
		"pcp.mode=fixed",
		"pageblock_order=7",
		"slab.max_order=0",
		"slab.cpu_partial=off",
		"sheaf.capacity=60",
		"reclaim=model",
		"compact.seed=1",
	};
	struct rmm_config c;
	struct slabs_knobs slabs = {0};
	struct knob_config k = {.pages = &c, .slabs = &slabs};
	json_t *noted = json_object();
	char error[512];

	(void)state;
	rmm_config_init(&c);
	c.given_watermarks = true;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		assert_int_equal(knob_set(&k, settings[i], noted, error), 0);
	assert_int_equal(c.min_free_kbytes, 4096);
	assert_false(c.given_watermarks); /* they follow from min_free_kbytes */
	assert_int_equal(c.watermark_boost_factor, 0);
	assert_true(c.defrag_mode);
	assert_int_equal(c.fallback, RMM_FALLBACK_STEAL);
	assert_false(c.mobility);
	assert_int_equal(c.pcp_high, 64);
	assert_int_equal(c.pcp_mode, RMM_PCP_FIXED);
	assert_int_equal(slabs.max_order, 1); /* plus 1: 0 would be the host's */
	assert_int_equal(slabs.cpu_partial, 1);
	assert_int_equal(slabs.sheaf_capacity, 61);
	assert_int_equal(slabs.min_order, 0);
	assert_int_equal(k.reclaim, KNOB_RECLAIM_MODEL);
	assert_int_equal(c.pageblock_order, 7);
	assert_int_equal(k.compact_seed, UINT64_C(0x9e3779b97f4a7c15));
	assert_int_equal(json_object_size(noted), 13);
	assert_int_equal(json_integer_value(json_object_get(noted, "pcp.high")), 64);
	json_decref(noted);
}

/* What the zones of the trace give must not hide what is asked for. */
static void test_knob_that_moves_pcp_marks_has_them_computed(void **state)
{
	static const char *const settings[] = {
		"vm.percpu_pagelist_high_fraction=8",
		"vm.min_free_kbytes=100000",
		"vm.watermark_scale_factor=200",
		"pcp.mode=fixed",
		"kernel=6.1",
	};
	struct rmm_config c;
	struct slabs_knobs slabs = {0};
	struct knob_config k = {.pages = &c, .slabs = &slabs};
	char error[512];

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		rmm_config_init(&c);
		assert_false(c.compute_pcp_high);
		assert_int_equal(knob_set(&k, settings[i], NULL, error), 0);
		assert_true(c.compute_pcp_high);
	}
}

static void test_knob_own_value_leaves_the_watermarks(void **state)
{
	static const char *const settings[] = {"vm.min_free_kbytes=4096",
					       "vm.watermark_scale_factor=10"};
	struct rmm_config c, before;
	struct slabs_knobs slabs = {0};
	struct knob_config k = {.pages = &c, .slabs = &slabs};
	char error[512];

	(void)state;
	rmm_config_init(&c);
	c.given_watermarks = true;
	c.min_free_kbytes = 4096;
	c.watermark_scale_factor = 10;
	before = c;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		assert_int_equal(knob_set(&k, settings[i], NULL, error), 0);
	assert_memory_equal(&c, &before, sizeof(c));
}

static void test_knob_kernel_sets_all_of_it(void **state)
{
	struct rmm_config c;
	struct slabs_knobs slabs = {0};
	struct knob_config k = {.pages = &c, .slabs = &slabs};
	char error[512];

	(void)state;
	rmm_config_init(&c);
	assert_int_equal(knob_set(&k, "kernel=6.1", NULL, error), 0);
	assert_int_equal(c.fallback, RMM_FALLBACK_STEAL);
	assert_int_equal(c.pcp_mode, RMM_PCP_FIXED);
	assert_int_equal(c.pcp_thp_lists, 1);
	assert_int_equal(knob_set(&k, "kernel=6.18", NULL, error), 0);
	assert_int_equal(c.fallback, RMM_FALLBACK_CLAIM);
	assert_int_equal(c.pcp_mode, RMM_PCP_AUTO);
	assert_true(c.pcp_free_high_patient && c.isolate_bit);
	assert_int_equal(knob_set(&k, "kernel=5.10", NULL, error), -EINVAL);
	assert_non_null(strstr(error, "6.1, 6.12, 6.18, 7.2"));
}

static void test_knob_wrong_settings_say_why(void **state)
{
	static const struct {
		const char *setting, *says;
	} cases[] = {
		{"vm.min_free_kbyte=1", "did you mean 'vm.min_free_kbytes'"},
		{"frobnicate=1", "known are: vm.min_free_kbytes, vm.watermark_scale_factor"},
		{"pcp.high", "NAME=VALUE"},
		{"pcp.high=0", "number from 1"},
		{"pcp.high=12x", "number from 1"},
		{"pcp.high=", "number from 1"},
		{"pageblock_order=11", "number from 1 to 10"},
		{"fallback=never", "claim, steal"},
		{"reclaim=now", "recorded, model"},
		{"mobility=maybe", "on, 1, off, 0"},
		{"vm.min_free_kbytes=99999999999999999999", "number from 0"},
	};
	struct rmm_config c, before;
	struct slabs_knobs slabs = {0};
	struct knob_config k = {.pages = &c, .slabs = &slabs};
	char error[512];

	(void)state;
	rmm_config_init(&c);
	before = c;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(knob_set(&k, cases[i].setting, NULL, error), -EINVAL);
		assert_int_equal(knob_check(cases[i].setting, error), -EINVAL);
		if (!strstr(error, cases[i].says))
			fail_msg("'%s' says '%s'", cases[i].setting, error);
	}
	assert_memory_equal(&c, &before, sizeof(c));
}

static void test_gfp_named_bits_are_translated_by_name(void **state)
{
	json_t *bits = json_pack("{s:i, s:i, s:i, s:i}", "__GFP_MOVABLE", 1 << 20, "___GFP_IO",
				 1 << 3, "GFP_FS", 1 << 9, "__GFP_NOBODY", 1 << 10);
	struct gfp_map m;

	(void)state;
	gfp_map_init(&m, bits);
	assert_true(m.from_trace);
	assert_int_equal(gfp_translate(&m, 1u << 20 | 1u << 3), RMM_GFP_MOVABLE | RMM_GFP_IO);
	assert_int_equal(gfp_translate(&m, 1u << 9 | 1u << 10), RMM_GFP_FS);
	assert_int_equal(gfp_translate(&m, 1u << 6), 0);
	json_decref(bits);
}

static void test_gfp_without_names_uses_the_table(void **state)
{
	struct gfp_map m;

	(void)state;
	gfp_map_init(&m, NULL);
	assert_false(m.from_trace);
	/* GFP_KERNEL and GFP_HIGHUSER_MOVABLE of 6.1 to 6.18 */
	assert_int_equal(gfp_translate(&m, 0xcc0), RMM_GFP_KERNEL);
	assert_int_equal(gfp_translate(&m, 0x100cca), RMM_GFP_HIGHUSER_MOVABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knob_known_settings_change_the_configuration),
		cmocka_unit_test(test_knob_that_moves_pcp_marks_has_them_computed),
		cmocka_unit_test(test_knob_own_value_leaves_the_watermarks),
		cmocka_unit_test(test_knob_kernel_sets_all_of_it),
		cmocka_unit_test(test_knob_wrong_settings_say_why),
		cmocka_unit_test(test_gfp_named_bits_are_translated_by_name),
		cmocka_unit_test(test_gfp_without_names_uses_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
