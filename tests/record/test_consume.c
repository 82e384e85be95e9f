// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_consume.c - rings to trace: times, addresses, what is not there yet. */
#include "rings.h"

static void test_consume_page_event_keeps_frame_and_class(void **state)
{
	struct fixture f;
	struct trace_event e;
	struct trace_reader *r;
	const struct kmt_class *c;

	(void)state;
	setup(&f);
	define_pages(&f, 1);
	event(&f, 1, KML_PAGE_ALLOC, f.now + 5, bases.vmemmap + 1234 * 64);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, &e, 1), 1);
	c = trace_reader_class(r, e.class_id);
	assert_int_equal(e.cpu, 1);
	assert_int_equal(e.time_ns, f.now + 5);
	assert_int_equal(e.address, 1234);
	assert_int_equal(c->kind, KMT_PAGE_ALLOC);
	assert_int_equal(c->order, 3);
	assert_int_equal(c->migratetype, 1);
	assert_int_equal(c->gfp, 0xcc0);
	teardown(&f, r);
}

static void test_consume_failed_allocation_has_no_page(void **state)
{
	struct fixture f;
	struct trace_event e;
	struct trace_reader *r;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	event(&f, 0, KML_PAGE_ALLOC, f.now, 0);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, &e, 1), 1);
	assert_true(e.address == KMT_NO_PAGE);
	teardown(&f, r);
}

static void test_consume_uncommitted_cell_is_waited_for(void **state)
{
	struct fixture f;
	struct trace_event e[4];
	struct kml_ring *ring;
	struct kml_cell *cell;
	struct trace_reader *r;
	uint64_t word0;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	ring = ring_of(&f.rings, 0);
	cell = &ring->cell[ring->head / KML_CELL_BYTES];
	event(&f, 0, KML_PAGE_ALLOC, f.now, bases.vmemmap);
	word0 = cell->word0;
	cell->word0 = 0; /* reserved, not committed */
	event(&f, 0, KML_PAGE_FREE, f.now + 1, bases.vmemmap);
	consume(f.consumer, true);
	assert_true(ring->tail < ring->head);
	assert_int_equal(ring->limit, ring->tail + CELL_BYTES - KML_RING_MARGIN_BYTES);
	cell->word0 = word0;
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, e, 4), 2);
	assert_int_equal(e[0].kind, KMT_PAGE_ALLOC);
	assert_int_equal(ring->tail, ring->head);
	assert_int_equal(ring->limit, ring->head + CELL_BYTES - KML_RING_MARGIN_BYTES);
	teardown(&f, r);
}

/* Frees of pages 0, 1, ... on CPU 0, as many as the ring has room for at a time. Return:
 * what consume() said last, an error as soon as there is one. */
static int free_in_order(struct fixture *f, uint64_t n)
{
	int err = 0;

	for (uint64_t i = 0; i < n && err >= 0; i++) {
		event(f, 0, KML_PAGE_FREE, f->now + i, bases.vmemmap + i * 64);
		if (i % 200 == 199)
			err = consume(f->consumer, false);
	}
	return err;
}

/* Is that what the trace has? */
static void expect_in_order(struct fixture *f, uint64_t n)
{
	struct trace_reader *r = read_back(f);
	struct trace_event e;

	for (uint64_t i = 0; i < n; i++) {
		assert_int_equal(trace_reader_next(r, &e, 1), 1);
		assert_int_equal(e.address, i);
	}
	assert_int_equal(trace_reader_next(r, &e, 1), 0);
	teardown(f, r);
}

/* Of a trace that could not be written. */
static void abandon(struct fixture *f)
{
	consumer_free(f->consumer);
	definitions_free(f->definitions);
	trace_writer_free(f->writer);
	free(f->rings.base);
	close(f->fd);
}

static void test_consume_many_laps_lose_nothing(void **state)
{
	enum { EVENTS = 20 * CELL_BYTES / KML_CELL_BYTES };
	struct fixture f;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	assert_true(free_in_order(&f, EVENTS) >= 0);
	expect_in_order(&f, EVENTS);
}

static void test_consume_interleaved_definitions_stay_apart(void **state)
{
	const uint64_t one[KML_DEF_WORDS] = {KML_SLOT_USED | 1},
		       two[KML_DEF_WORDS] = {KML_SLOT_USED | 2};
	struct fixture f;
	struct trace_event e[2];
	struct trace_reader *r;

	(void)state;
	setup(&f);
	for (unsigned int i = 0; i < KML_DEF_WORDS; i++) {
		put(&f, 0, KML_DEF_BIT | KML_PAGE_FREE << KML_KIND_SHIFT | 7 << KML_SLOT_SHIFT, i,
		    one[i]);
		put(&f, 0, KML_DEF_BIT | KML_PCPU_DRAIN << KML_KIND_SHIFT | 7 << KML_SLOT_SHIFT, i,
		    two[i]);
	}
	event(&f, 0, KML_PAGE_FREE, f.now, bases.vmemmap);
	event(&f, 0, KML_PCPU_DRAIN, f.now, bases.vmemmap);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, e, 2), 2);
	assert_int_equal(e[0].order, 1);
	assert_int_equal(e[1].order, 2);
	teardown(&f, r);
}

static void test_consume_object_outside_the_direct_map_leaks_no_address(void **state)
{
	const uint64_t kfree[KML_DEF_WORDS] = {KML_SLOT_USED, 0xffffffff81000000};
	const uint64_t inside = bases.page_offset + 0x1230, outside = 0xffffc90000123450;
	struct fixture f;
	struct trace_event e[3];
	struct trace_reader *r;

	(void)state;
	setup(&f);
	define(&f, 0, KML_KFREE, 7, kfree);
	event(&f, 0, KML_KFREE, f.now, inside);
	event(&f, 0, KML_KFREE, f.now, outside);
	event(&f, 0, KML_KFREE, f.now, outside);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, e, 3), 3);
	assert_int_equal(e[0].address, 0x1230 / 8);
	assert_true(e[1].address & KMT_OPAQUE);
	assert_true(e[1].address == e[2].address);
	assert_true((e[1].address & ~KMT_OPAQUE) != outside / 8);
	assert_true((e[1].address & 0xffffffff) != (outside & 0xffffffff));
	teardown(&f, r);
}

static void test_consume_long_silence_keeps_times(void **state)
{
	/* Below the range of a cell's time (73 min), and beyond it several times. */
	static const uint64_t hours[] = {0, 1, 7, 12};
	struct fixture f;
	struct trace_event e;
	struct trace_reader *r;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	for (size_t i = 0; i < 4; i++) {
		clock_now = f.now + hours[i] * 3600 * 1000000000 + 1000;
		event(&f, 0, KML_PAGE_FREE, clock_now - 500, bases.vmemmap);
		consume(f.consumer, true);
	}
	r = read_back(&f);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(trace_reader_next(r, &e, 1), 1);
		assert_int_equal(e.time_ns, f.now + hours[i] * 3600 * 1000000000 + 500);
	}
	teardown(&f, r);
}

/* Events before, at and after it, read a little later, or stamped while being read. */
static void test_consume_time_at_the_wrap_is_unfolded(void **state)
{
	const uint64_t wrap = 1ull << (64 - KML_TIME_SHIFT);
	static const int64_t events[] = {-20000, -1, 0, 1, 30000000};
	static const int64_t reads[] = {-10000, -2, 0, 20000, 29999999};
	const uint64_t saved = clock_now;
	struct fixture f;
	struct trace_event e;
	struct trace_reader *r;

	(void)state;
	clock_now = 7 * wrap - 1000000;
	setup(&f);
	define_pages(&f, 0);
	for (size_t i = 0; i < 5; i++) {
		event(&f, 0, KML_PAGE_FREE, 7 * wrap + (uint64_t)events[i], bases.vmemmap);
		clock_now = 7 * wrap + (uint64_t)reads[i];
		consume(f.consumer, true);
	}
	r = read_back(&f);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(trace_reader_next(r, &e, 1), 1);
		assert_true(e.time_ns == 7 * wrap + (uint64_t)events[i]);
	}
	teardown(&f, r);
	clock_now = saved;
}

static void test_consume_event_that_runs_backwards_is_clamped(void **state)
{
	struct fixture f;
	struct trace_event e[2];
	struct trace_reader *r;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	event(&f, 0, KML_PAGE_FREE, f.now + 50, bases.vmemmap);
	event(&f, 0, KML_PAGE_FREE, f.now + 20, bases.vmemmap);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, e, 2), 2);
	assert_int_equal(e[1].time_ns, f.now + 50);
	teardown(&f, r);
}

static void test_consume_failed_object_has_no_page(void **state)
{
	const uint64_t kmalloc[KML_DEF_WORDS] = {KML_SLOT_USED | KML_SLOT_FAILED, 0, 128};
	struct fixture f;
	struct trace_event e;
	struct trace_reader *r;

	(void)state;
	setup(&f);
	define(&f, 0, KML_KMALLOC, 7, kmalloc);
	event(&f, 0, KML_KMALLOC, f.now, 0);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, &e, 1), 1);
	assert_true(e.address == KMT_NO_PAGE);
	teardown(&f, r);
}

static void test_consume_coverage_leaves_out_what_a_write_lost(void **state)
{
	struct fixture f;
	uint64_t allocated, freed;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	consumer_cover(f.consumer, f.now);
	event(&f, 0, KML_PAGE_ALLOC, f.now, bases.vmemmap + 64);
	consume(f.consumer, true);
	dup2(full, f.fd);
	event(&f, 0, KML_PAGE_ALLOC, f.now + 1, bases.vmemmap + 128);
	assert_true(consume(f.consumer, true) < 0);
	consumer_pages(f.consumer, &allocated, &freed);
	assert_int_equal(allocated, 8);
	close(full);
	abandon(&f);
}

static void test_consume_more_than_a_block_needs_no_round(void **state)
{
	const uint64_t n = 2 * KMT_ROUND_MAX_EVENTS + 77;
	struct trace_writer_stats stats;
	struct fixture f;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	assert_true(free_in_order(&f, n) >= 0);
	trace_writer_stats(f.writer, &stats);
	assert_in_range(stats.recorded, n / 2, n);
	expect_in_order(&f, n);
}

/* Where the block is full, the event comes twice to what makes its class. */
static void test_consume_page_that_compaction_keeps_after_a_full_block(void **state)
{
	const uint64_t keep[KML_DEF_WORDS] = {KML_SLOT_USED};

	(void)state;
	for (uint64_t n = KMT_ROUND_MAX_EVENTS / 4; n <= KMT_ROUND_MAX_EVENTS; n *= 2) {
		struct fixture f;
		struct trace_event e;
		struct trace_reader *r;
		uint64_t allocated, freed;

		setup(&f);
		define_pages(&f, 0);
		consumer_cover(f.consumer, f.now);
		assert_true(free_in_order(&f, n) >= 0);
		consume(f.consumer, false);
		define(&f, 0, KMT_PAGE_KEEP, 7, keep);
		event(&f, 0, KMT_PAGE_KEEP, f.now + n, bases.vmemmap + (n - 1) * 64);
		r = read_back(&f);
		consumer_pages(f.consumer, &allocated, &freed);
		assert_int_equal(freed, (n - 1) * 8);
		for (uint64_t i = 0; i <= n; i++)
			assert_int_equal(trace_reader_next(r, &e, 1), 1);
		assert_int_equal(e.kind, KMT_PAGE_KEEP);
		assert_int_equal(e.order, 3);
		teardown(&f, r);
	}
}

static void test_consume_block_that_cannot_be_written_is_told_at_once(void **state)
{
	struct fixture f;
	uint64_t allocated, freed;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	consumer_cover(f.consumer, f.now);
	dup2(full, f.fd);
	assert_int_equal(free_in_order(&f, KMT_ROUND_MAX_EVENTS), -ENOSPC);
	consumer_pages(f.consumer, &allocated, &freed);
	assert_int_equal(freed, 0);
	assert_true(trace_writer_lost_write(f.writer, 0, KMT_PAGE_FREE) > 0);
	close(full);
	abandon(&f);
}

static void test_consume_task_stands_before_its_first_event(void **state)
{
	const uint64_t word[KML_TASK_WORDS] = {7 | 7ull << 32, 0x62616c /* "lab" */, 0};
	struct fixture f;
	struct trace_event e[8];
	struct trace_reader *r;

	(void)state;
	setup(&f);
	define_pages(&f, 0);
	event(&f, 0, KML_PAGE_ALLOC, f.now + 1, bases.vmemmap);
	for (uint64_t i = 0; i < KML_TASK_WORDS; i++)
		put(&f, 0, KML_DEF_BIT | KML_TASK << KML_KIND_SHIFT, i, word[i]);
	event(&f, 0, KML_PAGE_FREE, f.now + 2, bases.vmemmap);
	event(&f, 0, KML_PAGE_ALLOC, f.now + 3, bases.vmemmap);
	r = read_back(&f);
	assert_int_equal(trace_reader_next(r, e, 8), 4);
	assert_int_equal(e[0].kind, KMT_PAGE_ALLOC);
	assert_int_equal(e[1].kind, KMT_TASK);
	assert_int_equal(e[1].time_ns, f.now + 2);
	assert_int_equal(e[2].kind, KMT_PAGE_FREE);
	assert_int_equal(e[3].kind, KMT_PAGE_ALLOC);
	teardown(&f, r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consume_page_event_keeps_frame_and_class),
		cmocka_unit_test(test_consume_failed_allocation_has_no_page),
		cmocka_unit_test(test_consume_uncommitted_cell_is_waited_for),
		cmocka_unit_test(test_consume_many_laps_lose_nothing),
		cmocka_unit_test(test_consume_interleaved_definitions_stay_apart),
		cmocka_unit_test(test_consume_object_outside_the_direct_map_leaks_no_address),
		cmocka_unit_test(test_consume_long_silence_keeps_times),
		cmocka_unit_test(test_consume_time_at_the_wrap_is_unfolded),
		cmocka_unit_test(test_consume_page_that_compaction_keeps_after_a_full_block),
		cmocka_unit_test(test_consume_event_that_runs_backwards_is_clamped),
		cmocka_unit_test(test_consume_failed_object_has_no_page),
		cmocka_unit_test(test_consume_coverage_leaves_out_what_a_write_lost),
		cmocka_unit_test(test_consume_more_than_a_block_needs_no_round),
		cmocka_unit_test(test_consume_block_that_cannot_be_written_is_told_at_once),
		cmocka_unit_test(test_consume_task_stands_before_its_first_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
