/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_start.c - see areas_percpu.h.
 *
 * Allocations go to the fullest chunk with room, so chunks are filled one by one: first
 * the areas, then what is left by areas that go at the end:
 *
 *   |a|b|c|......       |a|b|c|xxxxxx   |d|e|.....      |a|b|c|......   |d|e|.....
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/areas_percpu.h"
#include "trace/trace_io.h"

enum { AREAS_MAX = 1 << 22 };

static bool read_stats(struct trace_reader *r, uint16_t phase, struct proc_percpu *p,
		       uint64_t *time_ns)
{
	struct trace_text t;
	bool ok;

	if (trace_reader_find_text(r, "percpu_stats", phase, &t))
		return false;
	ok = !proc_percpu_parse(t.text, p);
	*time_ns = t.time_ns;
	trace_text_free(&t);
	return ok;
}

/* In place of what percpu_stats says of it. */
static int use(const struct percpu_snapshot *from, struct proc_percpu *to)
{
	proc_percpu_free(to);
	return percpu_snapshot_stats(from, to);
}

/* Events between begin and end of the first reading may be in it: areas_percpu.c. */
static int use_snapshots(struct percpu_start *s)
{
	struct proc_percpu stats = s->start;
	int err;

	s->start = (struct proc_percpu){0};
	err = use(&s->first, &s->start);
	s->stats_chunks = stats.n;
	s->stats_alike = err ? 0 : percpu_stats_alike(&stats, &s->start);
	proc_percpu_free(&stats);
	s->known = s->read = true;
	s->start_ns = s->first.t_first_ns;
	s->end_known = s->last.known;
	s->end_ns = s->last.t_last_ns;
	if (!err && s->end_known)
		err = use(&s->last, &s->end);
	return err ? err : live_init(&s->unsure);
}

int percpu_start_read(struct percpu_start *s, struct trace_reader *r)
{
	uint64_t areas = 0;
	int err = percpu_snapshot_read(&s->first, r, KMT_PHASE_START);

	err = err ? err : percpu_snapshot_read(&s->last, r, KMT_PHASE_END);
	if (err)
		return err;
	s->known = read_stats(r, KMT_PHASE_START, &s->start, &s->start_ns);
	s->end_known = read_stats(r, KMT_PHASE_END, &s->end, &s->end_ns);
	if (s->first.known)
		return use_snapshots(s);
	for (size_t i = 0; i < s->start.n && areas <= AREAS_MAX; i++)
		areas += s->start.chunks[i].areas < AREAS_MAX ? s->start.chunks[i].areas
							      : AREAS_MAX + 1;
	s->known = s->known && areas <= AREAS_MAX;
	if (!s->known)
		return 0;
	s->guess = calloc(areas + 1, sizeof(*s->guess));
	return s->guess && !live_init(&s->chunk) ? 0 : -ENOMEM;
}

void percpu_start_free(struct percpu_start *s)
{
	proc_percpu_free(&s->start);
	proc_percpu_free(&s->end);
	percpu_snapshot_free(&s->first);
	percpu_snapshot_free(&s->last);
	live_destroy(&s->unsure);
	live_destroy(&s->chunk);
	free(s->guess);
	memset(s, 0, sizeof(*s));
}

void percpu_start_config(const struct percpu_start *s, struct rmm_percpu_config *c)
{
	rmm_percpu_config_init(c);
	if (!s->known)
		return;
	c->unit_size = s->start.unit_bytes;
	c->static_size = s->start.static_bytes;
	c->reserved_size = s->start.reserved_bytes;
	c->dyn_size = s->start.dyn_bytes;
	c->atom_size = s->start.atom_bytes;
	if (c->max_chunks < 2 * s->start.n)
		c->max_chunks = 2 * (unsigned int)s->start.n;
}

/* ---- Sizes ------------------------------------------------------------------ */

static uint32_t within(uint64_t bytes, uint64_t low, uint64_t high)
{
	bytes = bytes < low ? low : bytes > high ? high : bytes;
	bytes -= bytes % RMM_PCPU_MIN_ALLOC;
	if (bytes < RMM_PCPU_MIN_ALLOC)
		bytes = RMM_PCPU_MIN_ALLOC;
	return bytes > RMM_PCPU_MAX_ALLOC ? RMM_PCPU_MAX_ALLOC : (uint32_t)bytes;
}

/* Those below the median have its size, if the others then need not be smaller. */
void percpu_sizes(const struct proc_percpu_chunk *c, uint64_t total, uint32_t *size)
{
	uint64_t n = c->areas, small = n / 2, large, rest, each, left;

	if (!n)
		return;
	size[0] = within(c->max_bytes, 0, RMM_PCPU_MAX_ALLOC);
	if (n == 1)
		return;
	size[n - 1] = within(c->min_bytes, 0, RMM_PCPU_MAX_ALLOC);
	rest = total > size[0] + size[n - 1] ? total - size[0] - size[n - 1] : 0;
	small = small ? small - 1 : 0;
	large = n - 2 - small;
	each = small ? c->med_bytes : 0;
	if (each * small + c->med_bytes * large > rest)
		each = small ? (rest > c->med_bytes * large ? rest - c->med_bytes * large : 0) /
				       small
			     : 0;
	each = small ? within(each, c->min_bytes, c->med_bytes) : 0;
	left = rest > each * small ? rest - each * small : 0;
	/* By turns, and what division leaves to the first of the large ones. */
	for (uint64_t i = 1, s = small, l = large; i + 1 < n; i++) {
		if (s * (large + 1) > l * (small + 1)) {
			size[i] = (uint32_t)each;
			s--;
			continue;
		}
		size[i] =
			within((left + l * RMM_PCPU_MIN_ALLOC - 1) / l, c->med_bytes, c->max_bytes);
		left -= left > size[i] ? size[i] : left;
		l--;
	}
}

/* ---- Chunks ----------------------------------------------------------------- */

/* Areas that keep others out, freed at the end. */
struct fillers {
	rmm_percpu *at;
	size_t n, room;
};

static int add_filler(struct fillers *f, rmm_percpu at)
{
	if (f->n == f->room) {
		size_t room = f->room ? f->room * 2 : 256;
		rmm_percpu *more = realloc(f->at, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		f->at = more;
		f->room = room;
	}
	f->at[f->n++] = at;
	return 0;
}

/* Side by side, as their alignment is not known: only so all of a full chunk's fit. */
static rmm_percpu get(struct rmm *rmm, uint32_t bytes)
{
	return rmm___alloc_percpu_gfp(rmm, 0, bytes, RMM_PCPU_MIN_ALLOC, RMM_GFP_KERNEL);
}

/* What is left of chunk @number; UINT32_MAX: of whichever comes first */
static int stuff(struct rmm *rmm, unsigned int number, struct fillers *f)
{
	for (uint32_t bytes = RMM_PCPU_MAX_ALLOC; bytes >= RMM_PCPU_MIN_ALLOC; bytes /= 2) {
		for (;;) {
			rmm_percpu at = get(rmm, bytes);
			unsigned int in;

			if (at == RMM_NO_PERCPU)
				break;
			rmm_percpu_where(rmm, at, &in);
			if (number == UINT32_MAX)
				number = in;
			if (in != number) {
				rmm_free_percpu(rmm, 0, at);
				break;
			}
			if (add_filler(f, at))
				return -ENOMEM;
		}
	}
	return 0;
}

static int by_offset(const void *x, const void *y)
{
	const struct percpu_guess *a = x, *b = y;

	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The areas of the @i-th chunk; *@number: what the reference calls it */
static void place(struct percpu_start *s, struct rmm *rmm, uint32_t i, const uint32_t *size,
		  unsigned int *number)
{
	size_t first = s->n;

	for (uint64_t k = 0; k < s->start.chunks[i].areas; k++) {
		rmm_percpu at = get(rmm, size[k]);
		unsigned int in = 0;
		int offset = at == RMM_NO_PERCPU ? -1 : rmm_percpu_where(rmm, at, &in);

		if (offset >= 0 && *number == UINT32_MAX)
			*number = in;
		if (offset < 0 || in != *number) {
			s->unplaced++;
			rmm_free_percpu(rmm, 0, at);
			continue;
		}
		s->guess[s->n++] = (struct percpu_guess){at, size[k], i, (uint32_t)offset};
	}
	qsort(s->guess + first, s->n - first, sizeof(*s->guess), by_offset);
}

static int fill_chunk(struct percpu_start *s, struct rmm *rmm, uint32_t i, struct fillers *f)
{
	const struct proc_percpu_chunk *c = &s->start.chunks[i];
	uint32_t *size = calloc(c->areas + 1, sizeof(*size));
	unsigned int number = UINT32_MAX;
	int err;

	if (!size)
		return -ENOMEM;
	percpu_sizes(c, proc_percpu_used(&s->start, c), size);
	place(s, rmm, i, size, &number);
	err = stuff(rmm, number, f);
	free(size);
	return err;
}

/* The first chunk is there, and the smallest: it comes first. */
int percpu_start_fill(struct percpu_start *s, struct rmm *rmm)
{
	struct fillers f = {0};
	int err = 0;

	for (int first = 1; first >= 0; first--)
		for (uint32_t i = 0; i < s->start.n && !err; i++)
			if (!s->start.chunks[i].reserved && s->start.chunks[i].first == first)
				err = fill_chunk(s, rmm, i, &f);
	while (f.n)
		rmm_free_percpu(rmm, 0, f.at[--f.n]);
	free(f.at);
	if (!err && rmm_percpu_balance_needed(rmm))
		rmm_percpu_balance(rmm, 0);
	return err;
}

/* ---- Frees of what was there ------------------------------------------------ */

/* Guesses of the chunk that has most of them, of those that no chunk of the trace is. */
static uint32_t bind_chunk(struct percpu_start *s)
{
	uint64_t most = 0;
	uint32_t best = LIVE_NONE;

	for (uint32_t i = 0; i < s->start.n; i++) {
		bool taken = false;

		for (size_t k = 0; k <= s->chunk.mask; k++)
			taken |= s->chunk.keys[k] != UINT64_MAX && s->chunk.values[k] == i;
		if (!taken && !s->start.chunks[i].reserved && s->start.chunks[i].areas > most) {
			most = s->start.chunks[i].areas;
			best = i;
		}
	}
	return best;
}

/* Of the trace's chunk: the first one seen is the one with most areas, and so on. */
static uint32_t chunk_of(struct percpu_start *s, uint64_t address)
{
	uint32_t i = live_find(&s->chunk, address >> 32), old;

	if (i != LIVE_NONE)
		return i;
	i = bind_chunk(s);
	if (i != LIVE_NONE && live_put(&s->chunk, address >> 32, i, &old))
		return LIVE_NONE;
	s->chunks_bound += i != LIVE_NONE;
	return i;
}

/* The nearest in that chunk. */
struct percpu_guess *percpu_start_take(struct percpu_start *s, uint64_t address)
{
	bool guessed = s->known && !s->read;
	uint32_t offset = (uint32_t)address, chunk = guessed ? chunk_of(s, address) : LIVE_NONE;
	struct percpu_guess *best = NULL;
	uint32_t nearest = UINT32_MAX;

	for (size_t i = 0; i < s->n && chunk != LIVE_NONE; i++) {
		struct percpu_guess *g = &s->guess[i];
		uint32_t far = g->offset > offset ? g->offset - offset : offset - g->offset;

		if (g->chunk != chunk || g->at == RMM_NO_PERCPU || far >= nearest)
			continue;
		nearest = far;
		best = g;
	}
	s->freed += best != NULL;
	return best;
}
