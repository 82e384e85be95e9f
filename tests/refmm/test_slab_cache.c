/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Caches begin, are shared, are shrunk, end. */
#include "slabs.h"

static void ctor(void *object)
{
	memset(object, 0x77, 8);
}

static struct rmm_kmem_cache *create(struct rmm *rmm, struct rmm_kmem_cache_args args)
{
	if (!args.name)
		args.name = "two";
	return rmm_kmem_cache_create(rmm, &args);
}

static void test_cache_alike_ones_are_merged(void **state)
{
	static const struct {
		struct rmm_kmem_cache_args first, second;
		bool merged;
	} cases[] = {
		{{.size = 64}, {.size = 64}, true},
		{{.size = 64}, {.size = 57}, true},
		{{.size = 64}, {.size = 56}, false},
		{{.size = 64}, {.size = 65}, false},
		{{.size = 64}, {.size = 60, .flags = RMM_SLAB_HWCACHE_ALIGN}, true},
		{{.size = 72}, {.size = 72, .flags = RMM_SLAB_HWCACHE_ALIGN}, false},
		{{.size = 96}, {.size = 96, .align = 32}, true},
		{{.size = 96}, {.size = 96, .align = 64}, false},
		{{.size = 64}, {.size = 64, .ctor = ctor}, false},
		{{.size = 64, .ctor = ctor}, {.size = 72}, false},
		{{.size = 64}, {.size = 64, .usersize = 8}, false},
		{{.size = 64, .usersize = 8}, {.size = 64}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_NO_MERGE}, false},
		{{.size = 64, .flags = RMM_SLAB_NO_MERGE}, {.size = 64}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_RECLAIM_ACCOUNT}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_CACHE_DMA}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_CACHE_DMA32}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_ACCOUNT}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_PANIC}, true},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_TYPESAFE_BY_RCU}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_RED_ZONE}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_POISON}, false},
		{{.size = 64}, {.size = 64, .flags = RMM_SLAB_STORE_USER}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = slabs(false);
		struct rmm_kmem_cache *one = create(rmm, cases[i].first);
		struct rmm_kmem_cache *two = create(rmm, cases[i].second);

		assert_non_null(one);
		assert_non_null(two);
		if ((one == two) != cases[i].merged)
			fail_msg("case %zu: merged %d", i, one == two);
		assert_int_equal(info_of(rmm, one).aliases, cases[i].merged);
		check_destroy(rmm);
	}
}

static void test_cache_nomerge_and_sheaves_keep_caches_apart(void **state)
{
	const struct rmm_kmem_cache_args plain = {.size = 64};
	const struct rmm_kmem_cache_args sheaf = {.size = 64, .sheaf_capacity = 32};
	struct slabs w;
	struct rmm *rmm;

	(void)state;
	slabs_init(&w, 1, false);
	w.config.nomerge = true;
	rmm = slabs_boot(&w);
	assert_ptr_not_equal(create(rmm, plain), create(rmm, plain));
	check_destroy(rmm);
	w.config.nomerge = false;
	w.config.sheaves = RMM_SHEAVES_CHOSEN;
	rmm = slabs_boot(&w);
	assert_ptr_not_equal(create(rmm, plain), create(rmm, sheaf));
	assert_ptr_not_equal(create(rmm, sheaf), create(rmm, sheaf));
	check_destroy(rmm);
	w.config.sheaves = RMM_SHEAVES_ALL;
	rmm = slabs_boot(&w);
	assert_ptr_equal(create(rmm, plain), create(rmm, sheaf));
	check_destroy(rmm);
}

static void test_cache_alias_grows_and_goes_last(void **state)
{
	struct rmm *rmm = slabs(true);
	struct rmm_kmem_cache *s = cache_of(rmm, "one", 57, 0);
	uint8_t *object;

	(void)state;
	assert_ptr_equal(cache_of(rmm, "two", 64, 0), s);
	assert_int_equal(info_of(rmm, s).object_size, 64);
	object = rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_KERNEL);
	memset(object, 1, 64);
	give(rmm, s, object);
	object = rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_KERNEL | RMM_GFP_ZERO);
	for (int i = 0; i < 64; i++)
		assert_int_equal(object[i], 0);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
	assert_ptr_equal(rmm_kmem_cache_find(rmm, "one"), s);
	give(rmm, s, object);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
	assert_null(rmm_kmem_cache_find(rmm, "one"));
	check_destroy(rmm);
}

static void test_cache_absurd_requests_are_refused(void **state)
{
	static const struct {
		struct rmm_kmem_cache_args args;
		const char *why;
	} cases[] = {
		{{.name = "", .size = 8}, "no name"},
		{{.name = "a", .size = 0}, "size"},
		{{.name = "a", .size = (4u << 20) + 1}, "size"},
		{{.name = "a", .size = UINT32_MAX}, "size"},
		{{.name = "a", .size = 8, .align = 24}, "align"},
		{{.name = "a", .size = 8, .align = 8u << 20}, "align"},
		{{.name = "a", .size = 8, .flags = 1u << 30}, "flag"},
		{{.name = "a", .size = 8, .usersize = 9}, "usersize"},
		{{.name = "a", .size = 8, .sheaf_capacity = 5000}, "sheaf_capacity"},
		{{.name = "a", .size = 16, .use_freeptr_offset = true}, "freeptr_offset"},
		{{.name = "a",
		  .size = 16,
		  .flags = RMM_SLAB_TYPESAFE_BY_RCU,
		  .use_freeptr_offset = true,
		  .freeptr_offset = 4},
		 "freeptr_offset"},
		{{.name = "a",
		  .size = 16,
		  .flags = RMM_SLAB_TYPESAFE_BY_RCU,
		  .use_freeptr_offset = true,
		  .freeptr_offset = 16},
		 "freeptr_offset"},
		{{.name = "a", .size = 4u << 20, .flags = RMM_SLAB_RED_ZONE}, "no slab holds"},
	};
	struct rmm *rmm = slabs(false);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(rmm_kmem_cache_create(rmm, &cases[i].args));
		assert_non_null(strstr(rmm_last_error(rmm), cases[i].why));
	}
	assert_null(rmm_kmem_cache_create(rmm, NULL));
	assert_null(rmm_kmem_cache_find(rmm, "a"));
	check_destroy(rmm);
}

static void test_cache_with_live_objects_is_not_destroyed(void **state)
{
	struct rmm *rmm = slabs(true);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, RMM_SLAB_STORE_USER);
	void *a = take(rmm, s), *b;

	(void)state;
	rmm_set_caller(rmm, 0, 4711);
	b = take(rmm, s);
	give(rmm, s, a);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), -EBUSY);
	assert_non_null(strstr(rmm_last_error(rmm), "1 objects are in use"));
	assert_non_null(strstr(rmm_last_error(rmm), "allocated by 4711 on CPU 0"));
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 7, s), -EINVAL);
	give(rmm, s, b);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, NULL), 0);
	check_destroy(rmm);
}

static void test_cache_records_come_back(void **state)
{
	struct slabs w;
	struct rmm *rmm;
	size_t before;

	(void)state;
	slabs_init(&w, 2, false);
	w.config.freelist_random = true;
	w.config.sheaves = RMM_SHEAVES_ALL;
	rmm = slabs_boot(&w);
	before = rmm_slab_meta_used(rmm_slab_layer(rmm));
	for (int i = 0; i < 3; i++) {
		struct rmm_kmem_cache *s = cache_of(rmm, "foo", 200, 0);
		void *objects[200];

		for (int k = 0; k < 200; k++)
			objects[k] = take(rmm, s);
		for (int k = 0; k < 200; k++)
			give(rmm, s, objects[k]);
		assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
		assert_int_equal(rmm_slab_meta_used(rmm_slab_layer(rmm)), before);
	}
	check_destroy(rmm);
}

static void test_cache_shrink_sorts_the_fullest_first(void **state)
{
	struct rmm *rmm = slabs(false);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 256, 0); /* 16 to a page */
	static void *o[16 * 12];
	const struct rmm_slab *slab;
	unsigned int free = 0;

	(void)state;
	for (int i = 0; i < 16 * 12; i++)
		o[i] = take(rmm, s);
	/* Slab k loses k + 1 objects; the last four lose all of theirs. */
	for (int k = 0; k < 12; k++)
		for (int i = 0; i < (k < 8 ? k + 1 : 16); i++)
			give(rmm, s, o[16 * k + i]);
	assert_int_equal(rmm_kmem_cache_shrink(rmm, 0, s), 1);
	assert_int_equal(info_of(rmm, s).slabs, 8);
	assert_int_equal(info_of(rmm, s).cpu_slabs, 0);
	for (slab = s->node[0].partial.first; slab; slab = slab->next) {
		struct rmm_slab_word word = rmm_slab_word(slab);

		assert_int_equal(word.objects - word.inuse, ++free);
	}
	assert_int_equal(free, 8);
	for (int k = 0; k < 8; k++)
		for (int i = k + 1; i < 16; i++)
			give(rmm, s, o[16 * k + i]);
	assert_int_equal(rmm_kmem_cache_shrink(rmm, 0, s), 0);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cache_alike_ones_are_merged),
		cmocka_unit_test(test_cache_nomerge_and_sheaves_keep_caches_apart),
		cmocka_unit_test(test_cache_alias_grows_and_goes_last),
		cmocka_unit_test(test_cache_absurd_requests_are_refused),
		cmocka_unit_test(test_cache_with_live_objects_is_not_destroyed),
		cmocka_unit_test(test_cache_records_come_back),
		cmocka_unit_test(test_cache_shrink_sorts_the_fullest_first),
	};

	return RUN(tests);
}
