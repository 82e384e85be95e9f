/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vmalloc, vfree, vmap: refmm/vmalloc.c, vmalloc_area.c, vmalloc_pages.c. */
#include "vm.h"

static void test_vmalloc_areas_follow_each_other_with_guards(void **state)
{
	static const struct {
		size_t bytes, pages;
	} cases[] = {{1, 1}, {PAGE, 1}, {PAGE + 1, 2}, {5 * PAGE, 5}};
	struct rmm *rmm = vm_machine(4, false);
	uintptr_t at = VM_START;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_vm_area area;

		assert_int_equal((uintptr_t)rmm_vmalloc(rmm, 0, cases[i].bytes), at);
		assert_int_equal(rmm_find_vm_area(rmm, (void *)(at + 5), &area), 0);
		assert_int_equal(area.size, (cases[i].pages + 1) * PAGE);
		assert_int_equal(area.requested, cases[i].bytes);
		assert_int_equal(area.nr_pages, cases[i].pages);
		at += area.size;
	}
	assert_int_equal(vm_stats(rmm).nr_pages, 9);
	assert_int_equal(vm_stats(rmm).areas, 4);
	check_destroy(rmm);
}

static void test_vmalloc_bad_requests_are_refused_in_words(void **state)
{
	static const struct {
		struct rmm_vmalloc_args args;
		unsigned int cpu;
		const char *words;
	} cases[] = {
		{{.size = 0}, 0, "cannot vmalloc 0 bytes on CPU 0: there is nothing to map"},
		{{.size = SIZE_MAX}, 0, "exceeds total pages"},
		{{.size = 2049 * PAGE}, 0, "exceeds total pages"},
		{{.size = PAGE, .align = 3 * PAGE}, 0, "align is not a power of two"},
		{{.size = PAGE}, 1, "no such CPU"},
		{{.size = 2048 * PAGE, .gfp = RMM_GFP_KERNEL}, 0, "out of pages or of addresses"},
	};
	struct rmm *rmm = vm_machine(4, false);

	(void)state;
	rmm_alloc_page(rmm, 0, RMM_GFP_KERNEL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_vmalloc_args a = cases[i].args;

		a.nid = -1;
		assert_null(rmm___vmalloc_node_range(rmm, cases[i].cpu, &a));
		says(rmm, cases[i].words);
	}
	assert_int_equal(vm_stats(rmm).failed, 6);
	assert_int_equal(vm_stats(rmm).nr_pages, 0);
	check_destroy(rmm);
}

static void test_vmalloc_wrong_frees_are_refused(void **state)
{
	struct rmm *rmm = vm_machine(4, false);
	char *a = rmm_vmalloc(rmm, 0, 3 * PAGE);

	(void)state;
	assert_int_equal(rmm_vfree(rmm, 0, NULL), 0);
	assert_int_equal(rmm_vfree(rmm, 0, a + PAGE), -EINVAL);
	says(rmm, "inside the area that begins at 0xffffc90000000000");
	assert_int_equal(rmm_vfree(rmm, 0, a - PAGE), -EINVAL);
	says(rmm, "nonexistent vm area");
	assert_int_equal(rmm_vfree(rmm, 1, a), -EINVAL);
	assert_int_equal(rmm_vfree(rmm, 0, a), 0);
	assert_int_equal(rmm_vfree(rmm, 0, a), -EINVAL);
	says(rmm, "freed already");
	assert_int_equal(vm_stats(rmm).free, 1);
	check_destroy(rmm);
}

static void test_vmalloc_gives_all_pages_back(void **state)
{
	struct rmm *rmm = vm_machine(4, false);
	uint64_t before = rmm_nr_free_pages(rmm);
	void *a = rmm_vmalloc(rmm, 0, 700 * PAGE);

	(void)state;
	assert_int_equal(free_pages(rmm), before - 700);
	vm_free(rmm, a);
	assert_int_equal(free_pages(rmm), before);
	assert_int_equal(vm_stats(rmm).nr_pages, 0);
	assert_int_equal(vm_stats(rmm).lazy_pages, 701);
	check_destroy(rmm);
}

static void test_vmalloc_to_page_knows_each_page_but_the_guard(void **state)
{
	struct rmm *rmm = vm_machine(4, false);
	char *a = rmm_vmalloc(rmm, 0, 300 * PAGE);
	bool seen[4 * BLOCK] = {false};

	(void)state;
	assert_true(rmm_is_vmalloc_addr(rmm, a));
	assert_false(rmm_is_vmalloc_addr(rmm, (char *)VM_START - 1));
	for (size_t i = 0; i < 300; i++) {
		struct rmm_page *page = rmm_vmalloc_to_page(rmm, a + i * PAGE + 7);

		assert_non_null(page);
		assert_false(seen[page - rmm->memmap]);
		seen[page - rmm->memmap] = true;
	}
	assert_null(rmm_vmalloc_to_page(rmm, a + 300 * PAGE));
	assert_null(rmm_vmalloc_to_page(rmm, a + 301 * PAGE));
	check_destroy(rmm);
}

/* 100 pages a call; one by one once a call gives less */
static void test_vmalloc_pages_come_in_bulk_of_100(void **state)
{
	static const struct {
		size_t pages;
		uint64_t fail, calls, bulk, single;
	} cases[] = {
		{1, 0, 1, 1, 0},     {100, 0, 1, 100, 0}, {101, 0, 2, 101, 0},
		{250, 0, 3, 250, 0}, {250, 1, 1, 0, 250}, {250, 2, 2, 100, 150},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = vm_machine(4, false);

		rmm_fail_alloc(rmm, cases[i].fail);
		assert_non_null(rmm_vmalloc(rmm, 0, cases[i].pages * PAGE));
		assert_int_equal(vm_stats(rmm).bulk_calls, cases[i].calls);
		assert_int_equal(vm_stats(rmm).bulk_pages, cases[i].bulk);
		assert_int_equal(vm_stats(rmm).single_pages, cases[i].single);
		check_destroy(rmm);
	}
}

static void *request(struct rmm *rmm, unsigned int kind)
{
	static struct rmm_page *pages[3];

	switch (kind) {
	case 0:
		return rmm_vmalloc(rmm, 0, 220 * PAGE);
	case 1:
		return rmm_vmalloc_huge(rmm, 0, BLOCK * PAGE, RMM_GFP_KERNEL);
	default:
		for (int i = 0; i < 3; i++)
			pages[i] = &rmm->memmap[i + 5];
		return rmm_vmap(rmm, 0, pages, 3, RMM_VM_MAP);
	}
}

/* Each step in turn fails; then everything is as before, but for addresses. */
static void rolls_back(unsigned int kind, bool backed)
{
	for (uint64_t nth = 1;; nth++) {
		struct rmm_fault fault = {.points = RMM_FAULT_VMALLOC | RMM_FAULT_ALLOC,
					  .nth = nth};
		struct rmm *rmm = vm_machine(4, backed);
		uint64_t before = rmm_nr_free_pages(rmm), faults;
		void *a;

		rmm_set_fault(rmm, &fault);
		a = request(rmm, kind);
		faults = rmm_nr_faults(rmm);
		rmm_set_fault(rmm, NULL);
		if (!a) {
			assert_int_equal(free_pages(rmm), before);
			assert_int_equal(vm_stats(rmm).areas, 0);
			assert_int_equal(vm_stats(rmm).nr_pages, 0);
		}
		check(rmm);
		assert_non_null(request(rmm, kind));
		check_destroy(rmm);
		if (!faults)
			break;
		assert_true(nth < 1000);
	}
}

static void test_vmalloc_each_failing_step_is_undone(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < 3; kind++) {
		rolls_back(kind, false);
		rolls_back(kind, true);
	}
}

/* With all of them failing, nothing is left after any of the requests. */
static void test_vmalloc_lasting_failure_returns_null(void **state)
{
	struct rmm_fault fault = {.points = RMM_FAULT_VMALLOC};
	struct rmm *rmm = vm_machine(4, true);
	uint64_t before = rmm_nr_free_pages(rmm);

	(void)state;
	for (unsigned int kind = 0; kind < 3; kind++)
		for (uint64_t seed = 1; seed < 60; seed++) {
			void *a;

			fault.seed = seed;
			fault.probability = 400000;
			rmm_set_fault(rmm, &fault);
			a = request(rmm, kind);
			rmm_set_fault(rmm, NULL);
			vm_free(rmm, a);
			assert_int_equal(free_pages(rmm), before);
			check(rmm);
		}
	assert_true(vm_stats(rmm).failed > 50);
	rmm_destroy(rmm);
}

static void test_vmalloc_huge_takes_huge_pages(void **state)
{
	struct rmm *rmm = vm_machine(6, false);
	struct rmm_vm_area area;
	char *a;

	(void)state;
	rmm_vmalloc(rmm, 0, 1); /* so that the next must be moved */
	a = rmm_vmalloc_huge(rmm, 0, 3 << 20, RMM_GFP_KERNEL);
	assert_int_equal((uintptr_t)a, VM_START + (2 << 20));
	assert_int_equal(rmm_find_vm_area(rmm, a, &area), 0);
	assert_int_equal(area.page_order, 9);
	assert_int_equal(area.size, (4 << 20) + PAGE);
	assert_int_equal(vm_stats(rmm).huge_pages, 1024);
	for (int i = 0; i < 1024; i += 512)
		assert_int_equal(rmm_page_to_pfn(rmm, rmm_vmalloc_to_page(rmm, a + i * PAGE)) % 512,
				 0);
	vm_free(rmm, a);
	check_destroy(rmm);
}

static void test_vmalloc_huge_falls_back_to_single_pages(void **state)
{
	struct rmm *rmm = vm_machine(4, false);
	struct rmm_vm_area area;
	char *a;

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		get(rmm, RMM_GFP_KERNEL, 8); /* no block of order 9 is left but two */
	rmm_set_fault(rmm, &(struct rmm_fault){.points = RMM_FAULT_ALLOC,
					       .probability = 1000000,
					       .orders = 1 << 9});
	a = rmm_vmalloc_huge(rmm, 0, 2 << 20, RMM_GFP_KERNEL);
	assert_non_null(a);
	assert_int_equal(rmm_find_vm_area(rmm, a, &area), 0);
	assert_int_equal(area.page_order, 0);
	assert_int_equal(area.size, (2 << 20) + PAGE);
	assert_int_equal(vm_stats(rmm).huge_fallback, 1);
	assert_int_equal(vm_stats(rmm).nr_pages, 512);
	/* Less than a huge page does not even try. */
	assert_non_null(rmm_vmalloc_huge(rmm, 0, (2 << 20) - PAGE, RMM_GFP_KERNEL));
	assert_int_equal(vm_stats(rmm).huge_fallback, 1);
	check_destroy(rmm);
}

static void test_vmalloc_vmap_leaves_pages_to_the_caller(void **state)
{
	struct rmm *rmm = vm_machine(4, false);
	uint64_t before = rmm_nr_free_pages(rmm);
	struct rmm_page *pages[3];
	char *a;

	(void)state;
	for (int i = 0; i < 3; i++)
		pages[2 - i] = rmm_alloc_page(rmm, 0, RMM_GFP_KERNEL);
	a = rmm_vmap(rmm, 0, pages, 3, RMM_VM_MAP | RMM_VM_NO_GUARD);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(rmm_vmalloc_to_page(rmm, a + i * PAGE), pages[i]);
	assert_null(rmm_vmalloc_to_page(rmm, a + 3 * PAGE)); /* a guard all the same */
	assert_int_equal(vm_stats(rmm).nr_pages, 0);
	assert_int_equal(rmm_vunmap(rmm, 0, a), 0);
	assert_int_equal(rmm_vunmap(rmm, 0, a), -EINVAL);
	assert_int_equal(rmm_page_count(rmm, pages[0]), 1);
	assert_null(rmm_vmap(rmm, 0, pages, ((size_t)1 << 52) + 1, RMM_VM_MAP));
	says(rmm, "exceeds total pages");
	a = rmm_vmap(rmm, 0, pages, 3, RMM_VM_MAP);
	assert_int_equal(rmm_vfree_atomic(rmm, 0, a), 0);
	assert_int_equal(rmm_vunmap(rmm, 0, a), -EINVAL);
	says(rmm, "cannot vunmap");
	says(rmm, "waits for the worker");
	assert_int_equal(rmm_vfree_atomic(rmm, 0, a), -EINVAL);
	says(rmm, "waits for the worker");
	assert_int_equal(rmm_delayed_vfree_work(rmm, 0), 1);
	a = rmm_vmap(rmm, 0, pages, 3, RMM_VM_MAP | RMM_VM_MAP_PUT_PAGES);
	assert_int_equal(rmm_vunmap(rmm, 0, a), -EINVAL);
	says(rmm, "owns its pages");
	vm_free(rmm, a);
	assert_int_equal(free_pages(rmm), before);
	check_destroy(rmm);
}

static void test_vmalloc_node_and_zone_are_as_asked(void **state)
{
	struct rmm_vmalloc_args args = {.size = 4 * PAGE, .gfp = RMM_GFP_KERNEL};
	struct machine m;
	struct rmm *rmm;
	char *a;

	(void)state;
	machine_init(&m, 0);
	machine_zone(&m, 0, RMM_ZONE_DMA32, 0, 2 * BLOCK);
	machine_zone(&m, 0, RMM_ZONE_NORMAL, 2 * BLOCK, 2 * BLOCK);
	machine_zone(&m, 1, RMM_ZONE_NORMAL, 4 * BLOCK, 2 * BLOCK);
	rmm = vm_boot(&m, NULL);
	for (int nid = -1; nid < 2; nid++) {
		args.nid = nid;
		a = rmm___vmalloc_node_range(rmm, 0, &args);
		assert_int_equal(
			rmm_pfn_zone(rmm, rmm_page_to_pfn(rmm, rmm_vmalloc_to_page(rmm, a))),
			nid == 1 ? 2 : 1);
	}
	a = rmm___vmalloc(rmm, 0, PAGE, RMM_GFP_KERNEL | RMM_GFP_DMA32);
	assert_int_equal(rmm_pfn_zone(rmm, rmm_page_to_pfn(rmm, rmm_vmalloc_to_page(rmm, a))), 0);
	check_destroy(rmm);
}

static void test_vmalloc_alignment_and_range_are_kept(void **state)
{
	const struct rmm_vmalloc_args stack = {
		.size = 4 * PAGE, .align = 4 * PAGE, .gfp = RMM_GFP_KERNEL, .nid = -1};
	const struct rmm_vmalloc_args module = {.size = 3 * PAGE,
						.start = 0xffffffffa0000000,
						.end = 0xffffffffff000000,
						.gfp = RMM_GFP_KERNEL,
						.nid = -1};
	const struct rmm_vmalloc_args io = {
		.size = 5 * PAGE, .gfp = RMM_GFP_KERNEL, .flags = RMM_VM_IOREMAP, .nid = -1};
	struct rmm *rmm = vm_machine(4, false);

	(void)state;
	/* 16 KiB stacks lie 32 KiB apart: 3 pages of each 8 stay free. */
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal((uintptr_t)rmm___vmalloc_node_range(rmm, 0, &stack),
				 VM_START + i * 8 * PAGE);
	assert_int_equal((uintptr_t)rmm_vmalloc(rmm, 0, 2 * PAGE), VM_START + 5 * PAGE);
	assert_int_equal((uintptr_t)rmm___vmalloc_node_range(rmm, 0, &module), module.start);
	assert_int_equal((uintptr_t)rmm___vmalloc_node_range(rmm, 0, &io) % (8 * PAGE), 0);
	check_destroy(rmm);
}

static uintptr_t io_area(struct rmm *rmm, uintptr_t mib)
{
	const struct rmm_vmalloc_args io = {
		.size = mib << 20, .gfp = RMM_GFP_KERNEL, .flags = RMM_VM_IOREMAP, .nid = -1};

	return rmm_get_vm_area(rmm, 0, &io);
}

static void test_vmalloc_io_areas_are_aligned_to_what_page_tables_can_map(void **state)
{
	struct rmm *rmm = vm_machine(4, false);
	struct machine m;
	uintptr_t a;

	(void)state;
	assert_int_equal((uintptr_t)rmm_vmalloc(rmm, 0, PAGE), VM_START);
	assert_int_equal(io_area(rmm, 16), VM_START + (16u << 20));
	assert_int_equal(io_area(rmm, 3 << 10), VM_START + (1u << 30)); /* not 4 GiB */
	check_destroy(rmm);
	machine_init(&m, 0);
	rmm_config_32bit(&m.config, m.zone, 100 << 8);
	rmm = vm_boot(&m, NULL);
	assert_non_null(rmm_vmalloc(rmm, 0, PAGE));
	a = io_area(rmm, 16);
	assert_int_equal(a % (2u << 20), 0);
	assert_int_not_equal(a % (4u << 20), 0);
	check_destroy(rmm);
}

static void test_vmalloc_addresses_without_pages(void **state)
{
	struct rmm_vmalloc_args args = {.size = 3 * PAGE, .gfp = RMM_GFP_KERNEL, .nid = -1};
	struct rmm *rmm = vm_machine(1, false);
	uint64_t before = rmm_nr_free_pages(rmm);
	uintptr_t at = rmm_get_vm_area(rmm, 0, &args);

	(void)state;
	assert_int_equal(at, VM_START);
	assert_int_equal((uintptr_t)rmm_vmalloc(rmm, 0, 1), VM_START + 4 * PAGE);
	assert_null(rmm_vmalloc_to_page(rmm, (void *)at));
	check(rmm);
	vm_free(rmm, (void *)(VM_START + 4 * PAGE));
	vm_free(rmm, (void *)at);
	assert_int_equal(free_pages(rmm), before);
	args.start = at;
	args.end = at + 3 * PAGE; /* no room for the guard */
	assert_int_equal(rmm_get_vm_area(rmm, 0, &args), 0);
	says(rmm, "no hole of that size");
	args = (struct rmm_vmalloc_args){.size = SIZE_MAX};
	assert_int_equal(rmm_get_vm_area(rmm, 0, &args), 0);
	args.size = (size_t)1 << 40; /* more than there are pages */
	assert_int_not_equal(rmm_get_vm_area(rmm, 0, &args), 0);
	args.size = 0;
	assert_int_equal(rmm_get_vm_area(rmm, 0, &args), 0);
	check_destroy(rmm);
}

static void test_vmalloc_next_area_goes_up_over_all_nodes(void **state)
{
	struct rmm_vm_area area = {0};
	struct machine m;
	struct rmm *rmm;
	uintptr_t last = 0;
	unsigned int n = 0;

	(void)state;
	machine_init(&m, 4);
	m.config.nr_cpus = 3;
	rmm = vm_boot(&m, NULL);
	for (unsigned int i = 0; i < 40; i++)
		assert_non_null(rmm_vmalloc(rmm, i % 3, (i % 30 + 1) * PAGE));
	for (uintptr_t at = 0; !rmm_next_vm_area(rmm, at, &area); at = area.address + area.size) {
		assert_true(area.address >= last);
		last = area.address + area.size;
		/* Each address of an area leads to it, whatever node it is of. */
		for (uintptr_t p = area.address; p < last; p += PAGE)
			assert_int_equal(rmm_vmalloc_to_page(rmm, (void *)p) == NULL,
					 p == last - PAGE);
		n++;
	}
	assert_int_equal(n, 40);
	check_destroy(rmm);
}

static void test_vmalloc_setup_is_checked(void **state)
{
	static const struct {
		struct rmm_vmalloc_config config;
		bool backed, remappable;
		int err;
	} cases[] = {
		{{.start = 4096, .end = 4096}, false, false, -EINVAL},
		{{.start = 4097, .end = 1 << 20}, false, false, -EINVAL},
		{{.start = 4096, .end = 1 << 20}, false, false, 0},
		{{.pools = true}, true, false, -EOPNOTSUPP},
		{{.pools = true}, true, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		struct rmm *rmm;

		machine_init(&m, 1);
		m.config.backed = cases[i].backed;
		m.config.remappable = cases[i].remappable;
		rmm = machine_boot(&m);
		assert_null(rmm_vmalloc(rmm, 0, 1));
		says(rmm, "call rmm_vmalloc_init first");
		assert_int_equal(rmm_vfree(rmm, 0, &m), -EINVAL);
		assert_int_equal(rmm_vmalloc_init(rmm, &cases[i].config), cases[i].err);
		if (!cases[i].err)
			assert_int_equal(rmm_vmalloc_init(rmm, NULL), -EBUSY);
		check_destroy(rmm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmalloc_areas_follow_each_other_with_guards),
		cmocka_unit_test(test_vmalloc_bad_requests_are_refused_in_words),
		cmocka_unit_test(test_vmalloc_wrong_frees_are_refused),
		cmocka_unit_test(test_vmalloc_gives_all_pages_back),
		cmocka_unit_test(test_vmalloc_to_page_knows_each_page_but_the_guard),
		cmocka_unit_test(test_vmalloc_pages_come_in_bulk_of_100),
		cmocka_unit_test(test_vmalloc_each_failing_step_is_undone),
		cmocka_unit_test(test_vmalloc_lasting_failure_returns_null),
		cmocka_unit_test(test_vmalloc_huge_takes_huge_pages),
		cmocka_unit_test(test_vmalloc_huge_falls_back_to_single_pages),
		cmocka_unit_test(test_vmalloc_vmap_leaves_pages_to_the_caller),
		cmocka_unit_test(test_vmalloc_node_and_zone_are_as_asked),
		cmocka_unit_test(test_vmalloc_alignment_and_range_are_kept),
		cmocka_unit_test(test_vmalloc_io_areas_are_aligned_to_what_page_tables_can_map),
		cmocka_unit_test(test_vmalloc_addresses_without_pages),
		cmocka_unit_test(test_vmalloc_next_area_goes_up_over_all_nodes),
		cmocka_unit_test(test_vmalloc_setup_is_checked),
	};

	return RUN(tests);
}
