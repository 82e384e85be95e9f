/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * top.h - what `kmemlab top` has the kernel add up: no events, only sums.
 *
 * Each CPU has one element of an array map. For every allocation two slots of
 * it are added to: one of its source (call site, class of size, gfp; cache;
 * order), one of the command that runs. A slot is found by hashing its key into
 * `index`, whose entries are numbers of slots; slots fill from 1 on, are never
 * given back, and slot 0 takes what finds no place, so that sums stay whole.
 *
 * What is live cannot be told from sums: a free knows an address only. So lives
 * are sampled: an address whose hash is 0 in `sample_mask` is kept in `lives`
 * from its allocation to its free, with the slots that it belongs to. One in
 * (sample_mask + 1) is; the reader multiplies.
 *
 *   lives[hash]  { address, slots, bytes } x 4       a bucket of two cache
 * lines
 *
 * A full bucket is counted (`untracked`), and such a life is in no estimate. An
 * address that is allocated while it is in `lives` ended unseen: counted, and
 * its old life taken off.
 */
#ifndef KMEMLAB_TOP_H
#define KMEMLAB_TOP_H

#include <kmemlab/event.h>

enum kml_top_table {
	KML_TOP_PAGES = 0,   /* key: order | migrate type << 8 */
	KML_TOP_KMALLOC = 1, /* key: call site; bytes allocated | gfp << 32 */
	KML_TOP_CACHE = 2,   /* key: call site; kmem_cache */
	KML_TOP_TABLES = 3,
};

enum kml_top_limits {
	KML_TOP_COMMANDS = 512, /* of a table; a power of two, as all below */
	KML_TOP_PAGE_SLOTS = 128,
	KML_TOP_OBJECT_SLOTS = 4096,
	/* Slots: those of commands of each table, then those of sources. */
	KML_TOP_PAGE_BASE = KML_TOP_TABLES * KML_TOP_COMMANDS,
	KML_TOP_KMALLOC_BASE = KML_TOP_PAGE_BASE + KML_TOP_PAGE_SLOTS,
	KML_TOP_CACHE_BASE = KML_TOP_KMALLOC_BASE + KML_TOP_OBJECT_SLOTS,
	KML_TOP_SLOTS = KML_TOP_CACHE_BASE + KML_TOP_OBJECT_SLOTS,
	KML_TOP_INDEX = 2 * KML_TOP_SLOTS, /* entries: half of them stay free */
	KML_TOP_PROBES = 8,		   /* places that a key may have */
	KML_TOP_ORDERS = 20, /* gigantic pages are freed as order 18 */
	KML_TOP_WAYS = 4,
	KML_TOP_NAME_BYTES = 48, /* of a cache */
	KML_TOP_STALLS = 256,	 /* kept until they are read */
	KML_TOP_BEGUN = 1024,	 /* stalls that may be under way */
};

/* The first cache line is all that an event writes. */
struct kml_top_slot {
	kml_u64 key[2]; /* of a command: its name */
	kml_u64 unit;	/* of KML_TOP_CACHE: object_size | size << 32 */
	kml_u64 events; /* allocations */
	kml_u64 req;	/* bytes asked for */
	kml_u64 given;	/* bytes given */
	kml_u64 begun;	/* lives in the sample, and their bytes */
	kml_u64 begun_bytes;
	kml_u64 ended; /* of these; any CPU adds */
	kml_u64 ended_bytes;
	char name[KML_TOP_NAME_BYTES]; /* of the cache; "": none */
};

/* Of one program; no other writes it. */
struct kml_top_state {
	kml_u64 last_pid; /* pid + 1 of the task that `command` is about */
	kml_u32 command;  /* slot of the running command */
	kml_u32 commands; /* slots in use but for 0 */
	kml_u32 sources;
	kml_u32 pad;
	kml_u64 failed; /* allocations that the kernel refused */
	kml_u64 last;	/* the last large kmalloc: address, bytes, slots */
	kml_u64 last_bytes;
	kml_u32 last_source, last_command;
	kml_u64 twice; /* large kmallocs that the kernel traced twice */
};

/* One CPU's element of the array map `cpus`. */
struct kml_top_cpu {
	struct kml_top_state state[KML_TOP_TABLES];
	kml_u64 kfree, cache_free; /* frees of objects */
	kml_u64 kfree_null;	   /* kfree(NULL), which frees nothing */
	kml_u64 page_free[KML_TOP_ORDERS]; /* by order */
	kml_u64 untracked;		   /* sampled lives without a place */
	kml_u64 replaced;		   /* lives that ended unseen */
	kml_u64 pad[3];
	unsigned short index[KML_TOP_INDEX];
	struct kml_top_slot slot[KML_TOP_SLOTS];
};

/* A life in the sample. */
struct kml_top_life {
	kml_u64 address; /* 0: a free place */
	kml_u64 bytes;
	kml_u32 source, command; /* slots of `cpu` */
	kml_u32 cpu, pad;
};

struct kml_top_bucket {
	struct kml_top_life life[KML_TOP_WAYS];
};

enum kml_top_stall_kind {
	KML_TOP_RECLAIM = 0,
	KML_TOP_MEMCG_RECLAIM = 1,
	KML_TOP_NODE_RECLAIM = 2,
	KML_TOP_COMPACTION = 3,
	KML_TOP_THROTTLED = 4,
	KML_TOP_FAILURE = 5, /* a page allocation failed: no time */
	KML_TOP_OOM = 6,     /* the command is the victim's: no time */
	KML_TOP_STALL_KINDS = 7,
};

/* Written at its end; `seq` last, its number from 1. */
struct kml_top_stall {
	kml_u64 seq;
	kml_u64 end_ns, ns; /* CLOCK_BOOTTIME */
	kml_u64 comm[2];
	kml_u32 pid;
	unsigned char kind, order, pad[2];
};

/* A stall under way, at the place that its task's number gives. */
struct kml_top_begun {
	kml_u64 who; /* pid | kind << 32 */
	kml_u64 start_ns;
	kml_u32 order, pad;
};

_Static_assert(sizeof(struct kml_top_bucket) == 128, "two cache lines");
_Static_assert(sizeof(struct kml_top_slot) == 128, "two cache lines");
_Static_assert(sizeof(struct kml_top_cpu) % 8 == 0,
	       "elements follow one another");

#endif
