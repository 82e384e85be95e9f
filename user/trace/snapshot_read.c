/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* snapshot_read.c - loading TEXT and PAGES blocks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/reader_impl.h"
#include "trace/varint.h"

/* Count a block as bad, once however often it is asked for. */
static int mark_bad(struct trace_reader *r, struct noted *b)
{
	if (!(b->offset & BLOCK_KNOWN_BAD))
		r->damage.bad_blocks++;
	b->offset |= BLOCK_KNOWN_BAD;
	return -EBADMSG;
}

static int load_noted(struct trace_reader *r, struct noted *b, uint8_t **raw)
{
	int err = b->offset & BLOCK_KNOWN_BAD ? -EBADMSG
					      : reader_payload(r, &b->head, b->offset, raw);

	return err == -EBADMSG ? mark_bad(r, b) : err;
}

/* ---- TEXT -------------------------------------------------------------- */

size_t trace_reader_texts(const struct trace_reader *r)
{
	return r->texts.n;
}

/* Where the name is in a TEXT payload; NULL if it is malformed. */
static const uint8_t *name_of(const uint8_t *raw, size_t bytes, uint64_t *length)
{
	const uint8_t *at = raw;

	if (!varint_get(&at, raw + bytes, length) || *length > KMT_STRING_MAX_BYTES ||
	    *length > (uint64_t)(raw + bytes - at))
		return NULL;
	return at;
}

int trace_reader_text(struct trace_reader *r, size_t i, struct trace_text *out)
{
	struct noted *b = &r->texts.at[i];
	uint64_t length = 0;
	const uint8_t *name;
	uint8_t *raw = NULL;
	int err = load_noted(r, b, &raw);

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	name = name_of(raw, b->head.raw_bytes, &length);
	if (!name) {
		free(raw);
		return mark_bad(r, b);
	}
	out->name = strndup((const char *)name, length);
	out->bytes = (size_t)(raw + b->head.raw_bytes - (name + length));
	out->time_ns = b->head.t_last_ns;
	out->flags = b->head.flags;
	/* The payload has a terminator behind it: move text and terminator down. */
	memmove(raw, name + length, out->bytes + 1);
	out->text = (char *)raw;
	if (out->name)
		return 0;
	trace_text_free(out);
	return -ENOMEM;
}

int trace_reader_find_text(struct trace_reader *r, const char *name, uint16_t phase,
			   struct trace_text *out)
{
	const uint16_t phases = KMT_PHASE_START | KMT_PHASE_END;

	for (size_t i = 0; i < r->texts.n; i++) {
		int err;

		if ((r->texts.at[i].head.flags & phases) != phase)
			continue;
		err = trace_reader_text(r, i, out);
		if (err && err != -EBADMSG)
			return err;
		if (!err && !strcmp(out->name, name))
			return 0;
		trace_text_free(out);
	}
	return -ENOENT;
}

void trace_text_free(struct trace_text *t)
{
	free(t->name);
	free(t->text);
	memset(t, 0, sizeof(*t));
}

/* ---- PAGES ------------------------------------------------------------- */

size_t trace_reader_pages(const struct trace_reader *r)
{
	return r->pages.n;
}

/* Frames of 4 KiB in 64 bits of physical address: no run ends beyond. */
#define PFN_MAX (1ull << 52)

static int parse_runs(const uint8_t *at, const uint8_t *end, struct trace_pages *out)
{
	uint64_t pfn = out->first_pfn;

	for (size_t i = 0; i < out->n; i++) {
		struct trace_page_run *run = &out->runs[i];

		if (at == end)
			return -EBADMSG;
		run->state = *at >> 4;
		run->order = *at++ & 15;
		if (!varint_get(&at, end, &run->blocks) || run->state >= KMT_PG_STATES ||
		    run->order > 14 || pfn > PFN_MAX || run->blocks > (PFN_MAX - pfn) >> run->order)
			return -EBADMSG;
		pfn += run->blocks << run->order;
	}
	return at == end ? 0 : -EBADMSG;
}

static int parse_pages(const struct kmt_block *head, const uint8_t *raw, struct trace_pages *out)
{
	const uint8_t *at = raw, *end = raw + head->raw_bytes;

	/* A run is two bytes or more. */
	if (!varint_get(&at, end, &out->first_pfn) || head->count > head->raw_bytes / 2)
		return -EBADMSG;
	out->runs = calloc((size_t)head->count + 1, sizeof(*out->runs));
	if (!out->runs)
		return -ENOMEM;
	out->n = head->count;
	return parse_runs(at, end, out);
}

int trace_reader_page_block(struct trace_reader *r, size_t i, struct trace_pages *out)
{
	struct noted *b = &r->pages.at[i];
	uint8_t *raw = NULL;
	int err = load_noted(r, b, &raw);

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	out->t_first_ns = b->head.t_first_ns;
	out->t_last_ns = b->head.t_last_ns;
	out->flags = b->head.flags;
	err = parse_pages(&b->head, raw, out);
	if (err)
		trace_pages_free(out);
	free(raw);
	return err == -EBADMSG ? mark_bad(r, b) : err;
}

void trace_pages_free(struct trace_pages *p)
{
	free(p->runs);
	memset(p, 0, sizeof(*p));
}
