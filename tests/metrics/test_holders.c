/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_holders.c - who holds what is live, and whether it grows. */
#include "../support/test.h"

#include <string.h>

#include "metrics/holders.h"
#include "trace/trace_io.h"

enum { SITE, FREE, OTHER, PAGE, PAGE_FREE, LARGE, LARGE_TWICE, TASK_A, TASK_B, CLASSES };

static const struct kmt_class classes[CLASSES] = {
	[SITE] = {.kind = KMT_CACHE_ALLOC, .bytes_alloc = 64, .call_site = 1},
	[FREE] = {.kind = KMT_CACHE_FREE},
	[OTHER] = {.kind = KMT_KMALLOC, .bytes_alloc = 32, .call_site = 2},
	[PAGE] = {.kind = KMT_PAGE_ALLOC, .order = 1},
	[PAGE_FREE] = {.kind = KMT_PAGE_FREE, .order = 1},
	[LARGE] = {.kind = KMT_KMALLOC, .bytes_req = 9000, .bytes_alloc = 16384, .call_site = 3},
	[LARGE_TWICE] = {.kind = KMT_KMALLOC,
			 .bytes_req = 9000,
			 .bytes_alloc = 16384,
			 .call_site = 4},
	[TASK_A] = {.kind = KMT_TASK, .comm = 11},
	[TASK_B] = {.kind = KMT_TASK, .comm = 12},
};
static const struct kmt_class *by_id[CLASSES];

enum { END = 4000, CPUS = 2 };

static int set_up(void **state)
{
	static const uint64_t times[2] = {0, END};

	for (int i = 0; i < CLASSES; i++)
		by_id[i] = &classes[i];
	*state = holders_new(by_id, CLASSES, times, CPUS);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	holders_free(*state);
	return 0;
}

static void happens(struct holders *h, uint32_t class_id, uint16_t cpu, uint64_t ns,
		    uint64_t address)
{
	const struct trace_event e = {.time_ns = ns,
				      .address = address,
				      .class_id = class_id,
				      .cpu = cpu,
				      .kind = classes[class_id].kind,
				      .order = classes[class_id].order};

	assert_int_equal(holders_feed(h, &e, 1), 0);
}

static const struct holder *find(const struct holders *h, uint32_t name, bool pages)
{
	size_t n;
	const struct holder *all = holders_list(h, &n);

	for (size_t i = 0; i < n; i++)
		if (all[i].name == name && all[i].pages == pages)
			return &all[i];
	return NULL;
}

static void test_holders_a_leak_grows_in_every_quarter(void **state)
{
	struct holders *h = *state;
	const struct holder *of;

	for (uint64_t i = 0; i < 40; i++)
		happens(h, SITE, 0, i * 100, i);
	holders_finish(h);
	of = find(h, 1, false);
	assert_int_equal(of->live, 40);
	assert_int_equal(of->live_bytes, 40 * 64);
	assert_int_equal(of->at[0], 10 * 64);
	assert_int_equal(of->at[3], 40 * 64);
	assert_int_equal(holder_grew(of), 4);
	assert_int_equal(holder_growth(of), 10 * 64);
	assert_int_equal(of->oldest_ns, END);
	assert_int_equal(of->median_ns, END - 2000);
}

static void test_holders_what_was_set_up_at_the_start_does_not_grow(void **state)
{
	struct holders *h = *state;
	const struct holder *of;

	for (uint64_t i = 0; i < 40; i++)
		happens(h, SITE, 0, i, i);
	happens(h, OTHER, 0, 3000, 99);
	holders_finish(h);
	of = find(h, 1, false);
	assert_int_equal(holder_grew(of), 1);
	assert_int_equal(holder_growth(of), 0);
	assert_int_equal(of->early_live, 40);
	assert_int_equal(of->early_bytes, 40 * 64);
}

static void test_holders_what_is_freed_is_not_held(void **state)
{
	struct holders *h = *state;
	const struct holder *of;

	for (uint64_t i = 0; i < 40; i++) {
		happens(h, SITE, 0, i * 100, i);
		if (i >= 4)
			happens(h, FREE, 0, i * 100 + 1, i - 4);
	}
	holders_finish(h);
	of = find(h, 1, false);
	assert_int_equal(of->allocs, 40);
	assert_int_equal(of->freed, 36);
	assert_int_equal(of->live, 4);
	assert_int_equal(of->early, 20);
	assert_int_equal(of->early_live, 0);
	assert_int_equal(holder_grew(of), 1);
	assert_int_equal(of->oldest_ns, 400);
}

/* Addresses come again without a free in between: what seems to grow may not. */
static void test_holders_unseen_ends_are_no_growth(void **state)
{
	struct holders *h = *state;
	const struct holder *of;

	for (uint64_t i = 0; i < 40; i++) {
		happens(h, SITE, 0, i * 100, i);
		happens(h, SITE, 0, i * 100 + 1, i);
	}
	holders_finish(h);
	of = find(h, 1, false);
	assert_int_equal(of->unseen, 40);
	assert_int_equal(of->live, 40);
	assert_int_equal(holder_grew(of), 4);
	assert_int_equal(holder_growth(of), 0);
}

static void test_holders_pages_belong_to_the_command(void **state)
{
	struct holders *h = *state;

	happens(h, TASK_A, 0, 1, 0);
	happens(h, TASK_B, 1, 1, 0);
	happens(h, PAGE, 0, 2, 100);
	happens(h, PAGE, 1, 3, 102);
	happens(h, PAGE, 1, 4, 104);
	happens(h, SITE, 0, 5, 100); /* an object of that address is another thing */
	happens(h, PAGE_FREE, 0, 6, 104);
	holders_finish(h);
	assert_int_equal(find(h, 11, true)->live_bytes, 8192);
	assert_int_equal(find(h, 12, true)->live, 1);
	assert_int_equal(find(h, 12, true)->allocs, 2);
	assert_int_equal(find(h, 1, false)->live, 1);
}

static void test_holders_cpus_tell_who_freed_whose(void **state)
{
	struct holders *h = *state;
	const struct holders_cpu *cpu;
	size_t n;

	for (uint64_t i = 0; i < 10; i++)
		happens(h, SITE, 0, i, i);
	happens(h, PAGE, 1, 20, 7);
	for (uint64_t i = 0; i < 8; i++)
		happens(h, FREE, i < 3, 100, i);
	happens(h, PAGE_FREE, 1, 100, 7);
	happens(h, FREE, 1, 100, 77); /* allocated before the trace */
	holders_finish(h);
	cpu = holders_cpus(h, &n);
	assert_int_equal(n, CPUS);
	assert_int_equal(cpu[0].allocs[0], 10);
	assert_int_equal(cpu[0].freed[0], 8);
	assert_int_equal(cpu[0].elsewhere[0], 3);
	assert_int_equal(cpu[0].frees[0], 5);
	assert_int_equal(cpu[1].frees[0], 3);
	assert_int_equal(cpu[1].freed[1], 1);
	assert_int_equal(cpu[1].elsewhere[1], 0);
}

static void test_holders_large_kmalloc_told_twice_is_one(void **state)
{
	struct holders *h = *state;
	const struct holders_cpu *cpu;
	size_t n;

	happens(h, LARGE, 0, 10, 8);
	happens(h, LARGE_TWICE, 0, 12, 8);
	holders_finish(h);
	cpu = holders_cpus(h, &n);
	assert_int_equal(cpu[0].allocs[0], 1);
	assert_int_equal(find(h, 3, false)->live + find(h, 3, false)->allocs, 0);
	assert_int_equal(find(h, 4, false)->live, 1);
	assert_int_equal(find(h, 4, false)->unseen, 0);
	assert_int_equal(find(h, 4, false)->oldest_ns, END - 10);
}

static void test_holders_damaged_events_do_no_harm(void **state)
{
	struct holders *h = *state;
	const struct trace_event bad[] = {
		{.class_id = CLASSES, .kind = KMT_CACHE_ALLOC},
		{.class_id = SITE, .cpu = CPUS, .kind = KMT_CACHE_ALLOC},
		{.class_id = SITE, .kind = KMT_CACHE_ALLOC, .address = UINT64_MAX},
		{.class_id = PAGE, .kind = KMT_PAGE_ALLOC, .address = UINT64_MAX >> 1},
		{.class_id = PAGE, .kind = KMT_PAGE_ALLOC, .address = 5, .order = 255},
		{.class_id = SITE, .kind = KMT_CACHE_ALLOC, .address = KMT_NO_PAGE},
		{.class_id = SITE, .kind = KMT_CACHE_ALLOC, .address = KMT_OPAQUE | 1},
		{.class_id = SITE, .kind = KMT_CACHE_ALLOC, .address = 9, .time_ns = UINT64_MAX},
	};

	assert_int_equal(holders_feed(h, bad, sizeof(bad) / sizeof(*bad)), 0);
	holders_finish(h);
	assert_int_equal(find(h, 1, false)->live, 2);
}

static void test_holders_thousands_come_and_go(void **state)
{
	enum { LIVES = 5000 };
	struct holders *h = *state;

	for (uint64_t round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < LIVES; i++)
			happens(h, SITE, 0, 1000 * round, i);
		for (uint64_t i = round == 2; i < LIVES; i++)
			happens(h, FREE, 0, 1000 * round + 1, i);
	}
	holders_finish(h);
	assert_int_equal(find(h, 1, false)->allocs, 3 * LIVES);
	assert_int_equal(find(h, 1, false)->live, 1);
	assert_int_equal(find(h, 1, false)->median_ns, END - 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_holders_a_leak_grows_in_every_quarter),
		TEST(test_holders_what_was_set_up_at_the_start_does_not_grow),
		TEST(test_holders_what_is_freed_is_not_held),
		TEST(test_holders_unseen_ends_are_no_growth),
		TEST(test_holders_pages_belong_to_the_command),
		TEST(test_holders_cpus_tell_who_freed_whose),
		TEST(test_holders_large_kmalloc_told_twice_is_one),
		TEST(test_holders_damaged_events_do_no_harm),
		TEST(test_holders_thousands_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
