/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Per-CPU and vmalloc requests of a trace, made in the reference's layers. */
#include "../support/test.h"
#include "machine.h"

#include <jansson.h>

#include <kmemlab/refmm_percpu.h>

#include "replay/areas.h"

enum { PERCPU, PERCPU_ATOMIC, PERCPU_FREE, AREA, AREA_FREE, PURGE, CREATE, PAGE, CLASSES };

static const struct kmt_class classes[CLASSES] = {
	[PERCPU] = {.kind = KMT_PERCPU_ALLOC, .bytes_req = 64, .bytes_alloc = 128},
	[PERCPU_ATOMIC] = {.kind = KMT_PERCPU_ALLOC, .bytes_req = 8, .fallback_type = 2},
	[PERCPU_FREE] = {.kind = KMT_PERCPU_FREE},
	[AREA] = {.kind = KMT_VMALLOC_ALLOC, .bytes_alloc = 5},
	[AREA_FREE] = {.kind = KMT_VMALLOC_FREE},
	[PURGE] = {.kind = KMT_VMALLOC_PURGE},
	[CREATE] = {.kind = KMT_PERCPU_CREATE},
	[PAGE] = {.kind = KMT_PAGE_ALLOC},
};
static const struct kmt_class *by_id[CLASSES];
static struct areas a;

static int set_up(void **state)
{
	static struct host h;

	(void)state;
	h.cpus = 2;
	for (int i = 0; i < CLASSES; i++)
		by_id[i] = &classes[i];
	return areas_init(&a, &h, by_id, CLASSES);
}

static int tear_down(void **state)
{
	(void)state;
	areas_destroy(&a);
	return 0;
}

static void happens(uint32_t id, uint64_t address)
{
	const struct trace_event e = {.class_id = id,
				      .kind = classes[id].kind,
				      .order = classes[id].order,
				      .address = address,
				      .cpu = 1};

	assert_int_equal(areas_feed(&a, &e, 1), 0);
	assert_false(a.broken);
}

static void check_machine(void)
{
	char broken[256];

	if (rmm_validate(a.rmm, broken, sizeof(broken)))
		fail_msg("%s", broken);
}

static void test_areas_other_events_make_no_machine(void **state)
{
	(void)state;
	happens(PAGE, 5);
	assert_null(a.rmm);
}

static void test_areas_percpu_is_allocated_and_freed(void **state)
{
	struct rmm_percpu_stat s;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		happens(PERCPU, 1ull << 32 | i * 64);
	happens(PERCPU_ATOMIC, 2ull << 32);
	for (uint64_t i = 0; i < 40; i++)
		happens(PERCPU_FREE, 1ull << 32 | i * 64);
	happens(PERCPU_FREE, 9ull << 32);
	happens(CREATE, 3ull << 32);
	rmm_percpu_stat(a.rmm, &s);
	assert_int_equal(s.nr_cur_alloc, 61);
	assert_int_equal(a.percpu_counts.live, 60 * 64 + 8);
	assert_int_equal(a.percpu_counts.peak, 100 * 64 + 8);
	assert_int_equal(a.percpu_counts.free_unknown, 1);
	assert_int_equal(a.percpu_counts.ref_failed + a.percpu_counts.ref_refused, 0);
	assert_int_equal(a.chunks_created, 1);
	check_machine();
}

static void test_areas_vmalloc_waits_for_its_purge(void **state)
{
	struct rmm_vmalloc_stat s;

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		happens(AREA, i * 5);
	for (uint64_t i = 0; i < 4; i++)
		happens(AREA_FREE, i * 5);
	happens(AREA, KMT_NO_PAGE);
	happens(PURGE, 7);
	rmm_vmalloc_stat(a.rmm, &s);
	assert_int_equal(s.areas, 6);
	assert_int_equal(s.lazy_pages, 20);
	assert_int_equal(a.vmalloc_counts.live, 30);
	assert_int_equal(a.vmalloc_counts.failed, 1);
	assert_int_equal(a.vmalloc_counts.ref_failed + a.vmalloc_counts.ref_refused, 0);
	assert_int_equal(a.purges, 1);
	assert_int_equal(a.purged, 7);
	check_machine();
}

/* Areas in pools after another purge: what a kernel of @release does with one */
static uint64_t pooled(const char *release)
{
	struct rmm_vmalloc_stat s;
	struct host h = {.cpus = 2};

	areas_destroy(&a);
	h.header = json_pack("{s:{s:s}}", "host", "release", release);
	assert_int_equal(areas_init(&a, &h, by_id, CLASSES), 0);
	json_decref(h.header);
	happens(AREA, 5);
	happens(AREA_FREE, 5);
	for (int i = 0; i < 2; i++)
		rmm_drain_vmap_work(a.rmm, 0);
	rmm_vmalloc_stat(a.rmm, &s);
	check_machine();
	return s.pool_areas;
}

static void test_areas_pools_are_those_of_the_release(void **state)
{
	(void)state;
	assert_int_equal(pooled("6.8.0"), 0);
	assert_int_equal(pooled("6.12.1-cloud"), 0);
	assert_int_equal(pooled("6.15.11"), 0);
	assert_int_equal(pooled("6.16.0"), 1);
	assert_int_equal(pooled("6.18.44"), 1);
}

static void test_areas_address_given_out_again_replaces(void **state)
{
	(void)state;
	happens(AREA, 5);
	happens(AREA, 5);
	happens(PERCPU, 7);
	happens(PERCPU, 7);
	assert_int_equal(a.vmalloc_counts.live, 5);
	assert_int_equal(a.vmalloc_counts.peak, 5);
	assert_int_equal(a.percpu_counts.live, 64);
	assert_int_equal(a.percpu_counts.peak, 64);
	happens(AREA_FREE, 5);
	assert_int_equal(a.vmalloc_counts.live, 0);
	happens(AREA_FREE, 5);
	assert_int_equal(a.vmalloc_counts.allocs, 2);
	assert_int_equal(a.vmalloc_counts.free_unknown, 1);
	check_machine();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_areas_other_events_make_no_machine, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_areas_percpu_is_allocated_and_freed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_areas_vmalloc_waits_for_its_purge, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_areas_pools_are_those_of_the_release, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_areas_address_given_out_again_replaces, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
