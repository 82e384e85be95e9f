/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_init.c - the window of addresses, the nodes, and their end.
 *
 *   x86-64   0xffffc90000000000 .. + 32 TiB
 *   x86-32   end of low memory + 8 MiB .. 2 pages below the kmap window
 *   backed   as many addresses, reserved of the host's; a page that is never
 *            mapped lies in front
 *
 * As in the kernel, the free tree holds all addresses there are, not only the
 * window's: a request may ask for another range (modules do).
 *
 * Invariant: space_start <= start < end <= space_end.
 *
 * Locking: before threads start, after they are gone.
 *
 * Modelled: vmalloc_init, vmap_init_free_space, vmap_init_nodes,
 * lazy_max_pages, VMALLOC_START, VMALLOC_END. Simplified: no areas from boot.
 * Omitted: five levels of page tables, KASLR. (6.12, mm/vmalloc.c,
 * arch/x86/include/asm/pgtable_64_types.h, pgtable_32_areas.h; LKD3 ch. 12
 * "vmalloc()")
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "highmem.h"
#include "layers.h"
#include "vmalloc.h"

#define MIB ((uintptr_t)1 << 20)
#define GIB ((uintptr_t)1 << 30)

/** rmm_vmalloc_config_init() - as Linux 6.12 on x86-64 */
void rmm_vmalloc_config_init(struct rmm_vmalloc_config *c)
{
	*c = (struct rmm_vmalloc_config){
		.pools = true,
		.pool_drops_small = true,
		.huge = true,
	};
}

/* fls(): 1 + number of the highest bit */
static unsigned int fls(unsigned int n)
{
	return n ? 32 - (unsigned int)__builtin_clz(n) : 0;
}

/* VMALLOC_START and VMALLOC_END, as far as they are not given */
static void place_window(const struct rmm *rmm, struct rmm_vmalloc *v)
{
	const struct rmm_vmalloc_config *c = &v->config;

	/* All but address 0, which means none; the kernel's tree is the same.
	 */
	v->space_start = 1;
	v->space_end = UINTPTR_MAX;
	v->start = 0xffffc90000000000;
	v->end = v->start + ((uintptr_t)32 << 40) - 1;
	if (rmm_is_32bit(rmm)) {
		v->space_end = UINT32_MAX;
		v->start = rmm_high_memory(rmm) + 8 * MIB;
		v->end = rmm_pkmap_base(rmm, rmm_last_pkmap(rmm)) -
			 2 * rmm_page_bytes(rmm);
	}
	if (c->start)
		v->start = c->start;
	if (c->end)
		v->end = c->end;
}

/* Backed: the window's addresses, but for their size, are the host's choice */
static int reserve_window(struct rmm *rmm, struct rmm_vmalloc *v)
{
	uintptr_t page = rmm_page_bytes(rmm), pmd = page << rmm->thp_order;
	uintptr_t bytes = v->end - v->start, at;
	/* Not 32 TiB, as the host has only 128 itself; four times the memory
	 * holds all of it while much waits for a purge. */
	bool given = v->config.end || rmm_is_32bit(rmm);

	if (!given)
		bytes = 16 * GIB +
			4 * ((uintptr_t)rmm->end_pfn << rmm->config.page_shift);
	/* Aligned for huge mappings; in front a PMD's worth is never mapped, so
	 * that running off the first area's start faults. */
	at = rmm_reserve_addresses(pmd + bytes, pmd);
	if (!at)
		return rmm_error(rmm, -ENOMEM,
				 "cannot reserve %llu bytes of addresses for "
				 "vmalloc: the host has no room; give a "
				 "smaller window",
				 (unsigned long long)bytes);
	v->mapped_at = at;
	v->mapped_bytes = pmd + bytes;
	v->start = at + pmd;
	v->end = v->start + bytes;
	v->space_start = v->start;
	v->space_end = v->end;
	return 0;
}

/* Windows end anywhere (VMALLOC_END is a last byte), but begin with a page. */
static int check_config(struct rmm *rmm, const struct rmm_vmalloc *v)
{
	if (v->start >= v->end || v->start & (rmm_page_bytes(rmm) - 1) ||
	    v->end > v->space_end)
		return rmm_error(rmm, -EINVAL,
				 "cannot set up vmalloc: window 0x%llx-0x%llx "
				 "is empty, or does not begin with a page",
				 (unsigned long long)v->start,
				 (unsigned long long)v->end);
	return 0;
}

/* vmap_init_nodes(), vmap_init_free_space(): a node for each CPU that may be
 * there one day, up to 128; with one, addresses need not be divided, and pools
 * are not used: so on 32 bits, where addresses are too few to keep some aside.
 * All addresses are one free area. */
static int init_space(struct rmm *rmm, struct rmm_vmalloc *v)
{
	bool pools = v->config.pools && !rmm_is_32bit(rmm);
	struct rmm_vmap_area *all = calloc(1, sizeof(*all));
	size_t bytes;

	v->nr_nodes = pools ? rmm->config.nr_cpus : 1;
	if (v->nr_nodes > RMM_VMAP_NODES)
		v->nr_nodes = RMM_VMAP_NODES;
	v->zone_size =
		v->nr_nodes > 1 ? RMM_VMAP_ZONE * rmm_page_bytes(rmm) : 1;
	bytes = v->nr_nodes * sizeof(*v->node);
	v->node = aligned_alloc(64, bytes);
	v->deferred =
		aligned_alloc(64, rmm->config.nr_cpus * sizeof(*v->deferred));
	if (!all || !v->node || !v->deferred) {
		free(all);
		return rmm_error(rmm, -ENOMEM,
				 "cannot set up vmalloc: out of memory for its "
				 "nodes");
	}
	memset(v->node, 0, bytes);
	memset(v->deferred, 0, rmm->config.nr_cpus * sizeof(*v->deferred));
	all->start = v->space_start;
	all->end = v->space_end;
	rmm_vmap_insert(&v->free, all);
	return 0;
}

/* The areas of a list, and what is in them. Their pages go with the machine. */
static void free_list(struct rmm_vmap_area *va)
{
	struct rmm_vmap_area *next;

	for (; va; va = next) {
		next = va->next;
		if (va->vm) {
			free(va->vm->pages);
			free(va->vm);
		}
		free(va);
	}
}

static void destroy(struct rmm *rmm, void *state)
{
	struct rmm_vmalloc *v = state;

	free_list(v->free.first);
	for (unsigned int i = 0; v->node && i < v->nr_nodes; i++) {
		free_list(v->node[i].busy.first);
		free_list(v->node[i].lazy.first);
		for (int p = 0; p < RMM_VMAP_POOLS; p++)
			free_list(v->node[i].pool[p].first);
	}
	if (v->mapped_at)
		rmm_release_addresses(v->mapped_at, v->mapped_bytes);
	free(v->node);
	free(v->deferred);
	free(v);
	rmm->layer[RMM_LAYER_VMALLOC] = (struct rmm_layer){0};
}

static int init(struct rmm *rmm, struct rmm_vmalloc *v)
{
	unsigned int cpus = v->config.online_cpus;
	int err;

	place_window(rmm, v);
	err = check_config(rmm, v);
	if (!err && rmm->arena)
		err = reserve_window(rmm, v);
	if (err)
		return err;
	v->lazy_max = v->config.lazy_max_pages;
	if (!v->lazy_max)
		v->lazy_max = fls(cpus ? cpus : rmm->config.nr_cpus) *
			      (32 * MIB >> rmm->config.page_shift);
	for (unsigned int i = 0; i < rmm->nr_zones; i++)
		v->total_pages += rmm->zone[i].managed;
	return init_space(rmm, v);
}

/** rmm_vmalloc_init() - vmalloc_init(); see refmm_vmalloc.h */
int rmm_vmalloc_init(struct rmm *rmm, const struct rmm_vmalloc_config *c)
{
	struct rmm_vmalloc *v;
	int err;

	if (rmm_vmalloc_of(rmm))
		return rmm_error(rmm, -EBUSY,
				 "cannot set up vmalloc: it is set up already");
	err = rmm_can_remap(rmm);
	if (err)
		return err;
	v = calloc(1, sizeof(*v));
	if (!v)
		return rmm_error(rmm, -ENOMEM,
				 "cannot set up vmalloc: out of memory");
	if (c)
		v->config = *c;
	else
		rmm_vmalloc_config_init(&v->config);
	err = init(rmm, v);
	if (err) {
		destroy(rmm, v);
		return err;
	}
	rmm->layer[RMM_LAYER_VMALLOC] = (struct rmm_layer){
		.state = v,
		.destroy = destroy,
		.validate = rmm_vmalloc_validate,
	};
	return 0;
}
