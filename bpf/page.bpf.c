// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * page.bpf.c - probes on the page allocator.
 *
 * Raw tracepoints, because their arguments are scalars (a trusted page pointer
 * may not be hashed) and their dispatch is the cheapest there is. Arguments as
 * in the kernel's include/trace/events/kmem.h, 6.1 to 7.2.
 */
#include "ring.bpf.h"

/* A page event: its slot is told by one word, and by its stack if @caller is given. */
static __always_inline int record_page(__u32 kind, __u64 page, __u64 word, void *caller)
{
	struct event e = {.kind = kind, .keys = 1, .address = page, .caller = caller};

	e.word[0] = KML_SLOT_USED | word;
	return record(&e);
}

SEC("raw_tp/mm_page_alloc")
int page_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 order = (__u32)ctx->args[1], gfp = ctx->args[2], type = ctx->args[3] & 0xff;

	return record_page(KML_PAGE_ALLOC, ctx->args[0], order | type << 8 | gfp << 32, ctx);
}

SEC("raw_tp/mm_page_free")
int page_free(struct bpf_raw_tracepoint_args *ctx)
{
	return record_page(KML_PAGE_FREE, ctx->args[0], (__u32)ctx->args[1], NULL);
}

SEC("raw_tp/mm_page_alloc_zone_locked")
int zone_locked(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 order = (__u32)ctx->args[1], type = ctx->args[2] & 0xff, refill = ctx->args[3] & 1;

	return record_page(KML_ZONE_LOCKED, ctx->args[0], order | type << 8 | refill << 16, NULL);
}

SEC("raw_tp/mm_page_alloc_extfrag")
int extfrag(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 order = ctx->args[1] & 0xff, fallback_order = ctx->args[2] & 0xff;
	__u64 type = ctx->args[3] & 0xff, fallback_type = ctx->args[4] & 0x7f;

	return record_page(KML_EXTFRAG, ctx->args[0],
			   order | type << 8 | fallback_order << 16 | fallback_type << 24, ctx);
}

SEC("raw_tp/mm_page_pcpu_drain")
int pcpu_drain(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 order = (__u32)ctx->args[1], type = ctx->args[2] & 0xff;

	return record_page(KML_PCPU_DRAIN, ctx->args[0], order | type << 8, NULL);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
