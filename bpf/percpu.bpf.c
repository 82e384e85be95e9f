// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * percpu.bpf.c - probes on the per-CPU allocator. Arguments as in the kernel's
 * include/trace/events/percpu.h, 6.1 to 7.2.
 *
 * A chunk's base is page-aligned and the same in its upper bits for all kernel
 * addresses, so base and offset of an area fit one word.
 */
#include "ring.bpf.h"

enum {
	BASE_BITS = 64 - KML_PERCPU_SHIFT,
	FROM_RESERVED = 1,
	ATOMIC = 2,
};

static __always_inline __u64 area(__u64 base, __u64 offset)
{
	__u64 page = base >> PAGE_SHIFT & ((1ull << BASE_BITS) - 1);

	return page << KML_PERCPU_SHIFT | (offset & ((1ull << KML_PERCPU_SHIFT) - 1));
}

static __always_inline __u64 how(__u64 reserved, __u64 atomic)
{
	__u64 detail = (reserved & 1 ? FROM_RESERVED : 0) | (atomic & 1 ? ATOMIC : 0);

	return KML_SLOT_USED | detail << 16;
}

/* Of a power of two, at most a page. */
static __always_inline __u64 order_of(__u64 align)
{
	__u64 order = 0;

	for (int i = 1; i <= PAGE_SHIFT; i++)
		order += align >> i != 0;
	return order;
}

/* call_site, reserved, is_atomic, size, align, base_addr, off, ptr, bytes_alloc, gfp */
SEC("raw_tp/percpu_alloc_percpu")
int percpu_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct event e = {.kind = KMT_PERCPU_ALLOC, .keys = 3, .caller = ctx};

	e.address = area(ctx->args[5], (__u32)ctx->args[6]);
	e.word[0] = how(ctx->args[1], ctx->args[2]) | order_of(ctx->args[4]) | ctx->args[9] << 32;
	e.word[1] = ctx->args[0];
	e.word[2] = (__u32)ctx->args[3] | ctx->args[8] << 32;
	return record(&e);
}

static __always_inline int record_area(__u32 kind, __u64 base, __u64 offset)
{
	struct event e = {.kind = kind, .keys = 1, .address = area(base, offset)};

	e.word[0] = KML_SLOT_USED;
	return record(&e);
}

SEC("raw_tp/percpu_free_percpu")
int percpu_free(struct bpf_raw_tracepoint_args *ctx)
{
	return record_area(KMT_PERCPU_FREE, ctx->args[0], (__u32)ctx->args[1]);
}

/* reserved, is_atomic, size, align */
SEC("raw_tp/percpu_alloc_percpu_fail")
int percpu_fail(struct bpf_raw_tracepoint_args *ctx)
{
	struct event e = {.kind = KMT_PERCPU_FAIL, .keys = 3};

	e.word[0] = how(ctx->args[0], ctx->args[1]);
	e.word[2] = (__u32)ctx->args[2] | ctx->args[3] << 32;
	return record(&e);
}

SEC("raw_tp/percpu_create_chunk")
int percpu_create(struct bpf_raw_tracepoint_args *ctx)
{
	return record_area(KMT_PERCPU_CREATE, ctx->args[0], 0);
}

SEC("raw_tp/percpu_destroy_chunk")
int percpu_destroy(struct bpf_raw_tracepoint_args *ctx)
{
	return record_area(KMT_PERCPU_DESTROY, ctx->args[0], 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
