/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_types.h - vocabulary of the reference allocator: page frame numbers,
 * orders, migrate types, gfp bits.
 *
 * gfp bits are refmm's own, as the kernel's move from version to version.
 */
#ifndef KMEMLAB_REFMM_TYPES_H
#define KMEMLAB_REFMM_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct rmm;	 /* one machine: the instance */
struct rmm_page; /* one page frame, 16 bytes */

typedef uint32_t rmm_pfn; /* frame number: 16 TiB of 4 KiB pages */
#define RMM_NO_PFN UINT32_MAX

/* enum migratetype with CONFIG_CMA and CONFIG_MEMORY_ISOLATION */
enum rmm_migratetype {
	RMM_UNMOVABLE = 0,
	RMM_MOVABLE = 1,
	RMM_RECLAIMABLE = 2,
	RMM_PCPTYPES = 3, /* types below have per-CPU lists */
	RMM_HIGHATOMIC = 3,
	RMM_CMA = 4,
	RMM_ISOLATE = 5,
	RMM_MIGRATE_TYPES = 6,
};

enum rmm_zone_type {
	RMM_ZONE_DMA = 0,
	RMM_ZONE_DMA32 = 1,
	RMM_ZONE_NORMAL = 2,
	RMM_ZONE_HIGHMEM = 3,
	RMM_ZONE_MOVABLE = 4,
	RMM_ZONE_TYPES = 5,
};

enum rmm_wmark {
	RMM_WMARK_MIN,
	RMM_WMARK_LOW,
	RMM_WMARK_HIGH,
	RMM_WMARK_PROMO, /* memory tiers: promote only above it */
	RMM_NR_WMARK,
};

enum rmm_limits {
	RMM_NR_ORDERS = 16, /* room: max_order <= 15 */
	RMM_MAX_NODES = 64,
	RMM_MAX_ZONES = 255, /* over all nodes */
	RMM_MAX_CPUS = 8192,
};

enum rmm_gfp {
	RMM_GFP_DMA = 1 << 0, /* zone modifiers */
	RMM_GFP_HIGHMEM = 1 << 1,
	RMM_GFP_DMA32 = 1 << 2,
	RMM_GFP_MOVABLE = 1 << 3, /* also the mobility */
	RMM_GFP_RECLAIMABLE = 1 << 4,
	RMM_GFP_HIGH = 1 << 5, /* action modifiers */
	RMM_GFP_IO = 1 << 6,
	RMM_GFP_FS = 1 << 7,
	RMM_GFP_ZERO = 1 << 8,
	RMM_GFP_DIRECT_RECLAIM = 1 << 9,
	RMM_GFP_KSWAPD_RECLAIM = 1 << 10,
	RMM_GFP_WRITE = 1 << 11,
	RMM_GFP_NOWARN = 1 << 12,
	RMM_GFP_RETRY_MAYFAIL = 1 << 13,
	RMM_GFP_NOFAIL = 1 << 14,
	RMM_GFP_NORETRY = 1 << 15,
	RMM_GFP_MEMALLOC = 1 << 16,
	RMM_GFP_COMP = 1 << 17,
	RMM_GFP_NOMEMALLOC = 1 << 18,
	RMM_GFP_HARDWALL = 1 << 19,
	RMM_GFP_THISNODE = 1 << 20,
	RMM_GFP_ACCOUNT = 1 << 21,

	/* What callers say (LKD3 ch. 12, "The type flags") */
	RMM_GFP_RECLAIM = RMM_GFP_DIRECT_RECLAIM | RMM_GFP_KSWAPD_RECLAIM,
	RMM_GFP_ATOMIC = RMM_GFP_HIGH | RMM_GFP_KSWAPD_RECLAIM,
	RMM_GFP_NOWAIT = RMM_GFP_KSWAPD_RECLAIM | RMM_GFP_NOWARN,
	RMM_GFP_NOIO = RMM_GFP_RECLAIM,
	RMM_GFP_NOFS = RMM_GFP_RECLAIM | RMM_GFP_IO,
	RMM_GFP_KERNEL = RMM_GFP_RECLAIM | RMM_GFP_IO | RMM_GFP_FS,
	RMM_GFP_USER = RMM_GFP_KERNEL | RMM_GFP_HARDWALL,
	RMM_GFP_HIGHUSER = RMM_GFP_USER | RMM_GFP_HIGHMEM,
	RMM_GFP_HIGHUSER_MOVABLE = RMM_GFP_HIGHUSER | RMM_GFP_MOVABLE,
	RMM_GFP_TRANSHUGE_LIGHT = (RMM_GFP_HIGHUSER_MOVABLE | RMM_GFP_COMP |
				   RMM_GFP_NOMEMALLOC | RMM_GFP_NOWARN) &
				  ~RMM_GFP_RECLAIM,
	RMM_GFP_TRANSHUGE = RMM_GFP_TRANSHUGE_LIGHT | RMM_GFP_DIRECT_RECLAIM,
};

#endif
