/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Caches that begin with the slabs of the kernel's own lists. */
#include "slabs_world.h"

/*
 * The kernel's lists, read after slabinfo: of four slabs the first has 10 free objects on
 * a node's list, the second 3 on CPU 1's, the third is CPU 0's with 1.
 */
static void lists(struct world *w)
{
	machine_text(&w->m, KMT_PHASE_START, MACHINE_START_NS + 300, "kmemlab/slabs",
		     "{\"time_ns\":[1000250,1000300],\"caches\":[{\"name\":\"thing\","
		     "\"slabs\":4,\"objects\":64,\"node\":[[100,10,0]],\"cpu\":[[102,1,0]],"
		     "\"cpu_partial\":[[101,3,1]]},{\"name\":7},null]}");
}

static struct rmm_kmem_cache_info info_of(const struct world *w)
{
	struct rmm_kmem_cache_info info;

	rmm_kmem_cache_info(w->s.rmm, thing(w)->cache, &info);
	return info;
}

static void test_slabs_lists_say_what_is_free_and_where(void **state)
{
	struct rmm_kmem_cache_info info;
	struct world w;

	(void)state;
	begin(&w, 0, 9, PER_SLAB); /* slabinfo is older: the lists count */
	lists(&w);
	events(&w, KMT_CACHE_FREE, "thing", 3, 0, 1);
	assert_int_equal(replay(&w), 0);
	info = info_of(&w);
	assert_int_equal(thing(&w)->slabs_start, 4);
	assert_int_equal(thing(&w)->start.active_objects, 64 - 10);
	assert_int_equal(w.s.counts.start_listed, 3);
	assert_int_equal(w.s.counts.start_unlisted + w.s.counts.start_disputed, 0);
	assert_int_equal(info.objects, 64 - 14 - 1);
	assert_int_equal(info.partial, 1);
	end(&w);
}

/* CPU 0 takes the object of its own slab, then the node's ten, before a new slab. */
static void test_slabs_lists_are_used_before_new_slabs(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 0, 9, PER_SLAB);
	lists(&w);
	page(&w, 9);
	events(&w, KMT_CACHE_ALLOC, "thing", 9, 0, 11);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(info_of(&w).slabs, 4);
	assert_int_equal(info_of(&w).objects, 64 - 3);
	assert_int_equal(info_of(&w).partial, 0);
	end(&w);
}

/* Seven objects are live by their frees, where the list leaves six: what nothing is known
 * of stays live. */
static void test_slabs_lists_that_events_dispute_are_not_believed(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 0, 9, PER_SLAB);
	lists(&w);
	events(&w, KMT_CACHE_FREE, "thing", 0, 0, 7);
	assert_int_equal(replay(&w), 0);
	assert_int_equal(w.s.counts.start_disputed, 1);
	assert_int_equal(w.s.counts.free_unknown, 0);
	assert_int_equal(info_of(&w).slabs, 4);
	assert_int_equal(info_of(&w).objects, 64 - 7 - 4);
	end(&w);
}

static void test_slabs_lists_of_nonsense_do_no_harm(void **state)
{
	static const char *const texts[] = {
		"{",
		"{\"caches\":[]}",
		"{\"time_ns\":[1,1],\"caches\":[{\"name\":\"thing\",\"slabs\":1,\"objects\":16,"
		"\"node\":[[100,99,0],[100,3,0],[-5,3,9],[101,1],5],\"cpu\":[[103,2,4000]]}]}",
		"{\"time_ns\":[1,1],\"caches\":[{\"name\":\"thing\",\"slabs\":99999999999}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct world w;

		begin(&w, PER_SLAB, 1, PER_SLAB);
		machine_text(&w.m, KMT_PHASE_START, MACHINE_START_NS + 300, "kmemlab/slabs",
			     texts[i]);
		events(&w, KMT_CACHE_FREE, "thing", 0, 0, 2);
		assert_int_equal(replay(&w), 0);
		end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slabs_lists_say_what_is_free_and_where),
		cmocka_unit_test(test_slabs_lists_are_used_before_new_slabs),
		cmocka_unit_test(test_slabs_lists_that_events_dispute_are_not_believed),
		cmocka_unit_test(test_slabs_lists_of_nonsense_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
