/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_damage.c - every way to break a small trace.
 *
 * The promise: what is read back was written, in order; what is missing is
 * reported; nothing crashes.
 */
#include "fixture.h"
#include "trace/block.h"
#include "trace/varint.h"

/* Three rounds of two CPUs, with texts and pages. */
static void make_small(struct fixture *f)
{
	static const struct trace_page_run runs[] = {{KMT_PG_FREE, 3, 5}, {KMT_PG_SLAB, 0, 7}};
	uint64_t seed = 11;

	fixture_start(f, 2);
	trace_writer_text(f->w, KMT_PHASE_START, 1, "vmstat", "pgfree 1\n", 9);
	for (int round = 0; round < 3; round++) {
		fixture_random(f, &seed, 12);
		assert_int_equal(trace_writer_round(f->w, f->clock_ns), 0);
	}
	trace_writer_pages(f->w, KMT_PHASE_END, 5, 6, 64, runs, 2);
	fixture_finish(f);
	fixture_sort(f);
}

/* Touch everything a damaged file still offers. Returns events read. */
static size_t use_all(struct trace_reader *r, const struct fixture *f)
{
	struct trace_pages p;
	struct trace_text t;
	size_t n = read_subset(r, f);

	for (size_t i = 0; i < trace_reader_texts(r); i++)
		if (!trace_reader_text(r, i, &t)) {
			assert_string_equal(t.text, "pgfree 1\n");
			trace_text_free(&t);
		}
	for (size_t i = 0; i < trace_reader_pages(r); i++)
		if (!trace_reader_page_block(r, i, &p)) {
			assert_int_equal(p.n, 2);
			trace_pages_free(&p);
		}
	assert_string_equal(trace_reader_header(r), FIXTURE_HEADER);
	return n;
}

static void test_damage_every_truncation_keeps_a_prefix(void **state)
{
	struct trace_damage d;
	struct fixture f;
	size_t bytes, last = 0;
	char error[256];

	(void)state;
	make_small(&f);

	uint8_t *data = fixture_bytes(&f, &bytes);

	for (size_t cut = 0; cut < bytes; cut++) {
		struct trace_reader *r = open_bytes(data, cut, error);

		if (!r) {
			assert_int_equal(errno, cut ? EBADMSG : ENOMSG);
			continue;
		}
		size_t n = use_all(r, &f);

		trace_reader_damage(r, &d);
		assert_true(d.unfinished && n >= last);
		assert_int_equal(d.bad_blocks + d.missing_blocks + d.undefined_classes, 0);
		assert_int_equal(d.torn, d.skipped_bytes > 0);
		last = n;
		trace_reader_close(r);
	}
	assert_int_equal(last, f.n);
	free(data);
	fixture_free(&f);
}

static void test_damage_every_bit_flip_is_detected(void **state)
{
	struct fixture f;
	size_t bytes;
	char error[256];

	(void)state;
	make_small(&f);

	uint8_t *data = fixture_bytes(&f, &bytes);

	for (size_t bit = 0; bit < bytes * 8; bit++) {
		struct trace_reader *r;

		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		r = open_bytes(data, bytes, error);
		if (r) {
			use_all(r, &f);
			if (!any_damage(r))
				fail_msg("bit %zu flipped unnoticed", bit);
			trace_reader_close(r);
		}
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(data);
	fixture_free(&f);
}

/* Offset of the n-th block of @type. */
static size_t find_block(const uint8_t *data, size_t bytes, uint16_t type, int n)
{
	struct kmt_block head;

	for (size_t at = 0; at + sizeof(head) <= bytes; at += sizeof(head) + head.stored_bytes) {
		memcpy(&head, data + at, sizeof(head));
		if (head.type == type && n-- == 0)
			return at;
	}
	fail_msg("no such block");
	return 0;
}

/* Damage one byte of one block; what is read and counted. */
static size_t break_block(uint16_t type, int n, size_t byte, struct trace_damage *d)
{
	struct fixture f;
	char error[256];
	size_t bytes, read;

	make_small(&f);

	uint8_t *data = fixture_bytes(&f, &bytes);

	data[find_block(data, bytes, type, n) + byte] ^= 0x5a;

	struct trace_reader *r = open_bytes(data, bytes, error);

	assert_non_null(r);
	read = use_all(r, &f);
	use_all(r, &f); /* reading on changes no count */
	trace_reader_damage(r, d);
	trace_reader_close(r);
	free(data);
	fixture_free(&f);
	return read;
}

static void test_damage_costs_only_the_block_it_touches(void **state)
{
	static const struct {
		uint16_t type;
		int n;
		size_t byte;
		uint64_t bad, missing;
	} cases[] = {
		{KMT_EVENTS, 0, sizeof(struct kmt_block) + 3, 1, 0},
		{KMT_EVENTS, 3, sizeof(struct kmt_block) + 1, 1, 0},
		{KMT_EVENTS, 2, 20, 0, 1}, /* its head: the size cannot be trusted */
		{KMT_EVENTS, 5, 0, 0, 1},  /* its magic */
		{KMT_ROUND, 1, 6, 0, 1},   /* its type */
		{KMT_TEXT, 0, sizeof(struct kmt_block) + 2, 1, 0},
		{KMT_PAGES, 0, sizeof(struct kmt_block) + 2, 1, 0},
		{KMT_ACCOUNT, 0, sizeof(struct kmt_block) + 2, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trace_damage d;
		size_t n = break_block(cases[i].type, cases[i].n, cases[i].byte, &d);

		assert_int_equal(d.bad_blocks, cases[i].bad);
		assert_int_equal(d.missing_blocks, cases[i].missing);
		assert_int_equal(d.skipped_bytes > 0, cases[i].missing);
		assert_true(cases[i].type == KMT_EVENTS ? n < 36 && n >= 18 : n == 36);
		assert_false(d.torn || d.unfinished);
	}
}

static void test_damage_lost_dictionary_counts_its_events(void **state)
{
	struct trace_damage d;

	(void)state;
	assert_int_equal(break_block(KMT_CLASSES, 0, sizeof(struct kmt_block) + 5, &d), 0);
	assert_int_equal(d.bad_blocks, 1);
	assert_int_equal(d.undefined_classes, 36);
	/* Names are missing, events are not. */
	assert_int_equal(break_block(KMT_STRINGS, 0, sizeof(struct kmt_block) + 5, &d), 36);
	assert_int_equal(d.bad_blocks, 1);
	assert_int_equal(d.undefined_classes, 0);
}

static void test_damage_garbage_between_blocks_is_skipped(void **state)
{
	static const uint8_t garbage[] = "KMT1 looks like a block but is none, KMT1KMT1";
	struct trace_damage d;
	struct fixture f;
	char error[256];
	size_t bytes;

	(void)state;
	make_small(&f);

	uint8_t *data = fixture_bytes(&f, &bytes);
	size_t at = find_block(data, bytes, KMT_EVENTS, 1);
	uint8_t *both = malloc(bytes + sizeof(garbage));

	memcpy(both, data, at);
	memcpy(both + at, garbage, sizeof(garbage));
	memcpy(both + at + sizeof(garbage), data + at, bytes - at);

	struct trace_reader *r = open_bytes(both, bytes + sizeof(garbage), error);

	assert_non_null(r);
	assert_int_equal(read_subset(r, &f), f.n);
	trace_reader_damage(r, &d);
	assert_int_equal(d.skipped_bytes, sizeof(garbage));
	assert_int_equal(d.missing_blocks + d.bad_blocks, 0);
	trace_reader_close(r);
	free(both);
	free(data);
	fixture_free(&f);
}

static void test_damage_blocks_without_payload_are_survived(void **state)
{
	struct kmt_block heads[] = {{.type = KMT_CLASSES},
				    {.type = KMT_STRINGS, .first_id = 1},
				    {.type = KMT_EVENTS, .cpu = 0, .count = 3},
				    {.type = KMT_TEXT},
				    {.type = KMT_PAGES}};
	struct block_packer *p = block_packer_new(1);
	struct trace_damage d;
	struct fixture f;
	const void *data;

	(void)state;
	fixture_start(&f, 1);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		size_t bytes = block_pack(p, &heads[i], NULL, 0, &data);

		assert_int_equal(write(f.fd, data, bytes), bytes);
	}
	fixture_event(&f, 0, KMT_KFREE, 9, 1);
	fixture_finish(&f);

	struct trace_reader *r = fixture_open(&f);

	assert_int_equal(use_all(r, &f), 1);
	trace_reader_damage(r, &d);
	assert_int_equal(d.bad_blocks, 3); /* EVENTS, TEXT and PAGES cannot be empty */
	trace_reader_close(r);
	block_packer_free(p);
	fixture_free(&f);
}

/* A STRINGS block of @count strings, each @length times 'x', from @first. */
static void put_strings(struct fixture *f, uint64_t first, uint32_t count, size_t length)
{
	struct kmt_block head = {.type = KMT_STRINGS, .first_id = first, .count = count};
	uint8_t *payload = malloc(count * (length + VARINT_MAX_BYTES)), *to = payload;

	assert_non_null(payload);
	for (uint32_t i = 0; i < count; i++) {
		to = varint_put(to, length);
		memset(to, 'x', length);
		to += length;
	}
	fixture_block(f, head, payload, (size_t)(to - payload));
	free(payload);
}

static void test_damage_strings_beyond_their_limits_are_refused(void **state)
{
	enum { MANY = 4000 };
	uint64_t first = 100;
	struct trace_damage d;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1);
	fixture_event(&f, 0, KMT_KFREE, 9, 1);
	fixture_finish(&f);
	put_strings(&f, first, 1, KMT_STRING_MAX_BYTES);
	put_strings(&f, first + 1, 1, KMT_STRING_MAX_BYTES + 1);
	put_strings(&f, first, 1, 3); /* once more */
	put_strings(&f, 1, 1, 3);
	for (int i = 0; i < 4; i++) /* 64 MB, a little under the limit of 64 MiB */
		put_strings(&f, first + 1 + (uint64_t)i * MANY, MANY, KMT_STRING_MAX_BYTES);
	put_strings(&f, first + 1 + 4 * MANY, MANY, KMT_STRING_MAX_BYTES);
	/* Numbers are believed by the file's size. */
	assert_int_equal(ftruncate(f.fd, lseek(f.fd, 0, SEEK_END) + 4096), 0);

	struct trace_reader *r = fixture_open(&f);

	trace_reader_damage(r, &d);
	assert_int_equal(d.bad_blocks, 4);
	assert_int_equal(strlen(trace_reader_string(r, 100)), KMT_STRING_MAX_BYTES);
	assert_int_equal(strlen(trace_reader_string(r, 101 + 4 * MANY - 1)), KMT_STRING_MAX_BYTES);
	assert_string_equal(trace_reader_string(r, 101 + 4 * MANY), "");
	assert_string_not_equal(trace_reader_string(r, 1), "xxx");
	trace_reader_close(r);
	fixture_free(&f);
}

/* A STACKS block of @count stacks of @frames frames each, from @first. */
static void put_stacks(struct fixture *f, uint64_t first, uint32_t count, unsigned int frames)
{
	struct kmt_block head = {.type = KMT_STACKS, .first_id = first, .count = count};
	uint8_t *payload = malloc(count * ((size_t)frames + 2)), *to = payload;

	assert_non_null(payload);
	for (uint32_t i = 0; i < count; i++) {
		to = varint_put(to, frames);
		memset(to, 1, frames);
		to += frames;
	}
	fixture_block(f, head, payload, (size_t)(to - payload));
	free(payload);
}

static void test_damage_stacks_beyond_their_limits_are_refused(void **state)
{
	enum { MANY = KMT_FRAMES_MAX / KMT_STACK_FRAMES };
	const uint32_t *frames;
	struct trace_damage d;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1);
	fixture_event(&f, 0, KMT_KFREE, 9, 1);
	fixture_finish(&f);
	put_stacks(&f, 1, 2, 3);
	put_stacks(&f, 2, 1, 4); /* once more */
	for (uint32_t i = 0; i < 2; i++)
		put_stacks(&f, 3 + i * (MANY / 2 - 3), MANY / 2 - 3, KMT_STACK_FRAMES);
	put_stacks(&f, 3 + MANY - 6, 16, KMT_STACK_FRAMES);
	assert_int_equal(ftruncate(f.fd, lseek(f.fd, 0, SEEK_END) + 4096), 0);

	struct trace_reader *r = fixture_open(&f);

	trace_reader_damage(r, &d);
	assert_int_equal(d.bad_blocks, 2);
	assert_int_equal(trace_reader_stack(r, 2, &frames), 3);
	trace_reader_close(r);
	fixture_free(&f);
}

static void test_damage_foreign_files_are_named(void **state)
{
	static const struct {
		const char *data;
		size_t bytes;
		int error;
		const char *words;
	} cases[] = {
		{"", 0, ENOMSG, "'copy' is empty"},
		{"\177ELF\2\1\1", 7, ENOMSG, "is not a kmemlab trace"},
		{"{\n \"schema\"", 11, ENOMSG, "is JSON, no kmemlab trace; a replay's result"},
		{"KM", 2, EBADMSG, "no intact header"},
		{"KMT1 and no more", 16, EBADMSG, "no intact header"},
		{"K", 1, EBADMSG, "no intact header"},
	};
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(open_bytes(cases[i].data, cases[i].bytes, error));
		assert_int_equal(errno, cases[i].error);
		assert_non_null(strstr(error, cases[i].words));
		assert_null(strchr(error, '\n'));
	}
	assert_null(trace_reader_open("/nonexistent/x.kmt", error));
	assert_int_equal(errno, ENOENT);
	assert_null(trace_reader_open("/", error));
	assert_int_equal(errno, EISDIR);
}

static void test_damage_newer_version_is_refused(void **state)
{
	struct block_packer *p = block_packer_new(1);
	struct kmt_block head = {.type = KMT_HEADER};
	const void *data;
	uint8_t copy[256];
	char error[256];
	size_t bytes = block_pack(p, &head, NULL, 0, &data);

	(void)state;
	assert_int_equal(bytes, sizeof(head));
	memcpy(copy, data, bytes);
	((struct kmt_block *)copy)->version = KMT_VERSION + 1;
	assert_null(open_bytes(copy, bytes, error));
	assert_int_equal(errno, EBADMSG); /* the checksum is wrong */
	head.version = KMT_VERSION + 1;
	bytes = block_pack(p, &head, NULL, 0, &data);
	assert_null(open_bytes(data, bytes, error));
	assert_int_equal(errno, EPROTO);
	block_packer_free(p);
}

/* A later writer's blocks of types that this reader does not know. */
static void test_damage_unknown_blocks_are_skipped_without_a_word(void **state)
{
	struct trace_reader *r;
	struct kmt_block head;
	struct fixture f;
	size_t bytes;
	char error[256];

	(void)state;
	make_small(&f);

	uint8_t *data = fixture_bytes(&f, &bytes),
		*at = data + find_block(data, bytes, KMT_TEXT, 0);

	memcpy(&head, at, sizeof(head));
	head.type = 999;
	block_seal(&head);
	memcpy(at, &head, sizeof(head));
	r = open_bytes(data, bytes, error);
	if (!r)
		fail_msg("%s", error);
	assert_int_equal(trace_reader_texts(r), 0);
	assert_int_equal(use_all(r, &f), f.n);
	assert_false(any_damage(r));
	trace_reader_close(r);
	free(data);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_every_truncation_keeps_a_prefix),
		cmocka_unit_test(test_damage_every_bit_flip_is_detected),
		cmocka_unit_test(test_damage_costs_only_the_block_it_touches),
		cmocka_unit_test(test_damage_lost_dictionary_counts_its_events),
		cmocka_unit_test(test_damage_stacks_beyond_their_limits_are_refused),
		cmocka_unit_test(test_damage_garbage_between_blocks_is_skipped),
		cmocka_unit_test(test_damage_blocks_without_payload_are_survived),
		cmocka_unit_test(test_damage_strings_beyond_their_limits_are_refused),
		cmocka_unit_test(test_damage_foreign_files_are_named),
		cmocka_unit_test(test_damage_newer_version_is_refused),
		cmocka_unit_test(test_damage_unknown_blocks_are_skipped_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
