/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Trees of addresses, and the search for the lowest hole: refmm/vmalloc_tree.c,
 * vmalloc_free.c. */
#include <stdlib.h>

#include "../../refmm/vmalloc_tree.h"

#include "machine.h"

enum { PAGE = 4096, SPACE = 1024, ROUNDS = 6000 };

static struct rmm_vmap_area *area(uintptr_t from, uintptr_t to)
{
	struct rmm_vmap_area *va = calloc(1, sizeof(*va));

	assert_non_null(va);
	va->start = from * PAGE;
	va->end = to * PAGE;
	return va;
}

/* Black areas on every path, or a failure */
static int height(const struct rmm_vmap_area *va)
{
	uintptr_t max;
	int left, right;

	if (!va)
		return 0;
	max = va->end - va->start;
	for (int i = 0; i < 2; i++) {
		const struct rmm_vmap_area *c = va->child[i];

		if (!c)
			continue;
		assert_ptr_equal(c->parent, va);
		assert_false(va->red && c->red);
		assert_true(i ? c->start >= va->end : c->end <= va->start);
		max = c->max > max ? c->max : max;
	}
	assert_int_equal(va->max, max);
	left = height(va->child[0]);
	right = height(va->child[1]);
	assert_int_equal(left, right);
	return left + !va->red;
}

static void check_tree(const struct rmm_vmap_tree *t)
{
	const struct rmm_vmap_area *prev = NULL;
	size_t n = 0;

	if (t->root)
		assert_false(t->root->red || t->root->parent);
	height(t->root);
	for (const struct rmm_vmap_area *va = t->first; va; prev = va, va = va->next, n++) {
		assert_ptr_equal(va->prev, prev);
		if (prev)
			assert_true(prev->end <= va->start);
		assert_ptr_equal(rmm_vmap_find(t, va->start), va);
		assert_ptr_equal(rmm_vmap_find(t, va->end - 1), va);
	}
	assert_int_equal(n, t->count);
}

static void tree_free(struct rmm_vmap_tree *t)
{
	while (t->first) {
		struct rmm_vmap_area *va = t->first;

		rmm_vmap_erase(t, va);
		free(va);
		if (t->count % 16 == 0)
			check_tree(t);
	}
	assert_null(t->root);
	assert_int_equal(t->count, 0);
}

/* "0-4 8-9" */
static const char *text(const struct rmm_vmap_tree *t)
{
	static char out[256];
	size_t at = 0;

	out[0] = '\0';
	for (const struct rmm_vmap_area *va = t->first; va; va = va->next)
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%zu-%zu", at ? " " : "",
				       va->start / PAGE, va->end / PAGE);
	return out;
}

static uint32_t draw(uint32_t *random, uint32_t n)
{
	*random = *random * 1664525u + 1013904223u;
	return (*random >> 16) % n;
}

static void test_tree_stays_balanced_whatever_comes_and_goes(void **state)
{
	struct rmm_vmap_tree t = {0};
	bool used[SPACE] = {false};
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		uintptr_t at = draw(&random, SPACE);
		struct rmm_vmap_area *va = rmm_vmap_find(&t, at * PAGE);

		assert_int_equal(va != NULL, used[at]);
		used[at] = !used[at];
		if (va) {
			rmm_vmap_erase(&t, va);
			free(va);
		} else {
			assert_true(rmm_vmap_insert(&t, area(at, at + 1)));
		}
		if (i % 20 == 0)
			check_tree(&t);
	}
	tree_free(&t);
}

/* In order up and down, which is where a plain tree would become a list */
static void test_tree_in_order_is_not_deep(void **state)
{
	(void)state;
	for (int down = 0; down < 2; down++) {
		struct rmm_vmap_tree t = {0};

		for (uintptr_t i = 0; i < 1000; i++) {
			uintptr_t at = down ? 1000 - i : i;

			assert_true(rmm_vmap_insert(&t, area(at, at + 1)));
		}
		check_tree(&t);
		assert_true(height(t.root) <= 10);
		tree_free(&t);
	}
}

static void test_tree_overlap_is_refused(void **state)
{
	static const struct {
		uintptr_t from, to;
		bool fits;
	} cases[] = {{0, 5, false},   {4, 5, false}, {3, 12, false}, {9, 11, false}, {5, 6, false},
		     {19, 21, false}, {1, 4, true},  {10, 20, true}, {30, 31, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_vmap_area *va = area(cases[i].from, cases[i].to);
		struct rmm_vmap_tree t = {0};

		rmm_vmap_insert(&t, area(4, 10));
		rmm_vmap_insert(&t, area(20, 30));
		assert_int_equal(rmm_vmap_insert(&t, va), cases[i].fits);
		if (!cases[i].fits) {
			assert_null(rmm_merge_or_add_vmap_area(&t, va));
			free(va);
		}
		check_tree(&t);
		tree_free(&t);
	}
}

static void test_tree_finds_what_ends_above(void **state)
{
	static const struct {
		uintptr_t at, from;
	} cases[] = {{0, 4}, {4, 4}, {9, 4}, {10, 20}, {20, 20}, {29, 20}, {30, 40}, {41, 0}};
	struct rmm_vmap_tree t = {0};

	(void)state;
	rmm_vmap_insert(&t, area(20, 30));
	rmm_vmap_insert(&t, area(4, 10));
	rmm_vmap_insert(&t, area(40, 41));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_vmap_area *va = rmm_vmap_find_exceed(&t, cases[i].at * PAGE);

		assert_int_equal(va ? va->start / PAGE : 0, cases[i].from);
	}
	tree_free(&t);
}

/* What comes back joins neighbours that it touches. */
static void test_free_areas_join(void **state)
{
	static const struct {
		uintptr_t from, to;
		const char *after;
	} cases[] = {
		{0, 2, "0-2 4-6 10-12"}, {2, 4, "2-6 10-12"},	      {6, 8, "4-8 10-12"},
		{6, 10, "4-12"},	 {7, 9, "4-6 7-9 10-12"},     {8, 10, "4-6 8-12"},
		{12, 20, "4-6 10-20"},	 {13, 20, "4-6 10-12 13-20"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rmm_vmap_tree t = {0};

		rmm_vmap_insert(&t, area(4, 6));
		rmm_vmap_insert(&t, area(10, 12));
		assert_non_null(rmm_merge_or_add_vmap_area(&t, area(cases[i].from, cases[i].to)));
		assert_string_equal(text(&t), cases[i].after);
		check_tree(&t);
		tree_free(&t);
	}
}

/* Holes 4-6, 10-20, 32-64, 100-101 */
static const struct {
	uintptr_t size, align, start, end, at;
	const char *after;
} cuts[] = {
	{2, 1, 0, 999, 4, "10-20 32-64 100-101"},
	{1, 1, 0, 999, 4, "5-6 10-20 32-64 100-101"},
	{1, 1, 5, 999, 5, "4-5 10-20 32-64 100-101"},
	{3, 1, 0, 999, 10, "4-6 13-20 32-64 100-101"},
	{10, 1, 0, 999, 10, "4-6 32-64 100-101"},
	{4, 4, 0, 999, 12, "4-6 10-12 16-20 32-64 100-101"},
	{8, 8, 0, 999, 32, "4-6 10-20 40-64 100-101"},
	{2, 1, 40, 999, 40, "4-6 10-20 32-40 42-64 100-101"},
	{1, 1, 64, 999, 100, "4-6 10-20 32-64"},
	{33, 1, 0, 999, 999, "4-6 10-20 32-64 100-101"},
	{3, 1, 18, 34, 34, "4-6 10-20 32-64 100-101"},
	{2, 1, 18, 34, 18, "4-6 10-18 32-64 100-101"},
	{32, 32, 32, 64, 32, "4-6 10-20 100-101"},
};

static void test_free_lowest_hole_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		const struct rmm_vmap_want want = {.size = cuts[i].size * PAGE,
						   .align = cuts[i].align * PAGE,
						   .start = cuts[i].start * PAGE,
						   .end = cuts[i].end * PAGE};
		struct rmm_vmap_tree t = {0};

		rmm_vmap_insert(&t, area(100, 101));
		rmm_vmap_insert(&t, area(4, 6));
		rmm_vmap_insert(&t, area(32, 64));
		rmm_vmap_insert(&t, area(10, 20));
		assert_int_equal(rmm___alloc_vmap_area(&t, PAGE, &want) / PAGE, cuts[i].at);
		assert_string_equal(text(&t), cuts[i].after);
		check_tree(&t);
		tree_free(&t);
	}
}

/* Sizes and alignments beyond the end of all addresses do not wrap around. */
static void test_free_overflow_fits_nowhere(void **state)
{
	static const struct rmm_vmap_want wants[] = {
		{.size = UINTPTR_MAX - PAGE + 1, .align = PAGE, .start = PAGE, .end = UINTPTR_MAX},
		{.size = PAGE,
		 .align = (uintptr_t)1 << 63,
		 .start = ((uintptr_t)1 << 63) + PAGE,
		 .end = UINTPTR_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		struct rmm_vmap_tree t = {0};
		struct rmm_vmap_area *all = area(0, 1);

		all->start = 1;
		all->end = UINTPTR_MAX;
		rmm_vmap_insert(&t, all);
		assert_null(rmm_find_vmap_lowest_match(&t, &wants[i], false));
		tree_free(&t);
	}
}

/* The search by subtrees finds what a walk over all holes finds. */
static void test_free_search_equals_a_linear_one(void **state)
{
	struct rmm_vmap_tree t = {0};
	uint32_t random = 7;

	(void)state;
	for (uintptr_t at = 0; at < 3000; at += 1 + draw(&random, 12)) {
		uintptr_t size = 1 + draw(&random, 20);

		rmm_vmap_insert(&t, area(at, at + size));
		at += size;
	}
	for (int i = 0; i < 2000; i++) {
		const struct rmm_vmap_want want = {.size = (1 + draw(&random, 22)) * PAGE,
						   .align = 1,
						   .start = draw(&random, 3000) * PAGE,
						   .end = UINTPTR_MAX};
		const struct rmm_vmap_area *va = t.first;

		while (va && (va->end < want.start + want.size || va->end - va->start < want.size))
			va = va->next;
		assert_ptr_equal(rmm_find_vmap_lowest_match(&t, &want, false), va);
	}
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree_stays_balanced_whatever_comes_and_goes),
		cmocka_unit_test(test_tree_in_order_is_not_deep),
		cmocka_unit_test(test_tree_overlap_is_refused),
		cmocka_unit_test(test_tree_finds_what_ends_above),
		cmocka_unit_test(test_free_areas_join),
		cmocka_unit_test(test_free_lowest_hole_is_cut),
		cmocka_unit_test(test_free_overflow_fits_nowhere),
		cmocka_unit_test(test_free_search_equals_a_linear_one),
	};

	return RUN(tests);
}
