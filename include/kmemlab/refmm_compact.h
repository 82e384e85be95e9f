/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_compact.h - moving pages: compaction, and ranges of one's own choice.
 *
 * Both move what was allocated as movable, and need the hook
 * rmm_hooks.migrate, by which owners follow; without it nothing moves.
 */
#ifndef KMEMLAB_REFMM_COMPACT_H
#define KMEMLAB_REFMM_COMPACT_H

#include <kmemlab/refmm_types.h>

/* enum migrate_mode: how much the mover puts up with */
enum rmm_migrate_mode {
	RMM_MIGRATE_ASYNC = 0,	    /* for a request that hopes: no dirty pages,
				       only pageblocks of its own type */
	RMM_MIGRATE_SYNC_LIGHT = 1, /* any pageblock */
	RMM_MIGRATE_SYNC = 2,
};

/* enum compact_result, in the kernel's order: the larger the better */
enum rmm_compact_result {
	RMM_COMPACT_SKIPPED = 1,  /* too little memory, or nobody can follow */
	RMM_COMPACT_DEFERRED = 2, /* failed lately: not worth trying */
	RMM_COMPACT_CONTINUE = 4, /* there is more to do */
	RMM_COMPACT_COMPLETE = 5, /* the whole zone was scanned, in vain */
	RMM_COMPACT_PARTIAL_SKIPPED = 6, /* a part of it was, in vain */
	RMM_COMPACT_CONTENDED = 7,	 /* no place to move to */
	RMM_COMPACT_SUCCESS = 8,	 /* a block is there */
};

/** rmm_compact_step() - kcompactd, bit by bit: move up to 32 blocks of @zone to
 *  make a free block of @order. Call it again while it says CONTINUE. -EINVAL
 *  for no such zone or order. One thread at a time for a zone, as kcompactd is
 *  one for a node. */
int rmm_compact_step(struct rmm *rmm, unsigned int cpu, unsigned int zone,
		     unsigned int order);
/** rmm_compact_node() - /proc/sys/vm/compact_memory: all of @node's zones */
void rmm_compact_node(struct rmm *rmm, unsigned int cpu, unsigned int node);
/** rmm_compact_hardest() - for a request that direct compaction has not helped:
 *  once more with COMPACT_PRIO_SYNC_FULL, which walks whole zones, whatever was
 *  learned of them or failed before. Returns whether there is a block now, on
 *  the free lists. */
bool rmm_compact_hardest(struct rmm *rmm, unsigned int cpu, unsigned int gfp,
			 unsigned int order);
/** rmm_alloc_pages_captured() - for a request whose compaction began when there
 *  was room, and that others have overtaken: once more like that, but no
 *  watermark is asked, neither before nor for places to move to, and the block
 *  that comes together is the caller's. NULL: nothing could be moved away. */
struct rmm_page *rmm_alloc_pages_captured(struct rmm *rmm, unsigned int cpu,
					  unsigned int gfp, unsigned int order);
/** rmm_fragmentation_score() - of a node, 0..100: how much of its free memory
 * is no good for huge pages, zones weighted by size */
unsigned int rmm_fragmentation_score(const struct rmm *rmm, unsigned int node);
/** rmm_proactive_compact() - what kcompactd does every 500 ms: if the score is
 *  over min(low + 10, 100), compact each zone down to low = max(100 -
 *  compaction_proactiveness, 5). Returns whether it did. */
bool rmm_proactive_compact(struct rmm *rmm, unsigned int cpu,
			   unsigned int node);

/** rmm_proactive_finish() - likewise where it was begun elsewhere, over the
 * mark: what is left to be done, down to low */
bool rmm_proactive_finish(struct rmm *rmm, unsigned int cpu, unsigned int node);

/** rmm_alloc_contig_range() - just these @nr pages from @start, in one zone.
 *  What is in use there is moved away, or the call fails: -EBUSY (something
 *  unmovable in a pageblock of the range, or an owner refuses), -ENOMEM (no
 *  place to move to), -EINVAL. @mt: type of the pageblocks afterwards (MOVABLE
 *  or CMA; with isolate_bit they keep theirs). CMA's are had with CMA only.
 *  The pages are single ones then, to be freed one by one or by */
int rmm_alloc_contig_range(struct rmm *rmm, unsigned int cpu, rmm_pfn start,
			   uint64_t nr, int mt);
/** rmm_free_contig_range() - -EINVAL if some of them are not ours to free; the
 *  others are freed all the same */
int rmm_free_contig_range(struct rmm *rmm, unsigned int cpu, rmm_pfn start,
			  uint64_t nr);

#endif
