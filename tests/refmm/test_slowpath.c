/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What happens when zones are low: refmm/slowpath.c. */
#include "machine.h"

struct world {
	struct rmm *rmm;
	rmm_pfn held[4096];
	unsigned int n, reclaims, compacts, wakes;
	bool give;	    /* reclaim frees what is held */
	unsigned int first; /* call of reclaim that frees something */
};

static uint64_t reclaim(void *ctx, unsigned int cpu, unsigned int gfp, unsigned int order)
{
	struct world *w = ctx;
	uint64_t freed = 0;

	(void)gfp, (void)order;
	w->reclaims++;
	for (; w->give && w->reclaims >= w->first && w->n && freed < 32; freed++)
		rmm_free_pages(w->rmm, cpu, &w->rmm->memmap[w->held[--w->n]], 0);
	return freed;
}

static bool compact(void *ctx, unsigned int cpu, unsigned int gfp, unsigned int order)
{
	(void)cpu, (void)gfp, (void)order;
	((struct world *)ctx)->compacts++;
	return true;
}

static void wake(void *ctx, unsigned int zone, unsigned int order)
{
	(void)zone, (void)order;
	((struct world *)ctx)->wakes++;
}

/* Everything in use down to min = 100 pages; low 125, high 150 */
static void setup(struct world *w)
{
	const struct rmm_hooks hooks = {
		.ctx = w, .reclaim = reclaim, .compact = compact, .wake_kswapd = wake};
	struct machine m;
	rmm_pfn p;

	memset(w, 0, sizeof(*w));
	machine_init(&m, 4);
	m.config.pcp = false;
	m.config.min_free_kbytes = 400;
	w->rmm = machine_boot(&m);
	while ((p = get(w->rmm, RMM_GFP_KERNEL, 0)) != RMM_NO_PFN)
		w->held[w->n++] = p;
	assert_int_equal(rmm_nr_free_pages(w->rmm), 100);
	rmm_set_hooks(w->rmm, &hooks);
}

/* How many single pages a mask gets out of the last 100, without reclaim */
static void test_slowpath_reserves_by_urgency(void **state)
{
	static const struct {
		unsigned int gfp;
		uint64_t left;
	} cases[] = {
		{RMM_GFP_NOWAIT, 100},
		{RMM_GFP_KERNEL, 100},
		{RMM_GFP_KERNEL | RMM_GFP_HIGH, 50},
		{RMM_GFP_ATOMIC, 38},
		{RMM_GFP_ATOMIC | RMM_GFP_NOMEMALLOC, 50},
		{RMM_GFP_NOWAIT | RMM_GFP_MEMALLOC, 0},
		{RMM_GFP_KERNEL | RMM_GFP_NOFAIL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world w;

		setup(&w);
		while (get(w.rmm, cases[i].gfp, 0) != RMM_NO_PFN)
			;
		assert_int_equal(rmm_nr_free_pages(w.rmm), cases[i].left);
		check_destroy(w.rmm);
	}
}

static void test_slowpath_reclaim_makes_room(void **state)
{
	struct world w;

	(void)state;
	setup(&w);
	w.give = true;
	assert_int_not_equal(get(w.rmm, RMM_GFP_KERNEL, 0), RMM_NO_PFN);
	assert_int_equal(w.reclaims, 1);
	assert_true(w.wakes > 0);
	assert_int_equal(stats(w.rmm).direct_reclaim, 1);
	check_destroy(w.rmm);
}

static void test_slowpath_atomic_never_reclaims(void **state)
{
	struct world w;

	(void)state;
	setup(&w);
	w.give = true;
	while (get(w.rmm, RMM_GFP_ATOMIC, 0) != RMM_NO_PFN)
		;
	assert_int_equal(w.reclaims + w.compacts, 0);
	assert_int_equal(stats(w.rmm).failed, 2); /* and once in setup() */
	check_destroy(w.rmm);
}

static void test_slowpath_retries_depend_on_the_mask(void **state)
{
	static const struct {
		unsigned int gfp, order, reclaims;
	} cases[] = {
		{RMM_GFP_KERNEL | RMM_GFP_NORETRY, 0, 1},
		{RMM_GFP_KERNEL, 4, 1}, /* costly */
		{RMM_GFP_KERNEL, 0, 1}, /* no progress, too little free */
		/* May not compact, so compaction that was skipped is no reason to fail */
		{RMM_GFP_NOIO | RMM_GFP_NORETRY, 4, 1},
		{RMM_GFP_NOIO | RMM_GFP_RETRY_MAYFAIL, 4, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world w;

		setup(&w);
		assert_int_equal(get(w.rmm, cases[i].gfp, cases[i].order), RMM_NO_PFN);
		assert_int_equal(w.reclaims, cases[i].reclaims);
		check_destroy(w.rmm);
	}
}

/* setup(), and then all the rest in use too; what is held in random order */
static void setup_full(struct world *w)
{
	uint32_t random = 1;
	rmm_pfn p;

	setup(w);
	rmm_set_hooks(w->rmm, NULL);
	while ((p = get(w->rmm, RMM_GFP_KERNEL | RMM_GFP_MEMALLOC, 0)) != RMM_NO_PFN)
		w->held[w->n++] = p;
	for (unsigned int i = w->n; i > 1; i--) {
		unsigned int j = (random = random * 1664525u + 1013904223u) >> 8;

		p = w->held[i - 1];
		w->held[i - 1] = w->held[j % i];
		w->held[j % i] = p;
	}
	rmm_set_hooks(w->rmm, &(struct rmm_hooks){.ctx = w, .reclaim = reclaim});
	w->give = true;
}

/* 32 pages a call; over 100 must be free, for order 3 in the right places */
static void test_slowpath_retries_while_reclaim_helps(void **state)
{
	static const struct {
		unsigned int gfp, order, least, most;
		bool served;
	} cases[] = {
		{RMM_GFP_KERNEL, 0, 4, 4, true},
		{RMM_GFP_NOIO, 0, 4, 4, true},
		{RMM_GFP_KERNEL | RMM_GFP_RETRY_MAYFAIL, 0, 4, 4, true},
		{RMM_GFP_KERNEL | RMM_GFP_NORETRY, 0, 1, 1, false},
		{RMM_GFP_KERNEL, 3, 5, 63, true},
		{RMM_GFP_KERNEL | RMM_GFP_RETRY_MAYFAIL, 5, 5, 64, true},
		{RMM_GFP_KERNEL, 5, 1, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world w;

		setup_full(&w);
		assert_int_equal(get(w.rmm, cases[i].gfp, cases[i].order) != RMM_NO_PFN,
				 cases[i].served);
		assert_in_range(w.reclaims, cases[i].least, cases[i].most);
		check_destroy(w.rmm);
	}
}

static void test_slowpath_nofail_does_not_give_up(void **state)
{
	const unsigned int gfp = RMM_GFP_KERNEL | RMM_GFP_NOFAIL;
	struct machine m;
	struct world w;

	(void)state;
	setup_full(&w);
	w.first = 3;
	assert_int_not_equal(get(w.rmm, gfp, 0), RMM_NO_PFN);
	assert_int_equal(w.reclaims, 6); /* two in vain, four to come over the mark */
	check_destroy(w.rmm);

	/* All that is free is on another CPU's list, and reclaim finds nothing. */
	machine_init(&m, 4);
	m.config.nr_cpus = 2;
	w.rmm = machine_boot(&m);
	while (rmm_alloc_page(w.rmm, 1, RMM_GFP_KERNEL | RMM_GFP_MEMALLOC))
		;
	assert_int_equal(rmm_free_page(w.rmm, 1, w.rmm->memmap), 0);
	assert_int_equal(get(w.rmm, RMM_GFP_KERNEL, 0), RMM_NO_PFN);
	assert_int_equal(get(w.rmm, gfp, 0), 0);
	assert_int_equal(get(w.rmm, gfp, 0), RMM_NO_PFN); /* there is none at all */
	check_destroy(w.rmm);

	/* ... or in the reserve for atomic requests */
	w.rmm = machine(4, false);
	rmm_set_pageblock_migratetype(w.rmm, 0, RMM_HIGHATOMIC);
	while (get(w.rmm, RMM_GFP_NOWAIT | RMM_GFP_NOMEMALLOC, 0) != RMM_NO_PFN)
		;
	assert_int_equal(rmm_nr_free_pages(w.rmm), BLOCK);
	assert_int_not_equal(get(w.rmm, gfp, 4), RMM_NO_PFN);
	check_destroy(w.rmm);
}

/* Hooks that allocate: served without a mark, and not called by that again */
static uint64_t reclaim_and_allocate(void *ctx, unsigned int cpu, unsigned int gfp,
				     unsigned int order)
{
	struct world *w = ctx;

	(void)gfp, (void)order;
	w->reclaims++;
	assert_non_null(rmm_alloc_pages(w->rmm, cpu, RMM_GFP_KERNEL, 0));
	assert_null(rmm_alloc_pages(w->rmm, cpu, RMM_GFP_KERNEL | RMM_GFP_NOMEMALLOC, 0));
	return 0;
}

static bool compact_and_allocate(void *ctx, unsigned int cpu, unsigned int gfp, unsigned int order)
{
	struct world *w = ctx;

	(void)gfp;
	w->compacts++;
	assert_null(rmm_alloc_pages(w->rmm, cpu, RMM_GFP_TRANSHUGE, order));
	return false;
}

static void test_slowpath_hooks_may_allocate(void **state)
{
	struct world w;
	const struct rmm_hooks hooks = {
		.ctx = &w, .reclaim = reclaim_and_allocate, .compact = compact_and_allocate};

	(void)state;
	setup(&w);
	rmm_set_hooks(w.rmm, &hooks);
	assert_int_equal(get(w.rmm, RMM_GFP_KERNEL, 0), RMM_NO_PFN);
	assert_int_equal(w.reclaims, 1);
	assert_int_equal(rmm_nr_free_pages(w.rmm), 99);
	assert_int_equal(get(w.rmm, RMM_GFP_KERNEL, 9), RMM_NO_PFN);
	assert_int_equal(w.reclaims, 2);
	assert_int_equal(w.compacts, 2); /* before reclaim and after */
	rmm_set_hooks(w.rmm, NULL);
	assert_int_equal(get(w.rmm, RMM_GFP_KERNEL, 0), RMM_NO_PFN); /* the mark again */
	check_destroy(w.rmm);
}

static void test_slowpath_costly_order_compacts_first(void **state)
{
	struct world w;

	(void)state;
	setup(&w);
	get(w.rmm, RMM_GFP_KERNEL, 4);
	assert_int_equal(w.compacts, 2); /* before reclaim and after */
	get(w.rmm, RMM_GFP_HIGHUSER_MOVABLE, 2);
	assert_int_equal(w.compacts, 3); /* only after */
	get(w.rmm, RMM_GFP_KERNEL & ~(unsigned int)RMM_GFP_IO, 4);
	assert_int_equal(w.compacts, 3); /* never without IO */
	check_destroy(w.rmm);
}

static void test_slowpath_drains_other_cpus_lists(void **state)
{
	struct machine m;
	struct world w = {.give = true};
	struct rmm_hooks hooks = {.ctx = &w, .reclaim = reclaim};

	(void)state;
	machine_init(&m, 4);
	m.config.nr_cpus = 2;
	m.zone[0].pcp_batch = 8;
	m.zone[0].pcp_high_min = m.zone[0].pcp_high_max = 64;
	w.rmm = machine_boot(&m);
	for (rmm_pfn p; (p = get(w.rmm, RMM_GFP_KERNEL, 0)) != RMM_NO_PFN;)
		w.held[w.n++] = p;
	/* CPU 1 sits on pages that would make an order 2 */
	for (int i = 0; i < 8; i++)
		rmm_free_pages(w.rmm, 1, &w.rmm->memmap[w.held[--w.n]], 0);
	w.held[0] = w.held[w.n - 1];
	w.n = 1;
	rmm_set_hooks(w.rmm, &hooks);
	assert_int_equal(rmm_pcp_count(w.rmm, 0, 1), 8);
	assert_int_not_equal(get(w.rmm, RMM_GFP_KERNEL, 2), RMM_NO_PFN);
	assert_int_equal(rmm_pcp_count(w.rmm, 0, 1), 0);
	check_destroy(w.rmm);
}

static void test_slowpath_defrag_mode_reclaims_before_mixing(void **state)
{
	struct world w;

	(void)state;
	for (int defrag = 0; defrag < 2; defrag++) {
		setup(&w);
		w.rmm->config.defrag_mode = defrag;
		rmm_build_zonelists(w.rmm);
		w.rmm->zone[0].wmark[0] = w.rmm->zone[0].wmark[1] = 0;
		/* What is free lies in an unmovable pageblock. */
		assert_int_not_equal(get(w.rmm, RMM_GFP_HIGHUSER_MOVABLE, 0), RMM_NO_PFN);
		assert_int_equal(w.reclaims > 0, defrag);
		check_destroy(w.rmm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slowpath_reserves_by_urgency),
		cmocka_unit_test(test_slowpath_reclaim_makes_room),
		cmocka_unit_test(test_slowpath_atomic_never_reclaims),
		cmocka_unit_test(test_slowpath_retries_depend_on_the_mask),
		cmocka_unit_test(test_slowpath_retries_while_reclaim_helps),
		cmocka_unit_test(test_slowpath_nofail_does_not_give_up),
		cmocka_unit_test(test_slowpath_hooks_may_allocate),
		cmocka_unit_test(test_slowpath_costly_order_compacts_first),
		cmocka_unit_test(test_slowpath_drains_other_cpus_lists),
		cmocka_unit_test(test_slowpath_defrag_mode_reclaims_before_mixing),
	};

	return RUN(tests);
}
