/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * page_table.bpf.h - the page behind an address of the kernel's, by its page tables, which
 * all processes share:
 *
 *   mm->pgd --48..56--> (5 levels) --39..47--> --30..38--> --21..29--> --12..20--> page
 */
#ifndef KMEMLAB_PAGE_TABLE_BPF_H
#define KMEMLAB_PAGE_TABLE_BPF_H

#include "lists.bpf.h"
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct {
	void *pgd;
};

struct task_struct___mm {
	struct mm_struct *mm;
};

#pragma clang attribute pop

enum {
	TABLE_PRESENT = 1,
	TABLE_LARGE = 1 << 7,
	TABLE_ENTRIES = 512,
	TABLE_SHIFT = 9,
	LOWEST_SHIFT = 12,
	HIGHEST_SHIFT = 48,
};

#define TABLE_FRAME 0x000ffffffffff000
/* Below it the direct map lies with five levels of page tables only. */
#define FOUR_LEVELS_START 0xffff800000000000

/* Of the running task, which has an address space. 0: no page, or a large one */
static __always_inline __u64 pfn_behind(__u64 address, __u64 page_offset)
{
	struct task_struct___mm *task = (void *)bpf_get_current_task();
	__u64 table = (__u64)BPF_CORE_READ(task, mm, pgd), entry = 0;

	for (int shift = HIGHEST_SHIFT; shift >= LOWEST_SHIFT; shift -= TABLE_SHIFT) {
		if (shift == HIGHEST_SHIFT && page_offset >= FOUR_LEVELS_START)
			continue;
		entry = word_at(table + (address >> shift & (TABLE_ENTRIES - 1)) * sizeof(entry));
		if (!(entry & TABLE_PRESENT) || (shift != LOWEST_SHIFT && entry & TABLE_LARGE))
			return 0;
		table = page_offset + (entry & TABLE_FRAME);
	}
	return (entry & TABLE_FRAME) >> LOWEST_SHIFT;
}

#endif
