/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every step that may fail, one after the other; afterwards all is as before. */
#include "slabs.h"

enum { OBJECTS = 40 };

/* Everything about a cache and its machine that a failed call must not change */
struct state {
	struct rmm_kmem_cache_info info;
	uint64_t free_pages, meta;
};

static struct state state_of(struct rmm *rmm, const struct rmm_kmem_cache *s)
{
	struct state st;

	memset(&st, 0, sizeof(st));
	if (s)
		rmm_kmem_cache_info(rmm, s, &st.info);
	rmm_drain_all_pages(rmm, 0);
	st.free_pages = rmm_nr_free_pages(rmm);
	st.meta = rmm_slab_meta_used(rmm_slab_layer(rmm));
	return st;
}

static void fail_nth(struct rmm *rmm, unsigned int points, uint64_t nth)
{
	const struct rmm_fault fault = {.points = points, .nth = nth};

	rmm_set_fault(rmm, nth ? &fault : NULL);
}

static void test_fault_create_fails_at_each_step_without_a_trace(void **state)
{
	struct rmm_kmem_cache_args args = {.name = "foo", .size = 100, .sheaf_capacity = 9};
	struct rmm_kmem_cache *s = NULL;
	struct slabs w;
	struct rmm *rmm;
	struct state before;
	unsigned int nth;

	(void)state;
	slabs_init(&w, 2, false);
	w.m.config.nr_cpus = 3;
	w.config.freelist_random = true;
	w.config.sheaves = RMM_SHEAVES_CHOSEN;
	rmm = slabs_boot(&w);
	before = state_of(rmm, NULL);
	for (nth = 1; !s && nth < 50; nth++) {
		struct state after;

		fail_nth(rmm, RMM_FAULT_SLAB, nth);
		s = rmm_kmem_cache_create(rmm, &args);
		fail_nth(rmm, 0, 0);
		after = state_of(rmm, NULL);
		if (!s) {
			assert_memory_equal(&before, &after, sizeof(after));
			assert_non_null(strstr(rmm_last_error(rmm), "out of memory"));
			check(rmm);
		}
	}
	/* cache, name, CPUs, nodes, random order, three sheaves; then none */
	assert_int_equal(nth - 1, 9);
	check_destroy(rmm);
}

/* Configurations in which an allocation takes different steps */
static void configure(struct slabs *w, int which)
{
	slabs_init(w, 2, which & 1);
	w->config.sheaves = which & 2 ? RMM_SHEAVES_ALL : RMM_SHEAVES_OFF;
	w->config.debug = which & 4 ? RMM_SLAB_DEBUG_FLAGS : 0;
	w->config.cpu_partial = which & 8;
}

static void test_fault_alloc_fails_at_each_step_without_a_trace(void **state)
{
	static const unsigned int points[] = {RMM_FAULT_SLAB, RMM_FAULT_ALLOC, RMM_FAULT_RMQUEUE};

	(void)state;
	for (int i = 0; i < 48; i++) {
		struct slabs w;
		struct rmm *rmm;
		struct rmm_kmem_cache *s;
		struct state before;
		unsigned int failed = 0;

		configure(&w, i % 16);
		rmm = slabs_boot(&w);
		s = cache_of(rmm, "foo", 1024, 0);
		before = state_of(rmm, s);
		for (uint64_t nth = 1; nth < 8; nth++) {
			struct state after;
			void *object;

			fail_nth(rmm, points[i / 16], nth);
			object = take(rmm, s);
			fail_nth(rmm, 0, 0);
			check(rmm);
			if (object)
				give(rmm, s, object);
			failed += !object;
			rmm_kmem_cache_shrink(rmm, 0, s);
			after = state_of(rmm, s);
			after.meta = before.meta; /* empty sheaves stay */
			assert_memory_equal(&before, &after, sizeof(after));
		}
		/* The page side has two tries, and two ways. */
		assert_true(failed || points[i / 16] != RMM_FAULT_SLAB);
		check_destroy(rmm);
	}
}

static void test_fault_bulk_gives_all_or_none(void **state)
{
	void *objects[OBJECTS];

	(void)state;
	for (int i = 0; i < 16; i++) {
		struct slabs w;
		struct rmm *rmm;
		struct rmm_kmem_cache *s;
		size_t got = 0;

		configure(&w, i);
		rmm = slabs_boot(&w);
		s = cache_of(rmm, "foo", 1024, 0);
		for (uint64_t nth = 1; !got && nth < 400; nth++) {
			fail_nth(rmm, RMM_FAULT_SLAB, nth);
			got = rmm_kmem_cache_alloc_bulk(rmm, 0, s, RMM_GFP_KERNEL, OBJECTS,
							objects);
			fail_nth(rmm, 0, 0);
			check(rmm);
			assert_int_equal(info_of(rmm, s).objects, got);
			assert_true(got == 0 || got == OBJECTS);
		}
		assert_int_equal(got, OBJECTS);
		assert_int_equal(rmm_kmem_cache_free_bulk(rmm, 0, s, got, objects), 0);
		assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
		check_destroy(rmm);
	}
}

static void test_fault_free_bulk_frees_what_is_right(void **state)
{
	struct rmm *rmm = slabs(false);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);
	void *objects[4] = {take(rmm, s), NULL, &rmm, take(rmm, s)};

	(void)state;
	assert_int_equal(rmm_kmem_cache_free_bulk(rmm, 0, NULL, 4, objects), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "not in this machine"));
	assert_int_equal(info_of(rmm, s).objects, 0);
	check_destroy(rmm);
}

static void test_fault_nofail_does_not_fail(void **state)
{
	struct rmm *rmm = slabs(false);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);

	(void)state;
	give(rmm, s, take(rmm, s));
	fail_nth(rmm, RMM_FAULT_SLAB, 1);
	assert_non_null(rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_KERNEL | RMM_GFP_NOFAIL));
	assert_null(rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_KERNEL));
	assert_null(rmm_kmem_cache_alloc(rmm, 5, s, RMM_GFP_KERNEL));
	check_destroy(rmm);
}

static void test_fault_nofail_is_for_the_second_try_only(void **state)
{
	struct rmm *rmm = slabs(false);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);

	(void)state;
	fail_nth(rmm, RMM_FAULT_ALLOC, 1);
	assert_non_null(rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_KERNEL | RMM_GFP_NOFAIL));
	assert_int_equal(counts_of(rmm, s).order_fallback, 1);
	check_destroy(rmm);
}

static void test_fault_kfree_rcu_without_memory_frees_at_once(void **state)
{
	struct rmm *rmm = slabs(false);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);
	void *object = take(rmm, s);

	(void)state;
	fail_nth(rmm, RMM_FAULT_SLAB, 1);
	assert_int_equal(rmm_kfree_rcu(rmm, 0, object), 0);
	assert_int_equal(info_of(rmm, s).objects, 0);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_create_fails_at_each_step_without_a_trace),
		cmocka_unit_test(test_fault_alloc_fails_at_each_step_without_a_trace),
		cmocka_unit_test(test_fault_bulk_gives_all_or_none),
		cmocka_unit_test(test_fault_free_bulk_frees_what_is_right),
		cmocka_unit_test(test_fault_nofail_does_not_fail),
		cmocka_unit_test(test_fault_nofail_is_for_the_second_try_only),
		cmocka_unit_test(test_fault_kfree_rcu_without_memory_frees_at_once),
	};

	return RUN(tests);
}
