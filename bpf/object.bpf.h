/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* object.bpf.h - the cache of an object, from the page behind it. */
#ifndef KMEMLAB_OBJECT_BPF_H
#define KMEMLAB_OBJECT_BPF_H

#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* Set before loading. */
const volatile __u64 vmemmap_base __weak = 0;	  /* address of frame 0's struct page */
const volatile __u64 page_offset_base __weak = 0; /* address of frame 0's memory */
const volatile __u32 page_struct_bytes __weak = 64;

enum {
	PAGE_SHIFT = 12,
	KMALLOC_MAX_CACHE_BYTES = 8192, /* beyond it kmalloc takes pages */
};

/*
 * The cache of a kmalloc'd object, from the page behind it; 0 for a large one.
 * It is a function of call site, size and gfp, so one look per slot suffices.
 */
static __always_inline __u64 cache_of(__u64 object, __u64 bytes_alloc)
{
	__u64 pfn = (object - page_offset_base) >> PAGE_SHIFT;
	struct page *page = (void *)(vmemmap_base + pfn * page_struct_bytes);
	struct slab *slab = (void *)page;
	__u64 head;

	if (bytes_alloc > KMALLOC_MAX_CACHE_BYTES || object < page_offset_base)
		return 0;
	head = BPF_CORE_READ(page, compound_head);
	if (head & 1)
		slab = (void *)(head - 1);
	return (__u64)BPF_CORE_READ(slab, slab_cache);
}

#endif
