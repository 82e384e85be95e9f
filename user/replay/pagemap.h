/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pagemap.h - where the kernel keeps every page: one byte a page.
 *
 * A block is an aligned run of 2^order pages of one kind. The byte of its first
 * page (its head) holds kind and order; the bytes of the others are 0, which
 * is also what a page that was never seen has:
 *
 *      pfn     8        9   10   11   12   13   14   15
 *      byte  FREE|2     0    0    0  LIVE|0 PCP|1  0  RESERVED
 *              `--- order 2 ---'           `----'
 *
 * Invariants: blocks do not overlap; a free block's buddy is not a free block
 * of the same order (maximal coalescing), so which pages are free determines
 * the blocks; free_blocks[zone][o] = number of FREE heads of order o;
 * pcp_pages[zone] = pages in PCP blocks; block_free[b] = free pages of
 * pageblock b.
 */
#ifndef KMEMLAB_PAGEMAP_H
#define KMEMLAB_PAGEMAP_H

#include <stdint.h>

#include "replay/host.h"

enum page_kind {
	PAGE_NONE = 0,	   /* never seen, a hole, or inside a block */
	PAGE_RESERVED = 1, /* not given to the allocator */
	PAGE_FREE = 2,	   /* on the buddy lists */
	PAGE_PCP = 3,	   /* on a per-CPU list */
	PAGE_LIVE = 4,	   /* allocated */
	PAGE_TAKEN = 5,	   /* left the buddy lists, its allocation is to follow */
	PAGE_START = 6,	   /* at start: allocated or on a per-CPU list, no flag tells */
	PAGE_KINDS = 7,
};

#define PAGE_HEAD(kind, order) ((uint8_t)((kind) | (order) << 3))

static inline enum page_kind page_head_kind(uint8_t head)
{
	return (enum page_kind)(head & 7);
}

static inline unsigned int page_head_order(uint8_t head)
{
	return head >> 3 & 15;
}

struct pagemap {
	uint8_t *head; /* by pfn */
	uint64_t nr_pfns;
	unsigned int max_order, pageblock_order;
	uint64_t nr_blocks;		      /* pageblocks */
	uint8_t *block_zone;		      /* by pageblock: zone, HOST_ZONE_NONE in holes */
	uint16_t *block_free;		      /* by pageblock: pages in free blocks */
	uint16_t *block_known;		      /* by pageblock: pages neither reserved nor unseen */
	uint64_t (*free_blocks)[HOST_ORDERS]; /* by zone */
	uint64_t *pcp_pages;		      /* by zone */
};

/** pagemap_init() - all pages PAGE_NONE; 0 or -ENOMEM */
int pagemap_init(struct pagemap *m, const struct host *h);
void pagemap_destroy(struct pagemap *m);

static inline unsigned int pagemap_zone(const struct pagemap *m, uint64_t pfn)
{
	return m->block_zone[pfn >> m->pageblock_order];
}

/** pagemap_find() - head of the block that holds @pfn, and its byte (0: none) */
uint64_t pagemap_find(const struct pagemap *m, uint64_t pfn, uint8_t *head);

/** pagemap_put_free() - block to the buddy lists, joined with its buddies; its
 *  pages must be in no block */
void pagemap_put_free(struct pagemap *m, uint64_t pfn, unsigned int order);

/** pagemap_put() - block of another kind; its pages must be in no block */
void pagemap_put(struct pagemap *m, uint64_t pfn, unsigned int order, enum page_kind kind);

/** pagemap_take_head() - the low 2^@order pages of the free block headed by
 *  @pfn leave the buddy lists; the rest stays, split. They are in no block. */
void pagemap_take_head(struct pagemap *m, uint64_t pfn, unsigned int order);

/**
 * pagemap_detach() - take [@pfn, @pfn + 2^@order) out of whatever blocks hold it
 * @pages: incremented, by kind found
 * Rests of larger blocks stay, split, of the same kind.
 */
void pagemap_detach(struct pagemap *m, uint64_t pfn, unsigned int order,
		    uint64_t pages[PAGE_KINDS]);

/** pagemap_known() - @pages from @pfn on have been seen for the first time */
void pagemap_known(struct pagemap *m, uint64_t pfn, uint64_t pages);

#endif
