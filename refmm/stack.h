/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack.h - kernel stacks: those in use, and each CPU's two in reserve.
 */
#ifndef REFMM_STACK_H
#define REFMM_STACK_H

#include "vmalloc.h"

/* One stack: an area, so that trees can hold it, and more. Not in use when no
 * thread has it, but a cache does. */
struct rmm_stack {
	struct rmm_vmap_area va; /* the stack's bytes; without guard */
	unsigned int cpu;	 /* where it was allocated last */
};

struct rmm_stack_cache {
	struct rmm_stack *stack[RMM_NR_CACHED_STACKS];
} __attribute__((aligned(64)));

struct rmm_stacks {
	struct rmm_stack_config config;
	struct rmm_vmap_tree live;
	uint8_t lock;		       /* of live */
	struct rmm_stack_cache *cache; /* [nr_cpus]; a CPU's own */
	struct rmm_stack_stat stat;    /* counts only */
};

static inline struct rmm_stacks *rmm_stacks_of(const struct rmm *rmm)
{
	return rmm->layer[RMM_LAYER_STACK].state;
}

/* stack_use.c */
int rmm_stack_validate(const struct rmm *rmm, const void *state, char *msg,
		       size_t size);
struct rmm_stack *rmm_find_stack(const struct rmm *rmm, uintptr_t address);
void rmm_set_task_stack_end_magic(const struct rmm *rmm,
				  const struct rmm_stack *s);

#endif
