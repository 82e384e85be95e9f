/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* intern.c - append-only bytes behind an open-addressing hash of numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "trace/intern.h"

enum { FIRST_SLOTS = 256, SLOTS_MAX = 1 << 30 };

int intern_init(struct intern *t, uint32_t limit)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
	t->slots_n = FIRST_SLOTS;
	t->slots = calloc(t->slots_n, sizeof(*t->slots));
	return t->slots ? 0 : -ENOMEM;
}

void intern_free(struct intern *t)
{
	free(t->bytes);
	free(t->end);
	free(t->slots);
	memset(t, 0, sizeof(*t));
}

const void *intern_get(const struct intern *t, uint32_t id, size_t *bytes)
{
	size_t start = id ? t->end[id - 1] : 0;

	if (bytes)
		*bytes = t->end[id] - start;
	return t->bytes + start;
}

/* The slot that holds these bytes, or the empty one where they belong. */
static uint32_t *find(const struct intern *t, const void *data, size_t bytes)
{
	uint32_t i = (uint32_t)XXH3_64bits(data, bytes);

	for (;; i++) {
		uint32_t *slot = &t->slots[i & (t->slots_n - 1)];
		const void *entry;
		size_t length;

		if (!*slot)
			return slot;
		entry = intern_get(t, *slot - 1, &length);
		if (length == bytes && (!bytes || !memcmp(entry, data, bytes)))
			return slot;
	}
}

static int grow_slots(struct intern *t)
{
	uint32_t *old = t->slots, *bigger = NULL;

	if (t->slots_n && t->slots_n < SLOTS_MAX)
		bigger = calloc((size_t)t->slots_n * 2, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	t->slots = bigger;
	t->slots_n *= 2;
	for (uint32_t id = 0; id < t->count; id++) {
		size_t length;
		const void *entry = intern_get(t, id, &length);

		*find(t, entry, length) = id + 1;
	}
	free(old);
	return 0;
}

static int reserve(struct intern *t, size_t bytes)
{
	if (t->count == t->count_max) {
		uint32_t max = t->count_max ? t->count_max * 2 : 256;
		size_t *end = reallocarray(t->end, max, sizeof(*end));

		if (!end)
			return -ENOMEM;
		t->end = end;
		t->count_max = max;
	}
	if (t->bytes_max - t->bytes_used < bytes) {
		size_t max = t->bytes_max * 2 + bytes + 4096;
		uint8_t *data = realloc(t->bytes, max);

		if (!data)
			return -ENOMEM;
		t->bytes = data;
		t->bytes_max = max;
	}
	return (uint64_t)t->count * 2 >= t->slots_n ? grow_slots(t) : 0;
}

uint32_t intern_add(struct intern *t, const void *data, size_t bytes)
{
	uint32_t *slot = find(t, data, bytes);

	if (*slot)
		return *slot - 1;
	if (t->count >= t->limit || reserve(t, bytes))
		return INTERN_NONE;
	slot = find(t, data, bytes);
	if (bytes)
		memcpy(t->bytes + t->bytes_used, data, bytes);
	t->bytes_used += bytes;
	t->end[t->count++] = t->bytes_used;
	*slot = t->count;
	return t->count - 1;
}
