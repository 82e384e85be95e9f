// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * page.bpf.c - probes on the page allocator.
 *
 * Raw tracepoints, because their arguments are scalars (a trusted page pointer
 * may not be hashed) and their dispatch is the cheapest there is. Arguments as
 * in the kernel's include/trace/events/kmem.h, 6.1 to 7.2.
 */
#include "ring.bpf.h"

SEC("raw_tp/mm_page_alloc")
int page_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {KML_SLOT_USED | (__u32)ctx->args[1] |
				     (ctx->args[3] & 0xff) << 8 | ctx->args[2] << 32};

	if (!r)
		return 0;
	r->count[KML_PAGE_ALLOC].fired++;
	emit(r, KML_PAGE_ALLOC, word, ctx->args[0]);
	return 0;
}

SEC("raw_tp/mm_page_free")
int page_free(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {KML_SLOT_USED | (__u32)ctx->args[1]};

	if (!r)
		return 0;
	r->count[KML_PAGE_FREE].fired++;
	emit(r, KML_PAGE_FREE, word, ctx->args[0]);
	return 0;
}

SEC("raw_tp/mm_page_alloc_zone_locked")
int zone_locked(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {KML_SLOT_USED | (__u32)ctx->args[1] |
				     (ctx->args[2] & 0xff) << 8 | (ctx->args[3] & 1) << 16};

	if (!r)
		return 0;
	r->count[KML_ZONE_LOCKED].fired++;
	emit(r, KML_ZONE_LOCKED, word, ctx->args[0]);
	return 0;
}

SEC("raw_tp/mm_page_alloc_extfrag")
int extfrag(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {KML_SLOT_USED | (ctx->args[1] & 0xff) |
				     (ctx->args[3] & 0xff) << 8 | (ctx->args[2] & 0xff) << 16 |
				     (ctx->args[4] & 0x7f) << 24};

	if (!r)
		return 0;
	r->count[KML_EXTFRAG].fired++;
	emit(r, KML_EXTFRAG, word, ctx->args[0]);
	return 0;
}

SEC("raw_tp/mm_page_pcpu_drain")
int pcpu_drain(struct bpf_raw_tracepoint_args *ctx)
{
	struct kml_ring *r = this_ring();
	__u64 word[KML_DEF_WORDS] = {KML_SLOT_USED | (__u32)ctx->args[1] |
				     (ctx->args[2] & 0xff) << 8};

	if (!r)
		return 0;
	r->count[KML_PCPU_DRAIN].fired++;
	emit(r, KML_PCPU_DRAIN, word, ctx->args[0]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
