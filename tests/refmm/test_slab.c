/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Begin and end of the slab layer, and objects given out and back. */
#include "slabs.h"

enum { MANY = 3000 };

static void test_slab_objects_are_distinct_and_come_back(void **state)
{
	static void *objects[MANY];

	(void)state;
	for (int backed = 0; backed < 2; backed++) {
		struct rmm *rmm = slabs(backed);
		struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);

		for (int i = 0; i < MANY; i++) {
			objects[i] = take(rmm, s);
			assert_non_null(objects[i]);
			if (backed)
				memset(objects[i], i, 64);
		}
		check(rmm);
		assert_int_equal(info_of(rmm, s).objects, MANY);
		for (int i = 0; i < MANY; i++) {
			if (backed)
				assert_int_equal(((uint8_t *)objects[i])[63], i & 255);
			give(rmm, s, objects[i]);
		}
		assert_int_equal(info_of(rmm, s).objects, 0);
		check(rmm);
		assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
		rmm_drain_all_pages(rmm, 0);
		assert_int_equal(rmm_nr_free_pages(rmm), 4 * BLOCK);
		check_destroy(rmm);
	}
}

static void test_slab_double_free_is_refused(void **state)
{
	(void)state;
	for (int backed = 0; backed < 2; backed++) {
		struct rmm *rmm = slabs(backed);
		struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);
		void *a = take(rmm, s), *b = take(rmm, s);

		give(rmm, s, a);
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, a), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), "double free"));
		give(rmm, s, b);
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, a), -EINVAL);
		check_destroy(rmm);
	}
}

static void test_slab_foreign_pointers_are_refused(void **state)
{
	(void)state;
	for (int backed = 0; backed < 2; backed++) {
		struct rmm *rmm = slabs(backed);
		struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);
		struct rmm_kmem_cache *other = cache_of(rmm, "bar", 128, 0);
		char *a = take(rmm, s);

		assert_int_equal(rmm_kmem_cache_free(rmm, 0, other, a), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), "freed to bar"));
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, a + 8), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), "no object begins"));
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, a + 65536), -EINVAL);
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, &rmm), -EINVAL);
		assert_int_equal(rmm_kmem_cache_free(rmm, 7, s, a), -EINVAL);
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, NULL), 0);
		give(rmm, s, a);
		check_destroy(rmm);
	}
}

static void test_slab_init_refuses_bad_configurations(void **state)
{
	struct slabs w;
	struct rmm *rmm;

	(void)state;
	slabs_init(&w, 1, false);
	rmm = machine_boot(&w.m);
	w.config.max_order = 99;
	assert_int_equal(rmm_kmem_cache_init(rmm, &w.config), -EINVAL);
	w.config.max_order = 1;
	w.config.min_order = 2;
	assert_int_equal(rmm_kmem_cache_init(rmm, &w.config), -EINVAL);
	assert_null(
		rmm_kmem_cache_create(rmm, &(struct rmm_kmem_cache_args){.name = "a", .size = 8}));
	assert_int_equal(rmm_kmem_cache_init(rmm, NULL), 0);
	assert_int_equal(rmm_kmem_cache_init(rmm, NULL), -EBUSY);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slab_objects_are_distinct_and_come_back),
		cmocka_unit_test(test_slab_double_free_is_refused),
		cmocka_unit_test(test_slab_foreign_pointers_are_refused),
		cmocka_unit_test(test_slab_init_refuses_bad_configurations),
	};

	return RUN(tests);
}
