/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - what the BPF programs hand to the recorder, in memory only.
 *
 * Each CPU owns one ring of 16-byte cells. A cell is an event or one word of a
 * definition:
 *
 *   word0   63          22 21       10  9    4   3    2   0
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
 * Of the time there are the low 42 bits of nanoseconds, which repeat every 73
 * minutes. The recorder, which reads a ring many times a second, takes the
 * latest time that is not after its own clock by more than a second (an event
 * cannot be younger than its reading). That is right for every event read
 * within 73 minutes of happening; a recorder that was stopped for longer
 * misdates what the rings held, never its order.
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

#include <kmemlab/kinds.h>

#ifndef __bpf__
#include <stdint.h>
typedef uint64_t kml_u64;
typedef uint32_t kml_u32;
#else
typedef unsigned long long kml_u64;
typedef unsigned int kml_u32;
#endif

/* The kinds of kinds.h by the names that rings know them by. */
enum kml_kind {
	KML_PAGE_ALLOC = KMT_PAGE_ALLOC,
	KML_PAGE_FREE = KMT_PAGE_FREE,
	KML_ZONE_LOCKED = KMT_ZONE_LOCKED,
	KML_EXTFRAG = KMT_EXTFRAG,
	KML_PCPU_DRAIN = KMT_PCPU_DRAIN,
	KML_KMALLOC = KMT_KMALLOC,
	KML_KFREE = KMT_KFREE,
	KML_CACHE_ALLOC = KMT_CACHE_ALLOC,
	KML_CACHE_FREE = KMT_CACHE_FREE,
	KML_STACK_PAGE = KMT_STACK_PAGE,
	KML_COMMON_KINDS = 10, /* kinds below this one have large tables */
	KML_STACK = KMT_STACK, /* definition only: frames of a stack; its slot
				  is the kind that needed it */
	KML_TASK = KMT_TASK,   /* definition only: `current` changed */
	KML_CACHE_NAME =
		KMT_CACHE_NAME, /* definition only: name of a kmem_cache;
				   its slot is the kind that needed it */
	KML_KINDS = KMT_KINDS,
};

enum kml_limits {
	KML_SLOT_BITS = 12,
	KML_MEDIUM_SLOT_BITS = 8,
	KML_RARE_SLOT_BITS = 5,
	/* Tables of all kinds, in one array: see kml_slot_base(). */
	KML_MEDIUM_BASE = KML_COMMON_KINDS << KML_SLOT_BITS,
	KML_RARE_BASE = KML_MEDIUM_BASE + ((KMT_RARE_KINDS - KMT_MEDIUM_KINDS)
					   << KML_MEDIUM_SLOT_BITS),
	KML_ALL_SLOTS = KML_RARE_BASE +
			((KML_KINDS - KMT_RARE_KINDS) << KML_RARE_SLOT_BITS),
	KML_SLOTS = 1 << KML_SLOT_BITS,
	KML_CELL_BYTES = 16,
	KML_DEF_WORDS = 4, /* words of a slot's definition */
	KML_TASK_WORDS = 3,
	KML_NAME_WORDS = 8,    /* cache pointer, sizes, 48 bytes of name */
	KML_STACK_FRAMES = 64, /* the innermost ones are kept */
	KML_STACK_WORDS = 2 + KML_STACK_FRAMES,
	KML_RING_MARGIN_BYTES = 8192, /* kept free for definitions */
};

enum kml_word0 {
	KML_LAP_MASK = 0x7,
	KML_DEF_BIT = 0x8,
	KML_KIND_SHIFT = 4,
	KML_SLOT_SHIFT = 10,
	KML_TIME_SHIFT = 22, /* 42 bits of ns: wraps after 73 min */
};

/* Of word 0 of a definition, enum kmt_context. */
enum { KML_CONTEXT_SHIFT = 16, KML_CONTEXT_MASK = 0xf };

#define KML_SLOT_USED	(1ull << 31)
#define KML_SLOT_FAILED (1ull << 30) /* the allocation returned NULL */

/* log2 of the number of a kind's slots. */
static inline kml_u32 kml_slot_bits(kml_u32 kind)
{
	return kind < KMT_MEDIUM_KINDS ? (kml_u32)KML_SLOT_BITS
	       : kind < KMT_RARE_KINDS ? (kml_u32)KML_MEDIUM_SLOT_BITS
				       : (kml_u32)KML_RARE_SLOT_BITS;
}

/* Where a kind's slots begin; @kind has slots (is no TASK or CACHE_NAME). */
static inline kml_u32 kml_slot_base(kml_u32 kind)
{
	if (kind < KML_COMMON_KINDS)
		return kind << KML_SLOT_BITS;
	if (kind < KMT_RARE_KINDS)
		return KML_MEDIUM_BASE +
		       ((kind - KMT_MEDIUM_KINDS) << KML_MEDIUM_SLOT_BITS);
	return KML_RARE_BASE + ((kind - KMT_RARE_KINDS) << KML_RARE_SLOT_BITS);
}

static inline int kml_has_slots(kml_u32 kind)
{
	return kind < KML_COMMON_KINDS ||
	       (kind >= KMT_MEDIUM_KINDS && kind < KML_KINDS);
}

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
 *  KMALLOC       0: node + 1 | context << 16 | gfp << 32, 1: call site,
 *                2: bytes requested | bytes allocated << 32, 3: kmem_cache
 *  KFREE         1: call site
 *  CACHE_ALLOC   0: node + 1 | context << 16 | gfp << 32, 1: call site,
 *                2: kmem_cache
 *  CACHE_FREE    1: call site, 2: kmem_cache
 *  STACK_PAGE    0: nothing
 *  BULK_PAGE     0: gfp << 32
 *  PAGE_SPLIT    0: order | new order << 8
 *  MIGRATE_FROM, MIGRATE_TO, PAGE_ISOLATE, MIGRATE_PTE,
 *  PAGE_KEEP     0: order
 *  CONTIG_ALLOC  0: gfp << 32, 2: pages
 *  CACHE_BULK_*  as CACHE_*; CACHE_CREATE, CACHE_DESTROY  2: kmem_cache
 *  PERCPU_ALLOC  0: order of the alignment in bytes | detail << 16 | gfp << 32,
 *                1: call site, 2: bytes requested | bytes allocated << 32
 *  PERCPU_FAIL   0: detail << 16 | gfp << 32, 1: call site,
 *                2: bytes requested | alignment << 32
 *  VMALLOC_ALLOC 0: order of the alignment, 1: start of the region that the
 *                area may lie in, 2: pages
 *  pressure      0: order | detail << 16 | gfp << 32, 1: node + 1
 *  OOM_VICTIM    0: pid << 32, 1..2: comm
 *  TASK          0: pid | tgid << 32, 1..2: comm
 *  CACHE_NAME    0: kmem_cache, 1: object_size | size << 32, 2..7: name
 *  STACK         0: a number that stands for it, 1: frames, 2..: return
 *                addresses, the innermost first
 *
 * Where stacks are taken, a slot with one has a word more, which comes first:
 * word KML_DEF_WORDS, the stack's number. Its STACK came before it.
 *
 * An event's word 1 is a struct page's or an object's address, except: PERCPU_*
 * (bits 12..46 of the chunk's base) << KML_PERCPU_SHIFT | offset, VMALLOC_* an
 * address, others a number.
 *
 * KMALLOC's word 3 is found by looking at the page behind the object; it is 0
 * for a large allocation, which has no cache, and for a failed one, which has a
 * slot of its own (KML_SLOT_FAILED) because its cache cannot be seen.
 */

enum { KML_PERCPU_SHIFT = 29 };

/* What all rings have in common; constant when programs are loaded. */
struct kml_shape {
	kml_u64 mask;	/* of a cell's place: all cells, less one */
	kml_u32 shift;	/* logarithm of the bytes of all cells */
	kml_u32 select; /* are there filters, a sampling rate or stacks? */
};

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
 * One CPU's element of the array map `stack_states`, where stacks are taken. A
 * program has a place of its own for frames: it cannot nest in itself.
 */
struct kml_stack_state {
	kml_u64 failed; /* events whose stack the kernel did not tell */
	kml_u64 taken;
	kml_u64 slot_stack[KML_ALL_SLOTS]; /* beside kml_ring.slot */
	kml_u64 known[1 << KML_SLOT_BITS]; /* told in this ring, the latest */
	kml_u64 frames[KML_KINDS];
	kml_u64 frame[KML_KINDS][KML_STACK_FRAMES];
};

/*
 * One CPU's element of the array map `rings`: counters, slots, then the cells
 * (a power of two of bytes). All that an event looks at but its counter and its
 * slot is in the first cache line; another CPU writes there, a few hundred
 * times a second at most.
 */
struct kml_ring {
	kml_u64 head;	     /* bytes reserved, ever; producer */
	kml_u64 limit;	     /* of head: beyond it there is no room; consumer */
	kml_u64 last_pid;    /* pid + 1 of the last TASK definition */
	kml_u64 sample_mask; /* record addresses whose hash has none of these
				bits; the recorder's (bpf/filter.bpf.h) */
	kml_u64 preempt_count; /* where this CPU's is; 0: not looked for yet */
	kml_u64 tail;	       /* bytes consumed, ever; consumer */
	kml_u64 pad0[2];
	struct kml_count count[KML_KINDS];
	kml_u64 pad1[512 - 8 - KML_KINDS * 4];
	struct kml_slot slot[KML_ALL_SLOTS]; /* 1.4 MiB, see kml_slot_base() */
	struct kml_cell cell[];
};

_Static_assert(sizeof(struct kml_cell) == KML_CELL_BYTES, "cell size");
_Static_assert(sizeof(struct kml_ring) % 4096 == 0, "cells start on a page");

#endif
