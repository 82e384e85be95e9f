/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_kv.c - kvmalloc(): contiguous if that is easy, else by address only.
 *
 *   kvmalloc(size, gfp) --> kmalloc, not trying hard --> memory
 *                              | none
 *                              +-- size <= a page       NULL: more by vmalloc
 *                              +-- may not sleep        NULL: vmalloc may
 *                              +-- else                 vmalloc, huge pages too
 *
 * Contiguous memory is cheaper to get and to use, and breaks up no larger
 * blocks than it must, so it is tried first; but for more than a page without
 * the efforts that disturb others (GFP_NORETRY, no warning, and GFP_NOFAIL is
 * left to vmalloc). Where the memory came from shows in its address.
 *
 * Locking: none of its own.
 *
 * Modelled: kvmalloc, kvmalloc_node, kvfree, is_vmalloc_addr,
 * kmalloc_gfp_adjust. Omitted: kvmalloc_array, kvrealloc. (6.12, mm/util.c;
 * after LKD3, where callers choose between kmalloc() and vmalloc())
 */
#include <errno.h>
#include <limits.h>

#include <kmemlab/refmm_slab.h>

#include "layers.h"
#include "vmalloc.h"

/* kmalloc_gfp_adjust(): there is another way, so do not try hard */
static unsigned int adjust(const struct rmm *rmm, unsigned int gfp, size_t size)
{
	if (size <= rmm_page_bytes(rmm))
		return gfp;
	gfp |= RMM_GFP_NOWARN;
	if (!(gfp & RMM_GFP_RETRY_MAYFAIL))
		gfp |= RMM_GFP_NORETRY;
	return gfp & ~(unsigned int)RMM_GFP_NOFAIL;
}

/** rmm_kvmalloc_node() - kvmalloc_node(); see refmm_vmalloc.h */
void *rmm_kvmalloc_node(struct rmm *rmm, unsigned int cpu, size_t size,
			unsigned int gfp, int nid)
{
	const struct rmm_vmalloc_args args = {
		.size = size,
		.gfp = gfp,
		.flags = RMM_VM_ALLOW_HUGE_VMAP,
		.nid = nid,
	};
	void *p = rmm_kmalloc_node(rmm, cpu, size, adjust(rmm, gfp, size), nid);

	if (p || size <= rmm_page_bytes(rmm))
		return p;
	if (!(gfp & RMM_GFP_DIRECT_RECLAIM) || size > INT_MAX) {
		rmm_error(rmm, -ENOMEM,
			  "cannot kvmalloc %zu bytes on CPU %u: no block, and "
			  "vmalloc is for what may sleep, up to %d bytes",
			  size, cpu, INT_MAX);
		return NULL;
	}
	return rmm___vmalloc_node_range(rmm, cpu, &args);
}

/** rmm_kvmalloc() - kvmalloc() */
void *rmm_kvmalloc(struct rmm *rmm, unsigned int cpu, size_t size,
		   unsigned int gfp)
{
	return rmm_kvmalloc_node(rmm, cpu, size, gfp, -1);
}

/** rmm_kvfree() - kvfree(): the address tells where it goes */
int rmm_kvfree(struct rmm *rmm, unsigned int cpu, const void *address)
{
	if (rmm_is_vmalloc_addr(rmm, address))
		return rmm_vfree(rmm, cpu, address);
	return rmm_kfree(rmm, cpu, address);
}
