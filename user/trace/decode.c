/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* decode.c - columns to events, a few at a time. Trusts nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/columns.h"
#include "trace/varint.h"

void decoder_free(struct decoder *d)
{
	free(d->classes);
	d->classes = NULL;
	d->classes_max = 0;
}

/* Cut the payload into columns, which must fill it. */
static int cut(struct decoder *d, const uint8_t *raw, size_t bytes)
{
	uint32_t lengths[COL_COUNT];
	const uint8_t *at;
	size_t left;

	if (bytes < sizeof(lengths))
		return -EBADMSG;
	memcpy(lengths, raw, sizeof(lengths));
	at = raw + sizeof(lengths);
	left = bytes - sizeof(lengths);
	for (int c = 0; c < COL_COUNT; c++) {
		if (lengths[c] > left)
			return -EBADMSG;
		d->column[c] = (struct column){at, at + lengths[c]};
		at += lengths[c];
		left -= lengths[c];
	}
	return left ? -EBADMSG : 0;
}

static int add_class(struct decoder *d, struct decoder_class class)
{
	if (d->classes_n == d->classes_max) {
		uint32_t max = d->classes_max ? d->classes_max * 2 : 64;
		struct decoder_class *bigger = reallocarray(d->classes, max, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		d->classes = bigger;
		d->classes_max = max;
	}
	d->classes[d->classes_n++] = class;
	return 0;
}

static int read_table(struct decoder *d, const struct trace_reader *defined)
{
	struct column *table = &d->column[COL_TABLE];
	int err = 0;

	d->classes_n = 0;
	while (!err && table->at < table->end) {
		struct decoder_class class = {0};
		const struct kmt_class *known;
		uint64_t id;

		if (!varint_get(&table->at, table->end, &id) || table->at == table->end)
			return -EBADMSG;
		if (id >= KMT_CLASS_MAX || d->classes_n >= KMT_ROUND_MAX_EVENTS)
			return -EBADMSG;
		class.id = (uint32_t)id;
		class.kind = *table->at++;
		known = trace_reader_class(defined, class.id);
		class.defined = known && known->kind == class.kind;
		class.order = class.defined ? known->order : 0;
		err = add_class(d, class);
	}
	return err;
}

int decoder_start(struct decoder *d, const struct kmt_block *head, const uint8_t *raw,
		  const struct trace_reader *defined)
{
	int err = cut(d, raw, head->raw_bytes);

	d->left = 0;
	if (err)
		return err;
	if (head->count > KMT_ROUND_MAX_EVENTS)
		return -EBADMSG;
	err = read_table(d, defined);
	if (err)
		return err;
	d->history[GROUP_PAGES].count = 0;
	d->history[GROUP_OBJECTS].count = 0;
	d->cpu = head->cpu;
	d->time_ns = head->t_first_ns;
	d->left = head->count;
	return 0;
}

static inline bool get(struct column *c, uint64_t *v)
{
	return varint_get(&c->at, c->end, v);
}

static inline bool get_time(struct decoder *d)
{
	struct column *low = &d->column[COL_TIME_LOW];
	uint64_t high;

	if (low->at == low->end || !get(&d->column[COL_TIME_HIGH], &high) || high >> 54)
		return false;
	d->time_ns += high << 8 | *low->at++;
	return !(d->time_ns >> 63);
}

static inline bool get_address(struct decoder *d, struct decoder_class *class, uint64_t *address)
{
	struct history *h = &d->history[group_of(class->kind)];
	struct prediction *p = &class->p;
	uint64_t code, literal, distance;

	if (!get(&d->column[COL_ADDRESS], &code))
		return false;
	if (code) {
		distance = (uint64_t)p->distance + (uint64_t)unzigzag(code - 1);
		if (distance - 1 >= KMT_HISTORY || distance > h->count)
			return false;
		p->distance = (int64_t)distance;
		*address = history_at(h, distance);
	} else {
		if (!get(&d->column[COL_LITERAL], &literal))
			return false;
		*address = (p->seen ? p->last : history_newest(h)) + (uint64_t)unzigzag(literal);
	}
	p->seen = true;
	p->last = *address;
	history_add(h, *address);
	return true;
}

/* One event into @e; false if the columns make no sense. */
static inline bool decode_one(struct decoder *d, struct trace_event *e, bool *defined)
{
	struct decoder_class *class;
	uint64_t index, address = 0;

	if (!get(&d->column[COL_CLASS], &index) || index >= d->classes_n || !get_time(d))
		return false;
	class = &d->classes[index];
	if (class->kind != KMT_TASK && !get_address(d, class, &address))
		return false;
	e->time_ns = d->time_ns;
	e->address = address;
	e->class_id = class->id;
	e->cpu = d->cpu;
	e->kind = class->kind;
	e->order = class->order;
	*defined = class->defined;
	return true;
}

long decoder_run(struct decoder *d, struct trace_event *out, size_t max)
{
	size_t n = 0;
	bool defined;

	while (d->left && n < max) {
		if (!decode_one(d, &out[n], &defined)) {
			d->left = 0;
			return -EBADMSG;
		}
		d->left--;
		n += defined;
		d->undefined += !defined;
	}
	return (long)n;
}
