/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blocktype.c - guess migrate types, then fit the guesses to known counts. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "replay/blocktype.h"
#include "trace/trace_io.h"

enum { UNMOVABLE = 0, MOVABLE = 1, RECLAIMABLE = 2 };

static uint32_t *counter(struct block_content *c, uint8_t state)
{
	switch (state) {
	case KMT_PG_KERNEL:
	case KMT_PG_PGTABLE:
		return &c->kernel;
	case KMT_PG_SLAB:
		return &c->slab;
	case KMT_PG_ANON:
	case KMT_PG_FILE:
	case KMT_PG_HUGE:
		return &c->movable;
	default:
		return NULL;
	}
}

void blocktype_content(struct block_content *content, const struct pagemap *m, uint64_t pfn,
		       const struct trace_page_run *run)
{
	struct block_content none;
	uint64_t end = pfn + (run->blocks << run->order), block_pages = 1ull << m->pageblock_order;

	if (!counter(&none, run->state))
		return;
	if (end > m->nr_pfns)
		end = m->nr_pfns;
	while (pfn < end) {
		uint64_t next = (pfn & ~(block_pages - 1)) + block_pages;

		if (next > end)
			next = end;
		*counter(&content[pfn >> m->pageblock_order], run->state) += (uint32_t)(next - pfn);
		pfn = next;
	}
}

uint8_t blocktype_guess(const struct block_content *c)
{
	return c->kernel + c->slab > c->movable ? UNMOVABLE : MOVABLE;
}

struct candidate {
	uint64_t block;
	uint32_t weight;
};

struct fitting {
	const struct block_fit *f;
	struct candidate *c;
	size_t n;
	int64_t blocks[PROC_TYPES];	       /* of each type, still to be given */
	int64_t free[PROC_TYPES][PROC_ORDERS]; /* free blocks that still lack a type */
	int64_t changed;
};

static int heaviest_first(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->weight != b->weight)
		return a->weight < b->weight ? 1 : -1;
	return (a->block > b->block) - (a->block < b->block);
}

/* Free blocks that begin in the pageblock, by order. */
static void free_in(const struct pagemap *m, uint64_t block, uint32_t free[PROC_ORDERS])
{
	uint64_t pfn = block << m->pageblock_order, end = (block + 1) << m->pageblock_order;

	memset(free, 0, PROC_ORDERS * sizeof(*free));
	for (; pfn < end && pfn < m->nr_pfns; pfn++)
		if (page_head_kind(m->head[pfn]) == PAGE_FREE)
			free[page_head_order(m->head[pfn])]++;
}

static void take_type(struct fitting *t, uint64_t block, unsigned int type)
{
	uint32_t free[PROC_ORDERS];

	if (type >= PROC_TYPES)
		return;
	free_in(t->f->map, block, free);
	t->blocks[type]--;
	for (unsigned int o = 0; o < PROC_ORDERS; o++)
		t->free[type][o] -= free[o];
}

/* Guessed pageblocks are candidates; what is told is taken off what is wanted. */
static void collect(struct fitting *t, unsigned int zone)
{
	const struct pagemap *m = t->f->map;

	for (uint64_t b = 0; b < m->nr_blocks; b++) {
		if (m->block_zone[b] != zone || !m->block_known[b])
			continue;
		if (t->f->guessed[b])
			t->c[t->n++].block = b;
		else
			take_type(t, b, t->f->type[b]);
	}
}

static void give(struct fitting *t, uint64_t block, uint8_t type)
{
	t->changed += t->f->type[block] != type;
	t->f->type[block] = type;
	take_type(t, block, type);
}

/* Free pages of the pageblock that the type's lists lack. */
static int64_t fits(const struct fitting *t, const uint32_t free[PROC_ORDERS], unsigned int type)
{
	int64_t pages = 0;

	for (unsigned int o = 0; o < PROC_ORDERS; o++) {
		int64_t lack = t->free[type][o] > 0 ? t->free[type][o] : 0;

		pages += (lack < free[o] ? lack : (int64_t)free[o]) << o;
	}
	return pages;
}

/* Which type lacks the most of what is free in it? The guess wins a tie. */
static bool fit_free(struct fitting *t, uint64_t block)
{
	uint32_t free[PROC_ORDERS];
	unsigned int best = t->f->type[block];
	int64_t most;

	free_in(t->f->map, block, free);
	most = fits(t, free, best);
	for (unsigned int type = 0; type < PROC_TYPES; type++) {
		int64_t pages = t->blocks[type] > 0 ? fits(t, free, type) : 0;

		if (pages > most) {
			most = pages;
			best = type;
		}
	}
	if (most)
		give(t, block, (uint8_t)best);
	return most > 0;
}

static void fit_by_free(struct fitting *t)
{
	size_t left = 0;

	for (size_t i = 0; i < t->n; i++)
		t->c[i].weight = t->f->map->block_free[t->c[i].block];
	qsort(t->c, t->n, sizeof(*t->c), heaviest_first);
	for (size_t i = 0; i < t->n; i++)
		if (!fit_free(t, t->c[i].block))
			t->c[left++] = t->c[i];
	t->n = left;
}

/* Give @type to the heaviest of those left, as many as are wanted. */
static void fit_by_weight(struct fitting *t, uint8_t type)
{
	size_t given = 0, wanted = t->blocks[type] > 0 ? (size_t)t->blocks[type] : 0;

	qsort(t->c, t->n, sizeof(*t->c), heaviest_first);
	for (; given < wanted && given < t->n; given++)
		give(t, t->c[given].block, type);
	t->n -= given;
	memmove(t->c, t->c + given, t->n * sizeof(*t->c));
}

static void fit_by_content(struct fitting *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct block_content *k = &t->f->content[t->c[i].block];

		/* Inodes and dentries are slab; little else is beside them. */
		t->c[i].weight = k->slab > k->kernel ? k->slab - k->kernel : 0;
	}
	fit_by_weight(t, RECLAIMABLE);
	for (size_t i = 0; i < t->n; i++) {
		const struct block_content *k = &t->f->content[t->c[i].block];

		t->c[i].weight = k->kernel + k->slab;
	}
	fit_by_weight(t, UNMOVABLE);
	for (size_t i = 0; i < t->n; i++)
		give(t, t->c[i].block, MOVABLE);
}

/* The second pageblock of a free block that spans two is of the first one's type. */
static void follow_heads(const struct block_fit *f, unsigned int zone)
{
	const struct pagemap *m = f->map;

	for (uint64_t b = 0; b < m->nr_blocks; b++) {
		uint64_t pfn = b << m->pageblock_order;
		unsigned int order;

		if (m->block_zone[b] != zone || page_head_kind(m->head[pfn]) != PAGE_FREE)
			continue;
		order = page_head_order(m->head[pfn]);
		for (uint64_t i = 1; i < 1ull << order >> m->pageblock_order; i++)
			f->type[b + i] = f->type[b];
	}
}

int64_t blocktype_fit(const struct block_fit *f, unsigned int zone,
		      const struct proc_pagetype *want)
{
	struct fitting t = {.f = f, .c = calloc(f->map->nr_blocks, sizeof(*t.c))};

	if (!t.c)
		return -ENOMEM;
	for (unsigned int i = 0; i < PROC_TYPES; i++) {
		t.blocks[i] = (int64_t)want->pageblocks[i];
		for (unsigned int o = 0; o < PROC_ORDERS; o++)
			t.free[i][o] = (int64_t)want->free[i][o];
	}
	collect(&t, zone);
	fit_by_free(&t);
	fit_by_content(&t);
	follow_heads(f, zone);
	free(t.c);
	return t.changed;
}
