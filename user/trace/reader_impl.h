/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader_impl.h - what the reader's files share. */
#ifndef KMEMLAB_READER_IMPL_H
#define KMEMLAB_READER_IMPL_H

#include "trace/block.h"
#include "trace/columns.h"
#include "trace/trace_io.h"

/* A block whose payload is loaded when asked for. */
struct noted {
	struct kmt_block head;
	uint64_t offset; /* of the payload */
};

struct noted_list {
	struct noted *at;
	size_t n, max;
};

/* Frames of a stack, in dictionary.frame. */
struct stack_place {
	uint32_t first, n;
};

/* Strings, stacks and classes by number. */
struct dictionary {
	char **string; /* NULL: undefined; the text is in some arena */
	uint32_t strings_n;
	struct kmt_class *class; /* kind KMT_KINDS: undefined */
	uint32_t classes_n;
	struct stack_place *stack; /* no frames: undefined */
	uint32_t stacks_n;
	uint32_t *frame; /* strings */
	uint32_t frames_n, frames_max;
	char **arena;
	size_t arenas_n, arenas_max;
	size_t strings_bytes; /* of all arenas */
};

#define BLOCK_KNOWN_BAD (1ull << 63)

/* One CPU's EVENTS blocks: file offsets of their heads, with BLOCK_KNOWN_BAD. */
struct chain {
	uint64_t *block;
	size_t n, max;
};

struct cursor;

/* A cursor and when its next event is. */
struct turn {
	uint64_t time_ns;
	struct cursor *cursor;
};

/* The merge of all CPUs: a heap of turns, the earliest first. */
struct merge {
	struct cursor **cursor; /* by CPU; NULL where there are no events */
	struct turn *heap;
	unsigned int n;
	uint64_t raw_bytes; /* of all cursors' decompressed blocks */
	uint64_t undefined;
	bool started;
	int err;
};

struct trace_reader {
	int fd;
	uint64_t bytes; /* of the file */
	struct block_unpacker *unpacker;
	char *header, *account; /* JSON */
	struct dictionary dictionary;
	struct noted_list texts, pages;
	struct chain *chain; /* by CPU */
	unsigned int cpus;
	uint64_t events, event_bytes;
	uint64_t first_ns, last_ns;
	uint64_t next_seq;
	uint64_t lost_ring, lost_recursion, lost_write;
	struct trace_damage damage;
	struct merge merge;
};

/** scan_file() - walk all blocks; 0 or -errno, damage is counted */
int scan_file(struct trace_reader *r);

/** reader_payload() - load, check and NUL-terminate a payload; free() it */
int reader_payload(struct trace_reader *r, const struct kmt_block *head, uint64_t offset,
		   uint8_t **raw);

/** dictionary_strings() - take in a STRINGS payload; -EBADMSG, and none is taken, if it is
 *  malformed, defines one anew or goes beyond the limits of trace.h */
int dictionary_strings(struct dictionary *d, const struct kmt_block *head, const uint8_t *raw);
/** dictionary_stacks() - take in a STACKS payload; -EBADMSG if malformed */
int dictionary_stacks(struct dictionary *d, const struct kmt_block *head, const uint8_t *raw);
/** dictionary_classes() - take in a CLASSES payload; -EBADMSG if malformed, or if it
 *  holds impossible classes: these stay undefined, the others are taken */
int dictionary_classes(struct dictionary *d, const struct kmt_block *head, const uint8_t *raw);
void dictionary_free(struct dictionary *d);

/** merge_free() - forget all cursors; the next read starts afresh */
void merge_free(struct trace_reader *r);

#endif
