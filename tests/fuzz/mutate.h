/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mutate.h - a mutator for traces.
 *
 * Checksums would stop almost every mutation, so they are put right after it:
 * block by block, the head and payload checksums are recomputed where the
 * mutated bytes still look like a block. Without that only the search for
 * blocks would be tested. The seeds hold uncompressed zstd blocks, so that a
 * mutated byte is a mutated column.
 */
#ifndef KMEMLAB_FUZZ_MUTATE_H
#define KMEMLAB_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <kmemlab/trace.h>

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

static void fix_checksums(uint8_t *data, size_t size)
{
	struct kmt_block head;

	for (size_t at = 0; at + sizeof(head) <= size; at += sizeof(head) + head.stored_bytes) {
		memcpy(&head, data + at, sizeof(head));
		if (head.stored_bytes > size - at - sizeof(head))
			head.stored_bytes = (uint32_t)(size - at - sizeof(head));
		head.magic = KMT_MAGIC;
		head.payload_checksum = XXH3_64bits(data + at + sizeof(head), head.stored_bytes);
		head.head_checksum = XXH3_64bits(&head, offsetof(struct kmt_block, head_checksum));
		memcpy(data + at, &head, sizeof(head));
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max);
	if (seed % 8)
		fix_checksums(data, size);
	return size;
}

#endif
