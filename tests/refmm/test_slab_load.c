/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Beginning with the partly free slabs that another machine has: 16 objects in each. */
#include <errno.h>
#include <stdlib.h>

#include <kmemlab/refmm_slab_load.h>

#include "slabs.h"

enum { PER_SLAB = 16, SLABS = 4 };

static struct rmm *rmm;
static struct rmm_kmem_cache *cache;
static void *object[SLABS][PER_SLAB]; /* by slab, in order of addresses */

static int by_address(const void *x, const void *y)
{
	void *const *a = x, *const *b = y;

	return (*a > *b) - (*a < *b);
}

/* Four full slabs, none of them a CPU's */
static int set_up(void **state)
{
	(void)state;
	rmm = slabs(false);
	cache = cache_of(rmm, "thing", 256, RMM_SLAB_NO_MERGE);
	assert_int_equal(info_of(rmm, cache).objs_per_slab, PER_SLAB);
	for (int i = 0; i < SLABS * PER_SLAB; i++)
		object[i / PER_SLAB][i % PER_SLAB] = take(rmm, cache);
	qsort(object, SLABS * PER_SLAB, sizeof(void *), by_address);
	rmm_kmem_cache_shrink(rmm, 0, cache);
	assert_int_equal(info_of(rmm, cache).slabs, SLABS);
	return 0;
}

static int tear_down(void **state)
{
	char broken[256];

	(void)state;
	if (rmm_validate(rmm, broken, sizeof(broken)))
		fail_msg("%s", broken);
	rmm_destroy(rmm);
	return 0;
}

static int load(enum rmm_slab_place place, int slab, size_t from, size_t nr)
{
	const struct rmm_slab_load l = {.place = place, .object = &object[slab][from], .nr = nr};

	return rmm_slab_load(rmm, cache, &l);
}

static void test_slab_load_node_serves_in_order_of_the_list(void **state)
{
	(void)state;
	assert_int_equal(load(RMM_SLAB_BEHIND, 2, 5, 2), 0);
	assert_int_equal(load(RMM_SLAB_BEHIND, 0, 1, 1), 0);
	assert_int_equal(load(RMM_SLAB_BEHIND, 3, 0, PER_SLAB), 0);
	assert_int_equal(info_of(rmm, cache).partial, 3);
	assert_int_equal(info_of(rmm, cache).slabs, SLABS);
	assert_int_equal(info_of(rmm, cache).objects, SLABS * PER_SLAB - 3 - PER_SLAB);
	assert_ptr_equal(take(rmm, cache), object[2][6]);
	assert_ptr_equal(take(rmm, cache), object[2][5]);
	/* The others went to the CPU's list meanwhile, which is a stack. */
	assert_ptr_equal(take(rmm, cache), object[3][15]);
}

static void test_slab_load_cpu_serves_the_last_one_first(void **state)
{
	(void)state;
	assert_int_equal(load(RMM_SLAB_BEHIND, 0, 0, 3), 0);
	assert_int_equal(load(RMM_SLAB_ON_TOP, 1, 0, 1), 0);
	assert_int_equal(load(RMM_SLAB_ON_TOP, 2, 7, 1), 0);
	assert_int_equal(info_of(rmm, cache).partial, 1);
	assert_int_equal(info_of(rmm, cache).cpu_partial_nr, 2);
	assert_ptr_equal(take(rmm, cache), object[2][7]);
	assert_ptr_equal(take(rmm, cache), object[1][0]);
	assert_ptr_equal(take(rmm, cache), object[0][2]);
}

static void test_slab_load_frees_go_on_as_ever(void **state)
{
	(void)state;
	assert_int_equal(load(RMM_SLAB_BEHIND, 1, 0, 15), 0);
	give(rmm, cache, object[1][15]);
	give(rmm, cache, object[0][3]);
	assert_int_equal(info_of(rmm, cache).slabs, SLABS); /* few enough empty ones stay */
	assert_int_equal(info_of(rmm, cache).objects, SLABS * PER_SLAB - 17);
	assert_int_equal(rmm_kmem_cache_free(rmm, 0, cache, object[1][2]), -EINVAL);
}

static void test_slab_load_refuses_what_is_no_full_slab(void **state)
{
	void *const mixed[] = {object[0][0], object[1][0]};
	const struct rmm_slab_load two = {.object = mixed, .nr = 2};
	const struct rmm_slab_load far = {
		.place = RMM_SLAB_ON_TOP, .cpu = 99, .object = object[2], .nr = 1};
	struct rmm_kmem_cache *other = cache_of(rmm, "other", 256, RMM_SLAB_NO_MERGE);
	const struct rmm_slab_load one = {.object = object[2], .nr = 1};

	(void)state;
	assert_int_equal(rmm_slab_load(rmm, cache, &two), -EINVAL);
	assert_int_equal(rmm_slab_load(rmm, cache, &far), -EINVAL);
	assert_int_equal(rmm_slab_load(rmm, other, &one), -EINVAL);
	assert_int_equal(load(RMM_SLAB_BEHIND, 0, 0, 0), -EINVAL);
	assert_int_equal(load(RMM_SLAB_BEHIND, 0, 0, 2), 0);
	assert_int_equal(load(RMM_SLAB_BEHIND, 0, 1, 1), -EINVAL); /* free already */
	assert_int_equal(load(RMM_SLAB_BEHIND, 0, 4, 1), -EINVAL); /* on a list */
	assert_ptr_equal(take(rmm, cache), object[0][1]);
	assert_int_equal(load(RMM_SLAB_BEHIND, 0, 4, 1), -EINVAL); /* a CPU's */
	assert_int_equal(info_of(rmm, cache).objects, SLABS * PER_SLAB - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slab_load_node_serves_in_order_of_the_list,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slab_load_cpu_serves_the_last_one_first,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slab_load_frees_go_on_as_ever, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_slab_load_refuses_what_is_no_full_slab, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
