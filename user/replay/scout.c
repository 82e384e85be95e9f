/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* scout.c - look ahead for frees past the lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/scout.h"
#include "trace/trace_io.h"

enum { BATCH = 1 << 14, FIRST_ROOM = 256 };

static void add(void *ctx, uint32_t number)
{
	struct scout *s = ctx;

	if (s->n == s->room) {
		size_t more = s->room ? s->room * 2 : FIRST_ROOM;
		uint32_t *grown = realloc(s->bypass, more * sizeof(*grown));

		s->no_memory |= !grown;
		if (!grown)
			return;
		s->bypass = grown;
		s->room = more;
	}
	s->bypass[s->n++] = number;
}

static int by_number(const void *x, const void *y)
{
	const uint32_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static int by_time(const void *x, const void *y)
{
	const struct chunk *a = *(const struct chunk *const *)x;
	const struct chunk *b = *(const struct chunk *const *)y;

	if (a->t_first_ns != b->t_first_ns)
		return a->t_first_ns < b->t_first_ns ? -1 : 1;
	return (a->first_pfn > b->first_pfn) - (a->first_pfn < b->first_pfn);
}

static void look_at_run(void *ctx, uint64_t pfn, const struct trace_page_run *run)
{
	if (run->state == KMT_PG_FREE)
		observed_note_bypass(ctx, pfn, run->blocks << run->order);
}

/* Chunks of the end snapshot in the order they were read. */
struct ends {
	const struct snapshot *snap;
	const struct chunk **chunks;
	size_t next;
};

static void meet_chunks(struct ends *e, uint64_t time_ns, struct observed *o,
			struct trace_reader *r)
{
	while (e->next < e->snap->n && e->chunks[e->next]->t_first_ns < time_ns) {
		size_t i = (size_t)(e->chunks[e->next++] - e->snap->chunks);

		/* A damaged chunk tells nothing. */
		(void)snapshot_chunk_runs(e->snap, r, i, look_at_run, o);
	}
}

static int scan(struct observed *o, struct ends *ends, struct trace_reader *r)
{
	struct trace_event *e = malloc(BATCH * sizeof(*e));
	long n = e ? 1 : -ENOMEM;

	while (n > 0) {
		n = trace_reader_next(r, e, BATCH);
		for (long i = 0; i < n; i++) {
			if (ends->next < ends->snap->n &&
			    ends->chunks[ends->next]->t_first_ns < e[i].time_ns)
				meet_chunks(ends, e[i].time_ns, o, r);
			observed_feed(o, &e[i], 1);
		}
	}
	free(e);
	observed_finish(o);
	meet_chunks(ends, UINT64_MAX, o, r);
	return n < 0 ? (int)n : 0;
}

int scout_run(struct scout *s, struct observed *o, const struct snapshot *end,
	      struct trace_reader *r)
{
	struct ends ends = {.snap = end, .chunks = calloc(end->n + 1, sizeof(*ends.chunks))};
	int err = -ENOMEM;

	memset(s, 0, sizeof(*s));
	o->last_free = malloc(o->map.nr_pfns * sizeof(*o->last_free));
	o->found_bypass = add;
	o->ctx = s;
	if (ends.chunks && o->last_free) {
		memset(o->last_free, 0xff, o->map.nr_pfns * sizeof(*o->last_free));
		for (size_t i = 0; i < end->n; i++)
			ends.chunks[i] = &end->chunks[i];
		qsort(ends.chunks, end->n, sizeof(*ends.chunks), by_time);
		err = scan(o, &ends, r);
	}
	free(ends.chunks);
	free(o->last_free);
	o->last_free = NULL;
	if (s->n)
		qsort(s->bypass, s->n, sizeof(*s->bypass), by_number);
	if (!err && s->no_memory)
		err = -ENOMEM;
	return err ? err : trace_reader_rewind(r);
}

void scout_destroy(struct scout *s)
{
	free(s->bypass);
	memset(s, 0, sizeof(*s));
}
