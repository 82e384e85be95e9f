/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layers side by side on one machine: what one of them has, no other takes back,
 * and all of them end together.
 */
#include "vm.h"

#include "../../refmm/kmalloc.h"
#include "../../refmm/stack.h"

#define KERNEL RMM_GFP_KERNEL

/* All layers; @backed: their memory is real */
static struct rmm *all_layers(bool backed, const struct rmm_slab_config *slab)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 16);
	m.config.nr_cpus = 2;
	if (backed)
		vm_backed(&m);
	rmm = vm_boot(&m, NULL);
	assert_int_equal(rmm_kmem_cache_init(rmm, slab), 0);
	assert_int_equal(rmm_percpu_init(rmm, NULL), 0);
	assert_int_equal(rmm_stack_init(rmm, NULL), 0);
	return rmm;
}

static struct rmm_page *page_of(const struct rmm *rmm, const void *p)
{
	return rmm_virt_to_page(rmm, (uintptr_t)p);
}

/* A slab's page is the slab's, by whichever call one would give it back. */
static void test_layers_slab_pages_are_not_freed_as_pages(void **state)
{
	static const size_t sizes[] = {8, 200, 4096, 8192};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct rmm *rmm = all_layers(false, NULL);
		void *p = rmm_kmalloc(rmm, 0, sizes[i], KERNEL);
		struct rmm_page *head = rmm_compound_head(rmm, page_of(rmm, p));

		assert_true(rmm_PageSlab(rmm, head));
		assert_int_equal(rmm_free_pages(rmm, 0, head, head->order), -EINVAL);
		says(rmm, "a slab's; free its objects");
		assert_int_equal(rmm_put_page(rmm, 0, head), -EINVAL);
		assert_int_equal(rmm_get_page(rmm, head), 0);
		assert_int_equal(rmm_free_pages(rmm, 0, head, head->order), -EINVAL);
		assert_int_equal(rmm_put_page(rmm, 0, head), 0);
		assert_int_equal(rmm_page_count(rmm, head), 1);
		check(rmm);
		assert_int_equal(rmm_kfree(rmm, 0, p), 0);
		check_destroy(rmm);
	}
}

/* Pages that have been a slab's go back as pages. */
static void test_layers_discarded_slabs_are_pages_again(void **state)
{
	struct rmm *rmm = all_layers(false, NULL);
	struct rmm_kmem_cache_args args = {.name = "once", .size = 4000};
	struct rmm_kmem_cache *s = rmm_kmem_cache_create(rmm, &args);
	void *p = rmm_kmem_cache_alloc(rmm, 0, s, KERNEL);
	struct rmm_page *head = rmm_compound_head(rmm, page_of(rmm, p));

	(void)state;
	assert_int_equal(rmm_kmem_cache_free(rmm, 0, s, p), 0);
	assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), 0);
	assert_false(rmm_PageSlab(rmm, head));
	check_destroy(rmm);
}

static void test_layers_kfree_takes_nothing_but_kmallocs(void **state)
{
	struct rmm *rmm = all_layers(false, NULL);
	rmm_percpu var = rmm_alloc_percpu(rmm, 0, long);
	struct rmm_page *page = rmm_alloc_pages(rmm, 0, KERNEL | RMM_GFP_COMP, 3);
	void *others[] = {
		rmm_vmalloc(rmm, 0, 20000),
		rmm_alloc_thread_stack(rmm, 0, -1),
		rmm_per_cpu_ptr(rmm, var, 1),
		rmm_page_address(rmm, page),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(rmm_kfree(rmm, 0, others[i]), -EINVAL);
		assert_int_equal(rmm_kfree_rcu(rmm, 0, others[i]), -EINVAL);
		assert_int_equal(rmm_kmem_cache_free_bulk(rmm, 0, NULL, 1, &others[i]), -EINVAL);
		assert_null(rmm_krealloc(rmm, 0, others[i], 100, KERNEL));
		assert_int_equal(rmm_ksize(rmm, others[i]), 0);
	}
	check_destroy(rmm);
}

static void test_layers_vfree_takes_nothing_but_vmallocs(void **state)
{
	struct rmm *rmm = all_layers(false, NULL);
	rmm_percpu var = rmm_alloc_percpu(rmm, 0, long);
	const void *others[] = {
		rmm_kmalloc(rmm, 0, 100, KERNEL),
		rmm_kmalloc(rmm, 0, 20000, KERNEL),
		rmm_per_cpu_ptr(rmm, var, 1),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(rmm_vfree(rmm, 0, others[i]), -EINVAL);
		assert_int_equal(rmm_vfree_atomic(rmm, 0, others[i]), -EINVAL);
		assert_int_equal(rmm_free_thread_stack(rmm, 0, (void *)(uintptr_t)others[i]),
				 -EINVAL);
		assert_int_equal(rmm_free_percpu(rmm, 0, (rmm_percpu)others[i]), -EINVAL);
	}
	check_destroy(rmm);
}

/* kfree_rcu() and kfree_bulk() are kfree(): pages too, and accounts */
static void test_layers_kfree_rcu_and_bulk_take_all_of_kmallocs(void **state)
{
	struct rmm_slab_config c;
	struct rmm_kmalloc_usage u;
	struct rmm *rmm;
	uint64_t before;
	void *p[3];

	(void)state;
	rmm_slab_config_init(&c);
	c.kmalloc_account = true;
	rmm = all_layers(true, &c);
	before = free_pages(rmm);
	for (int bulk = 0; bulk < 2; bulk++) {
		p[0] = rmm_kmalloc(rmm, 0, 20000, KERNEL);
		p[1] = rmm_kmalloc(rmm, 0, 0, KERNEL);
		p[2] = NULL;
		if (bulk)
			assert_int_equal(rmm_kmem_cache_free_bulk(rmm, 0, NULL, 3, p), 0);
		for (int i = 0; i < 3 && !bulk; i++)
			assert_int_equal(rmm_kfree_rcu(rmm, 0, p[i]), 0);
		rmm_rcu_barrier(rmm, 0);
		assert_int_equal(free_pages(rmm), before);
	}
	for (unsigned int n = 0; rmm_kmalloc_usage(rmm, n, &u); n++)
		assert_int_equal(u.objects, 0);
	check_destroy(rmm);
}

static void test_layers_caches_of_kmalloc_stay(void **state)
{
	static const unsigned int gfp[] = {KERNEL, KERNEL | RMM_GFP_DMA,
					   KERNEL | RMM_GFP_RECLAIMABLE};
	struct rmm *rmm = all_layers(true, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(gfp) / sizeof(*gfp); i++) {
		struct rmm_kmem_cache *s = rmm_kmalloc_slab(rmm, 64, gfp[i]);

		assert_int_equal(rmm_kmem_cache_destroy(rmm, 0, s), -EINVAL);
		says(rmm, "it is kmalloc()'s");
	}
	assert_non_null(rmm_kmalloc(rmm, 0, 64, KERNEL));
	check_destroy(rmm);
}

/* What has been given by its address is not moved, whatever the mask says; and a
 * compound block that vmalloc could not split is not lost. */
static void test_layers_masks_of_others_do_no_harm(void **state)
{
	const unsigned int gfp = RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_COMP;
	struct rmm *rmm = all_layers(true, NULL);
	uint64_t before = free_pages(rmm);
	char *v = rmm_vmalloc_huge(rmm, 0, 2 * BLOCK * PAGE, gfp);
	void *k = rmm_kmalloc(rmm, 0, 20000, gfp);

	(void)state;
	assert_non_null(v);
	assert_int_equal(vm_stats(rmm).huge_pages, 2 * BLOCK);
	assert_int_equal(rmm_vmalloc_to_page(rmm, v)->migratetype, RMM_UNMOVABLE);
	assert_int_equal(page_of(rmm, k)->migratetype, RMM_UNMOVABLE);
	assert_int_equal(rmm_kfree(rmm, 0, k), 0);
	vm_free(rmm, v);
	assert_int_equal(free_pages(rmm), before);
	check_destroy(rmm);
}

/* No page of this machine: nothing is mapped */
static void test_layers_foreign_pages_are_not_mapped(void **state)
{
	struct rmm *rmm = all_layers(true, NULL), *other = machine(2, true);
	struct rmm_page *pages[3] = {rmm_alloc_page(rmm, 0, KERNEL), NULL, NULL};

	(void)state;
	for (int i = 0; i < 2; i++) {
		pages[1] = i ? rmm_alloc_page(other, 0, KERNEL) : NULL;
		assert_null(rmm_vmap(rmm, 0, pages, 2, RMM_VM_MAP));
		says(rmm, "no page of this machine");
		assert_null(rmm_kmap(rmm, 0, pages[1]));
		assert_null(rmm_kmap_local_page(rmm, 0, pages[1]));
		says(rmm, "not of this machine");
		assert_int_equal(rmm_kunmap(rmm, 0, pages[1]), -EINVAL);
	}
	check_destroy(other);
	check_destroy(rmm);
}

/* A 64-bit machine maps all its memory: kmap() is its address there. */
static void test_layers_low_memory_needs_no_kmap_window(void **state)
{
	struct rmm *rmm = machine(2, true);
	struct rmm_page *page = rmm_alloc_page(rmm, 0, KERNEL);
	void *at = rmm_page_address(rmm, page);

	(void)state;
	assert_ptr_equal(rmm_kmap(rmm, 0, page), at);
	assert_int_equal(rmm_kunmap(rmm, 0, page), 0);
	assert_ptr_equal(rmm_kmap_local_page(rmm, 0, page), at);
	assert_int_equal(rmm_kunmap_local(rmm, 0, at), 0);
	assert_ptr_equal(rmm_kmap_atomic(rmm, 0, page), at);
	assert_true(rmm_in_atomic(rmm, 0));
	assert_int_equal(rmm_kunmap_atomic(rmm, 0, at), 0);
	assert_false(rmm_in_atomic(rmm, 0));
	check_destroy(rmm);
}

/* ksize() allows the whole slot, so all of it is zero, on any node */
static void test_layers_zeroed_slots_are_zero_to_the_end(void **state)
{
	struct rmm *rmm = all_layers(true, NULL);

	(void)state;
	for (int nid = -1; nid < 1; nid++) {
		unsigned char *p = rmm_kmalloc(rmm, 0, 64, KERNEL);

		memset(p, 0xa5, 64);
		assert_int_equal(rmm_kfree(rmm, 0, p), 0);
		assert_ptr_equal(rmm_kmalloc_node(rmm, 0, 40, KERNEL | RMM_GFP_ZERO, nid), p);
		for (size_t i = 0; i < rmm_ksize(rmm, p); i++)
			assert_int_equal(p[i], 0);
		assert_int_equal(rmm_kfree(rmm, 0, p), 0);
	}
	check_destroy(rmm);
}

/* Asked before they are there, or on no CPU, layers have nothing. */
static void test_layers_that_are_not_set_up_are_empty(void **state)
{
	struct rmm *rmm = machine(2, true);
	struct rmm_highmem_stat h;
	struct rmm_stack_stat s;

	(void)state;
	rmm_kmap_flush_unused(rmm);
	rmm_highmem_stat(rmm, &h);
	rmm_stack_stat(rmm, &s);
	assert_int_equal(h.slots + s.alloc + vm_stats(rmm).alloc, 0);
	rmm_free_vm_stack_cache(rmm, 0);
	assert_int_equal(rmm_delayed_vfree_work(rmm, 0), 0);
	assert_int_equal(rmm_drain_vmap_work(rmm, 0) + rmm_purge_vmap_areas(rmm, 0), 0);
	rmm_shrink_vmap_pools(rmm, 0);
	assert_null(rmm_kmalloc(rmm, 0, 8, KERNEL));
	assert_null(rmm_vmalloc(rmm, 0, 8));
	check_destroy(rmm);
}

/* Much in use in each: the end frees it all (the sanitizers say so). */
static void test_layers_all_end_with_the_machine(void **state)
{
	struct rmm *rmm = all_layers(true, NULL);

	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		assert_non_null(rmm_kmalloc(rmm, i % 2, 100 * i + 1, KERNEL));
		assert_non_null(rmm_vmalloc(rmm, i % 2, 9000));
		assert_int_equal(rmm_vfree_atomic(rmm, 0, rmm_vmalloc(rmm, 0, 100)), 0);
		assert_true(rmm___alloc_percpu(rmm, i % 2, 4 * i + 4, 4));
		assert_non_null(rmm_alloc_thread_stack(rmm, i % 2, -1));
		assert_int_equal(rmm_kfree_rcu(rmm, 0, rmm_kmalloc(rmm, 0, 30, KERNEL)), 0);
	}
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers_slab_pages_are_not_freed_as_pages),
		cmocka_unit_test(test_layers_discarded_slabs_are_pages_again),
		cmocka_unit_test(test_layers_kfree_takes_nothing_but_kmallocs),
		cmocka_unit_test(test_layers_vfree_takes_nothing_but_vmallocs),
		cmocka_unit_test(test_layers_kfree_rcu_and_bulk_take_all_of_kmallocs),
		cmocka_unit_test(test_layers_caches_of_kmalloc_stay),
		cmocka_unit_test(test_layers_masks_of_others_do_no_harm),
		cmocka_unit_test(test_layers_foreign_pages_are_not_mapped),
		cmocka_unit_test(test_layers_low_memory_needs_no_kmap_window),
		cmocka_unit_test(test_layers_zeroed_slots_are_zero_to_the_end),
		cmocka_unit_test(test_layers_that_are_not_set_up_are_empty),
		cmocka_unit_test(test_layers_all_end_with_the_machine),
	};

	return RUN(tests);
}
