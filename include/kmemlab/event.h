/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - what the BPF programs hand to the recorder, in memory only.
 *
 * Each CPU owns one ring of 16-byte cells. A cell is an event or one word of a
 * definition:
 *
 *   word0   63          20 19        8  7    4   3    2   0
 *          +--------------+-----------+------+-----+-------+
 *          | time or index| slot      | kind | def | lap   |
 *          +--------------+-----------+------+-----+-------+
 *   word1   event: address (struct page * or object), definition: its data
 *
 * An event says only "slot S of kind K happened at T to address A". What slot
 * S stands for (call site, gfp, sizes, cache, order, ...) was defined earlier
 * in the same ring, by KML_DEF_WORDS cells with `def` set and the word's index
 * in place of the time. A kind's slots are written by one BPF program, which
 * cannot nest in itself on one CPU, so definitions need no lock; definitions
 * of *different* kinds may interleave when an interrupt hits.
 *
 * Commit: the writer reserves cells by an atomic add on `head`, fills word1 and
 * stores word0 last. `lap` counts ring revolutions from 1 (mod 8), so a cell
 * whose lap is not the expected one is not committed yet. x86-64 store order
 * suffices for that.
 *
 * Raw kernel addresses exist in these rings only; the recorder turns them into
 * frame numbers, physical addresses and symbol names before anything reaches a
 * file.
 */
#ifndef KMEMLAB_EVENT_H
#define KMEMLAB_EVENT_H

#ifndef __bpf__
#include <stdint.h>
typedef uint64_t kml_u64;
typedef uint32_t kml_u32;
#else
typedef unsigned long long kml_u64;
typedef unsigned int kml_u32;
#endif

/* One per traced event. Explicit, stable, never renumbered. */
enum kml_kind {
	KML_PAGE_ALLOC = 0,
	KML_PAGE_FREE = 1,
	KML_ZONE_LOCKED = 2, /* a page leaves the buddy lists */
	KML_EXTFRAG = 3,     /* fallback to another migrate type */
	KML_PCPU_DRAIN = 4,  /* per-CPU list to buddy lists */
	KML_KMALLOC = 5,
	KML_KFREE = 6,
	KML_CACHE_ALLOC = 7,
	KML_CACHE_FREE = 8,
	KML_STACK_PAGE = 9,   /* a page of a new task's kernel stack */
	KML_PROBE_KINDS = 10, /* kinds below this one have a probe */
	KML_TASK = 14,	      /* definition only: `current` changed */
	KML_CACHE_NAME = 15,  /* definition only: name of a kmem_cache; its slot
				 is the kind that needed it */
	KML_KINDS = 16,
};

enum kml_limits {
	KML_SLOT_BITS = 12,
	KML_SLOTS = 1 << KML_SLOT_BITS,
	KML_CELL_BYTES = 16,
	KML_DEF_WORDS = 4, /* words of a slot's definition */
	KML_TASK_WORDS = 3,
	KML_NAME_WORDS = 8, /* cache pointer, sizes, 48 bytes of name */
	KML_RING_MARGIN_BYTES = 8192, /* kept free for definitions */
};

enum kml_word0 {
	KML_LAP_MASK = 0x7,
	KML_DEF_BIT = 0x8,
	KML_KIND_SHIFT = 4,
	KML_SLOT_SHIFT = 8,
	KML_TIME_SHIFT = 20, /* 44 bits of ns: wraps after 4.8 h */
};

#define KML_SLOT_USED	(1ull << 31)
#define KML_SLOT_FAILED (1ull << 30) /* KMALLOC returned NULL */

struct kml_cell {
	kml_u64 word0;
	kml_u64 word1;
};

/*
 * Slot definitions, by word. Bit 31 of word 0 (KML_SLOT_USED) is always set, so
 * that no definition equals an empty slot.
 *
 *  PAGE_ALLOC    0: order | migratetype << 8, gfp << 32
 *  PAGE_FREE     0: order
 *  ZONE_LOCKED   0: order | migratetype << 8 | percpu_refill << 16
 *  EXTFRAG       0: alloc order | alloc type << 8 | fallback order << 16 |
 *                   fallback type << 24
 *  PCPU_DRAIN    0: order | migratetype << 8
 *  KMALLOC       0: node + 1 | gfp << 32, 1: call site,
 *                2: bytes requested | bytes allocated << 32, 3: kmem_cache
 *  KFREE         1: call site
 *  CACHE_ALLOC   0: node + 1 | gfp << 32, 1: call site, 2: kmem_cache
 *  CACHE_FREE    1: call site, 2: kmem_cache
 *  STACK_PAGE    0: nothing
 *  TASK          0: pid | tgid << 32, 1..2: comm
 *  CACHE_NAME    0: kmem_cache, 1: object_size | size << 32, 2..7: name
 *
 * KMALLOC's word 3 is found by looking at the page behind the object; it is 0
 * for a large allocation, which has no cache, and for a failed one, which has a
 * slot of its own (KML_SLOT_FAILED) because its cache cannot be seen.
 */

/* Per kind, per CPU; a program cannot nest in itself, so no atomics. */
struct kml_count {
	kml_u64 fired;	   /* entered the program */
	kml_u64 filtered;  /* left it on purpose: kfree(NULL) */
	kml_u64 lost_ring; /* left it because the ring was full */
	kml_u64 pad;
};

/* What a slot stands for now; word 0 has KML_SLOT_USED set. */
struct kml_slot {
	kml_u64 word[KML_DEF_WORDS];
};

/*
 * One CPU's element of the array map `rings`: counters, slots, then the cells
 * (a power of two of bytes). `tail` has a cache line of its own because another
 * CPU writes it.
 */
struct kml_ring {
	kml_u64 head;	  /* bytes reserved, ever; producer */
	kml_u64 last_pid; /* pid + 1 of the last TASK definition */
	kml_u64 pad0[6];
	kml_u64 tail; /* bytes consumed, ever; consumer */
	kml_u64 pad1[7];
	struct kml_count count[KML_KINDS];
	kml_u64 pad2[512 - 16 - KML_KINDS * 4];
	struct kml_slot slot[KML_PROBE_KINDS][KML_SLOTS];
	struct kml_cell cell[];
};

_Static_assert(sizeof(struct kml_cell) == KML_CELL_BYTES, "cell size");
_Static_assert(sizeof(struct kml_ring) % 4096 == 0, "cells start on a page");

#endif
