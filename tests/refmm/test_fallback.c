/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Claim and steal, as in 6.12.117: refmm/fallback.c and rmqueue.c. */
#include "machine.h"

struct seen {
	unsigned int extfrag, locked;
	struct rmm_extfrag last;
};

static void on_extfrag(void *ctx, unsigned int cpu, const struct rmm_extfrag *e)
{
	struct seen *s = ctx;

	(void)cpu;
	s->extfrag++;
	s->last = *e;
}

static void on_locked(void *ctx, unsigned int cpu, rmm_pfn pfn, unsigned int order, int mt,
		      bool refill)
{
	(void)cpu, (void)pfn, (void)order, (void)mt, (void)refill;
	((struct seen *)ctx)->locked++;
}

static void watch(struct rmm *rmm, struct seen *s)
{
	const struct rmm_hooks hooks = {
		.ctx = s,
		.extfrag = on_extfrag,
		.zone_locked = on_locked,
	};

	memset(s, 0, sizeof(*s));
	rmm_set_hooks(rmm, &hooks);
}

static void test_fallback_whole_pageblock_is_claimed(void **state)
{
	struct rmm *rmm = machine(4, false);
	struct seen s;

	(void)state;
	watch(rmm, &s);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_UNMOVABLE);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 512), RMM_UNMOVABLE);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 1024), RMM_MOVABLE);
	assert_int_equal(s.extfrag, 1);
	assert_int_equal(s.locked, 0); /* the kernel traces none here */
	assert_int_equal(s.last.fallback_order, 10);
	assert_int_equal(s.last.fallback_type, RMM_MOVABLE);
	assert_true(s.last.change_ownership);
	assert_int_equal(stats(rmm).fallback_claim[RMM_UNMOVABLE][RMM_MOVABLE], 1);
	check_destroy(rmm);
}

/* Two pageblocks of movable pages in use, of which the tests free some */
static struct rmm *full(struct seen *s)
{
	struct rmm *rmm = machine(2, false);

	for (rmm_pfn p = 0; p < 2 * BLOCK; p++)
		assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_MEMALLOC, 0), p);
	assert_int_equal(rmm_nr_free_pages(rmm), 0);
	rmm->zone[0].wmark[RMM_WMARK_LOW] = rmm->zone[0].wmark[RMM_WMARK_HIGH] = 0;
	watch(rmm, s);
	return rmm;
}

static void free_range(struct rmm *rmm, rmm_pfn from, rmm_pfn to)
{
	for (rmm_pfn p = from; p < to; p++)
		put(rmm, p, 0);
}

static void test_fallback_half_free_pageblock_is_claimed(void **state)
{
	struct seen s;
	struct rmm *rmm = full(&s);

	(void)state;
	free_range(rmm, 0, 256);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_UNMOVABLE);
	assert_int_equal(rmm_nr_free(rmm, 0, 7, RMM_UNMOVABLE), 1); /* all of it moved */
	assert_int_equal(s.last.fallback_order, 8);
	assert_int_equal(s.locked, 1);
	check_destroy(rmm);
}

static void test_fallback_less_than_half_is_stolen_from(void **state)
{
	struct seen s;
	struct rmm *rmm = full(&s);

	(void)state;
	free_range(rmm, 0, 128);
	free_range(rmm, 200, 201);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 200); /* smallest block first */
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_MOVABLE);
	assert_int_equal(rmm_nr_free(rmm, 0, 7, RMM_MOVABLE), 1); /* the rest stayed */
	assert_false(s.last.change_ownership);
	assert_int_equal(stats(rmm).fallback_steal[RMM_UNMOVABLE][RMM_MOVABLE], 1);
	assert_int_equal(s.locked, 0);
	check_destroy(rmm);
}

static void test_fallback_unmovable_pages_count_as_alike(void **state)
{
	struct seen s;
	struct rmm *rmm = full(&s);

	(void)state;
	for (rmm_pfn p = 128; p < 256; p++)
		rmm->memmap[p].migratetype = RMM_UNMOVABLE;
	free_range(rmm, 0, 128); /* 128 free + 128 alike = half */
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_UNMOVABLE);
	check_destroy(rmm);
}

static void test_fallback_movable_does_not_claim_small_blocks(void **state)
{
	struct seen s;
	struct rmm *rmm = full(&s);

	(void)state;
	rmm_set_pageblock_migratetype(rmm, 0, RMM_UNMOVABLE);
	free_range(rmm, 0, 8); /* order 3 < 9 / 2 */
	assert_int_equal(get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_UNMOVABLE);
	assert_int_equal(stats(rmm).fallback_steal[RMM_MOVABLE][RMM_UNMOVABLE], 1);
	check_destroy(rmm);
}

static void test_fallback_types_are_tried_in_order(void **state)
{
	static const struct {
		unsigned int gfp;
		int from;
	} cases[] = {
		{RMM_GFP_KERNEL, RMM_RECLAIMABLE},
		{RMM_GFP_KERNEL | RMM_GFP_RECLAIMABLE, RMM_UNMOVABLE},
		{RMM_GFP_HIGHUSER_MOVABLE, RMM_RECLAIMABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		struct seen s;
		struct rmm *rmm;

		machine_init(&m, 8);
		m.config.pcp = false;
		rmm = machine_new(&m);
		for (int mt = 0; mt < RMM_PCPTYPES; mt++) {
			bool own = mt == rmm_gfp_migratetype(rmm, cases[i].gfp);

			rmm_set_pageblock_migratetype(rmm, (rmm_pfn)mt * 1024, mt);
			if (!own)
				rmm_load_free(rmm, (rmm_pfn)mt * 1024, 9, mt);
		}
		rmm_setup_done(rmm);
		watch(rmm, &s);
		assert_int_not_equal(get(rmm, cases[i].gfp, 0), RMM_NO_PFN);
		assert_int_equal(s.last.fallback_type, cases[i].from);
		check_destroy(rmm);
	}
}

static void test_fallback_nofragment_prefers_the_lower_zone(void **state)
{
	struct machine m;
	struct rmm *rmm;
	uint64_t slow;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_DMA32, 0, 8 * BLOCK);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 8 * BLOCK, 8 * BLOCK);
	m.config.pcp = false;
	rmm = machine_new(&m);
	rmm_load_free(rmm, 0, 9, RMM_MOVABLE);
	rmm_load_free(rmm, 8 * BLOCK, 8, RMM_MOVABLE); /* Normal: no whole pageblock */
	rmm_setup_done(rmm);
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 0);
	/* Order 8 of DMA32 is left; without a whole one anywhere, Normal is mixed. */
	put(rmm, 0, 0);
	rmm_alloc_pages(rmm, 0, RMM_GFP_DMA32, 9);
	slow = stats(rmm).slow_path;
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 8 * BLOCK);
	assert_int_equal(stats(rmm).slow_path, slow); /* in the second walk */
	check_destroy(rmm);
}

/* Without a DMA32 zone the 16 MiB of DMA are left alone: x86-32 */
static void test_fallback_nofragment_needs_a_dma32_zone(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	for (int dma32 = 0; dma32 < 2; dma32++) {
		machine_init(&m, 0);
		machine_zone(&m, 0, RMM_ZONE_DMA, 0, 8 * BLOCK);
		machine_zone(&m, 0, RMM_ZONE_NORMAL, 8 * BLOCK, 8 * BLOCK);
		if (dma32)
			machine_zone(&m, 0, RMM_ZONE_DMA32, 0, 0);
		m.config.pcp = false;
		rmm = machine_new(&m);
		rmm_load_free(rmm, 0, 9, RMM_MOVABLE);
		rmm_load_free(rmm, 8 * BLOCK, 8, RMM_MOVABLE);
		rmm_setup_done(rmm);
		assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), dma32 ? 0 : 8 * BLOCK);
		check_destroy(rmm);
	}
}

static void test_fallback_claim_boosts_and_wakes_kswapd(void **state)
{
	struct rmm *rmm = machine(8, false);

	(void)state;
	while (get(rmm, RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_MEMALLOC, 0) != RMM_NO_PFN)
		;
	free_range(rmm, 0, 300);
	rmm->zone[0].wmark[RMM_WMARK_HIGH] = 100;
	rmm->zone[0].wmark[RMM_WMARK_LOW] = 50;
	/* The pageblock is claimed for its order 8; order 2 is what fits best. */
	assert_int_equal(get(rmm, RMM_GFP_KERNEL, 0), 296);
	assert_int_equal(rmm->zone[0].boost, 512);
	assert_int_equal(stats(rmm).boost, 1);
	check_destroy(rmm);
}

static void test_fallback_mobility_off_never_falls_back(void **state)
{
	struct machine m;
	struct rmm *rmm;
	struct seen s;

	(void)state;
	machine_init(&m, 4);
	m.config.mobility = false;
	rmm = machine_boot(&m);
	watch(rmm, &s);
	for (int i = 0; i < 300; i++)
		get(rmm, i & 1 ? RMM_GFP_KERNEL : RMM_GFP_HIGHUSER_MOVABLE, 0);
	assert_int_equal(s.extfrag, 0);
	assert_int_equal(rmm_get_pageblock_migratetype(rmm, 0), RMM_UNMOVABLE);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fallback_whole_pageblock_is_claimed),
		cmocka_unit_test(test_fallback_half_free_pageblock_is_claimed),
		cmocka_unit_test(test_fallback_less_than_half_is_stolen_from),
		cmocka_unit_test(test_fallback_unmovable_pages_count_as_alike),
		cmocka_unit_test(test_fallback_movable_does_not_claim_small_blocks),
		cmocka_unit_test(test_fallback_types_are_tried_in_order),
		cmocka_unit_test(test_fallback_nofragment_prefers_the_lower_zone),
		cmocka_unit_test(test_fallback_nofragment_needs_a_dma32_zone),
		cmocka_unit_test(test_fallback_claim_boosts_and_wakes_kswapd),
		cmocka_unit_test(test_fallback_mobility_off_never_falls_back),
	};

	return RUN(tests);
}
