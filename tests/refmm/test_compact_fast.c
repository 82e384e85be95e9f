/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The scanners' short cuts by the free lists: refmm/compact_fast.c; and compaction at its
 * hardest, which takes none. */
#include "owners.h"

static struct owners w;

/* Make one block of [@from, @to) */
static void put_range(rmm_pfn from, rmm_pfn to)
{
	for (unsigned int id = 0; id < w.n; id++)
		if (w.pfn[id] >= from && w.pfn[id] < to)
			owners_put(&w, id);
}

/* One step for a huge page, with half a pageblock free from @half on; of the pages that
 * moved it is counted how many came from [@from, @from + 512), and went to the half. */
static void step(rmm_pfn half, rmm_pfn from, unsigned int *came, unsigned int *went)
{
	static rmm_pfn before[OWNERS];
	struct rmm *rmm = owners_fragmented(&w, 2, false);

	put_range(half, half + 256);
	memcpy(before, w.pfn, sizeof(before));
	rmm_compact_step(rmm, 0, 0, 9);
	assert_true(w.moves > 0);
	*came = *went = 0;
	for (unsigned int id = 0; id < w.n; id++) {
		if (w.pfn[id] == before[id])
			continue;
		*came += before[id] >= from && before[id] < from + 512;
		*went += w.pfn[id] >= half && w.pfn[id] < half + 256;
	}
}

static void test_compaction_takes_targets_off_the_free_lists(void **state)
{
	unsigned int came, went;

	(void)state;
	step(6 * 512, 0, &came, &went); /* not from the last pageblock, nor in pieces */
	assert_int_equal(came, w.moves);
	assert_int_equal(went, w.moves);
	owners_destroy(&w);
}

static void test_compaction_empties_the_pageblock_that_has_least_to_move(void **state)
{
	unsigned int came, went;

	(void)state;
	step(2 * 512, 2 * 512, &came, &went); /* which is not the first */
	assert_int_equal(came, w.moves);
	assert_int_equal(went, 0);
	owners_destroy(&w);
}

static void test_compaction_at_the_hardest_heeds_no_hints(void **state)
{
	struct rmm *rmm = owners_fragmented(&w, 2, false);

	(void)state;
	for (int i = 0; i <= RMM_COMPACT_MAX_DEFER; i++)
		rmm_defer_compaction(&rmm->zone[0], 9);
	for (unsigned int b = 0; b < 8; b++)
		rmm_set_pageblock(&rmm->zone[0].blocks[b], RMM_PB_SKIP, true);
	assert_false(owners_get(&w, RMM_GFP_TRANSHUGE | RMM_GFP_NORETRY, 9));
	assert_false(rmm_compact_hardest(rmm, 0, RMM_GFP_TRANSHUGE, 0));
	assert_true(rmm_compact_hardest(rmm, 0, RMM_GFP_TRANSHUGE, 9));
	assert_true(owners_get(&w, RMM_GFP_TRANSHUGE | RMM_GFP_NORETRY, 9));
	rmm_set_hooks(rmm, NULL);
	assert_false(rmm_compact_hardest(rmm, 0, RMM_GFP_TRANSHUGE, 9));
	owners_destroy(&w);
}

/* A score between the marks: it is not begun, but what has been begun is done. */
static void test_compaction_that_was_begun_goes_on_to_the_low_mark(void **state)
{
	struct rmm *rmm = owners_fragmented(&w, 4, false);
	unsigned int low;

	(void)state;
	/* Proactiveness 5: marks of 95 and 100, and the score is 100. */
	rmm->config.compaction_proactiveness = 5;
	low = rmm_fragmentation_score_wmark(rmm, true);
	assert_in_range(rmm_fragmentation_score(rmm, 0), low + 1, 100);
	assert_false(rmm_proactive_compact(rmm, 0, 0));
	assert_int_equal(w.moves, 0);
	assert_true(rmm_proactive_finish(rmm, 0, 0));
	assert_true(w.moves > 0);
	assert_in_range(rmm_fragmentation_score(rmm, 0), 0, low);
	assert_false(rmm_proactive_finish(rmm, 0, 0));
	owners_destroy(&w);
}

/* A batch of a pageblock: others keep off it from then on, but not the run itself. */
static void test_compaction_marks_the_pageblock_that_it_begins(void **state)
{
	struct rmm *rmm = owners_fragmented(&w, 2, false);
	const struct rmm_pageblock *blocks = rmm->zone[0].blocks;

	(void)state;
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_CONTINUE);
	assert_int_equal(w.moves, RMM_COMPACT_CLUSTER);
	assert_true(rmm_get_pageblock(&blocks[0], RMM_PB_SKIP));
	assert_false(rmm_get_pageblock(&blocks[1], RMM_PB_SKIP));
	assert_int_equal(rmm_compact_step(rmm, 0, 0, 9), RMM_COMPACT_CONTINUE);
	assert_int_equal(w.moves, 256); /* seen twice, it is finished */
	owners_destroy(&w);
}

/* Where pages have to stay the rest of their pageblock is taken at once, to be done with it. */
static void test_compaction_finishes_a_pageblock_that_failed(void **state)
{
	struct rmm *rmm = owners_fragmented(&w, 2, false);

	(void)state;
	w.refuse = true;
	rmm_compact_step(rmm, 0, 0, 9);
	assert_int_equal(stats(rmm).migrate_fail, 256); /* every other page of it */
	w.refuse = false;
	owners_destroy(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compaction_takes_targets_off_the_free_lists),
		cmocka_unit_test(test_compaction_empties_the_pageblock_that_has_least_to_move),
		cmocka_unit_test(test_compaction_marks_the_pageblock_that_it_begins),
		cmocka_unit_test(test_compaction_finishes_a_pageblock_that_failed),
		cmocka_unit_test(test_compaction_at_the_hardest_heeds_no_hints),
		cmocka_unit_test(test_compaction_that_was_begun_goes_on_to_the_low_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
