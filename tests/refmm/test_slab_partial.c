/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where slabs go: CPU's slab, CPU's partial list, node's partial list, away.
 * Objects of 256 bytes, 16 to a slab; cpu_partial 52, so 7 slabs of a CPU.
 */
#include "slabs.h"

enum { PER_SLAB = 16, MOST = 40 };

static void *o[MOST * PER_SLAB];

struct two {
	struct slabs w;
	struct rmm *rmm;
	struct rmm_kmem_cache *s;
};

/* Two CPUs on @nodes nodes */
static void two_cpus(struct two *t, unsigned int nodes, bool cpu_partial)
{
	static const uint8_t node[2] = {0, 1};

	slabs_init(&t->w, 2, false);
	if (nodes == 2) {
		machine_zone(&t->w.m, 1, RMM_ZONE_NORMAL, 2 * BLOCK, 2 * BLOCK);
		t->w.m.config.cpu_node = node;
	}
	t->w.m.config.nr_cpus = 2;
	t->w.config.nr_cpus = 1;
	t->w.config.cpu_partial = cpu_partial;
	t->rmm = slabs_boot(&t->w);
	t->s = cache_of(t->rmm, "foo", 256, 0);
	assert_int_equal(t->s->oo.objects, PER_SLAB);
}

static void fill(struct two *t, unsigned int slabs)
{
	for (unsigned int i = 0; i < slabs * PER_SLAB; i++)
		o[i] = take(t->rmm, t->s);
}

static void free_on(struct two *t, unsigned int cpu, unsigned int i)
{
	if (rmm_kmem_cache_free(t->rmm, cpu, t->s, o[i]))
		fail_msg("%s", rmm_last_error(t->rmm));
	o[i] = NULL;
}

static void test_partial_first_free_of_a_full_slab_goes_to_the_cpu(void **state)
{
	struct two t;

	(void)state;
	two_cpus(&t, 1, true);
	fill(&t, 3);
	free_on(&t, 1, 5);
	assert_int_equal(t.s->cpu[1].partial->slabs, 1);
	assert_int_equal(counts_of(t.rmm, t.s).cpu_partial_free, 1);
	free_on(&t, 0, 6);
	assert_null(t.s->cpu[0].partial);
	free_on(&t, 0, PER_SLAB);
	assert_int_equal(t.s->cpu[0].partial->slabs, 1);
	check(t.rmm);
	/* CPU 1 allocates from what it was left. */
	assert_non_null(rmm_kmem_cache_alloc(t.rmm, 1, t.s, RMM_GFP_KERNEL));
	assert_int_equal(counts_of(t.rmm, t.s).cpu_partial_alloc, 1);
	assert_null(t.s->cpu[1].partial);
	check_destroy(t.rmm);
}

static void test_partial_remote_frees_gather_in_a_frozen_slab(void **state)
{
	struct two t;

	(void)state;
	two_cpus(&t, 1, true);
	fill(&t, 1);
	for (int i = 0; i < 4; i++)
		free_on(&t, 1, (unsigned int)i);
	assert_int_equal(counts_of(t.rmm, t.s).free_frozen, 4);
	assert_null(t.s->cpu[1].partial);
	check(t.rmm);
	assert_non_null(take(t.rmm, t.s));
	assert_int_equal(counts_of(t.rmm, t.s).alloc_refill, 1);
	assert_int_equal(counts_of(t.rmm, t.s).alloc_slab, 1);
	check_destroy(t.rmm);
}

static void test_partial_full_cpu_list_moves_to_the_node(void **state)
{
	struct two t;

	(void)state;
	two_cpus(&t, 1, true);
	assert_int_equal(t.s->cpu_partial_slabs, 7);
	fill(&t, 9);
	for (unsigned int i = 0; i < 7; i++)
		free_on(&t, 1, i * PER_SLAB);
	assert_int_equal(info_of(t.rmm, t.s).cpu_partial_nr, 7);
	assert_int_equal(info_of(t.rmm, t.s).partial, 0);
	free_on(&t, 1, 7 * PER_SLAB);
	assert_int_equal(info_of(t.rmm, t.s).cpu_partial_nr, 1);
	assert_int_equal(info_of(t.rmm, t.s).partial, 7);
	assert_int_equal(counts_of(t.rmm, t.s).cpu_partial_drain, 1);
	assert_int_equal(counts_of(t.rmm, t.s).free_add_partial, 7);
	check_destroy(t.rmm);
}

static void test_partial_node_keeps_min_partial_empty_slabs(void **state)
{
	struct two t;

	(void)state;
	two_cpus(&t, 1, true);
	fill(&t, 20);
	/* 19 slabs that no CPU has, all on the node's list, then empty */
	for (unsigned int i = 0; i < 19; i++)
		free_on(&t, 1, i * PER_SLAB);
	rmm_flush_cpu_slab(t.s, 1, 1);
	assert_int_equal(info_of(t.rmm, t.s).partial, 19);
	for (unsigned int i = 0; i < 19 * PER_SLAB; i++)
		if (o[i])
			free_on(&t, 1, i);
	assert_int_equal(t.s->min_partial, 5);
	assert_int_equal(info_of(t.rmm, t.s).partial, 4);
	assert_int_equal(counts_of(t.rmm, t.s).free_remove_partial, 15);
	assert_int_equal(info_of(t.rmm, t.s).slabs, 5);
	check_destroy(t.rmm);
}

static void test_partial_without_cpu_lists_the_node_has_all(void **state)
{
	struct two t;
	void *object;

	(void)state;
	two_cpus(&t, 1, false);
	fill(&t, 8);
	for (unsigned int i = 0; i < 7; i++)
		free_on(&t, 1, i * PER_SLAB);
	assert_int_equal(info_of(t.rmm, t.s).cpu_partial_nr, 0);
	assert_int_equal(info_of(t.rmm, t.s).partial, 7);
	/* In the order in which they were freed to, from the head */
	object = rmm_kmem_cache_alloc(t.rmm, 1, t.s, RMM_GFP_KERNEL);
	assert_ptr_equal(object, (void *)t.s->cpu[1].slab->base);
	assert_int_equal(counts_of(t.rmm, t.s).alloc_from_partial, 1);
	assert_int_equal(info_of(t.rmm, t.s).partial, 6);
	check_destroy(t.rmm);
}

static void test_partial_node_gives_half_of_a_cpus_slabs_at_once(void **state)
{
	struct two t;

	(void)state;
	two_cpus(&t, 1, true);
	fill(&t, MOST);
	for (unsigned int i = 0; i < MOST - 1; i++)
		free_on(&t, 0, i * PER_SLAB);
	rmm_flush_cpu_slab(t.s, 0, 0);
	assert_int_equal(info_of(t.rmm, t.s).partial, MOST - 1);
	assert_non_null(rmm_kmem_cache_alloc(t.rmm, 1, t.s, RMM_GFP_KERNEL));
	/* one to use, and 7 / 2 + 1 for later */
	assert_int_equal(info_of(t.rmm, t.s).cpu_partial_nr, 4);
	assert_int_equal(counts_of(t.rmm, t.s).cpu_partial_node, 4);
	assert_int_equal(info_of(t.rmm, t.s).partial, MOST - 1 - 5);
	check_destroy(t.rmm);
}

static void test_partial_refill_leaves_slabs_for_other_cpus(void **state)
{
	struct two t;

	(void)state;
	two_cpus(&t, 1, true);
	fill(&t, 20);
	for (unsigned int i = 0; i < 20 * PER_SLAB; i += 2)
		free_on(&t, 1, i);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		rmm_flush_cpu_slab(t.s, 0, cpu);
	assert_int_equal(info_of(t.rmm, t.s).partial, 20);
	assert_non_null(take(t.rmm, t.s));
	/* CPU 0 has 5 of them; the other 15 do for CPU 1, half free each. */
	for (unsigned int i = 0; i < 15 * PER_SLAB / 2; i++)
		assert_non_null(rmm_kmem_cache_alloc(t.rmm, 1, t.s, RMM_GFP_KERNEL));
	assert_int_equal(info_of(t.rmm, t.s).slabs, 20);
	check_destroy(t.rmm);
}

static void test_partial_flushed_slab_goes_to_head_or_tail(void **state)
{
	struct two t;
	struct rmm_slab *first, *second;

	(void)state;
	two_cpus(&t, 1, true);
	take(t.rmm, t.s);
	first = t.s->cpu[0].slab;
	rmm_flush_cpu_slab(t.s, 0, 0);
	assert_int_equal(counts_of(t.rmm, t.s).deactivate_to_head, 1);
	o[0] = rmm_kmem_cache_alloc_node(t.rmm, 0, t.s, RMM_GFP_KERNEL, 0);
	assert_ptr_equal(t.s->cpu[0].slab, first);
	/* Freed by another CPU meanwhile: cold, to the tail */
	free_on(&t, 1, 0);
	rmm_flush_cpu_slab(t.s, 0, 0);
	assert_int_equal(counts_of(t.rmm, t.s).deactivate_to_tail, 1);
	assert_int_equal(counts_of(t.rmm, t.s).deactivate_remote_frees, 1);
	for (int i = 0; i < PER_SLAB; i++)
		take(t.rmm, t.s);
	second = t.s->cpu[0].slab;
	assert_ptr_not_equal(first, second);
	rmm_flush_cpu_slab(t.s, 0, 0);
	assert_ptr_equal(t.s->node[0].partial.first, second);
	check_destroy(t.rmm);
}

static void test_partial_hot_slab_goes_in_front_of_cold_ones(void **state)
{
	struct rmm_slab *cold, *hot;
	struct two t;

	(void)state;
	two_cpus(&t, 1, true);
	take(t.rmm, t.s);
	rmm_kmem_cache_alloc(t.rmm, 1, t.s, RMM_GFP_KERNEL);
	cold = t.s->cpu[0].slab;
	hot = t.s->cpu[1].slab;
	rmm_flush_cpu_slab(t.s, 0, 0);
	rmm_flush_cpu_slab(t.s, 1, 1);
	assert_ptr_equal(t.s->node[0].partial.first, hot);
	assert_ptr_equal(t.s->node[0].partial.last, cold);
	check_destroy(t.rmm);
}

static void test_partial_other_node_is_asked_when_it_has_plenty(void **state)
{
	struct two t;
	void *object;

	(void)state;
	two_cpus(&t, 2, true);
	fill(&t, 8);
	for (unsigned int i = 0; i < 7; i++)
		free_on(&t, 0, i * PER_SLAB);
	rmm_flush_cpu_slab(t.s, 0, 0);
	assert_int_equal(t.s->node[0].partial.count, 7);
	object = rmm_kmem_cache_alloc(t.rmm, 1, t.s, RMM_GFP_KERNEL);
	assert_int_equal(rmm_virt_to_slab(rmm_slab_layer(t.rmm), (uintptr_t)object)->node, 0);
	/* With a node in mind, and no slab there: a new one */
	object = rmm_kmem_cache_alloc_node(t.rmm, 1, t.s, RMM_GFP_KERNEL, 1);
	assert_int_equal(rmm_virt_to_slab(rmm_slab_layer(t.rmm), (uintptr_t)object)->node, 1);
	assert_int_equal(counts_of(t.rmm, t.s).alloc_node_mismatch, 1);
	/* A node that there is not is no wish. */
	assert_non_null(rmm_kmem_cache_alloc_node(t.rmm, 1, t.s, RMM_GFP_KERNEL, 9));
	check_destroy(t.rmm);
}

static void test_partial_order_falls_back_when_memory_is_in_pieces(void **state)
{
	struct two t;
	struct rmm_kmem_cache *s;
	struct rmm_kmem_cache_info info;

	(void)state;
	two_cpus(&t, 1, true);
	s = cache_of(t.rmm, "large", 2048, 0);
	assert_int_equal(s->oo.order, 2);
	while (get(t.rmm, RMM_GFP_KERNEL | RMM_GFP_NORETRY, 0) != RMM_NO_PFN)
		;
	rmm_drain_all_pages(t.rmm, 0);
	for (rmm_pfn p = 0; p < 64; p += 2)
		put(t.rmm, p, 0);
	for (int i = 0; i < 7; i++)
		assert_non_null(take(t.rmm, s));
	info = info_of(t.rmm, s);
	assert_int_equal(info.slabs, 4);
	assert_int_equal(info.total_objects, 8);
	assert_int_equal(info.pages, 4);
	assert_int_equal(counts_of(t.rmm, s).order_fallback, 4);
	check_destroy(t.rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partial_first_free_of_a_full_slab_goes_to_the_cpu),
		cmocka_unit_test(test_partial_remote_frees_gather_in_a_frozen_slab),
		cmocka_unit_test(test_partial_full_cpu_list_moves_to_the_node),
		cmocka_unit_test(test_partial_node_keeps_min_partial_empty_slabs),
		cmocka_unit_test(test_partial_without_cpu_lists_the_node_has_all),
		cmocka_unit_test(test_partial_node_gives_half_of_a_cpus_slabs_at_once),
		cmocka_unit_test(test_partial_refill_leaves_slabs_for_other_cpus),
		cmocka_unit_test(test_partial_flushed_slab_goes_to_head_or_tail),
		cmocka_unit_test(test_partial_hot_slab_goes_in_front_of_cold_ones),
		cmocka_unit_test(test_partial_other_node_is_asked_when_it_has_plenty),
		cmocka_unit_test(test_partial_order_falls_back_when_memory_is_in_pieces),
	};

	return RUN(tests);
}
