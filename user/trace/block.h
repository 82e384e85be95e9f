/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* block.h - one block: head, checksums, compression. Knows no content. */
#ifndef KMEMLAB_BLOCK_H
#define KMEMLAB_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/trace.h>

/* What a part is worth. */
enum block_effort {
	EFFORT_USUAL = 0, /* the packer's level */
	EFFORT_FAST,	  /* runs and frequent bytes: less than half the time, a fourth larger */
	EFFORT_NONE,	  /* next to noise: stored as it is */
};

/* A part of a payload that is best compressed by itself. */
struct block_part {
	const void *data;
	size_t bytes;
	enum block_effort effort;
};

struct block_packer;
struct block_unpacker;

struct block_packer *block_packer_new(int level);
void block_packer_free(struct block_packer *p);

/**
 * block_pack() - make a block
 * @head: all but sizes and checksums is the caller's; they are filled in
 * @data: where the bytes for the file start; valid until the next call
 * Return: their number, 0 with errno set on failure (E2BIG: payload too large).
 */
size_t block_pack(struct block_packer *p, struct kmt_block *head, const struct block_part *parts,
		  size_t n, const void **data);

/** block_seal() - make the head's checksum right again */
void block_seal(struct kmt_block *head);

/** block_head_ok() - magic, limits and head checksum */
bool block_head_ok(const struct kmt_block *head);

struct block_unpacker *block_unpacker_new(void);
void block_unpacker_free(struct block_unpacker *u);

/**
 * block_unpack() - read a payload at @offset, check and decompress it
 * @raw: room for head->raw_bytes
 * Return: 0; -EBADMSG if damaged; -errno of the read; -ENOMEM.
 */
int block_unpack(struct block_unpacker *u, int fd, uint64_t offset, const struct kmt_block *head,
		 void *raw);

/** block_pread() - pread() until @bytes or the end; number read or -errno */
long block_pread(int fd, void *to, size_t bytes, uint64_t offset);

#endif
