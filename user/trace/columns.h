/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * columns.h - the EVENTS payload of include/kmemlab/trace.h: events to columns
 * and back.
 */
#ifndef KMEMLAB_COLUMNS_H
#define KMEMLAB_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/block.h"
#include "trace/intern.h"
#include "trace/trace_io.h"

enum columns_part {
	COL_TABLE = 0,
	COL_CLASS,
	COL_TIME_LOW,
	COL_TIME_HIGH,
	COL_ADDRESS,
	COL_LITERAL,
	COL_COUNT,
};

enum columns_groups {
	GROUP_PAGES = 0,
	GROUP_OBJECTS = 1,
	GROUPS = 2,
};

/* The last KMT_HISTORY addresses of one group. */
struct history {
	uint64_t address[KMT_HISTORY];
	uint64_t count;
};

/* What prediction knows about a class. */
struct prediction {
	uint64_t last;
	int64_t distance;
	bool seen;
};

static inline unsigned int group_of(uint8_t kind)
{
	bool page = kind <= KMT_PCPU_DRAIN || (kind >= KMT_MEDIUM_KINDS && kind < KMT_OBJECT_KINDS);

	return page ? GROUP_PAGES : GROUP_OBJECTS;
}

static inline void history_add(struct history *h, uint64_t address)
{
	h->address[h->count++ % KMT_HISTORY] = address;
}

/* The address that entered @distance events ago; 1 is the newest. */
static inline uint64_t history_at(const struct history *h, uint64_t distance)
{
	return h->address[(h->count - distance) % KMT_HISTORY];
}

static inline uint64_t history_newest(const struct history *h)
{
	return h->count ? history_at(h, 1) : 0;
}

/* ---- Encoding ---------------------------------------------------------- */

struct encoder;

struct encoder *encoder_new(void);
void encoder_free(struct encoder *e);

/**
 * encoder_run() - encode one block's events
 * @classes: of struct kmt_class
 * @parts: COL_COUNT + 1 of them: the lengths, then the columns; they point into
 * the encoder and are valid until the next call
 * Return: 0; -ENOMEM; -EINVAL when an event's class is none of @classes.
 */
int encoder_run(struct encoder *e, const struct trace_raw *events, size_t n,
		const struct intern *classes, struct block_part *parts);

/** encoder_counts() - KMT_KINDS counters: events by kind of the last block */
const uint32_t *encoder_counts(const struct encoder *e);

/* ---- Decoding ---------------------------------------------------------- */

/* A class of the block being decoded. */
struct decoder_class {
	struct prediction p;
	uint32_t id;
	uint8_t kind;
	uint8_t order;
	bool defined; /* in CLASSES, with the same kind */
};

/* One column being read. */
struct column {
	const uint8_t *at, *end;
};

struct decoder {
	struct column column[COL_COUNT];
	struct decoder_class *classes;
	uint32_t classes_n, classes_max;
	uint32_t left; /* events not yet decoded */
	uint16_t cpu;
	uint64_t time_ns;
	uint64_t undefined; /* events left out for want of their class; the caller resets */
	struct history history[GROUPS];
};

/**
 * decoder_start() - begin a block
 * @raw: its payload, which must stay
 * @defined: finds a class by number, NULL if there is none
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int decoder_start(struct decoder *d, const struct kmt_block *head, const uint8_t *raw,
		  const struct trace_reader *defined);

/**
 * decoder_run() - decode up to @max events
 * Events of undefined classes are counted and left out.
 * Return: number stored; 0 when the block is done; -EBADMSG.
 */
long decoder_run(struct decoder *d, struct trace_event *out, size_t max);

void decoder_free(struct decoder *d);

#endif
