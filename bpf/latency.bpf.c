// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * latency.bpf.c - entry to exit of the allocation functions, by fentry and fexit.
 *
 * Where a call began is kept in a table of fixed size, at a place that the call's
 * own frame on the kernel's stack gives: both programs of a call see the same
 * frame, and no other call under way has it. A call whose place another took is
 * counted as missed. Nothing here writes to a ring.
 */
#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <kmemlab/latency.h>

struct kml_latency_call pending[KML_LATENCY_PENDING];
struct kml_latency_sample sample[KML_LATENCY_SAMPLES];
__u64 samples;
__u64 missed;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KML_LATENCY_WHATS *KML_LATENCY_CLASSES);
	__type(key, __u32);
	__type(value, struct kml_latency_cell);
} cells SEC(".maps");

/* The frame's address as a number: a pointer may not be hashed. */
static __always_inline __u64 frame_of(void *ctx)
{
	void *at = ctx;
	__u64 frame = 0;

	bpf_probe_read_kernel(&frame, sizeof(frame), &at);
	return frame;
}

static __always_inline struct kml_latency_call *place(__u64 frame)
{
	return &pending[frame * 0x9e3779b97f4a7c15 >> 52 & (KML_LATENCY_PENDING - 1)];
}

static __always_inline int enter(void *ctx)
{
	__u64 frame = frame_of(ctx);
	struct kml_latency_call *p = place(frame);

	p->frame = frame;
	p->start_ns = bpf_ktime_get_boot_ns();
	return 0;
}

/* log2 of @v > 0, below 2^32. */
static __always_inline __u32 log2_of(__u64 v)
{
	__u32 r = 0;

	for (int shift = 16; shift; shift >>= 1) {
		if (v >> shift) {
			v >>= shift;
			r += shift;
		}
	}
	return r;
}

static __always_inline __u32 size_class(__u64 bytes)
{
	return bytes < 2 ? 0 : log2_of(bytes - 1) + 1;
}

static __always_inline __u32 bucket_of(__u64 ns)
{
	__u32 e;

	if (ns < 4)
		return ns;
	if (ns >> 32)
		return KML_LATENCY_BUCKETS - 1;
	e = log2_of(ns);
	return 4 * (e - 1) + (ns >> (e - 2) & 3);
}

static __always_inline void keep_sample(__u32 what, __u32 class, __u64 now, __u64 ns)
{
	__u64 n = __sync_fetch_and_add(&samples, 1);

	/* A full table goes on as a reservoir. */
	if (n >= KML_LATENCY_SAMPLES)
		n = bpf_get_prandom_u32() % (n + 1);
	if (n < KML_LATENCY_SAMPLES)
		sample[n] = (struct kml_latency_sample){now, ns, what, class};
}

static __always_inline int leave(void *ctx, __u32 what, __u32 class)
{
	__u64 frame = frame_of(ctx), now = bpf_ktime_get_boot_ns(), ns;
	struct kml_latency_call *p = place(frame);
	struct kml_latency_cell *cell;
	__u32 key = what * KML_LATENCY_CLASSES + (class & (KML_LATENCY_CLASSES - 1));

	if (p->frame != frame) {
		__sync_fetch_and_add(&missed, 1);
		return 0;
	}
	ns = now - p->start_ns;
	p->frame = 0;
	cell = bpf_map_lookup_elem(&cells, &key);
	if (!cell)
		return 0;
	cell->calls++;
	cell->sum_ns += ns;
	if (ns > cell->max_ns)
		cell->max_ns = ns;
	if (cell->bucket[bucket_of(ns) & (KML_LATENCY_BUCKETS - 1)]++ % KML_LATENCY_SAMPLE_EVERY ==
	    0)
		keep_sample(what, class, now, ns);
	return 0;
}

static __always_inline __u64 argument(void *ctx, __u32 n)
{
	__u64 value = 0;

	bpf_get_func_arg(ctx, n, &value);
	return value;
}

SEC("fentry")
int pages_enter(void *ctx)
{
	return enter(ctx);
}

/* gfp, order, ... */
SEC("fexit")
int pages_leave(void *ctx)
{
	return leave(ctx, KML_LATENCY_PAGES, argument(ctx, 1));
}

SEC("fentry")
int kmalloc_enter(void *ctx)
{
	return enter(ctx);
}

/* size, gfp */
SEC("fexit")
int kmalloc_leave(void *ctx)
{
	return leave(ctx, KML_LATENCY_KMALLOC, size_class(argument(ctx, 0)));
}

SEC("fentry")
int fixed_enter(void *ctx)
{
	return enter(ctx);
}

/* cache, gfp, size: kmalloc of a constant */
SEC("fexit")
int fixed_leave(void *ctx)
{
	return leave(ctx, KML_LATENCY_KMALLOC, size_class(argument(ctx, 2)));
}

SEC("fentry")
int cache_enter(void *ctx)
{
	return enter(ctx);
}

/* cache, gfp */
SEC("fexit")
int cache_leave(void *ctx)
{
	struct kmem_cache *s = (void *)argument(ctx, 0);

	return leave(ctx, KML_LATENCY_CACHE, size_class(BPF_CORE_READ(s, object_size)));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
