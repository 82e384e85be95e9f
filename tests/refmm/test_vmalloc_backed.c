/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vmalloc with memory behind it: the same bytes at two addresses, and nothing
 * beyond them. */
#include "vm.h"

/* A pattern that tells one word of one area from all others */
static uint64_t word(uintptr_t address, uint64_t owner)
{
	return address * 0x9e3779b97f4a7c15ull ^ owner;
}

static void fill(char *a, size_t bytes, uint64_t owner)
{
	for (size_t i = 0; i < bytes; i += sizeof(uint64_t))
		*(uint64_t *)(a + i) = word((uintptr_t)a + i, owner);
}

/* Through the area, and through each page's own address */
static void verify(const struct rmm *rmm, char *a, size_t bytes, uint64_t owner)
{
	for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
		const char *direct = rmm_page_address(rmm, rmm_vmalloc_to_page(rmm, a + i));

		assert_int_equal(*(uint64_t *)(a + i), word((uintptr_t)a + i, owner));
		assert_int_equal(*(uint64_t *)(direct + i % PAGE), word((uintptr_t)a + i, owner));
	}
}

static void test_backed_areas_keep_their_bytes(void **state)
{
	struct rmm *rmm = vm_machine(8, true);
	char *a[40] = {0};
	size_t bytes[40] = {0};

	(void)state;
	for (unsigned int round = 0; round < 400; round++) {
		unsigned int i = round * 7 % 40;

		if (a[i]) {
			verify(rmm, a[i], bytes[i], i);
			vm_free(rmm, a[i]);
			a[i] = NULL;
		}
		bytes[i] = (round * 13 % 60 + 1) * PAGE;
		a[i] = rmm_vmalloc(rmm, 0, bytes[i]);
		assert_non_null(a[i]);
		fill(a[i], bytes[i], i);
	}
	for (unsigned int i = 0; i < 40; i++)
		verify(rmm, a[i], bytes[i], i);
	check_destroy(rmm);
}

static void test_backed_pages_are_scattered_and_yet_side_by_side(void **state)
{
	struct rmm *rmm = vm_machine(2, true);
	unsigned int jumps = 0;
	rmm_pfn pfn[600];
	char *a;

	(void)state;
	for (int i = 0; i < 600; i++)
		pfn[i] = get(rmm, RMM_GFP_KERNEL, 0);
	for (int i = 0; i < 600; i += 2)
		put(rmm, pfn[i], 0);
	a = rmm_vmalloc(rmm, 0, 500 * PAGE);
	for (size_t i = 1; i < 500; i++)
		jumps += rmm_vmalloc_to_page(rmm, a + i * PAGE) !=
			 rmm_vmalloc_to_page(rmm, a + (i - 1) * PAGE) + 1;
	assert_true(jumps > 50);
	fill(a, 500 * PAGE, 1);
	verify(rmm, a, 500 * PAGE, 1);
	check_destroy(rmm);
}

static void test_backed_overrun_and_use_after_free_fault(void **state)
{
	struct rmm *rmm = vm_machine(4, true);
	char *a = rmm_vmalloc(rmm, 0, 3 * PAGE), *b = rmm_vmalloc(rmm, 0, PAGE);

	(void)state;
	assert_false(faults(a + 3 * PAGE - 1));
	assert_true(faults(a + 3 * PAGE));
	assert_true(faults(b - 1));
	assert_true(faults(a - 1)); /* nothing is mapped in front of the window */
	assert_false(faults(a));
	vm_free(rmm, a);
	assert_true(faults(a));
	check_destroy(rmm);
}

static void test_backed_vzalloc_is_all_zeros(void **state)
{
	struct rmm *rmm = vm_machine(2, true);

	(void)state;
	for (int round = 0; round < 4; round++) {
		char *a = rmm_vzalloc(rmm, 0, 300 * PAGE);

		for (size_t i = 0; i < 300 * PAGE; i++)
			assert_int_equal(a[i], 0);
		memset(a, 0x55, 300 * PAGE);
		vm_free(rmm, a);
	}
	check_destroy(rmm);
}

static void test_backed_vmap_shows_the_callers_pages(void **state)
{
	struct rmm *rmm = vm_machine(4, true);
	struct rmm_page *pages[4];
	char *a;

	(void)state;
	for (int i = 0; i < 4; i++) {
		pages[i] = rmm_alloc_page(rmm, 0, RMM_GFP_KERNEL);
		memset(rmm_page_address(rmm, pages[i]), i + 1, PAGE);
	}
	pages[3] = pages[0]; /* twice in one area */
	a = rmm_vmap(rmm, 0, pages, 4, RMM_VM_MAP);
	assert_int_equal(a[PAGE], 2);
	assert_int_equal(a[2 * PAGE + 9], 3);
	a[3 * PAGE + 5] = 77;
	assert_int_equal(a[5], 77);
	assert_int_equal(((char *)rmm_page_address(rmm, pages[0]))[5], 77);
	assert_int_equal(rmm_vunmap(rmm, 0, a), 0);
	assert_true(faults(a));
	check_destroy(rmm);
}

static void test_backed_huge_area_is_usable(void **state)
{
	struct rmm *rmm = vm_machine(6, true);
	char *a = rmm_vmalloc_huge(rmm, 0, 4 << 20, RMM_GFP_KERNEL);

	(void)state;
	assert_int_equal((uintptr_t)a % (2 << 20), 0);
	assert_int_equal(vm_stats(rmm).huge_pages, 1024);
	fill(a, 4 << 20, 3);
	verify(rmm, a, 4 << 20, 3);
	assert_true(faults(a + (4 << 20)));
	check_destroy(rmm);
}

/* High memory has no other address, and vmalloc is how to use it. */
static void test_backed_high_memory_is_usable_through_vmalloc(void **state)
{
	struct rmm *rmm;
	struct machine m;
	char *a;

	(void)state;
	machine_init(&m, 0);
	rmm_config_32bit(&m.config, m.zone, 1000u << 8);
	vm_backed(&m);
	rmm = vm_boot(&m, NULL);
	a = rmm_vmalloc(rmm, 0, 64 * PAGE);
	assert_true(rmm_PageHighMem(rmm, rmm_vmalloc_to_page(rmm, a)));
	assert_null(rmm_page_address(rmm, rmm_vmalloc_to_page(rmm, a)));
	fill(a, 64 * PAGE, 4);
	for (size_t i = 0; i < 64 * PAGE; i += 8)
		assert_int_equal(*(uint64_t *)(a + i), word((uintptr_t)a + i, 4));
	/* x86-32 has little more than 100 MiB of addresses for it. */
	assert_in_range(rmm_vmalloc_end(rmm) - rmm_vmalloc_start(rmm), 100u << 20, 120u << 20);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backed_areas_keep_their_bytes),
		cmocka_unit_test(test_backed_pages_are_scattered_and_yet_side_by_side),
		cmocka_unit_test(test_backed_overrun_and_use_after_free_fault),
		cmocka_unit_test(test_backed_vzalloc_is_all_zeros),
		cmocka_unit_test(test_backed_vmap_shows_the_callers_pages),
		cmocka_unit_test(test_backed_huge_area_is_usable),
		cmocka_unit_test(test_backed_high_memory_is_usable_through_vmalloc),
	};

	return RUN(tests);
}
