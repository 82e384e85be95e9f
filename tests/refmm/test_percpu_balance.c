/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "percpu_machine.h"

static struct rmm_pcpu_chunk *chunk(struct rmm *rmm, unsigned int area)
{
	return rmm_pcpu_of(rmm)->areas[area];
}

static void test_percpu_balance_makes_up_four_empty_pages(void **state)
{
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	fill_first(rmm);
	assert_int_equal(percpu_stats(rmm).empty_pop_pages, 0);
	alloc_percpu(rmm, 4096, 4);
	assert_true(rmm_percpu_balance_needed(rmm));
	rmm_percpu_balance(rmm, 0);
	assert_false(rmm_percpu_balance_needed(rmm));
	assert_int_equal(percpu_stats(rmm).empty_pop_pages, 4);
	assert_int_equal(chunk(rmm, 1)->nr_populated, 5);
	rmm_percpu_balance(rmm, 0); /* enough is enough */
	assert_int_equal(percpu_stats(rmm).empty_pop_pages, 4);
	check_destroy(rmm);
}

static void test_percpu_balance_creates_a_chunk_for_empty_pages(void **state)
{
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	fill_first(rmm);
	rmm_percpu_balance(rmm, 0);
	assert_int_equal(percpu_stats(rmm).nr_chunks, 2);
	assert_int_equal(percpu_stats(rmm).empty_pop_pages, 4);
	assert_int_equal(chunk(rmm, 1)->nr_populated, 4);
	check_destroy(rmm);
}

static void test_percpu_balance_low_mark_is_two_pages(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	int empty;

	(void)state;
	for (empty = percpu_stats(rmm).empty_pop_pages; empty > 2; empty--)
		alloc_percpu(rmm, 4096, 4096);
	assert_int_equal(percpu_stats(rmm).empty_pop_pages, 2);
	assert_false(rmm_percpu_balance_needed(rmm));
	alloc_percpu(rmm, 4096, 4096);
	assert_true(rmm_percpu_balance_needed(rmm));
	check_destroy(rmm);
}

/* Everything in chunks 1 to 3, then nothing: one stays. */
static void test_percpu_balance_keeps_one_free_chunk(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	uint64_t held = stats(rmm).alloc_pages - stats(rmm).free_pages;
	rmm_percpu ptr[6];

	(void)state;
	fill_first(rmm);
	for (int i = 0; i < 6; i++)
		ptr[i] = alloc_percpu(rmm, 32768, 4);
	assert_int_equal(percpu_stats(rmm).nr_chunks, 4);
	for (int i = 0; i < 6; i++)
		free_percpu(rmm, ptr[i]);
	check(rmm);
	assert_true(rmm_percpu_balance_needed(rmm));
	rmm_percpu_balance(rmm, 0);
	rmm_percpu_balance(rmm, 0); /* what reclaim put back with pages goes now */
	assert_int_equal(percpu_stats(rmm).nr_chunks, 2);
	assert_int_equal(percpu_stats(rmm).nr_max_chunks, 4);
	assert_true(stats(rmm).alloc_pages - stats(rmm).free_pages - held <= 32);
	check_destroy(rmm);
}

static void test_percpu_balance_is_wanted_for_a_second_free_chunk(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	rmm_percpu last;

	(void)state;
	fill_first(rmm);
	last = alloc_percpu(rmm, 4, 4);
	rmm_percpu_balance(rmm, 0);
	rmm_pcpu_chunk_relocate(p, rmm_pcpu_create_chunk(p), -1);
	assert_false(rmm_percpu_balance_needed(rmm));
	free_percpu(rmm, last);
	assert_true(rmm_percpu_balance_needed(rmm));
	rmm_percpu_balance(rmm, 0);
	assert_int_equal(percpu_stats(rmm).nr_chunks, 2);
	check_destroy(rmm);
}

/* Chunk 1 has 12 empty pages behind 4 in use, chunk 2 keeps enough others. */
static struct rmm *with_idle_pages(rmm_percpu *keep)
{
	struct rmm *rmm = percpu_machine(false);
	rmm_percpu a[4], b[4];

	fill_first(rmm);
	for (int i = 0; i < 4; i++)
		a[i] = alloc_percpu(rmm, 16384, 4);
	for (int i = 0; i < 4; i++)
		b[i] = alloc_percpu(rmm, 16384, 4);
	for (int i = 2; i < 4; i++)
		free_percpu(rmm, b[i]); /* chunk 2: 8 empty pages, in use */
	*keep = a[0];
	for (int i = 3; i > 0; i--)
		free_percpu(rmm, a[i]);
	return rmm;
}

static void test_percpu_balance_depopulates_from_the_end(void **state)
{
	rmm_percpu keep;
	struct rmm *rmm = with_idle_pages(&keep);
	struct rmm_percpu_chunk_stat s;

	(void)state;
	assert_true(chunk(rmm, 1)->isolated || chunk(rmm, 2)->isolated);
	check(rmm);
	rmm_percpu_balance(rmm, 0);
	check(rmm);
	assert_true(percpu_stats(rmm).depopulated > 0);
	assert_true(percpu_stats(rmm).empty_pop_pages >= 4);
	/* Sidelined chunks come last but for free ones. */
	for (unsigned int n = 0; rmm_percpu_chunk_stat(rmm, n, &s) == 0; n++)
		if (s.sidelined)
			assert_int_equal(s.empty_pop_pages, 0);
	free_percpu(rmm, keep);
	check_destroy(rmm);
}

static void test_percpu_balance_sidelined_chunk_comes_back_when_needed(void **state)
{
	rmm_percpu keep;
	struct rmm *rmm = with_idle_pages(&keep);
	uint64_t before;
	int taken = 0;

	(void)state;
	rmm_percpu_balance(rmm, 0);
	before = percpu_stats(rmm).reintegrated;
	while (percpu_stats(rmm).nr_chunks == 3 && taken++ < 100)
		alloc_percpu(rmm, 16384, 4);
	assert_true(percpu_stats(rmm).reintegrated > before);
	assert_false(chunk(rmm, 1)->isolated);
	assert_false(chunk(rmm, 2)->isolated);
	check_destroy(rmm);
}

/* Others run short before the worker comes: the chunk keeps its pages. */
static void test_percpu_balance_gives_nothing_up_when_others_run_short(void **state)
{
	rmm_percpu keep;
	struct rmm *rmm = with_idle_pages(&keep);
	unsigned int idle = chunk(rmm, 1)->isolated ? 1 : 2;
	int populated = chunk(rmm, idle)->nr_populated;

	(void)state;
	while (percpu_stats(rmm).empty_pop_pages >= 4)
		assert_true(rmm___alloc_percpu_gfp(rmm, 0, 4096, 4096, RMM_GFP_ATOMIC));
	assert_true(chunk(rmm, idle)->isolated);
	rmm_percpu_balance(rmm, 0);
	assert_false(chunk(rmm, idle)->isolated);
	assert_int_equal(chunk(rmm, idle)->nr_populated, populated);
	check_destroy(rmm);
}

static void test_percpu_balance_after_atomic_failure_adds_four(void **state)
{
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	fill_first(rmm);
	rmm_percpu_balance(rmm, 0); /* 4 empty pages */
	assert_false(rmm___alloc_percpu_gfp(rmm, 0, 32768, 4, RMM_GFP_ATOMIC));
	rmm_percpu_balance(rmm, 0);
	assert_int_equal(percpu_stats(rmm).empty_pop_pages, 8);
	assert_true(rmm___alloc_percpu_gfp(rmm, 0, 32768, 4, RMM_GFP_ATOMIC));
	check_destroy(rmm);
}

/* Pages fail one after the other: the worker gives up, nothing is lost. */
static void test_percpu_balance_without_memory_gives_up(void **state)
{
	(void)state;
	for (uint64_t nth = 1; nth <= 9; nth++) {
		struct rmm *rmm = percpu_machine(false);

		fill_first(rmm);
		rmm_fail_alloc(rmm, nth);
		rmm_percpu_balance(rmm, 0);
		assert_int_equal(percpu_stats(rmm).empty_pop_pages, nth <= 8 ? 0 : 4);
		check_destroy(rmm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_balance_makes_up_four_empty_pages),
		cmocka_unit_test(test_percpu_balance_creates_a_chunk_for_empty_pages),
		cmocka_unit_test(test_percpu_balance_low_mark_is_two_pages),
		cmocka_unit_test(test_percpu_balance_keeps_one_free_chunk),
		cmocka_unit_test(test_percpu_balance_is_wanted_for_a_second_free_chunk),
		cmocka_unit_test(test_percpu_balance_depopulates_from_the_end),
		cmocka_unit_test(test_percpu_balance_sidelined_chunk_comes_back_when_needed),
		cmocka_unit_test(test_percpu_balance_gives_nothing_up_when_others_run_short),
		cmocka_unit_test(test_percpu_balance_after_atomic_failure_adds_four),
		cmocka_unit_test(test_percpu_balance_without_memory_gives_up),
	};

	return RUN(tests);
}
