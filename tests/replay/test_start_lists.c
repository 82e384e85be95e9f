/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Levels of per-CPU lists at the start, and which lists were empty once. */
#include "../support/test.h"

#include "machine.h"
#include "replay/start_lists.h"

enum { T_NS = 5 * 1000 * 1000 };

static struct host host;
static struct start start;
static struct touch touch;
static struct last_drained drain[2];
static uint16_t empty[2];
static struct level level[2];
static uint8_t last_kind[2];

static int set_up(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	host.nr_zones = 1;
	host.cpus = 2;
	host.nr_pfns = MACHINE_PAGES;
	host.pageblock_order = 9;
	host.max_order = 10;
	host.zones[0] = (struct host_zone){.spanned = MACHINE_PAGES, .pcp_high_min = 100};
	memset(&start, 0, sizeof(start));
	start.at.nr_cpus = 2;
	memset(drain, 0, sizeof(drain));
	memset(empty, 0, sizeof(empty));
	memset(last_kind, 0, sizeof(last_kind));
	touch = (struct touch){.s = &start, .drain = drain, .empty = empty};
	level[0] = level[1] = (struct level){.pages = 50, .high = 700};
	start.levels = (struct levels){
		.at = level,
		.last_kind = last_kind,
		.zones = 1,
		.cpus = 2,
		.t_ns = T_NS,
		.read_ns = T_NS + 1000,
	};
	return pagemap_init(&start.at.map, &host);
}

static int tear_down(void **state)
{
	(void)state;
	pagemap_destroy(&start.at.map);
	return 0;
}

static void happens(uint8_t kind, uint8_t order, uint8_t migratetype, uint64_t ns)
{
	const struct trace_event e = {
		.kind = kind, .order = order, .cpu = 1, .address = 64, .time_ns = T_NS + ns};
	const struct kmt_class c = {
		.kind = kind, .order = order, .migratetype = migratetype, .percpu_refill = 1};

	levels_event(&start.levels, &start.at.map, &e);
	touch_empty(&touch, &e, &c);
}

static void test_levels_take_back_what_events_did(void **state)
{
	(void)state;
	happens(KMT_PAGE_FREE, 3, 0, 1);
	happens(KMT_PAGE_ALLOC, 0, 0, 2);
	happens(KMT_ZONE_LOCKED, 0, 0, 3);
	happens(KMT_ZONE_LOCKED, 0, 0, 4);
	happens(KMT_PAGE_ALLOC, 4, 0, 5);   /* no lists of order 4 */
	happens(KMT_PAGE_FREE, 0, 0, 2000); /* after the reading */
	assert_int_equal(level[1].pages, 50 - 8 + 1 - 2);
	assert_int_equal(level[0].pages, 50);
}

static void test_levels_drain_without_free_undoes_decay(void **state)
{
	(void)state;
	happens(KMT_PAGE_FREE, 0, 0, 1);
	happens(KMT_PCPU_DRAIN, 0, 0, 2);
	happens(KMT_PAGE_ALLOC, 0, 0, 3);
	assert_false(levels_decayed(&start.levels, 1));
	happens(KMT_PCPU_DRAIN, 0, 0, 4);
	assert_true(levels_decayed(&start.levels, 1));
	assert_false(levels_decayed(&start.levels, 0));
	assert_int_equal(start.levels.decay_ns, T_NS + 4);
	levels_finish(&start.levels, &host);
	assert_int_equal(level[1].high, 800);
	assert_int_equal(level[0].high, 700);
}

static void test_levels_reading_of_next_second_undoes_decay(void **state)
{
	(void)state;
	start.levels.read_ns += 1000000000;
	level[0].high = 100; /* at its lower bound: decays no further */
	levels_finish(&start.levels, &host);
	assert_int_equal(level[0].high, 100);
	assert_int_equal(level[1].high, 800);
}

static void test_empty_refill_tells_its_list(void **state)
{
	(void)state;
	happens(KMT_ZONE_LOCKED, 1, 2, 1);
	assert_int_equal(empty[1], 1 << 5);
	assert_int_equal(empty[0], 0);
}

static void test_empty_drain_that_moves_on_tells_lists_between(void **state)
{
	(void)state;
	happens(KMT_PCPU_DRAIN, 0, 1, 1);
	happens(KMT_PCPU_DRAIN, 0, 1, 2);
	assert_int_equal(empty[1], 0);
	happens(KMT_PCPU_DRAIN, 1, 1, 3);
	assert_int_equal(empty[1], 1 << 1 | 1 << 2 | 1 << 3);
}

static void test_empty_drains_of_two_calls_tell_nothing(void **state)
{
	(void)state;
	happens(KMT_PCPU_DRAIN, 0, 0, 1);
	happens(KMT_PAGE_FREE, 0, 1, 2);
	happens(KMT_PCPU_DRAIN, 0, 1, 3);
	assert_int_equal(empty[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_levels_take_back_what_events_did, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_levels_drain_without_free_undoes_decay, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_levels_reading_of_next_second_undoes_decay,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_refill_tells_its_list, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_empty_drain_that_moves_on_tells_lists_between,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_drains_of_two_calls_tell_nothing, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
