/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How large objects become and how many make a slab; whole kernels' worth of
 * such numbers is in test_slab_sysfs.c. */
#include "slabs.h"

static struct rmm_kmem_cache_info made(struct rmm *rmm, const struct rmm_kmem_cache_args *args)
{
	struct rmm_kmem_cache *s = rmm_kmem_cache_create(rmm, args);

	if (!s)
		fail_msg("%s", rmm_last_error(rmm));
	return info_of(rmm, s);
}

static void ctor(void *object)
{
	(void)object;
}

static void test_size_flags_make_room_behind_the_object(void **state)
{
	static const struct {
		struct rmm_kmem_cache_args args;
		unsigned int size, offset, left;
	} cases[] = {
		{{.size = 60}, 64, 24, 0},
		{{.size = 8}, 8, 0, 0},
		{{.size = 1}, 8, 0, 0},
		{{.size = 64, .ctor = ctor}, 72, 64, 0},
		{{.size = 64, .flags = RMM_SLAB_TYPESAFE_BY_RCU}, 72, 64, 0},
		{{.size = 64,
		  .flags = RMM_SLAB_TYPESAFE_BY_RCU,
		  .use_freeptr_offset = true,
		  .freeptr_offset = 16},
		 64,
		 16,
		 0},
		{{.size = 64, .flags = RMM_SLAB_POISON}, 72, 64, 0},
		/* pad 8, right zone 8, left zone 8 */
		{{.size = 64, .flags = RMM_SLAB_RED_ZONE}, 88, 32, 8},
		{{.size = 60, .flags = RMM_SLAB_RED_ZONE}, 80, 24, 8},
		{{.size = 4, .flags = RMM_SLAB_RED_ZONE}, 32, 8, 8},
		{{.size = 64, .flags = RMM_SLAB_STORE_USER}, 128, 32, 0},
		{{.size = 64, .flags = RMM_SLAB_STORE_USER | RMM_SLAB_KMALLOC}, 136, 32, 0},
		{{.size = 64,
		  .align = 64,
		  .flags = RMM_SLAB_RED_ZONE | RMM_SLAB_STORE_USER | RMM_SLAB_KMALLOC},
		 256,
		 72,
		 64},
		{{.size = 64, .align = 64, .flags = RMM_SLAB_POISON}, 128, 64, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = slabs(true);
		struct rmm_kmem_cache_args args = cases[i].args;
		struct rmm_kmem_cache *s;

		args.name = "foo";
		s = rmm_kmem_cache_create(rmm, &args);
		assert_non_null(s);
		assert_int_equal(s->size, cases[i].size);
		assert_int_equal(s->offset, cases[i].offset);
		assert_int_equal(s->red_left_pad, cases[i].left);
		check_destroy(rmm);
	}
}

static void test_size_alignment_follows_request_and_cache_line(void **state)
{
	static const struct {
		unsigned int flags, align, size, expect;
	} cases[] = {
		{0, 0, 100, 8},
		{0, 4, 100, 8},
		{0, 32, 100, 32},
		{RMM_SLAB_HWCACHE_ALIGN, 0, 100, 64},
		{RMM_SLAB_HWCACHE_ALIGN, 0, 33, 64},
		{RMM_SLAB_HWCACHE_ALIGN, 0, 32, 32},
		{RMM_SLAB_HWCACHE_ALIGN, 0, 16, 16},
		{RMM_SLAB_HWCACHE_ALIGN, 0, 3, 8},
		{RMM_SLAB_HWCACHE_ALIGN, 128, 16, 128},
	};
	struct rmm_slab_config c;

	(void)state;
	rmm_slab_config_init(&c);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
			rmm_calculate_alignment(&c, cases[i].flags, cases[i].align, cases[i].size),
			cases[i].expect);
}

/* By hand from the rule; the kernels' own numbers are in tests/data */
static void test_size_order_grows_with_cpus_and_waste(void **state)
{
	static const struct {
		unsigned int size, cpus, max_order;
		bool order_61;
		unsigned int order, objects;
	} cases[] = {
		{64, 2, 3, false, 0, 64},
		{256, 2, 3, false, 0, 16},
		{512, 2, 3, false, 1, 16}, /* min_objects 12 */
		{512, 8, 3, false, 2, 32}, /* 20 */
		{512, 64, 3, false, 2, 32},
		{512, 8192, 3, false, 3, 64}, /* 60 */
		{2048, 2, 3, false, 3, 16},
		{8192, 2, 3, false, 3, 4},
		{8192, 2, 0, false, 1, 1}, /* max_order holds none */
		{5000, 2, 3, false, 3, 6},
		{5000, 2, 2, false, 2, 3},
		/* 3 in 8 KiB waste 1/9; 6 in 32 KiB 1/12 */
		{2600, 2, 3, false, 3, 12},
		{5888, 2, 3, true, 3, 5},
		/* 2 in 32 KiB waste a third: 6.1 takes one in 16 KiB */
		{10928, 2, 3, true, 2, 1},
		{10928, 2, 3, false, 3, 2},
		{16392, 2, 3, false, 3, 1},
		{1048576, 2, 3, false, 8, 1},
		{4194304, 2, 3, false, 10, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_kmem_cache_args args = {.name = "foo", .size = cases[i].size};
		struct rmm_kmem_cache_info info;
		struct slabs w;
		struct rmm *rmm;

		slabs_init(&w, 4, false);
		w.config.nr_cpus = cases[i].cpus;
		w.config.max_order = cases[i].max_order;
		w.config.order_61 = cases[i].order_61;
		rmm = slabs_boot(&w);
		info = made(rmm, &args);
		if (info.order != cases[i].order || info.objs_per_slab != cases[i].objects)
			fail_msg("size %u: order %u, %u objects, not %u, %u", args.size, info.order,
				 info.objs_per_slab, cases[i].order, cases[i].objects);
		check_destroy(rmm);
	}
}

static void test_size_min_order_and_min_objects_are_obeyed(void **state)
{
	struct rmm_kmem_cache_args args = {.name = "foo", .size = 1024};
	struct slabs w;
	struct rmm *rmm;

	(void)state;
	slabs_init(&w, 4, false);
	w.config.min_order = 2;
	w.config.min_objects = 1;
	rmm = slabs_boot(&w);
	assert_int_equal(made(rmm, &args).order, 2);
	check_destroy(rmm);
	w.config.min_order = 0;
	rmm = slabs_boot(&w);
	assert_int_equal(made(rmm, &args).order, 0);
	check_destroy(rmm);
	/* No more objects than the slab's word can count */
	args.size = 8;
	w.config.max_order = 10;
	w.config.min_order = 8;
	rmm = slabs_boot(&w);
	assert_int_equal(made(rmm, &args).order, 5);
	assert_int_equal(made(rmm, &args).objs_per_slab, 16384);
	check_destroy(rmm);
}

static void test_size_partial_limits_follow_object_size(void **state)
{
	static const struct {
		unsigned int size, cpu_partial, min_partial;
	} cases[] = {
		{8, 120, 5},   {64, 120, 5},  {248, 120, 5}, {256, 52, 5},  {1000, 52, 5},
		{1024, 24, 5}, {4000, 24, 5}, {4096, 6, 6},  {65536, 6, 8}, {1048576, 6, 10},
	};
	struct rmm *rmm = slabs(false);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_kmem_cache_args args = {
			.name = "foo", .size = cases[i].size, .flags = RMM_SLAB_NO_MERGE};
		struct rmm_kmem_cache_info info = made(rmm, &args);

		assert_int_equal(info.cpu_partial, cases[i].cpu_partial);
		assert_int_equal(info.cpu_partial_slabs,
				 (2 * info.cpu_partial + info.objs_per_slab - 1) /
					 info.objs_per_slab);
		assert_int_equal(info.min_partial, cases[i].min_partial);
	}
	check_destroy(rmm);
}

static void test_size_reciprocal_divides_exactly(void **state)
{
	static const unsigned int sizes[] = {8,	   24,	  40,	 56,	96,	 104,	  192,
					     360,  616,	  632,	 1120,	2600,	 5888,	  8184,
					     8192, 65528, 65536, 99992, 1048576, 4194296, 4194304};
	struct rmm *rmm = slabs(false);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct rmm_kmem_cache *s = cache_of(rmm, "foo", sizes[i], RMM_SLAB_NO_MERGE);
		const struct rmm_slab slab = {.base = 4096};
		uint64_t bytes = 1ull << RMM_SLAB_MAX_SHIFT, most = s->size * 32767ull;

		bytes = bytes < most ? bytes : most;

		for (uint64_t at = 0; at < bytes; at += sizes[i] / 7 + 1)
			assert_int_equal(rmm_obj_to_index(s, &slab, 4096 + at), at / s->size);
		for (uint64_t at = s->size; at < bytes; at += s->size)
			assert_int_equal(rmm_obj_to_index(s, &slab, 4096 + at - 1),
					 at / s->size - 1);
	}
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_flags_make_room_behind_the_object),
		cmocka_unit_test(test_size_alignment_follows_request_and_cache_line),
		cmocka_unit_test(test_size_order_grows_with_cpus_and_waste),
		cmocka_unit_test(test_size_min_order_and_min_objects_are_obeyed),
		cmocka_unit_test(test_size_partial_limits_follow_object_size),
		cmocka_unit_test(test_size_reciprocal_divides_exactly),
	};

	return RUN(tests);
}
