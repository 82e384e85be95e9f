/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_objects.c - live objects, caches, call sites. */
#include "../support/test.h"

#include <stdlib.h>

#include <kmemlab/trace.h>

#include "metrics/live.h"
#include "metrics/objects.h"
#include "trace/trace_io.h"

enum { DENTRY = 1, SITE_A = 2, SITE_B = 3, KMALLOC_64 = 4, CLASSES = 7, LOST = 6 };

static const struct kmt_class class_of[] = {
	{.kind = KMT_CACHE_ALLOC,
	 .bytes_req = 192,
	 .bytes_alloc = 192,
	 .cache = DENTRY,
	 .call_site = SITE_A},
	{.kind = KMT_CACHE_FREE, .cache = DENTRY, .call_site = SITE_B},
	{.kind = KMT_KMALLOC,
	 .bytes_req = 40,
	 .bytes_alloc = 64,
	 .cache = KMALLOC_64,
	 .call_site = SITE_B},
	{.kind = KMT_KFREE, .call_site = SITE_A},
	{.kind = KMT_KMALLOC, .bytes_req = 9000, .bytes_alloc = 16384, .call_site = SITE_A},
	{.kind = KMT_KMALLOC, .bytes_req = 9000, .bytes_alloc = 16384, .call_site = SITE_B},
};
static const struct kmt_class *const classes[] = {
	&class_of[0], &class_of[1], &class_of[2], &class_of[3], &class_of[4], &class_of[5], NULL};

static int setup(void **state)
{
	*state = objects_new(classes, CLASSES, 2);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	objects_free(*state);
	return 0;
}

static void feed(struct objects *o, uint32_t class_id, uint64_t address)
{
	struct trace_event e = {.address = address, .class_id = class_id};

	e.kind = class_id < LOST ? class_of[class_id].kind : KMT_KMALLOC;
	assert_int_equal(objects_feed(o, &e, 1), 0);
}

static void test_objects_alloc_and_free_balance_per_cache(void **state)
{
	struct objects *o = *state;
	const struct object_counts *c;
	uint32_t n;

	feed(o, 0, 100);
	feed(o, 0, 200);
	feed(o, 2, 300);
	objects_sample(o, 0);
	feed(o, 1, 100);
	feed(o, 3, 300);
	objects_sample(o, 1);
	c = objects_caches(o, &n);
	assert_int_equal(n, 2);
	assert_int_equal(c[0].string, DENTRY); /* most bytes first */
	assert_int_equal(c[0].allocs, 2);
	assert_int_equal(c[0].frees, 1);
	assert_int_equal(c[0].live[0], 2);
	assert_int_equal(c[0].live[1], 1);
	assert_int_equal(c[1].live[1], 0);
	assert_int_equal(c[1].bytes_req, 40);
	assert_int_equal(c[1].bytes_alloc, 64);
}

static void test_objects_free_is_charged_to_allocating_site(void **state)
{
	struct objects *o = *state;
	const struct object_counts *s;
	uint32_t n;

	feed(o, 0, 100); /* by A */
	feed(o, 2, 300); /* by B */
	feed(o, 3, 300); /* freed in A, charged to B */
	s = objects_sites(o, &n);
	assert_int_equal(n, 2);
	assert_int_equal(s[0].string, SITE_A);
	assert_int_equal(s[0].bytes_alloc - s[0].freed_bytes, 192);
	assert_int_equal(s[1].frees, 1);
	assert_int_equal(s[1].bytes_alloc - s[1].freed_bytes, 0);
}

static void test_objects_mismatches_are_counted_by_kind(void **state)
{
	struct objects *o = *state;
	struct objects_unmatched u;
	const struct object_counts *c;
	uint32_t n;

	feed(o, 3, 1);	 /* kfree of what was never seen */
	feed(o, 1, 2);	 /* the same with a cache: counts as its free */
	feed(o, 0, 100); /* allocated twice: a free went unseen */
	feed(o, 0, 100);
	feed(o, LOST, 7); /* class lost */
	objects_get_unmatched(o, &u);
	assert_int_equal(u.free_unknown, 2);
	assert_int_equal(u.alloc_live, 1);
	assert_int_equal(u.class_unknown, 1);
	c = objects_caches(o, &n);
	assert_int_equal(c[0].allocs, 2);
	assert_int_equal(c[0].frees, 2);
}

/* The kernel tells of a large kmalloc twice; the later one knows who asked. */
static void test_objects_large_kmalloc_traced_twice_is_one(void **state)
{
	struct objects *o = *state;
	struct objects_unmatched u;
	const struct object_counts *s;
	uint32_t n;

	feed(o, 4, 512);
	feed(o, 5, 512);
	objects_get_unmatched(o, &u);
	assert_int_equal(u.traced_twice, 1);
	assert_int_equal(u.alloc_live, 0);
	s = objects_sites(o, &n);
	assert_int_equal(s[0].string, SITE_B);
	assert_int_equal(s[0].allocs, 1);
	assert_int_equal(s[0].bytes_alloc - s[0].freed_bytes, 16384);
	assert_int_equal(s[1].allocs, 0);
	assert_int_equal(s[1].bytes_req + s[1].bytes_alloc, 0);
}

static void test_objects_refused_allocation_is_nothing_live(void **state)
{
	struct objects *o = *state;
	struct objects_unmatched u;
	const struct object_counts *c;
	uint32_t n;

	for (uint32_t class_id = 0; class_id < 4; class_id++)
		feed(o, class_id, KMT_NO_PAGE); /* also kfree(NULL) */
	feed(o, 0, KMT_NO_PAGE);
	objects_get_unmatched(o, &u);
	assert_int_equal(u.failed, 3);
	assert_int_equal(u.alloc_live + u.free_unknown, 0);
	c = objects_caches(o, &n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(c[i].allocs + c[i].frees, 0);
}

/* Against a plain array, through growth and deletion. */
static void test_live_random_operations_match_array(void **state)
{
	enum { KEYS = 200000, STEPS = 1000000 };
	uint32_t *want = malloc(KEYS * sizeof(*want)), old;
	uint64_t seed = 12345;
	struct live l;

	(void)state;
	assert_int_equal(live_init(&l), 0);
	for (int i = 0; i < KEYS; i++)
		want[i] = LIVE_NONE;
	for (int i = 0; i < STEPS; i++) {
		uint32_t k;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		k = (uint32_t)(seed >> 33) % KEYS;
		if (seed >> 63) {
			assert_int_equal(live_put(&l, k * 24ull, (uint32_t)i, &old), 0);
			assert_int_equal(old, want[k]);
			want[k] = (uint32_t)i;
		} else {
			assert_int_equal(live_take(&l, k * 24ull), want[k]);
			want[k] = LIVE_NONE;
		}
	}
	live_destroy(&l);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_objects_alloc_and_free_balance_per_cache,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_objects_free_is_charged_to_allocating_site,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_objects_mismatches_are_counted_by_kind, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_objects_large_kmalloc_traced_twice_is_one,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_objects_refused_allocation_is_nothing_live,
						setup, teardown),
		cmocka_unit_test(test_live_random_operations_match_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
