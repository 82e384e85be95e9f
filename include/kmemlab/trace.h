/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace.h - the .kmt trace file, version 2. This header, with kinds.h, is the
 * specification. Version 1 had the kinds below 16 and is read as well.
 *
 *   file  := block*
 *   block := struct kmt_block | payload (zstd frames, stored_bytes long)
 *
 * All integers are little-endian. A block can be read without any other block,
 * except that events name classes, and classes and stacks name strings, by
 * number. A reader
 * finds the next block by size, or, where a head is damaged, by searching for
 * the next KMT_MAGIC whose head checksum holds. There is no index: block heads
 * are few (one per CPU and round), so walking them costs less than keeping an
 * index consistent across crashes would.
 *
 * Rounds. The recorder flushes every CPU's events together: new STRINGS,
 * STACKS and CLASSES first, then EVENTS blocks for the CPUs that have any (of a
 * busy CPU there are several), then a ROUND whose t_last is a time below which
 * no later EVENTS block holds an event. Within one CPU blocks follow in time; a
 * reader of a seekable file merges the CPUs' block chains and needs no ROUND,
 * one of a pipe buffers up to it.
 *
 * Times are CLOCK_BOOTTIME nanoseconds. Within one CPU they never decrease.
 */
#ifndef KMEMLAB_TRACE_H
#define KMEMLAB_TRACE_H

#include <stdint.h>

#include <kmemlab/kinds.h>

#define KMT_MAGIC   0x31544d4bu /* "KMT1" */
#define KMT_VERSION 2

enum kmt_limits {
	KMT_BLOCK_MAX_BYTES = 1 << 24,	/* payload, before compression */
	KMT_ROUND_MAX_EVENTS = 1 << 16, /* of an EVENTS block */
	KMT_HISTORY = 1 << 12,		/* addresses, see EVENTS */
	KMT_CPU_NONE = 0xffff,
	KMT_CPU_MAX = 8192,
	KMT_CLASS_MAX = 1 << 24,
	KMT_STRING_MAX_BYTES = 4096,
	KMT_STACK_MAX = 1 << 22,
	KMT_STACK_FRAMES = 127,
	KMT_FRAMES_MAX = 1 << 24,	 /* of all stacks of a file */
	KMT_STRINGS_MAX_BYTES = 1 << 26, /* of a file, with a terminator each */
};

/* Explicit, stable, never renumbered. Unknown types are skipped. */
enum kmt_block_type {
	KMT_HEADER = 1,	 /* JSON: host, probes, settings; the first block */
	KMT_STRINGS = 2, /* names: call sites, caches, commands */
	KMT_CLASSES = 3, /* struct kmt_class[] */
	KMT_EVENTS = 4,	 /* one CPU's events of one round */
	KMT_ROUND = 5,	 /* end of a round, no payload */
	KMT_TEXT = 6,	 /* a kernel text file at a moment */
	KMT_PAGES = 7,	 /* page states of a range of frames at a moment */
	KMT_ACCOUNT = 8, /* JSON: accounting, coverage, own cost; the last
			    one in the file counts */
	KMT_END = 9,	 /* the recorder finished; no payload */
	KMT_STACKS = 10, /* kernel stacks, where they were asked for */
};

/*
 * Head of every block; later versions keep it. The checksums are XXH3-64 (seed
 * 0): of the stored payload, and of the head before `head_checksum`. The lost_*
 * fields are cumulative since the file's begin, over all CPUs.
 */
struct kmt_block {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint16_t cpu; /* EVENTS: the CPU, else KMT_CPU_NONE */
	uint16_t flags;
	uint32_t count;	       /* events, classes, strings, stacks or runs */
	uint32_t stored_bytes; /* of payload in the file */
	uint32_t raw_bytes;    /* of payload after decompression */
	uint64_t seq; /* one up per block; from 0, or in a recording's later
			 file from where the one before ended */
	uint64_t t_first_ns;
	uint64_t t_last_ns;
	uint64_t lost_ring;
	uint64_t lost_recursion;
	uint64_t lost_write;
	uint64_t first_id; /* STRINGS, CLASSES, STACKS: the first entry's number
			    */
	uint64_t payload_checksum;
	uint64_t head_checksum;
};
_Static_assert(sizeof(struct kmt_block) == 96, "block head size");

/* struct kmt_block.flags */
enum kmt_flags {
	KMT_PHASE_START = 1 << 0, /* TEXT, PAGES: of the start snapshot */
	KMT_PHASE_END = 1 << 1,	  /* TEXT, PAGES: of the end snapshot */
};

/*
 * What an event has in common with others: everything but CPU, time and
 * address. Which kind has which fields is said in kinds.h; the others are 0.
 * Numbered from 0 in order of appearance. String number 0 is "" and means
 * unknown.
 */
struct kmt_class {
	uint8_t kind;	     /* enum kmt_kind */
	uint8_t order;	     /* EXTFRAG: the order asked for */
	uint8_t migratetype; /* EXTFRAG: the type asked for */
	uint8_t fallback_order;
	uint8_t fallback_type;
	union {
		uint8_t percpu_refill; /* ZONE_LOCKED */
		uint8_t context;       /* enum kmt_context; 0 in older files */
	};
	int16_t node;	      /* allocations: asked for, -1 any */
	uint32_t gfp;	      /* the kernel's own bits; names in HEADER */
	uint32_t bytes_req;   /* of caches: object_size */
	uint32_t bytes_alloc; /* of caches: size */
	uint32_t call_site;   /* string: "symbol+0xoffset[ [module]]" */
	uint32_t cache;	      /* string: cache name */
	uint32_t comm;	      /* string */
	union {
		uint32_t pid;	/* thread, 0 = idle */
		uint32_t stack; /* see KMT_STACKS; 0: not taken */
	};
	uint32_t tgid; /* process */
};
_Static_assert(sizeof(struct kmt_class) == 40, "class size");

/*
 * EVENTS payload, for `count` events:
 *
 *   uint32_t[6]: bytes of each of the six columns that follow
 *   table:     per class used: varint(class number), byte(the class's kind)
 *   class:     varint(position in table, from 0)
 *   time low:  byte(dt), dt = time - previous time; the first - t_first_ns
 *   time high: varint(dt >> 8)
 *   address:   varint(code), absent for TASK
 *   literal:   varint(zigzag(address - prediction)), for codes that are 0
 *
 * The columns are zstd frames of their own in a large block. Which frames hold
 * compressed and which raw blocks is the writer's choice: ours stores "time
 * low" and "literal" raw, as they are next to noise.
 *
 * varint is LEB128: 7 bits a byte, low bits first, high bit = more follows, at
 * most 10 bytes. zigzag(d) = (d << 1) ^ (d >> 63).
 *
 * What the address is, is said in kinds.h: a frame number (pfn); of an object
 * its physical address in units of 8 bytes, or, if it lies outside the direct
 * map, KMT_OPAQUE | a number that stands for that address in this trace only;
 * and so on. TASK has none. An allocation that failed has KMT_NO_PAGE.
 *
 * What is freed was mostly allocated a few events ago, and what is allocated
 * was mostly freed a few events ago, as far back as the last time this code
 * path ran. So an address is told by how far back it was last seen. State per
 * block, all zero at its start: two histories, one of page kinds (0 to 4 and 16
 * to 23) and one of all others, each of the last KMT_HISTORY addresses; per
 * class a distance and a last address. For each event but TASK:
 *
 *   code = 0: prediction = the class's last address, or, for the class's first
 *             event in the block, the newest address of its history (0 if none)
 *   code > 0: distance += unzigzag(code - 1); the address is the one that
 *             entered the history `distance` events ago, 1 = the newest
 *
 * then the address becomes the class's last and enters the history. A writer
 * may use code 0 for any event; a distance that is not in 1..min(addresses so
 * far, KMT_HISTORY) makes the block invalid.
 *
 * STRINGS payload: `count` times: varint(length), bytes (no terminator). No
 *   number is defined twice.
 * CLASSES payload: `count` times struct kmt_class.
 * STACKS payload: `count` times: varint(frames), at most KMT_STACK_FRAMES, then
 *   of each, the innermost first, varint(string): as a call site's, where the
 *   call returns to. Numbered from 1.
 * TEXT payload: varint(length of name), name, then the text. Name: the path
 *   below /proc, /sys or debugfs, e.g. "buddyinfo", "sys/vm/min_free_kbytes".
 *   "latency": JSON of the time inside the allocation functions, at the end:
 *   {"buckets_per_octave", "missed" (calls), "rows": [{"what": pages, kmalloc
 * or cache, "order" or "bytes" (the largest of its class), "calls", "sum_ns",
 *   "max_ns", "histogram": [[lowest ns of a bucket, calls], ...]}, ...],
 *   "samples": [{"time_ns" (at its end), "ns", "what", "order" or "bytes"},
 * ...]}.
 *
 * "start/pcp": JSON of the per-CPU lists, read right after the start snapshot's
 *   pages, where the kernel lets one; of each populated zone and online CPU,
 *   empty lists left out:
 *   {"cpus": [{"node", "zone", "cpu", "time_ns" (of reading these), "count",
 *   "high", "batch", "free_factor" (to 6.6), "free_count", "alloc_factor"
 *   (since 6.7), as struct per_cpu_pages has them, "lists": [{"order", "type",
 *   "pfns": [first page of each block, the list's head first]}, ...]}, ...]}
 *
 * "start/blocktypes": JSON of the pageblocks' types at that time, holes of a
 *   memory section included: {"time_ns", "pageblock_order", "runs": [[first
 *   pfn, pageblocks, migrate type], ...]}
 *
 * "kmemlab/vmalloc": JSON of the areas of vmalloc's address space, at the start
 * and at the end, read in the kernel's lists where it lets one: {"time_ns":
 * [from, to] (read between these), "used": [[page (as of VMALLOC_ALLOC), pages
 * of address space, node whose pool gets it one day + 1 (0: none; since 6.9),
 * pages that it owns, kind, who asked for it], ...], "lazy" (freed, waits for a
 * purge) and "pool" (purged, kept by size): [[page, pages, node + 1, node whose
 * list it is on], ...]}
 *
 * "kmemlab/percpu": JSON of the chunks of per-CPU memory, at the start and at
 * the end, read in the kernel's own structures where it lets one: {"time_ns":
 * [from, to] (read between these), "unit_bytes", "atom_bytes", "static_bytes",
 * "reserved_bytes", "dyn_bytes" (the first chunk's), "chunks": [{"chunk" (as of
 * PERCPU_ALLOC, the address's upper 32 bits), "first", "reserved", "slot" (in
 * whose order, head first, they come; the reserved chunk, in none, is first),
 * "isolated", "pages" (of a unit, its own or not), "free_bytes", "contig_bytes"
 * (largest free area that the kernel knows of), "nr_populated", "empty_pages"
 * (of these), "populated": [[first page, pages], ...], "areas": [[offset,
 * bytes], ...]}, ...]}; bytes are of one CPU. Where the kernel shows no symbols
 * of data the reserved chunk is not found: "static_bytes" has its bytes then.
 *
 * "kmemlab/slabs": JSON of the slabs that are not full, at the start, read in
 * the kernel's lists where it lets one; all other slabs are full: {"time_ns":
 * [from, to] (read between these), "caches": [{"name", "size",
 * "objects_per_slab", "order" (of a new slab), "slabs", "objects" (live and
 * free), "time_ns" (of reading this one), "node" (on the nodes' partial lists,
 * in their order), "cpu" (that CPUs allocate from), "cpu_partial" (on CPUs'
 * partial lists, the next to be taken first): [[first pfn, free objects, node
 * or CPU], ...]; without the latter two where CPUs' are not found;
 * "in_sheaves": free objects in sheaves (6.18), which count as in use in the
 * slabs, of caches that have any}, ...]}
 *
 * PAGES payload: varint(first pfn), then `count` runs, see enum
 * kmt_page_state: byte(state << 4 | min(order, 15)), varint(number of blocks of
 * that order). A run's blocks follow one another without gap and so do runs.
 * Orders over 14 (gigantic pages) are stored as that many order-14 blocks.
 * t_first_ns and t_last_ns enclose the reading. A large snapshot is several
 * blocks. HEADER, ACCOUNT payload: JSON text, see user/README.md.
 */
#define KMT_OPAQUE  (1ull << 62)
#define KMT_NO_PAGE KMT_OPAQUE

enum kmt_page_state {
	KMT_PG_NONE = 0,     /* hole, or no struct page */
	KMT_PG_RESERVED = 1, /* never in the buddy allocator, or offline */
	KMT_PG_FREE = 2,     /* free buddy block of `order` */
	KMT_PG_KERNEL = 3,   /* allocated, no flag says for what; includes
				pages on per-CPU lists */
	KMT_PG_SLAB = 4,
	KMT_PG_PGTABLE = 5,
	KMT_PG_ANON = 6,
	KMT_PG_FILE = 7, /* page cache and shared memory */
	KMT_PG_HUGE = 8, /* hugetlb */
	KMT_PG_STATES = 9,
};

#endif
