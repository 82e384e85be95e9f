/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Watermarks, reserves and per-CPU limits against what a kernel printed.
 *
 * Both texts are /proc/zoneinfo of one 6.18 host with 2 CPUs, at two moments: its
 * Normal zone is memory hot-plugged little by little, and the kernel derives
 * everything afresh each time, so each text must agree with its own managed
 * sizes. min_free_kbytes read 67584 both times, which is what khugepaged
 * recommends for three zones: 11 pageblocks each.
 */
#include "machine.h"

struct zoneinfo {
	char name[16];
	unsigned long start, spanned, present, managed, mark[4], protect[5];
	unsigned long batch, high_min, high_max;
};

/* One "key value" line of a zone's section */
static void parse_line(struct zoneinfo *z, const char *line)
{
	static const struct {
		const char *format;
		size_t at;
	} keys[] = {
		{" min %lu", offsetof(struct zoneinfo, mark[0])},
		{" low %lu", offsetof(struct zoneinfo, mark[1])},
		{" high %lu", offsetof(struct zoneinfo, mark[2])},
		{" promo %lu", offsetof(struct zoneinfo, mark[3])},
		{" spanned %lu", offsetof(struct zoneinfo, spanned)},
		{" present %lu", offsetof(struct zoneinfo, present)},
		{" managed %lu", offsetof(struct zoneinfo, managed)},
		{" start_pfn: %lu", offsetof(struct zoneinfo, start)},
		{" batch: %lu", offsetof(struct zoneinfo, batch)},
		{" high_min: %lu", offsetof(struct zoneinfo, high_min)},
		{" high_max: %lu", offsetof(struct zoneinfo, high_max)},
	};
	unsigned long *p = z->protect;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (sscanf(line, keys[i].format, (unsigned long *)((char *)z + keys[i].at)) == 1)
			return;
	sscanf(line, " protection: (%lu, %lu, %lu, %lu, %lu)", p, p + 1, p + 2, p + 3, p + 4);
}

/* The populated zones of a text; returns how many */
static unsigned int parse(const char *path, struct zoneinfo *z, unsigned int max)
{
	FILE *f = fopen(path, "r");
	unsigned int n = 0;
	char line[256], name[16];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %*u, zone %15s", name) == 1) {
			assert_true(n < max);
			memset(&z[n], 0, sizeof(z[n]));
			snprintf(z[n++].name, sizeof(z->name), "%s", name);
		} else if (n) {
			parse_line(&z[n - 1], line);
		}
	}
	fclose(f);
	while (n && !z[n - 1].present)
		n--;
	return n;
}

static struct rmm *host(const struct zoneinfo *z, unsigned int n, int64_t min_free_kbytes)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 0);
	m.config.nr_cpus = 2;
	m.config.min_free_kbytes = min_free_kbytes;
	for (unsigned int i = 0; i < n; i++) {
		machine_zone(&m, 0, (uint8_t)i, (rmm_pfn)z[i].start, (uint32_t)z[i].spanned);
		m.zone[i].present = (uint32_t)z[i].present;
		m.zone[i].managed = (uint32_t)z[i].managed;
	}
	rmm = machine_new(&m);
	assert_int_equal(rmm_setup_done(rmm), 0);
	return rmm;
}

static void compare(const struct rmm *rmm, const struct zoneinfo *z, unsigned int i)
{
	struct rmm_zone_info info;

	assert_int_equal(rmm_zone_info(rmm, i, &info), 0);
	for (int k = 0; k < 4; k++)
		assert_int_equal(info.wmark[k], z->mark[k]);
	for (unsigned int k = 0; k < 3; k++) /* DMA, DMA32, Normal */
		assert_int_equal(info.lowmem_reserve[k], z->protect[k]);
	/* There Movable is fourth; here it comes after HighMem. */
	assert_int_equal(info.lowmem_reserve[RMM_ZONE_MOVABLE], z->protect[3]);
	assert_int_equal(info.pcp_batch, z->batch);
	assert_int_equal(info.pcp_high_min, z->high_min);
	assert_int_equal(info.pcp_high_max, z->high_max);
}

static void test_setup_managed_sizes_give_zoneinfo(void **state)
{
	static const char *const texts[] = {
		"tests/data/zoneinfo-6.18-small.txt",
		"tests/data/proc-6.18/zoneinfo.txt",
	};

	(void)state;
	for (size_t t = 0; t < 2; t++) {
		struct zoneinfo z[8];
		unsigned int n = parse(texts[t], z, 8);
		struct rmm *rmm = host(z, n, 67584);

		assert_int_equal(n, 3);
		for (unsigned int i = 0; i < n; i++)
			compare(rmm, &z[i], i);
		rmm_destroy(rmm);
	}
}

/* The host of the second text is that of the first, some sections later. */
static void test_setup_grown_zone_is_computed_afresh(void **state)
{
	struct zoneinfo before[8], after[8];
	struct rmm *rmm;

	(void)state;
	parse("tests/data/zoneinfo-6.18-small.txt", before, 8);
	rmm = host(before, parse("tests/data/proc-6.18/zoneinfo.txt", after, 8), 67584);
	compare(rmm, &before[2], 2);
	assert_int_equal(rmm_set_managed(rmm, 2, (uint32_t)after[2].managed), 0);
	for (unsigned int i = 0; i < 3; i++)
		compare(rmm, &after[i], i);
	assert_int_equal(rmm_set_managed(rmm, 3, 1), -EINVAL);
	assert_int_equal(rmm_set_managed(rmm, 0, 4096), -EINVAL);
	rmm_destroy(rmm);
}

static void test_setup_min_free_kbytes_unknown_is_computed(void **state)
{
	struct zoneinfo z[8];
	struct rmm *rmm;

	(void)state;
	rmm = host(z, parse("tests/data/zoneinfo-6.18-small.txt", z, 8), -1);
	assert_int_equal(rmm->min_free_kbytes, 67584);
	rmm_destroy(rmm);
}

static void test_setup_min_free_kbytes_without_thp_is_a_root(void **state)
{
	static const struct {
		uint32_t pages;
		uint64_t kbytes;
	} cases[] = {/* from the table in mm/page_alloc.c */
		     {4096, 512},    {8192, 724},      {65536, 2048},
		     {262144, 4096}, {4194304, 16384}, {512, 181}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 0);
		machine_zone(&m, 0, RMM_ZONE_NORMAL, 0, cases[i].pages);
		m.config.min_free_kbytes = -1;
		m.config.thp = false;
		rmm = machine_new(&m);
		rmm_setup_done(rmm);
		assert_int_equal(rmm->min_free_kbytes, cases[i].kbytes);
		rmm_destroy(rmm);
	}
}

static void test_setup_highmem_min_is_clamped(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 64);
	machine_zone(&m, 0, RMM_ZONE_HIGHMEM, 64 * BLOCK, 64 * BLOCK);
	machine_zone(&m, 0, RMM_ZONE_MOVABLE, 128 * BLOCK, 1024 * BLOCK);
	m.config.min_free_kbytes = 4096;
	rmm = machine_new(&m);
	rmm_setup_done(rmm);
	assert_int_equal(rmm->zone[0].wmark[RMM_WMARK_MIN], 1024);
	assert_int_equal(rmm->zone[1].wmark[RMM_WMARK_MIN], 32);
	assert_int_equal(rmm->zone[2].wmark[RMM_WMARK_MIN], 128);
	/* The distance is not clamped: a quarter of the share, 16384 / 4 */
	assert_int_equal(rmm->zone[2].wmark[RMM_WMARK_LOW], 128 + 4096);
	rmm_destroy(rmm);
}

static void test_setup_batch_and_distance_follow_the_size(void **state)
{
	static const struct {
		uint32_t pages, batch;
		int64_t min_kbytes;
		uint64_t min, low;
	} cases[] = {
		{4000, 1, 0, 0, 4},
		{8192, 1, 0, 0, 8},	      /* 8 / 4 = 2, 2 + 1 -> 2 - 1 */
		{49152, 15, 0, 0, 49},	      /* 48 / 4 = 12, 12 + 6 -> 16 - 1 */
		{100000, 31, 1200, 300, 400}, /* 300 / 4 < 100 < 300 / 2 */
		{100000, 31, 4000, 1000, 1250},
		{1000000, 63, 0, 0, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 0);
		machine_zone(&m, 0, RMM_ZONE_NORMAL, 0, cases[i].pages);
		m.config.min_free_kbytes = cases[i].min_kbytes;
		rmm = machine_new(&m);
		rmm_setup_done(rmm);
		assert_int_equal(rmm->zone[0].pcp_batch, cases[i].batch);
		assert_int_equal(rmm->zone[0].wmark[RMM_WMARK_MIN], cases[i].min);
		assert_int_equal(rmm->zone[0].wmark[RMM_WMARK_LOW], cases[i].low);
		rmm_destroy(rmm);
	}
}

static void test_setup_given_values_are_kept(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 64);
	m.config.given_watermarks = true;
	for (unsigned int i = 0; i < RMM_NR_WMARK; i++)
		m.zone[0].wmark[i] = 100 + i;
	m.zone[0].lowmem_reserve[RMM_ZONE_MOVABLE] = 77;
	m.zone[0].pcp_high_max = 999;
	m.config.pcp_batch = 7;
	rmm = machine_new(&m);
	rmm_setup_done(rmm);
	assert_int_equal(rmm->zone[0].wmark[RMM_WMARK_PROMO], 103);
	assert_int_equal(rmm->zone[0].lowmem_reserve[RMM_ZONE_MOVABLE], 77);
	assert_int_equal(rmm->zone[0].pcp[0].batch, 7);
	assert_int_equal(rmm->zone[0].pcp[0].high_min, 101);
	assert_int_equal(rmm->zone[0].pcp[0].high_max, 999);
	rmm_destroy(rmm);
}

static void test_setup_reserve_is_computed_beside_given_marks(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 64);
	m.config.given_watermarks = true;
	m.config.compute_reserve = true;
	m.zone[0].wmark[RMM_WMARK_LOW] = 101;
	m.zone[0].lowmem_reserve[RMM_ZONE_MOVABLE] = 77;
	rmm = machine_new(&m);
	rmm_setup_done(rmm);
	assert_int_equal(rmm->zone[0].wmark[RMM_WMARK_LOW], 101);
	assert_int_equal(rmm->zone[0].lowmem_reserve[RMM_ZONE_MOVABLE], 0); /* none above */
	rmm_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setup_managed_sizes_give_zoneinfo),
		cmocka_unit_test(test_setup_grown_zone_is_computed_afresh),
		cmocka_unit_test(test_setup_min_free_kbytes_unknown_is_computed),
		cmocka_unit_test(test_setup_min_free_kbytes_without_thp_is_a_root),
		cmocka_unit_test(test_setup_highmem_min_is_clamped),
		cmocka_unit_test(test_setup_batch_and_distance_follow_the_size),
		cmocka_unit_test(test_setup_given_values_are_kept),
		cmocka_unit_test(test_setup_reserve_is_computed_beside_given_marks),
	};

	return RUN(tests);
}
