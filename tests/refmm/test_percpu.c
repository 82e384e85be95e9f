/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "percpu_machine.h"

static void test_percpu_sizes_are_rounded_and_aligned(void **state)
{
	const struct {
		size_t size, align;
		int off;
	} cases[] = {{1, 1, 0}, {5, 2, 4}, {4, 16, 16}, {8, 8, 24}, {4, 4, 12}, {4096, 4096, 4096}};
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int off;

		area_of(rmm, alloc_percpu(rmm, cases[i].size, cases[i].align), &off);
		assert_int_equal(off, cases[i].off);
	}
	assert_int_equal(percpu_stats(rmm).nr_alloc, 6);
	assert_int_equal(percpu_stats(rmm).min_alloc_size, 4);
	assert_int_equal(percpu_stats(rmm).max_alloc_size, 4096);
	check_destroy(rmm);
}

static void test_percpu_illegal_request_is_refused_with_reason(void **state)
{
	const struct {
		size_t size, align;
		unsigned int cpu;
		const char *why;
	} cases[] = {
		{0, 4, 0, "the size is 0"},	 {32769, 4, 0, "over 32 KiB"},
		{SIZE_MAX, 4, 0, "over 32 KiB"}, {SIZE_MAX - 3, 4, 0, "over 32 KiB"},
		{8, 8192, 0, "alignment"},	 {8, 12, 0, "alignment"},
		{8, 8, 2, "no such CPU"},
	};
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(
			rmm___alloc_percpu(rmm, cases[i].cpu, cases[i].size, cases[i].align),
			RMM_NO_PERCPU);
		assert_non_null(strstr(rmm_last_error(rmm), cases[i].why));
	}
	assert_int_equal(percpu_stats(rmm).nr_alloc, 0);
	check_destroy(rmm);
}

static void test_percpu_largest_size_and_alignment_are_served(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	int off;

	(void)state;
	assert_int_equal(area_of(rmm, alloc_percpu(rmm, 32768, 4096), &off), 1);
	assert_int_equal(off, 0);
	assert_int_equal(percpu_stats(rmm).nr_chunks, 2);
	check_destroy(rmm);
}

static void test_percpu_wrong_free_is_refused_and_changes_nothing(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	rmm_percpu fixed = rmm_define_per_cpu(rmm, 64, 8, NULL);
	rmm_percpu a = alloc_percpu(rmm, 64, 8), b = alloc_percpu(rmm, 64, 8);
	const rmm_percpu wrong[] = {a + 4, a + 2,    a + 64 + 64,    fixed,
				    1,	   a + UNIT, a + 100 * UNIT, UINTPTR_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(rmm_free_percpu(rmm, 0, wrong[i]), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), "cannot free the per-CPU variable"));
	}
	free_percpu(rmm, a);
	assert_int_equal(rmm_free_percpu(rmm, 0, a), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "free already"));
	assert_int_equal(rmm_free_percpu(rmm, 0, RMM_NO_PERCPU), 0);
	assert_int_equal(percpu_stats(rmm).nr_cur_alloc, 1);
	free_percpu(rmm, b);
	check_destroy(rmm);
}

static void test_percpu_fullest_chunk_that_fits_is_used(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	rmm_percpu half;

	(void)state;
	fill_first(rmm);
	half = alloc_percpu(rmm, 32768, 4); /* chunk 1 */
	alloc_percpu(rmm, 32768, 4);
	assert_int_equal(area_of(rmm, alloc_percpu(rmm, 16384, 4), NULL), 2);
	free_percpu(rmm, half); /* 1 has 32 KiB, 2 has 48: smaller ones go to 1 */
	assert_int_equal(area_of(rmm, alloc_percpu(rmm, 100, 4), NULL), 1);
	check_destroy(rmm);
}

static void test_percpu_page_is_populated_once_for_every_cpu(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	uint64_t before, pages = percpu_stats(rmm).nr_pages;
	rmm_percpu a, b;

	(void)state;
	fill_first(rmm);
	before = stats(rmm).alloc_pages;
	a = alloc_percpu(rmm, 4096, 4);
	assert_int_equal(stats(rmm).alloc_pages - before, 2);
	b = alloc_percpu(rmm, 8192, 4);
	assert_int_equal(stats(rmm).alloc_pages - before, 6);
	free_percpu(rmm, b);
	b = alloc_percpu(rmm, 5000, 4);
	assert_int_equal(stats(rmm).alloc_pages - before, 6);
	assert_int_equal(percpu_stats(rmm).nr_pages - pages, 6);
	free_percpu(rmm, a);
	free_percpu(rmm, b);
	check_destroy(rmm);
}

static void test_percpu_atomic_request_never_creates_or_populates(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	rmm_percpu a;

	(void)state;
	a = rmm___alloc_percpu_gfp(rmm, 0, 64, 8, RMM_GFP_ATOMIC);
	assert_int_equal(area_of(rmm, a, NULL), 0);
	fill_first(rmm);
	assert_false(rmm___alloc_percpu_gfp(rmm, 0, 64, 8, RMM_GFP_NOWAIT));
	assert_non_null(strstr(rmm_last_error(rmm), "atomic"));
	assert_int_equal(percpu_stats(rmm).nr_chunks, 1);
	alloc_percpu(rmm, 100, 4); /* chunk 1, one page of it */
	assert_true(rmm___alloc_percpu_gfp(rmm, 0, 3000, 8, RMM_GFP_ATOMIC));
	assert_false(rmm___alloc_percpu_gfp(rmm, 0, 3000, 8, RMM_GFP_ATOMIC));
	assert_int_equal(percpu_stats(rmm).failed, 2);
	assert_true(rmm_percpu_balance_needed(rmm));
	rmm_percpu_balance(rmm, 0);
	assert_true(rmm___alloc_percpu_gfp(rmm, 0, 3000, 8, RMM_GFP_ATOMIC));
	check_destroy(rmm);
}

/* Page 0 has no room, pages 1 and 2 are not there, page 3 is. */
static void test_percpu_atomic_request_skips_unpopulated_pages(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	rmm_percpu hole;
	int off;

	(void)state;
	fill_first(rmm);
	alloc_percpu(rmm, 4096, 4);
	hole = alloc_percpu(rmm, 8192, 4);
	alloc_percpu(rmm, 2048, 4);
	free_percpu(rmm, hole);
	rmm_pcpu_depopulate_chunk(rmm_pcpu_of(rmm), rmm_pcpu_of(rmm)->areas[1], 0, 1, 3);
	rmm_pcpu_chunk_depopulated(rmm_pcpu_of(rmm), rmm_pcpu_of(rmm)->areas[1], 1, 3);
	check(rmm);
	area_of(rmm, rmm___alloc_percpu_gfp(rmm, 0, 1024, 4, RMM_GFP_ATOMIC), &off);
	assert_int_equal(off, 3 * 4096 + 2048);
	area_of(rmm, alloc_percpu(rmm, 1024, 4), &off);
	assert_int_equal(off, 4096);
	check_destroy(rmm);
}

static void test_percpu_reserved_requests_stay_in_their_chunk(void **state)
{
	struct rmm_percpu_config c;
	struct machine m;
	struct rmm *rmm;
	rmm_percpu a;
	int off;

	(void)state;
	machine_init(&m, 8);
	percpu_config(&c);
	c.static_size = 4000;
	c.reserved_size = 8192;
	c.dyn_size = 20576;
	rmm = percpu_boot(&m, &c);
	a = rmm___alloc_reserved_percpu(rmm, 0, 8192, 4);
	area_of(rmm, a, &off);
	assert_int_equal(off, 4000);
	assert_int_equal(a - 4096, 4000); /* behind the static variables */
	assert_false(rmm___alloc_reserved_percpu(rmm, 0, 4, 4));
	assert_non_null(strstr(rmm_last_error(rmm), "reserved chunk"));
	area_of(rmm, alloc_percpu(rmm, 4, 4), &off);
	assert_int_equal(off, (4000 + 8192) % 4096);
	free_percpu(rmm, a);
	assert_true(rmm___alloc_reserved_percpu(rmm, 0, 4, 4));
	check_destroy(rmm);
}

static void test_percpu_no_room_for_chunks_fails_and_names_it(void **state)
{
	struct rmm_percpu_config c;
	struct machine m;
	struct rmm *rmm;

	(void)state;
	machine_init(&m, 8);
	percpu_config(&c);
	c.max_chunks = 2;
	rmm = percpu_boot(&m, &c);
	fill_first(rmm);
	alloc_percpu(rmm, 32768, 4);
	alloc_percpu(rmm, 32768, 4);
	assert_false(rmm___alloc_percpu(rmm, 0, 4, 4));
	assert_non_null(strstr(rmm_last_error(rmm), "no room for a new chunk"));
	check_destroy(rmm);
}

/* Each page of an allocation fails once: nothing may be left of it. */
static void test_percpu_nth_page_failing_leaves_no_trace(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	uint64_t pages, held;

	(void)state;
	fill_first(rmm);
	alloc_percpu(rmm, 4, 4); /* chunk 1 is there */
	held = stats(rmm).alloc_pages - stats(rmm).free_pages;
	pages = percpu_stats(rmm).nr_pages;
	for (uint64_t nth = 1; nth <= 16; nth++) {
		rmm_fail_alloc(rmm, nth);
		assert_false(rmm___alloc_percpu(rmm, 0, 32768, 4096));
		assert_non_null(strstr(rmm_last_error(rmm), "no pages to populate"));
		assert_int_equal(stats(rmm).alloc_pages - stats(rmm).free_pages, held);
		assert_int_equal(percpu_stats(rmm).nr_pages, pages);
		check(rmm);
	}
	rmm_fail_alloc(rmm, 17);
	assert_true(rmm___alloc_percpu(rmm, 0, 32768, 4096));
	assert_int_equal(percpu_stats(rmm).nr_pages, pages + 16);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_sizes_are_rounded_and_aligned),
		cmocka_unit_test(test_percpu_illegal_request_is_refused_with_reason),
		cmocka_unit_test(test_percpu_largest_size_and_alignment_are_served),
		cmocka_unit_test(test_percpu_wrong_free_is_refused_and_changes_nothing),
		cmocka_unit_test(test_percpu_fullest_chunk_that_fits_is_used),
		cmocka_unit_test(test_percpu_page_is_populated_once_for_every_cpu),
		cmocka_unit_test(test_percpu_atomic_request_never_creates_or_populates),
		cmocka_unit_test(test_percpu_atomic_request_skips_unpopulated_pages),
		cmocka_unit_test(test_percpu_reserved_requests_stay_in_their_chunk),
		cmocka_unit_test(test_percpu_no_room_for_chunks_fails_and_names_it),
		cmocka_unit_test(test_percpu_nth_page_failing_leaves_no_trace),
	};

	return RUN(tests);
}
