/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * blockmap.h - a picture of physical memory over time: rows of pageblocks, one
 * column per moment, as the kernel had them.
 */
#ifndef KMEMLAB_BLOCKMAP_H
#define KMEMLAB_BLOCKMAP_H

#include <stdint.h>

#include "replay/observed.h"

enum { BLOCKMAP_ROWS = 1024, BLOCKMAP_COLUMNS = 120 };

struct blockmap_zone {
	uint64_t first_block; /* pageblock number */
	uint64_t blocks;      /* pageblocks */
	uint64_t blocks_per_row;
	unsigned int rows;
	int8_t *type;  /* [row][column]: of most pageblocks; -1: none known */
	uint8_t *used; /* [row][column]: percent of known pages not free */
};

struct blockmap {
	unsigned int columns; /* drawn so far */
	uint64_t time_ns[BLOCKMAP_COLUMNS];
	struct blockmap_zone zones[HOST_ZONES_MAX];
	unsigned int nr_zones;
};

int blockmap_init(struct blockmap *b, const struct host *h);
void blockmap_destroy(struct blockmap *b);

/** blockmap_column() - add the present state; does nothing when full */
void blockmap_column(struct blockmap *b, const struct observed *o, const uint8_t *start_type,
		     uint64_t time_ns);

#endif
