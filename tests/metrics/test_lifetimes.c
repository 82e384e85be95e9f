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

/* The median of three is the second, of four too; the bounds are those of buckets. */
static void test_lifetimes_quantile_is_the_rank_rounded_up(void **state)
{
	const struct lifetime three = {.freed = 3, .bucket = {[1] = 1, [2] = 1, [3] = 1}};
	const struct lifetime four = {.freed = 4, .bucket = {[0] = 1, [1] = 1, [2] = 1, [3] = 1}};

	(void)state;
	assert_int_equal(lifetime_quantile(&three, 0.5), 2);
	assert_int_equal(lifetime_quantile(&three, 0.99), 3);
	assert_int_equal(lifetime_quantile(&three, 0), 1);
	assert_int_equal(lifetime_quantile(&four, 0.5), 1);
	assert_int_equal(lifetime_quantile(&four, 0.75), 2);
	assert_int_equal(lifetime_quantile(&four, 1), 3);
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

/* Ten lives: five end at 4 ns, of the others three are 6 ns old at the end. */
static void test_lifetime_survival_counts_the_living_up_to_their_age(void **state)
{
	struct lifetime l = {.freed = 7, .live = 3};
	struct lifetime_point p[4];

	(void)state;
	l.bucket[4] = 5; /* ends at 4 ns */
	l.age[6] = 3;	 /* 6 ns: gone from the risk behind it */
	l.bucket[8] = 1; /* ends at 9 ns */
	l.bucket[12] = 1;
	assert_int_equal(lifetime_survival(&l, p, 4), 4);
	assert_true(p[0].ns == 0 && p[0].share == 1);
	assert_true(p[1].ns == 4 && p[1].share == 0.5);
	assert_true(p[2].ns == 9 && p[2].share == 0.25); /* one of two left at risk */
	assert_true(p[3].ns == 19 && p[3].share == 0);
	/* Thinned, the last point stays. */
	assert_int_equal(lifetime_survival(&l, p, 2), 2);
	assert_true(p[1].ns == 19 && p[1].share == 0);
	assert_int_equal(lifetime_survival(&(struct lifetime){.live = 4}, p, 4), 0);
}

static void test_lifetimes_address_of_empty_slots_is_none(void **state)
{
	struct lifetimes *l = *state;

	/* More than the table's slots, which would never come to hold it. */
	for (uint64_t t = 0; t < 10000; t++) {
		happens(l, ALLOC, 0, t, UINT64_MAX);
		happens(l, PAGE, 0, t, UINT64_MAX >> 1);
	}
	happens(l, FREE, 0, 10000, UINT64_MAX);
	lifetimes_finish(l);
	assert_int_equal(lifetimes_of(l, ALLOC)->live + lifetimes_of(l, ALLOC)->freed, 0);
	assert_int_equal(lifetimes_of(l, PAGE)->live, 0);
}

static void test_lifetimes_ages_at_the_end_are_kept(void **state)
{
	struct lifetimes *l = *state;

	happens(l, ALLOC, 0, 500, 7);
	happens(l, ALLOC, 0, 503, 8);
	lifetimes_finish(l);
	assert_int_equal(lifetimes_of(l, ALLOC)->age[3], 1);
	assert_int_equal(lifetimes_of(l, ALLOC)->age[0], 1);
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
		cmocka_unit_test(test_lifetimes_quantile_is_the_rank_rounded_up),
		cmocka_unit_test(test_lifetime_add_sums_up),
		cmocka_unit_test(test_lifetime_survival_counts_the_living_up_to_their_age),
		cmocka_unit_test_setup_teardown(test_lifetimes_address_of_empty_slots_is_none,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lifetimes_ages_at_the_end_are_kept, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
