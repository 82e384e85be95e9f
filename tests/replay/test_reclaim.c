/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_reclaim.c - a model of reclaim in what-if runs, and none in the reference. */
#include "../support/test.h"

#include "machine.h"

#include "compare/prediction.h"
#include "replay/result.h"

#include <kmemlab/refmm_query.h>
#include <kmemlab/refmm_stat.h>

enum { FIRST_FILE = 10, FIRST_FREE = 4096, MIN = 1000, HIGH = 1500 };

/* Anonymous; of the page cache, read ahead */
static const struct kmt_class anonymous = {
	.kind = KMT_PAGE_ALLOC, .migratetype = 1, .gfp = 0x140dca};
static const struct kmt_class cache = {.kind = KMT_PAGE_ALLOC, .migratetype = 1, .gfp = 0x152c4a};
static const struct kmt_class release = {.kind = KMT_PAGE_FREE};

/* Watermarks of the zone: 10, 20, 30 pages; with the setting 1000, 1250, 1500. */
static const struct replay_policy policies[] = {
	{.name = "observed"},
	{.name = "reference"},
	{.name = "more", .settings = {"vm.min_free_kbytes=4000"}, .nr_settings = 1},
	{.name = "same", .settings = {"reclaim=model"}, .nr_settings = 1},
	{.name = "recorded",
	 .settings = {"vm.min_free_kbytes=4000", "reclaim=recorded"},
	 .nr_settings = 2},
};
enum { REFERENCE = 1, MORE, SAME, RECORDED, POLICIES };

static struct replay p; /* too large for the stack */

static struct trace_reader *replay_of(struct machine *m)
{
	struct trace_reader *r = machine_end(m, 0, (const unsigned int[11]){[10] = 4});
	char error[512], broken[256];

	if (replay_open(&p, r, policies, POLICIES, error))
		fail_msg("%s", error);
	assert_int_equal(replay_events(&p, error), 0);
	for (unsigned int i = REFERENCE; i < POLICIES; i++) {
		assert_int_equal(p.runs[i].reference->requests.counts.free_refused, 0);
		assert_int_equal(rmm_validate(p.runs[i].reference->rmm, broken, sizeof(broken)), 0);
	}
	return r;
}

static void done(struct trace_reader *r)
{
	replay_close(&p);
	trace_reader_close(r);
}

static uint64_t free_pages(unsigned int run)
{
	struct rmm_zone_info z;

	assert_int_equal(rmm_zone_info(p.runs[run].reference->rmm, 0, &z), 0);
	return z.free_pages + z.pcp_pages;
}

static const struct reclaim_counts *counts(unsigned int run)
{
	return &p.runs[run].reference->reclaim.counts;
}

static void task(struct machine *m, const char *comm)
{
	machine_event(m, 0,
		      &(struct kmt_class){
			      .kind = KMT_TASK, .comm = trace_writer_string(m->w, comm), .pid = 30},
		      0);
}

static void test_reclaim_higher_marks_take_pages_early(void **state)
{
	enum { ALLOCS = 3500, RELEASED = 4000 };
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	for (unsigned int i = 0; i < ALLOCS; i++)
		machine_event(&m, 1, &anonymous, FIRST_FREE + i);
	for (unsigned int i = 0; i < RELEASED; i++)
		machine_event(&m, 1, &release, FIRST_FILE + i);
	r = replay_of(&m);
	assert_int_equal(counts(REFERENCE)->early, 0);
	assert_true(counts(MORE)->early > MIN - (FIRST_FREE - ALLOCS));
	assert_int_equal(counts(MORE)->early, counts(MORE)->kswapd + counts(MORE)->direct);
	/* What was taken is not freed once more; in the end the same pages are free. */
	assert_true(p.runs[MORE].reference->requests.counts.free_of_reclaimed > 0);
	assert_int_equal(p.runs[MORE].reference->requests.counts.free_unknown, 0);
	assert_int_equal(free_pages(MORE) - free_pages(REFERENCE),
			 counts(MORE)->early -
				 p.runs[MORE].reference->requests.counts.free_of_reclaimed);
	assert_int_equal(free_pages(RECORDED), free_pages(REFERENCE));
	done(r);
}

/* Free memory when the last page has been asked for: below the marks, or not. */
static void test_reclaim_free_memory_follows_the_marks(void **state)
{
	enum { ALLOCS = 3800 };
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	for (unsigned int i = 0; i < ALLOCS; i++)
		machine_event(&m, 1, &anonymous, FIRST_FREE + i);
	m.now_ns += 100 * 1000 * 1000; /* kswapd has time */
	machine_event(&m, 1, &anonymous, FIRST_FREE + ALLOCS);
	r = replay_of(&m);
	assert_in_range(free_pages(REFERENCE), 0, MIN / 2);
	assert_in_range(free_pages(MORE), HIGH, HIGH + 700);
	assert_int_equal(p.runs[MORE].reference->requests.counts.alloc_below_marks, 0);
	done(r);
}

static void test_reclaim_recorded_frees_wait_for_the_marks(void **state)
{
	enum { RECLAIMED = 600, TRUNCATED = 50 };
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	task(&m, "kswapd0");
	for (unsigned int i = 0; i < RECLAIMED; i++)
		machine_event(&m, 0, &release, FIRST_FILE + i);
	task(&m, "rm");
	for (unsigned int i = 0; i < TRUNCATED; i++)
		machine_event(&m, 0, &release, FIRST_FILE + RECLAIMED + i);
	machine_event(&m, 0, &(struct kmt_class){.kind = KMT_RECLAIM_BEGIN}, 0);
	machine_event(&m, 0, &release, FIRST_FILE + RECLAIMED + TRUNCATED);
	machine_event(&m, 0, &(struct kmt_class){.kind = KMT_RECLAIM_END}, 1);
	/* Their frames are used anew in the recording: other pages by then. */
	for (unsigned int i = 0; i < RECLAIMED; i++)
		machine_event(&m, 0, &cache, FIRST_FILE + i);
	r = replay_of(&m);
	assert_int_equal(counts(SAME)->deferred, RECLAIMED + 1);
	assert_int_equal(counts(SAME)->wakes, 0);
	assert_int_equal(p.fates.reclaimed_pages, RECLAIMED + 1);
	assert_int_equal(free_pages(REFERENCE), free_pages(SAME) + RECLAIMED + 1);
	done(r);
}

/* What the recorded kernel kept is taken last. */
static void test_reclaim_takes_first_what_was_reclaimed(void **state)
{
	enum { KEPT = 2000, RECLAIMED = 1500 };
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	for (unsigned int i = 0; i < KEPT + RECLAIMED; i++)
		machine_event(&m, 1, &cache, FIRST_FREE + i);
	task(&m, "kswapd0");
	for (unsigned int i = 0; i < RECLAIMED; i++)
		machine_event(&m, 0, &release, FIRST_FREE + KEPT + i);
	r = replay_of(&m);
	for (unsigned int i = 0; i < KEPT; i++)
		assert_true(fates_kept(&p.fates, i));
	assert_false(fates_kept(&p.fates, KEPT));
	/* Taken early: of those that were reclaimed later, none of the others. */
	assert_true(counts(MORE)->early > 0);
	for (unsigned int i = 0; i < KEPT; i++)
		assert_true(p.runs[MORE].reference->requests.to[FIRST_FREE + i] < MACHINE_PAGES);
	done(r);
}

/* Runs with a model are held against one that has it with the recorded settings. */
static void test_reclaim_model_with_recorded_marks_is_the_base(void **state)
{
	const struct replay_policy more[] = {policies[0], policies[MORE]};
	const struct result_options options = {"test", "test.kmt", true, true};
	struct trace_reader *r;
	struct machine m;
	char error[512];
	json_t *doc, *runs;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 1, &anonymous, FIRST_FREE);
	r = machine_end(&m, 0, (const unsigned int[11]){[10] = 4});
	assert_int_equal(replay_open(&p, r, more, 2, error), 0);
	assert_int_equal(replay_events(&p, error), 0);
	assert_int_equal(p.nr_runs, 3);
	assert_ptr_equal(p.control, &p.runs[2]);
	doc = result_build(&p, &options);
	runs = json_object_get(doc, "runs");
	assert_ptr_equal(prediction_base(doc, json_array_get(runs, 1)), json_array_get(runs, 2));
	assert_null(json_object_get(json_object_get(json_array_get(runs, 2), "modelled_reclaim"),
				    "base"));
	json_decref(doc);
	done(r);
}

/* Stalls in direct reclaim free 64 pages with generations, 32 without. */
static void test_reclaim_direct_takes_a_batch(void **state)
{
	struct trace_reader *r;
	struct reclaim *m;
	struct machine machine;

	(void)state;
	machine_begin(&machine);
	machine_event(&machine, 1, &anonymous, FIRST_FREE);
	r = replay_of(&machine);
	m = &p.runs[SAME].reference->reclaim;
	m->lru_gen = true;
	assert_int_equal(reclaim_direct(m, 0, 0), 64);
	m->lru_gen = false;
	assert_int_equal(reclaim_direct(m, 0, 0), 32);
	assert_int_equal(m->counts.direct, 96);
	done(r);
}

/* A pass that would take more ends when all zones are a batch above their marks. */
static void test_reclaim_generations_end_when_it_is_enough(void **state)
{
	enum { ALLOCS = 2620 };
	uint64_t after[2];

	(void)state;
	for (int gen = 0; gen < 2; gen++) {
		struct trace_reader *r;
		struct machine machine;
		struct reclaim *m;

		machine_begin(&machine);
		for (unsigned int i = 0; i < ALLOCS; i++)
			machine_event(&machine, 1, &anonymous, FIRST_FREE + i);
		r = replay_of(&machine);
		m = &p.runs[MORE].reference->reclaim;
		m->lru_gen = gen;
		m->node[0] = (struct reclaim_node){.active = true, .priority = 1};
		reclaim_tick(m, UINT64_MAX / 2);
		after[gen] = rmm_nr_free_pages(p.runs[MORE].reference->rmm);
		done(r);
	}
	assert_in_range(after[1], HIGH + 64, HIGH + 300);
	assert_true(after[0] > after[1] + 200);
}

static void test_reclaim_tells_page_cache_by_its_mask(void **state)
{
	static const struct {
		uint32_t gfp;
		unsigned int order;
		bool takes;
	} cases[] = {
		{RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_NORETRY, 0, true}, /* read ahead */
		{RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_WRITE, 2, true},
		{RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_ZERO, 0, false}, /* anonymous */
		{RMM_GFP_HIGHUSER_MOVABLE, 0, false},		     /* copied on write */
		{RMM_GFP_TRANSHUGE | RMM_GFP_NORETRY, 9, false},
		{RMM_GFP_KERNEL | RMM_GFP_NORETRY, 0, false}, /* slab */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(reclaim_takes(cases[i].gfp, cases[i].order), cases[i].takes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reclaim_higher_marks_take_pages_early),
		cmocka_unit_test(test_reclaim_free_memory_follows_the_marks),
		cmocka_unit_test(test_reclaim_recorded_frees_wait_for_the_marks),
		cmocka_unit_test(test_reclaim_takes_first_what_was_reclaimed),
		cmocka_unit_test(test_reclaim_model_with_recorded_marks_is_the_base),
		cmocka_unit_test(test_reclaim_direct_takes_a_batch),
		cmocka_unit_test(test_reclaim_generations_end_when_it_is_enough),
		cmocka_unit_test(test_reclaim_tells_page_cache_by_its_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
