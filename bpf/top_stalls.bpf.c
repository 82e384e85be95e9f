// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * top_stalls.bpf.c - stalls of tasks in reclaim and compaction, failed allocations,
 * OOM: the newest few of each, and their sums. Rare, so shared by all CPUs.
 * Arguments as in pressure.bpf.c.
 */
#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <kmemlab/top.h>
#include "top_failure.bpf.h"

enum {
	WHOLE_ZONE = 18, /* order of a compaction that has none (-1) */
	PID_MAX = 1 << 22,
	US = 1000,
};

#define KCOMPACT 0x746361706d6f636bull /* the first eight bytes of "kcompactd0" */

struct kml_top_begun begun[KML_TOP_BEGUN];
struct kml_top_stall stall[KML_TOP_STALLS];
__u64 stalls;	     /* ever */
__u64 stalls_missed; /* ended, but another had taken the place of the begin */
__u64 stall_events[KML_TOP_STALL_KINDS];
__u64 stall_ns[KML_TOP_STALL_KINDS];

static __always_inline struct kml_top_begun *place(__u64 who)
{
	return &begun[who * 0x9e3779b97f4a7c15 >> 48 & (KML_TOP_BEGUN - 1)];
}

/* A command's name, as two words. */
struct who {
	__u64 comm[2];
	__u32 pid, order;
};

static __noinline int keep(__u32 kind, __u64 ns, const struct who *who)
{
	__u64 n = __sync_fetch_and_add(&stalls, 1);
	struct kml_top_stall *s = &stall[n & (KML_TOP_STALLS - 1)];

	if (kind >= KML_TOP_STALL_KINDS || !who)
		return 0;
	__sync_fetch_and_add(&stall_events[kind], 1);
	__sync_fetch_and_add(&stall_ns[kind], ns);
	*(volatile __u64 *)&s->seq = 0;
	s->end_ns = bpf_ktime_get_boot_ns();
	s->ns = ns;
	s->comm[0] = who->comm[0];
	s->comm[1] = who->comm[1];
	s->pid = who->pid;
	s->kind = kind;
	s->order = who->order;
	*(volatile __u64 *)&s->seq = n + 1;
	return 0;
}

static __always_inline int begin(__u32 kind, __u64 order)
{
	__u64 who = (__u32)bpf_get_current_pid_tgid() | (__u64)kind << 32;
	struct kml_top_begun *b = place(who);

	b->who = who;
	b->order = (__s32)order < 0 ? WHOLE_ZONE : order & 0xff;
	b->start_ns = bpf_ktime_get_boot_ns();
	return 0;
}

static __always_inline int end(__u32 kind)
{
	__u32 pid = bpf_get_current_pid_tgid();
	__u64 key = pid | (__u64)kind << 32;
	struct kml_top_begun *b = place(key);
	struct who who = {.pid = pid};

	if (b->who != key) {
		/* Not where the begin was before the first event. */
		if (b->who)
			__sync_fetch_and_add(&stalls_missed, 1);
		return 0;
	}
	b->who = 0;
	who.order = b->order;
	bpf_get_current_comm(who.comm, sizeof(who.comm));
	return keep(kind, bpf_ktime_get_boot_ns() - b->start_ns, &who);
}

SEC("raw_tp/mm_vmscan_direct_reclaim_begin")
int top_reclaim_begin(struct bpf_raw_tracepoint_args *ctx)
{
	return begin(KML_TOP_RECLAIM, ctx->args[0]);
}

SEC("raw_tp/mm_vmscan_direct_reclaim_end")
int top_reclaim_end(struct bpf_raw_tracepoint_args *ctx __attribute__((unused)))
{
	return end(KML_TOP_RECLAIM);
}

SEC("raw_tp/mm_vmscan_memcg_reclaim_begin")
int top_memcg_begin(struct bpf_raw_tracepoint_args *ctx)
{
	return begin(KML_TOP_MEMCG_RECLAIM, ctx->args[0]);
}

SEC("raw_tp/mm_vmscan_memcg_reclaim_end")
int top_memcg_end(struct bpf_raw_tracepoint_args *ctx __attribute__((unused)))
{
	return end(KML_TOP_MEMCG_RECLAIM);
}

/* nid, order, gfp */
SEC("raw_tp/mm_vmscan_node_reclaim_begin")
int top_node_begin(struct bpf_raw_tracepoint_args *ctx)
{
	return begin(KML_TOP_NODE_RECLAIM, ctx->args[1]);
}

SEC("raw_tp/mm_vmscan_node_reclaim_end")
int top_node_end(struct bpf_raw_tracepoint_args *ctx __attribute__((unused)))
{
	return end(KML_TOP_NODE_RECLAIM);
}

/* What kcompactd compacts stalls nobody. */
static __always_inline int by_kcompactd(void)
{
	__u64 comm[2] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	return comm[0] == KCOMPACT && (comm[1] & 0xff) == 'd';
}

SEC("raw_tp/mm_compaction_begin")
int top_compact_begin(struct bpf_raw_tracepoint_args *ctx)
{
	struct compact_control *cc = (void *)ctx->args[0];

	if (by_kcompactd())
		return 0;
	return begin(KML_TOP_COMPACTION, (__u32)BPF_CORE_READ(cc, order));
}

SEC("raw_tp/mm_compaction_end")
int top_compact_end(struct bpf_raw_tracepoint_args *ctx __attribute__((unused)))
{
	return by_kcompactd() ? 0 : end(KML_TOP_COMPACTION);
}

/* nid, usec_timeout, usec_delayed, reason */
SEC("raw_tp/mm_vmscan_throttled")
int top_throttled(struct bpf_raw_tracepoint_args *ctx)
{
	struct who who = {.pid = bpf_get_current_pid_tgid()};

	bpf_get_current_comm(who.comm, sizeof(who.comm));
	return keep(KML_TOP_THROTTLED, (__u64)(__u32)ctx->args[2] * US, &who);
}

/* A page allocation failed; for top_sums.bpf.c, which sees them all. */
int top_failure(__u32 order)
{
	struct who who = {.pid = bpf_get_current_pid_tgid(), .order = order & 0xff};

	bpf_get_current_comm(who.comm, sizeof(who.comm));
	return keep(KML_TOP_FAILURE, 0, &who);
}

/* The victim's pid in early 6.1, its task since. */
SEC("raw_tp/mark_victim")
int top_oom_victim(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct who who = {.pid = ctx->args[0]};

	if (ctx->args[0] >= PID_MAX) {
		who.pid = BPF_CORE_READ(task, pid);
		BPF_CORE_READ_STR_INTO(&who.comm, task, comm);
	}
	return keep(KML_TOP_OOM, 0, &who);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
