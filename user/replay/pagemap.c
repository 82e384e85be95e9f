/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pagemap.c - blocks of pages: split, join, account.
 *
 * Joining follows __free_one_page(), except that pageblocks of types that the
 * kernel keeps apart (isolated, highatomic, CMA) are not told apart: no event
 * shows them, and they are few.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/pagemap.h"

static void mark_zone(struct pagemap *m, const struct host_zone *z, unsigned int index)
{
	uint64_t first = z->start_pfn >> m->pageblock_order;
	uint64_t end = z->start_pfn + z->spanned;

	for (uint64_t b = first; b << m->pageblock_order < end; b++)
		m->block_zone[b] = (uint8_t)index;
}

int pagemap_init(struct pagemap *m, const struct host *h)
{
	memset(m, 0, sizeof(*m));
	m->nr_pfns = h->nr_pfns;
	m->max_order = h->max_order;
	m->pageblock_order = h->pageblock_order;
	m->nr_blocks = (h->nr_pfns >> m->pageblock_order) + 1;
	m->head = calloc(m->nr_pfns + 1, sizeof(*m->head));
	m->block_zone = malloc(m->nr_blocks);
	m->block_free = calloc(m->nr_blocks, sizeof(*m->block_free));
	m->block_known = calloc(m->nr_blocks, sizeof(*m->block_known));
	/* One more than there are zones: frames of holes are accounted there. */
	m->free_blocks = calloc(HOST_ZONE_NONE + 1, sizeof(*m->free_blocks));
	m->pcp_pages = calloc(HOST_ZONE_NONE + 1, sizeof(*m->pcp_pages));
	if (!m->head || !m->block_zone || !m->block_free || !m->block_known || !m->free_blocks ||
	    !m->pcp_pages) {
		pagemap_destroy(m);
		return -ENOMEM;
	}
	memset(m->block_zone, HOST_ZONE_NONE, m->nr_blocks);
	for (unsigned int i = 0; i < h->nr_zones; i++)
		mark_zone(m, &h->zones[i], i);
	return 0;
}

void pagemap_destroy(struct pagemap *m)
{
	free(m->head);
	free(m->block_zone);
	free(m->block_free);
	free(m->block_known);
	free(m->free_blocks);
	free(m->pcp_pages);
	memset(m, 0, sizeof(*m));
}

uint64_t pagemap_find(const struct pagemap *m, uint64_t pfn, uint8_t *head)
{
	for (unsigned int o = 0; o < HOST_ORDERS; o++) {
		uint64_t at = pfn >> o << o;

		if (m->head[at] && page_head_order(m->head[at]) >= o) {
			*head = m->head[at];
			return at;
		}
	}
	*head = 0;
	return pfn;
}

static void add_pages(const struct pagemap *m, uint16_t *by_block, uint64_t pfn, int64_t pages)
{
	uint64_t block_pages = 1ull << m->pageblock_order;
	uint64_t left = (uint64_t)(pages < 0 ? -pages : pages);

	while (left) {
		uint64_t here = block_pages - (pfn & (block_pages - 1));

		if (here > left)
			here = left;
		by_block[pfn >> m->pageblock_order] +=
			(uint16_t)(pages < 0 ? -(int64_t)here : (int64_t)here);
		pfn += here;
		left -= here;
	}
}

void pagemap_known(struct pagemap *m, uint64_t pfn, uint64_t pages)
{
	add_pages(m, m->block_known, pfn, (int64_t)pages);
}

void pagemap_put_free(struct pagemap *m, uint64_t pfn, unsigned int order)
{
	unsigned int zone = pagemap_zone(m, pfn);
	uint64_t *blocks = m->free_blocks[zone];

	add_pages(m, m->block_free, pfn, 1ll << order);
	while (order < m->max_order) {
		uint64_t buddy = pfn ^ 1ull << order;

		if (buddy >= m->nr_pfns || m->head[buddy] != PAGE_HEAD(PAGE_FREE, order) ||
		    pagemap_zone(m, buddy) != zone)
			break;
		m->head[buddy] = 0;
		blocks[order]--;
		pfn &= buddy;
		order++;
	}
	m->head[pfn] = PAGE_HEAD(PAGE_FREE, order);
	blocks[order]++;
}

void pagemap_put(struct pagemap *m, uint64_t pfn, unsigned int order, enum page_kind kind)
{
	m->head[pfn] = PAGE_HEAD(kind, order);
	if (kind == PAGE_PCP)
		m->pcp_pages[pagemap_zone(m, pfn)] += 1ull << order;
}

void pagemap_take_head(struct pagemap *m, uint64_t pfn, unsigned int order)
{
	unsigned int high = page_head_order(m->head[pfn]);
	uint64_t *blocks = m->free_blocks[pagemap_zone(m, pfn)];

	blocks[high]--;
	m->head[pfn] = 0;
	while (high > order) {
		high--;
		m->head[pfn + (1ull << high)] = PAGE_HEAD(PAGE_FREE, high);
		blocks[high]++;
	}
	add_pages(m, m->block_free, pfn, -(1ll << order));
}

/* Forget a whole block. */
static void drop(struct pagemap *m, uint64_t pfn, uint8_t head)
{
	unsigned int zone = pagemap_zone(m, pfn), order = page_head_order(head);

	m->head[pfn] = 0;
	if (page_head_kind(head) == PAGE_FREE) {
		m->free_blocks[zone][order]--;
		add_pages(m, m->block_free, pfn, -(1ll << order));
	} else if (page_head_kind(head) == PAGE_PCP) {
		m->pcp_pages[zone] -= 1ull << order;
	}
}

/* Put back what is left of block @at when [@pfn, @pfn + 2^@order) is cut out. */
static void put_rest(struct pagemap *m, uint64_t at, uint8_t head, uint64_t pfn, unsigned int order)
{
	for (unsigned int high = page_head_order(head); high > order; high--) {
		uint64_t half = 1ull << (high - 1);
		uint64_t other = pfn & half ? at : at + half;

		if (page_head_kind(head) == PAGE_FREE)
			pagemap_put_free(m, other, high - 1);
		else
			pagemap_put(m, other, high - 1, page_head_kind(head));
		if (pfn & half)
			at += half;
	}
}

void pagemap_detach(struct pagemap *m, uint64_t pfn, unsigned int order, uint64_t pages[PAGE_KINDS])
{
	uint64_t end = pfn + (1ull << order);
	uint64_t unknown = 0;

	for (uint64_t at = pfn; at < end;) {
		uint8_t head;
		uint64_t start = pagemap_find(m, at, &head);
		uint64_t size = head ? 1ull << page_head_order(head) : 1;
		enum page_kind kind = page_head_kind(head);

		if (head)
			drop(m, start, head);
		if (size > end - pfn) {
			put_rest(m, start, head, pfn, order);
			size = end - pfn;
		}
		pages[kind] += size;
		if (kind == PAGE_NONE || kind == PAGE_RESERVED)
			unknown += size;
		at += size;
	}
	if (unknown)
		pagemap_known(m, pfn, unknown);
}
