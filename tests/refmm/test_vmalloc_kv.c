/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kvmalloc: refmm/vmalloc_kv.c. */
#include "vm.h"

static struct rmm *boot(bool backed)
{
	struct rmm *rmm = vm_machine(8, backed);

	if (rmm_kmem_cache_init(rmm, NULL))
		fail_msg("%s", rmm_last_error(rmm));
	return rmm;
}

/* No allocation of more than a page is served; single pages are. */
static void fragment(struct rmm *rmm)
{
	rmm_set_fault(rmm, &(struct rmm_fault){.points = RMM_FAULT_ALLOC,
					       .probability = 1000000,
					       .orders = ~1u});
}

static void test_kvmalloc_is_contiguous_where_it_can_be(void **state)
{
	static const size_t sizes[] = {1, 4096, 8192, 5 * PAGE, 1 << 20};
	struct rmm *rmm = boot(false);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		void *p = rmm_kvmalloc(rmm, 0, sizes[i], RMM_GFP_KERNEL);

		assert_non_null(p);
		assert_false(rmm_is_vmalloc_addr(rmm, p));
		assert_int_equal(rmm_kvfree(rmm, 0, p), 0);
		assert_int_equal(rmm_kvfree(rmm, 0, p), -EINVAL);
	}
	assert_int_equal(rmm_kvfree(rmm, 0, NULL), 0);
	assert_int_equal(vm_stats(rmm).alloc, 0);
	check_destroy(rmm);
}

static void test_kvmalloc_falls_back_by_the_kernels_rule(void **state)
{
	static const struct {
		size_t size;
		unsigned int gfp;
		bool vmalloc;
	} cases[] = {
		{3 * PAGE, RMM_GFP_KERNEL, true},
		{PAGE + 1, RMM_GFP_KERNEL, true},
		{3 * PAGE, RMM_GFP_NOWAIT, false},
		{3 * PAGE, RMM_GFP_ATOMIC, false},
		{3 * PAGE, RMM_GFP_KERNEL | RMM_GFP_NOFAIL, true},
		{(size_t)1 << 31, RMM_GFP_KERNEL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = boot(false);
		void *p;

		fragment(rmm);
		p = rmm_kvmalloc(rmm, 0, cases[i].size, cases[i].gfp);
		assert_int_equal(p != NULL, cases[i].vmalloc);
		assert_int_equal(vm_stats(rmm).alloc, cases[i].vmalloc);
		if (p)
			assert_true(rmm_is_vmalloc_addr(rmm, p));
		else
			says(rmm, "cannot kvmalloc");
		assert_int_equal(rmm_kvfree(rmm, 0, p), 0);
		check_destroy(rmm);
	}
}

/* Up to a page vmalloc would only cost more. */
static void test_kvmalloc_small_requests_never_fall_back(void **state)
{
	struct rmm *rmm = boot(false);

	(void)state;
	rmm_set_fault(rmm, &(struct rmm_fault){.points = RMM_FAULT_ALLOC | RMM_FAULT_SLAB,
					       .probability = 1000000});
	assert_null(rmm_kvmalloc(rmm, 0, PAGE, RMM_GFP_KERNEL));
	rmm_set_fault(rmm, NULL);
	assert_int_equal(vm_stats(rmm).alloc + vm_stats(rmm).failed, 0);
	check_destroy(rmm);
}

static void test_kvmalloc_memory_is_usable_either_way(void **state)
{
	struct rmm *rmm = boot(true);
	char *p[2];

	(void)state;
	p[0] = rmm_kvmalloc(rmm, 0, 20000, RMM_GFP_KERNEL | RMM_GFP_ZERO);
	fragment(rmm);
	p[1] = rmm_kvmalloc(rmm, 0, 20000, RMM_GFP_KERNEL | RMM_GFP_ZERO);
	rmm_set_fault(rmm, NULL);
	assert_false(rmm_is_vmalloc_addr(rmm, p[0]));
	assert_true(rmm_is_vmalloc_addr(rmm, p[1]));
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 20000; k++)
			assert_int_equal(p[i][k], 0);
		memset(p[i], 0x5a, 20000);
		assert_int_equal(rmm_kvfree(rmm, 0, p[i]), 0);
	}
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kvmalloc_is_contiguous_where_it_can_be),
		cmocka_unit_test(test_kvmalloc_falls_back_by_the_kernels_rule),
		cmocka_unit_test(test_kvmalloc_small_requests_never_fall_back),
		cmocka_unit_test(test_kvmalloc_memory_is_usable_either_way),
	};

	return RUN(tests);
}
