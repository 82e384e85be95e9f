/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "percpu_machine.h"

static void test_percpu_access_copies_are_a_unit_apart(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	rmm_percpu a = alloc_percpu(rmm, 64, 8);
	uintptr_t first = (uintptr_t)rmm_per_cpu_ptr(rmm, a, 0);

	(void)state;
	assert_int_equal((uintptr_t)rmm_per_cpu_ptr(rmm, a, 1) - first, UNIT);
	assert_null(rmm_per_cpu_ptr(rmm, a, 2));
	assert_null(rmm_per_cpu_ptr(rmm, RMM_NO_PERCPU, 0));
	check_destroy(rmm);
}

static void test_percpu_access_static_variable_starts_with_its_value(void **state)
{
	struct rmm *rmm = percpu_machine(true);
	long seven = 7, *mine;
	rmm_percpu a = rmm_define_per_cpu(rmm, sizeof(long), sizeof(long), &seven);
	rmm_percpu b = rmm_define_per_cpu(rmm, 3, 1, NULL);
	rmm_percpu c = rmm_define_per_cpu(rmm, sizeof(long), sizeof(long), NULL);

	(void)state;
	assert_true(a && b == a + sizeof(long) && c == b + 8);
	mine = rmm_get_cpu_ptr(rmm, 1, a);
	assert_int_equal(*mine, 7);
	*mine = 8;
	rmm_put_cpu_ptr(rmm, 1, a);
	assert_int_equal(*(long *)rmm_per_cpu_ptr(rmm, a, 0), 7);
	assert_int_equal(*(long *)rmm_per_cpu_ptr(rmm, a, 1), 8);
	assert_int_equal(*(long *)rmm_per_cpu_ptr(rmm, c, 1), 0);
	check_destroy(rmm);
}

static void test_percpu_access_static_area_is_finite(void **state)
{
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	assert_true(rmm_define_per_cpu(rmm, 4000, 4, NULL));
	assert_false(rmm_define_per_cpu(rmm, 97, 1, NULL));
	assert_non_null(strstr(rmm_last_error(rmm), "4000 of 4096"));
	assert_true(rmm_define_per_cpu(rmm, 96, 1, NULL));
	assert_false(rmm_define_per_cpu(rmm, 8, 3, NULL));
	assert_false(rmm_define_per_cpu(rmm, 0, 8, NULL));
	check_destroy(rmm);
}

/* Real memory: every CPU's copy is its own, cleared when it is given out. */
static void test_percpu_access_backed_memory_is_usable_and_zeroed(void **state)
{
	struct rmm *rmm = percpu_machine(true);

	(void)state;
	fill_first(rmm);
	for (int round = 0; round < 3; round++) {
		rmm_percpu a = alloc_percpu(rmm, 20000, 8);
		unsigned char *cpu0 = rmm_per_cpu_ptr(rmm, a, 0);
		unsigned char *cpu1 = rmm_per_cpu_ptr(rmm, a, 1);

		for (int i = 0; i < 20000; i++) {
			assert_int_equal(cpu0[i] | cpu1[i], 0);
			cpu0[i] = 0x5a;
			cpu1[i] = 0xa5;
		}
		assert_int_equal(cpu0[19999], 0x5a);
		free_percpu(rmm, a);
		rmm_percpu_balance(rmm, 0);
	}
	check_destroy(rmm);
}

/* What is written to a copy is in the page that was allocated for it. */
static void test_percpu_access_copies_lie_in_the_machines_pages(void **state)
{
	const struct rmm_pcpu_chunk *c;
	struct rmm_percpu_config config;
	struct machine m;
	struct rmm *rmm;
	rmm_percpu a;

	(void)state;
	machine_init(&m, 8);
	m.config.nr_cpus = 2;
	m.config.backed = m.config.remappable = true;
	percpu_config(&config);
	rmm = percpu_boot(&m, &config);
	fill_first(rmm);
	a = alloc_percpu(rmm, 4096, 4096);
	c = rmm_pcpu_of(rmm)->areas[1];
	assert_non_null(c);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		const struct rmm_page *page = &rmm->memmap[c->pages[cpu * UNIT_PAGES]];

		memset(rmm_per_cpu_ptr(rmm, a, cpu), 0x40 + (int)cpu, 4096);
		assert_int_equal(*(char *)rmm_page_address(rmm, page), 0x40 + (int)cpu);
	}
	free_percpu(rmm, a);
	rmm_percpu_balance(rmm, 0);
	check_destroy(rmm);
}

static void test_percpu_access_no_sleeping_between_get_and_put(void **state)
{
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	assert_int_equal(rmm_get_cpu(rmm, 1), 1);
	assert_int_equal(rmm_get_cpu(rmm, 1), 1);
	rmm_put_cpu(rmm, 1);
	assert_false(rmm___alloc_percpu(rmm, 1, 8, 8));
	assert_non_null(strstr(rmm_last_error(rmm), "preemption disabled"));
	assert_true(rmm___alloc_percpu(rmm, 0, 8, 8));
	assert_true(rmm___alloc_percpu_gfp(rmm, 1, 8, 8, RMM_GFP_ATOMIC));
	rmm_put_cpu(rmm, 1);
	rmm_put_cpu(rmm, 1); /* one too many does nothing */
	assert_true(rmm___alloc_percpu(rmm, 1, 8, 8));
	check_destroy(rmm);
}

/* One CPU is in one context, whichever layer put it there or asks. */
static void test_percpu_access_context_is_that_of_all_layers(void **state)
{
	struct rmm *rmm = percpu_machine(false);

	(void)state;
	assert_int_equal(rmm_vmalloc_init(rmm, NULL), 0);
	rmm_get_cpu(rmm, 1);
	assert_null(rmm_vmalloc(rmm, 1, 4096));
	rmm_put_cpu(rmm, 1);
	assert_non_null(rmm_vmalloc(rmm, 1, 4096));
	rmm_preempt_disable(rmm, 1);
	assert_false(rmm___alloc_percpu(rmm, 1, 8, 8));
	rmm_preempt_enable(rmm, 1);
	rmm_irq_enter(rmm, 1);
	assert_false(rmm___alloc_percpu(rmm, 1, 8, 8));
	assert_true(rmm___alloc_percpu_gfp(rmm, 1, 8, 8, RMM_GFP_ATOMIC));
	rmm_irq_exit(rmm, 1);
	assert_true(rmm___alloc_percpu(rmm, 1, 8, 8));
	check_destroy(rmm);
}

/* The old interface needs no percpu layer, and no such CPU does no harm. */
static void test_percpu_access_get_cpu_needs_no_layer(void **state)
{
	struct rmm *rmm = machine(2, true);

	(void)state;
	assert_int_equal(rmm_get_cpu(rmm, 0), 0);
	assert_true(rmm_in_atomic(rmm, 0));
	rmm_put_cpu(rmm, 0);
	assert_false(rmm_in_atomic(rmm, 0));
	rmm_get_cpu(rmm, 1u << 31);
	rmm_irq_enter(rmm, 1u << 31);
	assert_false(rmm_in_atomic(rmm, 1u << 31));
	rmm_irq_exit(rmm, 1u << 31);
	rmm_put_cpu(rmm, 1u << 31);
	check_destroy(rmm);
}

static void test_percpu_access_before_setup_is_refused(void **state)
{
	struct rmm *rmm = machine(2, true);

	(void)state;
	assert_false(rmm___alloc_percpu(rmm, 0, 8, 8));
	assert_false(rmm_define_per_cpu(rmm, 8, 8, NULL));
	assert_int_equal(rmm_free_percpu(rmm, 0, 4096), -EINVAL);
	assert_null(rmm_per_cpu_ptr(rmm, 4096, 0));
	rmm_percpu_balance(rmm, 0);
	assert_false(rmm_percpu_balance_needed(rmm));
	assert_int_equal(percpu_stats(rmm).nr_chunks, 0);
	check_destroy(rmm);
}

static long sum(const struct rmm *rmm, rmm_percpu counter)
{
	return *(long *)rmm_per_cpu_ptr(rmm, counter, 0) +
	       *(long *)rmm_per_cpu_ptr(rmm, counter, 1);
}

/* LKD3's counter: each CPU its own, the sum is the whole */
static void test_percpu_access_counter_of_all_cpus_adds_up(void **state)
{
	struct rmm *rmm = percpu_machine(true);
	rmm_percpu counter = rmm_alloc_percpu(rmm, 0, long);

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		long *mine = rmm_get_cpu_ptr(rmm, i % 3 == 0, counter);

		++*mine;
		rmm_put_cpu_ptr(rmm, i % 3 == 0, counter);
	}
	assert_int_equal(*(long *)rmm_per_cpu_ptr(rmm, counter, 1), 100);
	assert_int_equal(sum(rmm, counter), 300);
	free_percpu(rmm, counter);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_access_copies_are_a_unit_apart),
		cmocka_unit_test(test_percpu_access_static_variable_starts_with_its_value),
		cmocka_unit_test(test_percpu_access_static_area_is_finite),
		cmocka_unit_test(test_percpu_access_backed_memory_is_usable_and_zeroed),
		cmocka_unit_test(test_percpu_access_copies_lie_in_the_machines_pages),
		cmocka_unit_test(test_percpu_access_no_sleeping_between_get_and_put),
		cmocka_unit_test(test_percpu_access_context_is_that_of_all_layers),
		cmocka_unit_test(test_percpu_access_get_cpu_needs_no_layer),
		cmocka_unit_test(test_percpu_access_before_setup_is_refused),
		cmocka_unit_test(test_percpu_access_counter_of_all_cpus_adds_up),
	};

	return RUN(tests);
}
