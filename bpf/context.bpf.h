/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * context.bpf.h - could the task have slept where it made a request that may not block?
 *
 * preempt_count says so where the kernel counts: how deep in NMIs, interrupts and
 * softirqs this is, and how often preemption or softirqs were switched off, as spinlocks
 * do. Beside it: RCU readers, the idle task, tasks about to sleep, and tasks that reclaim
 * memory for others. Interrupts that local_irq_disable() alone switched off are not seen.
 *
 * `context` is constant when programs are loaded, and holds what the count is at their
 * tracepoint when nothing forbids to sleep.
 */
#ifndef KMEMLAB_CONTEXT_BPF_H
#define KMEMLAB_CONTEXT_BPF_H

#include <kmemlab/context.h>

const volatile struct kml_context context __weak = {};

/* preempt_count, the same since 3.x: include/linux/preempt.h. x86 keeps the inverse of
 * TIF_NEED_RESCHED in its highest bit. */
enum {
	COUNT_BITS = 0x7fffffff,
	COUNT_DEPTH = 0xff,
	COUNT_SOFTIRQ = 0x100,	  /* serving one; two of it: switched off */
	COUNT_HARDIRQ = 0xff0000, /* and NMI */
	PF_MEMALLOC_BIT = 0x800,
};

/* Where this CPU's preempt_count is; 0: it is not where it should be. */
static __always_inline __u64 find_preempt_count(struct task_struct *task)
{
	__u64 rq = (__u64)BPF_CORE_READ(task, se.cfs_rq, rq);
	__u32 cpu = 0;

	if (bpf_probe_read_kernel(&cpu, sizeof(cpu), (void *)(rq + context.to_cpu)) ||
	    cpu != bpf_get_smp_processor_id())
		return 0;
	return rq + context.to_count;
}

static __always_inline int read_preempt_count(__u64 address, __u32 *count)
{
	int err = bpf_probe_read_kernel(count, sizeof(*count), (void *)address);

	*count &= COUNT_BITS;
	return err;
}

static __always_inline __u32 rcu_depth(struct task_struct *task)
{
	if (bpf_core_field_exists(task->rcu_read_lock_nesting))
		return task->rcu_read_lock_nesting;
	return 0; /* readers switch preemption off */
}

static __always_inline __u32 context_of_task(struct task_struct *task)
{
	if (rcu_depth(task) != context.rcu || !task->pid || task->__state ||
	    task->flags & PF_MEMALLOC_BIT)
		return KMT_CONTEXT_ATOMIC;
	return KMT_CONTEXT_MAY_SLEEP;
}

/* enum kmt_context of a request with @gfp; @found: this CPU's place, kept for the next. */
static __always_inline __u64 context_of(__u64 gfp, __u64 *found)
{
	struct task_struct *task;
	__u32 count;

	if (gfp & context.direct_reclaim || !context.known)
		return KMT_CONTEXT_UNKNOWN;
	task = (void *)bpf_get_current_task_btf();
	if (!*found)
		*found = find_preempt_count(task);
	if (!*found || read_preempt_count(*found, &count))
		return KMT_CONTEXT_UNKNOWN;
	if (count & COUNT_HARDIRQ)
		return KMT_CONTEXT_HARDIRQ;
	if (count & COUNT_SOFTIRQ)
		return KMT_CONTEXT_SOFTIRQ;
	return count != context.count ? KMT_CONTEXT_ATOMIC : context_of_task(task);
}

#endif
