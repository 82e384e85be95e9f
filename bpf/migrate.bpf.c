// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * migrate.bpf.c - targets of migrations that are mapped, from the page table
 * entry that the kernel makes for them. What maps no page stays unseen, so it is
 * attached only where hooks.bpf.c cannot be.
 */
#include "ring.bpf.h"

enum {
	PTE_PRESENT = 1 << 0,
	PTE_PROT_NONE = 1 << 8,
};

#define PTE_FRAME 0x000ffffffffff000ull

/* addr, pte, order */
SEC("raw_tp/remove_migration_pte")
int migrate_pte(struct bpf_raw_tracepoint_args *ctx)
{
	struct event e = {.kind = KMT_MIGRATE_PTE, .keys = 1};
	__u64 pte = ctx->args[1], order = (__u32)ctx->args[2], pfn;

	/* An entry that the processor must not follow holds its frame inverted (L1TF). */
	if ((pte & (PTE_PRESENT | PTE_PROT_NONE)) == PTE_PROT_NONE)
		pte = ~pte;
	/* Of a large folio, mapped page by page, its first page. */
	pfn = (pte & PTE_FRAME) >> PAGE_SHIFT & -(1ull << (order & 31));
	e.address = vmemmap_base + pfn * page_struct_bytes;
	e.word[0] = KML_SLOT_USED | order;
	return record(&e);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
