/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.h - which allocations to record: set by the recorder before loading,
 * decided by the BPF programs (bpf/filter.bpf.h). All zero: everything.
 */
#ifndef KMEMLAB_FILTER_H
#define KMEMLAB_FILTER_H

#include <kmemlab/event.h>

enum kml_filter_limits {
	KML_FILTER_PIDS = 8,
	KML_FILTER_SITES = 8,
	KML_FILTER_NAME_BYTES = 48, /* of a cache */
	KML_OWNED_WAYS = 8,
	KML_OWNED_BUCKETS = 1
			    << 17, /* of 64 bytes: a million live allocations */
};

/* Criteria that are set must all be met. */
struct kml_filter {
	kml_u32 on;	  /* any criterion is set */
	kml_u32 sampling; /* kml_ring.sample_mask may be set */
	kml_u32 by_task;  /* one of the four below */
	kml_u32 pids, by_comm, cgroup_level, by_slot;
	kml_u32 pid[KML_FILTER_PIDS]; /* threads or processes */
	kml_u64 comm[2];
	kml_u64 cgroup_id; /* of a cgroup of version 2, or of an ancestor */
	/* by_slot: one of these. */
	kml_u32 by_order, order_min, order_max;
	kml_u32 by_size, size_min, size_max; /* bytes asked for */
	kml_u32 by_cache, cache_bytes;	     /* of the name that must agree */
	char cache[KML_FILTER_NAME_BYTES];
	kml_u32 sites, pad;
	struct {
		kml_u64 from, to; /* call site: from <= address < to */
	} site[KML_FILTER_SITES];
};

/* One CPU's element of the array map `filter_states`. */
struct kml_filter_state {
	kml_u64 checked_pid; /* pid + 1 of the task that task_ok is about */
	kml_u64 task_ok;
	kml_u64 untracked; /* allocations left out for want of room in `owned`
			    */
	unsigned char wanted[KML_ALL_SLOTS];
};

/* Addresses of live allocations that were recorded: their frees are too. */
struct kml_owned {
	kml_u64 address[KML_OWNED_WAYS];
};

#endif
