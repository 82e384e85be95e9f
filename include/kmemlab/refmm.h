/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm.h - the reference allocator: all of it, and here its page side (LKD3
 * ch. 12, "Pages", "Zones", "Getting Pages"); what is built on pages has a
 * header each. Names are the kernel's with the prefix rmm_.
 *
 * Life of an instance:
 *
 *   rmm_config_init -> rmm_create -> [rmm_load_*] -> rmm_setup_done
 *	-> rmm_alloc_pages / rmm_free_pages / queries
 *	-> [rmm_kmem_cache_init, rmm_vmalloc_init, rmm_percpu_init,
 *	    rmm_stack_init, rmm_highmem_init]
 *	-> rmm_destroy, which ends all of it
 *
 * Metadata only: pages are numbers, nothing is mapped behind them, unless
 * rmm_config.backed says so. One thread
 * at a time, or, with rmm_config.threads, one thread per simulated CPU.
 * Deterministic on one thread.
 *
 * Functions that return int return 0 or -errno; rmm_last_error() then says
 * what, on what and why, in one line.
 */
#ifndef KMEMLAB_REFMM_H
#define KMEMLAB_REFMM_H

#include <stddef.h>

#include <kmemlab/refmm_compact.h>
#include <kmemlab/refmm_config.h>
#include <kmemlab/refmm_fault.h>
#include <kmemlab/refmm_highmem.h>
#include <kmemlab/refmm_page.h>
#include <kmemlab/refmm_percpu.h>
#include <kmemlab/refmm_query.h>
#include <kmemlab/refmm_slab.h>
#include <kmemlab/refmm_stack.h>
#include <kmemlab/refmm_stat.h>
#include <kmemlab/refmm_types.h>
#include <kmemlab/refmm_vmalloc.h>

/* ---- Instance (refmm/load.c) ------------------------------------------- */

void rmm_config_init(struct rmm_config *c);
/** rmm_config_32bit() - x86-32's zones for a machine of @pages: 16 MiB of DMA,
 *  NORMAL up to 896 MiB, HIGHMEM above. Fills @zones[3] and points @c at them.
 */
void rmm_config_32bit(struct rmm_config *c, struct rmm_zone_config *zones,
		      uint32_t pages);
/** rmm_create() - all pages reserved, pageblocks movable; NULL with errno set:
 *  ENOMEM, or EINVAL and @error (256 bytes, may be NULL) says why */
struct rmm *rmm_create(const struct rmm_config *c, char *error);
void rmm_destroy(struct rmm *rmm);
void rmm_set_hooks(struct rmm *rmm, const struct rmm_hooks *hooks);
/** rmm_last_error() - this thread's last failed call's one line; "" if none.
 *  Without rmm_config.threads, whoever's; the text of the last 64 is kept. */
const char *rmm_last_error(const struct rmm *rmm);

/* ---- Loading a snapshot: before rmm_setup_done() ------------------------ */

/* Blocks are order-aligned and lie in one zone; pages must be reserved.
 * -EINVAL, -ERANGE (no zone), -EBUSY (page already loaded). */

/** rmm_load_free() - a free buddy block, at its list's tail. @mt is the list,
 *  which may differ from the pageblock's type. No merging is done: load maximal
 *  blocks, as the kernel has them. */
int rmm_load_free(struct rmm *rmm, rmm_pfn pfn, unsigned int order, int mt);
/** rmm_load_allocated() - a block that somebody holds; order up to 31 */
int rmm_load_allocated(struct rmm *rmm, rmm_pfn pfn, unsigned int order,
		       int mt);
/** rmm_load_pcp() - a page on @cpu's list, at the tail; -ENOSPC: no such list
 */
int rmm_load_pcp(struct rmm *rmm, unsigned int cpu, rmm_pfn pfn,
		 unsigned int order, int mt);
/** rmm_load_pcp_high() - the mark that tuning has brought @cpu's list to; kept
 *  within the limits that rmm_setup_done() finds, ignored with RMM_PCP_FIXED */
int rmm_load_pcp_high(struct rmm *rmm, unsigned int zone, unsigned int cpu,
		      uint32_t high);
/* How a CPU's lists adapt to what is asked of them: refills double without a
 * free between, drains grow with frees without an allocation between. */
struct rmm_pcp_tuning {
	uint32_t free_count;
	uint8_t alloc_factor,
		free_factor; /* free_factor: RMM_PCP_FIXED (6.1) */
};

/** rmm_set_pcp_tuning() - as a snapshot found it; also after rmm_setup_done().
 *  -EINVAL: no such list, or more than a kernel lets it grow to */
int rmm_set_pcp_tuning(struct rmm *rmm, unsigned int zone, unsigned int cpu,
		       const struct rmm_pcp_tuning *to);
int rmm_set_pageblock_migratetype(struct rmm *rmm, rmm_pfn pfn, int mt);
/** rmm_set_pcp_high() - the high mark that @cpu's lists had reached */
int rmm_set_pcp_high(struct rmm *rmm, unsigned int zone, unsigned int cpu,
		     uint32_t high);
/** rmm_setup_done() - watermarks, reserves, PCP high and batch */
int rmm_setup_done(struct rmm *rmm);
/** rmm_free_reserved() - boot, or a zone that grows later (deferred struct page
 *  initialisation): give reserved [@pfn, @pfn + @nr) to the buddy lists, at the
 *  tails (free_reserved_area, __free_pages_core); also after rmm_setup_done().
 *  -ERANGE: beyond the last zone, or in a hole; what lies before it is given */
int rmm_free_reserved(struct rmm *rmm, rmm_pfn pfn, uint64_t nr);
/** rmm_set_managed() - a zone has grown or shrunk to @managed pages:
 * watermarks, reserves and PCP limits of all zones are computed afresh, also
 * where they had been given (init_per_zone_wmark_min); after rmm_setup_done()
 */
int rmm_set_managed(struct rmm *rmm, unsigned int zone, uint32_t managed);

/* ---- Getting pages (refmm/alloc.c, free.c) ------------------------------ */

/** rmm_alloc_pages() - 2^@order pages for @cpu, near @cpu's node; NULL: none */
struct rmm_page *rmm_alloc_pages(struct rmm *rmm, unsigned int cpu,
				 unsigned int gfp, unsigned int order);
/** rmm_alloc_pages_node() - the same, near node @nid (-1: @cpu's) */
struct rmm_page *rmm_alloc_pages_node(struct rmm *rmm, unsigned int cpu,
				      int nid, unsigned int gfp,
				      unsigned int order);
/** rmm_alloc_page(), rmm_free_page() - of order 0 */
struct rmm_page *rmm_alloc_page(struct rmm *rmm, unsigned int cpu,
				unsigned int gfp);
int rmm_free_page(struct rmm *rmm, unsigned int cpu, struct rmm_page *page);
/** rmm_alloc_pages_bulk() - fill the NULL entries of @pages[@nr] with order-0
 *  pages; returns how many entries are filled */
size_t rmm_alloc_pages_bulk(struct rmm *rmm, unsigned int cpu, unsigned int gfp,
			    size_t nr, struct rmm_page **pages);
/** rmm_free_pages() - give back what rmm_alloc_pages() gave; -EINVAL: double
 *  free, tail page, other order, reserved or foreign page; nothing changes */
int rmm_free_pages(struct rmm *rmm, unsigned int cpu, struct rmm_page *page,
		   unsigned int order);
/** rmm_split_page() - an allocated block becomes 2^order single pages */
int rmm_split_page(struct rmm *rmm, struct rmm_page *page, unsigned int order);

/** rmm_page_to_pfn() - RMM_NO_PFN for what is no page of this machine */
rmm_pfn rmm_page_to_pfn(const struct rmm *rmm, const struct rmm_page *page);
/** rmm_pfn_to_page() - NULL when no zone spans @pfn */
struct rmm_page *rmm_pfn_to_page(const struct rmm *rmm, rmm_pfn pfn);

/* ---- What the kernel does in the background ----------------------------- */

/** rmm_refresh_cpu_vm_stats() - once a second per busy CPU: PCP high decays */
void rmm_refresh_cpu_vm_stats(struct rmm *rmm, unsigned int cpu);
/** rmm_drain_pages() - @cpu's lists back to the buddy; rmm_drain_all_pages() */
void rmm_drain_pages(struct rmm *rmm, unsigned int cpu);
void rmm_drain_all_pages(struct rmm *rmm, unsigned int cpu);
/** rmm_kswapd_done() - kswapd has balanced @zone: its boost is gone */
void rmm_kswapd_done(struct rmm *rmm, unsigned int zone);
/** rmm_set_reclaim_active() - kswapd runs on @zone: PCP high stays low */
void rmm_set_reclaim_active(struct rmm *rmm, unsigned int zone, bool active);

#endif
