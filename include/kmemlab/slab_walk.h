/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_walk.h - what bpf/slab_walk.bpf.c hands to the recorder, in memory only:
 * caches, and their slabs that are not full.
 */
#ifndef KMEMLAB_SLAB_WALK_H
#define KMEMLAB_SLAB_WALK_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum kml_slab_walk_limits {
	KML_SLAB_CACHES = 2048,
	KML_SLABS = 1 << 18, /* not full, of all caches */
	KML_SLAB_CPUS = 8192,
	KML_SLAB_NODES = 64,
	KML_SLAB_NAME = 48,
};

enum kml_slab_status {
	KML_SLABS_DONE = 0,
	KML_SLABS_BUSY = 1,	/* a list changed meanwhile: try again */
	KML_SLABS_FULL = 2,	/* more than there is room for */
	KML_SLABS_UNKNOWN = 3,	/* the caches were not found */
	KML_SLABS_CPUS_BAD = 4, /* what CPUs hold is not where it should be */
};

/* Who has a slab. */
enum kml_slab_list {
	KML_SLAB_NODE = 0,	  /* a node's partial list */
	KML_SLAB_CPU = 1,	  /* the one that a CPU allocates from */
	KML_SLAB_CPU_PARTIAL = 2, /* a CPU's partial list */
};

struct kml_slab_one {
	__u32 pfn;
	__u16 free, list; /* objects; enum kml_slab_list */
	__u32 of;	  /* node or CPU */
};

struct kml_slab_cache {
	__u64 address;
	__u64 slabs, objects; /* of all nodes; objects: live and free */
	__u64 sheaved; /* objects in sheaves: free, yet in use as slabs count */
	__u32 size, oo;	    /* oo: order << 16 | objects, of a new slab */
	__u32 sheaves, pad; /* has it any? */
	char name[KML_SLAB_NAME];
};

struct kml_slab_walk {
	__u32 status, caches;
	__u32 cache; /* to be read */
	__u32 n;     /* slabs so far */
	__u32 nodes, cpus;
	__u32 per_cpu; /* may what CPUs hold be read? */
	__u32 pad;
	__u64 time_ns; /* of the last reading */
	__u64 delta;   /* kernel address of the first unit, less cookie */
	__u64 rq;      /* address of this CPU's run queue */
	__u64 offset[KML_SLAB_CPUS]; /* from a cookie to a CPU's copy */
	struct kml_slab_cache of[KML_SLAB_CACHES];
	struct kml_slab_one slab[KML_SLABS];
};

#endif
