/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lazy purge and pools: refmm/vmalloc_purge.c. */
#include "vm.h"

/* @cpus CPUs, a threshold of @lazy_max pages, purged by hand if that is 0 */
static struct rmm *boot(unsigned int cpus, uint64_t lazy_max, bool pools)
{
	struct rmm_vmalloc_config c;
	struct machine m;

	machine_init(&m, 8);
	m.config.nr_cpus = cpus;
	rmm_vmalloc_config_init(&c);
	c.pools = pools;
	c.lazy_max_pages = lazy_max;
	c.manual_purge = !lazy_max;
	return vm_boot(&m, &c);
}

static void *alloc(struct rmm *rmm, unsigned int cpu, size_t pages)
{
	void *a = rmm_vmalloc(rmm, cpu, pages * PAGE);

	assert_non_null(a);
	return a;
}

/* Pool of areas of @pages, guard included */
static const struct rmm_vmap_pool *pool(const struct rmm *rmm, unsigned int node, size_t pages)
{
	return &rmm_vmalloc_of(rmm)->node[node].pool[pages - 1];
}

static void test_purge_threshold_is_the_kernels(void **state)
{
	static const struct {
		unsigned int cpus, online, shift;
		uint64_t pages;
	} cases[] = {
		{1, 0, 12, 8192},  {2, 0, 12, 16384},  {3, 0, 12, 16384}, {4, 0, 12, 24576},
		{8, 2, 12, 16384}, {64, 0, 12, 57344}, {2, 0, 16, 1024},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_vmalloc_config c;
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 1);
		m.config.nr_cpus = cases[i].cpus;
		m.config.page_shift = cases[i].shift;
		rmm_vmalloc_config_init(&c);
		c.online_cpus = cases[i].online;
		rmm = vm_boot(&m, &c);
		assert_int_equal(vm_stats(rmm).lazy_max, cases[i].pages);
		check_destroy(rmm);
	}
}

static void test_purge_runs_when_threshold_is_passed(void **state)
{
	struct rmm *rmm = boot(1, 20, false);
	void *a[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		a[i] = alloc(rmm, 0, 4); /* and a guard */
	for (int i = 0; i < 4; i++)
		vm_free(rmm, a[i]);
	assert_int_equal(vm_stats(rmm).lazy_pages, 20); /* not over it yet */
	assert_int_equal(vm_stats(rmm).drain, 0);
	/* What is lazy is not given to anybody else. */
	assert_int_equal((uintptr_t)alloc(rmm, 0, 4), VM_START + 25 * PAGE);
	vm_free(rmm, a[4]);
	assert_int_equal(vm_stats(rmm).lazy_pages, 0);
	assert_int_equal(vm_stats(rmm).drain, 1);
	assert_int_equal((uintptr_t)alloc(rmm, 0, 4), VM_START);
	check_destroy(rmm);
}

/* 6.1 has one node, and joins lazy areas at once */
static void test_purge_without_pools_lazy_areas_join(void **state)
{
	struct rmm *rmm = boot(4, 0, false);
	void *a[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		a[i] = alloc(rmm, i % 4, 1);
	for (int i = 0; i < 4; i++)
		vm_free(rmm, a[i]);
	assert_int_equal(vm_stats(rmm).lazy_areas, 1);
	assert_int_equal(vm_stats(rmm).lazy_pages, 8);
	check(rmm);
	assert_int_equal(rmm_drain_vmap_work(rmm, 0), 1);
	assert_int_equal(vm_stats(rmm).pool_areas, 0);
	assert_int_equal(vm_stats(rmm).free_areas, 2); /* the hole joins what is below */
	check_destroy(rmm);
}

static void test_purge_fills_pool_of_the_cpu_that_asked(void **state)
{
	struct rmm *rmm = boot(2, 0, true);
	void *a = alloc(rmm, 1, 3), *b = alloc(rmm, 1, 255), *c = alloc(rmm, 1, 256);

	(void)state;
	vm_free(rmm, a); /* on CPU 0, but it goes home */
	vm_free(rmm, b);
	vm_free(rmm, c);
	assert_int_equal(vm_stats(rmm).lazy_areas, 3);
	assert_int_equal(rmm_drain_vmap_work(rmm, 0), 3);
	assert_int_equal(pool(rmm, 1, 4)->len, 1);
	assert_int_equal(pool(rmm, 1, 256)->len, 1); /* the largest that pools hold */
	assert_int_equal(vm_stats(rmm).pool_areas, 2);
	check(rmm);
	assert_ptr_not_equal(alloc(rmm, 0, 3), a); /* not CPU 0's pool */
	assert_ptr_equal(alloc(rmm, 1, 3), a);
	assert_int_equal(vm_stats(rmm).pool_hit, 1);
	assert_ptr_equal(alloc(rmm, 1, 255), b);
	assert_ptr_not_equal(alloc(rmm, 1, 3), a); /* it is empty */
	check_destroy(rmm);
}

/* On one CPU there is one node, and then no pool is used. */
static void test_purge_32bit_machine_has_no_pools(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 0);
	rmm_config_32bit(&m.config, m.zone, 100 << 8);
	m.config.nr_cpus = 4;
	rmm = vm_boot(&m, NULL);
	assert_int_equal(rmm_vmalloc_of(rmm)->nr_nodes, 1);
	for (unsigned int i = 0; i < 8; i++)
		vm_free(rmm, alloc(rmm, i % 4, 3));
	rmm_drain_vmap_work(rmm, 0);
	assert_int_equal(vm_stats(rmm).pool_areas, 0);
	assert_int_equal(vm_stats(rmm).free_areas, 1);
	check_destroy(rmm);
}

static void test_purge_single_cpu_has_no_pools(void **state)
{
	struct rmm *rmm = boot(1, 0, true);

	(void)state;
	vm_free(rmm, alloc(rmm, 0, 3));
	rmm_drain_vmap_work(rmm, 0);
	assert_int_equal(vm_stats(rmm).pool_areas, 0);
	assert_int_equal(vm_stats(rmm).free_areas, 1); /* all addresses are one again */
	check_destroy(rmm);
}

/* @n areas of one size in CPU 0's pool; then one more purge */
static size_t left_after_decay(unsigned int n, bool drops_small)
{
	struct rmm *rmm = boot(2, 0, true);
	void *a[16];
	size_t left;

	rmm_vmalloc_of(rmm)->config.pool_drops_small = drops_small;
	for (unsigned int i = 0; i < n; i++)
		a[i] = alloc(rmm, 0, 2);
	for (unsigned int i = 0; i < n; i++)
		vm_free(rmm, a[i]);
	rmm_drain_vmap_work(rmm, 0);
	assert_int_equal(pool(rmm, 0, 3)->len, n);
	rmm_drain_vmap_work(rmm, 0);
	left = pool(rmm, 0, 3)->len;
	check_destroy(rmm);
	return left;
}

static void test_purge_decays_pools_by_a_quarter(void **state)
{
	static const struct {
		unsigned int n;
		bool drops_small;
		size_t left;
	} cases[] = {{8, true, 6}, {7, true, 6},  {4, true, 3},	 {3, true, 0},
		     {1, true, 0}, {8, false, 6}, {3, false, 3}, {1, false, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(left_after_decay(cases[i].n, cases[i].drops_small), cases[i].left);
}

static void test_purge_shrinker_empties_pools(void **state)
{
	struct rmm *rmm = boot(2, 0, true);
	void *a[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		a[i] = alloc(rmm, 0, 2);
	for (int i = 0; i < 8; i++)
		vm_free(rmm, a[i]);
	rmm_drain_vmap_work(rmm, 0);
	rmm_shrink_vmap_pools(rmm, 0);
	assert_int_equal(vm_stats(rmm).pool_areas, 0);
	assert_int_equal(vm_stats(rmm).free_areas, 1); /* all addresses are one again */
	check_destroy(rmm);
}

/* The first of a pool is not aligned: the tree serves, and the next is tried */
static void test_purge_pool_passes_by_what_is_not_aligned(void **state)
{
	const struct rmm_vmalloc_args args = {
		.size = PAGE, .align = 4 * PAGE, .gfp = RMM_GFP_KERNEL, .nid = -1};
	struct rmm *rmm = boot(2, 0, true);
	void *a[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		a[i] = alloc(rmm, 0, 1); /* pages 0, 2, 4 of the window */
	alloc(rmm, 0, 1);
	for (int i = 0; i < 3; i++)
		vm_free(rmm, a[i]);
	rmm_drain_vmap_work(rmm, 0);
	/* Last in, first out: 4, 2, 0. */
	assert_ptr_equal(rmm___vmalloc_node_range(rmm, 0, &args), a[2]);
	assert_int_equal((uintptr_t)rmm___vmalloc_node_range(rmm, 0, &args), VM_START + 8 * PAGE);
	assert_ptr_equal(rmm___vmalloc_node_range(rmm, 0, &args), a[0]);
	check_destroy(rmm);
}

/* Lack of addresses purges all, pools too, and the request succeeds. */
static void test_purge_makes_room_when_addresses_run_out(void **state)
{
	struct rmm_vmalloc_config c;
	struct machine m;
	struct rmm *rmm;
	void *a[8];

	(void)state;
	machine_init(&m, 8);
	m.config.nr_cpus = 2;
	rmm_vmalloc_config_init(&c);
	c.start = VM_START;
	c.end = VM_START + 32 * PAGE;
	rmm = vm_boot(&m, &c);
	for (int i = 0; i < 8; i++)
		a[i] = alloc(rmm, 0, 3);
	assert_null(rmm_vmalloc(rmm, 0, 1));
	says(rmm, "out of pages or of addresses");
	for (int i = 0; i < 8; i++)
		vm_free(rmm, a[i]);
	assert_int_equal((uintptr_t)alloc(rmm, 0, 31), VM_START);
	assert_int_equal(vm_stats(rmm).purge, 2);
	assert_int_equal(vm_stats(rmm).pool_areas, 0);
	assert_int_equal(rmm_purge_vmap_areas(rmm, 0), 0);
	check_destroy(rmm);
}

/* Each invariant that a purge could break is noticed. */
static void test_purge_validate_notices_what_is_wrong(void **state)
{
	struct rmm *rmm = boot(2, 0, true);
	struct rmm_vmalloc *v = rmm_vmalloc_of(rmm);
	void *a = alloc(rmm, 0, 2), *b = alloc(rmm, 0, 2);
	uint64_t *const counters[] = {&v->lazy_nr, &v->nr_pages};
	uintptr_t *const ends[] = {&v->free.first->end, &v->free.root->max,
				   &v->node[0].busy.first->start};
	char msg[256];

	(void)state;
	vm_free(rmm, b);
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		++*counters[i];
		assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
		--*counters[i];
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		*ends[i] -= PAGE;
		assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
		*ends[i] += PAGE;
	}
	rmm_find_vm_struct(rmm, (uintptr_t)a)->pages[1] =
		rmm_find_vm_struct(rmm, (uintptr_t)a)->pages[0];
	assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
	assert_non_null(strstr(msg, "is in two areas"));
	rmm_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_purge_threshold_is_the_kernels),
		cmocka_unit_test(test_purge_runs_when_threshold_is_passed),
		cmocka_unit_test(test_purge_without_pools_lazy_areas_join),
		cmocka_unit_test(test_purge_fills_pool_of_the_cpu_that_asked),
		cmocka_unit_test(test_purge_32bit_machine_has_no_pools),
		cmocka_unit_test(test_purge_single_cpu_has_no_pools),
		cmocka_unit_test(test_purge_decays_pools_by_a_quarter),
		cmocka_unit_test(test_purge_shrinker_empties_pools),
		cmocka_unit_test(test_purge_pool_passes_by_what_is_not_aligned),
		cmocka_unit_test(test_purge_makes_room_when_addresses_run_out),
		cmocka_unit_test(test_purge_validate_notices_what_is_wrong),
	};

	return RUN(tests);
}
