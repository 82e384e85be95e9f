/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_requests.c - events that a hook shows, as requests to a listening allocator. */
#include "../support/test.h"

#include <stdlib.h>
#include <string.h>

#include "replay/host.h"
#include "replay/requests.h"
#include "replay/start.h"
#include "trace/trace_io.h"

enum { PAGES = 4096, CPUS = 2 };

enum {
	ALLOC0,
	FREE0,
	ALLOC3,
	FREE3,
	BULK,
	SPLIT3,
	FROM0,
	TO0,
	ISOLATE3,
	KEEP0,
	PTE0,
	CONTIG,
	DRAIN0,
	LOCKED3,
	CLASSES
};

static const struct kmt_class class_of[CLASSES] = {
	[ALLOC0] = {.kind = KMT_PAGE_ALLOC},
	[FREE0] = {.kind = KMT_PAGE_FREE},
	[ALLOC3] = {.kind = KMT_PAGE_ALLOC, .order = 3},
	[FREE3] = {.kind = KMT_PAGE_FREE, .order = 3},
	[BULK] = {.kind = KMT_BULK_PAGE},
	[SPLIT3] = {.kind = KMT_PAGE_SPLIT, .order = 3},
	[FROM0] = {.kind = KMT_MIGRATE_FROM},
	[TO0] = {.kind = KMT_MIGRATE_TO},
	[ISOLATE3] = {.kind = KMT_PAGE_ISOLATE, .order = 3},
	[KEEP0] = {.kind = KMT_PAGE_KEEP},
	[PTE0] = {.kind = KMT_MIGRATE_PTE},
	[CONTIG] = {.kind = KMT_CONTIG_ALLOC, .bytes_alloc = 4},
	[DRAIN0] = {.kind = KMT_PCPU_DRAIN},
	[LOCKED3] = {.kind = KMT_ZONE_LOCKED, .order = 3},
};

/* An allocator that gives pages one after the other and counts. */
struct listener {
	struct requests q;
	const struct kmt_class *classes[CLASSES];
	struct gfp_map gfp;
	struct start start;
	struct host host;
	uint32_t next, last_freed;
	unsigned int allocs, frees, splits, tries;
};

static uint32_t alloc(void *ctx, const struct trace_event *e, uint32_t gfp)
{
	struct listener *l = ctx;
	uint32_t at = l->next;

	(void)gfp;
	l->allocs++;
	l->next += 1u << e->order;
	return at;
}

static int release(void *ctx, unsigned int cpu, uint32_t at, unsigned int order)
{
	struct listener *l = ctx;

	(void)cpu;
	(void)order;
	l->frees++;
	l->last_freed = at;
	return 0;
}

static int split(void *ctx, uint32_t at, unsigned int order)
{
	struct listener *l = ctx;

	(void)at;
	(void)order;
	l->splits++;
	return 0;
}

static bool grow(void *ctx, uint64_t pfn, unsigned int order)
{
	(void)ctx;
	(void)pfn;
	(void)order;
	return false;
}

static bool try_refused(void *ctx, const struct trace_event *e, uint32_t gfp)
{
	struct listener *l = ctx;

	(void)gfp;
	assert_int_equal(e->order, 3);
	return l->tries++ == 0;
}

static const struct requests_ops ops = {
	.alloc = alloc, .free = release, .split = split, .grow = grow};

static int setup(void **state)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return -1;
	for (int i = 0; i < CLASSES; i++)
		l->classes[i] = &class_of[i];
	l->host = (struct host){.nr_pfns = PAGES, .cpus = CPUS};
	l->start.at.classes = l->classes;
	l->start.at.nr_classes = CLASSES;
	l->q.ops = &ops;
	l->q.ctx = l;
	l->q.gfp = &l->gfp;
	l->next = 1000;
	*state = l;
	return requests_init(&l->q, &l->start, &l->host);
}

static int teardown(void **state)
{
	struct listener *l = *state;

	requests_destroy(&l->q);
	free(l);
	return 0;
}

static void feed(struct listener *l, uint32_t class_id, uint64_t pfn)
{
	struct trace_event e = {.time_ns = ++l->q.now_ns,
				.address = pfn,
				.class_id = class_id,
				.kind = class_of[class_id].kind,
				.order = class_of[class_id].order};

	requests_feed(&l->q, &e, 1);
}

static void test_requests_bulk_page_is_asked_for_unless_live(void **state)
{
	struct listener *l = *state;

	feed(l, BULK, 8);
	assert_int_equal(l->allocs, 1);
	feed(l, ALLOC0, 9);
	feed(l, BULK, 9); /* the ordinary allocator served it */
	assert_int_equal(l->allocs, 2);
	feed(l, FREE0, 8);
	feed(l, FREE0, 9);
	assert_int_equal(l->frees, 2);
	assert_int_equal(l->q.counts.free_unknown, 0);
}

static void test_requests_split_block_is_freed_in_parts(void **state)
{
	struct listener *l = *state;

	feed(l, ALLOC3, 16);
	feed(l, SPLIT3, 16);
	assert_int_equal(l->splits, 1);
	for (uint64_t i = 0; i < 8; i++)
		feed(l, FREE0, 16 + i);
	assert_int_equal(l->frees, 8);
	assert_int_equal(l->q.counts.split_live, 0); /* nothing was inferred */
}

static void test_requests_migrated_block_keeps_its_place(void **state)
{
	struct listener *l = *state;

	feed(l, ALLOC0, 8);
	feed(l, ISOLATE3, 64);
	feed(l, FROM0, 8);
	feed(l, TO0, 66);
	feed(l, FREE0, 8); /* the old page, which is none here any more */
	assert_int_equal(l->frees, 0);
	feed(l, FREE0, 66);
	assert_int_equal(l->frees, 1);
	assert_int_equal(l->last_freed, 1000);
	assert_int_equal(l->allocs, 1);
	assert_int_equal(l->q.counts.free_unknown, 0);
}

static void test_requests_migration_to_an_allocated_page_is_two_requests(void **state)
{
	struct listener *l = *state;

	feed(l, ALLOC0, 8);
	feed(l, ALLOC0, 9);
	feed(l, FROM0, 8);
	feed(l, TO0, 9);
	feed(l, FREE0, 8);
	assert_int_equal(l->last_freed, 1000);
	feed(l, FREE0, 9);
	assert_int_equal(l->last_freed, 1001);
}

static void test_requests_isolated_pages_come_back_unasked(void **state)
{
	struct listener *l = *state;

	feed(l, ISOLATE3, 64);
	for (uint64_t i = 0; i < 8; i++)
		feed(l, FREE0, 64 + i);
	feed(l, ISOLATE3, 64);
	feed(l, FREE0, 64);
	feed(l, KEEP0, 64); /* compaction keeps it */
	feed(l, FREE3, 64);
	assert_int_equal(l->frees, 0);
	assert_int_equal(l->q.counts.free_unknown, 0);
	feed(l, FREE0, 64);
	assert_int_equal(l->q.counts.free_unknown, 1);
}

static void test_requests_mapped_target_is_asked_for_once(void **state)
{
	struct listener *l = *state;

	feed(l, PTE0, 8);
	feed(l, PTE0, 8);
	assert_int_equal(l->allocs, 1);
}

static void test_requests_contiguous_range_is_asked_for_page_by_page(void **state)
{
	struct listener *l = *state;

	feed(l, ISOLATE3, 64);
	feed(l, ALLOC0, 65);
	feed(l, CONTIG, 64);
	assert_int_equal(l->allocs, 4);
}

static void test_requests_move_without_a_source_is_passed_over(void **state)
{
	struct listener *l = *state;

	feed(l, TO0, 66);
	feed(l, FROM0, 8); /* not known to be live */
	feed(l, TO0, 67);
	assert_int_equal(l->allocs + l->frees, 0);
}

static void test_requests_block_that_the_allocator_moves_is_freed_there(void **state)
{
	struct listener *l = *state;

	feed(l, ALLOC0, 64);
	assert_true(requests_moved(&l->q, 1000, 2000));
	assert_false(requests_moved(&l->q, 1000, 3000)); /* not there any more */
	feed(l, FREE0, 64);
	assert_int_equal(l->last_freed, 2000);
	assert_false(requests_moved(&l->q, 2000, 3000)); /* nothing is there */
}

static void test_requests_live_pages_on_the_kernels_lists_were_freed_unseen(void **state)
{
	struct listener *l = *state;

	feed(l, ALLOC0, 8);
	feed(l, ALLOC0, 65);
	feed(l, ALLOC0, 67);
	feed(l, DRAIN0, 9); /* a page as it should be: free */
	assert_int_equal(l->frees, 0);
	feed(l, DRAIN0, 8);
	feed(l, DRAIN0, 8);
	assert_int_equal(l->frees, 1);
	assert_int_equal(l->last_freed, 1000);
	feed(l, LOCKED3, 64);
	assert_int_equal(l->frees, 3);
	assert_int_equal(l->last_freed, 1002);
	feed(l, ALLOC3, 64);
	assert_int_equal(l->q.counts.listed_live, 3);
	assert_int_equal(l->q.counts.alloc_of_live, 0);
	feed(l, DRAIN0, PAGES);
	feed(l, LOCKED3, PAGES - 4);
	assert_int_equal(l->frees, 3);
}

static void test_requests_lists_before_the_start_state_are_in_it(void **state)
{
	struct listener *l = *state;

	requests_load(&l->q, 8, 0);
	l->q.t_ns = 100;
	feed(l, DRAIN0, 8);
	assert_int_equal(l->frees, 0);
}

static void test_requests_that_the_kernel_refused_are_tried(void **state)
{
	struct listener *l = *state;
	struct requests_ops tries = ops;

	feed(l, ALLOC3, KMT_NO_PAGE); /* an allocator that does not */
	tries.refused = try_refused;
	l->q.ops = &tries;
	feed(l, ALLOC3, KMT_NO_PAGE);
	feed(l, ALLOC3, KMT_NO_PAGE);
	l->q.ops = &ops;
	assert_int_equal(l->tries, 2);
	assert_int_equal(l->allocs + l->frees, 0);
	assert_int_equal(l->q.counts.kernel_failed, 3);
	assert_int_equal(l->q.counts.served_refused, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_requests_bulk_page_is_asked_for_unless_live),
		T(test_requests_split_block_is_freed_in_parts),
		T(test_requests_migrated_block_keeps_its_place),
		T(test_requests_migration_to_an_allocated_page_is_two_requests),
		T(test_requests_isolated_pages_come_back_unasked),
		T(test_requests_mapped_target_is_asked_for_once),
		T(test_requests_contiguous_range_is_asked_for_page_by_page),
		T(test_requests_move_without_a_source_is_passed_over),
		T(test_requests_block_that_the_allocator_moves_is_freed_there),
		T(test_requests_live_pages_on_the_kernels_lists_were_freed_unseen),
		T(test_requests_lists_before_the_start_state_are_in_it),
		T(test_requests_that_the_kernel_refused_are_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
