// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pressure.bpf.c - probes on what the kernel does when memory is short: reclaim
 * and compaction as stalls of a task, kswapd and kcompactd, OOM. Arguments as in
 * the kernel's include/trace/events/{vmscan,compaction,migrate,oom}.h, 6.1 to 7.2.
 */
#include "ring.bpf.h"

enum {
	WHOLE_ZONE = 18, /* order of a compaction that has none (-1) */
	PID_MAX = 1 << 22,
};

/* What tells a kind's slots apart; the order as the kernel has it, -1 too. */
struct pressure {
	__u64 order, detail, gfp, node;
	void *caller; /* the program's context: whom it stalls */
};

static __always_inline int record_pressure(__u32 kind, const struct pressure *p, __u64 number)
{
	struct event e = {.kind = kind, .keys = 2, .address = number, .caller = p->caller};
	__u64 order = (__s32)p->order < 0 ? WHOLE_ZONE : p->order & 0xff;

	e.word[0] = KML_SLOT_USED | order | (p->detail & 0xf) << 16 | p->gfp << 32;
	e.word[1] = p->node;
	return record(&e);
}

/* order, gfp */
static __always_inline int begin(__u32 kind, struct bpf_raw_tracepoint_args *ctx)
{
	struct pressure p = {.order = ctx->args[0], .gfp = ctx->args[1], .caller = ctx};

	return record_pressure(kind, &p, 0);
}

static __always_inline int end(__u32 kind, struct bpf_raw_tracepoint_args *ctx)
{
	struct pressure p = {};

	return record_pressure(kind, &p, ctx->args[0]);
}

SEC("raw_tp/mm_vmscan_direct_reclaim_begin")
int reclaim_begin(struct bpf_raw_tracepoint_args *ctx)
{
	return begin(KMT_RECLAIM_BEGIN, ctx);
}

SEC("raw_tp/mm_vmscan_direct_reclaim_end")
int reclaim_end(struct bpf_raw_tracepoint_args *ctx)
{
	return end(KMT_RECLAIM_END, ctx);
}

SEC("raw_tp/mm_vmscan_memcg_reclaim_begin")
int memcg_begin(struct bpf_raw_tracepoint_args *ctx)
{
	return begin(KMT_MEMCG_RECLAIM_BEGIN, ctx);
}

SEC("raw_tp/mm_vmscan_memcg_reclaim_end")
int memcg_end(struct bpf_raw_tracepoint_args *ctx)
{
	return end(KMT_MEMCG_RECLAIM_END, ctx);
}

/* nid, order, gfp */
SEC("raw_tp/mm_vmscan_node_reclaim_begin")
int node_begin(struct bpf_raw_tracepoint_args *ctx)
{
	struct pressure p = {
		.node = (__u32)ctx->args[0] + 1,
		.order = ctx->args[1],
		.gfp = ctx->args[2],
		.caller = ctx,
	};

	return record_pressure(KMT_NODE_RECLAIM_BEGIN, &p, 0);
}

SEC("raw_tp/mm_vmscan_node_reclaim_end")
int node_end(struct bpf_raw_tracepoint_args *ctx)
{
	return end(KMT_NODE_RECLAIM_END, ctx);
}

/* cc, zone_start, zone_end, sync */
SEC("raw_tp/mm_compaction_begin")
int compact_begin(struct bpf_raw_tracepoint_args *ctx)
{
	struct compact_control *cc = (void *)ctx->args[0];
	struct pressure p = {.detail = ctx->args[3] & 1, .caller = ctx};

	p.order = (__u32)BPF_CORE_READ(cc, order);
	p.gfp = BPF_CORE_READ(cc, gfp_mask);
	return record_pressure(KMT_COMPACT_BEGIN, &p, ctx->args[1]);
}

/* cc, zone_start, zone_end, sync, status */
SEC("raw_tp/mm_compaction_end")
int compact_end(struct bpf_raw_tracepoint_args *ctx)
{
	struct pressure p = {.detail = ctx->args[4]};

	return record_pressure(KMT_COMPACT_END, &p, ctx->args[1]);
}

/* nid, zid, order[, gfp]: kswapd's tracepoints */
static __always_inline int kswapd(__u32 kind, struct bpf_raw_tracepoint_args *ctx, __u64 gfp)
{
	struct pressure p = {
		.node = (__u32)ctx->args[0] + 1,
		.detail = ctx->args[1],
		.order = ctx->args[2],
		.gfp = gfp,
	};

	return record_pressure(kind, &p, 0);
}

SEC("raw_tp/mm_vmscan_kswapd_wake")
int kswapd_wake(struct bpf_raw_tracepoint_args *ctx)
{
	return kswapd(KMT_KSWAPD_WAKE, ctx, 0);
}

SEC("raw_tp/mm_vmscan_wakeup_kswapd")
int wakeup_kswapd(struct bpf_raw_tracepoint_args *ctx)
{
	return kswapd(KMT_WAKEUP_KSWAPD, ctx, ctx->args[3]);
}

static __always_inline int sleeps(__u32 kind, struct bpf_raw_tracepoint_args *ctx)
{
	struct pressure p = {.node = (__u32)ctx->args[0] + 1};

	return record_pressure(kind, &p, 0);
}

SEC("raw_tp/mm_vmscan_kswapd_sleep")
int kswapd_sleep(struct bpf_raw_tracepoint_args *ctx)
{
	return sleeps(KMT_KSWAPD_SLEEP, ctx);
}

SEC("raw_tp/mm_compaction_kcompactd_sleep")
int kcompactd_sleep(struct bpf_raw_tracepoint_args *ctx)
{
	return sleeps(KMT_KCOMPACTD_SLEEP, ctx);
}

/* nid, order, highest zone: kcompactd's */
static __always_inline int kcompactd(__u32 kind, struct bpf_raw_tracepoint_args *ctx)
{
	struct pressure p = {
		.node = (__u32)ctx->args[0] + 1,
		.order = ctx->args[1],
		.detail = ctx->args[2],
	};

	return record_pressure(kind, &p, 0);
}

SEC("raw_tp/mm_compaction_kcompactd_wake")
int kcompactd_wake(struct bpf_raw_tracepoint_args *ctx)
{
	return kcompactd(KMT_KCOMPACTD_WAKE, ctx);
}

SEC("raw_tp/mm_compaction_wakeup_kcompactd")
int wakeup_kcompactd(struct bpf_raw_tracepoint_args *ctx)
{
	return kcompactd(KMT_WAKEUP_KCOMPACTD, ctx);
}

/* nid, usec_timeout, usec_delayed, reason */
SEC("raw_tp/mm_vmscan_throttled")
int throttled(struct bpf_raw_tracepoint_args *ctx)
{
	struct pressure p = {.node = (__u32)ctx->args[0] + 1, .detail = ctx->args[3]};

	return record_pressure(KMT_THROTTLED, &p, (__u32)ctx->args[2]);
}

/* The first two arguments are pages that migrated and that did not. */
SEC("raw_tp/mm_migrate_pages")
int migrate_pages(struct bpf_raw_tracepoint_args *ctx)
{
	struct pressure p = {};

	return record_pressure(KMT_MIGRATE_PAGES, &p, (__u32)ctx->args[0] | ctx->args[1] << 32);
}

/* The victim's pid in early 6.1, its task since. */
SEC("raw_tp/mark_victim")
int oom_victim(struct bpf_raw_tracepoint_args *ctx)
{
	struct event e = {.kind = KMT_OOM_VICTIM, .keys = 3};
	struct task_struct *task = (void *)ctx->args[0];
	__u64 pid = ctx->args[0], comm[2] = {};

	if (pid >= PID_MAX) {
		pid = (__u32)BPF_CORE_READ(task, pid);
		BPF_CORE_READ_STR_INTO(&comm, task, comm);
	}
	e.word[0] = KML_SLOT_USED | pid << 32;
	e.word[1] = comm[0];
	e.word[2] = comm[1];
	return record(&e);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
