/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_observed.c - one hand-made sequence of events per rule. */
#include "../support/test.h"

#include <stdlib.h>
#include <string.h>

#include "replay/observed.h"
#include "trace/trace_io.h"

enum { PAGES = 8192, CPUS = 2, CLASSES = 18 };

/* Class numbers. */
enum {
	ALLOC0,
	FREE0,
	REFILL0,
	DIRECT4,
	ALLOC4,
	FREE4,
	DRAIN0,
	STEAL0,
	FREE9,
	STACK,
	WHOLE0,
	BULK,
	SPLIT4,
	ISOLATE4,
	TO0,
	PTE0,
	KEEP0,
	SPLIT42
};

static const struct kmt_class class_of[CLASSES] = {
	[ALLOC0] = {.kind = KMT_PAGE_ALLOC, .order = 0, .migratetype = 1},
	[FREE0] = {.kind = KMT_PAGE_FREE, .order = 0},
	[REFILL0] = {.kind = KMT_ZONE_LOCKED, .order = 0, .migratetype = 1, .percpu_refill = 1},
	[DIRECT4] = {.kind = KMT_ZONE_LOCKED, .order = 4, .migratetype = 2},
	[ALLOC4] = {.kind = KMT_PAGE_ALLOC, .order = 4, .migratetype = 2},
	[FREE4] = {.kind = KMT_PAGE_FREE, .order = 4},
	[DRAIN0] = {.kind = KMT_PCPU_DRAIN, .order = 0, .migratetype = 1},
	[STEAL0] = {.kind = KMT_EXTFRAG,
		    .order = 0,
		    .migratetype = 0,
		    .fallback_order = 3,
		    .fallback_type = 1},
	[FREE9] = {.kind = KMT_PAGE_FREE, .order = 9},
	[WHOLE0] = {.kind = KMT_EXTFRAG,
		    .migratetype = 2,
		    .fallback_order = 10,
		    .fallback_type = 1},
	[STACK] = {.kind = KMT_STACK_PAGE},
	[BULK] = {.kind = KMT_BULK_PAGE},
	[SPLIT4] = {.kind = KMT_PAGE_SPLIT, .order = 4},
	[SPLIT42] = {.kind = KMT_PAGE_SPLIT, .order = 4, .fallback_order = 2},
	[ISOLATE4] = {.kind = KMT_PAGE_ISOLATE, .order = 4},
	[TO0] = {.kind = KMT_MIGRATE_TO},
	[PTE0] = {.kind = KMT_MIGRATE_PTE},
	[KEEP0] = {.kind = KMT_PAGE_KEEP},
};
static const struct kmt_class *classes[CLASSES];

static int setup(void **state)
{
	static struct host h = {.nr_zones = 1,
				.nr_pfns = PAGES,
				.pageblock_order = 9,
				.max_order = 10,
				.cpus = CPUS,
				.thp_pcp = true};
	struct observed *o = malloc(sizeof(*o));

	h.zones[0].spanned = PAGES;
	for (int i = 0; i < CLASSES; i++)
		classes[i] = &class_of[i];
	*state = o;
	return o ? observed_init(o, &h, classes, CLASSES) : -1;
}

static int teardown(void **state)
{
	observed_destroy(*state);
	free(*state);
	return 0;
}

static void feed(struct observed *o, unsigned int cpu, uint32_t class_id, uint64_t pfn)
{
	static uint64_t now;
	struct trace_event e = {.time_ns = ++now,
				.address = pfn,
				.class_id = class_id,
				.cpu = (uint16_t)cpu,
				.kind = class_of[class_id].kind,
				.order = class_of[class_id].order};

	observed_feed(o, &e, 1);
}

static uint8_t at(const struct observed *o, uint64_t pfn)
{
	uint8_t head;

	pagemap_find(&o->map, pfn, &head);
	return head;
}

static uint64_t free_pages(const struct observed *o)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < HOST_ORDERS; i++)
		n += o->map.free_blocks[0][i] << i;
	return n;
}

/* Pages that met something else than the picture in observed.h shows. */
static uint64_t surprises(const struct observed *o)
{
	uint64_t pages = 0;

	for (unsigned int e = 0; e < OBSERVED_KINDS; e++)
		for (unsigned int k = 0; k < PAGE_KINDS; k++)
			if (!observed_expects(e, (enum page_kind)k))
				pages += o->counts.found[e][k];
	return pages;
}

static void test_observed_refill_alloc_free_drain_is_a_circle(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 0, 3);
	feed(o, 0, REFILL0, 0);
	assert_int_equal(at(o, 0), PAGE_HEAD(PAGE_PCP, 0));
	assert_int_equal(free_pages(o), 7);
	assert_int_equal(o->map.pcp_pages[0], 1);
	feed(o, 0, ALLOC0, 0);
	assert_int_equal(at(o, 0), PAGE_HEAD(PAGE_LIVE, 0));
	assert_int_equal(o->map.pcp_pages[0], 0);
	feed(o, 1, FREE0, 0);
	assert_int_equal(o->map.pcp_pages[0], 1);
	feed(o, 1, DRAIN0, 0);
	assert_int_equal(at(o, 0), PAGE_HEAD(PAGE_FREE, 3)); /* joined again */
	assert_int_equal(surprises(o), 0);
	assert_int_equal(o->block_type[0], 1);
}

static void test_observed_direct_order_skips_pcp(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 512, 9);
	feed(o, 0, DIRECT4, 512);
	assert_int_equal(at(o, 512), PAGE_HEAD(PAGE_TAKEN, 4));
	feed(o, 0, ALLOC4, 512);
	feed(o, 0, FREE4, 512);
	assert_int_equal(at(o, 512), PAGE_HEAD(PAGE_FREE, 9));
	assert_int_equal(o->map.pcp_pages[0], 0);
	assert_int_equal(surprises(o), 0);
	assert_int_equal(o->block_type[1], 2);
}

static void test_observed_thp_goes_to_pcp_only_where_it_has_lists(void **state)
{
	struct observed *o = *state;

	pagemap_put(&o->map, 0, 9, PAGE_LIVE);
	pagemap_put(&o->map, 512, 9, PAGE_LIVE);
	feed(o, 0, FREE9, 0);
	assert_int_equal(at(o, 0), PAGE_HEAD(PAGE_PCP, 9));
	o->thp_pcp = false;
	feed(o, 0, FREE9, 512);
	assert_int_equal(at(o, 512), PAGE_HEAD(PAGE_FREE, 9));
}

/* 6.18: nothing but extfrag says that the page left the lists. */
static void test_observed_extfrag_alone_takes_the_page(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 8, 3);
	feed(o, 0, STEAL0, 8);
	feed(o, 0, ALLOC0, 8);
	assert_int_equal(at(o, 8), PAGE_HEAD(PAGE_LIVE, 0));
	assert_int_equal(free_pages(o), 7);
	assert_int_equal(o->counts.extfrag_removed, 1);
	assert_int_equal(o->counts.fallback[0][1].stolen, 1);
	assert_int_equal(surprises(o), 0);
}

/* 6.18, a claim: zone_locked first, extfrag after it on the same page. */
static void test_observed_extfrag_after_zone_locked_is_a_claim(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 8, 3);
	feed(o, 0, REFILL0, 8);
	feed(o, 0, STEAL0, 8);
	feed(o, 0, ALLOC0, 8);
	assert_int_equal(free_pages(o), 7);
	assert_int_equal(o->counts.fallback[0][1].claimed, 1);
	assert_int_equal(o->counts.extfrag_removed, 0);
	assert_int_equal(o->block_type[0], 0); /* now of the type asked for */
	assert_int_equal(surprises(o), 0);
}

/* 6.1: extfrag announces, zone_locked takes another page of the pageblock. */
static void test_observed_extfrag_before_zone_locked_announces(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 8, 3);
	pagemap_put_free(&o->map, 32, 0);
	feed(o, 0, STEAL0, 8);
	feed(o, 1, ALLOC0, 4000); /* another CPU says nothing about it */
	feed(o, 0, REFILL0, 32);
	feed(o, 0, ALLOC0, 32);
	assert_int_equal(free_pages(o), 8);
	assert_int_equal(o->counts.extfrag_announced, 1);
	assert_int_equal(o->counts.extfrag_removed, 0);
}

/* Whole pageblocks: in 6.1 zone_locked takes the page itself, in 6.18 the next. */
static void test_observed_extfrag_of_pageblocks_tells_style_by_next_page(void **state)
{
	static const struct {
		uint64_t pfn, locked, removed;
	} cases[] = {{0, 0, 0}, {1024, 1025, 1}};
	struct observed *o = *state;

	for (size_t i = 0; i < 2; i++) {
		uint64_t before = o->counts.extfrag_removed;

		pagemap_put_free(&o->map, cases[i].pfn, 10);
		feed(o, 0, WHOLE0, cases[i].pfn);
		feed(o, 0, REFILL0, cases[i].locked);
		assert_int_equal(o->counts.extfrag_removed - before, cases[i].removed);
		assert_int_equal(o->block_type[(cases[i].pfn >> 9) + 1], 2);
		assert_int_equal(o->counts.fallback[2][1].claimed, i + 1);
	}
	assert_int_equal(surprises(o), 0);
	assert_int_equal(free_pages(o), 1023 + 1022);
}

static void test_observed_extfrag_last_event_is_settled_by_finish(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 8, 3);
	feed(o, 1, STEAL0, 8);
	assert_int_equal(free_pages(o), 8);
	observed_finish(o);
	assert_int_equal(free_pages(o), 7);
}

static void test_observed_page_on_pcp_at_start_is_expected(void **state)
{
	struct observed *o = *state;

	pagemap_put(&o->map, 5, 0, PAGE_START);
	pagemap_put(&o->map, 6, 0, PAGE_START);
	feed(o, 0, ALLOC0, 5);
	feed(o, 0, DRAIN0, 6);
	assert_int_equal(o->counts.found[KMT_PAGE_ALLOC][PAGE_START], 1);
	assert_int_equal(o->counts.found[KMT_PCPU_DRAIN][PAGE_START], 1);
	assert_int_equal(surprises(o), 0);
	assert_int_equal(free_pages(o), 1);
}

static void test_observed_split_and_join_of_live_blocks_are_counted(void **state)
{
	struct observed *o = *state;

	pagemap_put(&o->map, 512, 9, PAGE_LIVE); /* a huge page, freed page by page */
	for (uint64_t p = 512; p < 1024; p++)
		feed(o, 0, FREE0, p);
	assert_int_equal(o->counts.split_live, 1);
	for (uint64_t p = 16; p < 32; p++) /* not compound: the snapshot shows pages */
		pagemap_put(&o->map, p, 0, PAGE_START);
	feed(o, 0, FREE4, 16);
	assert_int_equal(o->counts.joined_live, 1);
	assert_int_equal(at(o, 16), PAGE_HEAD(PAGE_FREE, 4));
	assert_int_equal(o->map.pcp_pages[0], 512);
	assert_int_equal(surprises(o), 0);
}

/* Bulk allocations fire no event; a page of a stack that is reused is live. */
static void test_observed_stack_page_is_allocated_once(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 0, 0);
	feed(o, 0, REFILL0, 0);
	feed(o, 0, STACK, 0);
	feed(o, 1, STACK, 0);
	assert_int_equal(at(o, 0), PAGE_HEAD(PAGE_LIVE, 0));
	assert_int_equal(o->map.pcp_pages[0], 0);
	assert_int_equal(o->counts.found[OBSERVED_STACK][PAGE_PCP], 1);
	assert_int_equal(o->counts.found[OBSERVED_STACK][PAGE_LIVE], 1);
	assert_int_equal(surprises(o), 0);
}

static void test_observed_surprise_is_applied_and_counted_by_what_was_found(void **state)
{
	static const struct {
		uint32_t class_id;
		enum page_kind before, after;
	} cases[] = {
		{ALLOC0, PAGE_FREE, PAGE_LIVE}, {ALLOC0, PAGE_LIVE, PAGE_LIVE},
		{FREE0, PAGE_PCP, PAGE_PCP},	{FREE0, PAGE_FREE, PAGE_PCP},
		{FREE0, PAGE_NONE, PAGE_PCP},	{REFILL0, PAGE_PCP, PAGE_PCP},
		{REFILL0, PAGE_LIVE, PAGE_PCP}, {REFILL0, PAGE_RESERVED, PAGE_PCP},
		{DRAIN0, PAGE_LIVE, PAGE_FREE}, {DRAIN0, PAGE_FREE, PAGE_FREE},
		{STEAL0, PAGE_LIVE, PAGE_PCP},
	};
	struct observed *o = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t pfn = 2 * i;

		if (cases[i].before == PAGE_FREE)
			pagemap_put_free(&o->map, pfn, 0);
		else if (cases[i].before != PAGE_NONE)
			pagemap_put(&o->map, pfn, 0, cases[i].before);
		feed(o, 0, cases[i].class_id, pfn);
		observed_finish(o);
		assert_int_equal(page_head_kind(at(o, pfn)), cases[i].after);
		assert_int_equal(surprises(o), i + 1);
		assert_int_equal(
			o->counts.found[class_of[cases[i].class_id].kind][cases[i].before] > 0, 1);
	}
}

static void test_observed_bad_events_are_refused_and_counted(void **state)
{
	struct trace_event e = {.address = 3, .class_id = CLASSES, .kind = KMT_PAGE_FREE};
	struct observed *o = *state;

	observed_feed(o, &e, 1);
	assert_int_equal(o->counts.class_unknown, 1);
	feed(o, 0, ALLOC0, PAGES);
	feed(o, 0, FREE4, 8); /* not aligned */
	feed(o, CPUS, ALLOC0, 0);
	assert_int_equal(o->counts.out_of_range, 3);
	feed(o, 0, ALLOC0, KMT_NO_PAGE);
	assert_int_equal(o->counts.kernel_failed, 1);
}

static void test_observed_event_before_chunk_was_read_is_skipped(void **state)
{
	struct chunk chunks[2] = {{0, 512, 100, 200, 0}, {512, 8192, 300, 400, 1}};
	const struct snapshot s = {chunks, 2, 100, 400};
	struct trace_event e = {.kind = KMT_PAGE_FREE, .class_id = FREE0};
	struct observed *o = *state;
	static const struct {
		uint64_t time_ns, pfn, skipped, reconciled;
	} steps[] = {{50, 7, 1, 0}, {150, 8, 1, 1}, {250, 600, 2, 1}, {399, 601, 2, 2}};

	o->start = &s;
	for (size_t i = 0; i < 4; i++) {
		e.time_ns = steps[i].time_ns;
		e.address = steps[i].pfn;
		observed_feed(o, &e, 1);
		assert_int_equal(o->counts.before_snapshot, steps[i].skipped);
		assert_int_equal(o->counts.reconciled, steps[i].reconciled);
	}
	assert_int_equal(surprises(o), 0);
	e.time_ns = 401;
	observed_feed(o, &e, 1); /* on a page that is on a list already */
	assert_null(o->start);
	assert_int_equal(surprises(o), 1);
}

static void test_observed_bulk_page_leaves_the_list(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 0, 3);
	feed(o, 0, REFILL0, 0);
	feed(o, 0, BULK, 0);
	assert_int_equal(at(o, 0), PAGE_HEAD(PAGE_LIVE, 0));
	assert_int_equal(o->map.pcp_pages[0], 0);
	feed(o, 0, BULK, 0); /* by the ordinary allocator, which told */
	assert_int_equal(surprises(o), 0);
}

static void test_observed_split_block_is_no_inference(void **state)
{
	struct observed *o = *state;

	pagemap_put(&o->map, 512, 4, PAGE_LIVE);
	feed(o, 0, SPLIT42, 512);
	assert_int_equal(at(o, 516), PAGE_HEAD(PAGE_LIVE, 2));
	feed(o, 0, SPLIT4, 512);
	assert_int_equal(at(o, 512), PAGE_HEAD(PAGE_LIVE, 0));
	feed(o, 0, FREE0, 512);
	assert_int_equal(o->counts.split_live, 0);
	assert_int_equal(surprises(o), 0);
}

static void test_observed_compaction_takes_moves_and_gives_back(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 512, 9);
	feed(o, 0, ISOLATE4, 512);
	assert_int_equal(at(o, 512), PAGE_HEAD(PAGE_LIVE, 4));
	assert_int_equal(free_pages(o), 512 - 16);
	feed(o, 0, TO0, 513);
	assert_int_equal(at(o, 513), PAGE_HEAD(PAGE_LIVE, 0));
	feed(o, 0, FREE0, 514);
	feed(o, 0, KEEP0, 514); /* it was not freed after all */
	assert_int_equal(at(o, 514), PAGE_HEAD(PAGE_LIVE, 0));
	assert_int_equal(o->map.pcp_pages[0], 0);
	assert_int_equal(surprises(o), 0);
}

static void test_observed_mapped_target_was_taken_unseen(void **state)
{
	struct observed *o = *state;

	pagemap_put_free(&o->map, 512, 9);
	feed(o, 0, PTE0, 600);
	feed(o, 1, PTE0, 600);
	assert_int_equal(at(o, 600), PAGE_HEAD(PAGE_LIVE, 0));
	assert_int_equal(free_pages(o), 511);
	assert_int_equal(o->counts.found[OBSERVED_MIGRATE_PTE][PAGE_FREE], 1);
	assert_int_equal(surprises(o), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_observed_refill_alloc_free_drain_is_a_circle),
		T(test_observed_direct_order_skips_pcp),
		T(test_observed_bulk_page_leaves_the_list),
		T(test_observed_split_block_is_no_inference),
		T(test_observed_compaction_takes_moves_and_gives_back),
		T(test_observed_mapped_target_was_taken_unseen),
		T(test_observed_thp_goes_to_pcp_only_where_it_has_lists),
		T(test_observed_extfrag_alone_takes_the_page),
		T(test_observed_extfrag_after_zone_locked_is_a_claim),
		T(test_observed_extfrag_before_zone_locked_announces),
		T(test_observed_extfrag_of_pageblocks_tells_style_by_next_page),
		T(test_observed_extfrag_last_event_is_settled_by_finish),
		T(test_observed_page_on_pcp_at_start_is_expected),
		T(test_observed_split_and_join_of_live_blocks_are_counted),
		T(test_observed_stack_page_is_allocated_once),
		T(test_observed_surprise_is_applied_and_counted_by_what_was_found),
		T(test_observed_bad_events_are_refused_and_counted),
		T(test_observed_event_before_chunk_was_read_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
