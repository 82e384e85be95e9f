/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_stacks.c - kernel stacks in the dictionary, both ways. */
#include "fixture.h"
#include "trace/block.h"
#include "trace/kinds.h"
#include "trace/varint.h"

enum { DEPTH = 3 };

static const char *const names[DEPTH] = {"inner+0x1", "middle+0x2", "outer+0x3 [module]"};

static uint32_t write_stack(struct trace_writer *w, size_t first)
{
	uint32_t frame[DEPTH];

	for (size_t i = 0; i < DEPTH; i++)
		frame[i] = trace_writer_string(w, names[i]);
	return trace_writer_stack(w, frame + first, DEPTH - first);
}

static void expect_stack(const struct trace_reader *r, uint32_t id, size_t first)
{
	const uint32_t *frame;

	assert_int_equal(trace_reader_stack(r, id, &frame), DEPTH - first);
	for (size_t i = first; i < DEPTH; i++)
		assert_string_equal(trace_reader_string(r, frame[i - first]), names[i]);
}

static void test_stacks_are_read_back(void **state)
{
	struct kmt_class c = {.kind = KMT_KMALLOC};
	struct fixture f;
	uint32_t deep, shallow, id;

	(void)state;
	fixture_start(&f, 1);
	deep = write_stack(f.w, 0);
	shallow = write_stack(f.w, 2);
	c.stack = deep;
	id = trace_writer_class(f.w, &c);
	c.stack = shallow;
	assert_int_not_equal(trace_writer_class(f.w, &c), id);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_int_equal(trace_class_stack(trace_reader_class(r, id)), deep);
	assert_int_equal(trace_class_stack(trace_reader_class(r, id + 1)), shallow);
	expect_stack(r, deep, 0);
	expect_stack(r, shallow, 2);
	assert_false(any_damage(r));
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_stacks_equal_ones_have_one_number(void **state)
{
	struct fixture f;
	uint32_t frame[KMT_STACK_FRAMES + 1] = {0};

	(void)state;
	fixture_start(&f, 1);
	assert_int_equal(write_stack(f.w, 0), 1);
	assert_int_equal(write_stack(f.w, 1), 2);
	assert_int_equal(write_stack(f.w, 0), 1);
	assert_int_equal(trace_writer_stack(f.w, NULL, 0), 0);
	assert_int_equal(trace_writer_stack(f.w, frame, KMT_STACK_FRAMES), 3);
	assert_int_equal(trace_writer_stack(f.w, frame, KMT_STACK_FRAMES + 1), 0);
	fixture_finish(&f);
	fixture_free(&f);
}

static void test_stacks_task_has_a_pid_instead(void **state)
{
	const struct kmt_class task = {.kind = KMT_TASK, .pid = 7};
	const struct kmt_class freed = {.kind = KMT_KFREE, .stack = 7};
	const struct kmt_class stall = {.kind = KMT_COMPACT_BEGIN, .stack = 7};

	(void)state;
	assert_int_equal(trace_class_stack(&task), 0);
	assert_int_equal(trace_class_stack(&freed), 0);
	assert_int_equal(trace_class_stack(&stall), 7);
}

static void test_stacks_are_in_every_file(void **state)
{
	struct fixture f;
	int second = memfd_create("second", 0);
	char error[256];
	uint32_t id;

	(void)state;
	fixture_start(&f, 1);
	id = write_stack(f.w, 0);
	fixture_finish(&f);
	trace_writer_file(f.w, second);
	assert_int_equal(trace_writer_header(f.w, FIXTURE_HEADER), 0);
	fixture_finish(&f);

	struct trace_reader *r = trace_reader_open_fd(second, "second", error);

	assert_non_null(r);
	expect_stack(r, id, 0);
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_stacks_of_a_file_without_them_are_none(void **state)
{
	struct fixture f;
	const uint32_t *frame;

	(void)state;
	fixture_start(&f, 1);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_int_equal(trace_reader_stacks(r), 0);
	assert_int_equal(trace_reader_stack(r, 1, &frame), 0);
	trace_reader_close(r);
	fixture_free(&f);
}

/* A STACKS block with this payload behind an intact trace. */
static struct trace_reader *with_payload(struct fixture *f, uint32_t count, const void *payload,
					 size_t bytes)
{
	struct kmt_block head = {.type = KMT_STACKS, .count = count, .first_id = 1};

	fixture_start(f, 1);
	fixture_finish(f);
	fixture_block(f, head, payload, bytes);
	return fixture_open(f);
}

static void test_stacks_that_make_no_sense_are_damage(void **state)
{
	static const struct {
		uint32_t count, bytes;
		uint8_t payload[4];
	} cases[] = {
		{1, 2, {2, 1}},			   /* a frame is missing */
		{1, 3, {1, 1, 0}},		   /* something is left */
		{1, 2, {KMT_STACK_FRAMES + 1, 1}}, /* too deep: and a varint that goes on */
		{200, 2, {1, 1}},		   /* fewer bytes than stacks */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		struct trace_reader *r =
			with_payload(&f, cases[i].count, cases[i].payload, cases[i].bytes);
		struct trace_damage d;

		trace_reader_damage(r, &d);
		assert_int_equal(d.bad_blocks, 1);
		trace_reader_close(r);
		fixture_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks_are_read_back),
		cmocka_unit_test(test_stacks_equal_ones_have_one_number),
		cmocka_unit_test(test_stacks_task_has_a_pid_instead),
		cmocka_unit_test(test_stacks_are_in_every_file),
		cmocka_unit_test(test_stacks_of_a_file_without_them_are_none),
		cmocka_unit_test(test_stacks_that_make_no_sense_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
