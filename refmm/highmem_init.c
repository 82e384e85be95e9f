/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * highmem_init.c - make and end the layer of high memory mappings.
 *
 *   rmm->page_virtual	[end_pfn]  where kmap() shows a page; 8 bytes a frame,
 *of which the host provides what is touched
 *   state		slots of the window, and each CPU's local ones
 *
 * In backed mode both windows are addresses reserved of the host's, one after
 * the other, and a slot that shows nothing faults.
 *
 * Locking: before threads start, after they are gone.
 *
 * Modelled: kmap_init, page_address_init. (6.12, mm/highmem.c,
 * arch/x86/mm/init_32.c; LKD3 ch. 12 "High Memory Mappings")
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "highmem.h"
#include "layers.h"
#include "vmalloc.h"

/** rmm_highmem_config_init() - as x86-32; nobody waits */
void rmm_highmem_config_init(struct rmm_highmem_config *c)
{
	*c = (struct rmm_highmem_config){0};
}

static size_t virtual_bytes(const struct rmm *rmm)
{
	return (size_t)rmm->end_pfn * sizeof(*rmm->page_virtual);
}

static void destroy(struct rmm *rmm, void *state)
{
	struct rmm_highmem *h = state;

	if (h->mapped_at)
		rmm_release_addresses(h->mapped_at, h->mapped_bytes);
	if (rmm->page_virtual)
		munmap(rmm->page_virtual, virtual_bytes(rmm));
	rmm->page_virtual = NULL;
	free(h->count);
	free(h->pfn);
	free(h->ctrl);
	free(h);
	rmm->layer[RMM_LAYER_HIGHMEM] = (struct rmm_layer){0};
}

/* The kernel's addresses, or reserved ones of the host's */
static int place_windows(struct rmm *rmm, struct rmm_highmem *h)
{
	uintptr_t page = rmm_page_bytes(rmm);
	uintptr_t slots = (uintptr_t)rmm->config.nr_cpus * RMM_KM_MAX_IDX;

	h->pkmap = rmm_pkmap_base(rmm, h->last_pkmap);
	h->fixmap = rmm_fix_kmap_begin(rmm);
	if (!rmm->arena)
		return 0;
	h->mapped_bytes = (h->last_pkmap + slots) * page;
	h->mapped_at = rmm_reserve_addresses(h->mapped_bytes, page);
	if (!h->mapped_at)
		return -ENOMEM;
	h->pkmap = h->mapped_at;
	h->fixmap = h->mapped_at + h->mapped_bytes - page;
	return 0;
}

static int allocate(struct rmm *rmm, struct rmm_highmem *h)
{
	size_t cpus = rmm->config.nr_cpus;
	void *map = mmap(NULL, virtual_bytes(rmm), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return -ENOMEM;
	rmm->page_virtual = map;
	h->count = calloc(h->last_pkmap, sizeof(*h->count));
	h->pfn = calloc(h->last_pkmap, sizeof(*h->pfn));
	h->ctrl = aligned_alloc(64, cpus * sizeof(*h->ctrl));
	if (!h->count || !h->pfn || !h->ctrl)
		return -ENOMEM;
	memset(h->pfn, 0xff, h->last_pkmap * sizeof(*h->pfn));
	memset(h->ctrl, 0xff, cpus * sizeof(*h->ctrl));
	for (size_t i = 0; i < cpus; i++)
		h->ctrl[i].idx = 0;
	return place_windows(rmm, h);
}

static int check_config(struct rmm *rmm, const struct rmm_highmem *h)
{
	unsigned int slots = h->last_pkmap;

	if (rmm_highmem_of(rmm))
		return rmm_error(rmm, -EBUSY,
				 "cannot set up kmap: it is set "
				 "up already");
	if (!rmm_is_32bit(rmm))
		return rmm_error(rmm, -EINVAL,
				 "cannot set up kmap: a 64-bit machine has no "
				 "high memory; see rmm_config_32bit");
	if (slots & (slots - 1) || slots > 1u << 16)
		return rmm_error(rmm, -EINVAL,
				 "cannot set up kmap with %u slots: not a "
				 "power of two up to 65536",
				 slots);
	return rmm_can_remap(rmm);
}

/** rmm_highmem_init() - kmap_init(); see refmm_highmem.h */
int rmm_highmem_init(struct rmm *rmm, const struct rmm_highmem_config *c)
{
	struct rmm_highmem *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	if (c)
		h->config = *c;
	h->last_pkmap = h->config.last_pkmap;
	if (!h->last_pkmap)
		h->last_pkmap = rmm_last_pkmap(rmm);
	err = check_config(rmm, h);
	if (err) {
		free(h);
		return err;
	}
	err = allocate(rmm, h);
	if (err) {
		destroy(rmm, h);
		return err;
	}
	rmm->layer[RMM_LAYER_HIGHMEM] = (struct rmm_layer){
		.state = h,
		.destroy = destroy,
		.validate = rmm_highmem_validate,
	};
	return 0;
}
