/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refmm_stack.h - kernel stacks (LKD3 ch. 12, "Statically Allocating on the
 * Stack"): small, of fixed size, one a thread.
 *
 *   rmm_vmalloc_init -> rmm_stack_init -> rmm_alloc_thread_stack
 *	-> rmm_free_thread_stack -> rmm_destroy
 */
#ifndef KMEMLAB_REFMM_STACK_H
#define KMEMLAB_REFMM_STACK_H

#include <stddef.h>

#include <kmemlab/refmm_types.h>

enum { RMM_NR_CACHED_STACKS = 2 };
/* In the word at a stack's end, its lowest; whoever overwrites it has gone too
 * far (STACK_END_MAGIC). */
#define RMM_STACK_END_MAGIC 0x57ac6e9dul

enum rmm_stack_kind {
	RMM_STACK_VMAP = 0,  /* CONFIG_VMAP_STACK: any pages, guard page */
	RMM_STACK_PAGES = 1, /* 2^order pages that are neighbours, no guard */
};

/* rmm_stack_config_init() sets the defaults named here. */
struct rmm_stack_config {
	enum rmm_stack_kind kind; /* VMAP */
	unsigned int order; /* 2: 16 KiB; 0 and 1 are LKD3's 4 and 8 KiB */
};

struct rmm_stack_stat {
	uint64_t live, cached;
	uint64_t alloc, failed, free;  /* calls */
	uint64_t cache_hit, cache_put; /* served from, and kept in, the cache */
};

void rmm_stack_config_init(struct rmm_stack_config *c);
/** rmm_stack_init() - once per machine; VMAP stacks need rmm_vmalloc_init().
 *  NULL: the defaults. -EBUSY, -EINVAL, -ENOMEM */
int rmm_stack_init(struct rmm *rmm, const struct rmm_stack_config *c);
/** rmm_alloc_thread_stack() - all zeros, near node @nid (-1: @cpu's); its
 *  lowest address, or NULL */
void *rmm_alloc_thread_stack(struct rmm *rmm, unsigned int cpu, int nid);
/** rmm_free_thread_stack() - -EINVAL: no stack begins there, or freed already;
 *  -EUCLEAN: its end is overwritten, and it stays as it is, to be looked at */
int rmm_free_thread_stack(struct rmm *rmm, unsigned int cpu, void *stack);
/** rmm_free_vm_stack_cache() - @cpu goes offline: its cached stacks are freed
 */
void rmm_free_vm_stack_cache(struct rmm *rmm, unsigned int cpu);

/** rmm_stack_bytes() - size of each stack (THREAD_SIZE) */
size_t rmm_stack_bytes(const struct rmm *rmm);
/** rmm_stack_usage() - bytes that were used at the highest; needs backed mode:
 *  -EOPNOTSUPP; -EINVAL: no stack begins there */
int64_t rmm_stack_usage(struct rmm *rmm, const void *stack);
/** rmm_stack_check() - is the magic word at its end intact? -EUCLEAN: no */
int rmm_stack_check(struct rmm *rmm, const void *stack);
/** rmm_stack_overflow() - an access to @address has faulted: is that a stack's
 *  guard page? Then bytes below the stack, and @msg says which; else 0. May be
 *  called from a signal handler of the thread that faulted. */
size_t rmm_stack_overflow(const struct rmm *rmm, const void *address, char *msg,
			  size_t size);
void rmm_stack_stat(const struct rmm *rmm, struct rmm_stack_stat *out);

#endif
