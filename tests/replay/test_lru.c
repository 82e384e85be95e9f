/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_lru.c - in which order pages would be reclaimed. */
#include "../support/test.h"

#include "replay/lru.h"

enum { PFNS = 64 };

static void assert_taken(struct lru *l, const uint32_t *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(lru_next(l, 1), frames[i]);
		lru_remove(l, 1, frames[i]);
	}
	assert_int_equal(lru_next(l, 1), LRU_NONE);
	assert_int_equal(l->pages[1], 0);
}

static void test_lru_oldest_goes_first_and_spare_ones_last(void **state)
{
	struct lru l;

	(void)state;
	assert_int_equal(lru_init(&l, PFNS), 0);
	lru_add(&l, 1, 7, 0, true);
	lru_add(&l, 1, 9, 0, false);
	lru_add(&l, 0, 20, 0, false); /* of another node */
	lru_add(&l, 1, 3, 0, false);
	lru_add(&l, 1, 5, 0, false);
	lru_age(&l, 1, 5);
	assert_taken(&l, (const uint32_t[]){5, 9, 3, 7}, 4);
	assert_int_equal(l.pages[0], 1);
	lru_destroy(&l);
}

static void test_lru_moved_block_keeps_its_place_and_split_one_its_pages(void **state)
{
	struct lru l;

	(void)state;
	assert_int_equal(lru_init(&l, PFNS), 0);
	lru_add(&l, 1, 8, 1, false);
	lru_add(&l, 1, 3, 0, false);
	lru_move(&l, 8, 16);
	assert_false(lru_has(&l, 8));
	lru_split(&l, 16);
	assert_int_equal(l.pages[1], 3);
	lru_remove(&l, 1, 40); /* in no ring */
	assert_taken(&l, (const uint32_t[]){16, 17, 3}, 3);
	lru_destroy(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lru_oldest_goes_first_and_spare_ones_last),
		cmocka_unit_test(test_lru_moved_block_keeps_its_place_and_split_one_its_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
