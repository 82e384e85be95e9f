/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack.c - kernel stacks: allocate, free, and keep two a CPU in reserve.
 *
 * A user's stack grows when it must. The kernel's cannot: it is as large as it
 * is allocated, and beneath it lies somebody else's memory. How it is made has
 * changed twice:
 *
 *   2.6    two pages, or one with the 4 KiB option, by the buddy allocator:
 *	    needs neighbours, which get rare as memory gets fragmented; what
 *	    grows beyond them, destroys silently
 *   4.9    vmalloc'd: any four pages do (order 2), and a page that is never
 *	    mapped lies below, so an overflow faults at once
 *
 *      VMAP    | guard |  pages, any  | guard |      top: first use
 *                       ^magic
 *      PAGES   | other | 2^order pages | other |
 *                       ^magic
 *
 * vmalloc() is slow, and threads come and go. So each CPU keeps two stacks of
 * threads that ended there:
 *
 *   free --> cache of this CPU, if it has room --> vfree
 *   alloc <- cache of this CPU, cleared        <-- vmalloc, zeroed
 *
 * Invariants: a stack is in use, or in one cache, or freed; a cache holds VMAP
 * stacks only. Both cleared and magic: all zeros but the lowest word.
 *
 * Locking: a lock over the tree of stacks in use; a CPU's cache is its own.
 *
 * Modelled: alloc_thread_stack_node, free_thread_stack,
 * try_release_thread_stack_to_cache, free_vm_stack_cache, THREADINFO_GFP,
 * set_task_stack_end_magic. Simplified: the grace period between the end of a
 * thread and vfree() is over at once. Omitted: memcg charges, stacks smaller
 * than a page, interrupt stacks. (6.12, kernel/fork.c; LKD3 ch. 12 "Statically
 * Allocating on the Stack", "Single-Page Kernel Stacks")
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layers.h"
#include "stack.h"

/** rmm_stack_config_init() - 16 KiB, vmalloc'd, as on x86-64 since 4.9 */
void rmm_stack_config_init(struct rmm_stack_config *c)
{
	*c = (struct rmm_stack_config){.kind = RMM_STACK_VMAP, .order = 2};
}

/** rmm_stack_bytes() - THREAD_SIZE */
size_t rmm_stack_bytes(const struct rmm *rmm)
{
	return rmm_page_bytes(rmm) << rmm_stacks_of(rmm)->config.order;
}

/* A stack out of @cpu's cache, cleared; NULL: it is empty */
static struct rmm_stack *take_cached(struct rmm *rmm, unsigned int cpu)
{
	struct rmm_stacks *st = rmm_stacks_of(rmm);

	for (int i = 0; i < RMM_NR_CACHED_STACKS; i++) {
		struct rmm_stack *s = st->cache[cpu].stack[i];

		if (!s)
			continue;
		st->cache[cpu].stack[i] = NULL;
		/* What its last owner left there may tell the next one. */
		if (rmm->arena)
			memset((void *)s->va.start, 0, rmm_stack_bytes(rmm));
		RMM_ADD(st->stat.cache_hit, 1);
		return s;
	}
	return NULL;
}

/* Memory for a stack, all zeros; 0: none */
static uintptr_t get_memory(struct rmm *rmm, unsigned int cpu, int nid)
{
	const struct rmm_stacks *st = rmm_stacks_of(rmm);
	const struct rmm_vmalloc_args a = {
		.size = rmm_stack_bytes(rmm),
		.align = rmm_stack_bytes(rmm), /* THREAD_ALIGN */
		.gfp = RMM_GFP_KERNEL | RMM_GFP_ZERO,
		.nid = nid,
	};
	struct rmm_page *page;

	if (st->config.kind == RMM_STACK_VMAP)
		return (uintptr_t)rmm___vmalloc_node_range(rmm, cpu, &a);
	page = rmm_alloc_pages_node(rmm, cpu, nid, a.gfp | RMM_GFP_ACCOUNT,
				    st->config.order);
	return page ? (uintptr_t)rmm_page_address(rmm, page) : 0;
}

static void put_memory(struct rmm *rmm, unsigned int cpu, uintptr_t at)
{
	const struct rmm_stacks *st = rmm_stacks_of(rmm);

	if (st->config.kind == RMM_STACK_VMAP)
		rmm_vfree(rmm, cpu, (void *)at);
	else
		rmm_free_pages_addr(rmm, cpu, at, st->config.order);
}

static struct rmm_stack *new_stack(struct rmm *rmm, unsigned int cpu, int nid)
{
	struct rmm_stack *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->va.start = get_memory(rmm, cpu, nid);
	if (!s->va.start) {
		free(s);
		return NULL;
	}
	s->va.end = s->va.start + rmm_stack_bytes(rmm);
	return s;
}

static int refuse(struct rmm *rmm, unsigned int cpu, const char *why)
{
	return rmm_error(rmm, -EINVAL,
			 "cannot allocate a kernel stack on CPU %u: %s", cpu,
			 why);
}

static int check_alloc(struct rmm *rmm, unsigned int cpu)
{
	if (!rmm_stacks_of(rmm))
		return refuse(rmm, cpu, "call rmm_stack_init first");
	if (cpu >= rmm->config.nr_cpus)
		return refuse(rmm, cpu, "the machine has no such CPU");
	if (rmm_in_atomic(rmm, cpu))
		return refuse(
			rmm, cpu,
			"it may sleep, and this CPU is in atomic context");
	return 0;
}

/** rmm_alloc_thread_stack() - alloc_thread_stack_node(); a cached stack is
 *  taken wherever its pages lie */
void *rmm_alloc_thread_stack(struct rmm *rmm, unsigned int cpu, int nid)
{
	struct rmm_stacks *st = rmm_stacks_of(rmm);
	struct rmm_stack *s;

	if (check_alloc(rmm, cpu))
		return NULL;
	s = take_cached(rmm, cpu);
	if (!s)
		s = new_stack(rmm, cpu, nid);
	if (!s) {
		RMM_ADD(st->stat.failed, 1);
		rmm_error(rmm, -ENOMEM,
			  "cannot allocate a kernel stack of %zu bytes on CPU "
			  "%u: no %s",
			  rmm_stack_bytes(rmm), cpu,
			  st->config.kind == RMM_STACK_VMAP
				  ? "pages or addresses"
				  : "block of that order");
		return NULL;
	}
	s->cpu = cpu;
	rmm_set_task_stack_end_magic(rmm, s);
	RMM_ADD(st->stat.alloc, 1);
	rmm_lock(rmm, &st->lock);
	rmm_vmap_insert(&st->live, &s->va);
	rmm_unlock(rmm, &st->lock);
	return (void *)s->va.start;
}

/* try_release_thread_stack_to_cache() */
static bool put_cached(struct rmm *rmm, unsigned int cpu, struct rmm_stack *s)
{
	struct rmm_stacks *st = rmm_stacks_of(rmm);

	if (st->config.kind != RMM_STACK_VMAP)
		return false;
	for (int i = 0; i < RMM_NR_CACHED_STACKS; i++)
		if (!st->cache[cpu].stack[i]) {
			st->cache[cpu].stack[i] = s;
			RMM_ADD(st->stat.cache_put, 1);
			return true;
		}
	return false;
}

/** rmm_free_thread_stack() - free_thread_stack(); see refmm_stack.h */
int rmm_free_thread_stack(struct rmm *rmm, unsigned int cpu, void *stack)
{
	struct rmm_stacks *st = rmm_stacks_of(rmm);
	struct rmm_stack *s;
	int err;

	if (!st || cpu >= rmm->config.nr_cpus)
		return rmm_error(rmm, -EINVAL,
				 "cannot free a kernel stack on CPU %u: there "
				 "is no such CPU, or no rmm_stack_init",
				 cpu);
	err = rmm_stack_check(rmm, stack);
	if (err)
		return err;
	/* Of two CPUs that free the same one, the second finds nothing. */
	rmm_lock(rmm, &st->lock);
	s = (struct rmm_stack *)rmm_vmap_find(&st->live, (uintptr_t)stack);
	if (s)
		rmm_vmap_erase(&st->live, &s->va);
	rmm_unlock(rmm, &st->lock);
	if (!s)
		return rmm_error(rmm, -EINVAL,
				 "cannot free a kernel stack at %p: another "
				 "CPU has just freed it",
				 stack);
	RMM_ADD(st->stat.free, 1);
	if (put_cached(rmm, cpu, s))
		return 0;
	put_memory(rmm, cpu, s->va.start);
	free(s);
	return 0;
}

/** rmm_free_vm_stack_cache() - free_vm_stack_cache() */
void rmm_free_vm_stack_cache(struct rmm *rmm, unsigned int cpu)
{
	struct rmm_stacks *st = rmm_stacks_of(rmm);

	if (!st || cpu >= rmm->config.nr_cpus)
		return;
	for (int i = 0; i < RMM_NR_CACHED_STACKS; i++) {
		struct rmm_stack *s = st->cache[cpu].stack[i];

		if (!s)
			continue;
		st->cache[cpu].stack[i] = NULL;
		put_memory(rmm, cpu, s->va.start);
		free(s);
	}
}

static void destroy(struct rmm *rmm, void *state)
{
	struct rmm_stacks *st = state;
	struct rmm_vmap_area *va, *next;

	for (va = st->live.first; va; va = next) {
		next = va->next;
		free(va); /* where it begins, the stack does */
	}
	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++)
		for (int k = 0; k < RMM_NR_CACHED_STACKS; k++)
			free(st->cache[i].stack[k]);
	free(st->cache);
	free(st);
	rmm->layer[RMM_LAYER_STACK] = (struct rmm_layer){0};
}

static int check_config(struct rmm *rmm, const struct rmm_stack_config *c)
{
	const char *bad = NULL;

	if (rmm_stacks_of(rmm))
		return rmm_error(rmm, -EBUSY,
				 "cannot set up kernel stacks: "
				 "they are set up already");
	if (c->kind != RMM_STACK_VMAP && c->kind != RMM_STACK_PAGES)
		bad = "their kind is unknown";
	else if (c->order > rmm->config.max_order)
		bad = "their order is over max_order";
	else if (c->kind == RMM_STACK_VMAP && !rmm_vmalloc_of(rmm))
		bad = "VMAP stacks need rmm_vmalloc_init first";
	if (bad)
		return rmm_error(rmm, -EINVAL,
				 "cannot set up kernel stacks: %s", bad);
	return 0;
}

/** rmm_stack_init() - see refmm_stack.h */
int rmm_stack_init(struct rmm *rmm, const struct rmm_stack_config *c)
{
	size_t bytes = rmm->config.nr_cpus * sizeof(struct rmm_stack_cache);
	struct rmm_stack_config defaults;
	struct rmm_stacks *st;

	rmm_stack_config_init(&defaults);
	if (!c)
		c = &defaults;
	if (check_config(rmm, c))
		return rmm_stacks_of(rmm) ? -EBUSY : -EINVAL;
	st = calloc(1, sizeof(*st));
	if (st)
		st->cache = aligned_alloc(64, bytes);
	if (!st || !st->cache) {
		free(st);
		return rmm_error(rmm, -ENOMEM,
				 "cannot set up kernel stacks: out of memory");
	}
	st->config = *c;
	memset(st->cache, 0, bytes);
	rmm->layer[RMM_LAYER_STACK] = (struct rmm_layer){
		.state = st,
		.destroy = destroy,
		.validate = rmm_stack_validate,
	};
	return 0;
}
