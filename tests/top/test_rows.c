/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_rows.c - slots of all CPUs as rows. */
#include "slots.h"

/* A reading of @n CPUs. */
static void read_cpus(struct top_rows *r, struct kml_top_cpu *const *c, unsigned int n)
{
	top_rows_begin(r);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(top_rows_add(r, i, c[i]), 0);
}

static uint64_t allocs(const struct top_rows *r, enum top_group group, const char *name)
{
	const struct top_row *row = top_rows_find(r, group, name);

	return row ? row->now.allocs : UINT64_MAX;
}

static void test_rows_one_source_is_in_its_cache_and_its_site(void **state)
{
	struct kml_top_cpu *c = cpu_new();
	struct top_rows *r = top_rows_new(1, name_site, NULL);

	(void)state;
	slot_fill(c, slot_source(c, KML_TOP_KMALLOC, 0xa, "kmalloc-64"), 3, 40, 64);
	slot_fill(c, slot_source(c, KML_TOP_KMALLOC, 0xb, "kmalloc-64"), 4, 64, 64);
	slot_fill(c, slot_source(c, KML_TOP_CACHE, 0xa, "dentry"), 5, 192, 192);
	read_cpus(r, &c, 1);
	assert_int_equal(allocs(r, TOP_CACHE, "kmalloc-64"), 7);
	assert_int_equal(allocs(r, TOP_CACHE, "dentry"), 5);
	assert_int_equal(allocs(r, TOP_SITE, "site_a"), 8);
	assert_int_equal(allocs(r, TOP_SITE, "site_b"), 4);
	assert_int_equal(top_rows_find(r, TOP_CACHE, "kmalloc-64")->now.req, 3 * 40 + 4 * 64);
	assert_null(top_rows_find(r, TOP_COMMAND, "dentry"));
	top_rows_free(r);
	free(c);
}

static void test_rows_cpus_and_tables_add_up_by_name(void **state)
{
	struct kml_top_cpu *c[2] = {cpu_new(), cpu_new()};
	struct top_rows *r = top_rows_new(2, name_site, NULL);

	(void)state;
	slot_command(c[1], KML_TOP_KMALLOC, "first"); /* so that slots differ by CPU */
	slot_fill(c[0], slot_command(c[0], KML_TOP_KMALLOC, "cc1"), 1, 8, 8);
	slot_fill(c[0], slot_command(c[0], KML_TOP_CACHE, "cc1"), 2, 8, 8);
	slot_fill(c[1], slot_command(c[1], KML_TOP_KMALLOC, "cc1"), 4, 8, 8);
	slot_fill(c[1], slot_command(c[1], KML_TOP_PAGES, "cc1"), 8, 4096, 4096);
	read_cpus(r, c, 2);
	assert_int_equal(allocs(r, TOP_COMMAND, "cc1"), 7);
	assert_int_equal(allocs(r, TOP_PAGES, "cc1"), 8);
	assert_null(top_rows_find(r, TOP_COMMAND, "first")); /* it did nothing */
	top_rows_free(r);
	free(c[0]);
	free(c[1]);
}

static void test_rows_migrate_types_of_an_order_are_one_row(void **state)
{
	struct kml_top_cpu *c = cpu_new();
	struct top_rows *r = top_rows_new(1, name_site, NULL);

	(void)state;
	slot_fill(c, slot_source(c, KML_TOP_PAGES, 3 | 0 << 8, ""), 1, 32768, 32768);
	slot_fill(c, slot_source(c, KML_TOP_PAGES, 3 | 1 << 8, ""), 2, 32768, 32768);
	slot_fill(c, slot_source(c, KML_TOP_PAGES, 0 | 1 << 8, ""), 4, 4096, 4096);
	read_cpus(r, &c, 1);
	assert_int_equal(allocs(r, TOP_ORDER, "3"), 3);
	assert_int_equal(allocs(r, TOP_ORDER, "0"), 4);
	top_rows_free(r);
	free(c);
}

static void test_rows_sources_without_a_place_have_a_row(void **state)
{
	struct kml_top_cpu *c = cpu_new();
	struct top_rows *r = top_rows_new(1, name_site, NULL);

	(void)state;
	slot_fill(c, KML_TOP_CACHE_BASE, 6, 10, 16);
	slot_fill(c, KML_TOP_PAGES * KML_TOP_COMMANDS, 7, 4096, 4096);
	read_cpus(r, &c, 1);
	assert_int_equal(allocs(r, TOP_CACHE, "(no place)"), 6);
	assert_int_equal(allocs(r, TOP_SITE, "(no place)"), 6);
	assert_int_equal(allocs(r, TOP_PAGES, "(no place)"), 7);
	top_rows_free(r);
	free(c);
}

static void test_rows_what_was_now_is_before(void **state)
{
	struct kml_top_cpu *c = cpu_new();
	struct top_rows *r = top_rows_new(1, name_site, NULL);
	uint32_t at = slot_source(c, KML_TOP_CACHE, 1, "filp");
	const struct top_row *row;

	(void)state;
	slot_fill(c, at, 2, 184, 192);
	read_cpus(r, &c, 1);
	slot_fill(c, at, 5, 184, 192);
	read_cpus(r, &c, 1);
	row = top_rows_find(r, TOP_CACHE, "filp");
	assert_int_equal(row->before.allocs, 2);
	assert_int_equal(row->now.allocs, 7);
	assert_int_equal(row->now.given - row->before.given, 5 * 192);
	top_rows_free(r);
	free(c);
}

/* A CPU is read while others end its lives: more may have ended than begun. */
static void test_rows_live_is_never_below_zero(void **state)
{
	struct top_sums s = {.begun = 2, .begun_bytes = 128, .ended = 3, .ended_bytes = 192};

	(void)state;
	assert_int_equal(top_row_lives(&s), 0);
	assert_int_equal(top_row_live_bytes(&s), 0);
	s.begun = 5;
	s.begun_bytes = 320;
	assert_int_equal(top_row_lives(&s), 2);
	assert_int_equal(top_row_live_bytes(&s), 128);
}

static void test_rows_a_commands_name_steers_no_terminal(void **state)
{
	struct kml_top_cpu *c = cpu_new();
	struct top_rows *r = top_rows_new(1, name_site, NULL);

	(void)state;
	slot_fill(c, slot_command(c, KML_TOP_CACHE, "a\033[2J\nb"), 1, 8, 8);
	slot_fill(c, slot_command(c, KML_TOP_CACHE, "sixteen bytes ok"), 1, 8, 8);
	read_cpus(r, &c, 1);
	assert_int_equal(allocs(r, TOP_COMMAND, "a?[2J?b"), 1);
	assert_int_equal(allocs(r, TOP_COMMAND, "sixteen bytes ok"), 1);
	top_rows_free(r);
	free(c);
}

static void test_rows_thousands_of_names_are_all_found(void **state)
{
	enum { NAMES = 3000 };
	struct kml_top_cpu *c = cpu_new();
	struct top_rows *r = top_rows_new(1, name_site, NULL);
	char name[32];
	size_t n;

	(void)state;
	for (uint64_t i = 1; i <= NAMES; i++)
		slot_fill(c, slot_source(c, KML_TOP_CACHE, i, "one"), i, 1, 1);
	read_cpus(r, &c, 1);
	for (uint64_t i = 1; i <= NAMES; i++) {
		snprintf(name, sizeof(name), "site_%llx", (unsigned long long)i);
		assert_int_equal(allocs(r, TOP_SITE, name), i);
	}
	top_rows_of(r, TOP_SITE, &n);
	assert_int_equal(n, NAMES);
	assert_int_equal(allocs(r, TOP_CACHE, "one"), (uint64_t)NAMES * (NAMES + 1) / 2);
	top_rows_free(r);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_one_source_is_in_its_cache_and_its_site),
		cmocka_unit_test(test_rows_cpus_and_tables_add_up_by_name),
		cmocka_unit_test(test_rows_migrate_types_of_an_order_are_one_row),
		cmocka_unit_test(test_rows_sources_without_a_place_have_a_row),
		cmocka_unit_test(test_rows_what_was_now_is_before),
		cmocka_unit_test(test_rows_live_is_never_below_zero),
		cmocka_unit_test(test_rows_a_commands_name_steers_no_terminal),
		cmocka_unit_test(test_rows_thousands_of_names_are_all_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
