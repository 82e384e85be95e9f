/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who had a page: refmm/owner.c. */
#include "owners.h"

static struct rmm *with_owner(bool on)
{
	struct machine m;

	machine_init(&m, 4);
	m.config.nr_cpus = 2;
	m.config.page_owner = on;
	return machine_boot(&m);
}

static void test_owner_double_free_names_both(void **state)
{
	struct rmm *rmm = with_owner(true);
	rmm_pfn p;

	(void)state;
	rmm_set_caller(rmm, 0, 12);
	rmm_set_caller(rmm, 1, 99);
	p = get(rmm, RMM_GFP_KERNEL, 0);
	assert_int_equal(rmm_free_pages(rmm, 1, &rmm->memmap[p], 0), 0);
	assert_int_equal(rmm_free_pages(rmm, 0, &rmm->memmap[p], 0), -EINVAL);
	assert_string_equal(rmm_last_error(rmm),
			    "cannot free pfn 0: double free, it is free on a per-CPU list of "
			    "order 0; allocated by 12 on CPU 0 at 1, freed by 99 on CPU 1 at 2");
	p = get(rmm, RMM_GFP_KERNEL, 3);
	assert_int_equal(rmm_free_pages(rmm, 0, &rmm->memmap[p], 2), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "order 3; allocated by 12 on CPU 0 at 3"));
	check_destroy(rmm);
}

/* Blocks of order 4 at 0 and 16 merge: freeing the second again is a double free. */
static void test_owner_double_free_of_a_merged_page(void **state)
{
	struct rmm *rmm = with_owner(true);
	rmm_pfn a = get(rmm, RMM_GFP_KERNEL, 4), b;

	(void)state;
	rmm_set_caller(rmm, 0, 7);
	b = get(rmm, RMM_GFP_KERNEL, 4);
	put(rmm, a, 4);
	rmm_set_caller(rmm, 0, 8);
	put(rmm, b, 4);
	assert_int_equal(rmm_free_pages(rmm, 0, &rmm->memmap[b], 4), -EINVAL);
	assert_string_equal(
		rmm_last_error(rmm),
		"cannot free pfn 16: double free, it is free on a buddy list of order "
		"10, in the block of pfn 0; allocated by 7 on CPU 0 at 2, freed by 8 on "
		"CPU 0 at 4");
	assert_int_equal(rmm_get_page(rmm, &rmm->memmap[b]), -EINVAL);
	assert_non_null(
		strstr(rmm_last_error(rmm), "cannot refer to pfn 16: it is free on a buddy"));
	assert_non_null(strstr(rmm_last_error(rmm), "freed by 8"));
	check_destroy(rmm);
}

/* A tail's own record is of an earlier life. */
static void test_owner_of_a_tail_is_its_heads(void **state)
{
	struct rmm *rmm = with_owner(true);
	rmm_pfn p = get(rmm, RMM_GFP_KERNEL, 0), q = get(rmm, RMM_GFP_KERNEL, 0);

	(void)state;
	put(rmm, p, 0);
	put(rmm, q, 0);
	rmm_drain_all_pages(rmm, 0);
	rmm_set_caller(rmm, 0, 9);
	p = get(rmm, RMM_GFP_KERNEL, 4);
	assert_int_equal(p, 0);
	assert_int_equal(rmm_free_pages(rmm, 0, &rmm->memmap[1], 0), -EINVAL);
	assert_string_equal(rmm_last_error(rmm), "cannot free pfn 1: tail page of pfn 0, order 4; "
						 "allocated by 9 on CPU 0 at 5");
	check_destroy(rmm);
}

static void test_owner_of_a_part_is_that_of_the_block(void **state)
{
	struct rmm *rmm = with_owner(true);
	struct rmm_page_owner o;
	struct rmm_page *page = rmm_alloc_pages(rmm, 1, RMM_GFP_KERNEL, 1);

	(void)state;
	assert_int_equal(rmm_split_page(rmm, page, 1), 0);
	assert_int_equal(rmm_page_owner(rmm, rmm_page_to_pfn(rmm, page) + 1, &o), 0);
	assert_int_equal(o.alloc_cpu, 1);
	assert_int_equal(rmm_free_pages(rmm, 1, page, 0), 0);
	assert_int_equal(rmm_free_pages(rmm, 1, page + 1, 0), 0);
	check_destroy(rmm);
}

static void test_owner_off_keeps_no_history(void **state)
{
	struct rmm *rmm = with_owner(false);
	struct rmm_page_owner o;
	rmm_pfn p = get(rmm, RMM_GFP_KERNEL, 0);

	(void)state;
	assert_int_equal(rmm_page_owner(rmm, p, &o), -ENOENT);
	put(rmm, p, 0);
	assert_int_equal(rmm_free_pages(rmm, 0, &rmm->memmap[p], 0), -EINVAL);
	assert_null(strstr(rmm_last_error(rmm), "allocated by"));
	check_destroy(rmm);
}

static void test_owner_goes_with_the_page(void **state)
{
	static struct owners w;
	struct rmm *rmm = with_owner(true);
	struct rmm_page_owner o;
	rmm_pfn p;

	(void)state;
	owners_init(&w, rmm);
	rmm_set_caller(rmm, 0, 5);
	p = get(rmm, RMM_GFP_KERNEL, 2);
	assert_int_equal(rmm_split_page(rmm, &rmm->memmap[p], 2), 0);
	assert_int_equal(rmm_page_owner(rmm, p + 3, &o), 0);
	assert_int_equal(o.alloc_caller, 5);
	for (rmm_pfn i = 0; i < 4; i++)
		put(rmm, p + i, 0);
	rmm_set_caller(rmm, 0, 6);
	assert_true(owners_get(&w, RMM_GFP_HIGHUSER_MOVABLE, 0));
	rmm_set_caller(rmm, 0, 7);
	p = w.pfn[0];
	assert_int_equal(rmm_alloc_contig_range(rmm, 0, p, 1, RMM_MOVABLE), 0);
	assert_int_equal(rmm_page_owner(rmm, w.pfn[0], &o), 0);
	assert_int_equal(o.alloc_caller, 6); /* moved away */
	assert_int_equal(rmm_page_owner(rmm, p, &o), 0);
	assert_int_equal(o.alloc_caller, 7);
	put(rmm, p, 0);
	owners_destroy(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner_double_free_names_both),
		cmocka_unit_test(test_owner_double_free_of_a_merged_page),
		cmocka_unit_test(test_owner_of_a_tail_is_its_heads),
		cmocka_unit_test(test_owner_of_a_part_is_that_of_the_block),
		cmocka_unit_test(test_owner_off_keeps_no_history),
		cmocka_unit_test(test_owner_goes_with_the_page),
	};

	return RUN(tests);
}
