/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_procfs.c - parsers of /proc texts, on bundled 6.18 texts and edge cases. */
#include "../support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/procfs.h"

static char *load(const char *name)
{
	char path[256];
	char *text = calloc(1, 1 << 17);
	FILE *f;

	snprintf(path, sizeof(path), "tests/data/proc-6.18/%s.txt", name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 17) - 1, f) > 0);
	fclose(f);
	return text;
}

static void test_procfs_zoneinfo_618_reads_all_zones(void **state)
{
	struct proc_zoneinfo z;
	char *text = load("zoneinfo");

	(void)state;
	assert_int_equal(proc_zoneinfo_parse(text, &z), 0);
	assert_int_equal(z.n, 5);
	assert_string_equal(z.zones[0].name, "DMA");
	assert_int_equal(z.zones[0].start_pfn, 1);
	assert_int_equal(z.zones[0].managed, 3840);
	assert_int_equal(z.zones[0].protections, 5);
	assert_int_equal(z.zones[0].protection[1], 3018);
	assert_string_equal(z.zones[1].name, "DMA32");
	assert_int_equal(z.zones[1].low, 11663);
	assert_int_equal(z.zones[1].spanned, 1044480);
	assert_int_equal(z.zones[1].pcps, 2);
	assert_int_equal(z.zones[1].pcp[1].high_max, 48300);
	assert_int_equal(z.zones[1].pcp[1].batch, 63);
	assert_int_equal(z.zones[2].start_pfn, 1048576);
	assert_int_equal(z.zones[4].managed, 0);
	proc_zoneinfo_free(&z);
	free(text);
}

static void test_procfs_zoneinfo_61_high_is_both_marks(void **state)
{
	static const char text[] = "Node 1, zone   Normal\n"
				   "  pages free     77\n        boost    3\n        min      11\n"
				   "        protection: (0, 12, 34)\n"
				   "  pagesets\n    cpu: 0\n              count: 5\n"
				   "              high:  378\n              batch: 63\n"
				   "    cpu: 3\n              count: 6\n"
				   "  vm stats threshold: 4\n  start_pfn:           4096\n";
	struct proc_zoneinfo z;

	(void)state;
	assert_int_equal(proc_zoneinfo_parse(text, &z), 0);
	assert_int_equal(z.zones[0].node, 1);
	assert_int_equal(z.zones[0].free_pages, 77);
	assert_int_equal(z.zones[0].boost, 3);
	assert_int_equal(z.zones[0].protections, 3);
	assert_int_equal(z.zones[0].protection[2], 34);
	assert_int_equal(z.zones[0].pcp[0].high_min, 378);
	assert_int_equal(z.zones[0].pcp[0].high_max, 378);
	assert_int_equal(z.zones[0].pcp[1].cpu, 3);
	assert_int_equal(proc_zone_pcp_pages(&z.zones[0]), 11);
	assert_int_equal(z.zones[0].start_pfn, 4096);
	proc_zoneinfo_free(&z);
}

static void test_procfs_buddyinfo_618_agrees_with_zoneinfo_order(void **state)
{
	struct proc_buddyinfo b;
	char *text = load("buddyinfo");

	(void)state;
	assert_int_equal(proc_buddyinfo_parse(text, &b), 0);
	assert_int_equal(b.n, 3);
	assert_int_equal(b.zones[0].orders, 11);
	assert_string_equal(b.zones[2].name, "Normal");
	assert_int_equal(b.zones[0].blocks[8], 1);
	assert_int_equal(b.zones[0].blocks[10], 3);
	proc_buddyinfo_free(&b);
	free(text);
}

static void test_procfs_pagetypeinfo_618_reads_types_and_blocks(void **state)
{
	struct proc_pagetypeinfo p;
	char *text = load("pagetypeinfo");

	(void)state;
	assert_int_equal(proc_pagetypeinfo_parse(text, &p), 0);
	assert_int_equal(p.pageblock_order, 9);
	assert_int_equal(p.types, 5);
	assert_int_equal(p.orders, 11);
	assert_string_equal(p.type_names[3], "HighAtomic");
	assert_int_equal(p.n, 3);
	assert_int_equal(p.zones[0].free[1][10], 3);
	assert_int_equal(p.zones[0].free[0][8], 1);
	assert_int_equal(p.zones[0].pageblocks[1], 7);
	assert_int_equal(p.zones[1].pageblocks[1], 1528);
	proc_pagetypeinfo_free(&p);
	free(text);
}

static void test_procfs_pagetypeinfo_bound_counts_as_number(void **state)
{
	static const char text[] = "Page block order: 9\n"
				   "Node    0, zone   Normal, type      Movable >100000 2 \n";
	struct proc_pagetypeinfo p;

	(void)state;
	assert_int_equal(proc_pagetypeinfo_parse(text, &p), 0);
	assert_int_equal(p.zones[0].free[0][0], 100000);
	assert_int_equal(p.zones[0].free[0][1], 2);
	proc_pagetypeinfo_free(&p);
}

static void test_procfs_slabinfo_618_finds_caches(void **state)
{
	const struct proc_slab *s;
	struct proc_slabinfo i;
	char *text = load("slabinfo");

	(void)state;
	assert_int_equal(proc_slabinfo_parse(text, &i), 0);
	assert_int_equal(i.n, 235);
	s = proc_slabinfo_find(&i, "kmalloc-8k");
	assert_non_null(s);
	assert_int_equal(s->object_bytes, 8192);
	assert_int_equal(s->objects_per_slab, 4);
	assert_int_equal(s->pages_per_slab, 8);
	assert_int_equal(s->objects, s->slabs * 4);
	assert_null(proc_slabinfo_find(&i, "no-such-cache"));
	proc_slabinfo_free(&i);
	free(text);
}

static void test_procfs_vmstat_matches_whole_name_only(void **state)
{
	static const char text[] = "pgalloc_dma 1\npgalloc_dma32 20\npgalloc_normal 300\npgfree 7\n"
				   "pgfree_x 9";
	uint64_t v;

	(void)state;
	assert_int_equal(proc_vmstat(text, "pgalloc_dma", &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(proc_vmstat(text, "pgfree", &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(proc_vmstat(text, "pgfre", &v), -ENOENT);
	assert_int_equal(proc_vmstat_sum(text, "pgalloc_"), 321);
}

static void test_procfs_nothing_useful_is_einval(void **state)
{
	static const char *const texts[] = {"", "\n", "garbage", "Node x, zone\n",
					    "pages free 3\n"};
	struct proc_zoneinfo z;
	struct proc_buddyinfo b;
	struct proc_pagetypeinfo p;
	struct proc_slabinfo s;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(proc_zoneinfo_parse(texts[i], &z), -EINVAL);
		assert_int_equal(proc_buddyinfo_parse(texts[i], &b), -EINVAL);
		assert_int_equal(proc_pagetypeinfo_parse(texts[i], &p), -EINVAL);
		assert_int_equal(proc_slabinfo_parse(texts[i], &s), -EINVAL);
	}
}

static void test_procfs_line_longer_than_buffer_is_cut(void **state)
{
	const char *cursor = "abcdef\nx";
	char line[4];

	(void)state;
	assert_string_equal(proc_line(&cursor, line, sizeof(line)), "abc");
	assert_string_equal(proc_line(&cursor, line, sizeof(line)), "x");
	assert_null(proc_line(&cursor, line, sizeof(line)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_procfs_zoneinfo_618_reads_all_zones),
		cmocka_unit_test(test_procfs_zoneinfo_61_high_is_both_marks),
		cmocka_unit_test(test_procfs_buddyinfo_618_agrees_with_zoneinfo_order),
		cmocka_unit_test(test_procfs_pagetypeinfo_618_reads_types_and_blocks),
		cmocka_unit_test(test_procfs_pagetypeinfo_bound_counts_as_number),
		cmocka_unit_test(test_procfs_slabinfo_618_finds_caches),
		cmocka_unit_test(test_procfs_vmstat_matches_whole_name_only),
		cmocka_unit_test(test_procfs_nothing_useful_is_einval),
		cmocka_unit_test(test_procfs_line_longer_than_buffer_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
