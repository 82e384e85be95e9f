/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Per-CPU memory that begins as full as percpu_stats says. */
#include "areas_world.h"

enum { ALLOC, ALLOC_OLD, ALLOC_MODULE, FREE, CLASSES };

static const struct kmt_class classes[CLASSES] = {
	[ALLOC] = {.kind = KMT_PERCPU_ALLOC, .bytes_req = 4, .order = 8},
	[ALLOC_OLD] = {.kind = KMT_PERCPU_ALLOC, .bytes_req = 4},
	[ALLOC_MODULE] = {.kind = KMT_PERCPU_ALLOC, .bytes_req = 4, .fallback_type = 1},
	[FREE] = {.kind = KMT_PERCPU_FREE},
};
static const struct kmt_class *const by_id[] = {&classes[0], &classes[1], &classes[2], &classes[3]};

static char *load(void)
{
	static char text[1 << 14];
	FILE *f = fopen("tests/data/percpu_stats-6.18.txt", "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void begin(const char *stats)
{
	const unsigned int blocks[11] = {0};
	struct host h = {.cpus = 2};
	struct trace_reader *r;
	struct machine m;

	machine_begin(&m);
	machine_text(&m, KMT_PHASE_START, 200, "percpu_stats", stats);
	machine_text(&m, KMT_PHASE_END, 1000, "percpu_stats", stats);
	r = machine_end(&m, 0, blocks);
	areas_begin(&h, r, by_id, CLASSES);
}

/* As many areas and, but for 1 %, bytes in each of three chunks. */
static void test_percpu_start_chunks_are_as_full(void **state)
{
	static const int want[][2] = {{522, 31512}, {34, 544}, {790, 59480}};
	struct rmm_percpu_chunk_stat c;
	struct rmm_percpu_info info;
	unsigned int found = 0;

	(void)state;
	begin(load());
	assert_int_equal(a.percpu_start.unplaced, 0);
	assert_int_equal(a.percpu_start.n, 522 + 34 + 790);
	rmm_percpu_info(a.rmm, &info);
	for (unsigned int i = 0; !rmm_percpu_chunk_stat(a.rmm, i, &c); i++) {
		int used = (int)(c.first ? info.dyn_size : info.unit_size) - c.free_bytes;

		for (int k = 0; k < 3; k++)
			found += c.nr_alloc == want[k][0] && used * 100 >= want[k][1] * 99 &&
				 used * 100 <= want[k][1] * 101;
	}
	assert_int_equal(found, 3);
	finish();
}

/* Of what was there an area that stands for it goes, in a chunk of its own. */
static void test_percpu_start_frees_find_an_area(void **state)
{
	struct rmm_percpu_stat s;

	(void)state;
	begin(load());
	happens(100, FREE, 1ull << 32 | 64); /* percpu_stats is of after this */
	happens(300, FREE, 1ull << 32 | 64);
	happens(400, FREE, 1ull << 32 | 64);
	happens(500, FREE, 2ull << 32 | 64);
	happens(1500, FREE, 2ull << 32 | 128); /* and of before this */
	rmm_percpu_stat(a.rmm, &s);
	assert_int_equal(s.nr_cur_alloc, 522 + 34 + 790 - 3);
	assert_int_equal(a.percpu_counts.free_unknown, 0);
	assert_int_equal(a.percpu_start.freed, 3);
	assert_int_equal(a.percpu_start.frees, 3);
	assert_int_equal(live_find(&a.percpu_start.chunk, 1), 2); /* the one with most areas */
	assert_int_equal(live_find(&a.percpu_start.chunk, 2), 0);
	happens(600, FREE, 3ull << 32);
	happens(700, FREE, 4ull << 32);
	assert_int_equal(a.percpu_counts.free_unknown, 1);
	finish();
}

static uint32_t place_of(uint64_t address)
{
	uint32_t i = live_find(&a.percpu, address);
	unsigned int chunk;

	assert_int_not_equal(i, LIVE_NONE);
	return (uint32_t)rmm_percpu_where(a.rmm, a.area[i].at, &chunk);
}

static void test_percpu_alignment_is_the_recorded_one(void **state)
{
	(void)state;
	begin(load());
	happens(300, ALLOC, 9ull << 32);
	happens(300, ALLOC, 9ull << 32 | 256);
	assert_int_equal(place_of(9ull << 32) % 256, 0);
	assert_int_equal(place_of(9ull << 32 | 256) % 256, 0);
	assert_int_equal(a.percpu_counts.align_unknown, 0);
	happens(300, ALLOC_OLD, 9ull << 32 | 512);
	happens(300, ALLOC_OLD, 9ull << 32 | 516);
	assert_int_equal(place_of(9ull << 32 | 516) - place_of(9ull << 32 | 512), 4);
	assert_int_equal(a.percpu_counts.align_unknown, 2);
	happens(300, ALLOC_MODULE, 1);
	assert_int_equal(a.percpu_counts.allocs, 4);
	assert_int_equal(a.percpu_start.allocs, 5);
	finish();
}

static void test_percpu_sizes_have_the_sum_and_the_median(void **state)
{
	static const struct {
		struct proc_percpu_chunk c;
		uint64_t total;
	} cases[] = {
		{{.areas = 790, .min_bytes = 4, .med_bytes = 8, .max_bytes = 2288}, 59480},
		{{.areas = 522, .min_bytes = 4, .med_bytes = 48, .max_bytes = 4096}, 31512},
		{{.areas = 34, .min_bytes = 16, .med_bytes = 16, .max_bytes = 16}, 544},
		{{.areas = 3, .min_bytes = 4, .med_bytes = 8, .max_bytes = 12}, 24},
		{{.areas = 2, .min_bytes = 4, .med_bytes = 4, .max_bytes = 32768}, 32772},
		{{.areas = 1, .min_bytes = 64, .med_bytes = 64, .max_bytes = 64}, 64},
	};
	uint32_t size[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t sum = 0, above = 0, n = cases[i].c.areas;

		percpu_sizes(&cases[i].c, cases[i].total, size);
		for (uint64_t k = 0; k < n; k++) {
			assert_in_range(size[k], cases[i].c.min_bytes, cases[i].c.max_bytes);
			assert_int_equal(size[k] % 4, 0);
			sum += size[k];
			above += size[k] > cases[i].c.med_bytes;
		}
		assert_in_range(sum * 100, cases[i].total * 99, cases[i].total * 101);
		assert_true(above <= (n + 1) / 2);
	}
}

/* Numbers that no kernel has: nothing is begun with, or what fits. */
static void test_percpu_start_of_nonsense_does_no_harm(void **state)
{
	(void)state;
	begin("  unit_size : 1048576\nChunk:\n  nr_alloc : 99999999999\n");
	assert_false(a.percpu_start.known);
	areas_destroy(&a);
	begin("  unit_size : 3\n  static_size : 4096\nChunk:\n  nr_alloc : 7\n");
	happens(300, FREE, 5);
	areas_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_start_chunks_are_as_full),
		cmocka_unit_test(test_percpu_start_frees_find_an_area),
		cmocka_unit_test(test_percpu_alignment_is_the_recorded_one),
		cmocka_unit_test(test_percpu_sizes_have_the_sum_and_the_median),
		cmocka_unit_test(test_percpu_start_of_nonsense_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
