/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * context.h - how a program tells whether a request that may not block could
 * have (bpf/context.bpf.h): found once before recording, constant while
 * programs run.
 *
 * The kernel exports neither `__preempt_count` nor the address of per-CPU data
 * by name everywhere. BTF has the place of each variable within that data, and
 * the current task points to one of them, its CPU's runqueue: so any other is
 * that pointer plus a constant.
 */
#ifndef KMEMLAB_CONTEXT_H
#define KMEMLAB_CONTEXT_H

#include <kmemlab/event.h>

struct kml_context {
	kml_u32 known; /* 0: the rest means nothing, contexts are not told */
	kml_u32 direct_reclaim; /* bit of gfp: the request may block */
	long long
		to_count; /* bytes from a CPU's runqueue to its preempt_count */
	long long to_cpu; /* and to its number, by which a place is checked */
	kml_u32 count; /* preempt_count in a program where the task may sleep */
	kml_u32 rcu;   /* and its depth of RCU readers */
};

#endif
