/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* dictionary.c - strings, stacks and classes as read back, by number. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "trace/reader_impl.h"
#include "trace/varint.h"

enum {
	CLASS_ORDER_MAX = 18, /* a gigantic page of 1 GiB */
	CLASS_TYPE_MAX = 15,
	CLASS_NODE_ANY = -1, /* the least */
};

/* Make @d->string hold numbers below @n. */
static int reserve_strings(struct dictionary *d, uint32_t n)
{
	char **bigger;

	if (n <= d->strings_n)
		return 0;
	bigger = reallocarray(d->string, n, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	memset(bigger + d->strings_n, 0, (n - d->strings_n) * sizeof(*bigger));
	d->string = bigger;
	d->strings_n = n;
	return 0;
}

static int reserve_classes(struct dictionary *d, uint32_t n)
{
	struct kmt_class *bigger;

	if (n <= d->classes_n)
		return 0;
	bigger = reallocarray(d->class, n, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	for (uint32_t i = d->classes_n; i < n; i++)
		bigger[i] = (struct kmt_class){.kind = KMT_KINDS};
	d->class = bigger;
	d->classes_n = n;
	return 0;
}

static int keep_arena(struct dictionary *d, char *arena)
{
	if (d->arenas_n == d->arenas_max) {
		size_t max = d->arenas_max ? d->arenas_max * 2 : 16;
		char **bigger = reallocarray(d->arena, max, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		d->arena = bigger;
		d->arenas_max = max;
	}
	d->arena[d->arenas_n++] = arena;
	return 0;
}

/* Bytes that the strings of @raw take, each with a terminator; 0: it is malformed. */
static size_t measure_strings(const struct kmt_block *head, const uint8_t *raw)
{
	const uint8_t *end = raw + head->raw_bytes;
	size_t bytes = 0;

	for (uint32_t i = 0; i < head->count; i++) {
		uint64_t length;

		if (!varint_get(&raw, end, &length) || length > KMT_STRING_MAX_BYTES ||
		    length > (uint64_t)(end - raw))
			return 0;
		bytes += length + 1;
		raw += length;
	}
	return raw == end ? bytes : 0;
}

/* Terminate the measured strings of @raw one after another in @arena. Commands are any bytes,
 * and TASK_COMM_LEN cuts characters; from here on all are UTF-8. */
static void place_strings(struct dictionary *d, const struct kmt_block *head, const uint8_t *raw,
			  char *arena)
{
	const uint8_t *end = raw + head->raw_bytes;

	for (uint32_t i = 0; i < head->count; i++) {
		uint64_t length;

		varint_get(&raw, end, &length);
		d->string[head->first_id + i] = arena;
		arena += utf8_clean(arena, (const char *)raw, length) + 1;
		raw += length;
	}
}

int dictionary_strings(struct dictionary *d, const struct kmt_block *head, const uint8_t *raw)
{
	size_t bytes = measure_strings(head, raw);
	char *arena;
	int err;

	if (!head->count && !head->raw_bytes)
		return 0;
	/* A writer numbers on and on: no string is defined twice. */
	if (!bytes || head->first_id < d->strings_n ||
	    d->strings_bytes + bytes > KMT_STRINGS_MAX_BYTES)
		return -EBADMSG;
	err = reserve_strings(d, (uint32_t)(head->first_id + head->count));
	if (err)
		return err;
	arena = malloc(bytes * UTF8_GROWTH); /* touched as far as it is needed */
	if (!arena || keep_arena(d, arena)) {
		free(arena);
		return -ENOMEM;
	}
	d->strings_bytes += bytes;
	place_strings(d, head, raw, arena);
	return 0;
}

static int reserve_stacks(struct dictionary *d, uint32_t n)
{
	struct stack_place *bigger;

	if (n <= d->stacks_n)
		return 0;
	bigger = reallocarray(d->stack, n, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	memset(bigger + d->stacks_n, 0, (n - d->stacks_n) * sizeof(*bigger));
	d->stack = bigger;
	d->stacks_n = n;
	return 0;
}

static int add_frame(struct dictionary *d, uint32_t string)
{
	if (d->frames_n == d->frames_max) {
		uint32_t max = d->frames_max ? d->frames_max * 2 : 1024;
		uint32_t *bigger = reallocarray(d->frame, max, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		d->frame = bigger;
		d->frames_max = max;
	}
	d->frame[d->frames_n++] = string;
	return 0;
}

/* One stack at *@raw. */
static int place_stack(struct dictionary *d, uint32_t id, const uint8_t **raw, const uint8_t *end)
{
	struct stack_place place = {.first = d->frames_n};
	uint64_t n, string;
	int err = 0;

	if (!varint_get(raw, end, &n) || n > KMT_STACK_FRAMES || d->frames_n + n > KMT_FRAMES_MAX)
		return -EBADMSG;
	for (; !err && place.n < n; place.n++) {
		if (!varint_get(raw, end, &string) || string > UINT32_MAX)
			return -EBADMSG;
		err = add_frame(d, (uint32_t)string);
	}
	if (!err)
		d->stack[id] = place;
	return err;
}

int dictionary_stacks(struct dictionary *d, const struct kmt_block *head, const uint8_t *raw)
{
	const uint8_t *end = raw + head->raw_bytes;
	int err;

	if (!head->count && !head->raw_bytes)
		return 0;
	/* A stack is a byte or more, so the payload bounds @count; none is defined twice. */
	if (head->count > head->raw_bytes || head->first_id < d->stacks_n)
		return -EBADMSG;
	err = reserve_stacks(d, (uint32_t)(head->first_id + head->count));
	for (uint32_t i = 0; !err && i < head->count; i++)
		err = place_stack(d, (uint32_t)head->first_id + i, &raw, end);
	return err ? err : raw == end ? 0 : -EBADMSG;
}

/* Readers shift by orders and index by types and nodes: no kernel has any beyond these. */
static bool possible(const struct kmt_class *c)
{
	return c->kind < KMT_KINDS && c->order <= CLASS_ORDER_MAX &&
	       c->fallback_order <= CLASS_ORDER_MAX && c->migratetype <= CLASS_TYPE_MAX &&
	       c->fallback_type <= CLASS_TYPE_MAX && c->node >= CLASS_NODE_ANY &&
	       c->cache < KMT_STRINGS_MAX_BYTES && c->call_site < KMT_STRINGS_MAX_BYTES;
}

/* Undefine the impossible ones among @n classes from @first. */
static int reject_impossible(struct dictionary *d, uint64_t first, uint32_t n)
{
	int err = 0;

	for (struct kmt_class *c = d->class + first; n; n--, c++) {
		if (possible(c))
			continue;
		c->kind = KMT_KINDS;
		err = -EBADMSG;
	}
	return err;
}

int dictionary_classes(struct dictionary *d, const struct kmt_block *head, const uint8_t *raw)
{
	int err;

	if (head->raw_bytes != (uint64_t)head->count * sizeof(struct kmt_class))
		return -EBADMSG;
	err = reserve_classes(d, (uint32_t)(head->first_id + head->count));
	if (err || !head->count)
		return err;
	memcpy(d->class + head->first_id, raw, head->raw_bytes);
	return reject_impossible(d, head->first_id, head->count);
}

void dictionary_free(struct dictionary *d)
{
	for (size_t i = 0; i < d->arenas_n; i++)
		free(d->arena[i]);
	free(d->arena);
	free(d->string);
	free(d->class);
	free(d->stack);
	free(d->frame);
}
