/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What may not sleep, and what it does instead: refmm/vmalloc_context.c. */
#include "vm.h"

static void test_context_vfree_in_interrupt_is_put_off(void **state)
{
	struct rmm *rmm = vm_machine(4, false);
	void *a = rmm_vmalloc(rmm, 0, PAGE), *b = rmm_vmalloc(rmm, 0, PAGE);

	(void)state;
	rmm_irq_enter(rmm, 0);
	assert_null(rmm_vmalloc(rmm, 0, PAGE));
	says(rmm, "atomic context");
	assert_int_equal(rmm_vunmap(rmm, 0, a), -EINVAL);
	assert_int_equal(rmm_vfree(rmm, 0, a), 0);
	assert_int_equal(rmm_vfree(rmm, 0, b), 0);
	assert_int_equal(rmm_vfree(rmm, 0, b), -EINVAL);
	rmm_irq_exit(rmm, 0);
	assert_int_equal(rmm_vfree(rmm, 0, a), -EINVAL);
	says(rmm, "waits for the worker");
	assert_int_equal(vm_stats(rmm).nr_pages, 2);
	assert_int_equal(rmm_delayed_vfree_work(rmm, 0), 2);
	assert_int_equal(rmm_delayed_vfree_work(rmm, 0), 0);
	assert_int_equal(vm_stats(rmm).nr_pages, 0);
	assert_int_equal(vm_stats(rmm).deferred, 2);
	check_destroy(rmm);
}

/* Interrupts nest, and preemption is another matter. */
static void test_context_interrupts_nest_and_preemption_is_apart(void **state)
{
	struct rmm *rmm = vm_machine(1, false);

	(void)state;
	rmm_preempt_enable(rmm, 0); /* one too many */
	rmm_irq_exit(rmm, 0);
	assert_false(rmm_in_atomic(rmm, 0));
	rmm_preempt_disable(rmm, 0);
	assert_true(rmm_in_atomic(rmm, 0));
	assert_false(rmm_in_interrupt(rmm, 0));
	rmm_irq_enter(rmm, 0);
	rmm_irq_enter(rmm, 0);
	rmm_irq_exit(rmm, 0);
	assert_true(rmm_in_interrupt(rmm, 0));
	rmm_irq_exit(rmm, 0);
	assert_false(rmm_in_interrupt(rmm, 0));
	rmm_preempt_enable(rmm, 0);
	assert_false(rmm_in_atomic(rmm, 0));
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context_vfree_in_interrupt_is_put_off),
		cmocka_unit_test(test_context_interrupts_nest_and_preemption_is_apart),
	};

	return RUN(tests);
}
