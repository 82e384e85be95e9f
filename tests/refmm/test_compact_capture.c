/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The block that compaction makes is kept for who compacts: refmm/buddy.c, compaction.c,
 * slowpath.c. */
#include "owners.h"

/* Every third page stays, so that the free scanner in its hurry, which looks at one page of
 * 32, finds some. */
enum { KEEP = 3, USED = BLOCK / KEEP + 1 };

static struct owners w;

/* Free a block of order @order amid others in use, while somebody waits for one of
 * @wanted; did he get it? */
static bool captures(bool is_61, int block_type, unsigned int order, struct rmm_capture c)
{
	struct machine m;
	struct rmm *rmm;
	uint64_t free;
	rmm_pfn pfn;

	machine_init(&m, 4);
	m.config.pcp = false;
	if (is_61)
		m.config.fallback = RMM_FALLBACK_STEAL;
	rmm = machine_boot(&m);
	pfn = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, order);
	rmm_set_pageblock_migratetype(rmm, pfn, block_type);
	free = rmm_nr_free_pages(rmm);
	if (!c.zone)
		c.zone = &rmm->zone[0];
	rmm->cpu[0].capture = &c;
	put(rmm, pfn, order);
	rmm->cpu[0].capture = NULL;
	if (c.pfn == pfn) {
		assert_int_equal(rmm_nr_free_pages(rmm), free);
		rmm_free_unused(rmm, 0, pfn, order);
	}
	check_destroy(rmm);
	return c.pfn == pfn;
}

static void test_capture_depends_on_pageblock_and_request(void **state)
{
	static const struct {
		int block, wants;
		unsigned int order;
		bool on_612, on_61;
	} cases[] = {
		{RMM_MOVABLE, RMM_MOVABLE, 3, true, false},
		{RMM_MOVABLE, RMM_UNMOVABLE, 3, false, false}, /* would pollute it */
		{RMM_UNMOVABLE, RMM_MOVABLE, 3, true, true},
		{RMM_UNMOVABLE, RMM_RECLAIMABLE, 3, true, true},
		{RMM_MOVABLE, RMM_UNMOVABLE, 9, true, true}, /* all of it: not polluted */
		{RMM_CMA, RMM_MOVABLE, 3, false, false},
		{RMM_CMA, RMM_MOVABLE, 9, false, false},
		{RMM_ISOLATE, RMM_MOVABLE, 3, false, false},
		{RMM_MOVABLE, RMM_MOVABLE, 10, false, false}, /* the largest: none to merge with */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int is_61 = 0; is_61 < 2; is_61++) {
			const struct rmm_capture c = {.order = cases[i].order,
						      .migratetype = cases[i].wants,
						      .pfn = RMM_NO_PFN};

			assert_int_equal(captures(is_61, cases[i].block, cases[i].order, c),
					 is_61 ? cases[i].on_61 : cases[i].on_612);
		}
}

static void test_capture_wants_its_order_once_and_in_its_zone(void **state)
{
	struct rmm_zone other = {0};
	struct rmm_capture c = {.order = 3, .migratetype = RMM_MOVABLE, .pfn = RMM_NO_PFN};

	(void)state;
	assert_true(captures(false, RMM_MOVABLE, 3, c));
	assert_false(captures(false, RMM_MOVABLE, 4, c)); /* too large */
	c.zone = &other;
	assert_false(captures(false, RMM_MOVABLE, 3, c));
	c.zone = NULL;
	c.pfn = 1; /* has one */
	assert_false(captures(false, RMM_MOVABLE, 3, c));
}

/* Two halves: the second one completes the block, wherever it begins. */
static void test_capture_takes_what_merges(void **state)
{
	struct rmm *rmm = machine(1, false);
	struct rmm_capture c = {
		.zone = &rmm->zone[0], .order = 3, .migratetype = RMM_MOVABLE, .pfn = RMM_NO_PFN};
	rmm_pfn half = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 2);
	rmm_pfn other = get(rmm, RMM_GFP_HIGHUSER_MOVABLE, 2);

	(void)state;
	assert_int_equal(half ^ 4, other);
	put(rmm, half < other ? half : other, 2);
	rmm->cpu[0].capture = &c;
	put(rmm, half < other ? other : half, 2);
	rmm->cpu[0].capture = NULL;
	assert_int_equal(c.pfn, half & other);
	rmm_free_unused(rmm, 0, c.pfn, 3);
	assert_int_equal(rmm_nr_free(rmm, 0, 9, -1), 1);
	check_destroy(rmm);
}

/* Off no list: whoever looks there meanwhile finds nothing. */
static void test_capture_gives_a_huge_page_that_no_list_had(void **state)
{
	struct rmm *rmm = owners_fragmented(&w, KEEP, false);
	uint64_t from_lists = stats(rmm).buddy_alloc;

	(void)state;
	assert_true(owners_get(&w, RMM_GFP_TRANSHUGE, 9));
	assert_int_equal(stats(rmm).buddy_alloc, from_lists);
	assert_int_equal(stats(rmm).compact_captured, 1);
	assert_int_equal(stats(rmm).compact, 1);
	assert_int_equal(stats(rmm).alloc[9], 1);
	owners_destroy(&w);
}

/* What moved is on the CPU's lists until they are flushed. 6.12 has looked by then, and
 * moves one more batch. */
static void test_capture_by_a_flush_ends_the_run_at_once_on_61_only(void **state)
{
	(void)state;
	for (int is_61 = 0; is_61 < 2; is_61++) {
		struct rmm *rmm = owners_fragmented_on(&w, is_61, KEEP, true);

		assert_true(owners_get(&w, RMM_GFP_TRANSHUGE, 9));
		assert_int_equal(stats(rmm).compact_captured, 1);
		assert_int_equal(w.moves, is_61 ? USED : USED + RMM_COMPACT_CLUSTER);
		owners_destroy(&w);
	}
}

/* Compaction that nobody waits for leaves what it makes to all. */
static void test_capture_is_not_for_kcompactd(void **state)
{
	struct rmm *rmm = owners_fragmented(&w, 2, false);
	int result;

	(void)state;
	do
		result = rmm_compact_step(rmm, 0, 0, 9);
	while (result == RMM_COMPACT_CONTINUE);
	assert_int_equal(result, RMM_COMPACT_SUCCESS);
	assert_int_equal(rmm_nr_free(rmm, 0, 9, -1), 1);
	assert_int_equal(stats(rmm).compact_captured, 0);
	owners_destroy(&w);
}

/* The zone has got too low for compaction to begin, or to take a page to move to. */
static void test_capture_without_marks_when_the_zone_has_got_low(void **state)
{
	struct rmm *rmm = owners_fragmented(&w, 2, false);
	struct rmm_page *page;

	(void)state;
	rmm->zone[0].wmark[RMM_WMARK_MIN] = rmm->zone[0].wmark[RMM_WMARK_LOW] =
		rmm_nr_free_pages(rmm);
	assert_false(owners_get(&w, RMM_GFP_TRANSHUGE, 9));
	assert_false(rmm_compact_hardest(rmm, 0, RMM_GFP_TRANSHUGE, 9));
	assert_int_equal(w.moves, 0);
	assert_null(rmm_alloc_pages_captured(rmm, 0, RMM_GFP_TRANSHUGE, 0));
	page = rmm_alloc_pages_captured(rmm, 0, RMM_GFP_TRANSHUGE, 9);
	assert_non_null(page);
	assert_int_equal(rmm_page_count(rmm, page), 1);
	assert_int_equal(stats(rmm).compact_captured, 1);
	put(rmm, rmm_page_to_pfn(rmm, page), 9);
	w.refuse = true;
	assert_int_equal(rmm_nr_free(rmm, 0, 9, -1), 1); /* it is back on a list */
	rmm_set_hooks(rmm, NULL);
	assert_null(rmm_alloc_pages_captured(rmm, 0, RMM_GFP_TRANSHUGE, 9));
	owners_destroy(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_depends_on_pageblock_and_request),
		cmocka_unit_test(test_capture_wants_its_order_once_and_in_its_zone),
		cmocka_unit_test(test_capture_takes_what_merges),
		cmocka_unit_test(test_capture_gives_a_huge_page_that_no_list_had),
		cmocka_unit_test(test_capture_by_a_flush_ends_the_run_at_once_on_61_only),
		cmocka_unit_test(test_capture_is_not_for_kcompactd),
		cmocka_unit_test(test_capture_without_marks_when_the_zone_has_got_low),
	};

	return RUN(tests);
}
