/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vmalloc's areas at the start, what events do to them, and the end. */
#include "areas_world.h"

enum { AREA, AREA_FREE, CLASSES };

static const struct kmt_class classes[CLASSES] = {
	[AREA] = {.kind = KMT_VMALLOC_ALLOC, .bytes_alloc = 5},
	[AREA_FREE] = {.kind = KMT_VMALLOC_FREE},
};
static const struct kmt_class *const by_id[] = {&classes[AREA], &classes[AREA_FREE]};

/*
 * Start: pages 0-4, 8-12 (of a per-CPU chunk) in use, 16-20 lazy, 24-25 in a pool of
 * node 1; read from 100 to 200 ns. A module's area has number 7 of its own.
 */
#define START                                                                                      \
	"{\"time_ns\":[100,200],\"used\":[[0,5,1,4,\"vmalloc\",\"f+0x1\"],[8,5,1,0,\"vmalloc\","   \
	"\"pcpu_get_vm_areas+0x1\"],[4611686018427387911,3,1,2,\"vmalloc\",\"m+0x1\"]],"           \
	"\"lazy\":[[16,5,1,0]],\"pool\":[[24,2,2,1]]}"

static struct trace_reader *trace(const char *start, const char *end)
{
	const unsigned int blocks[11] = {0};
	struct machine m;

	machine_begin(&m);
	machine_text(&m, KMT_PHASE_START, 200, "kmemlab/vmalloc", start);
	if (end)
		machine_text(&m, KMT_PHASE_END, 1100, "kmemlab/vmalloc", end);
	return machine_end(&m, 0, blocks);
}

static void begin(const char *start, const char *end)
{
	struct host h = {.cpus = 2};
	struct trace_reader *r = trace(start, end);

	h.header = json_pack("{s:{s:s}}", "host", "release", "6.18.0");
	areas_begin(&h, r, by_id, CLASSES);
	json_decref(h.header);
}

static uint64_t place_of(uint64_t page)
{
	uint32_t i = live_find(&a.vmalloc, page);

	assert_int_not_equal(i, LIVE_NONE);
	return (a.area[i].at - rmm_vmalloc_start(a.rmm)) / 4096;
}

static void test_areas_start_is_taken_over_in_its_places(void **state)
{
	struct rmm_vmalloc_stat s;

	(void)state;
	begin(START, NULL);
	assert_true(a.start.known);
	assert_int_equal(a.start_refused, 0);
	rmm_vmalloc_stat(a.rmm, &s);
	assert_int_equal(s.areas, 3);
	assert_int_equal(s.lazy_pages, 5);
	assert_int_equal(s.pool_areas, 1);
	assert_int_equal(place_of(8), 8);
	assert_int_equal(a.vmalloc_counts.live, 13);
	happens(500, AREA, 26);
	assert_int_equal(place_of(26), 26);
	happens(600, AREA_FREE, 0);
	happens(700, AREA_FREE, KMT_OPAQUE | 7);
	assert_int_equal(a.vmalloc_counts.free_unknown, 0);
	assert_int_equal(a.vmalloc_counts.live, 10);
	finish();
}

static void test_areas_start_includes_what_came_before_it_was_read(void **state)
{
	(void)state;
	begin(START, NULL);
	happens(50, AREA_FREE, 8);   /* and was allocated again, unseen or not */
	happens(150, AREA, 0);	     /* is there: the start has it */
	happens(160, AREA_FREE, 40); /* is not: the start has that, too */
	assert_int_equal(a.vmalloc_counts.live, 13);
	assert_int_equal(a.vmalloc_counts.allocs + a.vmalloc_counts.frees, 0);
	happens(170, AREA, 40);
	happens(180, AREA_FREE, 0);
	assert_int_equal(a.vmalloc_counts.live, 13);
	happens(201, AREA_FREE, 0);
	assert_int_equal(a.vmalloc_counts.free_unknown, 1);
	happens(202, AREA, 8);
	assert_int_equal(a.vmalloc_counts.alloc_of_live, 1);
	finish();
}

static void test_areas_end_is_what_the_events_lead_to(void **state)
{
	(void)state;
	begin(START, "{\"time_ns\":[1000,1100],\"used\":[[8,5,1,0,\"vmalloc\",\"\"],"
		     "[26,5,1,4,\"vmalloc\",\"\"]],\"lazy\":[],\"pool\":[]}");
	happens(500, AREA, 26);
	happens(600, AREA_FREE, 0);
	happens(700, AREA_FREE, KMT_OPAQUE | 7);
	happens(1200, AREA_FREE, 26); /* after it was read */
	assert_true(a.at_end.met);
	assert_int_equal(a.at_end.missing + a.at_end.unexpected + a.at_end.other_size, 0);
	assert_int_equal(a.at_end.kernel.areas, 2);
	assert_int_equal(a.at_end.kernel.holes, 1);
	assert_int_equal(a.at_end.kernel.largest_hole_pages, 13);
	assert_memory_equal(&a.at_end.kernel, &a.at_end.observed, sizeof(struct area_space));
	assert_memory_equal(&a.at_end.kernel, &a.at_end.reference, sizeof(struct area_space));
	finish();
}

static void test_areas_end_tells_what_events_do_not(void **state)
{
	(void)state;
	begin(START, "{\"time_ns\":[1000,1100],\"used\":[[0,6,1,4,\"vmalloc\",\"\"],"
		     "[50,5,0,0,\"vmalloc\",\"pcpu_get_vm_areas+0x1\"],[60,1,0,0,\"vmap\",\"\"],"
		     "[70,5,0,0,\"vmap\",\"\"]],\"lazy\":[],\"pool\":[]}");
	happens(1050, AREA, 70);
	assert_int_equal(areas_finish(&a), 0);
	assert_int_equal(a.at_end.missing, 2);
	assert_int_equal(a.at_end.missing_percpu, 1);
	assert_int_equal(a.at_end.unexpected, 2); /* 8 and the module's */
	assert_int_equal(a.at_end.other_size, 1);
	assert_int_equal(a.at_end.unsure, 1);
	finish();
}

/* Overlaps, nodes that are not, numbers that no kernel has, no areas at all. */
static void test_areas_start_of_nonsense_is_refused_and_counted(void **state)
{
	(void)state;
	begin("{\"time_ns\":[1,2],\"used\":[[0,5,1,4,\"vmalloc\",\"\"],[3,5,1,4,\"\",\"\"],"
	      "[-1,5,1,4,\"\",\"\"],[9,0,1],[99,4503599627370497,0],null,5],"
	      "\"lazy\":[[30,2,0,77]],\"pool\":[[40,300,0,0]]}",
	      NULL);
	assert_true(a.start.known);
	assert_int_equal(a.start_refused, 4);
	happens(500, AREA_FREE, 3);
	finish();
	begin("{\"used\":4}", "[]");
	assert_false(a.start.known);
	finish();
	begin("nonsense", NULL);
	assert_false(a.start.known);
	finish();
}

/* As a 6.12 kernel had them, under five levels of page tables. */
static void test_areas_start_of_a_kernel_fits(void **state)
{
	static char text[1 << 16];
	FILE *f = fopen("tests/data/vmalloc-areas-6.12.json", "r");

	(void)state;
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	begin(text, text);
	assert_int_equal(a.start.n, 338);
	assert_int_equal(a.start_refused, 0);
	happens(UINT64_MAX, AREA, 1 << 20);
	assert_true(a.at_end.met);
	assert_int_equal(a.at_end.missing + a.at_end.unexpected, 0);
	assert_int_equal(a.at_end.kernel.areas, 336);
	assert_int_equal(a.at_end.reference.largest_hole_pages, a.at_end.kernel.largest_hole_pages);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_areas_start_is_taken_over_in_its_places),
		cmocka_unit_test(test_areas_start_includes_what_came_before_it_was_read),
		cmocka_unit_test(test_areas_end_is_what_the_events_lead_to),
		cmocka_unit_test(test_areas_end_tells_what_events_do_not),
		cmocka_unit_test(test_areas_start_of_nonsense_is_refused_and_counted),
		cmocka_unit_test(test_areas_start_of_a_kernel_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
