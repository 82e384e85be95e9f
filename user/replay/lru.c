/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lru.c - rings of frames. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/lru.h"

int lru_init(struct lru *l, uint64_t nr_pfns)
{
	uint64_t n = nr_pfns + 2 * LRU_NODES;

	memset(l, 0, sizeof(*l));
	l->next = malloc(n * sizeof(*l->next));
	l->prev = malloc(n * sizeof(*l->prev));
	l->order = calloc(nr_pfns + 1, 1);
	if (!l->next || !l->prev || !l->order)
		return -ENOMEM;
	l->nr_pfns = (uint32_t)nr_pfns;
	for (uint32_t i = 0; i < n; i++)
		l->next[i] = l->prev[i] = i;
	return 0;
}

void lru_destroy(struct lru *l)
{
	free(l->next);
	free(l->prev);
	free(l->order);
	memset(l, 0, sizeof(*l));
}

static void link_behind(struct lru *l, uint32_t before, uint32_t frame)
{
	l->prev[frame] = before;
	l->next[frame] = l->next[before];
	l->prev[l->next[before]] = frame;
	l->next[before] = frame;
}

static void take_out(struct lru *l, uint32_t frame)
{
	l->next[l->prev[frame]] = l->next[frame];
	l->prev[l->next[frame]] = l->prev[frame];
	l->next[frame] = l->prev[frame] = frame;
}

void lru_add(struct lru *l, unsigned int node, uint32_t frame, unsigned int order, bool spare)
{
	uint32_t ring = l->nr_pfns + 2 * node + spare;

	l->order[frame] = (uint8_t)order;
	l->pages[node] += 1ull << order;
	link_behind(l, l->prev[ring], frame);
}

void lru_age(struct lru *l, unsigned int node, uint32_t frame)
{
	take_out(l, frame);
	link_behind(l, l->nr_pfns + 2 * node, frame);
}

void lru_remove(struct lru *l, unsigned int node, uint32_t frame)
{
	if (!lru_has(l, frame))
		return;
	l->pages[node] -= 1ull << l->order[frame];
	take_out(l, frame);
}

void lru_move(struct lru *l, uint32_t from, uint32_t to)
{
	uint32_t before = l->prev[from];

	if (!lru_has(l, from))
		return;
	take_out(l, from);
	l->order[to] = l->order[from];
	link_behind(l, before, to);
}

void lru_split(struct lru *l, uint32_t frame)
{
	uint32_t n = 1u << l->order[frame];

	if (!lru_has(l, frame))
		return;
	for (uint32_t i = n - 1; i > 0; i--) {
		l->order[frame + i] = 0;
		link_behind(l, frame, frame + i);
	}
	l->order[frame] = 0;
}

uint32_t lru_next(const struct lru *l, unsigned int node)
{
	uint32_t ring = l->nr_pfns + 2 * node, first = l->next[ring];

	if (first == ring)
		first = l->next[ring + 1];

	return first < l->nr_pfns ? first : LRU_NONE;
}
