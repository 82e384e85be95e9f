/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shuffled free lists, mobility by size, any pageblock order: refmm/shuffle.c,
 * create.c. */
#include "machine.h"

static struct rmm *shuffled(uint64_t seed, unsigned int blocks)
{
	struct machine m;

	machine_init(&m, blocks);
	m.config.shuffle = true;
	m.config.shuffle_seed = seed;
	m.config.pcp = false;
	return machine_boot(&m);
}

static void test_shuffle_orders_differ_by_seed_alone(void **state)
{
	struct rmm *a = shuffled(1, 32), *b = shuffled(1, 32), *c = shuffled(2, 32);
	struct rmm *plain = machine(32, false);
	char first[128];

	(void)state;
	snprintf(first, sizeof(first), "%s", free_list(a, 10, RMM_MOVABLE));
	assert_string_equal(first, free_list(b, 10, RMM_MOVABLE));
	assert_string_not_equal(first, free_list(c, 10, RMM_MOVABLE));
	assert_string_not_equal(first, free_list(plain, 10, RMM_MOVABLE));
	assert_int_equal(rmm_nr_free(a, 0, 10, RMM_MOVABLE), 16);
	check_destroy(a);
	check_destroy(b);
	check_destroy(c);
	check_destroy(plain);
}

/* The same draws, exchanging places in an array: what the list must be. Frames
 * beyond the list's own, in use, are drawn too and passed over. */
static void exchange(uint64_t random, unsigned int n, unsigned int pages, rmm_pfn *list)
{
	for (rmm_pfn i = 0; i < n; i++)
		for (int retry = 0; retry < 10; retry++) {
			uint64_t r = random += 0x9e3779b97f4a7c15ull, j;
			unsigned int a = 0, b = 0;

			r = (r ^ (r >> 30)) * 0xbf58476d1ce4e5b9ull;
			r = (r ^ (r >> 27)) * 0x94d049bb133111ebull;
			j = (r ^ (r >> 31)) % pages / 1024;
			if (j == i || j >= n)
				continue;
			while (list[a] != i * 1024)
				a++;
			while (list[b] != j * 1024)
				b++;
			list[a] = (rmm_pfn)j * 1024;
			list[b] = i * 1024;
			break;
		}
}

static void test_shuffle_exchanges_places(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct rmm *rmm = machine(12, false);
		struct rmm_zone *z = &rmm->zone[0];
		rmm_pfn list[5], all[6], p;

		for (int i = 0; i < 6; i++)
			all[i] = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 10);
		for (int i = 0; i < 6; i++)
			if (all[i] != 5 * 1024)
				put(rmm, all[i], 10);
		p = z->free_area[10].free_list[RMM_MOVABLE].first;
		for (int i = 0; i < 5; i++, p = rmm->memmap[p].next)
			list[i] = p;
		exchange(seed, 5, 12 * BLOCK, list);
		z->random = seed;
		rmm_shuffle_zone(z);
		p = z->free_area[10].free_list[RMM_MOVABLE].first;
		for (int i = 0; i < 5; i++, p = rmm->memmap[p].next)
			assert_int_equal(p, list[i]);
		put(rmm, 5 * 1024, 10);
		check_destroy(rmm);
	}
}

/* Small lists, where the two to be swapped are often neighbours */
static void test_shuffle_keeps_lists_whole(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++)
		check_destroy(shuffled(seed, 2 + seed % 9));
}

static void test_shuffle_frees_go_to_either_end(void **state)
{
	struct rmm *rmm = shuffled(7, 32);
	unsigned int heads = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		rmm_pfn p = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 10);

		put(rmm, p, 10);
		heads += rmm->zone[0].free_area[10].free_list[RMM_MOVABLE].first == p;
	}
	assert_in_range(heads, 30, 70);
	check_destroy(rmm);
}

static void test_shuffle_spares_a_snapshot(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 8);
	m.config.shuffle = true;
	rmm = machine_new(&m);
	for (rmm_pfn p = 0; p < 8 * BLOCK; p += 1024)
		assert_int_equal(rmm_load_free(rmm, p, 10, RMM_MOVABLE), 0);
	assert_int_equal(rmm_setup_done(rmm), 0);
	assert_string_equal(free_list(rmm, 10, RMM_MOVABLE), "0 1024 2048 3072");
	check_destroy(rmm);
}

static void test_create_mobility_needs_a_pageblock_a_type(void **state)
{
	static const struct {
		unsigned int blocks;
		enum rmm_mobility mobility, is;
	} cases[] = {
		{5, RMM_MOBILITY_AUTO, RMM_MOBILITY_OFF},
		{6, RMM_MOBILITY_AUTO, RMM_MOBILITY_ON},
		{5, RMM_MOBILITY_ON, RMM_MOBILITY_ON},
		{6, RMM_MOBILITY_OFF, RMM_MOBILITY_OFF},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, cases[i].blocks);
		m.config.mobility = cases[i].mobility;
		rmm = machine_boot(&m);
		assert_int_equal(rmm->config.mobility, cases[i].is);
		assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0),
				 cases[i].is ? RMM_MOVABLE : RMM_UNMOVABLE);
		check_destroy(rmm);
	}
}

/* Fill with three kinds of pages and give all back, for each size of pageblock */
static void test_create_any_pageblock_order_works(void **state)
{
	static rmm_pfn held[1024];

	(void)state;
	for (unsigned int max = 0; max <= 10; max++)
		for (unsigned int block = 0; block <= max; block++) {
			static const unsigned int masks[] = {RMM_GFP_KERNEL,
							     RMM_GFP_HIGHUSER_MOVABLE,
							     RMM_GFP_KERNEL | RMM_GFP_RECLAIMABLE};
			struct machine m;
			struct rmm *rmm;
			unsigned int n = 0;

			machine_init(&m, 2);
			m.config.max_order = max;
			m.config.pageblock_order = block;
			m.config.pcp = max % 2;
			rmm = machine_boot(&m);
			while (n < 1024 && (held[n] = get(rmm, masks[n % 3], 0)) != RMM_NO_PFN)
				n++;
			check(rmm);
			for (unsigned int i = 0; i < n; i += 2)
				put(rmm, held[i], 0);
			for (unsigned int i = 1; i < n; i += 2)
				put(rmm, held[i], 0);
			rmm_drain_all_pages(rmm, 0);
			assert_int_equal(rmm_nr_free_pages(rmm), 2 * BLOCK);
			check_destroy(rmm);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shuffle_orders_differ_by_seed_alone),
		cmocka_unit_test(test_shuffle_exchanges_places),
		cmocka_unit_test(test_shuffle_keeps_lists_whole),
		cmocka_unit_test(test_shuffle_frees_go_to_either_end),
		cmocka_unit_test(test_shuffle_spares_a_snapshot),
		cmocka_unit_test(test_create_mobility_needs_a_pageblock_a_type),
		cmocka_unit_test(test_create_any_pageblock_order_works),
	};

	return RUN(tests);
}
