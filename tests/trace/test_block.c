/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_block.c - payloads of parts, packed with each effort, unpacked as one. */
#include "../support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/block.h"

enum { PART_MAX = 300001 };

static uint8_t noise[PART_MAX];

static void make_noise(void)
{
	uint64_t x = 88172645463325252ull;

	for (size_t i = 0; i < sizeof(noise); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		noise[i] = (uint8_t)x;
	}
}

/* Pack, write, read and unpack @parts into @raw; bytes in the file. */
static size_t through_a_file(const struct block_part *parts, size_t n, uint8_t *raw,
			     struct kmt_block *head)
{
	struct block_packer *p = block_packer_new(1);
	struct block_unpacker *u = block_unpacker_new();
	int fd = memfd_create("block", MFD_CLOEXEC);
	const void *data;
	size_t bytes;

	*head = (struct kmt_block){.type = KMT_EVENTS};
	bytes = block_pack(p, head, parts, n, &data);
	assert_true(bytes > sizeof(*head));
	assert_int_equal(write(fd, data, bytes), bytes);
	assert_true(block_head_ok(head));
	assert_int_equal(block_unpack(u, fd, sizeof(*head), head, raw), 0);
	close(fd);
	block_unpacker_free(u);
	block_packer_free(p);
	return bytes;
}

static void test_block_stored_part_comes_back_whatever_its_size(void **state)
{
	static const size_t sizes[] = {4097, 131071, 131072, 131073, 262144, PART_MAX};
	uint8_t *raw = malloc(PART_MAX);

	(void)state;
	make_noise();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct block_part part = {noise, sizes[i], EFFORT_NONE};
		struct kmt_block head;
		size_t bytes = through_a_file(&part, 1, raw, &head);

		assert_int_equal(head.raw_bytes, sizes[i]);
		assert_memory_equal(raw, noise, sizes[i]);
		assert_true(bytes <= sizeof(head) + sizes[i] + 18);
	}
	free(raw);
}

static void test_block_parts_of_every_effort_come_back_in_order(void **state)
{
	static uint8_t zeros[PART_MAX];
	struct block_part parts[] = {{noise, 5000, EFFORT_NONE}, {zeros, PART_MAX, EFFORT_FAST},
				     {noise, 0, EFFORT_NONE},	 {noise, PART_MAX, EFFORT_FAST},
				     {zeros, 7, EFFORT_NONE},	 {zeros, PART_MAX, EFFORT_USUAL}};
	uint8_t *raw = malloc(4 * PART_MAX);
	struct kmt_block head;
	size_t at = 0, bytes;

	(void)state;
	make_noise();
	bytes = through_a_file(parts, sizeof(parts) / sizeof(parts[0]), raw, &head);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		assert_memory_equal(raw + at, parts[i].data, parts[i].bytes);
		at += parts[i].bytes;
	}
	assert_int_equal(head.raw_bytes, at);
	assert_true(bytes < 5000 + PART_MAX + 5000);
	free(raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_stored_part_comes_back_whatever_its_size),
		cmocka_unit_test(test_block_parts_of_every_effort_come_back_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
