// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * kprobes.bpf.c - calls.bpf.h by kprobes and kretprobes, where the kernel refuses
 * fentry: dearer, and calls can be missed.
 *
 * At exit registers no longer hold the arguments: `enter` keeps them in a table of
 * fixed size, at a place that the address of the call's return address gives, which
 * no other call under way has. A call that finds its place being written is not told,
 * nor one whose place another takes, nor one for which the kernel has no kretprobe
 * left: `entered` less `left` says how many these are.
 */
#include "calls.bpf.h"

enum {
	PENDING_BITS = 12,
	RETURN_ADDRESS_BYTES = 8,
};

/* Registers as in the kernel's struct pt_regs of x86-64. */
struct pt_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	__u64 orig_ax, ip, cs, flags, sp, ss;
};

struct pending {
	__u64 frame; /* of the call; 0: free, 1: being written */
	__u64 arg[CALL_ARGUMENTS];
	__u64 pad;
};

static struct pending pending[1 << PENDING_BITS];
__u64 entered, left;

static __always_inline struct call call_of(struct pt_regs *ctx)
{
	struct call c = {
		.ctx = ctx,
		.arg = {ctx->di, ctx->si, ctx->dx, ctx->cx, ctx->r8, ctx->r9},
	};

	return c;
}

static __always_inline struct pending *place(__u64 frame)
{
	return &pending[frame * 0x9e3779b97f4a7c15 >> (64 - PENDING_BITS)];
}

/* In front of every function that is looked at when it returns. */
SEC("kprobe")
int enter(struct pt_regs *ctx)
{
	struct pending *p = place(ctx->sp);
	__u64 was = *(volatile __u64 *)&p->frame;

	__sync_fetch_and_add(&entered, 1);
	if (was == 1 || __sync_val_compare_and_swap(&p->frame, was, 1) != was)
		return 0;
	p->arg[0] = ctx->di;
	p->arg[1] = ctx->si;
	p->arg[2] = ctx->dx;
	p->arg[3] = ctx->cx;
	p->arg[4] = ctx->r8;
	p->arg[5] = ctx->r9;
	barrier();
	*(volatile __u64 *)&p->frame = ctx->sp;
	return 0;
}

/* The call that returns now; false: its arguments are lost. */
static __always_inline int take_call(struct pt_regs *ctx, struct call *c)
{
	__u64 frame = ctx->sp - RETURN_ADDRESS_BYTES;
	struct pending *p = place(frame);

	c->ctx = ctx;
	c->result = ctx->ax;
	if (*(volatile __u64 *)&p->frame != frame)
		return 0;
	barrier();
	for (int i = 0; i < CALL_ARGUMENTS; i++)
		c->arg[i] = p->arg[i];
	barrier();
	if (__sync_val_compare_and_swap(&p->frame, frame, 0) != frame)
		return 0;
	__sync_fetch_and_add(&left, 1);
	return 1;
}

#define AT_ENTRY(name, arguments)                                                                  \
	SEC("kprobe")                                                                              \
	int name(struct pt_regs *ctx)                                                              \
	{                                                                                          \
		struct call c = call_of(ctx);                                                      \
                                                                                                   \
		return on_##name(&c);                                                              \
	}

#define AT_EXIT(name, arguments)                                                                   \
	SEC("kretprobe")                                                                           \
	int name(struct pt_regs *ctx)                                                              \
	{                                                                                          \
		struct call c;                                                                     \
                                                                                                   \
		return take_call(ctx, &c) ? on_##name(&c) : 0;                                     \
	}

#include "calls.list.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
