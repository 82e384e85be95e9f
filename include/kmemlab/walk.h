/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * walk.h - what bpf/walk.bpf.c hands to the recorder, in memory only: the pages
 * of one CPU's lists in one zone, and pageblock flags by section.
 */
#ifndef KMEMLAB_WALK_H
#define KMEMLAB_WALK_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum kml_walk_limits {
	KML_WALK_PAGES = 1 << 16,   /* of one CPU and zone */
	KML_WALK_LISTS = 16,	    /* 12 of single orders, 2 of huge pages */
	KML_WALK_SECTIONS = 1024,   /* a reading */
	KML_WALK_SECTION_BITS = 27, /* of bytes: SECTION_SIZE_BITS of x86-64 */
	/* 64 pageblocks of 2 MiB, 4 bits each */
	KML_WALK_FLAG_WORDS = 4,
};

enum kml_walk_status {
	KML_WALK_DONE = 0,
	KML_WALK_BUSY = 1,    /* the lists were being changed: try again */
	KML_WALK_NOTHING = 2, /* no such zone, or an empty one */
	KML_WALK_NO_SYMBOLS =
		3, /* the kernel does not say where its variables are */
};

struct kml_walk_lists {
	__u32 node, zone, cpu; /* what to read; zone: index within the node */
	__u32 status;
	__u64 time_ns;
	char name[16];
	__u32 count, high, batch;
	__s32 free_factor, free_count,
		alloc_factor; /* -1: not in this kernel */
	__u32 nr_lists;
	__u32 pages;
	__u32 end[KML_WALK_LISTS]; /* of the list's pages in pfn[] */
	__u32 pfn[KML_WALK_PAGES]; /* first pages of blocks, head of the list
				      first */
};

struct kml_walk_types {
	__u32 first, end; /* sections to read, KML_WALK_SECTIONS at most */
	__u32 status, pad;
	__u64 time_ns;
	__u8 present[KML_WALK_SECTIONS];
	__u64 flags[KML_WALK_SECTIONS][KML_WALK_FLAG_WORDS];
};

#endif
