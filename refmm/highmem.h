/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * highmem.h - where a 32-bit kernel puts what; state of the mappings.
 */
#ifndef REFMM_HIGHMEM_H
#define REFMM_HIGHMEM_H

#include "lock.h"

/* struct kmap_ctrl, here a CPU's: what its local slots show */
struct rmm_kmap_ctrl {
	unsigned int idx; /* slots in use */
	rmm_pfn pfn[RMM_KM_MAX_IDX];
} __attribute__((aligned(64)));

struct rmm_highmem {
	struct rmm_highmem_config config;
	uint8_t lock; /* kmap_lock */
	unsigned int last_pkmap, last_nr;
	uintptr_t pkmap;  /* address of slot 0 */
	uintptr_t fixmap; /* address of the first local slot; others below */
	int *count;	  /* pkmap_count[last_pkmap] */
	rmm_pfn *pfn;	  /* pkmap_page_table[last_pkmap] */
	struct rmm_kmap_ctrl *ctrl; /* [nr_cpus] */
	uintptr_t mapped_at;	    /* backed: reserved of the host's */
	size_t mapped_bytes;
	struct rmm_highmem_stat stat; /* counts only */
};

static inline struct rmm_highmem *rmm_highmem_of(const struct rmm *rmm)
{
	return rmm->layer[RMM_LAYER_HIGHMEM].state;
}

/* A 32-bit kernel's direct map lies below 4 GiB. */
static inline bool rmm_is_32bit(const struct rmm *rmm)
{
	return rmm->config.page_offset <= UINT32_MAX;
}

/* highmem_layout.c */
uintptr_t rmm_high_memory(const struct rmm *rmm);
unsigned int rmm_last_pkmap(const struct rmm *rmm);
uintptr_t rmm_fix_kmap_begin(const struct rmm *rmm);
uintptr_t rmm_pkmap_base(const struct rmm *rmm, unsigned int last_pkmap);
int rmm_highmem_validate(const struct rmm *rmm, const void *state, char *msg,
			 size_t size);

#endif
