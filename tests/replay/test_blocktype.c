/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_blocktype.c - pageblock types from content, fitted to known counts. */
#include "../support/test.h"

#include <string.h>

#include "replay/blocktype.h"
#include "trace/trace_io.h"

enum { BLOCKS = 8, U = 0, M = 1, R = 2 };

struct fixture {
	struct host h;
	struct pagemap map;
	struct block_content content[BLOCKS + 1];
	uint8_t type[BLOCKS + 1], guessed[BLOCKS + 1];
	struct block_fit fit;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.h = (struct host){
		.nr_zones = 1, .nr_pfns = BLOCKS << 9, .pageblock_order = 9, .max_order = 10};
	f.h.zones[0].spanned = BLOCKS << 9;
	memset(f.guessed, 1, sizeof(f.guessed));
	memset(f.type, M, sizeof(f.type));
	f.fit = (struct block_fit){f.type, f.guessed, f.content, &f.map};
	*state = &f;
	return pagemap_init(&f.map, &f.h);
}

static int teardown(void **state)
{
	pagemap_destroy(&((struct fixture *)*state)->map);
	return 0;
}

static void all_known(struct fixture *f)
{
	pagemap_known(&f->map, 0, BLOCKS << 9);
}

static void test_blocktype_content_is_split_at_pageblocks(void **state)
{
	struct fixture *f = *state;
	const struct trace_page_run slab = {.state = KMT_PG_SLAB, .order = 3, .blocks = 4};
	const struct trace_page_run anon = {.state = KMT_PG_ANON, .order = 0, .blocks = 600};
	const struct trace_page_run unused = {.state = KMT_PG_FREE, .order = 0, .blocks = 9};

	blocktype_content(f->content, &f->map, 496, &slab);
	blocktype_content(f->content, &f->map, 512, &anon);
	blocktype_content(f->content, &f->map, 0, &unused);
	assert_int_equal(f->content[0].slab, 16);
	assert_int_equal(f->content[1].slab, 16);
	assert_int_equal(f->content[1].movable, 512);
	assert_int_equal(f->content[2].movable, 88);
	assert_int_equal(blocktype_guess(&f->content[0]), U);
	assert_int_equal(blocktype_guess(&f->content[1]), M);
	assert_int_equal(blocktype_guess(&f->content[5]), M); /* nothing in it */
}

static void test_blocktype_fit_gives_counts_to_the_heaviest(void **state)
{
	struct fixture *f = *state;
	const struct proc_pagetype want = {.pageblocks = {2, 5, 1}};

	all_known(f);
	f->content[1].kernel = 300;
	f->content[2].kernel = 200;
	f->content[3].kernel = 100;
	f->content[4].slab = 400;
	assert_true(blocktype_fit(&f->fit, 0, &want) > 0);
	assert_int_equal(f->type[4], R);
	assert_int_equal(f->type[1], U);
	assert_int_equal(f->type[2], U);
	assert_int_equal(f->type[3], M);
	assert_int_equal(f->type[0], M);
}

static void test_blocktype_fit_leaves_what_is_told(void **state)
{
	struct fixture *f = *state;
	const struct proc_pagetype want = {.pageblocks = {1, 7, 0}};

	all_known(f);
	f->guessed[6] = 0;
	f->type[6] = U; /* the one that is wanted */
	f->content[1].kernel = 300;
	blocktype_fit(&f->fit, 0, &want);
	assert_int_equal(f->type[6], U);
	assert_int_equal(f->type[1], M);
}

/* Three order-5 blocks are unmovable, one order-4 block is movable. */
static void test_blocktype_fit_matches_free_lists(void **state)
{
	struct fixture *f = *state;
	struct proc_pagetype want = {.pageblocks = {2, 6, 0}};

	all_known(f);
	want.free[U][5] = 3;
	want.free[M][4] = 1;
	pagemap_put_free(&f->map, 0, 5);
	pagemap_put_free(&f->map, 64, 5);
	pagemap_put_free(&f->map, 512, 5);
	pagemap_put_free(&f->map, 1024, 4);
	assert_int_equal(blocktype_fit(&f->fit, 0, &want), 2);
	assert_int_equal(f->type[0], U);
	assert_int_equal(f->type[1], U);
	assert_int_equal(f->type[2], M);
}

static void test_blocktype_fit_large_free_block_is_of_one_type(void **state)
{
	struct fixture *f = *state;
	struct proc_pagetype want = {.pageblocks = {0, 6, 2}};

	all_known(f);
	want.free[R][10] = 1;
	pagemap_put_free(&f->map, 1024, 10);
	blocktype_fit(&f->fit, 0, &want);
	assert_int_equal(f->type[2], R);
	assert_int_equal(f->type[3], R);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_blocktype_content_is_split_at_pageblocks),
		T(test_blocktype_fit_gives_counts_to_the_heaviest),
		T(test_blocktype_fit_leaves_what_is_told),
		T(test_blocktype_fit_matches_free_lists),
		T(test_blocktype_fit_large_free_block_is_of_one_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
