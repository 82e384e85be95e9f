/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kinds.h - the kinds of events, in the rings (event.h) and on disk (trace.h).
 *
 * Explicit, stable, never renumbered; 6 bits. What a kind's address column and
 * class fields hold is said beside it. "pfn" is a frame number, "object" a
 * physical address in units of 8 bytes or an opaque number (trace.h). Fields
 * not named are 0.
 *
 * Where stacks are recorded, all kinds of allocations (PAGE_ALLOC, KMALLOC,
 * CACHE_ALLOC, STACK_PAGE, BULK_PAGE, CONTIG_ALLOC, CACHE_BULK_ALLOC,
 * PERCPU_ALLOC, VMALLOC_ALLOC), EXTFRAG, and reclaim's and compaction's BEGIN
 * have `stack`.
 */
#ifndef KMEMLAB_KINDS_H
#define KMEMLAB_KINDS_H

enum kmt_kind {
	/* The page and slab allocators' own tracepoints: all common. */
	KMT_PAGE_ALLOC = 0,  /* pfn; order, migratetype, gfp */
	KMT_PAGE_FREE = 1,   /* pfn; order */
	KMT_ZONE_LOCKED = 2, /* pfn leaves the buddy lists; order, migratetype,
				percpu_refill */
	KMT_EXTFRAG = 3,     /* pfn; order and migratetype asked for, and
				fallback_order, fallback_type taken from */
	KMT_PCPU_DRAIN = 4,  /* pfn, per-CPU list to buddy lists; order,
				migratetype */
	KMT_KMALLOC = 5,     /* object; node, gfp, bytes, call_site, cache,
				context */
	KMT_KFREE = 6,	     /* object; call_site */
	KMT_CACHE_ALLOC = 7, /* object; node, gfp, bytes, call_site, cache,
				context */
	KMT_CACHE_FREE = 8,  /* object; call_site, cache */
	KMT_STACK_PAGE = 9,  /* pfn of a new task's kernel stack: allocated a
				moment ago if it is not known to be live. The
				kernel allocates stacks in bulk, which no
				tracepoint shows */

	KMT_STACK = 13,	     /* in rings only */
	KMT_TASK = 14,	     /* the CPU now runs this task; comm, pid, tgid */
	KMT_CACHE_NAME = 15, /* in rings only */

	/* Pages that the tracepoints above do not show. */
	KMT_BULK_PAGE = 16,    /* pfn, order 0, from alloc_pages_bulk(): not
				  allocated by this if it is known to be live;
				  gfp */
	KMT_PAGE_SPLIT = 17,   /* pfn: a live block of `order` becomes blocks
				  of fallback_order */
	KMT_MIGRATE_FROM = 18, /* pfn whose content has moved; order. The CPU's
				  next MIGRATE_TO says where to */
	KMT_MIGRATE_TO = 19,   /* pfn, live from here on; order */
	KMT_PAGE_ISOLATE = 20, /* pfn leaves the buddy lists for compaction, a
				  contiguous range or free page reporting;
				  order */
	KMT_CONTIG_ALLOC = 21, /* first pfn of a contiguous range; gfp, and
				  bytes_alloc: its number of pages */
	KMT_MIGRATE_PTE = 22,  /* pfn mapped after a migration: a target, or
				  where that failed the old page; order */
	KMT_PAGE_KEEP = 23,    /* pfn, a target that compaction did not use and
				  keeps: where an mm_page_free of it came just
				  before (6.9 on), that was none; order */

	/* Objects in bulk, and caches. */
	KMT_CACHE_BULK_ALLOC = 24, /* object; gfp, bytes, cache */
	KMT_CACHE_BULK_FREE = 25,  /* object; cache; its frames stand for the
				      cache where kfree_bulk() was called */
	KMT_CACHE_CREATE = 26,	   /* opaque: the cache; bytes, cache */
	KMT_CACHE_DESTROY = 27,	   /* opaque: the cache; bytes, cache */

	/* Per-CPU memory: chunk number << 32 | offset in bytes. */
	KMT_PERCPU_ALLOC = 28, /* gfp, bytes, call_site; fallback_type: 1 from
				  the reserved chunk, 2 atomic, or both; order:
				  of the alignment in bytes, at least 2 (0 in
				  traces of before it was recorded) */
	KMT_PERCPU_FREE = 29,
	/* vmalloc areas: pages from VMALLOC_START, or opaque. */
	KMT_VMALLOC_ALLOC = 30, /* order: of the alignment; bytes_alloc: pages,
				   with the guard page */
	KMT_VMALLOC_FREE = 31,	/* unmapped; its range is kept for a purge */

	/* Rare from here on. Numbers unless said otherwise. */
	KMT_PERCPU_FAIL = 32,	/* 0; bytes_req; bytes_alloc: alignment;
				   fallback_type as PERCPU_ALLOC */
	KMT_PERCPU_CREATE = 33, /* a chunk, offset 0 */
	KMT_PERCPU_DESTROY = 34,
	KMT_VMALLOC_PURGE = 35, /* areas given back */

	/* Pressure. BEGIN and END are of one task; so is what lies between
	 * them, as TASK tells. fallback_type is called detail here. */
	KMT_RECLAIM_BEGIN = 36,	      /* 0; order, gfp */
	KMT_RECLAIM_END = 37,	      /* pages reclaimed */
	KMT_MEMCG_RECLAIM_BEGIN = 38, /* 0; order, gfp */
	KMT_MEMCG_RECLAIM_END = 39,   /* pages reclaimed */
	KMT_NODE_RECLAIM_BEGIN = 40,  /* 0; order, gfp, node */
	KMT_NODE_RECLAIM_END = 41,    /* pages reclaimed */
	KMT_COMPACT_BEGIN = 42,	 /* the zone's first pfn; order (18: the whole
				    zone), gfp, detail: 1 synchronous */
	KMT_COMPACT_END = 43,	 /* the zone's first pfn; detail: the kernel's
				    enum compact_result */
	KMT_KSWAPD_WAKE = 44,	 /* 0; node, order, detail: zone */
	KMT_KSWAPD_SLEEP = 45,	 /* 0; node */
	KMT_WAKEUP_KSWAPD = 46,	 /* 0: the task wakes it; node, order, gfp,
				    detail: zone */
	KMT_KCOMPACTD_WAKE = 47, /* as the three above */
	KMT_KCOMPACTD_SLEEP = 48,
	KMT_WAKEUP_KCOMPACTD = 49,
	KMT_THROTTLED = 50,	/* microseconds; node, detail: the kernel's
				   reason */
	KMT_MIGRATE_PAGES = 51, /* pages that migrated | failed << 32 */
	KMT_OOM_VICTIM = 52,	/* 0; comm, pid */

	KMT_KINDS = 64,
};

/*
 * Where a request that may not block (no __GFP_DIRECT_RECLAIM) was made: the
 * class's `context` of KMALLOC and CACHE_ALLOC. Requests that may block have
 * KMT_CONTEXT_UNKNOWN, as have all of traces that do not tell.
 */
enum kmt_context {
	KMT_CONTEXT_UNKNOWN = 0,
	KMT_CONTEXT_MAY_SLEEP = 1, /* nothing was seen that forbids it */
	KMT_CONTEXT_ATOMIC = 2,	   /* a spinlock, softirqs off, an RCU reader, a
				      task that idles, reclaims or is about to
				      sleep */
	KMT_CONTEXT_SOFTIRQ = 3,
	KMT_CONTEXT_HARDIRQ = 4,     /* or NMI */
	KMT_CONTEXT_PREEMPTIBLE = 5, /* no interrupt, interrupts and preemption
					on; RCU readers are not told */
	KMT_CONTEXTS = 6,
};

enum kmt_kind_ranges {
	KMT_MEDIUM_KINDS = 16, /* kinds from here on are less common */
	KMT_OBJECT_KINDS = 24, /* of these, pages come before */
	KMT_RARE_KINDS = 32,
};

#endif
