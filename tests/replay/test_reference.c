/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_reference.c - what the reference does by itself: compaction, huge pages. */
#include "../support/test.h"

#include "machine.h"

#include <kmemlab/refmm_query.h>
#include <kmemlab/refmm_stat.h>

enum { COMP = 1 << 18, HUGE = 512, RUNS = 8192 };

static const struct kmt_class alloc_huge = {
	.kind = KMT_PAGE_ALLOC, .order = 9, .migratetype = 1, .gfp = 0xcca | COMP};
static const struct kmt_class release = {.kind = KMT_PAGE_FREE};
static const struct kmt_class begin = {.kind = KMT_COMPACT_BEGIN, .order = 9};
static const struct kmt_class end = {.kind = KMT_COMPACT_END};
static const struct kmt_class moved = {.kind = KMT_MIGRATE_TO};

static const struct replay_policy policies[] = {
	{.name = "observed"},
	{.name = "reference"},
	{.name = "other", .settings = {"compact.seed=1"}, .nr_settings = 1},
};

static struct replay p; /* too large for the stack */

static const struct requests_counts *replay_of(struct machine *m, struct trace_reader **r)
{
	char error[512];

	*r = machine_end(m, 0, (const unsigned int[11]){[10] = 4});
	if (replay_open(&p, *r, policies, 3, error))
		fail_msg("%s", error);
	assert_int_equal(replay_events(&p, error), 0);
	return &p.runs[1].reference->requests.counts;
}

static void done(struct trace_reader *r)
{
	replay_close(&p);
	trace_reader_close(r);
}

static void test_reference_huge_page_comes_back_in_parts(void **state)
{
	const struct requests_counts *c;
	struct trace_reader *r;
	struct machine m;

	(void)state;
	machine_begin(&m);
	machine_event(&m, 0, &alloc_huge, 4096);
	for (unsigned int i = 0; i < HUGE; i++)
		machine_event(&m, 0, &release, 4096 + i);
	c = replay_of(&m, &r);
	assert_int_equal(c->split_live, 1);
	assert_int_equal(c->free_refused + c->free_unknown, 0);
	done(r);
}

/* Below the middle every other page is free; above it all are in use. */
static void begin_scattered(struct machine *m)
{
	static struct trace_page_run runs[RUNS];
	size_t n = 0;

	while (n < MACHINE_PAGES / 2) {
		runs[n++] = (struct trace_page_run){KMT_PG_FREE, 0, 1};
		runs[n++] = (struct trace_page_run){KMT_PG_FILE, 0, 1};
	}
	runs[n++] = (struct trace_page_run){KMT_PG_FILE, 0, MACHINE_PAGES / 2};
	machine_begin_with(m, runs, n, 0);
}

/* /proc/vmstat at the start and at the end: of pages that were to be moved, what came of it */
static void migrations(struct machine *m, unsigned int moved_pages, unsigned int failed)
{
	char text[100];

	machine_text(m, KMT_PHASE_START, MACHINE_START_NS, "vmstat",
		     "pgmigrate_success 1000\npgmigrate_fail 5000\n");
	snprintf(text, sizeof(text), "pgmigrate_success %u\npgmigrate_fail %u\n",
		 1000 + moved_pages, 5000 + failed);
	machine_text(m, KMT_PHASE_END, m->now_ns, "vmstat", text);
}

/* The task compacts, which the kernel shows by so many blocks moved; of all it tried so many
 * percent failed. */
static uint64_t other_moves; /* with other pages that stay */

static uint64_t moves_of(const char *comm, unsigned int blocks, unsigned int failed,
			 uint64_t *refused)
{
	struct rmm_stat other;
	const struct requests_counts *c;
	struct rmm_stat stat;
	struct trace_reader *r;
	struct machine m;

	begin_scattered(&m);
	machine_event(&m, 0,
		      &(struct kmt_class){
			      .kind = KMT_TASK, .comm = trace_writer_string(m.w, comm), .pid = 30},
		      0);
	machine_event(&m, 0, &begin, 0);
	for (unsigned int i = 0; i < blocks; i++)
		machine_event(&m, 0, &moved, 4096 + i);
	machine_event(&m, 0, &end, 0);
	for (unsigned int i = 1; i < MACHINE_PAGES; i += i < MACHINE_PAGES / 2 - 1 ? 2 : 1)
		machine_event(&m, 1, &release, i);
	migrations(&m, 100 - failed, failed);
	c = replay_of(&m, &r);
	assert_int_equal(p.runs[1].reference->stay_ppm, 10000 * failed);
	rmm_stat(p.runs[1].reference->rmm, &stat);
	rmm_stat(p.runs[2].reference->rmm, &other);
	other_moves = other.migrate_success;
	*refused = c->free_refused + c->free_unknown;
	done(r);
	return stat.migrate_success;
}

static void test_reference_compacts_as_much_as_kcompactd_does(void **state)
{
	static const struct {
		const char *comm;
		unsigned int blocks;
		uint64_t least, most;
	} cases[] = {
		{"kcompactd0", 31, 0, 0},
		{"kcompactd0", 32, 1, 32},
		{"kcompactd0", 320, 64, 320},
		{"cc1", 320, 0, 0}, /* direct: refmm sees to that itself */
	};
	uint64_t refused, n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		n = moves_of(cases[i].comm, cases[i].blocks, 0, &refused);
		assert_in_range(n, cases[i].least, cases[i].most);
		assert_int_equal(refused, 0); /* all that moved was found and freed */
	}
}

/* Of what is tried as many fail as in the kernel; what stays is freed where it is. */
static void test_reference_leaves_as_many_pages_as_the_kernel(void **state)
{
	uint64_t refused, all = moves_of("kcompactd0", 320, 0, &refused), n;

	(void)state;
	n = moves_of("kcompactd0", 320, 50, &refused);
	assert_true(n > 0 && n != all);
	assert_true(other_moves > 0 && other_moves != n);
	assert_int_equal(refused, 0);
	assert_int_equal(moves_of("kcompactd0", 320, 100, &refused), 0);
	assert_int_equal(refused, 0);
}

static const struct kmt_class refused_huge = {
	.kind = KMT_PAGE_ALLOC, .order = 9, .migratetype = 1, .gfp = 0x400cca | COMP};

/* What the kernel refused is tried, and nothing of it is kept. */
static void test_reference_tries_what_the_kernel_refused(void **state)
{
	const struct requests_counts *c;
	struct trace_reader *r;
	struct rmm_stat stat;
	struct machine m;

	(void)state;
	machine_begin(&m); /* here the upper half is free */
	machine_event(&m, 0, &refused_huge, KMT_NO_PAGE);
	c = replay_of(&m, &r);
	assert_int_equal(c->kernel_failed, 1);
	assert_int_equal(c->served_refused, 1);
	assert_int_equal(rmm_nr_free_pages(p.runs[1].reference->rmm) +
				 rmm_pcp_count(p.runs[1].reference->rmm, 0, 0),
			 MACHINE_PAGES / 2);
	done(r);
	begin_scattered(&m); /* here nothing of that order is */
	machine_event(&m, 0, &refused_huge, KMT_NO_PAGE);
	c = replay_of(&m, &r);
	assert_int_equal(c->kernel_failed, 1);
	rmm_stat(p.runs[1].reference->rmm, &stat);
	assert_int_equal(stat.slow_path, 1);
	done(r);
}

static const struct kmt_class alloc_page = {
	.kind = KMT_PAGE_ALLOC, .order = 0, .migratetype = 1, .gfp = 0xcca};

/* The kernel had a huge page where too little is left for compaction to begin: it had begun
 * before others came. */
static void test_reference_compacts_below_the_marks_for_what_the_kernel_had(void **state)
{
	const struct requests_counts *c;
	struct trace_reader *r;
	struct rmm_stat stat;
	struct machine m;

	(void)state;
	begin_scattered(&m);
	for (unsigned int i = HUGE; i < MACHINE_PAGES / 2 - HUGE; i += 2)
		machine_event(&m, 0, &alloc_page, i);
	machine_event(&m, 0, &alloc_huge, 0);
	c = replay_of(&m, &r);
	assert_int_equal(c->alloc_failed, 0);
	assert_int_equal(c->alloc_compacted, 0);
	assert_int_equal(c->alloc_below_marks, 1);
	rmm_stat(p.runs[1].reference->rmm, &stat);
	assert_int_equal(stat.compact_captured, 1);
	assert_int_equal(stat.alloc[9], 1);
	done(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference_huge_page_comes_back_in_parts),
		cmocka_unit_test(test_reference_compacts_as_much_as_kcompactd_does),
		cmocka_unit_test(test_reference_leaves_as_many_pages_as_the_kernel),
		cmocka_unit_test(test_reference_tries_what_the_kernel_refused),
		cmocka_unit_test(test_reference_compacts_below_the_marks_for_what_the_kernel_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
