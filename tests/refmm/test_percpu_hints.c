/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hints of a block, step by step; of chunks: percpu_trace and prop_percpu. */
#include "percpu_machine.h"

/* A block of 1024 bits in use, then told of free areas [start, end) */
static const struct step {
	const char *what;
	struct {
		int start, end;
	} area[3];
	int contig, contig_start, scan, scan_start, left, right, first;
} steps[] = {
	{"one area", {{8, 16}}, 8, 8, 0, 0, 0, 0, 8},
	{"both edges", {{0, 4}, {1000, 1024}}, 24, 1000, 4, 0, 4, 24, 0},
	{"a larger one behind: the first is to be scanned",
	 {{8, 16}, {32, 64}},
	 32,
	 32,
	 8,
	 8,
	 0,
	 0,
	 8},
	{"a larger one before: nothing is", {{32, 40}, {0, 16}}, 16, 0, 0, 0, 16, 0, 0},
	{"a smaller one before", {{32, 64}, {8, 12}}, 32, 32, 4, 8, 0, 0, 8},
	{"a smaller one behind is forgotten", {{8, 40}, {64, 68}}, 32, 8, 0, 0, 0, 0, 8},
	{"equal and better aligned", {{12, 20}, {32, 40}}, 8, 32, 0, 0, 0, 0, 12},
	{"equal and at 0", {{32, 40}, {0, 8}}, 8, 0, 0, 0, 8, 0, 0},
	{"equal to one at 0", {{0, 8}, {32, 40}}, 8, 0, 8, 32, 8, 0, 0},
	{"equal and worse aligned", {{32, 40}, {44, 52}}, 8, 32, 8, 44, 0, 0, 32},
	{"larger between equal ones", {{32, 40}, {76, 84}, {48, 64}}, 16, 48, 0, 76, 0, 0, 32},
	{"grown in place", {{16, 24}, {16, 32}}, 16, 16, 0, 0, 0, 0, 16},
};

static void test_percpu_hints_free_areas_update_a_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct rmm_pcpu_md md = {.nr_bits = 1024, .first_free = 1024};
		const struct step *s = &steps[i];

		for (int k = 0; k < 3 && s->area[k].end; k++)
			rmm_pcpu_block_update(&md, s->area[k].start, s->area[k].end);
		if (md.contig_hint != s->contig || md.contig_hint_start != s->contig_start ||
		    md.scan_hint != s->scan || (s->scan && md.scan_hint_start != s->scan_start) ||
		    md.left_free != s->left || md.right_free != s->right ||
		    md.first_free != s->first)
			fail_msg("%s: contig %d at %d, scan %d at %d, edges %d %d, first %d",
				 s->what, md.contig_hint, md.contig_hint_start, md.scan_hint,
				 md.scan_hint_start, md.left_free, md.right_free, md.first_free);
	}
}

static void test_percpu_hints_search_begins_behind_what_is_too_small(void **state)
{
	const struct rmm_pcpu_md md = {
		.contig_hint = 32,
		.contig_hint_start = 64,
		.scan_hint = 8,
		.scan_hint_start = 16,
		.first_free = 4,
	};
	struct rmm_pcpu_md behind = md;

	(void)state;
	assert_int_equal(rmm_pcpu_next_hint(&md, 4), 4);
	assert_int_equal(rmm_pcpu_next_hint(&md, 8), 4);
	assert_int_equal(rmm_pcpu_next_hint(&md, 9), 24);
	behind.scan_hint_start = 100;
	assert_int_equal(rmm_pcpu_next_hint(&behind, 9), 4);
	behind.scan_hint = 0;
	assert_int_equal(rmm_pcpu_next_hint(&behind, 9), 4);
}

static void test_percpu_hints_chunk_learns_of_a_page_that_gets_empty(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	rmm_percpu page;

	(void)state;
	alloc_percpu(rmm, 4096, 4096);
	page = alloc_percpu(rmm, 4096, 4096);
	fill_first(rmm);
	free_percpu(rmm, page);
	assert_int_equal(rmm_pcpu_of(rmm)->first_chunk->chunk_md.contig_hint, 1024);
	assert_int_equal(percpu_stats(rmm).empty_pop_pages, 1);
	check_destroy(rmm);
}

/* A free inside block 1 does not reach the chunk's contig_hint, one in block 0 does. */
static void test_percpu_hints_chunk_learns_of_frees_in_block_0_only(void **state)
{
	struct rmm *rmm = percpu_machine(false);
	struct rmm_pcpu *p = rmm_pcpu_of(rmm);
	rmm_percpu small[3];

	(void)state;
	small[0] = alloc_percpu(rmm, 4096 - 64, 4);
	alloc_percpu(rmm, 64, 4);
	small[1] = alloc_percpu(rmm, 2048, 4);
	fill_first(rmm);
	assert_int_equal(p->first_chunk->chunk_md.contig_hint, 0);
	free_percpu(rmm, small[1]);
	assert_int_equal(p->first_chunk->free_bytes, 2048);
	assert_int_equal(p->first_chunk->chunk_md.contig_hint, 0);
	free_percpu(rmm, small[0]);
	assert_int_equal(p->first_chunk->chunk_md.contig_hint, (4096 - 64) / 4);
	check_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percpu_hints_free_areas_update_a_block),
		cmocka_unit_test(test_percpu_hints_search_begins_behind_what_is_too_small),
		cmocka_unit_test(test_percpu_hints_chunk_learns_of_a_page_that_gets_empty),
		cmocka_unit_test(test_percpu_hints_chunk_learns_of_frees_in_block_0_only),
	};

	return RUN(tests);
}
