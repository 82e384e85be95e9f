/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * merge.c - one ordered stream out of the CPUs' chains of blocks.
 *
 * A cursor per CPU holds one decompressed block and decodes BATCH events at a
 * time, so that memory does not grow with the trace and the events being merged
 * stay in the first-level cache. A heap orders the cursors; the earliest one
 * hands out events until the next one's turn.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/reader_impl.h"

enum {
	BATCH = 256,
	EVENT_MAX_BYTES = 40, /* one event in all columns, and its class */
};

/* A file that needs more than this for one block per CPU is made up. */
#define RAW_TOTAL_MAX (4ull << 30)

struct cursor {
	struct decoder decoder;
	unsigned int cpu;
	size_t next_block;
	uint8_t *raw;
	size_t raw_max;
	uint64_t last_ns;
	size_t at, n; /* events left in batch[] */
	struct trace_event batch[BATCH];
};

static int reserve_raw(struct merge *m, struct cursor *c, size_t bytes)
{
	uint8_t *bigger;

	if (bytes <= c->raw_max)
		return 0;
	if (m->raw_bytes + bytes - c->raw_max > RAW_TOTAL_MAX)
		return -ENOMEM;
	bigger = realloc(c->raw, bytes);
	if (!bigger)
		return -ENOMEM;
	m->raw_bytes += bytes - c->raw_max;
	c->raw = bigger;
	c->raw_max = bytes;
	return 0;
}

static int read_head(const struct trace_reader *r, const struct cursor *c, uint64_t offset,
		     struct kmt_block *head)
{
	long n = block_pread(r->fd, head, sizeof(*head), offset);

	if (n < 0)
		return (int)n;
	/* It was intact when scanned; the file may have changed since. */
	if ((size_t)n < sizeof(*head) || !block_head_ok(head) || head->type != KMT_EVENTS ||
	    head->cpu != c->cpu || head->raw_bytes > (uint64_t)(head->count + 1) * EVENT_MAX_BYTES)
		return -EBADMSG;
	return 0;
}

static int load_block(struct trace_reader *r, struct cursor *c, uint64_t offset)
{
	struct kmt_block head;
	int err = read_head(r, c, offset, &head);

	if (!err)
		err = reserve_raw(&r->merge, c, head.raw_bytes);
	if (!err)
		err = block_unpack(r->unpacker, r->fd, offset + sizeof(head), &head, c->raw);
	if (err)
		return err;
	if (head.t_first_ns < c->last_ns)
		head.t_first_ns = c->last_ns; /* keeps the order promised */
	return decoder_start(&c->decoder, &head, c->raw, r);
}

/* Count a block as bad, once however often it is read. */
static void mark_bad(struct trace_reader *r, uint64_t *block)
{
	if (!(*block & BLOCK_KNOWN_BAD))
		r->damage.bad_blocks++;
	*block |= BLOCK_KNOWN_BAD;
}

/* Decode a batch of the block at hand; false when it is used up. */
static bool decode_batch(struct trace_reader *r, struct cursor *c)
{
	long n = decoder_run(&c->decoder, c->batch, BATCH);

	r->merge.undefined += c->decoder.undefined;
	c->decoder.undefined = 0;
	if (n < 0)
		mark_bad(r, &r->chain[c->cpu].block[c->next_block - 1]);
	if (n <= 0)
		return false;
	c->n = (size_t)n;
	c->last_ns = c->batch[n - 1].time_ns;
	return true;
}

/* The next batch; c->n = 0 when the CPU has no more. 0 or -errno. */
static int refill(struct trace_reader *r, struct cursor *c)
{
	const struct chain *chain = &r->chain[c->cpu];

	c->at = c->n = 0;
	while (!decode_batch(r, c)) {
		uint64_t *block = &chain->block[c->next_block];
		int err;

		if (c->next_block == chain->n)
			return 0;
		err = load_block(r, c, *block & ~BLOCK_KNOWN_BAD);
		c->next_block++;
		if (err == -EBADMSG)
			mark_bad(r, block);
		else if (err)
			return err;
	}
	return 0;
}

/* ---- The heap ---------------------------------------------------------- */

static inline bool earlier(const struct turn *a, const struct turn *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	return a->cursor->cpu < b->cursor->cpu;
}

static void sift_down(struct merge *m, unsigned int i)
{
	struct turn t = m->heap[i];

	for (;;) {
		unsigned int child = 2 * i + 1;

		if (child >= m->n)
			break;
		if (child + 1 < m->n && earlier(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (!earlier(&m->heap[child], &t))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = t;
}

static int start_cursor(struct trace_reader *r, unsigned int cpu)
{
	struct merge *m = &r->merge;
	struct cursor *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	m->cursor[cpu] = c;
	c->cpu = cpu;
	err = refill(r, c);
	if (!err && c->n)
		m->heap[m->n++] = (struct turn){c->batch[0].time_ns, c};
	return err;
}

static int start(struct trace_reader *r)
{
	struct merge *m = &r->merge;
	int err = 0;

	m->started = true;
	if (!r->cpus)
		return 0;
	m->cursor = calloc(r->cpus, sizeof(struct cursor *));
	m->heap = reallocarray(NULL, r->cpus, sizeof(*m->heap));
	if (!m->cursor || !m->heap)
		return -ENOMEM;
	for (unsigned int cpu = 0; !err && cpu < r->cpus; cpu++)
		if (r->chain[cpu].n)
			err = start_cursor(r, cpu);
	for (unsigned int i = m->n / 2; i-- > 0;)
		sift_down(m, i);
	return err;
}

void merge_free(struct trace_reader *r)
{
	struct merge *m = &r->merge;

	for (unsigned int cpu = 0; m->cursor && cpu < r->cpus; cpu++) {
		if (!m->cursor[cpu])
			continue;
		decoder_free(&m->cursor[cpu]->decoder);
		free(m->cursor[cpu]->raw);
		free(m->cursor[cpu]);
	}
	free(m->cursor);
	free(m->heap);
	memset(m, 0, sizeof(*m));
}

/* ---- Events ------------------------------------------------------------ */

/* Up to @max events of the earliest cursor that come before all others'. */
static size_t take_run(const struct merge *m, struct trace_event *out, size_t max)
{
	struct cursor *c = m->heap[0].cursor;
	const struct trace_event *from = c->batch + c->at;
	size_t n = 0, most = c->n - c->at;
	uint64_t until = UINT64_MAX; /* events at or below this time go out */

	if (m->n > 1) {
		const struct turn *second = &m->heap[1];

		if (m->n > 2 && earlier(&m->heap[2], second))
			second = &m->heap[2];
		/* A tie goes to the lower CPU. The first event is always due. */
		until = second->time_ns - (c->cpu > second->cursor->cpu);
	}
	if (most > max)
		most = max;
	do {
		out[n] = from[n];
		n++;
	} while (n < most && from[n].time_ns <= until);
	c->at += n;
	return n;
}

/* The earliest cursor has given events: find its new place. */
static int settle(struct trace_reader *r)
{
	struct merge *m = &r->merge;
	struct cursor *c = m->heap[0].cursor;
	int err = 0;

	if (c->at == c->n)
		err = refill(r, c);
	if (c->at == c->n)
		m->heap[0] = m->heap[--m->n];
	else
		m->heap[0].time_ns = c->batch[c->at].time_ns;
	if (m->n)
		sift_down(m, 0);
	return err;
}

long trace_reader_next(struct trace_reader *r, struct trace_event *out, size_t max)
{
	struct merge *m = &r->merge;
	size_t n = 0;

	if (!m->started)
		m->err = start(r);
	while (!m->err && m->n && n < max) {
		n += take_run(m, out + n, max - n);
		m->err = settle(r);
	}
	return n ? (long)n : m->err;
}

int trace_reader_rewind(struct trace_reader *r)
{
	merge_free(r);
	return 0;
}
