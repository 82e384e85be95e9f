// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * calibrate.bpf.c - see one allocation from two sides.
 *
 * The raw tracepoint knows a page by its struct page, the classic one (and the
 * owner's page map) by its frame number; a large kmalloc's address is that of its
 * pages in the direct map. Comparing them gives the bases of both, which many kernels do not export
 * by name.
 *
 * Own requests that may block are made where nothing forbids to sleep: what preempt_count
 * and the depth of RCU readers are there, at a tracepoint, is what they are elsewhere then.
 */
#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "context.bpf.h"

enum {
	PAGES = 256,
	FRAMES = 64,	     /* and objects: as many as the recorder provokes */
	LARGE_BYTES = 16384, /* kmalloc takes pages for it on every kernel */
};

/* The record of the classic tracepoint mm_page_alloc, stable since 5.12. */
struct page_alloc_record {
	__u64 common;
	__u64 pfn;
};

volatile __u32 tgid;	      /* whose allocations to see; set once all are attached */
__u32 pages, frames, objects; /* how many were stored */
__u64 page[PAGES];
__u64 frame[FRAMES];
__u64 object[FRAMES];
__u64 object_page[FRAMES];
__u64 last_page;

struct {
	__u32 seen, unlike; /* requests; of them, with other counts than the first */
	__u32 count, rcu;   /* of the first */
} blocking;

static __always_inline void see_blocking(void)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	__u64 address = find_preempt_count(task);
	__u32 count;

	if (!address || read_preempt_count(address, &count))
		return;
	if (!blocking.seen++) {
		blocking.count = count;
		blocking.rcu = rcu_depth(task);
	}
	blocking.unlike += count != blocking.count || rcu_depth(task) != blocking.rcu;
}

static __always_inline int ours(void)
{
	return bpf_get_current_pid_tgid() >> 32 == tgid;
}

SEC("raw_tp/mm_page_alloc")
int see_page(struct bpf_raw_tracepoint_args *ctx)
{
	if (!ours() || !ctx->args[0])
		return 0;
	if (context.known && ctx->args[2] & context.direct_reclaim)
		see_blocking();
	last_page = ctx->args[0];
	if (pages < PAGES)
		page[pages++] = last_page;
	return 0;
}

SEC("tp/kmem/mm_page_alloc")
int see_frame(struct page_alloc_record *record)
{
	if (ours() && frames < FRAMES)
		frame[frames++] = record->pfn;
	return 0;
}

SEC("raw_tp/kmalloc")
int see_object(struct bpf_raw_tracepoint_args *ctx)
{
	if (!ours() || ctx->args[3] < LARGE_BYTES || objects >= FRAMES)
		return 0;
	object_page[objects] = last_page;
	object[objects++] = ctx->args[1];
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
