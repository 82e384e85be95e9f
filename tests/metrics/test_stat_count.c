/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_stat_count.c - what is live, and whose it was. */
#include "../trace/fixture.h"
#include "metrics/stat_count.h"

/* Sums over all sources. */
struct totals {
	uint64_t live, freed, matched, events, twice, failed;
};

static struct kmt_class page_class(uint8_t kind, uint8_t order)
{
	return (struct kmt_class){.kind = kind, .order = order};
}

/* A trace of page events: order, pfn, allocated or freed. */
struct page_event {
	uint8_t kind, order;
	uint64_t pfn;
};

static struct totals count_trace(struct trace_reader *r, struct stat_unmatched *u)
{
	struct stat_count *s = stat_count_new(r);
	struct totals t = {0};
	struct trace_event e[64];
	uint32_t n_sources;
	long n;

	assert_non_null(s);
	while ((n = trace_reader_next(r, e, 64)) > 0)
		assert_int_equal(stat_count_feed(s, e, n), 0);

	const struct stat_source *source = stat_count_sources(s, &n_sources);

	for (uint32_t i = 0; i < n_sources; i++) {
		t.live += source[i].live;
		t.freed += source[i].freed;
		t.matched += source[i].matched;
		t.events += source[i].events;
		t.twice += source[i].twice;
		t.failed += source[i].failed;
	}
	*u = *stat_count_unmatched(s);
	stat_count_free(s);
	return t;
}

static struct totals count_pages(const struct page_event *events, size_t n,
				 struct stat_unmatched *u)
{
	struct fixture f;
	struct totals t;

	fixture_start(&f, 1);
	for (size_t i = 0; i < n; i++) {
		struct kmt_class c = page_class(events[i].kind, events[i].order);
		uint32_t class_id = trace_writer_class(f.w, &c);

		if (trace_writer_event(f.w, 0, class_id, i + 1, events[i].pfn) == -EAGAIN) {
			assert_int_equal(trace_writer_flush(f.w, 0), 0);
			assert_int_equal(trace_writer_event(f.w, 0, class_id, i + 1, events[i].pfn),
					 0);
		}
	}
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	t = count_trace(r, u);
	trace_reader_close(r);
	fixture_free(&f);
	return t;
}

enum { A = KMT_PAGE_ALLOC, F = KMT_PAGE_FREE, S = KMT_STACK_PAGE };

static const struct {
	const char *what;
	struct page_event events[4];
	size_t n;
	uint64_t live, freed, unknown, reallocated;
} lives[] = {
	{"freed as allocated", {{A, 2, 8}, {F, 2, 8}}, 2, 0, 4, 0, 0},
	{"left over", {{A, 0, 8}, {A, 3, 16}, {F, 0, 8}}, 3, 8, 1, 0, 0},
	{"allocated before the start", {{F, 1, 8}}, 1, 0, 0, 2, 0},
	{"split: one page of eight", {{A, 3, 8}, {F, 0, 13}}, 2, 7, 1, 0, 0},
	{"split: parts of several orders",
	 {{A, 3, 8}, {F, 2, 8}, {F, 0, 12}, {F, 1, 14}},
	 4,
	 1,
	 7,
	 0,
	 0},
	{"split: the same page twice", {{A, 3, 8}, {F, 0, 9}, {F, 0, 9}}, 3, 7, 1, 1, 0},
	{"a neighbour's page", {{A, 0, 8}, {F, 0, 9}}, 2, 1, 0, 1, 0},
	{"freed larger than allocated", {{A, 0, 8}, {F, 2, 8}}, 2, 0, 1, 3, 0},
	{"two blocks freed as one", {{A, 1, 8}, {A, 0, 10}, {F, 2, 8}}, 3, 0, 3, 1, 0},
	{"unseen free", {{A, 0, 8}, {A, 0, 8}, {F, 0, 8}}, 3, 0, 1, 0, 1},
	{"unseen free of a part", {{A, 2, 8}, {A, 0, 10}}, 2, 4, 0, 0, 1},
	{"unseen free of two blocks", {{A, 0, 8}, {A, 0, 11}, {A, 2, 8}}, 3, 4, 0, 0, 2},
	{"stack page", {{S, 0, 8}, {F, 0, 8}}, 2, 0, 1, 0, 0},
	{"stack from the reserve", {{S, 0, 8}, {S, 0, 8}, {F, 0, 8}}, 3, 0, 1, 0, 0},
};

static void test_stat_pages_are_followed_through_their_life(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
		struct stat_unmatched u;
		struct totals t = count_pages(lives[i].events, lives[i].n, &u);

		print_message("%s\n", lives[i].what);
		assert_int_equal(t.live, lives[i].live);
		assert_int_equal(t.freed, lives[i].freed);
		assert_int_equal(t.matched, lives[i].freed);
		assert_int_equal(u.pages_freed_unknown, lives[i].unknown);
		assert_int_equal(u.pages_reallocated, lives[i].reallocated);
	}
}

enum { PAGES = 256, STEPS = 4000 };

/*
 * Random events as a kernel would make them: it allocates what is free and
 * frees parts of blocks, whole blocks and several at once. Returns live pages;
 * @unknown: pages freed that were not live.
 */
static uint64_t make_events(struct page_event *events, uint64_t *unknown)
{
	uint8_t live[PAGES] = {0};
	uint64_t seed = 9, left = 0;

	for (size_t i = 0; i < STEPS; i++) {
		uint8_t order = (uint8_t)random_below(&seed, 5);
		uint64_t pfn = random_below(&seed, PAGES) & -(1ull << order), any = 0;
		uint8_t kind = random_below(&seed, 2) ? A : F;

		for (uint64_t p = pfn; p < pfn + (1u << order); p++)
			any += live[p];
		if (kind == A ? any > 0 : any < (1u << order)) {
			kind = F;
			order = 0;
			*unknown += !live[pfn];
		}
		for (uint64_t p = pfn; p < pfn + (1u << order); p++)
			live[p] = kind == A;
		events[i] = (struct page_event){kind, order, pfn};
	}
	for (size_t p = 0; p < PAGES; p++)
		left += live[p];
	return left;
}

static void test_stat_pages_match_a_naive_count(void **state)
{
	static struct page_event events[STEPS];
	uint64_t unknown = 0, naive = make_events(events, &unknown);
	struct stat_unmatched u;
	struct totals t = count_pages(events, STEPS, &u);

	(void)state;
	assert_in_range(naive, 1, PAGES - 1);
	assert_int_equal(t.live, naive);
	assert_int_equal(u.pages_freed_unknown, unknown);
	assert_int_equal(u.pages_reallocated, 0);
}

static void test_stat_objects_are_counted_where_allocated(void **state)
{
	struct stat_unmatched u;
	struct fixture f;

	(void)state;
	fixture_start(&f, 2);
	fixture_event(&f, 0, KMT_CACHE_ALLOC, 10, 100);
	fixture_event(&f, 0, KMT_CACHE_ALLOC, 11, 101);
	fixture_event(&f, 1, KMT_CACHE_FREE, 12, 100);
	fixture_event(&f, 1, KMT_CACHE_FREE, 13, 999);
	fixture_event(&f, 1, KMT_CACHE_ALLOC, 14, 101);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);
	struct totals t = count_trace(r, &u);

	assert_int_equal(t.live, 1);
	assert_int_equal(t.freed, 1);
	assert_int_equal(u.objects_freed_unknown, 1);
	assert_int_equal(u.objects_reallocated, 1);
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_stat_large_kmalloc_traced_twice_is_one(void **state)
{
	struct kmt_class large = {.kind = KMT_KMALLOC, .bytes_req = 9000, .bytes_alloc = 16384};
	struct stat_unmatched u;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1);
	for (uint32_t site = 1; site <= 2; site++) {
		large.call_site = site;
		trace_writer_event(f.w, 0, trace_writer_class(f.w, &large), site, 4096);
	}
	fixture_event(&f, 0, KMT_KFREE, 10, 4096);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);
	struct totals t = count_trace(r, &u);

	assert_int_equal(t.events - t.twice, 2);
	assert_int_equal(u.traced_twice, 1);
	assert_int_equal(u.objects_reallocated, 0);
	assert_int_equal(t.live, 0);
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_stat_refused_allocations_are_failed_not_live(void **state)
{
	static const uint8_t kinds[] = {A, S, KMT_KMALLOC, KMT_CACHE_ALLOC, KMT_KFREE};
	struct stat_unmatched u;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1);
	for (size_t i = 0; i < 2 * sizeof(kinds); i++) {
		struct kmt_class c = page_class(kinds[i / 2], 0);

		trace_writer_event(f.w, 0, trace_writer_class(f.w, &c), i + 1, KMT_NO_PAGE);
	}
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);
	struct totals t = count_trace(r, &u);

	assert_int_equal(u.pages_failed, 4);
	assert_int_equal(u.objects_failed, 4);
	assert_int_equal(t.failed, 8);
	assert_int_equal(t.live + t.freed, 0);
	assert_int_equal(u.pages_reallocated + u.objects_reallocated + u.objects_freed_unknown, 0);
	trace_reader_close(r);
	fixture_free(&f);
}

/* Gigantic blocks, over and over: empty stretches must not be walked page by page. */
static void test_stat_gigantic_frees_take_no_long_walk(void **state)
{
	enum { EVENTS = 60000 };
	struct page_event *events = calloc(EVENTS, sizeof(*events));
	struct stat_unmatched u;

	(void)state;
	assert_non_null(events);
	for (size_t i = 0; i < EVENTS; i++)
		events[i] = (struct page_event){F, 18, 1};
	alarm(20);
	count_pages(events, EVENTS, &u);
	alarm(0);
	assert_int_equal(u.pages_freed_unknown, (uint64_t)EVENTS << 18);
	free(events);
}

static void test_stat_sources_follow_the_running_command(void **state)
{
	struct stat_unmatched u;
	struct fixture f;
	uint32_t n, owned = 0;

	(void)state;
	fixture_start(&f, 1);
	fixture_event(&f, 0, KMT_PAGE_ALLOC, 1, 5);
	fixture_event(&f, 0, KMT_TASK, 2, 0);
	fixture_event(&f, 0, KMT_PAGE_ALLOC, 3, 64);
	fixture_event(&f, 0, KMT_PAGE_ALLOC, 4, 72);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);
	struct stat_count *s = stat_count_new(r);
	struct trace_event e[8];

	assert_int_equal(stat_count_feed(s, e, trace_reader_next(r, e, 8)), 0);

	const struct stat_source *source = stat_count_sources(s, &n);

	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(trace_reader_string(r, source[i].comm), "worker"))
			owned += (uint32_t)source[i].events;
	u = *stat_count_unmatched(s);
	assert_int_equal(n, 3);
	assert_int_equal(owned, 3);
	assert_int_equal(u.pages_reallocated, 0);
	stat_count_free(s);
	trace_reader_close(r);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat_pages_are_followed_through_their_life),
		cmocka_unit_test(test_stat_pages_match_a_naive_count),
		cmocka_unit_test(test_stat_objects_are_counted_where_allocated),
		cmocka_unit_test(test_stat_large_kmalloc_traced_twice_is_one),
		cmocka_unit_test(test_stat_refused_allocations_are_failed_not_live),
		cmocka_unit_test(test_stat_gigantic_frees_take_no_long_walk),
		cmocka_unit_test(test_stat_sources_follow_the_running_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
