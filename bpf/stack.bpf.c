// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * stack.bpf.c - the pages of kernel stacks. With CONFIG_VMAP_STACK they come
 * from a bulk allocation that fires no tracepoint; the new task shows them.
 */
#include "ring.bpf.h"

enum {
	STACK_PAGES_MAX = 8, /* 32 KiB, as with KASAN; 16 KiB else */
};

static __always_inline int record_stack_page(__u64 page, __u64 stack)
{
	struct event e = {.kind = KML_STACK_PAGE, .keys = 1, .address = page, .stack = stack};

	e.word[0] = KML_SLOT_USED;
	return record(&e);
}

SEC("raw_tp/task_newtask")
int stack_pages(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct vm_struct *area;
	struct page **pages;
	__u64 stack;
	__u32 n;

	if (!bpf_core_field_exists(task->stack_vm_area))
		return 0;
	area = BPF_CORE_READ(task, stack_vm_area);
	n = BPF_CORE_READ(area, nr_pages);
	pages = BPF_CORE_READ(area, pages);
	stack = take_stacks ? take_stack(ctx, KML_STACK_PAGE) : 0;
	for (__u32 i = 0; i < STACK_PAGES_MAX && i < n; i++) {
		__u64 page = 0;

		if (!bpf_probe_read_kernel(&page, sizeof(page), &pages[i]) && page)
			record_stack_page(page, stack);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
