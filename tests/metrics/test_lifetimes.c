/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../support/test.h"

#include <string.h>

#include "metrics/lifetimes.h"
#include "trace/trace_io.h"

enum { ALLOC, FREE, PAGE, PAGE_FREE, LARGE, CLASSES };

static const struct kmt_class classes[CLASSES] = {
	[ALLOC] = {.kind = KMT_CACHE_ALLOC, .bytes_alloc = 64},
	[FREE] = {.kind = KMT_CACHE_FREE},
	[PAGE] = {.kind = KMT_PAGE_ALLOC},
	[PAGE_FREE] = {.kind = KMT_PAGE_FREE},
	[LARGE] = {.kind = KMT_KMALLOC, .bytes_alloc = 16384, .call_site = 1},
};
static const struct kmt_class *by_id[CLASSES];

static int set_up(void **state)
{
	for (int i = 0; i < CLASSES; i++)
		by_id[i] = &classes[i];
	*state = lifetimes_new(by_id, CLASSES);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	lifetimes_free(*state);
	return 0;
}

static void happens(struct lifetimes *l, uint32_t class_id, uint16_t cpu, uint64_t ns,
		    uint64_t address)
{
	const struct trace_event e = {.time_ns = ns,
				      .address = address,
				      .class_id = class_id,
				      .cpu = cpu,
				      .kind = classes[class_id].kind};

	assert_int_equal(lifetimes_feed(l, &e, 1), 0);
}

static void test_lifetimes_ended_lives_enter_quantiles(void **state)
{
	struct lifetimes *l = *state;
	const struct lifetime *of;

	for (uint64_t i = 1; i <= 100; i++) {
		happens(l, ALLOC, 0, 1000 * i, i);
		happens(l, FREE, i > 90, 1000 * i + i, i);
	}
	lifetimes_finish(l);
	of = lifetimes_of(l, ALLOC);
	assert_int_equal(of->freed, 100);
	assert_int_equal(of->across, 10);
	assert_int_equal(of->live, 0);
	assert_in_range(lifetime_quantile(of, 0.5), 50, 57);
	assert_in_range(lifetime_quantile(of, 0.99), 99, 112);
	assert_in_range(lifetime_quantile(of, 0), 1, 1);
}

static void test_lifetimes_live_things_are_counted_apart(void **state)
{
	struct lifetimes *l = *state;

	happens(l, ALLOC, 0, 500, 7);
	happens(l, ALLOC, 0, 300, 8);
	happens(l, FREE, 0, 900, 9); /* never seen allocated */
	lifetimes_finish(l);
	assert_int_equal(lifetimes_of(l, ALLOC)->live, 2);
	assert_int_equal(lifetimes_of(l, ALLOC)->oldest_ns, 300);
	assert_int_equal(lifetimes_of(l, ALLOC)->freed, 0);
	assert_int_equal(lifetime_quantile(lifetimes_of(l, ALLOC), 0.5), 0);
}

static void test_lifetimes_page_and_object_of_one_address_are_two(void **state)
{
	struct lifetimes *l = *state;

	happens(l, ALLOC, 0, 1, 42);
	happens(l, PAGE, 0, 2, 42);
	happens(l, PAGE_FREE, 0, 10, 42);
	lifetimes_finish(l);
	assert_int_equal(lifetimes_of(l, PAGE)->freed, 1);
	assert_int_equal(lifetimes_of(l, ALLOC)->live, 1);
}

/* Against a plain array, with many addresses and a table that grows and shrinks. */
static void test_lifetimes_random_lives_match_array(void **state)
{
	enum { ADDRESSES = 20000 };
	static uint64_t born[ADDRESSES];
	struct lifetimes *l = *state;
	uint64_t seed = 1, freed = 0, live = 0;

	memset(born, 0, sizeof(born));
	for (uint64_t t = 1; t < 200000; t++) {
		uint32_t a;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		a = (uint32_t)(seed >> 33) % ADDRESSES;
		happens(l, born[a] ? FREE : ALLOC, 0, t, a * 8);
		freed += born[a] != 0;
		born[a] = born[a] ? 0 : t;
	}
	lifetimes_finish(l);
	for (int a = 0; a < ADDRESSES; a++)
		live += born[a] != 0;
	assert_int_equal(lifetimes_of(l, ALLOC)->freed, freed);
	assert_int_equal(lifetimes_of(l, ALLOC)->live, live);
}

static void test_lifetime_add_sums_up(void **state)
{
	struct lifetime a = {.freed = 1, .live = 2, .oldest_ns = 5, .bucket[8] = 1};
	const struct lifetime b = {.freed = 3, .across = 1, .oldest_ns = 4, .bucket[8] = 3};

	(void)state;
	lifetime_add(&a, &b);
	assert_int_equal(a.freed, 4);
	assert_int_equal(a.across, 1);
	assert_int_equal(a.live, 2);
	assert_int_equal(a.oldest_ns, 4);
	assert_int_equal(a.bucket[8], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lifetimes_ended_lives_enter_quantiles, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_lifetimes_live_things_are_counted_apart,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_lifetimes_page_and_object_of_one_address_are_two, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lifetimes_random_lives_match_array, set_up,
						tear_down),
		cmocka_unit_test(test_lifetime_add_sums_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
