/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* References, flags and compound pages: refmm/pageflags.c, free.c. */
#include "machine.h"

static struct rmm_page *page_of(struct rmm *rmm, rmm_pfn pfn)
{
	return rmm_pfn_to_page(rmm, pfn);
}

static void test_pageflags_count_is_zero_when_free(void **state)
{
	struct rmm *rmm = machine(2, true);
	struct rmm_page *page = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 0);

	(void)state;
	assert_int_equal(rmm_page_count(rmm, page), 1);
	assert_int_equal(page->_count, 0);
	put(rmm, rmm_page_to_pfn(rmm, page), 0);
	assert_int_equal(rmm_page_count(rmm, page), 0); /* on a per-CPU list */
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm_page_count(rmm, page_of(rmm, 0)), 0);
	assert_int_equal(page_of(rmm, 0)->_count, -1); /* on a buddy list */
	assert_int_equal(rmm_page_count(rmm, page_of(rmm, 77)), 0);
	check_destroy(rmm);
}

static void test_pageflags_reserved_page_has_one_user(void **state)
{
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 2);
	rmm = machine_new(&m);
	assert_true(rmm_PageReserved(rmm, page_of(rmm, 3)));
	assert_int_equal(rmm_page_count(rmm, page_of(rmm, 3)), 1);
	assert_int_equal(rmm_get_page(rmm, page_of(rmm, 3)), -EINVAL);
	check_destroy(rmm);
}

static void test_pageflags_last_put_frees(void **state)
{
	static const struct {
		unsigned int gfp, order;
		bool free_first; /* the allocator lets go before the other */
	} cases[] = {
		{RMM_GFP_KERNEL, 0, false},
		{RMM_GFP_KERNEL, 0, true},
		{RMM_GFP_KERNEL | RMM_GFP_COMP, 3, false},
		{RMM_GFP_KERNEL | RMM_GFP_COMP, 3, true},
		{RMM_GFP_KERNEL | RMM_GFP_COMP, 9, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = machine(4, false);
		unsigned int order = cases[i].order;
		struct rmm_page *page = rmm_alloc_pages(rmm, 0, cases[i].gfp, order);

		assert_int_equal(rmm_get_page(rmm, page + (order ? 1 : 0)), 0);
		assert_int_equal(rmm_page_count(rmm, page), 2);
		if (cases[i].free_first)
			put(rmm, rmm_page_to_pfn(rmm, page), order);
		else
			assert_int_equal(rmm_put_page(rmm, 0, page), 0);
		assert_int_equal(rmm_page_count(rmm, page), 1);
		check(rmm);
		assert_int_equal(rmm_put_page(rmm, 0, page), 0);
		assert_int_equal(rmm_page_count(rmm, page), 0);
		assert_int_equal(rmm_put_page(rmm, 0, page), -EINVAL);
		assert_int_equal(rmm_nr_free_pages(rmm), 4 * BLOCK);
		check_destroy(rmm);
	}
}

/* __free_pages(): the referenced first page stays, the rest goes */
static void test_pageflags_plain_block_keeps_its_referenced_page(void **state)
{
	struct rmm *rmm = machine(4, false);
	struct rmm_page *page = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 3);

	(void)state;
	rmm_get_page(rmm, page);
	put(rmm, rmm_page_to_pfn(rmm, page), 3);
	assert_int_equal(rmm_nr_free_pages(rmm), 4 * BLOCK - 1);
	check(rmm);
	assert_int_equal(rmm_put_page(rmm, 0, page), 0);
	assert_int_equal(rmm_nr_free_pages(rmm), 4 * BLOCK);
	page = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 3);
	assert_int_equal(rmm_put_page(rmm, 0, page), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "use rmm_free_pages"));
	check_destroy(rmm);
}

static void test_pageflags_compound_pages_know_head_and_order(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *comp = rmm_alloc_pages(rmm, 0, RMM_GFP_TRANSHUGE, 9);
	struct rmm_page *plain = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 2);

	(void)state;
	assert_true(rmm_PageHead(rmm, comp) && !rmm_PageTail(rmm, comp));
	assert_true(rmm_PageTail(rmm, comp + 511) && !rmm_PageHead(rmm, comp + 511));
	assert_true(rmm_PageCompound(rmm, comp) && rmm_PageCompound(rmm, comp + 1));
	assert_ptr_equal(rmm_compound_head(rmm, comp + 300), comp);
	assert_int_equal(rmm_compound_order(rmm, comp + 300), 9);
	assert_false(rmm_PageCompound(rmm, plain) || rmm_PageTail(rmm, plain + 1));
	assert_ptr_equal(rmm_compound_head(rmm, plain + 1), plain + 1);
	assert_int_equal(rmm_compound_order(rmm, plain), 0);
	assert_int_equal(rmm_split_page(rmm, comp, 9), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "compound page of order 9"));
	put(rmm, rmm_page_to_pfn(rmm, comp), 9);
	assert_false(rmm_PageCompound(rmm, comp));
	check_destroy(rmm);
}

static void test_pageflags_owner_sets_and_clears(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *page = rmm_alloc_pages(rmm, 0, RMM_GFP_HIGHUSER_MOVABLE, 0);

	(void)state;
	assert_int_equal(rmm_set_page_flags(rmm, page, RMM_PF_OWNERS), 0);
	assert_true(rmm_PageLocked(rmm, page) && rmm_PageDirty(rmm, page));
	assert_true(rmm_PageWriteback(rmm, page) && rmm_PageUnevictable(rmm, page));
	assert_false(rmm_PageIsolated(rmm, page) || rmm_PageHighMem(rmm, page));
	assert_int_equal(rmm_clear_page_flags(rmm, page, RMM_PF_DIRTY), 0);
	assert_false(rmm_PageDirty(rmm, page));
	assert_int_equal(rmm_set_page_flags(rmm, page, RMM_PF_HEAD), -EINVAL);
	assert_int_equal(rmm_set_page_flags(rmm, page_of(rmm, 900), RMM_PF_DIRTY), -EINVAL);
	check_destroy(rmm);
}

/* Also where the block merges downward, and its head becomes a tail. */
static void test_pageflags_are_clear_in_what_is_free(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *a, *b, *c;

	(void)state;
	for (unsigned int order = 4; order <= 9; order += 5) {
		a = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, order);
		b = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL | RMM_GFP_COMP, order);
		assert_int_equal(rmm_set_page_flags(rmm, b, RMM_PF_DIRTY), 0);
		put(rmm, rmm_page_to_pfn(rmm, a), order);
		put(rmm, rmm_page_to_pfn(rmm, b), order);
		rmm_drain_all_pages(rmm, 0);
		check(rmm);
		c = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, order + 1);
		assert_ptr_equal(c, a < b ? a : b);
		assert_false(rmm_PageDirty(rmm, b) || rmm_PageCompound(rmm, b));
		put(rmm, rmm_page_to_pfn(rmm, c), order + 1);
	}
	check_destroy(rmm);
}

static void test_pageflags_locked_page_is_not_freed(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *page = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 0);

	(void)state;
	rmm_set_page_flags(rmm, page, RMM_PF_LOCKED | RMM_PF_DIRTY);
	assert_int_equal(rmm_free_pages(rmm, 0, page, 0), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "bad page state"));
	rmm_clear_page_flags(rmm, page, RMM_PF_LOCKED);
	put(rmm, rmm_page_to_pfn(rmm, page), 0);
	page = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 0);
	assert_false(rmm_PageDirty(rmm, page)); /* clear in a new page */
	check_destroy(rmm);
}

static void test_pageflags_split_keeps_the_first_pages_users(void **state)
{
	struct rmm *rmm = machine(4, false);
	struct rmm_page *page = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 2);

	(void)state;
	rmm_get_page(rmm, page);
	assert_int_equal(rmm_split_page(rmm, page, 2), 0);
	assert_int_equal(rmm_page_count(rmm, page), 2);
	for (int i = 1; i < 4; i++)
		assert_int_equal(rmm_page_count(rmm, page + i), 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(rmm_put_page(rmm, 0, page + i), 0);
	assert_int_equal(rmm_nr_free_pages(rmm), 4 * BLOCK - 1);
	assert_int_equal(rmm_put_page(rmm, 0, page), 0);
	assert_int_equal(rmm_nr_free(rmm, 0, 10, -1), 2);
	check_destroy(rmm);
}

/* LKD3: 4 GiB of 8 KiB pages are 524,288 frames; at 40 bytes each, 20 MiB */
/* A page of another machine, before this one's memmap or behind it, and none */
static void test_pageflags_foreign_page_is_refused(void **state)
{
	struct rmm *a = machine(2, true), *b = machine(2, true);
	struct rmm_page *page = rmm_alloc_pages(b, 0, RMM_GFP_KERNEL, 0);
	struct rmm_page *own = rmm_alloc_pages(a, 0, RMM_GFP_KERNEL, 0);
	const struct {
		struct rmm *rmm;
		struct rmm_page *page;
	} cases[] = {{a, page}, {b, own}, {a, NULL}, {a, (struct rmm_page *)((char *)own + 1)}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = cases[i].rmm;
		struct rmm_page *p = cases[i].page;

		assert_int_equal(rmm_get_page(rmm, p), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), "cannot refer to page"));
		assert_non_null(strstr(rmm_last_error(rmm), "foreign page"));
		assert_int_equal(rmm_put_page(rmm, 0, p), -EINVAL);
		assert_int_equal(rmm_set_page_flags(rmm, p, RMM_PF_DIRTY), -EINVAL);
		assert_int_equal(rmm_clear_page_flags(rmm, p, RMM_PF_DIRTY), -EINVAL);
		assert_int_equal(rmm_page_count(rmm, p), 0);
		assert_ptr_equal(rmm_compound_head(rmm, p), p);
		assert_int_equal(rmm_compound_order(rmm, p), 0);
		assert_false(rmm_PageReserved(rmm, p) || rmm_PageBuddy(rmm, p) ||
			     rmm_PageHighMem(rmm, p) || rmm_PageHead(rmm, p) ||
			     rmm_PageTail(rmm, p) || rmm_PageDirty(rmm, p));
		assert_null(rmm_page_address(rmm, p));
		assert_int_equal(rmm_page_to_pfn(rmm, p), RMM_NO_PFN);
	}
	assert_int_equal(rmm_page_count(b, page), 1);
	check_destroy(a);
	check_destroy(b);
}

static void test_pageflags_memmap_is_small(void **state)
{
	uint64_t frames = (4ull << 30) / 8192;

	(void)state;
	assert_int_equal(frames, 524288);
	assert_int_equal(frames * 40, 20 << 20);
	assert_int_equal(frames * sizeof(struct rmm_page), 8 << 20); /* refmm's */
	assert_true(sizeof(struct rmm_page) <= 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pageflags_count_is_zero_when_free),
		cmocka_unit_test(test_pageflags_reserved_page_has_one_user),
		cmocka_unit_test(test_pageflags_last_put_frees),
		cmocka_unit_test(test_pageflags_plain_block_keeps_its_referenced_page),
		cmocka_unit_test(test_pageflags_compound_pages_know_head_and_order),
		cmocka_unit_test(test_pageflags_owner_sets_and_clears),
		cmocka_unit_test(test_pageflags_are_clear_in_what_is_free),
		cmocka_unit_test(test_pageflags_locked_page_is_not_freed),
		cmocka_unit_test(test_pageflags_split_keeps_the_first_pages_users),
		cmocka_unit_test(test_pageflags_foreign_page_is_refused),
		cmocka_unit_test(test_pageflags_memmap_is_small),
	};

	return RUN(tests);
}
