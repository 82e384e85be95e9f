/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Slab objects of crafted traces: a cache of 256 bytes, 16 objects in a slab of
 * one page. Frame 100 + n holds the n-th slab; addresses are in units of 8 bytes.
 */
#include "../support/test.h"
#include "machine.h"

#include "replay/slabs.h"
#include "replay/slabs_firsts.h"

enum { OBJECT = 256 / 8, PAGE = 4096 / 8, PER_SLAB = 16 };

struct world {
	struct machine m;
	struct trace_reader *r;
	struct host h;
	struct slabs s;
	const struct kmt_class **classes;
};

static struct kmt_class class_of(struct world *w, uint8_t kind, const char *cache)
{
	return (struct kmt_class){
		.kind = kind,
		.bytes_req = 256,
		.bytes_alloc = 256,
		.cache = cache ? trace_writer_string(w->m.w, cache) : 0,
	};
}

static uint64_t object(unsigned int slab, unsigned int n)
{
	return (uint64_t)(100 + slab) * PAGE + n * OBJECT;
}

/* One event for each of objects [@from, @to) of slab @slab */
static void events(struct world *w, uint8_t kind, const char *cache, unsigned int slab,
		   unsigned int from, unsigned int to)
{
	struct kmt_class c = class_of(w, kind, cache);

	for (unsigned int i = from; i < to; i++)
		machine_event(&w->m, 0, &c, object(slab, i));
}

static void page(struct world *w, unsigned int slab)
{
	const struct kmt_class c = {.kind = KMT_PAGE_ALLOC};

	machine_event(&w->m, 0, &c, 100 + slab);
}

static void slabinfo(struct world *w, uint16_t phase, uint64_t ns, unsigned int active,
		     unsigned int slabs, unsigned int per_slab)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "slabinfo - version: 2.1\n# name <active_objs> ...\n"
		 "thing %u %u 256 %u 1 : tunables 0 0 0 : slabdata %u %u 0\n",
		 active, slabs * per_slab, per_slab, slabs, slabs);
	machine_text(&w->m, phase, ns, "slabinfo", text);
}

static void begin(struct world *w, unsigned int active, unsigned int slabs, unsigned int per_slab)
{
	memset(w, 0, sizeof(*w));
	machine_begin(&w->m);
	slabinfo(w, KMT_PHASE_START, MACHINE_START_NS + 200, active, slabs, per_slab);
}

/* Read it back and replay */
static int replay(struct world *w)
{
	static const unsigned int blocks[11] = {[10] = 4};
	struct trace_event e[256];
	char error[512];
	uint32_t n;
	long got;
	int err;

	w->r = machine_end(&w->m, 2, blocks);
	assert_int_equal(host_load(&w->h, w->r, error), 0);
	n = trace_reader_classes(w->r);
	w->classes = calloc(n + 1, sizeof(*w->classes));
	assert_non_null(w->classes);
	for (uint32_t i = 0; i < n; i++)
		w->classes[i] = trace_reader_class(w->r, i);
	err = slabs_new(&w->s, &w->h, w->r, w->classes, n);
	while (!err && (got = trace_reader_next(w->r, e, 256)) > 0)
		assert_int_equal(slabs_feed(&w->s, e, got), 0);
	if (!err)
		slabs_finish(&w->s);
	return err;
}

static const struct slabs_cache *thing(const struct world *w)
{
	assert_int_equal(w->s.n, 1);
	assert_non_null(w->s.caches[0].cache);
	return &w->s.caches[0];
}

static void end(struct world *w)
{
	char msg[256];

	assert_int_equal(w->s.counts.free_refused, 0);
	if (w->s.rmm && rmm_validate(w->s.rmm, msg, sizeof(msg)))
		fail_msg("%s", msg);
	slabs_destroy(&w->s);
	free(w->classes);
	host_destroy(&w->h);
	trace_reader_close(w->r);
}

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
