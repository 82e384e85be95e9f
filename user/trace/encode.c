/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * encode.c - events to columns.
 *
 * Addresses are looked up in a direct-mapped hash of history positions; an
 * entry that was overwritten or has left the history costs a literal, no more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/columns.h"
#include "trace/varint.h"

enum {
	SEEN_BITS = 13,
	TABLE_ENTRY_MAX = 6, /* varint of 32 bits and a kind */
	CLASS_MAX = 3,	     /* varint of a position below 2^16 */
};

/* A class's place in this block's table. */
struct place {
	struct prediction p;
	uint32_t index1; /* position + 1, 0 = not in this block */
	uint32_t events;
	uint8_t kind;
	uint8_t group; /* of addresses */
};

/* Where the columns' next bytes go. Held apart from the encoder: a store of a byte could change
 * any of its members, as far as a compiler knows, and these it can keep in registers. */
struct cursor {
	uint8_t *table, *class, *time_low, *time_high, *address, *literal;
};

struct encoder {
	uint8_t *buffer[COL_COUNT];
	size_t events_max; /* the buffers hold */
	struct place *places;
	size_t places_n;
	uint32_t *used; /* class numbers in the table's order */
	uint32_t used_n;
	uint32_t lengths[COL_COUNT];
	uint32_t counts[KMT_KINDS];
	/* These go on from block to block; @begin is the history's count where this one began. */
	struct history history[GROUPS];
	uint64_t begin[GROUPS];
	uint32_t seen[GROUPS][1 << SEEN_BITS]; /* address hash -> history count */
};

struct encoder *encoder_new(void)
{
	return calloc(1, sizeof(struct encoder));
}

void encoder_free(struct encoder *e)
{
	if (!e)
		return;
	for (int c = 0; c < COL_COUNT; c++)
		free(e->buffer[c]);
	free(e->places);
	free(e->used);
	free(e);
}

const uint32_t *encoder_counts(const struct encoder *e)
{
	return e->counts;
}

static int reserve_events(struct encoder *e, size_t n)
{
	static const uint8_t most[COL_COUNT] = {
		[COL_TABLE] = TABLE_ENTRY_MAX,
		[COL_CLASS] = CLASS_MAX,
		[COL_TIME_LOW] = 1,
		[COL_TIME_HIGH] = VARINT_MAX_BYTES,
		[COL_ADDRESS] = VARINT_MAX_BYTES,
		[COL_LITERAL] = VARINT_MAX_BYTES,
	};
	uint32_t *used;

	if (n <= e->events_max)
		return 0;
	for (int c = 0; c < COL_COUNT; c++) {
		uint8_t *bigger = realloc(e->buffer[c], n * most[c]);

		if (!bigger)
			return -ENOMEM;
		e->buffer[c] = bigger;
	}
	used = reallocarray(e->used, n, sizeof(*used));
	if (!used)
		return -ENOMEM;
	e->used = used;
	e->events_max = n;
	return 0;
}

static int reserve_places(struct encoder *e, uint32_t n)
{
	size_t max = (size_t)n + n / 2;
	struct place *bigger;

	if (n <= e->places_n)
		return 0;
	bigger = reallocarray(e->places, max, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	memset(bigger + e->places_n, 0, (max - e->places_n) * sizeof(*bigger));
	e->places = bigger;
	e->places_n = max;
	return 0;
}

/* Forget the last block. */
static void reset(struct encoder *e)
{
	for (uint32_t i = 0; i < e->used_n; i++)
		memset(&e->places[e->used[i]], 0, sizeof(*e->places));
	e->used_n = 0;
	memset(e->counts, 0, sizeof(e->counts));
	for (int g = 0; g < GROUPS; g++)
		e->begin[g] = e->history[g].count;
}

static inline void add_class(struct encoder *e, struct cursor *at, uint32_t id, uint8_t kind)
{
	struct place *place = &e->places[id];

	e->used[e->used_n++] = id;
	place->index1 = e->used_n;
	place->kind = kind;
	place->group = (uint8_t)group_of(kind);
	at->table = varint_put(at->table, id);
	*at->table++ = kind;
}

static inline uint32_t hash(uint64_t address)
{
	return (uint32_t)((address * 0x9e3779b97f4a7c15ull) >> (64 - SEEN_BITS));
}

/* How far back @address was last seen in this block, as @seen has it; 0: not, or too far. */
static inline uint64_t distance_of(const struct history *h, uint64_t begin, uint32_t seen,
				   uint64_t address)
{
	uint64_t distance = (uint32_t)((uint32_t)h->count - seen) + 1ull;

	/* An entry of earlier blocks may say anything: the history itself decides. */
	return distance <= KMT_HISTORY && distance <= h->count - begin &&
			       history_at(h, distance) == address
		       ? distance
		       : 0;
}

static inline void put_address(struct encoder *e, struct cursor *at, struct place *place,
			       uint64_t address)
{
	struct history *h = &e->history[place->group];
	uint64_t begin = e->begin[place->group];
	struct prediction *p = &place->p;
	uint32_t *seen = &e->seen[place->group][hash(address)];
	uint64_t distance = distance_of(h, begin, *seen, address);

	if (distance) {
		int64_t change = (int64_t)distance - p->distance;

		at->address = varint_put(at->address, zigzag(change) + 1);
		p->distance = (int64_t)distance;
	} else {
		uint64_t from = p->seen ? p->last : h->count > begin ? history_at(h, 1) : 0;

		*at->address++ = 0;
		at->literal = varint_put_long(at->literal, zigzag((int64_t)(address - from)));
	}
	p->seen = true;
	p->last = address;
	history_add(h, address);
	*seen = (uint32_t)h->count;
}

static inline void put_event(struct encoder *e, struct cursor *at, const struct trace_raw *event,
			     uint64_t dt, const struct kmt_class *classes)
{
	struct place *place = &e->places[event->class_id];

	if (__builtin_expect(!place->index1, 0))
		add_class(e, at, event->class_id, classes[event->class_id].kind);
	place->events++;
	at->class = varint_put(at->class, place->index1 - 1);
	*at->time_low++ = (uint8_t)dt;
	at->time_high = varint_put(at->time_high, dt >> 8);
	if (place->kind != KMT_TASK)
		put_address(e, at, place, event->address);
}

static void count_kinds(struct encoder *e)
{
	for (uint32_t i = 0; i < e->used_n; i++) {
		const struct place *place = &e->places[e->used[i]];

		e->counts[place->kind % KMT_KINDS] += place->events;
	}
}

static void tell_parts(struct encoder *e, const struct cursor *at, struct block_part *parts)
{
	const uint8_t *end[COL_COUNT] = {
		[COL_TABLE] = at->table,       [COL_CLASS] = at->class,
		[COL_TIME_LOW] = at->time_low, [COL_TIME_HIGH] = at->time_high,
		[COL_ADDRESS] = at->address,   [COL_LITERAL] = at->literal,
	};

	/* The low byte of a time and an address that was not foreseen are next to noise, the
	 * table is small. */
	static const enum block_effort effort[COL_COUNT] = {
		[COL_TABLE] = EFFORT_NONE,    [COL_CLASS] = EFFORT_FAST,
		[COL_TIME_LOW] = EFFORT_NONE, [COL_TIME_HIGH] = EFFORT_FAST,
		[COL_ADDRESS] = EFFORT_FAST,  [COL_LITERAL] = EFFORT_NONE,
	};

	parts[0] = (struct block_part){e->lengths, sizeof(e->lengths), EFFORT_NONE};
	for (int c = 0; c < COL_COUNT; c++) {
		e->lengths[c] = (uint32_t)(end[c] - e->buffer[c]);
		parts[c + 1] = (struct block_part){e->buffer[c], e->lengths[c], effort[c]};
	}
}

int encoder_run(struct encoder *e, const struct trace_raw *events, size_t n,
		const struct intern *classes, struct block_part *parts)
{
	uint64_t time = n ? events[0].time_ns : 0;
	struct cursor at;

	if (reserve_events(e, n) || reserve_places(e, classes->count))
		return -ENOMEM;
	reset(e);
	at = (struct cursor){
		.table = e->buffer[COL_TABLE],
		.class = e->buffer[COL_CLASS],
		.time_low = e->buffer[COL_TIME_LOW],
		.time_high = e->buffer[COL_TIME_HIGH],
		.address = e->buffer[COL_ADDRESS],
		.literal = e->buffer[COL_LITERAL],
	};
	for (size_t i = 0; i < n; i++) {
		if (__builtin_expect(events[i].class_id >= classes->count, 0))
			return -EINVAL;
		put_event(e, &at, &events[i], events[i].time_ns - time,
			  (const void *)classes->bytes);
		time = events[i].time_ns;
	}
	count_kinds(e);
	tell_parts(e, &at, parts);
	return 0;
}
