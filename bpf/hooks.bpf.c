// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* hooks.bpf.c - calls.bpf.h by fentry and fexit. */
#include "calls.bpf.h"

static __always_inline struct call call_of(void *ctx, int arguments, int at_exit)
{
	struct call c = {.ctx = ctx};

	for (int i = 0; i < CALL_ARGUMENTS; i++)
		if (i < arguments)
			bpf_get_func_arg(ctx, i, &c.arg[i]);
	if (at_exit)
		bpf_get_func_ret(ctx, &c.result);
	return c;
}

/* @arguments: how many the event is told from */
#define AT_ENTRY(name, arguments)                                                                  \
	SEC("fentry")                                                                              \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		struct call c = call_of(ctx, arguments, 0);                                        \
                                                                                                   \
		return on_##name(&c);                                                              \
	}

#define AT_EXIT(name, arguments)                                                                   \
	SEC("fexit")                                                                               \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		struct call c = call_of(ctx, arguments, 1);                                        \
                                                                                                   \
		return on_##name(&c);                                                              \
	}

#include "calls.list.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
