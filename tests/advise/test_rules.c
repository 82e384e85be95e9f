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

static const struct site_facts facts = {
	.seconds = 10, .end_ns = 20000000000, .cache_growth = growth};

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
	s.name = "here+0x10";
	s.kmalloc = false;
	assert_string_equal(topics(&s), "");
}

static void test_rules_wasteful_size_gets_cache(void **state)
{
	struct site s = plain();

	(void)state;
	s.most_req = 33;
	s.allocs = s.most_allocs = 20000;
	assert_string_equal(topics(&s), "cache");
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
		cmocka_unit_test(test_advices_sort_surest_then_heaviest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
