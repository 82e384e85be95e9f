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
	uint8_t kind;
};

struct encoder {
	uint8_t *buffer[COL_COUNT];
	uint8_t *at[COL_COUNT];
	size_t events_max; /* the buffers hold */
	struct place *places;
	size_t places_n;
	uint32_t *used; /* class numbers in the table's order */
	uint32_t used_n;
	uint32_t lengths[COL_COUNT];
	uint32_t counts[KMT_KINDS];
	struct history history[GROUPS];
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

static bool classes_exist(const struct trace_raw *events, size_t n, const struct intern *classes)
{
	uint32_t top = 0;

	for (size_t i = 0; i < n; i++)
		top = events[i].class_id > top ? events[i].class_id : top;
	return top < classes->count;
}

/* Forget the last block. */
static void reset(struct encoder *e)
{
	for (uint32_t i = 0; i < e->used_n; i++)
		memset(&e->places[e->used[i]], 0, sizeof(*e->places));
	e->used_n = 0;
	memset(e->counts, 0, sizeof(e->counts));
	memset(e->seen, 0, sizeof(e->seen));
	for (int g = 0; g < GROUPS; g++)
		e->history[g].count = 0;
	for (int c = 0; c < COL_COUNT; c++)
		e->at[c] = e->buffer[c];
}

static void add_class(struct encoder *e, struct place *place, uint32_t id, uint8_t kind)
{
	e->used[e->used_n++] = id;
	place->index1 = e->used_n;
	place->kind = kind;
	e->at[COL_TABLE] = varint_put(e->at[COL_TABLE], id);
	*e->at[COL_TABLE]++ = kind;
}

static inline uint32_t hash(uint64_t address)
{
	return (uint32_t)((address * 0x9e3779b97f4a7c15ull) >> (64 - SEEN_BITS));
}

static inline void put_address(struct encoder *e, struct place *place, uint64_t address)
{
	unsigned int group = group_of(place->kind);
	struct history *h = &e->history[group];
	struct prediction *p = &place->p;
	uint32_t *seen = &e->seen[group][hash(address)];
	uint64_t distance = h->count - *seen;

	/* seen = 0 means never: a count of 0 is before the first address. */
	if (*seen && distance < KMT_HISTORY && history_at(h, distance + 1) == address) {
		int64_t change = (int64_t)(distance + 1) - p->distance;

		e->at[COL_ADDRESS] = varint_put(e->at[COL_ADDRESS], zigzag(change) + 1);
		p->distance = (int64_t)(distance + 1);
	} else {
		uint64_t from = p->seen ? p->last : history_newest(h);

		*e->at[COL_ADDRESS]++ = 0;
		e->at[COL_LITERAL] =
			varint_put(e->at[COL_LITERAL], zigzag((int64_t)(address - from)));
	}
	p->seen = true;
	p->last = address;
	history_add(h, address);
	*seen = (uint32_t)h->count;
}

static inline void put_event(struct encoder *e, const struct trace_raw *event, uint64_t dt,
			     const struct kmt_class *classes)
{
	struct place *place = &e->places[event->class_id];

	if (!place->index1)
		add_class(e, place, event->class_id, classes[event->class_id].kind);
	e->counts[place->kind % KMT_KINDS]++;
	e->at[COL_CLASS] = varint_put(e->at[COL_CLASS], place->index1 - 1);
	*e->at[COL_TIME_LOW]++ = (uint8_t)dt;
	e->at[COL_TIME_HIGH] = varint_put(e->at[COL_TIME_HIGH], dt >> 8);
	if (place->kind != KMT_TASK)
		put_address(e, place, event->address);
}

int encoder_run(struct encoder *e, const struct trace_raw *events, size_t n,
		const struct intern *classes, struct block_part *parts)
{
	uint64_t time = n ? events[0].time_ns : 0;

	if (!classes_exist(events, n, classes))
		return -EINVAL;
	if (reserve_events(e, n) || reserve_places(e, classes->count))
		return -ENOMEM;
	reset(e);
	for (size_t i = 0; i < n; i++) {
		put_event(e, &events[i], events[i].time_ns - time, (const void *)classes->bytes);
		time = events[i].time_ns;
	}
	parts[0] = (struct block_part){e->lengths, sizeof(e->lengths)};
	for (int c = 0; c < COL_COUNT; c++) {
		e->lengths[c] = (uint32_t)(e->at[c] - e->buffer[c]);
		parts[c + 1] = (struct block_part){e->buffer[c], e->lengths[c]};
	}
	return 0;
}
