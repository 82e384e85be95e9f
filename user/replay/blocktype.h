/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * blocktype.h - migrate types of pageblocks from what they hold.
 */
#ifndef KMEMLAB_BLOCKTYPE_H
#define KMEMLAB_BLOCKTYPE_H

#include <stdint.h>

#include "common/procfs.h"
#include "replay/pagemap.h"
#include "replay/chunks.h"

/* What a pageblock held in the snapshot, in pages. */
struct block_content {
	uint32_t kernel; /* allocated, no flag; page tables; hugetlb is movable */
	uint32_t slab;
	uint32_t movable; /* anonymous, file, hugetlb */
};

/** blocktype_content() - count a run of the snapshot into @content, by pageblock */
void blocktype_content(struct block_content *content, const struct pagemap *m, uint64_t pfn,
		       const struct trace_page_run *run);

/** blocktype_guess() - type by majority: movable where nothing is allocated */
uint8_t blocktype_guess(const struct block_content *c);

/**
 * blocktype_fit() - change guesses to fit the numbers of pageblocks by type
 * @type: by pageblock
 * @guessed: by pageblock: 1 where @type is a guess and may change
 * @want: pageblocks of each type, of @zone
 *
 * What holds the most kernel pages becomes unmovable, what holds the most slab
 * reclaimable, the rest movable. Return: how many changed.
 */
uint64_t blocktype_fit(uint8_t *type, const uint8_t *guessed, const struct block_content *content,
		       const struct pagemap *m, unsigned int zone, const uint64_t want[PROC_TYPES]);

#endif
