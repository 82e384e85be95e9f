/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blockmap.c - bin pageblocks into rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/blockmap.h"

int blockmap_init(struct blockmap *b, const struct host *h)
{
	memset(b, 0, sizeof(*b));
	b->nr_zones = h->nr_zones;
	for (unsigned int i = 0; i < h->nr_zones; i++) {
		const struct host_zone *from = &h->zones[i];
		struct blockmap_zone *z = &b->zones[i];
		uint64_t end = from->start_pfn + from->spanned;
		size_t cells;

		z->first_block = from->start_pfn >> h->pageblock_order;
		z->blocks = ((end - 1) >> h->pageblock_order) + 1 - z->first_block;
		z->blocks_per_row = (z->blocks + BLOCKMAP_ROWS - 1) / BLOCKMAP_ROWS;
		z->rows = (unsigned int)((z->blocks + z->blocks_per_row - 1) / z->blocks_per_row);
		cells = (size_t)z->rows * BLOCKMAP_COLUMNS;
		z->type = malloc(cells);
		z->used = calloc(cells, 1);
		if (!z->type || !z->used) {
			blockmap_destroy(b);
			return -ENOMEM;
		}
	}
	return 0;
}

void blockmap_destroy(struct blockmap *b)
{
	for (unsigned int i = 0; i < b->nr_zones; i++) {
		free(b->zones[i].type);
		free(b->zones[i].used);
	}
	memset(b, 0, sizeof(*b));
}

/* Most pageblocks of the row with known pages; the lower type number on a tie. */
static int8_t majority(const uint64_t votes[OBSERVED_TYPES])
{
	int best = -1;

	for (int t = 0; t < OBSERVED_TYPES; t++)
		if (votes[t] && (best < 0 || votes[t] > votes[best]))
			best = t;
	return (int8_t)best;
}

/* What events said last; before they did, what the start state was taken for. */
static uint8_t type_of(const struct observed *o, const uint8_t *start_type, uint64_t block)
{
	if (o->block_type[block] == OBSERVED_NO_TYPE && start_type)
		return start_type[block];
	return o->block_type[block];
}

static void draw_row(struct blockmap *b, struct blockmap_zone *z, unsigned int row,
		     const struct observed *o, const uint8_t *start_type)
{
	size_t cell = (size_t)row * BLOCKMAP_COLUMNS + b->columns;
	uint64_t first = row * z->blocks_per_row, end = first + z->blocks_per_row;
	uint64_t votes[OBSERVED_TYPES] = {0}, known = 0, unused = 0;

	for (uint64_t i = first; i < end && i < z->blocks; i++) {
		uint64_t block = z->first_block + i;
		uint8_t type = type_of(o, start_type, block);

		if (!o->map.block_known[block])
			continue;
		known += o->map.block_known[block];
		unused += o->map.block_free[block];
		votes[type < OBSERVED_TYPES ? type : 1]++;
	}
	z->type[cell] = majority(votes);
	z->used[cell] = known > unused ? (uint8_t)(100 * (known - unused) / known) : 0;
}

void blockmap_column(struct blockmap *b, const struct observed *o, const uint8_t *start_type,
		     uint64_t time_ns)
{
	if (b->columns == BLOCKMAP_COLUMNS)
		return;
	b->time_ns[b->columns] = time_ns;
	for (unsigned int i = 0; i < b->nr_zones; i++)
		for (unsigned int row = 0; row < b->zones[i].rows; row++)
			draw_row(b, &b->zones[i], row, o, start_type);
	b->columns++;
}
