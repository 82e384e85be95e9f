/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kmalloc(), krealloc(), kfree() and what they refuse: refmm/kmalloc.c,
 * kmalloc_large.c, kmalloc_account.c.
 */
#include <stdlib.h>

#include "kmalloc.h"

static bool all_bytes(const unsigned char *p, size_t n, unsigned char value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): a name, and a loop's parts */
/* With memory behind it and without */
#define BOTH(rmm)                                                                                  \
	for (int backed_ = 0; backed_ < 2; backed_++)                                              \
		for (struct rmm *rmm = kmalloc_machine(backed_); rmm;                              \
		     check_destroy(rmm), rmm = NULL)
/* NOLINTEND(bugprone-macro-parentheses) */

static void test_kmalloc_objects_do_not_overlap(void **state)
{
	(void)state;
	BOTH(rmm)
	{
		uintptr_t last = 0;

		for (int i = 0; i < 1000; i++) {
			uintptr_t p = (uintptr_t)rmm_kmalloc(rmm, 0, 100, KERNEL);

			assert_true(p && (p - last >= 128 || last - p >= 128));
			last = p;
		}
		assert_int_equal(live_objects(rmm), 1000);
	}
}

static void test_kmalloc_nothing_is_the_zero_size_pointer(void **state)
{
	(void)state;
	BOTH(rmm)
	{
		assert_ptr_equal(rmm_kmalloc(rmm, 0, 0, KERNEL), RMM_ZERO_SIZE_PTR);
		assert_ptr_equal(rmm_kcalloc(rmm, 0, 0, 8, KERNEL), RMM_ZERO_SIZE_PTR);
		assert_int_equal(rmm_kfree(rmm, 0, RMM_ZERO_SIZE_PTR), 0);
		assert_int_equal(rmm_kfree(rmm, 0, NULL), 0);
		assert_int_equal(rmm_ksize(rmm, RMM_ZERO_SIZE_PTR), 0);
		assert_int_equal(rmm_ksize(rmm, NULL), 0);
		assert_int_equal(live_objects(rmm), 0);
	}
}

static void test_kmalloc_ksize_is_what_roundup_says(void **state)
{
	(void)state;
	BOTH(rmm)
	{
		for (size_t size = 1; size <= 4u << 20; size += size / 5 + 1) {
			void *p = rmm_kmalloc(rmm, 0, size, KERNEL);

			assert_non_null(p);
			assert_int_equal(rmm_ksize(rmm, p), rmm_kmalloc_size_roundup(rmm, size));
			assert_int_equal(rmm_kfree(rmm, 0, p), 0);
		}
	}
}

static void test_kmalloc_large_requests_take_a_block_of_pages(void **state)
{
	static const struct {
		size_t size;
		unsigned int order;
	} cases[] = {{8193, 2}, {16384, 2}, {16385, 3}, {65536, 4}, {1 << 20, 8}, {4 << 20, 10}};

	(void)state;
	BOTH(rmm)
	{
		uint64_t free = rmm_nr_free_pages(rmm);

		rmm_drain_all_pages(rmm, 0);
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			void *p = rmm_kmalloc(rmm, 0, cases[i].size, KERNEL);
			struct rmm_page *page = rmm_virt_to_page(rmm, (uintptr_t)p);

			assert_true(rmm_PageHead(rmm, page));
			assert_int_equal(rmm_compound_order(rmm, page), cases[i].order);
			assert_int_equal(rmm_kfree(rmm, 0, p), 0);
			assert_int_equal(rmm_page_count(rmm, page), 0);
		}
		rmm_drain_all_pages(rmm, 0);
		assert_int_equal(rmm_nr_free_pages(rmm), free);
		assert_null(rmm_kmalloc(rmm, 0, (4 << 20) + 1, KERNEL));
		says(rmm, "cannot kmalloc 4194305 bytes: a block has at most 4194304");
	}
}

static void test_kmalloc_products_that_overflow_are_refused(void **state)
{
	(void)state;
	BOTH(rmm)
	{
		void *p = rmm_kmalloc_array(rmm, 0, 10, 10, KERNEL);

		assert_int_equal(rmm_ksize(rmm, p), 128);
		assert_null(rmm_kmalloc_array(rmm, 0, SIZE_MAX / 2, 3, KERNEL));
		says(rmm, "cannot kmalloc 9223372036854775807 objects of 3 bytes: over 2^64");
		assert_null(rmm_kcalloc(rmm, 0, SIZE_MAX, SIZE_MAX, KERNEL));
		assert_int_equal(live_objects(rmm), 1);
	}
}

static void test_kzalloc_memory_used_before_is_zero(void **state)
{
	struct rmm *rmm = kmalloc_machine(true);

	(void)state;
	for (size_t size = 1; size <= 100000; size += size / 3 + 1) {
		size_t slot = rmm_kmalloc_size_roundup(rmm, size);
		unsigned char *p = rmm_kmalloc(rmm, 0, size, KERNEL);

		memset(p, 0xff, slot);
		rmm_kfree(rmm, 0, p);
		p = rmm_kzalloc(rmm, 0, size, KERNEL);
		assert_true(all_bytes(p, slot, 0));
		memset(p, 0xff, slot);
		rmm_kfree(rmm, 0, p);
		p = rmm_kcalloc(rmm, 0, size, 1, KERNEL);
		assert_true(all_bytes(p, size, 0));
		rmm_kfree(rmm, 0, p);
	}
	check_destroy(rmm);
}

static void test_krealloc_stays_while_the_slot_holds_it(void **state)
{
	(void)state;
	BOTH(rmm)
	{
		void *p = rmm_krealloc(rmm, 0, NULL, 65, KERNEL), *q;

		for (size_t size = 1; size <= 96; size++)
			assert_ptr_equal(rmm_krealloc(rmm, 0, p, size, KERNEL), p);
		q = rmm_krealloc(rmm, 0, p, 97, KERNEL);
		assert_ptr_not_equal(q, p);
		assert_int_equal(rmm_ksize(rmm, q), 128);
		assert_int_equal(live_objects(rmm), 1);
		assert_ptr_equal(rmm_krealloc(rmm, 0, q, 0, KERNEL), RMM_ZERO_SIZE_PTR);
		assert_int_equal(live_objects(rmm), 0);
		p = rmm_krealloc(rmm, 0, RMM_ZERO_SIZE_PTR, 5, KERNEL);
		assert_int_equal(rmm_ksize(rmm, p), 8);
	}
}

static void test_krealloc_keeps_content_from_class_to_pages(void **state)
{
	struct rmm *rmm = kmalloc_machine(true);
	unsigned char *p = NULL;

	(void)state;
	for (size_t size = 1; size < 1 << 20; size = size * 2 + 1) {
		unsigned char *q = rmm_krealloc(rmm, 0, p, size, KERNEL);

		assert_non_null(q);
		assert_true(all_bytes(q, size / 2, 0x3c));
		p = memset(q, 0x3c, size);
	}
	assert_int_equal(live_objects(rmm), 0); /* a block of pages is none */
	assert_int_equal(rmm_kfree(rmm, 0, p), 0);
	check_destroy(rmm);
}

static void test_krealloc_zero_clears_what_is_left_of_the_slot(void **state)
{
	struct rmm *rmm = kmalloc_machine(true);
	unsigned char *p = memset(rmm_kmalloc(rmm, 0, 64, KERNEL), 0xff, 64);

	(void)state;
	assert_ptr_equal(rmm_krealloc(rmm, 0, p, 20, KERNEL | RMM_GFP_ZERO), p);
	assert_true(all_bytes(p, 20, 0xff));
	assert_true(all_bytes(p + 20, 44, 0));
	p = rmm_krealloc(rmm, 0, p, 300, KERNEL | RMM_GFP_ZERO);
	assert_true(all_bytes(p, 20, 0xff));
	assert_true(all_bytes(p + 20, 492, 0));
	check_destroy(rmm);
}

static void test_krealloc_without_memory_changes_nothing(void **state)
{
	struct rmm *rmm = kmalloc_machine(true);
	unsigned char *p = memset(rmm_kmalloc(rmm, 0, 64, KERNEL), 0x11, 64);

	(void)state;
	rmm_set_fault(rmm, &(struct rmm_fault){.points = RMM_FAULT_SLAB | RMM_FAULT_ALLOC,
					       .probability = 1000000});
	assert_null(rmm_krealloc(rmm, 0, p, 100, KERNEL));
	assert_null(rmm_krealloc(rmm, 0, p, 100000, KERNEL));
	assert_null(rmm_kmalloc(rmm, 0, 100, KERNEL));
	assert_ptr_equal(rmm_krealloc(rmm, 0, p, 60, KERNEL), p);
	rmm_set_fault(rmm, NULL);
	assert_true(all_bytes(p, 64, 0x11));
	assert_int_equal(rmm_kfree(rmm, 0, p), 0);
	check_destroy(rmm);
}

static void refused(struct rmm *rmm, uintptr_t p, const char *words)
{
	if (!p)
		return;
	assert_int_equal(rmm_kfree(rmm, 0, (void *)p), -EINVAL);
	says(rmm, words);
	check(rmm);
}

static void test_kfree_of_wrong_pointers_is_refused_in_words(void **state)
{
	(void)state;
	BOTH(rmm)
	{
		uintptr_t large = (uintptr_t)rmm_kmalloc(rmm, 0, 20000, KERNEL);
		uintptr_t object = (uintptr_t)rmm_kmalloc(rmm, 0, 100, KERNEL);
		uintptr_t pages = rmm___get_free_pages(rmm, 0, KERNEL | RMM_GFP_COMP, 3);

		refused(rmm, 4096, "not in this machine's memory");
		refused(rmm, rmm->page_offset - 8, "not in this machine's memory");
		refused(rmm, large + 8, "inside a block of 20000 bytes; free its first byte");
		refused(rmm, large + 8192, "inside a block of 20000 bytes; free its first byte");
		refused(rmm, pages, "order 3 that kmalloc() did not give");
		refused(rmm, pages + 4096, "that kmalloc() did not give");
		refused(rmm, object + 8, "kmalloc-128");
		assert_int_equal(rmm_kfree(rmm, 0, (void *)object), 0);
		refused(rmm, object, "double free");
		assert_int_equal(rmm_kfree(rmm, 0, (void *)large), 0);
		refused(rmm, large, "is free (double free");
		assert_int_equal(rmm_kfree(rmm, 7, (void *)pages), -EINVAL);
		says(rmm, "on CPU 7: there are 1");
		rmm_free_pages_addr(rmm, 0, pages, 3);
	}
}

static void test_kmalloc_wrong_pointers_have_no_size(void **state)
{
	(void)state;
	BOTH(rmm)
	{
		char *object = rmm_kmalloc(rmm, 0, 100, KERNEL);
		char *large = rmm_kmalloc(rmm, 0, 20000, KERNEL);

		assert_int_equal(rmm_ksize(rmm, object + 1), 0);
		assert_int_equal(rmm_ksize(rmm, large + 4096), 0);
		assert_int_equal(rmm_ksize(rmm, (void *)4096), 0);
		assert_null(rmm_krealloc(rmm, 0, object + 1, 10, KERNEL));
		says(rmm, "kmalloc() did not give it");
		assert_int_equal(rmm_ksize(rmm, object), 128);
	}
}

static void test_kmalloc_before_the_caches_are_there_is_refused(void **state)
{
	struct rmm *rmm = machine(8, true);

	(void)state;
	assert_null(rmm_kmalloc(rmm, 0, 8, KERNEL));
	says(rmm, "call rmm_kmem_cache_init() first");
	assert_int_equal(rmm_kfree(rmm, 0, (void *)4096), -EINVAL);
	assert_null(rmm_kmalloc_slab(rmm, 8, KERNEL));
	assert_int_equal(rmm_ksize(rmm, (void *)4096), 0);
	check_destroy(rmm);
}

/* Every kmalloc() of a run in which memory is short, until one fails */
static void test_kmalloc_all_memory_can_be_had_and_given_back(void **state)
{
	(void)state;
	BOTH(rmm)
	{
		static void *held[8192];
		uint64_t free = rmm_nr_free_pages(rmm);
		unsigned int n = 0;

		while (n < 8192 && (held[n] = rmm_kmalloc(rmm, 0, 4096, KERNEL)) != NULL)
			n++;
		assert_in_range(n, 8 * BLOCK - 8, 8 * BLOCK);
		while (n > 0)
			assert_int_equal(rmm_kfree(rmm, 0, held[--n]), 0);
		for (struct rmm_kmem_cache *s = rmm_kmem_cache_next(rmm, NULL); s;
		     s = rmm_kmem_cache_next(rmm, s))
			rmm_kmem_cache_shrink(rmm, 0, s);
		rmm_drain_all_pages(rmm, 0);
		assert_int_equal(rmm_nr_free_pages(rmm), free);
	}
}

static struct rmm *accounting(void)
{
	struct rmm_slab_config c;
	struct machine m;

	machine_init(&m, 8);
	m.config.nr_cpus = 2;
	rmm_slab_config_init(&c);
	c.kmalloc_account = true;
	return kmalloc_boot(&m, &c);
}

/* The row of @name; also the sum of what there is in all of them */
static struct rmm_kmalloc_usage usage(const struct rmm *rmm, const char *name, uint64_t *sum)
{
	struct rmm_kmalloc_usage u, found = {0};
	unsigned int n = 0;

	for (*sum = 0; rmm_kmalloc_usage(rmm, n, &u); n++) {
		*sum += u.requested_bytes;
		if (!strcmp(u.name, name))
			found = u;
	}
	assert_int_equal(n, 4 * 13 + 1);
	return found;
}

static void test_kmalloc_account_knows_what_was_asked_for(void **state)
{
	struct rmm *rmm = accounting();
	struct rmm_kmalloc_usage u;
	uint64_t sum;
	void *p[3];

	(void)state;
	p[0] = rmm_kmalloc(rmm, 0, 40, KERNEL);
	p[1] = rmm_kmalloc(rmm, 1, 50, KERNEL);
	p[2] = rmm_kmalloc(rmm, 0, 9000, KERNEL);
	rmm_kmalloc(rmm, 0, 50, KERNEL | RMM_GFP_ACCOUNT);
	u = usage(rmm, "kmalloc-64", &sum);
	assert_int_equal(sum, 40 + 50 + 9000 + 50);
	assert_true(u.objects == 2 && u.requested_bytes == 90 && u.given_bytes == 128);
	u = usage(rmm, "pages", &sum);
	assert_true(u.objects == 1 && u.requested_bytes == 9000 && u.given_bytes == 16384);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rmm_kfree(rmm, 1, p[i]), 0);
	assert_int_equal(rmm_kfree(rmm, 1, p[0]), -EINVAL); /* and counts nothing */
	u = usage(rmm, "kmalloc-64", &sum);
	assert_true(sum == 50 && u.objects == 0 && u.given_bytes == 0);
	check_destroy(rmm);
}

/* An object that left by another door counts until its slot is used anew. */
static void test_kmalloc_account_mends_what_bypassed_it(void **state)
{
	struct rmm *rmm = accounting();
	struct rmm_kmem_cache *s = rmm_kmalloc_slab(rmm, 40, KERNEL);
	void *p = rmm_kmalloc(rmm, 0, 40, KERNEL);
	uint64_t sum;

	(void)state;
	assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, p), 0);
	assert_ptr_equal(rmm_kmalloc(rmm, 0, 60, KERNEL), p);
	assert_int_equal(usage(rmm, "kmalloc-64", &sum).objects, 1);
	assert_int_equal(sum, 60);
	check_destroy(rmm);
}

static void test_kmalloc_account_not_asked_for_has_no_rows(void **state)
{
	struct rmm *rmm = kmalloc_machine(false);
	struct rmm_kmalloc_usage u;

	(void)state;
	assert_false(rmm_kmalloc_usage(rmm, 0, &u));
	check_destroy(rmm);
}

/* All that ksize() allows, or, where the request is kept, what was asked for */
static void test_kzalloc_clears_the_slot_with_debugging_too(void **state)
{
	static const struct {
		unsigned int debug;
		size_t zero;
	} cases[] = {
		{RMM_SLAB_POISON, 128},
		{RMM_SLAB_POISON | RMM_SLAB_CONSISTENCY_CHECKS, 128},
		{RMM_SLAB_POISON | RMM_SLAB_RED_ZONE, 128},
		{RMM_SLAB_POISON | RMM_SLAB_STORE_USER, 100},
		{RMM_SLAB_DEBUG_FLAGS, 100},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_slab_config c;
		struct machine m;
		unsigned char *p;
		struct rmm *rmm;

		machine_init(&m, 8);
		m.config.backed = true;
		rmm_slab_config_init(&c);
		c.debug = cases[i].debug;
		rmm = kmalloc_boot(&m, &c);
		p = rmm_kzalloc(rmm, 0, 100, KERNEL);
		assert_true(all_bytes(p, cases[i].zero, 0));
		assert_int_equal(p[127] == 0, cases[i].zero == 128);
		assert_int_equal(rmm_kfree(rmm, 0, p), 0);
		check_destroy(rmm);
	}
}

static void test_ksize_leaves_out_the_red_zone(void **state)
{
	struct rmm_slab_config c;
	struct machine m;
	struct rmm *rmm;

	(void)state;
	rmm_slab_config_init(&c);
	c.debug = RMM_SLAB_RED_ZONE;
	machine_init(&m, 8);
	rmm = kmalloc_boot(&m, &c);
	assert_int_equal(rmm_ksize(rmm, rmm_kmalloc(rmm, 0, 40, KERNEL)), 64);
	check_destroy(rmm);
}

/* Neither given out again by its old address, nor freed twice; @debug or not */
static void test_kmalloc_use_realloc_of_what_is_free_is_refused(void **state)
{
	struct rmm_slab_config c;
	struct machine m;

	(void)state;
	rmm_slab_config_init(&c);
	for (int debug = 0; debug < 2; debug++) {
		struct rmm *rmm;
		void *p;

		machine_init(&m, 8);
		m.config.backed = true;
		c.debug = debug ? RMM_SLAB_DEBUG_FLAGS : 0;
		rmm = kmalloc_boot(&m, &c);
		p = rmm_kmalloc(rmm, 0, 100, KERNEL);
		assert_ptr_equal(rmm_krealloc(rmm, 0, p, 101, KERNEL), p);
		assert_int_equal(rmm_kfree(rmm, 0, p), 0);
		assert_null(rmm_krealloc(rmm, 0, p, 90, KERNEL));
		says(rmm, "cannot krealloc");
		says(rmm, "it is free");
		assert_null(rmm_krealloc(rmm, 0, p, 900, KERNEL));
		assert_null(rmm_krealloc(rmm, 0, p, 0, KERNEL));
		assert_int_equal(live_objects(rmm), 0);
		check_destroy(rmm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kzalloc_clears_the_slot_with_debugging_too),
		cmocka_unit_test(test_ksize_leaves_out_the_red_zone),
		cmocka_unit_test(test_kmalloc_use_realloc_of_what_is_free_is_refused),
		cmocka_unit_test(test_kmalloc_objects_do_not_overlap),
		cmocka_unit_test(test_kmalloc_nothing_is_the_zero_size_pointer),
		cmocka_unit_test(test_kmalloc_ksize_is_what_roundup_says),
		cmocka_unit_test(test_kmalloc_large_requests_take_a_block_of_pages),
		cmocka_unit_test(test_kmalloc_products_that_overflow_are_refused),
		cmocka_unit_test(test_kzalloc_memory_used_before_is_zero),
		cmocka_unit_test(test_krealloc_stays_while_the_slot_holds_it),
		cmocka_unit_test(test_krealloc_keeps_content_from_class_to_pages),
		cmocka_unit_test(test_krealloc_zero_clears_what_is_left_of_the_slot),
		cmocka_unit_test(test_krealloc_without_memory_changes_nothing),
		cmocka_unit_test(test_kfree_of_wrong_pointers_is_refused_in_words),
		cmocka_unit_test(test_kmalloc_wrong_pointers_have_no_size),
		cmocka_unit_test(test_kmalloc_before_the_caches_are_there_is_refused),
		cmocka_unit_test(test_kmalloc_all_memory_can_be_had_and_given_back),
		cmocka_unit_test(test_kmalloc_account_knows_what_was_asked_for),
		cmocka_unit_test(test_kmalloc_account_mends_what_bypassed_it),
		cmocka_unit_test(test_kmalloc_account_not_asked_for_has_no_rows),
	};

	return RUN(tests);
}
