/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * page.c - frames and blocks: which block does a frame belong to?
 *
 * A head is aligned to its own size, so a frame's block starts at one of
 * its aligned ancestors (frame 13 asks 13, 12, 12, 8, 0, ...):
 *
 *      order 3   |8 . . . . . . .|        state[8] = ALLOCATED, order 3
 *      frame 13             ^             13 & ~7 = 8, and 8 + 2^3 > 13
 *
 * Only questions and error messages come here; allocation and free always hold
 * a head in hand.
 *
 * Locking: none; while other CPUs work, the answer may be old. Under the zone
 * lock it holds for what is free.
 *
 * Modelled: compound_head(), PageBuddy(). Simplified: found by search instead
 * of by a pointer in each tail. (6.12, include/linux/page-flags.h; LKD3 ch. 12
 * "Pages")
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "layers.h"

/**
 * rmm_find_head() - head of the block that @pfn is in
 *
 * Return: its frame number, or RMM_NO_PFN if @pfn is in no block.
 */
rmm_pfn rmm_find_head(const struct rmm *rmm, rmm_pfn pfn)
{
	for (unsigned int order = 0; order < 32; order++) {
		rmm_pfn head = pfn & ~((1u << order) - 1);
		uint64_t word = RMM_READ(rmm->memmap[head].word);

		if (rmm_word_state(word) == RMM_PG_RESERVED)
			continue;
		/* The nearest head decides: a block holds no other head. */
		if (rmm_word_order(word) >= order)
			return head;
		return RMM_NO_PFN;
	}
	return RMM_NO_PFN;
}

/** rmm_page_to_pfn() - page_to_pfn(): the frame's number; RMM_NO_PFN for what
 *  is no page of this machine */
rmm_pfn rmm_page_to_pfn(const struct rmm *rmm, const struct rmm_page *page)
{
	if (rmm_unlikely(!rmm_is_page(rmm, page)))
		return RMM_NO_PFN;
	return (rmm_pfn)(page - rmm->memmap);
}

/** rmm_pfn_to_page() - pfn_to_online_page(): NULL if no zone spans @pfn */
struct rmm_page *rmm_pfn_to_page(const struct rmm *rmm, rmm_pfn pfn)
{
	if (rmm_pfn_zone(rmm, pfn) < 0)
		return NULL;
	return &rmm->memmap[pfn];
}

/** rmm_pfn_zone() - page_zonenum() for all nodes: -1 if no zone spans @pfn */
int rmm_pfn_zone(const struct rmm *rmm, rmm_pfn pfn)
{
	const struct rmm_zone *z;
	unsigned int id;

	if (pfn >= rmm->end_pfn)
		return -1;
	id = rmm->blocks[pfn >> rmm->config.pageblock_order].zone;
	if (id >= rmm->nr_zones)
		return -1;
	z = &rmm->zone[id];
	if (pfn < z->start_pfn || pfn - z->start_pfn >= z->spanned)
		return -1;
	return (int)id;
}

/** rmm_page_info() - what @pfn is; -ERANGE when no zone spans it */
int rmm_page_info(const struct rmm *rmm, rmm_pfn pfn, struct rmm_page_info *out)
{
	int zone = rmm_pfn_zone(rmm, pfn);
	uint64_t word;

	if (zone < 0)
		return -ERANGE;
	*out = (struct rmm_page_info){.state = RMM_PG_RESERVED};
	out->zone = (uint8_t)zone;
	out->pageblock_type = (uint8_t)rmm_block_type(&rmm->zone[zone], pfn);
	out->head = rmm_find_head(rmm, pfn);
	if (out->head == RMM_NO_PFN) {
		out->head = pfn;
		return 0;
	}
	word = RMM_READ(rmm->memmap[out->head].word);
	out->state =
		out->head == pfn ? (uint8_t)rmm_word_state(word) : RMM_PG_TAIL;
	out->order = (uint8_t)rmm_word_order(word);
	out->migratetype = (uint8_t)rmm_word_type(word);
	if (rmm_word_state(word) == RMM_PG_PCP)
		out->cpu = (uint16_t)~word;
	return 0;
}

/* rmm_state_text() for what is free, its own block or part of a larger one */
static void free_text(const struct rmm_page_info *info, bool head,
		      enum rmm_page_state state, struct rmm_text *text)
{
	size_t at;

	snprintf(text->s, sizeof(text->s), "free on %s list of order %u",
		 state == RMM_PG_PCP ? "a per-CPU" : "a buddy", info->order);
	at = strlen(text->s);
	if (!head)
		snprintf(text->s + at, sizeof(text->s) - at,
			 ", in the block of pfn %u", info->head);
}

/** rmm_state_text() - what @pfn is, in words, for error messages; returns
 *  whether it is free */
bool rmm_state_text(const struct rmm *rmm, rmm_pfn pfn, struct rmm_text *text)
{
	struct rmm_page_info info;
	enum rmm_page_state state;

	if (rmm_page_info(rmm, pfn, &info)) {
		snprintf(text->s, sizeof(text->s), "in no zone (foreign page)");
		return false;
	}
	state = RMM_READ(rmm->memmap[info.head].state);
	if (state == RMM_PG_BUDDY || state == RMM_PG_PCP) {
		free_text(&info, info.head == pfn, state, text);
		return true;
	}
	if (info.state == RMM_PG_TAIL)
		snprintf(text->s, sizeof(text->s),
			 "tail page of pfn %u, order %u", info.head,
			 info.order);
	else
		snprintf(text->s, sizeof(text->s), "%s",
			 state == RMM_PG_ALLOCATED
				 ? "allocated"
				 : "reserved, never allocated");
	return false;
}
