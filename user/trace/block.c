/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * block.c - one block: head, checksums, compression.
 *
 * Each part becomes a zstd frame of its own: columns differ so much in their
 * statistics that sharing entropy tables costs more than a frame's few bytes.
 * Small payloads are one frame. A part next to noise is a frame of raw blocks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_c_literalCompressionMode */
#include <zstd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "trace/block.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the trace format is little-endian, and so must the machine be"
#endif

enum {
	SMALL_PAYLOAD = 4096,
	FAST_LEVEL = -30,
	/* RFC 8878, 3.1.1: a frame with its size in four bytes and one segment. */
	FRAME_HEAD_BYTES = 9,
	FRAME_DESCRIPTOR = 2 << 6 | 1 << 5,
	RAW_HEAD_BYTES = 3,
	RAW_LAST = 1,
	RAW_SIZE_SHIFT = 3, /* a type of 0, "raw", between */
};

struct block_packer {
	ZSTD_CCtx *zstd;
	ZSTD_CCtx *fast;
	uint8_t *out;
	size_t out_max;
};

struct block_unpacker {
	ZSTD_DCtx *zstd;
	uint8_t *in;
	size_t in_max;
};

struct block_packer *block_packer_new(int level)
{
	struct block_packer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->zstd = ZSTD_createCCtx();
	p->fast = ZSTD_createCCtx();
	if (!p->zstd || !p->fast) {
		block_packer_free(p);
		errno = ENOMEM;
		return NULL;
	}
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(p->fast, ZSTD_c_compressionLevel, FAST_LEVEL);
	/* A library that does not know this leaves literals as they are, as such levels do. */
	ZSTD_CCtx_setParameter(p->fast, ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
	return p;
}

void block_packer_free(struct block_packer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->zstd);
	ZSTD_freeCCtx(p->fast);
	free(p->out);
	free(p);
}

static int reserve(uint8_t **buffer, size_t *max, size_t bytes)
{
	uint8_t *bigger;

	if (bytes <= *max)
		return 0;
	bigger = realloc(*buffer, bytes);
	if (!bigger)
		return -ENOMEM;
	*buffer = bigger;
	*max = bytes;
	return 0;
}

/* @part as it is, in a frame at @to; the frame's bytes. */
static size_t store_part(uint8_t *to, const struct block_part *part)
{
	const uint32_t magic = ZSTD_MAGICNUMBER, bytes = (uint32_t)part->bytes;
	const uint8_t *from = part->data;
	uint8_t *next = to + FRAME_HEAD_BYTES;

	memcpy(to, &magic, sizeof(magic));
	to[sizeof(magic)] = FRAME_DESCRIPTOR;
	memcpy(to + sizeof(magic) + 1, &bytes, sizeof(bytes));
	for (uint32_t done = 0; done < bytes;) {
		uint32_t left = bytes - done;
		uint32_t n = left < ZSTD_BLOCKSIZE_MAX ? left : ZSTD_BLOCKSIZE_MAX;
		uint32_t head = n << RAW_SIZE_SHIFT | (n == left ? RAW_LAST : 0);

		memcpy(next, &head, RAW_HEAD_BYTES);
		memcpy(next + RAW_HEAD_BYTES, from + done, n);
		next += RAW_HEAD_BYTES + n;
		done += n;
	}
	return (size_t)(next - to);
}

/* Compress @part, which is not empty, behind @at bytes of output; the new end, or 0. */
static size_t pack_part(struct block_packer *p, size_t at, const struct block_part *part)
{
	ZSTD_CCtx *zstd = part->effort == EFFORT_FAST ? p->fast : p->zstd;
	size_t n;

	if (part->effort == EFFORT_NONE)
		return at + store_part(p->out + at, part);
	n = ZSTD_compress2(zstd, p->out + at, p->out_max - at, part->data, part->bytes);
	if (ZSTD_isError(n)) {
		errno = ENOMEM;
		return 0;
	}
	return at + n;
}

static size_t pack_parts(struct block_packer *p, const struct block_part *parts, size_t n)
{
	size_t at = sizeof(struct kmt_block);

	for (size_t i = 0; at && i < n; i++)
		if (parts[i].bytes)
			at = pack_part(p, at, &parts[i]);
	return at;
}

static size_t pack_joined(struct block_packer *p, const struct block_part *parts, size_t n)
{
	uint8_t joined[SMALL_PAYLOAD];
	struct block_part whole = {.data = joined};

	for (size_t i = 0; i < n; i++) {
		if (parts[i].bytes)
			memcpy(joined + whole.bytes, parts[i].data, parts[i].bytes);
		whole.bytes += parts[i].bytes;
	}
	return pack_parts(p, &whole, 1);
}

static uint64_t head_checksum(const struct kmt_block *head)
{
	return XXH3_64bits(head, offsetof(struct kmt_block, head_checksum));
}

void block_seal(struct kmt_block *head)
{
	head->head_checksum = head_checksum(head);
}

size_t block_pack(struct block_packer *p, struct kmt_block *head, const struct block_part *parts,
		  size_t n, const void **data)
{
	size_t raw = 0, bound = sizeof(*head), end;

	for (size_t i = 0; i < n; i++) {
		raw += parts[i].bytes;
		bound += ZSTD_compressBound(parts[i].bytes);
	}
	errno = raw > KMT_BLOCK_MAX_BYTES ? E2BIG : ENOMEM;
	if (raw > KMT_BLOCK_MAX_BYTES || reserve(&p->out, &p->out_max, bound + SMALL_PAYLOAD))
		return 0;
	end = raw <= SMALL_PAYLOAD ? pack_joined(p, parts, n) : pack_parts(p, parts, n);
	if (!end)
		return 0;
	head->magic = KMT_MAGIC;
	head->version = head->version ? head->version : KMT_VERSION;
	head->raw_bytes = (uint32_t)raw;
	head->stored_bytes = (uint32_t)(end - sizeof(*head));
	head->payload_checksum = XXH3_64bits(p->out + sizeof(*head), head->stored_bytes);
	block_seal(head);
	memcpy(p->out, head, sizeof(*head));
	*data = p->out;
	return end;
}

bool block_head_ok(const struct kmt_block *head)
{
	return head->magic == KMT_MAGIC && head->raw_bytes <= KMT_BLOCK_MAX_BYTES &&
	       head->stored_bytes <= 2 * KMT_BLOCK_MAX_BYTES &&
	       head->head_checksum == head_checksum(head);
}

struct block_unpacker *block_unpacker_new(void)
{
	struct block_unpacker *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->zstd = ZSTD_createDCtx();
	if (!u->zstd) {
		free(u);
		errno = ENOMEM;
		return NULL;
	}
	return u;
}

void block_unpacker_free(struct block_unpacker *u)
{
	if (!u)
		return;
	ZSTD_freeDCtx(u->zstd);
	free(u->in);
	free(u);
}

long block_pread(int fd, void *to, size_t bytes, uint64_t offset)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pread(fd, (char *)to + done, bytes - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (long)done;
}

int block_unpack(struct block_unpacker *u, int fd, uint64_t offset, const struct kmt_block *head,
		 void *raw)
{
	size_t stored = head->stored_bytes;
	long n;

	if (reserve(&u->in, &u->in_max, stored ? stored : 1))
		return -ENOMEM;
	n = block_pread(fd, u->in, stored, offset);
	if (n < 0)
		return (int)n;
	if ((size_t)n != stored || head->payload_checksum != XXH3_64bits(u->in, stored))
		return -EBADMSG;
	if (ZSTD_decompressDCtx(u->zstd, raw, head->raw_bytes, u->in, stored) != head->raw_bytes)
		return -EBADMSG;
	return 0;
}
