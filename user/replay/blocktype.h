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

/* What a fit works on, by pageblock. */
struct block_fit {
	uint8_t *type;
	const uint8_t *guessed; /* 1 where `type` is a guess and may change */
	const struct block_content *content;
	const struct pagemap *map;
};

/**
 * blocktype_fit() - change guesses to fit /proc/pagetypeinfo
 * @want: pageblocks and free blocks of each type of @zone
 *
 * Pageblocks with free blocks take the type whose free lists lack just such
 * blocks. Of the others, those with the most slab become reclaimable, those with
 * the most kernel pages unmovable, up to the numbers wanted, the rest movable.
 *
 * Return: how many changed, or -ENOMEM.
 */
int64_t blocktype_fit(const struct block_fit *f, unsigned int zone,
		      const struct proc_pagetype *want);

#endif
