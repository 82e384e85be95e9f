/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_host.c - the kernel's own files as top reads them. */
#include "slots.h"

#include <errno.h>

#include "top/host.h"

static void test_host_zones_add_up_by_order(void **state)
{
	static const char text[] = "Node 0, zone      DMA      1      0      0      0      0      "
				   "0      0      0      0      0      2\n"
				   "Node 0, zone   Normal      3      5      0      0      0      "
				   "0      0      0      0      0      1\n";
	struct top_free f;

	(void)state;
	assert_int_equal(top_free_parse(text, &f), 0);
	assert_int_equal(f.orders, 11);
	assert_int_equal(f.blocks[0], 4);
	assert_int_equal(f.blocks[1], 5);
	assert_int_equal(f.blocks[10], 3);
	/* 4 + 10 of 3086 pages are in blocks below order 10. */
	assert_int_equal(f.unusable[0], 0);
	assert_int_equal(f.unusable[1], 4 * 1000 / 3086);
	assert_int_equal(f.unusable[10], 14 * 1000 / 3086);
}

static void test_host_text_that_is_no_buddyinfo_is_refused(void **state)
{
	struct top_free f;

	(void)state;
	assert_int_not_equal(top_free_parse("Node 0, zone\n", &f), 0);
}

static void test_host_slabs_go_to_the_caches_that_are_seen(void **state)
{
	static const char *const texts[] = {
		"slabinfo - version: 2.1\n# name <active_objs> ...\n"
		"filp 10 20 256 16 1 : tunables 0 0 0 : slabdata 2 2 0\n"
		"unseen 1 1 8 512 1 : tunables 0 0 0 : slabdata 1 1 0\n",
		"slabinfo - version: 2.1\n# name <active_objs> ...\n"
		"filp 10 20 256 16 2 : tunables 0 0 0 : slabdata 5 5 0\n",
	};
	struct kml_top_cpu *c = cpu_new();
	struct top_rows *r = top_rows_new(1, name_site, NULL);
	const struct top_row *row;

	(void)state;
	slot_fill(c, slot_source(c, KML_TOP_CACHE, 1, "filp"), 1, 8, 8);
	assert_int_equal(top_rows_add(r, 0, c), 0);
	row = top_rows_find(r, TOP_CACHE, "filp");
	assert_int_equal(top_slabs_parse(texts[0], r), 0);
	assert_int_equal(row->slab_bytes, 2 * 4096);
	assert_int_equal(top_slabs_parse(texts[1], r), 0);
	assert_int_equal(row->slab_bytes, 10 * 4096);
	assert_int_equal(row->slab_start, 2 * 4096);
	assert_null(top_rows_find(r, TOP_CACHE, "unseen"));
	top_rows_free(r);
	free(c);
}

static void test_host_trend_has_an_order_that_exists(void **state)
{
	struct top_host h = {.now.orders = 11};

	(void)state;
	assert_int_equal(top_trend_order(&h, 9), 9);
	assert_int_equal(top_trend_order(&h, 40), 10);
	h.now.orders = 0;
	assert_int_equal(top_trend_order(&h, 9), 0);
}

static void test_host_trend_keeps_the_newest_readings(void **state)
{
	struct top_rows *r = top_rows_new(1, name_site, NULL);
	struct top_host h = {0};

	(void)state;
	for (int i = 0; i < TOP_TREND + 5; i++)
		assert_int_equal(top_host_read(&h, r), 0);
	assert_int_equal(h.readings, TOP_TREND);
	assert_memory_equal(h.trend[TOP_TREND - 1], h.now.unusable, sizeof(h.now.unusable));
	top_rows_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_zones_add_up_by_order),
		cmocka_unit_test(test_host_text_that_is_no_buddyinfo_is_refused),
		cmocka_unit_test(test_host_slabs_go_to_the_caches_that_are_seen),
		cmocka_unit_test(test_host_trend_has_an_order_that_exists),
		cmocka_unit_test(test_host_trend_keeps_the_newest_readings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
