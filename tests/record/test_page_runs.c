// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_page_runs.c - page flags in, runs out; the picture is in the table. */
#include "../support/test.h"

#include <record/page_runs.h>
#include <string.h>

enum {
	MAX = 2048,
};

#define BUDDY	 (1ull << 10)
#define SLAB	 (1ull << 7)
#define HEAD	 (1ull << 15)
#define TAIL	 (1ull << 16)
#define ANON	 (1ull << 12)
#define LRU	 (1ull << 5)
#define NOPAGE	 (1ull << 20)
#define RESERVED (1ull << 32)

/* @count pages of @flags. */
struct span {
	uint64_t flags;
	size_t count;
};

struct page_case {
	const char *name;
	uint64_t pfn;
	struct span span[4];
	struct trace_page_run want[6];
};

static const struct page_case cases[] = {
	{"an aligned free run is one block", 1024, {{BUDDY, 1024}}, {{KMT_PG_FREE, 10, 1}}},
	{"free blocks stop at order 10", 2048, {{BUDDY, 2048}}, {{KMT_PG_FREE, 10, 2}}},
	{"an unaligned free run falls into aligned blocks",
	 3,
	 {{BUDDY, 6}},
	 {{KMT_PG_FREE, 0, 1}, {KMT_PG_FREE, 2, 1}, {KMT_PG_FREE, 0, 1}}},
	{"a compound page is one block",
	 8,
	 {{SLAB | HEAD, 1}, {SLAB | TAIL, 7}},
	 {{KMT_PG_SLAB, 3, 1}}},
	{"single pages are counted",
	 5,
	 {{ANON, 3}, {LRU, 2}},
	 {{KMT_PG_ANON, 0, 3}, {KMT_PG_FILE, 0, 2}}},
	{"tails without a head are the rest of a page",
	 16,
	 {{SLAB | TAIL, 4}},
	 {{KMT_PG_SLAB, 2, 1}}},
	{"no flag means some kernel page", 0, {{0, 2}}, {{KMT_PG_KERNEL, 0, 2}}},
	{"reserved and missing pages differ",
	 0,
	 {{RESERVED, 1}, {NOPAGE, 2}},
	 {{KMT_PG_RESERVED, 0, 1}, {KMT_PG_NONE, 0, 2}}},
	{"reserved wins over slab", 0, {{RESERVED | SLAB, 1}}, {{KMT_PG_RESERVED, 0, 1}}},
};

static void check_case(const struct page_case *c)
{
	static uint64_t flags[MAX];
	static struct trace_page_run run[MAX];
	struct page_runs r = {.run = run};
	size_t n = 0, want = 0;

	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < c->span[i].count; j++)
			flags[n++] = c->span[i].flags;
	page_runs_add(&r, flags, n, c->pfn);
	while (want < 6 && c->want[want].blocks)
		want++;
	if (r.n != want)
		fail_msg("%s: %zu runs, not %zu", c->name, r.n, want);
	for (size_t i = 0; i < want; i++)
		if (run[i].state != c->want[i].state || run[i].order != c->want[i].order ||
		    run[i].blocks != c->want[i].blocks)
			fail_msg("%s: run %zu is state %u order %u x %llu", c->name, i,
				 run[i].state, run[i].order, (unsigned long long)run[i].blocks);
}

static void test_page_runs_flags_become_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&cases[i]);
}

static void test_page_runs_reserved_range_covers_it(void **state)
{
	struct trace_page_run run[64];
	struct page_runs r = {.run = run};
	uint64_t pages = 0;

	(void)state;
	page_runs_reserved(&r, 1671168, 4628832);
	for (size_t i = 0; i < r.n; i++) {
		assert_int_equal(run[i].state, KMT_PG_RESERVED);
		pages += run[i].blocks << run[i].order;
	}
	assert_int_equal(pages, 4628832);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_runs_flags_become_runs),
		cmocka_unit_test(test_page_runs_reserved_range_covers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
