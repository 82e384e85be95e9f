// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * vmalloc.bpf.c - probes on vmalloc by its tracepoints, which the kernel has
 * since 6.3 (include/trace/events/vmalloc.h); hooks.bpf.c has the functions.
 */
#include "vmalloc.bpf.h"

/* addr, size, align, vstart, vend, failed */
SEC("raw_tp/alloc_vmap_area")
int vmalloc_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct area a = {
		.bytes = ctx->args[1],
		.align = ctx->args[2],
		.region_start = ctx->args[3],
		.caller = ctx,
	};

	if (!(__u32)ctx->args[5])
		a.address = ctx->args[0];
	return record_area(&a);
}

SEC("raw_tp/free_vmap_area_noflush")
int vmalloc_free(struct bpf_raw_tracepoint_args *ctx)
{
	return record_plain(KMT_VMALLOC_FREE, ctx->args[0]);
}

/* start, end, npurged */
SEC("raw_tp/purge_vmap_area_lazy")
int vmalloc_purge(struct bpf_raw_tracepoint_args *ctx)
{
	return record_plain(KMT_VMALLOC_PURGE, (__u32)ctx->args[2]);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
