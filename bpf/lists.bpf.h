/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lists.bpf.h - the kernel's lists, walked without their locks. */
#ifndef KMEMLAB_LISTS_BPF_H
#define KMEMLAB_LISTS_BPF_H

#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>

enum {
	LINK_BACK = 8, /* from a list_head to its prev */
	PAGE_BYTES = 4096,
};

/* 0 where nothing can be read */
static __always_inline __u64 word_at(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)address);
	return word;
}

#endif
