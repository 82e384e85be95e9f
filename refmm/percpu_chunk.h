/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * percpu_chunk.h - what the parts of the per-CPU layer offer each other, from
 * the bottom up: counts, hints, areas, chunks and slots, population, balance.
 */
#ifndef REFMM_PERCPU_CHUNK_H
#define REFMM_PERCPU_CHUNK_H

#include "percpu.h"

/** rmm_pcpu_of() - the layer; NULL before rmm_percpu_init() */
static inline struct rmm_pcpu *rmm_pcpu_of(const struct rmm *rmm)
{
	return rmm->layer[RMM_LAYER_PERCPU].state;
}

/** rmm_pcpu_map_bits() - pcpu_chunk_map_bits() */
static inline int rmm_pcpu_map_bits(const struct rmm_pcpu *p,
				    const struct rmm_pcpu_chunk *c)
{
	return c->nr_pages * p->block_bits;
}

/** rmm_pcpu_update_empty_pages() - pcpu_update_empty_pages(): @nr pages more
 *  that are populated and empty */
static inline void rmm_pcpu_update_empty_pages(struct rmm_pcpu *p,
					       struct rmm_pcpu_chunk *c, int nr)
{
	c->nr_empty_pop_pages += nr;
	if (c != p->reserved_chunk && !c->isolated)
		RMM_WRITE(p->nr_empty_pop_pages, p->nr_empty_pop_pages + nr);
}

/** rmm_pcpu_chunk_addr() - pcpu_chunk_addr(): page @page of @cpu's unit */
static inline uintptr_t rmm_pcpu_chunk_addr(const struct rmm_pcpu *p,
					    const struct rmm_pcpu_chunk *c,
					    unsigned int cpu, int page)
{
	return c->base_addr + (uintptr_t)p->unit_map[cpu] * p->info.unit_size +
	       (uintptr_t)page * (uintptr_t)p->page_size;
}

/** rmm_pcpu_name() - what callers know the area at byte @off of @c's units by
 */
static inline rmm_percpu rmm_pcpu_name(const struct rmm_pcpu *p,
				       const struct rmm_pcpu_chunk *c, int off)
{
	return c->base_addr + (uintptr_t)off - p->window +
	       (uintptr_t)p->page_size;
}

/** rmm_pcpu_page_mark() - pcpu_set_page_chunk(): in private of page @n of
 *  c->pages, whose it is */
static inline uint64_t rmm_pcpu_page_mark(const struct rmm_pcpu_chunk *c,
					  size_t n)
{
	return (uint64_t)c->area << 40 | n;
}

/** rmm_pcpu_schedule_balance() - pcpu_schedule_balance_work() */
static inline void rmm_pcpu_schedule_balance(struct rmm_pcpu *p)
{
	RMM_WRITE(p->balance_needed, true);
}

/* percpu.c; locked */
void rmm_pcpu_count_alloc(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			  size_t size);

/* percpu_area.c; locked */
int rmm_pcpu_find_block_fit(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			    int bits, int align, bool pop_only);
int rmm_pcpu_alloc_area(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int bits,
			int align, int start);
int rmm_pcpu_free_area(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int off);

/* percpu_slot.c; locked */
void rmm_pcpu_init_slots(struct rmm_pcpu *p);
int rmm_pcpu_size_to_slot(const struct rmm_pcpu *p, int size);
int rmm_pcpu_chunk_slot(const struct rmm_pcpu *p,
			const struct rmm_pcpu_chunk *c);
void rmm_pcpu_chunk_move(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c, int slot,
			 bool front);
void rmm_pcpu_chunk_remove(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c);
void rmm_pcpu_chunk_relocate(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			     int oslot);
void rmm_pcpu_isolate_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c);
void rmm_pcpu_reintegrate_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c);
bool rmm_pcpu_should_reclaim_chunk(const struct rmm_pcpu *p,
				   const struct rmm_pcpu_chunk *c);

/* percpu_create.c; with the mutex */
struct rmm_pcpu_chunk *rmm_pcpu_alloc_chunk(struct rmm_pcpu *p, int nr_pages);
void rmm_pcpu_free_chunk(struct rmm_pcpu_chunk *c);
struct rmm_pcpu_chunk *rmm_pcpu_create_chunk(struct rmm_pcpu *p);
void rmm_pcpu_destroy_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c);
struct rmm_pcpu_chunk *rmm_pcpu_addr_to_chunk(const struct rmm_pcpu *p,
					      uintptr_t addr);

/* percpu_populate.c; with the mutex, not the lock */
int rmm_pcpu_populate_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			    unsigned int cpu, int page, int end,
			    unsigned int gfp);
void rmm_pcpu_depopulate_chunk(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			       unsigned int cpu, int page, int end);
/* the same, with both */
void rmm_pcpu_chunk_populated(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
			      int page, int end);
void rmm_pcpu_chunk_depopulated(struct rmm_pcpu *p, struct rmm_pcpu_chunk *c,
				int page, int end);

/* percpu_layout.c */
const char *rmm_pcpu_build_alloc_info(struct rmm_pcpu *p,
				      const struct rmm_percpu_config *c);

/* percpu_first.c */
int rmm_pcpu_setup_first_chunk(struct rmm_pcpu *p);

/* percpu_validate.c */
int rmm_pcpu_validate(const struct rmm *rmm, const void *state, char *msg,
		      size_t size);

#endif
