/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * areas_percpu.c - per-CPU memory: the areas of the start where they were read, what
 * events do to it, and the end.
 *
 * An event while the start was read is in it or not; by the place one sees, as with
 * vmalloc's areas (areas_vmalloc.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/areas.h"
#include "trace/trace_io.h"

enum {
	ALIGN_BYTES = 8,   /* where the trace does not tell */
	FROM_RESERVED = 1, /* fallback_type of PERCPU_ALLOC */
	ATOMIC = 2,
};

static unsigned int gfp_of(const struct kmt_class *c)
{
	return c->fallback_type & ATOMIC ? RMM_GFP_NOWAIT : RMM_GFP_KERNEL;
}

/* In bytes. Traces of before it was recorded have order 0; the kernel asks for 4 at least. */
static size_t align_of(const struct kmt_class *c)
{
	if (c->order)
		return (size_t)1 << (c->order & 15);
	return c->bytes_req < ALIGN_BYTES ? RMM_PCPU_MIN_ALLOC : ALIGN_BYTES;
}

static void give_back(struct areas *a, unsigned int cpu, rmm_percpu at)
{
	if (at && rmm_free_percpu(a->rmm, cpu, at))
		a->percpu_counts.ref_refused++;
}

/* ---- The start ----------------------------------------------------------- */

/* Modules' static variables: refmm has none, but that they are there is known. */
static int keep_reserved(struct areas *a, uint64_t address)
{
	const struct area none = {0};

	return areas_keep(a, &a->percpu, address, &none);
}

static int keep_all(struct areas *a, const struct snapshot_chunk *c, const rmm_percpu *name)
{
	int err = 0;

	for (size_t i = 0; i < c->n && !err; i++) {
		uint64_t address = (uint64_t)c->number << 32 | c->area[i].offset;
		const struct area area = {.at = name[i], .size = c->area[i].bytes};

		if (c->reserved) {
			err = keep_reserved(a, address);
			continue;
		}
		a->percpu_counts.live += area.size;
		err = areas_keep(a, &a->percpu, address, &area);
	}
	return err;
}

static int load_chunk(struct areas *a, const struct snapshot_chunk *c)
{
	const struct rmm_percpu_load load = {
		.first = c->first,
		.isolated = c->isolated,
		.slot = c->slot,
		.populated = c->populated,
		.area = c->area,
		.n = c->n,
	};
	rmm_percpu *name = calloc(c->n + 1, sizeof(*name));
	int err;

	if (!name)
		return -ENOMEM;
	if (!c->reserved && rmm_percpu_load(a->rmm, &load, name))
		a->percpu_start.refused += c->n;
	err = keep_all(a, c, name);
	free(name);
	return err;
}

int areas_percpu_load(struct areas *a)
{
	const struct percpu_snapshot *s = &a->percpu_start.first;
	int err = 0;

	for (size_t i = 0; i < s->n && !err; i++)
		err = load_chunk(a, &s->chunk[i]);
	return err;
}

/* ---- Events ---------------------------------------------------------------- */

/* @of: a reading of @s */
static bool while_read(const struct percpu_start *s, const struct percpu_snapshot *of,
		       const struct trace_event *e)
{
	return s->read && of->known && e->time_ns >= of->t_first_ns && e->time_ns <= of->t_last_ns;
}

static void balance(struct areas *a, unsigned int cpu)
{
	if (rmm_percpu_balance_needed(a->rmm))
		rmm_percpu_balance(a->rmm, cpu);
}

static int alloc(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	struct area area = {.size = c->bytes_req}, old;

	if (while_read(&a->percpu_start, &a->percpu_start.first, e) &&
	    live_find(&a->percpu, e->address) != LIVE_NONE)
		return 0;
	a->percpu_start.allocs++;
	if (c->fallback_type & FROM_RESERVED)
		return keep_reserved(a, e->address);
	/* Given out again: it was freed unseen. */
	if (areas_take(a, &a->percpu, e->address, &old)) {
		a->percpu_counts.alloc_of_live++;
		a->percpu_counts.live -= old.size;
		give_back(a, e->cpu, old.at);
	}
	a->percpu_counts.align_unknown += !c->order;
	area.at = rmm___alloc_percpu_gfp(a->rmm, e->cpu, area.size, align_of(c), gfp_of(c));
	a->percpu_counts.ref_failed += area.at == RMM_NO_PERCPU;
	balance(a, e->cpu);
	areas_count(&a->percpu_counts, area.size);
	return areas_keep(a, &a->percpu, e->address, &area);
}

static void release(struct areas *a, const struct trace_event *e)
{
	struct percpu_guess *guess;
	struct area area;

	if (while_read(&a->percpu_start, &a->percpu_start.first, e) &&
	    live_find(&a->percpu, e->address) == LIVE_NONE)
		return;
	a->percpu_counts.frees++;
	a->percpu_start.frees++;
	if (areas_take(a, &a->percpu, e->address, &area)) {
		a->percpu_counts.live -= area.size;
		give_back(a, e->cpu, area.at);
		balance(a, e->cpu);
		return;
	}
	guess = percpu_start_take(&a->percpu_start, e->address);
	if (!guess) {
		a->percpu_counts.free_unknown++;
		return;
	}
	a->percpu_counts.live -= guess->bytes;
	give_back(a, e->cpu, guess->at);
	guess->at = RMM_NO_PERCPU;
	balance(a, e->cpu);
}

int areas_percpu_feed(struct areas *a, const struct trace_event *e, const struct kmt_class *c)
{
	struct percpu_start *s = &a->percpu_start;
	uint32_t old;

	if ((s->known && e->time_ns <= s->start_ns) || (s->end_known && e->time_ns > s->end_ns))
		return 0;
	if (while_read(s, &s->last, e) && live_put(&s->unsure, e->address, 0, &old))
		return -ENOMEM;
	if (e->kind == KMT_PERCPU_ALLOC)
		return alloc(a, e, c);
	release(a, e);
	return 0;
}

/* ---- The end --------------------------------------------------------------- */

static uint64_t rounded(uint64_t bytes)
{
	return (bytes + RMM_PCPU_MIN_ALLOC - 1) / RMM_PCPU_MIN_ALLOC * RMM_PCPU_MIN_ALLOC;
}

/* Is @bytes at @address of the kernel's live by the events, too? Modules' areas have no
 * size here: their chunk is not always found. */
static bool meet(struct areas *a, uint64_t address, uint32_t bytes)
{
	struct percpu_met *m = &a->percpu_start.meeting;
	uint32_t mine = live_find(&a->percpu, address);
	uint64_t size = mine == LIVE_NONE ? 0 : a->area[mine].size;

	if (live_find(&a->percpu_start.unsure, address) != LIVE_NONE)
		return false;
	m->missing += mine == LIVE_NONE;
	m->other_size += size && rounded(size) != bytes;
	return size != 0;
}

void areas_percpu_meet_end(struct areas *a)
{
	struct percpu_start *s = &a->percpu_start;
	uint64_t both = 0;

	if (!s->read || !s->last.known)
		return;
	s->met = true;
	for (size_t i = 0; i < s->last.n; i++) {
		const struct snapshot_chunk *c = &s->last.chunk[i];

		for (size_t k = 0; k < c->n; k++)
			both += meet(a, (uint64_t)c->number << 32 | c->area[k].offset,
				     c->area[k].bytes);
	}
	for (size_t i = 0; i <= a->percpu.mask; i++)
		s->meeting.unexpected += a->percpu.keys[i] != UINT64_MAX &&
					 a->area[a->percpu.values[i]].size &&
					 live_find(&s->unsure, a->percpu.keys[i]) == LIVE_NONE;
	s->meeting.unexpected -= both;
	s->meeting.unsure = s->unsure.used;
}
