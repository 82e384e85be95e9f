/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Damage found and told: by whom, to what, where. */
#include "slabs.h"

enum {
	ALL = RMM_SLAB_DEBUG_FLAGS,
	NO_ZONE = RMM_SLAB_CONSISTENCY_CHECKS | RMM_SLAB_POISON | RMM_SLAB_STORE_USER,
};

struct damage {
	const char *name;
	unsigned int flags, size;
	int at;	   /* byte that is written, from the object's first */
	bool live; /* before the object is freed, or after */
	int err;   /* of the free */
	const char *says;
};

/* Bytes behind: 8 of right zone, free pointer, two tracks, padding */
static const struct damage damages[] = {
	{"right zone", ALL, 64, 64, true, -EUCLEAN, "overrun: byte 64 is 0x99, not 0xcc"},
	{"zone's end", ALL, 64, 71, true, -EUCLEAN, "overrun: byte 71"},
	{"odd size", ALL, 61, 61, true, -EUCLEAN, "overrun: byte 61"},
	{"left zone", ALL, 64, -1, true, -EUCLEAN, "overrun to the left: byte -1"},
	{"left end", ALL, 64, -8, true, -EUCLEAN, "overrun to the left: byte -8"},
	{"padding", ALL, 64, 64 + 8 + 8 + 64, true, -EUCLEAN, "write far off the object"},
	{"first byte", ALL, 64, 0, false, 0, "use after free: byte 0 is 0x99, not 0x6b"},
	{"last byte", ALL, 64, 63, false, 0, "use after free: byte 63 is 0x99, not 0xa5"},
	{"free zone", ALL, 64, 64, false, 0, "overrun: byte 64 is 0x99, not 0xbb"},
	{"pointer", ALL, 64, 64 + 8 + 7, false, 0, "free pointer overwritten"},
	{"no poison", RMM_SLAB_RED_ZONE, 64, 64, true, -EUCLEAN, "overrun"},
	{"only poison", RMM_SLAB_POISON, 64, 9, false, 0, "use after free: byte 9"},
	{"live pointer", ALL, 64, 64 + 8 + 7, true, -EUCLEAN, "free pointer overwritten: overrun"},
	{"no zone", NO_ZONE, 64, 64, true, -EUCLEAN, "free pointer overwritten: overrun"},
	{"rounding", NO_ZONE, 60, 61, true, -EUCLEAN,
	 "alignment padding: byte 61 is 0x99, not 0x5a"},
	{"its end", NO_ZONE, 60, 63, true, -EUCLEAN, "alignment padding: byte 63"},
	{"free rounding", NO_ZONE, 60, 60, false, 0, "alignment padding: byte 60"},
};

static void test_debug_damage_is_found_and_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		const struct damage *d = &damages[i];
		struct rmm *rmm = slabs(true);
		struct rmm_kmem_cache *s = cache_of(rmm, "foo", d->size, d->flags);
		uint8_t *a = take(rmm, s), *b = take(rmm, s), *c;

		if (d->live)
			a[d->at] = 0x99;
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, a), d->err);
		if (!d->live) {
			a[d->at] = 0x99;
			c = take(rmm, s); /* of another slab: that one is not trusted */
			assert_non_null(c);
			assert_true(rmm_virt_to_slab(rmm_slab_layer(rmm), (uintptr_t)c) !=
				    rmm_virt_to_slab(rmm_slab_layer(rmm), (uintptr_t)a));
			give(rmm, s, c);
		}
		if (!strstr(rmm_last_error(rmm), d->says))
			fail_msg("%s: says '%s'", d->name, rmm_last_error(rmm));
		/* It was put right: the second free succeeds. */
		if (d->live)
			give(rmm, s, a);
		give(rmm, s, b);
		check_destroy(rmm);
	}
}

static void test_debug_damaged_slab_keeps_its_cache_and_is_named(void **state)
{
	struct rmm *rmm = slabs(true);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, ALL);
	uint8_t *a = take(rmm, s), *b, *live = take(rmm, s);
	unsigned long long pfn =
		(unsigned long long)(rmm_virt_to_slab(rmm_slab_layer(rmm), (uintptr_t)a) -
				     rmm_slab_layer(rmm)->slabs);
	char words[80];

	(void)state;
	give(rmm, s, a);
	a[0] = 0x99;
	b = take(rmm, s); /* damage is seen; b is of another slab */
	give(rmm, s, live);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), -EBUSY);
	assert_non_null(strstr(rmm_last_error(rmm), "1 objects are in use, and a slab is damaged"));
	give(rmm, s, b);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), -EBUSY);
	snprintf(words, sizeof(words), "its slab at pfn %llu is damaged", pfn);
	assert_non_null(strstr(rmm_last_error(rmm), words));
	check_destroy(rmm);
}

static void test_debug_live_object_that_looks_free_keeps_its_cache(void **state)
{
	struct rmm *rmm = slabs(true);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);
	uintptr_t a = (uintptr_t)take(rmm, s);

	(void)state;
	rmm_set_freepointer(s, rmm_virt_to_slab(rmm_slab_layer(rmm), a), a, 0);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), -EBUSY);
	assert_non_null(strstr(rmm_last_error(rmm), "1 objects are in use, and were written to"));
	rmm_destroy(rmm);
}

static void test_debug_errors_name_object_slab_cache_and_owners(void **state)
{
	(void)state;
	for (int backed = 0; backed < 2; backed++) {
		struct rmm *rmm = slabs(backed);
		struct rmm_kmem_cache *s = cache_of(rmm, "dentry", 192, RMM_SLAB_STORE_USER);
		void *a;

		rmm_set_caller(rmm, 0, 12);
		assert_non_null(take(rmm, s));
		a = take(rmm, s);
		rmm_set_caller(rmm, 0, 99);
		give(rmm, s, a);
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, a), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), "double free (object 1 of the slab at "
							    "pfn "));
		assert_non_null(strstr(rmm_last_error(rmm), "cache dentry); allocated by 12 on CPU "
							    "0 at 2, freed by 99 on CPU 0 at 3"));
		/* Into the middle of an object: it is that one's owner who is told. */
		assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, (char *)a + 8), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), "no object begins there (object 1 of"));
		assert_non_null(strstr(rmm_last_error(rmm), "; allocated by 12 on CPU 0 at 2"));
		check_destroy(rmm);
	}
}

static void test_debug_kmalloc_zone_begins_where_the_request_ends(void **state)
{
	struct rmm_kmem_cache_args args = {
		.name = "kmalloc-64", .size = 64, .align = 64, .flags = ALL | RMM_SLAB_KMALLOC};
	struct rmm *rmm = slabs(true);
	struct rmm_kmem_cache *s = rmm_kmem_cache_create(rmm, &args);
	uint8_t *a = rmm_slab_alloc(rmm, 0, s, RMM_GFP_KERNEL | RMM_GFP_ZERO, 50);

	(void)state;
	assert_int_equal(a[49], 0);
	assert_int_equal((uintptr_t)a % 64, 0);
	assert_int_equal(info_of(rmm, s).requested_bytes, 50);
	a[50] = 1;
	assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, a), -EUCLEAN);
	assert_non_null(strstr(rmm_last_error(rmm), "overrun: byte 50 is 0x01"));
	a[49] = 1;
	give(rmm, s, a);
	assert_int_equal(info_of(rmm, s).requested_bytes, 0);
	check_destroy(rmm);
}

static void test_debug_waste_behind_the_last_object_is_watched(void **state)
{
	struct rmm *rmm = slabs(true);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 1000, RMM_SLAB_POISON);
	uint8_t *a = take(rmm, s);
	struct rmm_slab *slab = rmm_virt_to_slab(rmm_slab_layer(rmm), (uintptr_t)a);

	(void)state;
	assert_true(s->oo.objects * s->size < PAGE << s->oo.order);
	((uint8_t *)slab->base)[s->oo.objects * s->size] = 0;
	assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, a), -EUCLEAN);
	assert_non_null(strstr(rmm_last_error(rmm), "behind the slab's last object"));
	give(rmm, s, a);
	check_destroy(rmm);
}

static void test_debug_double_free_is_seen_wherever_the_object_waits(void **state)
{
	static const struct {
		enum rmm_sheaves sheaves;
		unsigned int debug, cpu;
	} cases[] = {
		{RMM_SHEAVES_OFF, 0, 0},   {RMM_SHEAVES_OFF, 0, 1},
		{RMM_SHEAVES_ALL, 0, 0},   {RMM_SHEAVES_ALL, 0, 1},
		{RMM_SHEAVES_OFF, ALL, 0}, {RMM_SHEAVES_OFF, RMM_SLAB_CONSISTENCY_CHECKS, 1},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		size_t k = i / 2;
		struct slabs w;
		struct rmm *rmm;
		struct rmm_kmem_cache *s;
		void *a;

		slabs_init(&w, 2, i & 1);
		w.m.config.nr_cpus = 2;
		w.config.sheaves = cases[k].sheaves;
		w.config.debug = cases[k].debug;
		rmm = slabs_boot(&w);
		s = cache_of(rmm, "foo", 64, 0);
		assert_non_null(take(rmm, s));
		a = take(rmm, s);
		assert_int_equal(rmm_kmem_cache_free(rmm, cases[k].cpu, s, a), 0);
		for (unsigned int cpu = 0; cpu < 2; cpu++)
			assert_int_equal(rmm_kmem_cache_free(rmm, cpu, s, a), -EINVAL);
		assert_int_equal(rmm_kfree_rcu(rmm, 0, a), -EINVAL);
		check_destroy(rmm);
	}
}

static void test_debug_user_bytes_are_no_free_pointer(void **state)
{
	struct rmm *rmm = slabs(true);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 8, 0);
	uint64_t *a = take(rmm, s), *b = take(rmm, s);
	const uint64_t words[] = {0, ~0ull, (uintptr_t)a, (uintptr_t)b, s->random, 0x6b6b6b6b};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		*a = words[i];
		give(rmm, s, a);
		assert_ptr_equal(take(rmm, s), a);
	}
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debug_damage_is_found_and_told),
		cmocka_unit_test(test_debug_errors_name_object_slab_cache_and_owners),
		cmocka_unit_test(test_debug_damaged_slab_keeps_its_cache_and_is_named),
		cmocka_unit_test(test_debug_live_object_that_looks_free_keeps_its_cache),
		cmocka_unit_test(test_debug_kmalloc_zone_begins_where_the_request_ends),
		cmocka_unit_test(test_debug_waste_behind_the_last_object_is_watched),
		cmocka_unit_test(test_debug_double_free_is_seen_wherever_the_object_waits),
		cmocka_unit_test(test_debug_user_bytes_are_no_free_pointer),
	};

	return RUN(tests);
}
