// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_coverage.c - rings to the pages that are held against /proc/vmstat. */
#include "rings.h"

static void test_coverage_counts_a_reused_stack_once(void **state)
{
	const uint64_t stack[KML_DEF_WORDS] = {KML_SLOT_USED};
	struct fixture f;
	uint64_t allocated, freed;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	define(&f, 0, KML_STACK_PAGE, 7, stack);
	consumer_cover(f.consumer, f.now);
	event(&f, 0, KML_STACK_PAGE, f.now, bases.vmemmap + 64);
	event(&f, 0, KML_STACK_PAGE, f.now + 1, bases.vmemmap + 64);
	event(&f, 0, KML_PAGE_FREE, f.now + 2, bases.vmemmap + 64);
	event(&f, 0, KML_STACK_PAGE, f.now + 3, bases.vmemmap + 64);
	consume(f.consumer, true);
	consumer_pages(f.consumer, &allocated, &freed);
	assert_int_equal(allocated, 2);
	assert_int_equal(freed, 8);
	teardown(&f, read_back(&f));
}

struct page_event {
	unsigned int kind;
	uint64_t pfn;
};

/* What the coverage counts of @n events of single pages on one CPU. */
static void covered_pages(const struct page_event *events, size_t n, uint64_t *allocated,
			  uint64_t *freed)
{
	const uint64_t single[KML_DEF_WORDS] = {KML_SLOT_USED};
	struct fixture f;

	setup(&f);
	define(&f, 0, KML_PAGE_ALLOC, 7, single);
	define(&f, 0, KML_PAGE_FREE, 7, single);
	define(&f, 0, KMT_BULK_PAGE, 7, single);
	consumer_cover(f.consumer, f.now);
	for (size_t i = 0; i < n; i++)
		event(&f, 0, events[i].kind, f.now + i, bases.vmemmap + events[i].pfn * 64);
	consume(f.consumer, true);
	consumer_pages(f.consumer, allocated, freed);
	teardown(&f, read_back(&f));
}

static void test_coverage_counts_a_known_bulk_page_once(void **state)
{
	const struct page_event events[] = {
		{KML_PAGE_ALLOC, 1}, {KMT_BULK_PAGE, 1}, {KMT_BULK_PAGE, 2}};
	uint64_t allocated, freed;

	(void)state;
	covered_pages(events, 3, &allocated, &freed);
	assert_int_equal(allocated, 2);
	assert_int_equal(freed, 0);
}

static void test_coverage_counts_a_bulk_page_that_was_freed_before(void **state)
{
	const struct page_event events[] = {
		{KML_PAGE_ALLOC, 1}, {KML_PAGE_FREE, 1}, {KMT_BULK_PAGE, 1}};
	uint64_t allocated, freed;

	(void)state;
	covered_pages(events, 3, &allocated, &freed);
	assert_int_equal(allocated, 2);
	assert_int_equal(freed, 1);
}

static void test_coverage_page_that_compaction_keeps_was_not_freed(void **state)
{
	const uint64_t keep[KML_DEF_WORDS] = {KML_SLOT_USED};
	struct fixture f;
	struct trace_event e[3];
	struct trace_reader *r;
	uint64_t allocated, freed;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	define(&f, 0, KMT_PAGE_KEEP, 7, keep);
	consumer_cover(f.consumer, f.now);
	event(&f, 0, KML_PAGE_FREE, f.now, bases.vmemmap + 64 * 64);
	event(&f, 0, KMT_PAGE_KEEP, f.now + 1, bases.vmemmap + 64 * 64);
	event(&f, 0, KMT_PAGE_KEEP, f.now + 2, bases.vmemmap + 65 * 64);
	r = read_back(&f);
	consumer_pages(f.consumer, &allocated, &freed);
	assert_int_equal(freed, 0);
	assert_int_equal(trace_reader_next(r, e, 3), 3);
	assert_int_equal(e[1].order, 3); /* as it was freed */
	assert_int_equal(e[2].order, 0); /* before 6.9: kept without a word */
	teardown(&f, r);
}

static void test_coverage_begins_and_ends_within_a_ring(void **state)
{
	struct fixture f;
	uint64_t allocated, freed;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	for (uint64_t t = 0; t < 10; t++) {
		event(&f, 0, KML_PAGE_ALLOC, f.now + 2 * t, bases.vmemmap + t * 512);
		event(&f, 0, KML_PAGE_FREE, f.now + 2 * t + 1, bases.vmemmap + t * 512);
	}
	consumer_cover(f.consumer, f.now + 5);
	consume(f.consumer, true);
	consumer_pages(f.consumer, &allocated, &freed);
	assert_int_equal(allocated, 7 * 8);
	assert_int_equal(freed, 8 * 8);
	for (uint64_t t = 10; t < 20; t++)
		event(&f, 0, KML_PAGE_ALLOC, f.now + 2 * t, bases.vmemmap + t * 512);
	consumer_stop_cover(f.consumer, f.now + 25);
	consume(f.consumer, true);
	consumer_pages(f.consumer, &allocated, &freed);
	assert_int_equal(allocated, (7 + 3) * 8);
	assert_int_equal(freed, 8 * 8);
	teardown(&f, read_back(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coverage_counts_a_reused_stack_once),
		cmocka_unit_test(test_coverage_counts_a_known_bulk_page_once),
		cmocka_unit_test(test_coverage_counts_a_bulk_page_that_was_freed_before),
		cmocka_unit_test(test_coverage_page_that_compaction_keeps_was_not_freed),
		cmocka_unit_test(test_coverage_begins_and_ends_within_a_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
