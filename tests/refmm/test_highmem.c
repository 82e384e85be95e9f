/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kmap and kmap_local: refmm/highmem*.c, on a 32-bit machine. */
#include "vm.h"

#include "../../refmm/highmem.h"

enum { SLOTS = 8, MIB_PAGES = 256 };

struct waiter {
	struct rmm *rmm;
	struct rmm_page *release; /* unmapped when somebody waits; NULL: give up */
	struct rmm_page *map;	  /* and this one is mapped by somebody else */
	unsigned int calls;
};

static bool wait_hook(void *ctx, unsigned int cpu)
{
	struct waiter *w = ctx;

	(void)cpu;
	w->calls++;
	if (!w->release)
		return false;
	assert_int_equal(rmm_kunmap(w->rmm, 0, w->release), 0);
	w->release = NULL;
	if (w->map)
		assert_non_null(rmm_kmap(w->rmm, 0, w->map));
	return true;
}

/* @mib of memory, @slots in the window (0: the kernel's) */
static struct rmm *boot(unsigned int mib, bool backed, unsigned int slots, struct waiter *w)
{
	struct rmm_highmem_config c = {.last_pkmap = slots};
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 0);
	rmm_config_32bit(&m.config, m.zone, mib * MIB_PAGES);
	m.config.nr_cpus = 2;
	if (backed)
		vm_backed(&m);
	rmm = machine_boot(&m);
	if (w) {
		*w = (struct waiter){.rmm = rmm};
		c.wait = wait_hook;
		c.ctx = w;
	}
	if (rmm_highmem_init(rmm, &c))
		fail_msg("%s", rmm_last_error(rmm));
	return rmm;
}

static struct rmm_highmem_stat high_stats(const struct rmm *rmm)
{
	struct rmm_highmem_stat s;

	rmm_highmem_stat(rmm, &s);
	return s;
}

static struct rmm_page *high_page(struct rmm *rmm)
{
	struct rmm_page *page = rmm_alloc_page(rmm, 0, RMM_GFP_HIGHUSER);

	assert_non_null(page);
	assert_true(rmm_PageHighMem(rmm, page));
	return page;
}

static void unmap(struct rmm *rmm, struct rmm_page *page)
{
	if (rmm_kunmap(rmm, 0, page))
		fail_msg("%s", rmm_last_error(rmm));
}

/* Map SLOTS pages, which fills the window */
static void map_all(struct rmm *rmm, struct rmm_page **pages)
{
	for (int i = 0; i < SLOTS; i++) {
		pages[i] = high_page(rmm);
		assert_non_null(rmm_kmap(rmm, 0, pages[i]));
	}
}

static void test_highmem_windows_are_the_kernels(void **state)
{
	static const struct {
		unsigned int mib, slots;
	} cases[] = {{1024, 1024}, {4096, 1024}, {6144, 512}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm *rmm = boot(cases[i].mib, false, 0, NULL);
		uintptr_t at = (uintptr_t)rmm_kmap(rmm, 0, high_page(rmm));

		assert_int_equal(high_stats(rmm).slots, cases[i].slots);
		/* Above low memory and vmalloc, below the fixed addresses. */
		assert_in_range(at, 0xf8000000u + (100u << 20),
				0xfffff000u - cases[i].slots * PAGE);
		at -= PAGE; /* slot 1 comes first */
		assert_int_equal(at % (cases[i].slots * PAGE), 0);
		rmm_destroy(rmm);
	}
}

static void test_highmem_low_memory_has_its_address(void **state)
{
	struct rmm *rmm = boot(1000, false, SLOTS, NULL);
	struct rmm_page *page = rmm_alloc_page(rmm, 0, RMM_GFP_KERNEL);
	void *at = rmm_page_address(rmm, page);

	(void)state;
	assert_ptr_equal(rmm_kmap(rmm, 0, page), at);
	assert_ptr_equal(rmm_kmap_local_page(rmm, 1, page), at);
	assert_int_equal(rmm_kunmap(rmm, 0, page), 0);
	assert_int_equal(rmm_kunmap_local(rmm, 1, at), 0);
	assert_ptr_equal(rmm_kmap_to_page(rmm, at), page);
	assert_int_equal(high_stats(rmm).kmap, 0);
	check_destroy(rmm);
}

static void test_highmem_kmap_counts_users_of_one_address(void **state)
{
	struct rmm *rmm = boot(1000, false, SLOTS, NULL);
	struct rmm_page *page = high_page(rmm);
	char *at;

	(void)state;
	assert_null(rmm_page_address(rmm, page));
	at = rmm_kmap(rmm, 0, page);
	assert_ptr_equal(rmm_kmap(rmm, 1, page), at);
	assert_ptr_equal(rmm_page_address(rmm, page), at);
	assert_ptr_equal(rmm_kmap_to_page(rmm, at + 9), page);
	assert_int_equal(high_stats(rmm).used, 1);
	assert_int_equal(high_stats(rmm).found, 1);
	unmap(rmm, page);
	assert_int_equal(high_stats(rmm).used, 1);
	unmap(rmm, page);
	/* Not used, but still shown: the next kmap finds it. */
	assert_int_equal(high_stats(rmm).stale, 1);
	assert_ptr_equal(rmm_kmap(rmm, 0, page), at);
	unmap(rmm, page);
	assert_int_equal(rmm_kunmap(rmm, 0, page), -EINVAL);
	says(rmm, "nobody has it mapped");
	rmm_kmap_flush_unused(rmm);
	assert_null(rmm_page_address(rmm, page));
	assert_null(rmm_kmap_to_page(rmm, at));
	assert_int_equal(rmm_kunmap(rmm, 0, page), -EINVAL);
	check_destroy(rmm);
}

static void test_highmem_slots_go_round_and_are_flushed_together(void **state)
{
	struct rmm *rmm = boot(1000, false, SLOTS, NULL);
	uintptr_t first = 0;

	(void)state;
	for (unsigned int i = 0; i < 5 * SLOTS; i++) {
		struct rmm_page *page = high_page(rmm);
		uintptr_t at = (uintptr_t)rmm_kmap(rmm, 0, page);

		if (!first)
			first = at - PAGE; /* it begins with slot 1 */
		assert_int_equal(at, first + (i + 1) % SLOTS * PAGE);
		/* One flush a turn, at slot 0, not one a page */
		assert_int_equal(high_stats(rmm).flushes, (i + 1) / SLOTS);
		unmap(rmm, page);
		check(rmm);
	}
	rmm_destroy(rmm);
}

static void test_highmem_full_window_fails_in_words(void **state)
{
	struct rmm *rmm = boot(1000, false, SLOTS, NULL);
	struct rmm_page *pages[SLOTS], *more = high_page(rmm);

	(void)state;
	map_all(rmm, pages);
	assert_null(rmm_kmap(rmm, 0, more));
	says(rmm, "all 8 slots are in use");
	assert_int_equal(high_stats(rmm).failed, 1);
	check(rmm);
	assert_non_null(rmm_kmap(rmm, 1, pages[3])); /* what is mapped needs none */
	unmap(rmm, pages[5]);
	assert_non_null(rmm_kmap(rmm, 0, more));
	assert_null(rmm_page_address(rmm, pages[5]));
	/* The next slot is not used, but not flushed either. */
	unmap(rmm, pages[6]);
	assert_non_null(rmm_kmap(rmm, 0, high_page(rmm)));
	assert_null(rmm_page_address(rmm, pages[6]));
	check_destroy(rmm);
}

static void test_highmem_full_window_makes_the_caller_wait(void **state)
{
	struct rmm_page *pages[SLOTS];
	struct waiter w;
	struct rmm *rmm = boot(1000, false, SLOTS, &w);
	struct rmm_page *more = high_page(rmm);

	(void)state;
	map_all(rmm, pages);
	assert_null(rmm_kmap(rmm, 0, more)); /* nobody lets go */
	assert_int_equal(w.calls, 1);
	w.release = pages[2];
	assert_non_null(rmm_kmap(rmm, 0, more));
	assert_int_equal(w.calls, 2);
	assert_int_equal(high_stats(rmm).waits, 2);
	check_destroy(rmm);
}

/* While we slept, somebody else has mapped the page. */
static void test_highmem_page_mapped_while_waiting_is_found(void **state)
{
	struct rmm_page *pages[SLOTS];
	struct waiter w;
	struct rmm *rmm = boot(1000, false, SLOTS, &w);
	struct rmm_page *more = high_page(rmm);

	(void)state;
	map_all(rmm, pages);
	w.release = pages[2];
	w.map = more;
	assert_non_null(rmm_kmap(rmm, 1, more));
	assert_int_equal(high_stats(rmm).used, SLOTS);
	unmap(rmm, more);
	unmap(rmm, more);
	assert_int_equal(rmm_kunmap(rmm, 0, more), -EINVAL);
	check_destroy(rmm);
}

static void test_highmem_kmap_may_sleep_so_not_in_atomic(void **state)
{
	struct rmm *rmm = boot(1000, false, SLOTS, NULL);
	struct rmm_page *page = high_page(rmm);
	char *at = rmm_kmap_atomic(rmm, 1, page);

	(void)state;
	assert_true(rmm_in_atomic(rmm, 1));
	assert_null(rmm_kmap(rmm, 1, page));
	says(rmm, "use kmap_local_page");
	assert_non_null(rmm_kmap(rmm, 0, page));
	rmm_irq_enter(rmm, 0);
	assert_int_equal(rmm_kunmap(rmm, 0, page), -EINVAL);
	rmm_irq_exit(rmm, 0);
	assert_int_equal(rmm_kunmap_atomic(rmm, 1, at), 0);
	assert_false(rmm_in_atomic(rmm, 1));
	assert_null(rmm_kmap(rmm, 2, page));
	check_destroy(rmm);
}

static void test_highmem_local_mappings_are_a_stack(void **state)
{
	struct rmm *rmm = boot(1000, false, SLOTS, NULL);
	struct rmm_page *page[RMM_KM_MAX_IDX];
	char *at[RMM_KM_MAX_IDX];

	(void)state;
	for (int i = 0; i < RMM_KM_MAX_IDX; i++)
		page[i] = high_page(rmm);
	for (int i = 0; i < RMM_KM_MAX_IDX - 1; i++) {
		at[i] = rmm_kmap_local_page(rmm, 1, page[i]);
		assert_ptr_equal(at[i], at[0] - i * PAGE); /* downwards */
		assert_ptr_equal(rmm_kmap_to_page(rmm, at[i] + 1), page[i]);
	}
	assert_null(rmm_kmap_local_page(rmm, 1, page[15]));
	says(rmm, "15 mappings are open, at most 15 can be");
	/* The other CPU has slots of its own, for the same pages too. */
	assert_ptr_equal(rmm_kmap_local_page(rmm, 0, page[0]), at[0] + 16 * PAGE);
	check(rmm);
	assert_int_equal(rmm_kunmap_local(rmm, 1, at[13]), -EINVAL);
	says(rmm, "reverse order");
	for (int i = RMM_KM_MAX_IDX - 2; i >= 0; i--)
		assert_int_equal(rmm_kunmap_local(rmm, 1, at[i] + 100), 0);
	assert_int_equal(rmm_kunmap_local(rmm, 1, at[0]), -EINVAL);
	says(rmm, "no local mapping");
	assert_null(rmm_kmap_to_page(rmm, at[0]));
	assert_int_equal(high_stats(rmm).local_deepest, 15);
	check_destroy(rmm);
}

static void test_highmem_backed_mappings_show_the_page(void **state)
{
	struct rmm *rmm = boot(1000, true, SLOTS, NULL);
	struct rmm_page *page[3];
	char *kmap[3], *local[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		page[i] = high_page(rmm);
		kmap[i] = rmm_kmap(rmm, 0, page[i]);
		memset(kmap[i], i + 1, PAGE);
		local[i] = rmm_kmap_local_page(rmm, 1, page[i]);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(local[i][4095], i + 1);
		local[i][7] = 90;
		assert_int_equal(kmap[i][7], 90);
	}
	assert_int_equal(rmm_kunmap_local(rmm, 1, local[2]), 0);
	assert_true(faults(local[2]));
	assert_false(faults(local[1]));
	unmap(rmm, page[0]);
	assert_false(faults(kmap[0])); /* until the next flush */
	rmm_kmap_flush_unused(rmm);
	assert_true(faults(kmap[0]));
	assert_int_equal(*(char *)rmm_kmap(rmm, 0, page[0]), 1);
	check_destroy(rmm);
}

static void test_highmem_failed_mapping_changes_nothing(void **state)
{
	struct rmm *rmm = boot(1000, true, SLOTS, NULL);
	struct rmm_page *page = high_page(rmm);

	(void)state;
	rmm_set_fault(rmm,
		      &(struct rmm_fault){.points = RMM_FAULT_VMALLOC, .probability = 1000000});
	assert_null(rmm_kmap(rmm, 0, page));
	assert_null(rmm_kmap_atomic(rmm, 0, page));
	rmm_set_fault(rmm, NULL);
	assert_false(rmm_in_atomic(rmm, 0));
	assert_int_equal(high_stats(rmm).used, 0);
	check(rmm);
	assert_non_null(rmm_kmap(rmm, 0, page));
	check_destroy(rmm);
}

static void test_highmem_setup_is_checked(void **state)
{
	struct rmm *rmm = machine(1, false);
	struct rmm_page *page;
	struct machine m;

	(void)state;
	assert_int_equal(rmm_highmem_init(rmm, NULL), -EINVAL);
	says(rmm, "a 64-bit machine has no high memory");
	rmm_destroy(rmm);
	machine_init(&m, 0);
	rmm_config_32bit(&m.config, m.zone, 1000 * MIB_PAGES);
	rmm = machine_boot(&m);
	page = rmm_alloc_page(rmm, 0, RMM_GFP_HIGHUSER);
	assert_null(rmm_kmap(rmm, 0, page));
	says(rmm, "call rmm_highmem_init first");
	assert_null(rmm_kmap_local_page(rmm, 0, page));
	rmm_destroy(rmm);
	rmm = boot(1000, false, SLOTS, NULL);
	assert_int_equal(rmm_highmem_init(rmm, NULL), -EBUSY);
	rmm_destroy(rmm);
}

static void test_highmem_validate_notices_what_is_wrong(void **state)
{
	struct rmm *rmm = boot(1000, false, SLOTS, NULL);
	struct rmm_highmem *h = rmm_highmem_of(rmm);
	struct rmm_page *page = high_page(rmm);
	char msg[256];

	(void)state;
	rmm_kmap(rmm, 0, page);
	h->count[1] = 0;
	assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
	assert_non_null(strstr(msg, "kmap slot 1: count 0"));
	h->count[1] = 2;
	rmm->page_virtual[rmm_page_to_pfn(rmm, page) + 1] = 4096;
	assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
	rmm->page_virtual[rmm_page_to_pfn(rmm, page) + 1] = 0;
	h->ctrl[1].idx = 1;
	assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
	h->ctrl[1].idx = 0;
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_highmem_windows_are_the_kernels),
		cmocka_unit_test(test_highmem_low_memory_has_its_address),
		cmocka_unit_test(test_highmem_kmap_counts_users_of_one_address),
		cmocka_unit_test(test_highmem_slots_go_round_and_are_flushed_together),
		cmocka_unit_test(test_highmem_full_window_fails_in_words),
		cmocka_unit_test(test_highmem_full_window_makes_the_caller_wait),
		cmocka_unit_test(test_highmem_page_mapped_while_waiting_is_found),
		cmocka_unit_test(test_highmem_kmap_may_sleep_so_not_in_atomic),
		cmocka_unit_test(test_highmem_local_mappings_are_a_stack),
		cmocka_unit_test(test_highmem_backed_mappings_show_the_page),
		cmocka_unit_test(test_highmem_failed_mapping_changes_nothing),
		cmocka_unit_test(test_highmem_setup_is_checked),
		cmocka_unit_test(test_highmem_validate_notices_what_is_wrong),
	};

	return RUN(tests);
}
