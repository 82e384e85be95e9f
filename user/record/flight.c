// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* flight.c - the newest window of a recording, in memory; see flight.h. */
#include "flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/kinds.h>

/* A block; by kind, so that what leaves can be counted off. */
struct kept {
	struct kept *next;
	struct kmt_block head;
	uint32_t kinds[KMT_KINDS];
	unsigned char block[];
};

struct part {
	uint64_t begin_ns;
	void *base;
	struct kept *first, **end; /* where the next block's address goes */
	uint64_t bytes, events, evicted, evicted_to_ns;
	struct part *next;
};

struct flight {
	uint64_t window_ns, max_bytes, bytes;
	struct part *first, *last;
	unsigned int parts, cpus;
	uint64_t (*events)[KMT_KINDS]; /* by CPU */
};

struct flight *flight_new(uint64_t window_ns, uint64_t max_bytes, unsigned int cpus)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->window_ns = window_ns;
	f->max_bytes = max_bytes;
	f->cpus = cpus;
	f->events = calloc(cpus, sizeof(*f->events));
	if (f->events)
		return f;
	free(f);
	return NULL;
}

/* Of the first part: take out the block that *@at points to. */
static void drop(struct flight *f, struct kept **at)
{
	struct kept *k = *at;
	struct part *p = f->first;

	*at = k->next;
	if (p->end == &k->next)
		p->end = at;
	if (k->head.type == KMT_EVENTS) {
		for (int kind = 0; kind < KMT_KINDS; kind++)
			f->events[k->head.cpu][kind] -= k->kinds[kind];
		p->events -= k->head.count;
	}
	p->bytes -= sizeof(*k) + sizeof(k->head) + k->head.stored_bytes;
	f->bytes -= sizeof(*k) + sizeof(k->head) + k->head.stored_bytes;
	free(k);
}

static void drop_part(struct flight *f)
{
	struct part *p = f->first;

	while (p->first)
		drop(f, &p->first);
	f->first = p->next;
	if (!f->first)
		f->last = NULL;
	f->parts--;
	free(p->base);
	free(p);
}

void flight_clear(struct flight *f)
{
	while (f->first)
		drop_part(f);
}

void flight_free(struct flight *f)
{
	if (!f)
		return;
	flight_clear(f);
	free(f->events);
	free(f);
}

int flight_begin(struct flight *f, uint64_t now_ns, void *base)
{
	struct part *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->begin_ns = now_ns;
	p->base = base;
	p->end = &p->first;
	if (f->last)
		f->last->next = p;
	else
		f->first = p;
	f->last = p;
	f->parts++;
	while (f->first->next && f->first->next->begin_ns + f->window_ns <= now_ns)
		drop_part(f);
	return 0;
}

/* The oldest block of the only part that is no snapshot. Return: false: none */
static bool evict(struct flight *f)
{
	struct part *p = f->first;
	struct kept **at = &p->first;

	while (*at && ((*at)->head.flags & KMT_PHASE_START))
		at = &(*at)->next;
	if (!*at)
		return false;
	if ((*at)->head.type == KMT_EVENTS) {
		p->evicted += (*at)->head.count - (*at)->kinds[KMT_TASK];
		if ((*at)->head.t_last_ns > p->evicted_to_ns)
			p->evicted_to_ns = (*at)->head.t_last_ns;
	}
	drop(f, at);
	return true;
}

static void trim(struct flight *f, uint64_t now_ns)
{
	while (f->first->next && f->first->next->begin_ns + f->window_ns <= now_ns)
		drop_part(f);
	while (f->bytes > f->max_bytes) {
		if (f->first->next)
			drop_part(f);
		else if (!evict(f))
			return;
	}
}

static bool worth_keeping(const struct kmt_block *head)
{
	return head->type == KMT_EVENTS || head->type == KMT_ROUND || head->type == KMT_TEXT ||
	       head->type == KMT_PAGES;
}

static int take(void *context, const struct kmt_block *head, const uint32_t *kinds,
		const void *block)
{
	struct flight *f = context;
	size_t bytes = sizeof(*head) + head->stored_bytes;
	struct kept *k;

	/* Header and dictionary are written anew with the window. */
	if (!f->last || !worth_keeping(head) || (head->type == KMT_EVENTS && head->cpu >= f->cpus))
		return 0;
	k = malloc(sizeof(*k) + bytes);
	if (!k)
		return -ENOMEM;
	k->next = NULL;
	k->head = *head;
	memcpy(k->block, block, bytes);
	*f->last->end = k;
	f->last->end = &k->next;
	f->last->bytes += sizeof(*k) + bytes;
	f->bytes += sizeof(*k) + bytes;
	if (kinds) {
		memcpy(k->kinds, kinds, sizeof(k->kinds));
		for (int kind = 0; kind < KMT_KINDS; kind++)
			f->events[head->cpu][kind] += kinds[kind];
		f->last->events += head->count;
	}
	trim(f, head->t_last_ns);
	return 0;
}

struct trace_sink flight_sink(struct flight *f)
{
	return (struct trace_sink){.take = take, .context = f};
}

bool flight_window(const struct flight *f, struct flight_window *out)
{
	const struct part *p = f->first;

	if (!p)
		return false;
	*out = (struct flight_window){
		.begin_ns = p->begin_ns,
		.bytes = f->bytes,
		.evicted = p->evicted,
		.evicted_to_ns = p->evicted_to_ns,
		.base = p->base,
		.parts = f->parts,
	};
	for (; p; p = p->next)
		out->events += p->events;
	return true;
}

uint64_t flight_kept(const struct flight *f, unsigned int cpu, unsigned int kind)
{
	return f->events[cpu][kind];
}

uint64_t flight_part_bytes(const struct flight *f)
{
	return f->last ? f->last->bytes : 0;
}

/* Of later parts' snapshots a reader has no use: it has rolled the state so far. */
int flight_write(const struct flight *f, struct trace_writer *w)
{
	for (const struct part *p = f->first; p; p = p->next) {
		for (const struct kept *k = p->first; k; k = k->next) {
			int err = 0;

			if (p == f->first || !(k->head.flags & KMT_PHASE_START))
				err = trace_writer_copy(w, k->block);
			if (err)
				return err;
		}
	}
	return 0;
}
