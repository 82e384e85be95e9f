/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vmalloc.bpf.h - events of vmalloc areas, by tracepoint or by function. */
#ifndef KMEMLAB_VMALLOC_BPF_H
#define KMEMLAB_VMALLOC_BPF_H

#include "ring.bpf.h"

/* What the kernel was asked for; @address is 0 where it refused. */
struct area {
	__u64 address, bytes, align, region_start;
	void *caller; /* the program's context */
};

/* log2 of the alignment in pages; it is a power of two. */
static __always_inline __u64 align_order(__u64 align)
{
	__u64 order = 0;

	for (int i = 0; i < 18; i++)
		order += align >> (PAGE_SHIFT + 1 + i) != 0;
	return order;
}

static __always_inline int record_area(const struct area *a)
{
	struct event e = {
		.kind = KMT_VMALLOC_ALLOC,
		.keys = 3,
		.address = a->address,
		.caller = a->caller,
	};

	e.word[0] = KML_SLOT_USED | align_order(a->align);
	if (!a->address)
		e.word[0] |= KML_SLOT_FAILED;
	e.word[1] = a->region_start;
	e.word[2] = a->bytes >> PAGE_SHIFT;
	return record(&e);
}

static __always_inline int record_plain(__u32 kind, __u64 address)
{
	struct event e = {.kind = kind, .keys = 1, .address = address};

	e.word[0] = KML_SLOT_USED;
	return record(&e);
}

#endif
