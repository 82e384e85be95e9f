/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * area_walk.h - what bpf/area_walk.bpf.c hands to the recorder, in memory only:
 * the ranges of vmalloc's address space that are not free.
 */
#ifndef KMEMLAB_AREA_WALK_H
#define KMEMLAB_AREA_WALK_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum kml_areas_limits {
	KML_AREAS = 1 << 17,   /* a reading */
	KML_AREAS_SEEN = 256,  /* objects that may be an area's */
	KML_AREAS_NODES = 128, /* the kernel's own limit */
};

enum kml_areas_status {
	KML_AREAS_DONE = 0,
	KML_AREAS_BUSY = 1,    /* a list changed meanwhile: try again */
	KML_AREAS_FULL = 2,    /* more than KML_AREAS */
	KML_AREAS_UNKNOWN = 3, /* the lists were not found */
};

/* Where an area is. */
enum kml_areas_list {
	KML_AREAS_USED = 0,
	KML_AREAS_LAZY = 1, /* freed, waits for a purge */
	KML_AREAS_POOL = 2, /* purged, kept by its size (since 6.9) */
};

/* The kernel's struct vmap_area and the struct vm_struct that it holds. */
struct kml_area {
	__u64 start, end;
	__u64 caller;	/* 0: not known */
	__u32 vm_flags; /* 0: none, and so no vm_struct */
	__u32 pages;	/* that it owns */
	__u32 detail;	/* enum kml_areas_list | node << 8, of a list that a
			   node has | (node whose pool gets it + 1) << 16 */
	__u32 pad;
};

struct kml_areas {
	__u32 status, n;
	__u32 nodes;  /* 0: one list for all */
	__u32 failed; /* why not found: 1 no area seen, 2 no list behind it */
	__u64 base;   /* VMALLOC_START */
	__u64 used_list,
		lazy_list; /* heads, where there are no nodes; 0: none */
	__u64 first_node;  /* else the array of these */
	__u64 t_first_ns, t_last_ns;
	struct kml_area area[KML_AREAS];
};

#endif
