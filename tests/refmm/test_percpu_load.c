/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Beginning with another machine's chunks. The first one begins behind 4 KiB of static
 * variables and has 28 KiB; the others have units of 16 pages.
 */
#include <kmemlab/refmm_percpu_load.h>

#include "percpu_machine.h"

enum { AREAS_MAX = 8, PAGES_MAX = 8192 };

static struct rmm *rmm;
static rmm_percpu name[AREAS_MAX];

static void says(const char *word)
{
	if (!strstr(rmm_last_error(rmm), word))
		fail_msg("'%s' does not say '%s'", rmm_last_error(rmm), word);
}

static int set_up(void **state)
{
	(void)state;
	rmm = percpu_machine(false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	check_destroy(rmm);
	return 0;
}

static const struct rmm_percpu_load_area areas[] = {{8, 8}, {16, 100}, {8188, 8}, {20480, 4096}};

/* Pages 0, 1, 2 and 5 are those of areas; page 9 was there besides. */
static struct rmm_percpu_load chunk(const uint64_t *populated)
{
	return (struct rmm_percpu_load){.slot = 11, .populated = populated, .area = areas, .n = 4};
}

static struct rmm_percpu_chunk_stat stat_of(unsigned int n)
{
	struct rmm_percpu_chunk_stat c;

	assert_int_equal(rmm_percpu_chunk_stat(rmm, n, &c), 0);
	return c;
}

static void test_percpu_load_chunk_is_as_it_was(void **state)
{
	const uint64_t populated = 1 << 0 | 1 << 9;
	const struct rmm_percpu_load l = chunk(&populated);
	struct rmm_percpu_stat s;
	unsigned int in;

	(void)state;
	assert_int_equal(rmm_percpu_load(rmm, &l, name), 0);
	s = percpu_stats(rmm);
	assert_int_equal(s.nr_chunks, 2);
	assert_int_equal(s.nr_cur_alloc, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(rmm_percpu_where(rmm, name[i], &in), areas[i].offset);
	for (unsigned int n = 0; n < 2; n++) {
		struct rmm_percpu_chunk_stat c = stat_of(n);

		if (c.first)
			continue;
		assert_int_equal(c.free_bytes, UNIT - 8 - 100 - 8 - 4096);
		assert_int_equal(c.contig_bytes, UNIT - 20480 - 4096);
		assert_int_equal(c.nr_populated, 5);
		assert_int_equal(c.empty_pop_pages, 1);
		assert_int_equal(c.nr_alloc, 4);
		assert_int_equal(c.cur_max_alloc, 4096);
	}
}

static void test_percpu_load_areas_go_by_their_names(void **state)
{
	const uint64_t populated = 0;
	const struct rmm_percpu_load l = chunk(&populated);

	(void)state;
	assert_int_equal(rmm_percpu_load(rmm, &l, name), 0);
	for (int i = 0; i < 4; i++)
		free_percpu(rmm, name[i]);
	assert_int_equal(rmm_free_percpu(rmm, 0, name[0]), -EINVAL);
	assert_int_equal(percpu_stats(rmm).nr_cur_alloc, 0);
	while (rmm_percpu_balance_needed(rmm))
		rmm_percpu_balance(rmm, 0);
}

/* What comes next fills the hole that is left, not what is loaded. */
static void test_percpu_load_first_chunk_keeps_its_place(void **state)
{
	static const struct rmm_percpu_load_area first[] = {{0, 64}, {128, DYNAMIC - 128}};
	const struct rmm_percpu_load l = {.first = true, .slot = 1, .area = first, .n = 2};
	unsigned int chunk_of_first, in;

	(void)state;
	assert_int_equal(rmm_percpu_load(rmm, &l, name), 0);
	chunk_of_first = area_of(rmm, name[0], NULL);
	assert_int_equal(rmm_percpu_where(rmm, alloc_percpu(rmm, 64, 4), &in), 64);
	assert_int_equal(in, chunk_of_first);
	assert_int_equal(area_of(rmm, alloc_percpu(rmm, 4, 4), NULL), 1);
	assert_int_equal(rmm_percpu_load(rmm, &l, name), -EINVAL);
	says("the first one");
}

static void test_percpu_load_slots_are_taken_over(void **state)
{
	static const struct rmm_percpu_load_area full[] = {{0, UNIT - 16}};
	const uint64_t populated = 0;
	struct rmm_percpu_load l = chunk(&populated);
	struct rmm_percpu_info i;
	struct rmm_percpu_chunk_stat c;

	(void)state;
	rmm_percpu_info(rmm, &i);
	l.isolated = true;
	l.slot = i.sidelined_slot;
	assert_int_equal(rmm_percpu_load(rmm, &l, name), 0);
	l.slot = i.to_depopulate_slot;
	assert_int_equal(rmm_percpu_load(rmm, &l, name), 0);
	l = (struct rmm_percpu_load){.populated = &populated, .area = full, .n = 1};
	assert_int_equal(rmm_percpu_load(rmm, &l, name), 0);
	c = stat_of(0);
	assert_int_equal(c.slot, 0);
	assert_int_equal(c.free_bytes, 16);
	assert_true(stat_of(2).sidelined);
	assert_true(stat_of(3).to_depopulate);
}

static void test_percpu_load_refuses_what_cannot_be(void **state)
{
	static const struct {
		struct rmm_percpu_load_area area[2];
		const char *why;
	} cases[] = {
		{{{0, 0}, {8, 8}}, "empty"},	      {{{2, 4}, {8, 8}}, "4 bytes"},
		{{{0, 6}, {8, 8}}, "4 bytes"},	      {{{0, 16}, {8, 8}}, "over another"},
		{{{16, 8}, {8, 8}}, "another"},	      {{{0, 4}, {UNIT - 4, 8}}, "outside"},
		{{{0, 4}, {UNIT + 4, 8}}, "outside"},
	};
	const uint64_t populated = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct rmm_percpu_load l = {
			.populated = &populated, .area = cases[i].area, .n = 2};

		assert_int_equal(rmm_percpu_load(rmm, &l, name), -EINVAL);
		says(cases[i].why);
	}
	assert_int_equal(percpu_stats(rmm).nr_chunks, 1);
}

/* Pages end while a chunk gets its own: it goes, and they come back. */
static void test_percpu_load_without_pages_changes_nothing(void **state)
{
	const uint64_t populated = 0xffff;
	const struct rmm_percpu_load l = chunk(&populated);
	struct rmm_page *held[PAGES_MAX] = {NULL};
	unsigned int n = 0;
	struct rmm_percpu_stat before = percpu_stats(rmm), after;

	(void)state;
	while (n < PAGES_MAX && (held[n] = rmm_alloc_pages(rmm, 0, RMM_GFP_KERNEL, 0)))
		n++;
	assert_in_range(n, 16, PAGES_MAX - 1);
	for (unsigned int i = 0; i < 8; i++)
		rmm_free_pages(rmm, 0, held[--n], 0);
	assert_int_equal(rmm_percpu_load(rmm, &l, name), -ENOMEM);
	after = percpu_stats(rmm);
	assert_int_equal(after.nr_chunks, 1);
	assert_int_equal(after.nr_populated, before.nr_populated);
	while (n)
		rmm_free_pages(rmm, 0, held[--n], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_percpu_load_chunk_is_as_it_was, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_percpu_load_areas_go_by_their_names, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_percpu_load_first_chunk_keeps_its_place,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_percpu_load_slots_are_taken_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_percpu_load_refuses_what_cannot_be, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_percpu_load_without_pages_changes_nothing,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
