/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Per-CPU lists as rings: order at both ends, and growth: refmm/ring.h, ring.c. */
#include <stdlib.h>

#include "machine.h"

static void expect(const struct rmm_ring *r, const rmm_pfn *members, uint32_t n)
{
	assert_int_equal(rmm_ring_count(r), n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(rmm_ring_at(r, i), members[i]);
}

static void test_ring_keeps_order_at_both_ends(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_ring r = {0};

	(void)state;
	assert_true(rmm_ring_has_room(rmm, &r, 4));
	rmm_ring_add(&r, 5);
	rmm_ring_add_tail(&r, 6);
	rmm_ring_add(&r, 4);
	rmm_ring_add_tail(&r, 7);
	expect(&r, (const rmm_pfn[]){4, 5, 6, 7}, 4);
	assert_int_equal(rmm_ring_del_first(&r), 4);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(rmm_ring_from_tail(&r, i), 7 - i);
	assert_int_equal(rmm_ring_del_last(&r), 7);
	expect(&r, (const rmm_pfn[]){5, 6}, 2);
	free(r.slot);
	check_destroy(rmm);
}

static void test_ring_growing_keeps_order(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_ring r = {0};

	(void)state;
	for (rmm_pfn p = 0; p < 1000; p++) {
		assert_true(rmm_ring_has_room(rmm, &r, 1));
		assert_true(rmm_ring_count(&r) < r.room);
		if (p % 3)
			rmm_ring_add(&r, p);
		else
			rmm_ring_add_tail(&r, p);
	}
	assert_int_equal(rmm_ring_count(&r), 1000);
	assert_int_equal(rmm_ring_at(&r, 0), 998);
	assert_int_equal(rmm_ring_at(&r, 999), 999);
	for (rmm_pfn p = 999; p-- > 0;)
		if (p % 3)
			assert_int_equal(rmm_ring_del_first(&r), p);
	free(r.slot);
	check_destroy(rmm);
}

static void test_ring_without_memory_stays_as_it_is(void **state)
{
	const struct rmm_fault fault = {.points = RMM_FAULT_PCP_GROW, .nth = 2};
	struct rmm *rmm = machine(4, true);
	struct rmm_ring r = {0};

	(void)state;
	rmm_set_fault(rmm, &fault);
	assert_true(rmm_ring_has_room(rmm, &r, 1));
	rmm_ring_add(&r, 9);
	assert_false(rmm_ring_has_room(rmm, &r, r.room));
	expect(&r, (const rmm_pfn[]){9}, 1);
	free(r.slot);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_keeps_order_at_both_ends),
		cmocka_unit_test(test_ring_growing_keeps_order),
		cmocka_unit_test(test_ring_without_memory_stays_as_it_is),
	};

	return RUN(tests);
}
