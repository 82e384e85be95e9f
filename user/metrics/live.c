/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.c - the table of live objects. At most 3/4 full. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/live.h"

#define EMPTY UINT64_MAX

enum { FIRST_SLOTS = 1 << 16 };

/* Objects of one cache are a stride apart: multiply, then take the high bits. */
static size_t slot_of(const struct live *l, uint64_t key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 20) & l->mask;
}

static int make(struct live *l, size_t slots)
{
	l->keys = malloc(slots * sizeof(*l->keys));
	l->values = malloc(slots * sizeof(*l->values));
	l->mask = slots - 1;
	l->used = 0;
	if (!l->keys || !l->values) {
		live_destroy(l);
		return -ENOMEM;
	}
	memset(l->keys, 0xff, slots * sizeof(*l->keys));
	return 0;
}

int live_init(struct live *l)
{
	return make(l, FIRST_SLOTS);
}

void live_destroy(struct live *l)
{
	free(l->keys);
	free(l->values);
	memset(l, 0, sizeof(*l));
}

static size_t find(const struct live *l, uint64_t key)
{
	size_t i = slot_of(l, key);

	while (l->keys[i] != key && l->keys[i] != EMPTY)
		i = (i + 1) & l->mask;
	return i;
}

static int grow(struct live *l)
{
	struct live bigger;
	int err = make(&bigger, (l->mask + 1) * 2);

	if (err)
		return err;
	for (size_t i = 0; i <= l->mask; i++) {
		size_t to;

		if (l->keys[i] == EMPTY)
			continue;
		to = find(&bigger, l->keys[i]);
		bigger.keys[to] = l->keys[i];
		bigger.values[to] = l->values[i];
	}
	bigger.used = l->used;
	live_destroy(l);
	*l = bigger;
	return 0;
}

int live_put(struct live *l, uint64_t key, uint32_t value, uint32_t *old)
{
	size_t i = find(l, key);

	*old = LIVE_NONE;
	if (key == EMPTY)
		return 0;
	if (l->keys[i] == key) {
		*old = l->values[i];
		l->values[i] = value;
		return 0;
	}
	if ((l->used + 1) * 4 > (l->mask + 1) * 3) {
		int err = grow(l);

		if (err)
			return err;
		i = find(l, key);
	}
	l->keys[i] = key;
	l->values[i] = value;
	l->used++;
	return 0;
}

uint32_t live_find(const struct live *l, uint64_t key)
{
	size_t i = find(l, key);

	return l->keys[i] == key && key != EMPTY ? l->values[i] : LIVE_NONE;
}

/* Close the gap at @i with later entries that probing would not reach past it. */
static void close_gap(struct live *l, size_t i)
{
	size_t next = i;

	for (;;) {
		size_t home;

		next = (next + 1) & l->mask;
		if (l->keys[next] == EMPTY)
			break;
		home = slot_of(l, l->keys[next]);
		if (((next - home) & l->mask) < ((next - i) & l->mask))
			continue;
		l->keys[i] = l->keys[next];
		l->values[i] = l->values[next];
		i = next;
	}
	l->keys[i] = EMPTY;
}

uint32_t live_take(struct live *l, uint64_t key)
{
	size_t i = find(l, key);
	uint32_t value;

	if (key == EMPTY || l->keys[i] != key)
		return LIVE_NONE;
	value = l->values[i];
	close_gap(l, i);
	l->used--;
	return value;
}
