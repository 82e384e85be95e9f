/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Slab objects of crafted traces, replayed; slabs_world.h draws them.
 */
#include "slabs_world.h"

static void test_slabs_new_objects_fill_new_slabs(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 0, 0, PER_SLAB);
	for (unsigned int slab = 0; slab < 3; slab++) {
		page(&w, slab);
		events(&w, KMT_CACHE_ALLOC, "thing", slab, 0, slab < 2 ? PER_SLAB : 8);
	}
	assert_int_equal(replay(&w), 0);
	assert_int_equal(thing(&w)->objects, PER_SLAB);
	assert_int_equal(thing(&w)->slabs_start, 0);
	assert_int_equal(thing(&w)->slabs_end, 3);
	assert_int_equal(thing(&w)->objects_end, 40);
	assert_int_equal(thing(&w)->active_end, 48); /* the last slab is a CPU's */
	assert_int_equal(w.s.counts.start_free, 0);
	end(&w);
}

static void test_slabs_bulk_events_are_allocations_and_frees(void **state)
{
	struct world w;

	(void)state;
	begin(&w, PER_SLAB, 1, PER_SLAB);
	events(&w, KMT_CACHE_BULK_FREE, "thing", 5, 0, 4); /* live at the start */
	page(&w, 0);
	events(&w, KMT_CACHE_BULK_ALLOC, "thing", 0, 0, PER_SLAB);
	events(&w, KMT_CACHE_BULK_FREE, NULL, 0, 0, 6); /* kfree_bulk() names no cache */
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.events, 26);
	assert_int_equal(w.s.counts.start_live, 4);
	assert_int_equal(w.s.counts.free_unknown, 0);
	assert_int_equal(thing(&w)->objects_end, PER_SLAB - 4 + PER_SLAB - 6);
	end(&w);
}

static void test_slabs_object_freed_first_was_live(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 2 * PER_SLAB, 2, PER_SLAB);
	events(&w, KMT_CACHE_FREE, "thing", 1, 4, 9);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.start_live, 5);
	assert_int_equal(w.s.counts.free_unknown, 0);
	assert_int_equal(thing(&w)->slabs_start, 2);
	assert_int_equal(thing(&w)->slabs_end, 2);
	assert_int_equal(thing(&w)->objects_end, 2 * PER_SLAB - 5);
	end(&w);
}

/* slabinfo calls objects of CPU slabs active: the allocation tells that they are free. */
static void test_slabs_object_allocated_first_in_old_slab_was_free(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 2 * PER_SLAB, 2, PER_SLAB);
	events(&w, KMT_CACHE_ALLOC, "thing", 0, 0, 10);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.start_free, 10);
	assert_int_equal(thing(&w)->slabs_end, 2);
	assert_int_equal(thing(&w)->objects_end, 2 * PER_SLAB);
	end(&w);
}

static void test_slabs_free_objects_of_slabinfo_are_used_first(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 3 * PER_SLAB, 4, PER_SLAB);
	page(&w, 9);
	events(&w, KMT_CACHE_ALLOC, "thing", 9, 0, PER_SLAB);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(thing(&w)->slabs_start, 4);
	assert_int_equal(thing(&w)->slabs_end, 4);
	assert_int_equal(thing(&w)->objects_end, 4 * PER_SLAB);
	end(&w);
}

static void test_slabs_allocation_of_live_frees_unseen(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 0, 0, PER_SLAB);
	page(&w, 0);
	for (int i = 0; i < 5; i++)
		events(&w, KMT_CACHE_ALLOC, "thing", 0, 0, 3);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.alloc_of_live, 12);
	assert_int_equal(thing(&w)->unseen_frees, 12);
	assert_int_equal(thing(&w)->objects_end, 3);
	assert_int_equal(thing(&w)->slabs_end, 1);
	end(&w);
}

/* Sheaves free maple nodes where nobody looks; the page tells in the end. */
static void test_slabs_objects_of_freed_slab_are_gone(void **state)
{
	const struct kmt_class page_free = {.kind = KMT_PAGE_FREE};
	struct world w;

	(void)state;
	begin(&w, 0, 0, PER_SLAB);
	page(&w, 0);
	page(&w, 1);
	events(&w, KMT_CACHE_ALLOC, "thing", 0, 0, PER_SLAB);
	events(&w, KMT_CACHE_ALLOC, "thing", 1, 0, PER_SLAB);
	events(&w, KMT_CACHE_FREE, "thing", 0, 3, 7);
	machine_event(&w.m, 0, &page_free, 100);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.gone_with_slab, PER_SLAB - 4);
	assert_int_equal(thing(&w)->unseen_frees, PER_SLAB - 4);
	assert_int_equal(thing(&w)->objects_end, PER_SLAB);
	end(&w);
}

/* kfree() names no cache: the object allocated beside it does, though later. */
static void test_slabs_kfree_finds_cache_by_its_page(void **state)
{
	struct world w;

	(void)state;
	begin(&w, PER_SLAB, 1, PER_SLAB);
	events(&w, KMT_KFREE, NULL, 0, 3, 5);
	events(&w, KMT_KFREE, NULL, 7, 0, 1);
	events(&w, KMT_KMALLOC, "thing", 0, 3, 4);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.start_live, 2);
	assert_int_equal(w.s.counts.free_unknown, 1);
	assert_int_equal(thing(&w)->objects_end, PER_SLAB - 1);
	end(&w);
}

static void test_slabs_events_before_slabinfo_are_in_it(void **state)
{
	struct world w;

	(void)state;
	memset(&w, 0, sizeof(w));
	machine_begin(&w.m);
	events(&w, KMT_CACHE_ALLOC, "thing", 0, 0, 2);
	slabinfo(&w, KMT_PHASE_START, w.m.now_ns + 1, PER_SLAB, 1, PER_SLAB);
	events(&w, KMT_CACHE_FREE, "thing", 0, 0, 1);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.events, 1);
	assert_int_equal(thing(&w)->objects_end, PER_SLAB - 1);
	end(&w);
}

static void test_slabs_end_of_slabinfo_ends_the_replay(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 0, 0, PER_SLAB);
	page(&w, 0);
	events(&w, KMT_CACHE_ALLOC, "thing", 0, 0, 2);
	slabinfo(&w, KMT_PHASE_END, w.m.now_ns + 1, 2, 1, PER_SLAB);
	events(&w, KMT_CACHE_ALLOC, "thing", 0, 2, 5);
	assert_int_equal(replay(&w), 0);
	assert_true(thing(&w)->has_end);
	assert_int_equal(thing(&w)->objects_end, 2);
	end(&w);
}

static void test_slabs_other_geometry_is_told_and_not_replayed(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 0, 0, 10);
	page(&w, 0);
	events(&w, KMT_CACHE_ALLOC, "thing", 0, 0, 2);
	assert_int_equal(replay(&w), 0);
	assert_true(w.s.caches[0].differs);
	assert_int_equal(w.s.counts.no_cache, 2);
	end(&w);
}

static void test_slabs_absurd_slabinfo_is_not_replayed(void **state)
{
	static const unsigned int slabs[] = {6913, 1u << 20, 200000000};
	struct world w;

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(&w, 0, slabs[i], PER_SLAB);
		events(&w, KMT_CACHE_FREE, "thing", 0, 0, 2);
		assert_int_equal(replay(&w), 0);
		assert_true(w.s.caches[0].differs);
		assert_int_equal(w.s.counts.free_unknown, 2);
		end(&w);
	}
}

static void test_slabs_address_inside_an_object_is_not_placed(void **state)
{
	struct kmt_class c;
	struct world w;

	(void)state;
	begin(&w, PER_SLAB, 1, PER_SLAB);
	c = class_of(&w, KMT_CACHE_FREE, "thing");
	machine_event(&w.m, 0, &c, object(0, 1) + 5);
	machine_event(&w.m, 0, &c, object(0, 1));
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.start_unplaced, 1);
	assert_int_equal(w.s.counts.free_unknown, 1);
	assert_int_equal(thing(&w)->objects_end, PER_SLAB - 1);
	end(&w);
}

static void test_slabs_without_slabinfo_there_is_no_replay(void **state)
{
	struct world w;

	(void)state;
	memset(&w, 0, sizeof(w));
	machine_begin(&w.m);
	events(&w, KMT_CACHE_ALLOC, "thing", 0, 0, 2);
	assert_int_equal(replay(&w), -ENOENT);
	end(&w);
}

static void test_slabs_more_slabs_than_slabinfo_has_are_counted(void **state)
{
	struct world w;

	(void)state;
	begin(&w, PER_SLAB, 1, PER_SLAB);
	events(&w, KMT_CACHE_FREE, "thing", 0, 0, 1);
	events(&w, KMT_CACHE_FREE, "thing", 1, 0, 2);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.start_unplaced, 2);
	assert_int_equal(w.s.counts.free_unknown, 2);
	end(&w);
}

/* The same trace once more, with slabs of another shape */
static void replay_again(struct world *w, struct slabs *mine)
{
	struct trace_event e[256];
	long got;

	mine->plain = &w->s;
	assert_int_equal(trace_reader_rewind(w->r), 0);
	assert_int_equal(slabs_new(mine, &w->h, w->r, w->classes, trace_reader_classes(w->r)), 0);
	while ((got = trace_reader_next(w->r, e, 256)) > 0)
		assert_int_equal(slabs_feed(mine, e, got), 0);
	slabs_finish(mine);
}

/* 48 objects of the start, 8 of them free, and 30 freed: the kernel's three slabs stay. */
static void test_slabs_of_another_shape_hold_the_same_objects(void **state)
{
	static const struct {
		struct slabs_knobs knobs;
		unsigned int objects, start, end;
	} cases[] = {
		{{.cpu_partial = 1}, PER_SLAB, 3, 3},
		{{.min_objects = 33}, 2 * PER_SLAB, 2, 2},
		{{.min_order = 3}, 4 * PER_SLAB, 1, 1},
		{{.sheaf_capacity = 17}, PER_SLAB, 3, 3},
	};
	struct world w;
	char msg[256];

	(void)state;
	begin(&w, 3 * PER_SLAB - 8, 3, PER_SLAB);
	events(&w, KMT_CACHE_FREE, "thing", 0, 0, PER_SLAB);
	events(&w, KMT_CACHE_FREE, "thing", 1, 2, PER_SLAB);
	assert_int_equal(replay(&w), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slabs mine = {.knobs = cases[i].knobs};

		replay_again(&w, &mine);
		assert_false(mine.caches[0].differs);
		assert_int_equal(mine.caches[0].my_objects, cases[i].objects);
		assert_int_equal(mine.caches[0].slabs_start, cases[i].start);
		assert_int_equal(mine.caches[0].slabs_end, cases[i].end);
		assert_int_equal(mine.caches[0].objects_end, thing(&w)->objects_end);
		assert_int_equal(mine.counts.free_refused + mine.counts.free_unknown, 0);
		assert_int_equal(rmm_validate(mine.rmm, msg, sizeof(msg)), 0);
		slabs_destroy(&mine);
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slabs_new_objects_fill_new_slabs),
		cmocka_unit_test(test_slabs_bulk_events_are_allocations_and_frees),
		cmocka_unit_test(test_slabs_object_freed_first_was_live),
		cmocka_unit_test(test_slabs_object_allocated_first_in_old_slab_was_free),
		cmocka_unit_test(test_slabs_free_objects_of_slabinfo_are_used_first),
		cmocka_unit_test(test_slabs_allocation_of_live_frees_unseen),
		cmocka_unit_test(test_slabs_objects_of_freed_slab_are_gone),
		cmocka_unit_test(test_slabs_kfree_finds_cache_by_its_page),
		cmocka_unit_test(test_slabs_events_before_slabinfo_are_in_it),
		cmocka_unit_test(test_slabs_end_of_slabinfo_ends_the_replay),
		cmocka_unit_test(test_slabs_other_geometry_is_told_and_not_replayed),
		cmocka_unit_test(test_slabs_absurd_slabinfo_is_not_replayed),
		cmocka_unit_test(test_slabs_address_inside_an_object_is_not_placed),
		cmocka_unit_test(test_slabs_without_slabinfo_there_is_no_replay),
		cmocka_unit_test(test_slabs_more_slabs_than_slabinfo_has_are_counted),
		cmocka_unit_test(test_slabs_of_another_shape_hold_the_same_objects),
	};

	return cmocka_run_group_tests_name("slabs", tests, NULL, NULL);
}
