// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * task.bpf.c - exec and prctl change a task's command name: make the CPU's next
 * event describe its task anew. The tracepoint fires before the name changes,
 * and nothing but this CPU's own events can come between.
 */
#include "ring.bpf.h"

SEC("raw_tp/task_rename")
int task_rename(struct bpf_raw_tracepoint_args *ctx __attribute__((unused)))
{
	struct kml_ring *r = this_ring();

	if (r)
		r->last_pid = 0;
	if (filter.by_task) {
		struct kml_filter_state *s = this_state();

		if (s)
			s->checked_pid = 0;
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
