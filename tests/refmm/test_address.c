/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pages by address, backed mode, the 32-bit layout: refmm/address.c. */
#include <stdlib.h>

#include "machine.h"

static struct rmm *backed(void *arena)
{
	struct machine m;

	machine_init(&m, 4);
	m.config.backed = true;
	m.config.arena = arena;
	return machine_boot(&m);
}

static bool all_bytes(const unsigned char *p, size_t n, unsigned char value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

static void test_address_is_the_direct_maps(void **state)
{
	struct rmm *rmm = machine(4, true);
	uintptr_t a = rmm___get_free_pages(rmm, 0, RMM_GFP_KERNEL, 3);
	struct rmm_page *page = rmm_virt_to_page(rmm, a + 5000);

	(void)state;
	assert_non_null(page);
	assert_int_equal(a, 0xffff888000000000 + ((uintptr_t)rmm_page_to_pfn(rmm, page - 1) << 12));
	assert_ptr_equal((void *)a, rmm_page_address(rmm, page - 1));
	assert_null(rmm_virt_to_page(rmm, 0xffff888000000000 - 1));
	assert_null(rmm_virt_to_page(rmm, 0xffff888000000000 + (8u << 20)));
	assert_int_equal(rmm_free_pages_addr(rmm, 0, a, 3), 0);
	check_destroy(rmm);
}

static void test_address_wrong_frees_are_refused(void **state)
{
	struct rmm *rmm = machine(4, true);
	uintptr_t a = rmm___get_free_page(rmm, 0, RMM_GFP_KERNEL);

	(void)state;
	assert_int_equal(rmm_free_page_addr(rmm, 0, 0), 0); /* as free_page(0) */
	assert_int_equal(rmm_free_page_addr(rmm, 0, a + 8), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "no page of low memory begins there"));
	assert_int_equal(rmm_free_page_addr(rmm, 0, 4096), -EINVAL);
	assert_int_equal(rmm_free_page_addr(rmm, 0, a), 0);
	assert_int_equal(rmm_free_page_addr(rmm, 0, a), -EINVAL);
	assert_non_null(strstr(rmm_last_error(rmm), "double free"));
	check_destroy(rmm);
}

static void test_address_single_pages(void **state)
{
	struct rmm *rmm = machine(4, true);
	struct rmm_page *page = rmm_alloc_page(rmm, 0, RMM_GFP_KERNEL);

	(void)state;
	assert_int_equal(
		rmm_page_info(rmm, rmm_page_to_pfn(rmm, page), &(struct rmm_page_info){.order = 9}),
		0);
	assert_int_equal(rmm_free_page(rmm, 0, page), 0);
	assert_int_equal(rmm_free_page(rmm, 0, page), -EINVAL);
	check_destroy(rmm);
}

static void test_address_backed_memory_is_the_owners(void **state)
{
	struct rmm *rmm = backed(NULL);
	unsigned char *a, *b;

	(void)state;
	a = (unsigned char *)rmm___get_free_pages(rmm, 0, RMM_GFP_KERNEL, 2);
	b = (unsigned char *)rmm___get_free_page(rmm, 0, RMM_GFP_KERNEL);
	memset(a, 0xaa, 4 * 4096);
	memset(b, 0xbb, 4096);
	assert_true(all_bytes(a, 4 * 4096, 0xaa));
	assert_int_equal(rmm_free_page_addr(rmm, 0, (uintptr_t)b), 0);
	assert_true(all_bytes(b, 4096, 0xbb)); /* free pages keep what was in them */
	assert_int_equal(rmm_free_pages_addr(rmm, 0, (uintptr_t)a, 2), 0);
	check_destroy(rmm);
}

/* Both ways: the per-CPU hit and the walk; and a block */
static void test_address_zeroed_page_tells_nothing(void **state)
{
	struct rmm *rmm = backed(NULL);

	(void)state;
	for (unsigned int order = 0; order < 6; order += 5)
		for (int round = 0; round < 2; round++) {
			unsigned int gfp = RMM_GFP_KERNEL | (round ? RMM_GFP_ZERO : 0);
			uintptr_t a = rmm___get_free_pages(rmm, 0, gfp, order);
			size_t bytes = 4096ul << order;

			if (round)
				assert_true(all_bytes((unsigned char *)a, bytes, 0));
			memset((void *)a, 0x55, bytes);
			rmm_free_pages_addr(rmm, 0, a, order);
		}
	assert_true(
		all_bytes((unsigned char *)rmm_get_zeroed_page(rmm, 0, RMM_GFP_KERNEL), 4096, 0));
	check_destroy(rmm);
}

static void test_address_arena_may_be_the_callers(void **state)
{
	size_t bytes = (4 * BLOCK + 1024) * 4096;
	char *arena = aligned_alloc(4096, bytes);
	struct rmm *rmm = backed(arena);
	uintptr_t a = rmm_get_zeroed_page(rmm, 0, RMM_GFP_KERNEL);

	(void)state;
	assert_true(a >= (uintptr_t)arena && a < (uintptr_t)arena + bytes);
	*(char *)a = 1;
	check_destroy(rmm);
	free(arena);
}

static void test_address_32bit_high_memory_has_none(void **state)
{
	static const struct {
		uint32_t mib;
		unsigned int zones;
	} cases[] = {{8, 1}, {512, 2}, {896, 2}, {2048, 3}};
	struct machine m;
	struct rmm *rmm;
	struct rmm_page *high;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		machine_init(&m, 0);
		rmm_config_32bit(&m.config, m.zone, cases[i].mib << 8);
		assert_int_equal(m.config.nr_zones, cases[i].zones);
	}
	rmm = machine_boot(&m);
	high = rmm_alloc_pages(rmm, 0, RMM_GFP_HIGHUSER, 0);
	assert_true(rmm_PageHighMem(rmm, high));
	assert_true(rmm_page_to_pfn(rmm, high) >= 896 << 8);
	assert_null(rmm_page_address(rmm, high));
	assert_null(rmm_virt_to_page(rmm, 0xc0000000ul + (900ul << 20)));
	/* Who wants an address gets low memory, whatever the mask says. */
	assert_in_range(rmm___get_free_page(rmm, 0, RMM_GFP_HIGHUSER), 0xc1000000, 0xf7ffffff);
	assert_in_range(rmm___get_free_page(rmm, 0, RMM_GFP_KERNEL | RMM_GFP_DMA), 0xc0000000,
			0xc0ffffff);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_is_the_direct_maps),
		cmocka_unit_test(test_address_wrong_frees_are_refused),
		cmocka_unit_test(test_address_single_pages),
		cmocka_unit_test(test_address_backed_memory_is_the_owners),
		cmocka_unit_test(test_address_zeroed_page_tells_nothing),
		cmocka_unit_test(test_address_arena_may_be_the_callers),
		cmocka_unit_test(test_address_32bit_high_memory_has_none),
	};

	return RUN(tests);
}
