/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Per-CPU memory that begins with the areas that were read, events, and the end. */
#include "areas_world.h"

enum { ALLOC, ALLOC_MODULE, FREE, CLASSES };

static const struct kmt_class classes[CLASSES] = {
	[ALLOC] = {.kind = KMT_PERCPU_ALLOC, .bytes_req = 6, .order = 3},
	[ALLOC_MODULE] = {.kind = KMT_PERCPU_ALLOC, .bytes_req = 4, .fallback_type = 1},
	[FREE] = {.kind = KMT_PERCPU_FREE},
};
static const struct kmt_class *const by_id[] = {&classes[0], &classes[1], &classes[2]};

/*
 * Units of 64 KiB: 4 KiB of static variables, 8 KiB reserved, 28 KiB of the first chunk,
 * as chunks 7 and 2 of the trace; one more, 3, with pages 0 and 9; read from 100 to 200 ns.
 */
#define DOC(times, reserved, first, other)                                                         \
	"{\"time_ns\":" times ",\"unit_bytes\":65536,\"atom_bytes\":65536,\"static_bytes\":4096,"  \
	"\"reserved_bytes\":8192,\"dyn_bytes\":28672,\"chunks\":["                                 \
	"{\"chunk\":7,\"first\":false,\"reserved\":true,\"slot\":0,\"isolated\":false,"            \
	"\"pages\":2,\"free_bytes\":8176,\"contig_bytes\":8176,\"nr_populated\":2,"                \
	"\"empty_pages\":1,\"populated\":[[0,2]],\"areas\":[" reserved "]},"                       \
	"{\"chunk\":2,\"first\":true,\"reserved\":false,\"slot\":10,\"isolated\":false,"           \
	"\"pages\":7,\"free_bytes\":28640,\"contig_bytes\":28608,\"nr_populated\":7,"              \
	"\"empty_pages\":6,\"populated\":[[0,7]],\"areas\":[" first "]},"                          \
	"{\"chunk\":3,\"first\":false,\"reserved\":false,\"slot\":11,\"isolated\":false,"          \
	"\"pages\":16,\"free_bytes\":65528,\"contig_bytes\":65528,\"nr_populated\":2,"             \
	"\"empty_pages\":1,\"populated\":[[0,1],[9,1]],\"areas\":[" other "]}]}"
#define START		  DOC("[100,200]", "[0,16]", "[0,8],[8,8],[48,16]", "[0,8]")
#define IN(chunk, offset) ((uint64_t)(chunk) << 32 | (offset))

static void begin(const char *start, const char *end, const char *stats)
{
	const unsigned int blocks[11] = {0};
	struct host h = {.cpus = 2};
	struct machine m;

	machine_begin(&m);
	machine_text(&m, KMT_PHASE_START, 90, "percpu_stats", stats ? stats : "");
	machine_text(&m, KMT_PHASE_START, 200, "kmemlab/percpu", start);
	if (end)
		machine_text(&m, KMT_PHASE_END, 1100, "kmemlab/percpu", end);
	areas_begin(&h, machine_end(&m, 0, blocks), by_id, CLASSES);
}

static void test_percpu_snapshot_is_taken_over_in_its_places(void **state)
{
	const struct percpu_start *s = &a.percpu_start;
	struct percpu_figures kernel;
	unsigned int chunk;

	(void)state;
	begin(START, NULL, NULL);
	assert_true(s->read);
	assert_int_equal(s->refused, 0);
	kernel = percpu_figures(&s->start);
	kernel.pages = percpu_snapshot_pages(&s->first);
	assert_int_equal(kernel.areas, 4);
	assert_int_equal(kernel.bytes, 40);
	assert_int_equal(kernel.pages, 10 + 2);
	assert_memory_equal(&kernel, &s->begun, sizeof(kernel));
	assert_int_equal(
		rmm_percpu_where(a.rmm, a.area[live_find(&a.percpu, IN(2, 48))].at, &chunk), 48);
	finish();
}

static void test_percpu_snapshot_frees_of_before_are_known(void **state)
{
	struct rmm_percpu_stat s;

	(void)state;
	begin(START, NULL, NULL);
	happens(300, FREE, IN(2, 48));
	happens(300, FREE, IN(3, 0));
	happens(300, FREE, IN(7, 0));
	assert_int_equal(a.percpu_counts.free_unknown, 0);
	happens(400, FREE, IN(2, 48));
	assert_int_equal(a.percpu_counts.free_unknown, 1);
	rmm_percpu_stat(a.rmm, &s);
	assert_int_equal(s.nr_cur_alloc, 2);
	assert_int_equal(a.percpu_counts.live, 16);
	assert_int_equal(a.percpu_counts.ref_refused, 0);
	finish();
}

/* What a reading shows has happened; what it does not is still to come, or is over. */
static void test_percpu_snapshot_events_while_it_was_read_count_once(void **state)
{
	(void)state;
	begin(START, NULL, NULL);
	happens(50, ALLOC, IN(3, 64));	/* before it: it would be there */
	happens(150, ALLOC, IN(2, 48)); /* is in it */
	happens(150, FREE, IN(3, 128)); /* was in none */
	happens(160, ALLOC, IN(3, 256));
	assert_int_equal(a.percpu_counts.allocs, 1);
	assert_int_equal(a.percpu_counts.frees, 0);
	assert_int_equal(a.percpu_counts.alloc_of_live, 0);
	assert_int_equal(a.percpu_counts.free_unknown, 0);
	assert_int_equal(a.percpu.used, 6);
	finish();
}

static void test_percpu_snapshot_modules_areas_are_known_and_not_placed(void **state)
{
	struct rmm_percpu_stat s;

	(void)state;
	begin(START, NULL, NULL);
	happens(300, ALLOC_MODULE, IN(7, 64));
	happens(400, FREE, IN(7, 64));
	rmm_percpu_stat(a.rmm, &s);
	assert_int_equal(s.nr_cur_alloc, 4);
	assert_int_equal(a.percpu_counts.free_unknown, 0);
	finish();
}

/* Freed and not told: 2/0. Allocated and not told: 3/24. 3/40 has another size, and
 * 3/64 an event while the end was read. */
static void test_percpu_snapshot_end_is_held_against_events(void **state)
{
	const struct percpu_met *m = &a.percpu_start.meeting;

	(void)state;
	begin(START,
	      DOC("[1000,1100]", "[0,16]", "[8,8],[48,16]", "[0,8],[24,8],[32,8],[40,4],[64,8]"),
	      NULL);
	happens(300, ALLOC, IN(3, 32));
	happens(300, ALLOC, IN(3, 40));
	happens(300, ALLOC_MODULE, IN(9, 0)); /* in a chunk that is not read */
	happens(1050, ALLOC, IN(3, 64));
	happens(1200, FREE, IN(3, 32)); /* of after the end */
	assert_int_equal(areas_finish(&a), 0);
	assert_true(a.percpu_start.met);
	assert_int_equal(m->missing, 1);
	assert_int_equal(m->unexpected, 1);
	assert_int_equal(m->other_size, 1);
	assert_int_equal(m->unsure, 1);
	areas_destroy(&a);
}

/* One chunk is as percpu_stats has it, one has more in it by now, one is new. */
static void test_percpu_snapshot_is_compared_with_percpu_stats(void **state)
{
	(void)state;
	begin(START, NULL,
	      "  unit_size : 65536\n"
	      "Chunk: <- Reserved Chunk\n  nr_alloc : 1\n  free_bytes : 8176\n"
	      "  contig_bytes : 8176\n  cur_min_alloc : 16\n  cur_med_alloc : 16\n"
	      "  cur_max_alloc : 16\n"
	      "Chunk: <- First Chunk\n  nr_alloc : 3\n  free_bytes : 28640\n"
	      "  contig_bytes : 28608\n  cur_min_alloc : 8\n  cur_med_alloc : 8\n"
	      "  cur_max_alloc : 12\n");
	assert_int_equal(a.percpu_start.stats_chunks, 2);
	assert_int_equal(a.percpu_start.stats_alike, 1);
	assert_int_equal(a.percpu_start.n, 0);
	finish();
}

/* Numbers that no kernel has: nothing is begun with, or what fits. */
static void test_percpu_snapshot_of_nonsense_does_no_harm(void **state)
{
	static const char *const docs[] = {
		"",
		"[]",
		"{}",
		"{\"time_ns\":[1,2],\"unit_bytes\":4096,\"chunks\":7}",
		"{\"time_ns\":[1,2],\"unit_bytes\":-4096,\"chunks\":[{\"first\":true}]}",
		"{\"time_ns\":[1,2],\"unit_bytes\":1152921504606846976,\"chunks\":[{\"first\":true}"
		"]}",
		"{\"time_ns\":[1,2],\"unit_bytes\":65536,\"chunks\":[{\"first\":true},{\"first\":"
		"true}]}",
		"{\"time_ns\":[1,2],\"unit_bytes\":65536,\"chunks\":[{\"first\":true,\"areas\":3}]"
		"}",
		DOC("[1,2]", "", "[0,-4],[-1,8]", "[3,3],[65536,8]"),
		DOC("[1,2]", "[5,5]", "[65532,8]", "[8,8],[0,8]"),
		DOC("[1,2]", "7", "[]", "{}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(docs) / sizeof(*docs); i++) {
		begin(docs[i], docs[i], NULL);
		happens(300, FREE, IN(2, 0));
		happens(300, ALLOC, IN(2, 0));
		finish();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_snapshot_is_taken_over_in_its_places),
		cmocka_unit_test(test_percpu_snapshot_frees_of_before_are_known),
		cmocka_unit_test(test_percpu_snapshot_events_while_it_was_read_count_once),
		cmocka_unit_test(test_percpu_snapshot_modules_areas_are_known_and_not_placed),
		cmocka_unit_test(test_percpu_snapshot_end_is_held_against_events),
		cmocka_unit_test(test_percpu_snapshot_is_compared_with_percpu_stats),
		cmocka_unit_test(test_percpu_snapshot_of_nonsense_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
