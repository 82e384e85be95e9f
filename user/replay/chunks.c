/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* chunks.c - chunks of page states, by frame. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/chunks.h"
#include "trace/trace_io.h"

static uint64_t pages_of(const struct trace_pages *p)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < p->n; i++)
		pages += p->runs[i].blocks << p->runs[i].order;
	return pages;
}

static int by_pfn(const void *x, const void *y)
{
	const struct chunk *a = x, *b = y;

	return (a->first_pfn > b->first_pfn) - (a->first_pfn < b->first_pfn);
}

static void note_times(struct snapshot *s, const struct chunk *c)
{
	if (!s->n || c->t_first_ns < s->t_first_ns)
		s->t_first_ns = c->t_first_ns;
	if (c->t_last_ns > s->t_last_ns)
		s->t_last_ns = c->t_last_ns;
}

static void add_chunk(struct snapshot *s, const struct trace_pages *p, size_t block)
{
	struct chunk *c = &s->chunks[s->n];

	c->first_pfn = p->first_pfn;
	c->end_pfn = p->first_pfn + pages_of(p);
	c->t_first_ns = p->t_first_ns;
	c->t_last_ns = p->t_last_ns;
	c->block = block;
	note_times(s, c);
	s->n++;
}

int snapshot_load(struct snapshot *s, struct trace_reader *r, uint16_t phase)
{
	size_t blocks = trace_reader_pages(r);

	memset(s, 0, sizeof(*s));
	s->chunks = calloc(blocks + 1, sizeof(*s->chunks));
	if (!s->chunks)
		return -ENOMEM;
	for (size_t i = 0; i < blocks; i++) {
		struct trace_pages p;

		/* A damaged block is missing; the reader counts it. */
		if (trace_reader_page_block(r, i, &p))
			continue;
		if (p.flags & phase)
			add_chunk(s, &p, i);
		trace_pages_free(&p);
	}
	qsort(s->chunks, s->n, sizeof(*s->chunks), by_pfn);
	return 0;
}

void snapshot_destroy(struct snapshot *s)
{
	free(s->chunks);
	memset(s, 0, sizeof(*s));
}

enum snapshot_age snapshot_age(const struct snapshot *s, uint64_t pfn, uint64_t time_ns)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->chunks[mid].end_pfn <= pfn)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == s->n || pfn < s->chunks[low].first_pfn || time_ns > s->chunks[low].t_last_ns)
		return SNAPSHOT_LATER;
	return time_ns < s->chunks[low].t_first_ns ? SNAPSHOT_INCLUDED : SNAPSHOT_AMBIGUOUS;
}

int snapshot_chunk_runs(const struct snapshot *s, struct trace_reader *r, size_t i,
			snapshot_run_fn *fn, void *ctx)
{
	struct trace_pages p;
	int err = trace_reader_page_block(r, s->chunks[i].block, &p);
	uint64_t pfn;

	if (err)
		return err;
	pfn = p.first_pfn;
	for (size_t k = 0; k < p.n; k++) {
		fn(ctx, pfn, &p.runs[k]);
		pfn += p.runs[k].blocks << p.runs[k].order;
	}
	trace_pages_free(&p);
	return 0;
}
