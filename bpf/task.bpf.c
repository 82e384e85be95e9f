// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * task.bpf.c - exec and prctl change a task's command name: have it described anew at its
 * next event, on whichever CPU that is. One on which it ran last under its old name, and
 * where nobody made an event since, would take it for known. The tracepoint fires before
 * the name changes, and next to nothing can come between.
 */
#include "ring.bpf.h"

const volatile __u32 possible_cpus = 1; /* set before loading */

/* What another task left there, which that CPU may be noting, stays. */
static __always_inline void forget(__u32 cpu, __u64 pid)
{
	struct kml_ring *r = bpf_map_lookup_elem(&rings, &cpu);
	struct kml_filter_state *s;

	if (r)
		__sync_val_compare_and_swap(&r->last_pid, pid, 0);
	if (!filter.by_task)
		return;
	s = bpf_map_lookup_elem(&filter_states, &cpu);
	if (s)
		__sync_val_compare_and_swap(&s->checked_pid, pid, 0);
}

/* task, comm */
SEC("raw_tp/task_rename")
int task_rename(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u64 pid = (__u32)BPF_CORE_READ(task, pid) + 1ull;

	/* No bpf_loop(): kernels that interpret programs refuse what calls back. */
	for (__u32 cpu = 0; cpu < possible_cpus && cpu < CPUS_MAX; cpu++)
		forget(cpu, pid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
