/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lru.h - the pages that a modelled reclaim may take, by node.
 *
 *   next taken -> oldest ... youngest			<- allocated
 *   then	    oldest ... youngest of those to spare	<- allocated
 *
 * Links are by the allocator's frame, 9 bytes each; a ring begins and ends at a frame of
 * its own behind the others.
 */
#ifndef KMEMLAB_REPLAY_LRU_H
#define KMEMLAB_REPLAY_LRU_H

#include <stdbool.h>
#include <stdint.h>

enum { LRU_NODES = 256 };
#define LRU_NONE UINT32_MAX

struct lru {
	uint32_t *next, *prev; /* by frame; next is the frame itself: in no ring */
	uint8_t *order;
	uint32_t nr_pfns;
	uint64_t pages[LRU_NODES];
};

/** lru_init() - all rings empty; 0 or -ENOMEM */
int lru_init(struct lru *l, uint64_t nr_pfns);
void lru_destroy(struct lru *l);

static inline bool lru_has(const struct lru *l, uint32_t frame)
{
	return l->next[frame] != frame;
}

/** lru_add() - a block that is in no ring, as the youngest of @node
 *  @spare: to be taken after all others */
void lru_add(struct lru *l, unsigned int node, uint32_t frame, unsigned int order, bool spare);
/** lru_age() - a block in a ring becomes the next to be taken */
void lru_age(struct lru *l, unsigned int node, uint32_t frame);
/** lru_remove() - if it is in a ring */
void lru_remove(struct lru *l, unsigned int node, uint32_t frame);
/** lru_move() - the block's content is at @to now, of the same node */
void lru_move(struct lru *l, uint32_t from, uint32_t to);
/** lru_split() - a block, if it is in a ring, becomes single pages there */
void lru_split(struct lru *l, uint32_t frame);
/** lru_next() - to be taken; LRU_NONE: @node has none */
uint32_t lru_next(const struct lru *l, unsigned int node);

#endif
