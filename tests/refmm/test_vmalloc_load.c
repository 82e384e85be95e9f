/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Beginning with another machine's areas. Pages from the window's start:
 *
 *   0    5    8        16   18   20        32
 *   |used|    |lazy    |    |pool|
 */
#include <kmemlab/refmm_vmalloc_load.h>

#include "vm.h"

static struct rmm *rmm;

static int set_up(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	m.config.nr_cpus = 2;
	rmm = vm_boot(&m, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rmm_destroy(rmm);
	return 0;
}

static int load(enum rmm_vm_state state, uint64_t page, size_t pages, unsigned int node)
{
	const struct rmm_vm_load l = {.address = VM_START + page * PAGE,
				      .size = pages * PAGE,
				      .state = state,
				      .node = node,
				      .pool = node + 1};

	return rmm_vm_load(rmm, &l);
}

static uintptr_t area(size_t pages)
{
	const struct rmm_vmalloc_args args = {
		.size = pages * PAGE, .gfp = RMM_GFP_KERNEL, .flags = RMM_VM_NO_GUARD, .nid = -1};

	return (rmm_get_vm_area(rmm, 0, &args) - VM_START) / PAGE;
}

static void valid(void)
{
	char broken[256];

	if (rmm_validate(rmm, broken, sizeof(broken)))
		fail_msg("%s", broken);
}

static void test_vmalloc_load_used_is_in_the_way_until_freed(void **state)
{
	(void)state;
	assert_int_equal(load(RMM_VM_IN_USE, 0, 5, 0), 0);
	assert_int_equal(load(RMM_VM_IN_USE, 8, 8, 1), 0);
	assert_int_equal(area(4), 16);
	assert_int_equal(area(3), 5);
	assert_int_equal(rmm_vfree(rmm, 0, (void *)VM_START), 0);
	assert_int_equal(vm_stats(rmm).lazy_pages, 5);
	assert_int_equal(vm_stats(rmm).areas, 3);
	valid();
}

static void test_vmalloc_load_lazy_comes_back_by_a_purge(void **state)
{
	(void)state;
	assert_int_equal(load(RMM_VM_IS_LAZY, 0, 5, 1), 0);
	assert_int_equal(vm_stats(rmm).lazy_pages, 5);
	assert_int_equal(area(5), 5);
	valid();
	assert_int_equal(rmm_drain_vmap_work(rmm, 0), 1);
	assert_int_equal(vm_stats(rmm).lazy_pages, 0);
	assert_int_equal(vm_stats(rmm).pool_areas, 1);
	valid();
}

static void test_vmalloc_load_pool_serves_in_its_order(void **state)
{
	(void)state;
	assert_int_equal(load(RMM_VM_IN_POOL, 18, 2, 0), 0);
	assert_int_equal(load(RMM_VM_IN_POOL, 6, 2, 0), 0);
	assert_int_equal(vm_stats(rmm).pool_areas, 2);
	valid();
	assert_int_equal(area(2), 18);
	assert_int_equal(area(2), 6);
	assert_int_equal(area(2), 0);
	assert_int_equal(vm_stats(rmm).pool_hit, 2);
	valid();
}

static void test_vmalloc_load_refuses_what_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(load(RMM_VM_IN_USE, 0, 5, 0), 0);
	assert_int_equal(load(RMM_VM_IN_USE, 4, 5, 0), -EEXIST);
	says(rmm, "not free");
	assert_int_equal(load(RMM_VM_IS_LAZY, 0, 5, 0), -EEXIST);
	assert_int_equal(load(RMM_VM_IN_USE, 8, 0, 0), -EINVAL);
	assert_int_equal(load(RMM_VM_IS_LAZY, 8, 1, 2), -EINVAL);
	says(rmm, "no such node");
	assert_int_equal(load(RMM_VM_IN_POOL, 8, 257, 0), -EINVAL);
	says(rmm, "no pool");
	assert_int_equal(vm_stats(rmm).areas, 1);
	assert_int_equal(area(3), 5);
	valid();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vmalloc_load_used_is_in_the_way_until_freed,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_vmalloc_load_lazy_comes_back_by_a_purge,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_vmalloc_load_pool_serves_in_its_order, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_vmalloc_load_refuses_what_cannot_be, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
