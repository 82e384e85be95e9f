/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which numbers of a call site lead to which advice, and which to none. */
#include "../support/test.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "advise/sites.h"

static int64_t grown;

static int64_t growth(void *ctx, const char *cache)
{
	(void)ctx;
	(void)cache;
	return grown;
}

static struct growers growers;
static const struct site_facts facts = {.growers = &growers,
					.depth_counted = true,
					.seconds = 10,
					.end_ns = 20000000000,
					.cache_growth = growth};

/* A site of kmalloc that gives no reason for anything. */
static struct site plain(void)
{
	return (struct site){
		.name = "here+0x10",
		.cache = "kmalloc-64",
		.kmalloc = true,
		.allocs = 100,
		.bytes_req = 6400,
		.bytes_alloc = 6400,
		.most_req = 64,
		.most_alloc = 64,
		.most_allocs = 100,
		.largest_alloc = 64,
	};
}

/* The topics that @s gets, in order, separated by blanks. */
static const char *topics(const struct site *s)
{
	static char text[128];
	struct advices all = {0};
	size_t used = 0;

	*text = '\0';
	assert_int_equal(site_rules(&all, s, &facts), 0);
	assert_int_equal(growers_advise(&all, &growers, &facts), 0);
	growers_free(&growers);
	for (size_t i = 0; i < all.n; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 all.at[i].topic);
		assert_true(strlen(all.at[i].evidence) > 10 && strlen(all.at[i].check) > 10);
		assert_non_null(strstr(all.at[i].what, "here+0x10"));
	}
	advices_free(&all);
	return text;
}

static void test_rules_plain_site_gets_no_advice(void **state)
{
	const struct site s = plain();

	(void)state;
	assert_string_equal(topics(&s), "");
}

static void test_rules_large_that_may_sleep_gets_kvmalloc(void **state)
{
	struct site s = plain();

	(void)state;
	s.large_allocs = 3;
	s.largest_alloc = 65536;
	assert_string_equal(topics(&s), "");
	s.may_sleep = true;
	assert_string_equal(topics(&s), "kvmalloc");
	s.name = "__kvmalloc_node_noprof+0x40"; /* what it would become */
	assert_string_equal(topics(&s), "");
	s.name = "alloc_slab_obj_exts+0x58"; /* the allocator's own */
	assert_string_equal(topics(&s), "");
	s.name = "here+0x10";
	s.kmalloc = false;
	assert_string_equal(topics(&s), "");
}

static void test_rules_wasteful_size_gets_cache(void **state)
{
	struct advices all = {0};
	struct site s = plain();

	(void)state;
	s.most_req = 33;
	s.allocs = s.most_allocs = 20000;
	assert_string_equal(topics(&s), "cache");
	assert_int_equal(site_rules(&all, &s, &facts), 0);
	assert_non_null(strstr(all.at[0].evidence, "; none of that is held at the end"));
	advices_free(&all);
	s.allocs = 40000; /* of many sizes */
	assert_string_equal(topics(&s), "");
	s.allocs = 20000;
	s.most_req = 57; /* rounded up to 64 */
	assert_string_equal(topics(&s), "");
}

static void test_rules_short_lived_small_gets_stack(void **state)
{
	struct site s = plain();

	(void)state;
	s.life.freed = 2000;
	s.life.bucket[20] = 2000;
	assert_string_equal(topics(&s), "stack");
	s.life.across = 3;
	assert_string_equal(topics(&s), "");
	s.life.across = 0;
	s.life.bucket[20] = 1900;
	s.life.bucket[100] = 100; /* one in twenty lives long */
	assert_string_equal(topics(&s), "");
}

static void test_rules_frees_on_other_cpus_are_told(void **state)
{
	struct site s = plain();

	(void)state;
	s.life.freed = 20000;
	s.life.bucket[100] = 20000;
	s.life.across = 10000;
	assert_string_equal(topics(&s), "across");
	s.life.across = 9999;
	assert_string_equal(topics(&s), "");
}

static void test_rules_holder_needs_the_kernels_count(void **state)
{
	struct site s = plain();

	(void)state;
	s.life.live = 5000;
	grown = 5000;
	assert_string_equal(topics(&s), "holder");
	grown = 100; /* freed unseen */
	assert_string_equal(topics(&s), "");
	grown = INT64_MIN;
	assert_string_equal(topics(&s), "");
	grown = 5000;
	s.life.freed = 600;
	assert_string_equal(topics(&s), "");
}

/* @n sites that each hold @live objects of a cache of its own, by @comm; what is said. */
static struct advices grown_by(const char *const *comm, const uint64_t *live, size_t n,
			       uint64_t reclaimable)
{
	static char cache[8][8];
	struct advices all = {0};

	for (size_t i = 0; i < n; i++) {
		struct site s = plain();

		snprintf(cache[i], sizeof(cache[i]), "cache%zu", i);
		s.cache = cache[i];
		s.comm = comm[i];
		s.life.live = live[i];
		s.reclaimable = reclaimable;
		s.other_pages = 5;
		grown = (int64_t)live[i];
		assert_int_equal(site_rules(&all, &s, &facts), 0);
	}
	assert_int_equal(growers_advise(&all, &growers, &facts), 0);
	growers_free(&growers);
	return all;
}

static void test_rules_what_one_command_grows_alike_is_one_suspect(void **state)
{
	struct advices all = grown_by((const char *[]){"find", "find", "find", "sh", ""},
				      (uint64_t[]){5000, 4500, 1500, 5000, 5000}, 5, 0);

	(void)state;
	assert_int_equal(all.n, 4);
	for (size_t i = 0; i < all.n; i++)
		assert_string_equal(all.at[i].topic, "holder");
	assert_non_null(strstr(all.at[1].what, "here+0x10 and 1 more: find out"));
	assert_non_null(strstr(all.at[1].evidence, "9500 objects"));
	assert_non_null(strstr(all.at[1].evidence, "9500 more in cache0, cache1"));
	advices_free(&all);
}

static void test_rules_growth_on_reclaimable_pages_is_no_leak(void **state)
{
	struct advices all = grown_by((const char *[]){"find", "sh", "cat"},
				      (uint64_t[]){5000, 2000, 90000}, 3, 6);

	(void)state;
	assert_int_equal(all.n, 1);
	assert_string_equal(all.at[0].topic, "growth");
	assert_string_equal(all.at[0].what,
			    "reclaimable cache growth, no leak: cache2, cache0, cache1");
	assert_null(strstr(all.at[0].what, "free these"));
	advices_free(&all);
}

/* A part of what is reclaimable, in a cache that is not. */
static void test_rules_growth_in_step_with_reclaimable_is_no_leak(void **state)
{
	static struct grower at[] = {
		{.name = "a", .cache = "inodes", .comm = "find", .live = 5000, .reclaimable = true},
		{.name = "b", .cache = "parts", .comm = "find", .live = 4500},
		{.name = "c", .cache = "more", .comm = "sh", .live = 5000},
	};
	struct growers three = {.at = at, .n = 3};
	struct advices all = {0};

	(void)state;
	assert_int_equal(growers_advise(&all, &three, &facts), 0);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.at[0].what, "reclaimable cache growth, no leak: inodes, parts");
	assert_non_null(strstr(all.at[0].evidence, "the rest grows with them"));
	assert_string_equal(all.at[1].topic, "holder");
	advices_free(&all);
}

/* 200 requests with GFP_ATOMIC where sleeping was possible. */
static struct site nowait(void)
{
	struct site s = plain();

	s.allocs = 400;
	s.nowait = (struct site_nowait){.requests = 200, .may_sleep = 200, .high = 200};
	return s;
}

static void test_rules_atomic_that_may_sleep_gets_kernel(void **state)
{
	struct site s = nowait();
	struct advices all = {0};

	(void)state;
	strcpy(s.nowait.callers, "f+0x1 < g+0x2");
	assert_int_equal(site_rules(&all, &s, &facts), 0);
	assert_int_equal(all.n, 1);
	assert_string_equal(all.at[0].topic, "context");
	assert_int_equal(all.at[0].sure, ADVICE_MEDIUM);
	assert_string_equal(all.at[0].what, "here+0x10: GFP_KERNEL instead of GFP_ATOMIC");
	assert_non_null(strstr(all.at[0].evidence, "all 200 requests"));
	assert_non_null(strstr(all.at[0].evidence, "50 %"));
	assert_non_null(strstr(all.at[0].evidence, "f+0x1 < g+0x2"));
	advices_free(&all);
	s.nowait.high = 0; /* GFP_NOWAIT */
	assert_int_equal(site_rules(&all, &s, &facts), 0);
	assert_int_equal(all.at[0].sure, ADVICE_LOW);
	advices_free(&all);
}

static void test_rules_one_doubt_is_enough_to_leave_atomic(void **state)
{
	struct site s = nowait();

	(void)state;
	assert_string_equal(topics(&s), "context");
	s.nowait.may_sleep = 199; /* one was atomic, or is not told */
	assert_string_equal(topics(&s), "");
	s = nowait();
	s.nowait.prepared = 1; /* __GFP_NOWARN */
	assert_string_equal(topics(&s), "");
	s = nowait();
	s.nowait.no_reclaim = 1;
	assert_string_equal(topics(&s), "");
	s = nowait();
	s.nowait.requests = s.nowait.may_sleep = s.nowait.high = 99;
	assert_string_equal(topics(&s), "");
}

static void test_rules_text_that_tells_no_readers_is_less_sure(void **state)
{
	struct site_facts uncounted = facts;
	struct site s = nowait();
	struct advices all = {0};

	(void)state;
	s.nowait.may_sleep = 0;
	s.nowait.preemptible = 200;
	assert_int_equal(site_rules(&all, &s, &facts), 0);
	assert_int_equal(all.at[0].sure, ADVICE_LOW);
	assert_non_null(strstr(all.at[0].evidence, "does not tell RCU readers"));
	advices_free(&all);
	uncounted.depth_counted = false; /* preemption may be off unseen */
	assert_int_equal(site_rules(&all, &s, &uncounted), 0);
	assert_int_equal(all.n, 0);
	advices_free(&all);
}

static void test_advices_sort_surest_then_heaviest(void **state)
{
	struct advices all = {0};

	(void)state;
	advices_add(&all)->weight = 5;
	advices_add(&all)->weight = 7;
	advices_add(&all)->sure = ADVICE_HIGH;
	advices_sort(&all);
	assert_int_equal(all.at[0].sure, ADVICE_HIGH);
	assert_true(all.at[1].weight > all.at[2].weight);
	advices_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_plain_site_gets_no_advice),
		cmocka_unit_test(test_rules_large_that_may_sleep_gets_kvmalloc),
		cmocka_unit_test(test_rules_wasteful_size_gets_cache),
		cmocka_unit_test(test_rules_short_lived_small_gets_stack),
		cmocka_unit_test(test_rules_frees_on_other_cpus_are_told),
		cmocka_unit_test(test_rules_holder_needs_the_kernels_count),
		cmocka_unit_test(test_rules_what_one_command_grows_alike_is_one_suspect),
		cmocka_unit_test(test_rules_growth_on_reclaimable_pages_is_no_leak),
		cmocka_unit_test(test_rules_growth_in_step_with_reclaimable_is_no_leak),
		cmocka_unit_test(test_rules_atomic_that_may_sleep_gets_kernel),
		cmocka_unit_test(test_rules_one_doubt_is_enough_to_leave_atomic),
		cmocka_unit_test(test_rules_text_that_tells_no_readers_is_less_sure),
		cmocka_unit_test(test_advices_sort_surest_then_heaviest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
