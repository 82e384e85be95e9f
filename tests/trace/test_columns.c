/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_columns.c - what a hostile EVENTS payload can hold, and what it may do. */
#include <string.h>
#include <unistd.h>

#include "trace/columns.h"
#include "fixture.h"
#include "trace/varint.h"

enum { PAYLOAD_MAX = 4096 };

/* A payload made by hand, column by column. */
struct payload {
	uint8_t bytes[PAYLOAD_MAX];
	size_t n;
	struct kmt_block head;
};

struct text {
	const char *data;
	size_t n;
};
#define TEXT(s)                                                                                    \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

static void build(struct payload *p, uint32_t count, const struct text columns[COL_COUNT])
{
	memset(p, 0, sizeof(*p));
	p->n = COL_COUNT * sizeof(uint32_t);
	for (int c = 0; c < COL_COUNT; c++) {
		uint32_t length = (uint32_t)columns[c].n;

		memcpy(p->bytes + (size_t)c * sizeof(length), &length, sizeof(length));
		memcpy(p->bytes + p->n, columns[c].data, length);
		p->n += length;
	}
	p->head =
		(struct kmt_block){.count = count, .raw_bytes = (uint32_t)p->n, .t_first_ns = 100};
}

/* Decode all of @p; number of events, or the error. */
static long decode(const struct payload *p, struct trace_event *out)
{
	static struct decoder d;
	struct fixture f;
	struct trace_reader *r;
	long n;

	memset(&d, 0, sizeof(d));
	fixture_start(&f, 1);
	fixture_finish(&f);
	r = fixture_open(&f);
	n = decoder_start(&d, &p->head, p->bytes, r);
	if (!n)
		n = decoder_run(&d, out, 16);
	decoder_free(&d);
	trace_reader_close(r);
	fixture_free(&f);
	return n;
}

/* Class 0 of the fixture is PAGE_ALLOC of order 3. */
static void test_columns_codes_mean_what_the_specification_says(void **state)
{
	static const struct text columns[] = {
		TEXT("\0\0"),	    /* table: class 0, kind 0 */
		TEXT("\0\0\0\0"),   /* four events of it */
		TEXT("\0\5\0\377"), /* dt low */
		TEXT("\0\0\1\0"),   /* dt high */
		TEXT("\0\0\5\1"),   /* literal, literal, distance +2, distance +0 */
		TEXT("\24\6"),	    /* +10, +3 */
	};
	static const uint64_t address[] = {10, 13, 10, 13};
	static const uint64_t time[] = {100, 105, 361, 616};
	struct trace_event got[16] = {0};
	struct payload p;

	(void)state;
	build(&p, 4, columns);
	assert_int_equal(decode(&p, got), 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(got[i].address, address[i]);
		assert_int_equal(got[i].time_ns, time[i]);
		assert_int_equal(got[i].order, 3);
	}
}

static const struct {
	const char *what;
	uint32_t count;
	struct text columns[COL_COUNT];
} malformed[] = {
	{"distance beyond the history",
	 1,
	 {TEXT("\0\0"), TEXT("\0"), TEXT("\0"), TEXT("\0"), TEXT("\3"), TEXT("")}},
	{"distance 0",
	 2,
	 {TEXT("\0\0"), TEXT("\0\0"), TEXT("\0\0"), TEXT("\0\0"), TEXT("\0\1"), TEXT("\2")}},
	{"negative distance",
	 2,
	 {TEXT("\0\0"), TEXT("\0\0"), TEXT("\0\0"), TEXT("\0\0"), TEXT("\0\2"), TEXT("\2")}},
	{"class not in the table",
	 1,
	 {TEXT("\0\0"), TEXT("\1"), TEXT("\0"), TEXT("\0"), TEXT("\0"), TEXT("\2")}},
	{"more events than classes",
	 2,
	 {TEXT("\0\0"), TEXT("\0"), TEXT("\0\0"), TEXT("\0\0"), TEXT("\0\0"), TEXT("\2\2")}},
	{"no literal", 1, {TEXT("\0\0"), TEXT("\0"), TEXT("\0"), TEXT("\0"), TEXT("\0"), TEXT("")}},
	{"no time", 1, {TEXT("\0\0"), TEXT("\0"), TEXT(""), TEXT("\0"), TEXT("\0"), TEXT("\2")}},
	{"time beyond all time",
	 1,
	 {TEXT("\0\0"), TEXT("\0"), TEXT("\0"), TEXT("\377\377\377\377\377\377\377\377\1"),
	  TEXT("\0"), TEXT("\2")}},
	{"half a table",
	 1,
	 {TEXT("\0"), TEXT("\0"), TEXT("\0"), TEXT("\0"), TEXT("\0"), TEXT("\2")}},
};

static void test_columns_malformed_is_refused(void **state)
{
	struct trace_event got[16] = {0};
	struct payload p;

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
		build(&p, malformed[i].count, malformed[i].columns);
		if (decode(&p, got) != -EBADMSG)
			fail_msg("accepted: %s", malformed[i].what);
	}
}

static void test_columns_lengths_must_fill_the_payload(void **state)
{
	static const struct text columns[] = {TEXT("\0\0"), TEXT("\0"), TEXT("\0"),
					      TEXT("\0"),   TEXT("\0"), TEXT("\2")};
	struct trace_event got[16] = {0};
	struct payload p;

	(void)state;
	build(&p, 1, columns);
	assert_int_equal(decode(&p, got), 1);
	p.head.raw_bytes++;
	assert_int_equal(decode(&p, got), -EBADMSG);
	p.head.raw_bytes -= 2;
	assert_int_equal(decode(&p, got), -EBADMSG);
	p.head.raw_bytes = 7;
	assert_int_equal(decode(&p, got), -EBADMSG);
}

static void test_columns_undefined_class_leaves_its_events_out(void **state)
{
	static const struct text columns[] = {
		TEXT("\0\0\143\0"), /* class 0, and class 99, which nobody defined */
		TEXT("\0\1\0"),	    TEXT("\1\1\1"), TEXT("\0\0\0"),
		TEXT("\0\0\3"), /* the third: distance +1: the undefined one's address */
		TEXT("\24\2"),
	};
	struct trace_event got[16] = {0};
	struct payload p;

	(void)state;
	build(&p, 3, columns);
	assert_int_equal(decode(&p, got), 2);
	assert_int_equal(got[1].address, 11);
	assert_int_equal(got[1].time_ns, 103);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_codes_mean_what_the_specification_says),
		cmocka_unit_test(test_columns_malformed_is_refused),
		cmocka_unit_test(test_columns_lengths_must_fill_the_payload),
		cmocka_unit_test(test_columns_undefined_class_leaves_its_events_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
