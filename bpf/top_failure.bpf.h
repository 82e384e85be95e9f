/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* top_failure.bpf.h - what top's two objects share when they are linked. */
#ifndef KMEMLAB_TOP_FAILURE_BPF_H
#define KMEMLAB_TOP_FAILURE_BPF_H

/* A page allocation of @order failed. */
int top_failure(__u32 order);

#endif
