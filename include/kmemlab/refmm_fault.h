/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_fault.h - make things fail that are allowed to, on request and
 * reproducibly, as the kernel's fault injection does (fail_page_alloc).
 */
#ifndef KMEMLAB_REFMM_FAULT_H
#define KMEMLAB_REFMM_FAULT_H

#include <kmemlab/refmm_types.h>

/* Steps that may fail. */
enum rmm_fault_point {
	RMM_FAULT_ALLOC = 1 << 0,   /* an allocation, as if memory had run out;
				       not with GFP_NOFAIL; a bulk call is one,
				       and so is the page that it asks for by
				       itself if it finds none */
	RMM_FAULT_RMQUEUE = 1 << 1, /* one block off the buddy lists, for a
				       request or a refill */
	RMM_FAULT_ISOLATE_FREE = 1 << 2,  /* compaction takes a free block */
	RMM_FAULT_MIGRATE = 1 << 3,	  /* a block moves */
	RMM_FAULT_ISOLATE_BLOCK = 1 << 4, /* a pageblock is isolated */
	RMM_FAULT_SLAB = 1 << 5,     /* an object, or room for a cache's records
					(failslab); not with GFP_NOFAIL */
	RMM_FAULT_PCP_GROW = 1 << 6, /* a per-CPU list needs more memory of its
					own: that of libc */
	RMM_FAULT_VMALLOC = 1 << 8,  /* vmalloc takes an object, addresses, or
					a mapping; stacks and kmap: a mapping */
};

/* Which calls fail: those of `points` that the filters let through, and of
 * these the `nth`, and each with `probability`. */
struct rmm_fault {
	unsigned int points;	/* enum rmm_fault_point; 0: nothing fails */
	uint64_t nth;		/* 1: the next; 0: none */
	uint32_t probability;	/* in millionths */
	uint64_t seed;		/* of the probability */
	uint64_t times;		/* at most so many; 0: no limit */
	unsigned int orders;	/* bit per order; 0: all */
	unsigned int gfp_any;	/* only masks with one of these; 0: all */
	unsigned int gfp_never; /* no masks with one of these */
};

/** rmm_set_fault() - from now on; NULL: nothing fails. Not while threads run */
void rmm_set_fault(struct rmm *rmm, const struct rmm_fault *fault);
/** rmm_nr_faults() - failures since rmm_set_fault(); calls: that could have */
uint64_t rmm_nr_faults(const struct rmm *rmm);
uint64_t rmm_nr_fault_calls(const struct rmm *rmm);
/** rmm_fail_alloc() - the @nth allocation from now (1: the next) shall fail;
 *  0: none. NOFAIL requests do not count. (should_fail_alloc_page) */
void rmm_fail_alloc(struct rmm *rmm, uint64_t nth);

#endif
