/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sheaves, and what waits for a grace period. */
#include "slabs.h"

enum { CAPACITY = 8, MANY = 600 };

static void *o[MANY];

static struct rmm *sheaf_machine(enum rmm_sheaves which, unsigned int cpus)
{
	struct slabs w;

	slabs_init(&w, 4, false);
	w.m.config.nr_cpus = cpus;
	w.config.sheaves = which;
	return slabs_boot(&w);
}

static struct rmm_kmem_cache *sheaf_cache(struct rmm *rmm, unsigned int capacity,
					  unsigned int flags)
{
	struct rmm_kmem_cache_args args = {
		.name = "foo", .size = 64, .sheaf_capacity = capacity, .flags = flags};
	struct rmm_kmem_cache *s = rmm_kmem_cache_create(rmm, &args);

	assert_non_null(s);
	return s;
}

static void test_sheaf_capacity_follows_version_size_and_wish(void **state)
{
	static const struct {
		enum rmm_sheaves which;
		unsigned int size, asked, flags, capacity;
	} cases[] = {
		{RMM_SHEAVES_OFF, 64, 32, 0, 0},
		{RMM_SHEAVES_CHOSEN, 64, 0, 0, 0},
		{RMM_SHEAVES_CHOSEN, 64, 32, 0, 32},
		{RMM_SHEAVES_CHOSEN, 64, 32, RMM_SLAB_STORE_USER, 0},
		/* as many as fill a kmalloc object of 64, 128, 256, 512 bytes */
		{RMM_SHEAVES_ALL, 4096, 0, 0, 4},
		{RMM_SHEAVES_ALL, 1024, 0, 0, 12},
		{RMM_SHEAVES_ALL, 256, 0, 0, 28},
		{RMM_SHEAVES_ALL, 64, 0, 0, 60},
		/* or as many as were asked for, if these are more */
		{RMM_SHEAVES_ALL, 1024, 11, 0, 12},
		{RMM_SHEAVES_ALL, 1024, 13, 0, 13},
		{RMM_SHEAVES_ALL, 256, 32, 0, 32},
		{RMM_SHEAVES_ALL, 64, 100, 0, 100},
		{RMM_SHEAVES_ALL, 64, 0, RMM_SLAB_POISON, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = sheaf_machine(cases[i].which, 1);
		struct rmm_kmem_cache_args args = {.name = "foo",
						   .size = cases[i].size,
						   .flags = cases[i].flags,
						   .sheaf_capacity = cases[i].asked};
		struct rmm_kmem_cache_info info = info_of(rmm, rmm_kmem_cache_create(rmm, &args));

		assert_int_equal(info.sheaf_capacity, cases[i].capacity);
		if (cases[i].which == RMM_SHEAVES_ALL)
			assert_int_equal(info.cpu_partial, 0);
		check_destroy(rmm);
	}
}

static void test_sheaf_objects_come_back_last_in_first_out(void **state)
{
	struct rmm *rmm = sheaf_machine(RMM_SHEAVES_CHOSEN, 1);
	struct rmm_kmem_cache *s = sheaf_cache(rmm, CAPACITY, 0);

	(void)state;
	o[0] = take(rmm, s);
	o[1] = take(rmm, s);
	assert_int_equal(counts_of(rmm, s).sheaf_refill, CAPACITY);
	give(rmm, s, o[0]);
	give(rmm, s, o[1]);
	assert_ptr_equal(take(rmm, s), o[1]);
	assert_ptr_equal(take(rmm, s), o[0]);
	assert_int_equal(counts_of(rmm, s).alloc_pcs, 4);
	assert_int_equal(counts_of(rmm, s).free_pcs, 2);
	check_destroy(rmm);
}

static void test_sheaf_of_one_object_is_used_up_too(void **state)
{
	struct rmm *rmm = sheaf_machine(RMM_SHEAVES_CHOSEN, 1);
	struct rmm_kmem_cache *s = sheaf_cache(rmm, 1, 0);

	(void)state;
	for (int i = 0; i < 4; i++)
		o[i] = take(rmm, s);
	for (int i = 0; i < 2; i++)
		give(rmm, s, o[i]);
	assert_int_equal(s->cpu[0].spare->size, 1);
	for (int i = 0; i < 2; i++)
		take(rmm, s);
	assert_int_equal(s->cpu[0].spare->size, 0);
	assert_int_equal(counts_of(rmm, s).sheaf_refill, 4);
	assert_int_equal(counts_of(rmm, s).barn_get_fail, 4);
	check_destroy(rmm);
}

static void test_sheaf_atomic_request_takes_what_is_there_and_fills_none(void **state)
{
	struct rmm *rmm = sheaf_machine(RMM_SHEAVES_CHOSEN, 1);
	struct rmm_kmem_cache *s = sheaf_cache(rmm, CAPACITY, 0);

	(void)state;
	for (int i = 0; i < 3; i++)
		o[i] = rmm_kmem_cache_alloc(rmm, 0, s, i ? RMM_GFP_NOWAIT : RMM_GFP_ATOMIC);
	assert_non_null(o[2]);
	assert_int_equal(counts_of(rmm, s).sheaf_refill, 0);
	assert_int_equal(counts_of(rmm, s).alloc_pcs, 0);
	assert_int_equal(counts_of(rmm, s).barn_get_fail, 3);
	/* What the barn has is to be had without waiting. */
	for (int i = 0; i < 12 * CAPACITY; i++)
		o[i] = take(rmm, s);
	for (int i = 0; i < 12 * CAPACITY; i++)
		give(rmm, s, o[i]);
	assert_int_equal(s->node[0].nr_full, 10);
	for (int i = 0; i < 12 * CAPACITY; i++)
		assert_non_null(rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_ATOMIC));
	assert_int_equal(counts_of(rmm, s).alloc_pcs, 24 * CAPACITY);
	assert_int_equal(s->node[0].nr_full, 0);
	check_destroy(rmm);
}

static void test_sheaf_atomic_request_fills_it_where_all_caches_have_one(void **state)
{
	struct rmm *rmm = sheaf_machine(RMM_SHEAVES_ALL, 1);
	struct rmm_kmem_cache *s = sheaf_cache(rmm, 0, 0);

	(void)state;
	assert_non_null(rmm_kmem_cache_alloc(rmm, 0, s, 0));
	assert_int_equal(counts_of(rmm, s).sheaf_refill, 0);
	assert_non_null(rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_ATOMIC));
	assert_int_equal(counts_of(rmm, s).sheaf_refill, 60);
	check_destroy(rmm);
}

static void test_sheaf_full_ones_go_to_spare_barn_and_slabs(void **state)
{
	struct rmm *rmm = sheaf_machine(RMM_SHEAVES_CHOSEN, 1);
	struct rmm_kmem_cache *s = sheaf_cache(rmm, CAPACITY, 0);
	struct rmm_slab_stat stat;

	(void)state;
	for (int i = 0; i < 200; i++)
		o[i] = take(rmm, s);
	assert_int_equal(s->cpu[0].main->size, 0);
	assert_int_equal(counts_of(rmm, s).sheaf_refill, 200);
	/* Two full sheaves of its own, ten in the barn: 96; then to slabs */
	for (int i = 0; i < 12 * CAPACITY; i++)
		give(rmm, s, o[i]);
	stat = counts_of(rmm, s);
	assert_int_equal(s->node[0].nr_full, 10);
	assert_int_equal(stat.barn_put, 10);
	assert_int_equal(stat.sheaf_flush, 0);
	give(rmm, s, o[12 * CAPACITY]);
	stat = counts_of(rmm, s);
	assert_int_equal(stat.barn_put_fail, 1);
	assert_int_equal(stat.sheaf_flush, CAPACITY);
	check(rmm);
	assert_int_equal(info_of(rmm, s).objects, 200 - 12 * CAPACITY - 1);
	/* They come back: main, spare, then the barn's. */
	for (int i = 0; i < 11 * CAPACITY + 1; i++)
		take(rmm, s);
	stat = counts_of(rmm, s);
	assert_int_equal(stat.barn_get, 10);
	assert_int_equal(stat.sheaf_refill, 200);
	assert_true(stat.sheaf_swap >= 1);
	check_destroy(rmm);
}

static void test_sheaf_producer_and_consumer_meet_at_the_barn(void **state)
{
	struct rmm *rmm = sheaf_machine(RMM_SHEAVES_ALL, 2);
	struct rmm_kmem_cache *s = sheaf_cache(rmm, 0, 0);

	(void)state;
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < MANY; i++)
			o[i] = rmm_kmem_cache_alloc(rmm, 0, s, RMM_GFP_KERNEL);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(rmm_kmem_cache_free(rmm, 1, s, o[i]), 0);
	}
	assert_true(counts_of(rmm, s).barn_get > 100);
	/* Slabs were touched in the first round, and no more than that later. */
	assert_true(info_of(rmm, s).slabs < 16);
	assert_int_equal(info_of(rmm, s).cpu_slabs, 0);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
	check_destroy(rmm);
}

static void test_sheaf_other_nodes_objects_pass_it_by(void **state)
{
	static const uint8_t node[2] = {0, 1};
	struct slabs w;
	struct rmm *rmm;
	struct rmm_kmem_cache *s;

	(void)state;
	slabs_init(&w, 2, false);
	machine_zone(&w.m, 1, RMM_ZONE_NORMAL, 2 * BLOCK, 2 * BLOCK);
	w.m.config.nr_cpus = 2;
	w.m.config.cpu_node = node;
	w.config.sheaves = RMM_SHEAVES_ALL;
	rmm = slabs_boot(&w);
	s = sheaf_cache(rmm, 0, 0);
	o[0] = take(rmm, s);
	assert_int_equal(rmm_kmem_cache_free(rmm, 1, s, o[0]), 0);
	assert_int_equal(counts_of(rmm, s).free_pcs, 0);
	o[0] = rmm_kmem_cache_alloc_node(rmm, 0, s, RMM_GFP_KERNEL, 1);
	assert_int_equal(rmm_virt_to_slab(rmm_slab_layer(rmm), (uintptr_t)o[0])->node, 1);
	give(rmm, s, o[0]);
	/* Nor does it wait with others: what the barn gives is the node's own. */
	for (int i = 0; i < 3 * 60; i++)
		o[i] = rmm_kmem_cache_alloc_node(rmm, 0, s, RMM_GFP_KERNEL, 1);
	for (int i = 0; i < 3 * 60; i++)
		assert_int_equal(rmm_kfree_rcu(rmm, 0, o[i]), 0);
	assert_null(s->cpu[0].rcu_free);
	rmm_rcu_barrier(rmm, 0);
	assert_int_equal(s->node[0].nr_full, 0);
	assert_int_equal(info_of(rmm, s).objects, 0);
	check_destroy(rmm);
}

static void test_sheaf_of_rcu_objects_waits_as_one(void **state)
{
	struct rmm *rmm = sheaf_machine(RMM_SHEAVES_CHOSEN, 1);
	struct rmm_kmem_cache *s = sheaf_cache(rmm, CAPACITY, 0);

	(void)state;
	for (int i = 0; i < 3 * CAPACITY; i++)
		o[i] = take(rmm, s);
	for (int i = 0; i < CAPACITY + 2; i++)
		assert_int_equal(rmm_kfree_rcu(rmm, 0, o[i]), 0);
	assert_int_equal(info_of(rmm, s).objects, 3 * CAPACITY);
	check(rmm);
	rmm_rcu_barrier(rmm, 0);
	assert_int_equal(info_of(rmm, s).objects, 2 * CAPACITY - 2);
	assert_int_equal(s->node[0].nr_full, 1);
	check_destroy(rmm);
}

static void test_sheaf_of_rcu_objects_does_not_keep_the_cache(void **state)
{
	struct slabs w;
	struct rmm *rmm;
	struct rmm_kmem_cache *s;

	(void)state;
	slabs_init(&w, 2, true);
	w.m.config.nr_cpus = 2;
	w.m.config.threads = true;
	w.config.sheaves = RMM_SHEAVES_ALL;
	rmm = slabs_boot(&w);
	s = sheaf_cache(rmm, 0, RMM_SLAB_TYPESAFE_BY_RCU);
	o[0] = take(rmm, s);
	assert_int_equal(rmm_kfree_rcu(rmm, 1, o[0]), 0);
	/* A barrier does not look into another thread's CPU; a destroy does. */
	rmm_rcu_barrier(rmm, 0);
	assert_int_equal(info_of(rmm, s).objects, 1);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm_nr_free_pages(rmm), 2 * BLOCK);
	check_destroy(rmm);
}

static void test_rcu_object_is_in_use_until_the_barrier(void **state)
{
	(void)state;
	for (int backed = 0; backed < 2; backed++) {
		struct rmm *rmm = slabs(backed);
		struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, 0);

		for (int i = 0; i < MANY; i++)
			o[i] = take(rmm, s);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(rmm_kfree_rcu(rmm, 0, o[i]), 0);
		assert_int_equal(rmm_kfree_rcu(rmm, 0, NULL), 0);
		assert_int_equal(rmm_kfree_rcu(rmm, 0, &rmm), -EINVAL);
		assert_int_equal(rmm_kfree_rcu(rmm, 0, (char *)o[1] + 8), -EINVAL);
		assert_int_equal(rmm_kfree_rcu(rmm, 9, o[1]), -EINVAL);
		assert_int_equal(info_of(rmm, s).objects, MANY);
		assert_int_equal(rmm_rcu_barrier(rmm, 9), -EINVAL);
		assert_int_equal(info_of(rmm, s).objects, MANY);
		rmm_rcu_barrier(rmm, 0);
		assert_int_equal(info_of(rmm, s).objects, 0);
		check_destroy(rmm);
	}
}

static void test_rcu_object_that_came_twice_is_told_by_the_barrier(void **state)
{
	static const enum rmm_sheaves cases[] = {RMM_SHEAVES_OFF, RMM_SHEAVES_ALL};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rmm *rmm = sheaf_machine(cases[i], 1);
		struct rmm_kmem_cache *s = sheaf_cache(rmm, 0, 0);

		o[0] = take(rmm, s);
		o[1] = take(rmm, s);
		assert_int_equal(rmm_kfree_rcu(rmm, 0, o[0]), 0);
		assert_int_equal(rmm_rcu_barrier(rmm, 0), 0);
		for (int k = 0; k < 2; k++)
			assert_int_equal(rmm_kfree_rcu(rmm, 0, o[1]), 0);
		assert_int_equal(rmm_rcu_barrier(rmm, 0), -EINVAL);
		assert_non_null(strstr(rmm_last_error(rmm), "double free (object "));
		assert_int_equal(info_of(rmm, s).objects, 0);
		assert_int_equal(rmm_rcu_barrier(rmm, 0), 0);
		check_destroy(rmm);
	}
}

static void test_rcu_large_objects_wait_too(void **state)
{
	struct rmm *rmm = slabs(false);
	uintptr_t at = (uintptr_t)rmm_kmalloc(rmm, 0, 8 * PAGE, RMM_GFP_KERNEL);

	(void)state;
	assert_int_equal(rmm_kfree_rcu(rmm, 0, (void *)(at + PAGE)), -EINVAL);
	assert_int_equal(rmm_kfree_rcu(rmm, 0, (void *)at), 0);
	rmm_drain_all_pages(rmm, 0);
	assert_true(rmm_nr_free_pages(rmm) < 4 * BLOCK);
	rmm_rcu_barrier(rmm, 0);
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm_nr_free_pages(rmm), 4 * BLOCK);
	check_destroy(rmm);
}

static void test_rcu_typesafe_slabs_stay_until_the_barrier(void **state)
{
	struct rmm *rmm = slabs(true);
	struct rmm_kmem_cache *s = cache_of(rmm, "foo", 64, RMM_SLAB_TYPESAFE_BY_RCU);
	uint64_t before;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		o[i] = take(rmm, s);
		memset(o[i], 0x42, 64);
	}
	for (int i = 0; i < MANY; i++)
		give(rmm, s, o[i]);
	rmm_kmem_cache_shrink(rmm, 0, s);
	rmm_drain_all_pages(rmm, 0);
	before = rmm_nr_free_pages(rmm);
	assert_true(before <= 4 * BLOCK - MANY / 64);
	assert_int_equal(info_of(rmm, s).slabs, 0);
	/* Readers still find an object of this type, its bytes untouched. */
	for (int i = 0; i < 64; i++)
		assert_int_equal(((uint8_t *)o[1])[i], 0x42);
	check(rmm);
	rmm_rcu_barrier(rmm, 0);
	rmm_drain_all_pages(rmm, 0);
	assert_int_equal(rmm_nr_free_pages(rmm), 4 * BLOCK);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sheaf_capacity_follows_version_size_and_wish),
		cmocka_unit_test(test_sheaf_objects_come_back_last_in_first_out),
		cmocka_unit_test(test_sheaf_of_one_object_is_used_up_too),
		cmocka_unit_test(test_sheaf_atomic_request_takes_what_is_there_and_fills_none),
		cmocka_unit_test(test_sheaf_atomic_request_fills_it_where_all_caches_have_one),
		cmocka_unit_test(test_sheaf_full_ones_go_to_spare_barn_and_slabs),
		cmocka_unit_test(test_sheaf_producer_and_consumer_meet_at_the_barn),
		cmocka_unit_test(test_sheaf_other_nodes_objects_pass_it_by),
		cmocka_unit_test(test_sheaf_of_rcu_objects_waits_as_one),
		cmocka_unit_test(test_sheaf_of_rcu_objects_does_not_keep_the_cache),
		cmocka_unit_test(test_rcu_object_is_in_use_until_the_barrier),
		cmocka_unit_test(test_rcu_object_that_came_twice_is_told_by_the_barrier),
		cmocka_unit_test(test_rcu_large_objects_wait_too),
		cmocka_unit_test(test_rcu_typesafe_slabs_stay_until_the_barrier),
	};

	return RUN(tests);
}
