/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blocktype.c - guess migrate types, then fit the guesses to known counts. */
#include <stdlib.h>

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

static int heaviest_first(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->weight != b->weight)
		return a->weight < b->weight ? 1 : -1;
	return (a->block > b->block) - (a->block < b->block);
}

/* Guessed pageblocks of the zone, known types left out; those told reduce @want. */
static size_t collect(struct candidate *out, const uint8_t *type, const uint8_t *guessed,
		      const struct pagemap *m, unsigned int zone, uint64_t want[PROC_TYPES])
{
	size_t n = 0;

	for (uint64_t b = 0; b < m->nr_blocks; b++) {
		if (m->block_zone[b] != zone || !m->block_known[b])
			continue;
		if (guessed[b])
			out[n++].block = b;
		else if (type[b] < PROC_TYPES && want[type[b]])
			want[type[b]]--;
	}
	return n;
}

/* Give type @mt to the @count heaviest of those left; return how many are left. */
static size_t assign(struct candidate *c, size_t n, uint8_t *type, uint8_t mt, uint64_t count,
		     uint64_t *changed)
{
	size_t given = count < n ? (size_t)count : n;

	qsort(c, n, sizeof(*c), heaviest_first);
	for (size_t i = 0; i < given; i++) {
		*changed += type[c[i].block] != mt;
		type[c[i].block] = mt;
	}
	for (size_t i = given; i < n; i++)
		c[i - given] = c[i];
	return n - given;
}

uint64_t blocktype_fit(uint8_t *type, const uint8_t *guessed, const struct block_content *content,
		       const struct pagemap *m, unsigned int zone, const uint64_t want[PROC_TYPES])
{
	struct candidate *c = calloc(m->nr_blocks, sizeof(*c));
	uint64_t left[PROC_TYPES], changed = 0;
	size_t n;

	if (!c)
		return 0;
	for (unsigned int i = 0; i < PROC_TYPES; i++)
		left[i] = want[i];
	n = collect(c, type, guessed, m, zone, left);
	for (size_t i = 0; i < n; i++) {
		const struct block_content *k = &content[c[i].block];

		/* Inodes and dentries are slab; little else is beside them. */
		c[i].weight = k->slab > k->kernel ? k->slab - k->kernel : 0;
	}
	n = assign(c, n, type, RECLAIMABLE, left[RECLAIMABLE], &changed);
	for (size_t i = 0; i < n; i++)
		c[i].weight = content[c[i].block].kernel + content[c[i].block].slab;
	n = assign(c, n, type, UNMOVABLE, left[UNMOVABLE], &changed);
	assign(c, n, type, MOVABLE, n, &changed);
	free(c);
	return changed;
}
