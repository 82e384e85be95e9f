/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_walk.h - what bpf/percpu_walk.bpf.c hands to the recorder, in memory
 * only: the chunks of per-CPU memory, and one chunk's bitmaps at a time.
 */
#ifndef KMEMLAB_PERCPU_WALK_H
#define KMEMLAB_PERCPU_WALK_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum kml_percpu_limits {
	KML_PERCPU_CHUNKS = 4096,
	KML_PERCPU_SLOTS = 64,
	KML_PERCPU_PAGES = 2048, /* of a unit: 8 MiB */
	KML_PERCPU_PAGE_WORDS =
		16, /* of a bitmap, a page's: a bit for 4 bytes */
};

enum kml_percpu_status {
	KML_PERCPU_DONE = 0,
	KML_PERCPU_BUSY = 1,	/* a list changed meanwhile: try again */
	KML_PERCPU_FULL = 2,	/* more than there is room for */
	KML_PERCPU_UNKNOWN = 3, /* the chunks were not found */
};

/* As struct pcpu_chunk has it. A bit of `populated` is a page of each unit. */
struct kml_percpu_chunk {
	__u64 base;
	__s32 free_bytes, contig_bits, start_offset, end_offset;
	__s32 pages, nr_populated, empty_pages;
	__u8 immutable, isolated, pad[2];
	__u64 populated[KML_PERCPU_PAGES / 64];
	__u64 alloc[KML_PERCPU_PAGES * KML_PERCPU_PAGE_WORDS];
	__u64 bound[KML_PERCPU_PAGES * KML_PERCPU_PAGE_WORDS];
};

struct kml_percpu_place {
	__u64 address;
	__u32 slot, pad;
};

struct kml_percpu {
	__u32 status, n;
	__u32 unit_bytes, atom_bytes;
	__u64 base;	       /* of the first chunk's units */
	__u64 first, reserved; /* 0: there is no reserved chunk */
	__u64 at;	       /* the chunk to be read */
	struct kml_percpu_place chunk[KML_PERCPU_CHUNKS];
	struct kml_percpu_chunk of;
};

#endif
