/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_use.c - how much of a stack was used, and was it too much?
 *
 * A new stack is all zeros, and what was used once is hardly zero again. So the
 * lowest word that is not zero tells how far it went:
 *
 *      | magic | 0 0 0 0 0 0 0 | used ............ |
 *      lowest                  ^high-water mark     top
 *
 * Too far is seen in one of two ways. Below a vmalloc'd stack nothing is
 * mapped: the access faults, and the address tells by how much. Below other
 * stacks lies memory: then only the magic word tells, when somebody looks, and
 * the damage is done. Neither sees a frame that jumps over both.
 *
 * Invariants: stacks in use do not overlap; a cached one is a vmalloc area with
 * all its pages, and in no other cache nor in use.
 *
 * Locking: the lock over the tree of stacks in use.
 *
 * Modelled: stack_not_used, task_stack_end_corrupted, get_stack_guard_info,
 * handle_stack_overflow's words. (6.12, include/linux/sched/task_stack.h,
 * arch/x86/mm/fault.c; LKD3 ch. 12 "Playing Fair on the Stack")
 */
#include <errno.h>
#include <stdio.h>

#include "layers.h"
#include "stack.h"

/** rmm_set_task_stack_end_magic() - set_task_stack_end_magic() */
void rmm_set_task_stack_end_magic(const struct rmm *rmm,
				  const struct rmm_stack *s)
{
	if (rmm->arena)
		*(unsigned long *)s->va.start = RMM_STACK_END_MAGIC;
}

/** rmm_find_stack() - the stack in use that begins at @address, or NULL */
struct rmm_stack *rmm_find_stack(const struct rmm *rmm, uintptr_t address)
{
	struct rmm_stacks *st = rmm_stacks_of(rmm);
	struct rmm_vmap_area *va;

	rmm_lock(rmm, &st->lock);
	va = rmm_vmap_find(&st->live, address);
	rmm_unlock(rmm, &st->lock);
	/* The area is the stack's first member. */
	return va && va->start == address ? (struct rmm_stack *)va : NULL;
}

static struct rmm_stack *check_stack(struct rmm *rmm, const void *stack)
{
	struct rmm_stack *s = rmm_stacks_of(rmm)
				      ? rmm_find_stack(rmm, (uintptr_t)stack)
				      : NULL;

	if (!s)
		rmm_error(rmm, -EINVAL,
			  "%p is no kernel stack: none begins there, or it is "
			  "freed already",
			  stack);
	return s;
}

/** rmm_stack_check() - task_stack_end_corrupted(); see refmm_stack.h */
int rmm_stack_check(struct rmm *rmm, const void *stack)
{
	const struct rmm_stack *s = check_stack(rmm, stack);
	unsigned long word;

	if (!s)
		return -EINVAL;
	if (!rmm->arena)
		return 0;
	word = *(const unsigned long *)stack;
	if (word == RMM_STACK_END_MAGIC)
		return 0;
	return rmm_error(rmm, -EUCLEAN,
			 "corrupted stack end detected: stack %p-0x%llx of "
			 "CPU %u has 0x%lx there, not 0x%lx; what lies below "
			 "may be overwritten",
			 stack, (unsigned long long)s->va.end, s->cpu, word,
			 RMM_STACK_END_MAGIC);
}

/** rmm_stack_usage() - THREAD_SIZE - stack_not_used(); see refmm_stack.h */
int64_t rmm_stack_usage(struct rmm *rmm, const void *stack)
{
	const unsigned long *word = stack;
	size_t n, words;

	if (!check_stack(rmm, stack))
		return -EINVAL;
	if (!rmm->arena)
		return rmm_error(rmm, -EOPNOTSUPP,
				 "cannot tell how far stack %p was used: there "
				 "is no memory behind it; set backed",
				 stack);
	words = rmm_stack_bytes(rmm) / sizeof(*word);
	if (word[0] != RMM_STACK_END_MAGIC)
		return (int64_t)rmm_stack_bytes(rmm);
	for (n = 1; n < words && !word[n];)
		n++;
	return (int64_t)((words - n) * sizeof(*word));
}

/** rmm_stack_overflow() - handle_stack_overflow(); see refmm_stack.h */
size_t rmm_stack_overflow(const struct rmm *rmm, const void *address, char *msg,
			  size_t size)
{
	struct rmm_stacks *st = rmm_stacks_of(rmm);
	uintptr_t at = (uintptr_t)address;
	const struct rmm_stack *s;
	size_t below;

	if (!st || st->config.kind != RMM_STACK_VMAP)
		return 0;
	rmm_lock(rmm, &st->lock);
	s = (const struct rmm_stack *)rmm_vmap_find_exceed(&st->live, at);
	rmm_unlock(rmm, &st->lock);
	if (!s || s->va.start <= at || s->va.start - at > rmm_page_bytes(rmm))
		return 0;
	below = s->va.start - at;
	if (msg && size)
		snprintf(msg, size,
			 "stack guard page was hit at %p, %zu bytes below the "
			 "end of stack 0x%llx-0x%llx, allocated on CPU %u",
			 address, below, (unsigned long long)s->va.start,
			 (unsigned long long)s->va.end, s->cpu);
	return below;
}

/** rmm_stack_stat() - see refmm_stack.h */
void rmm_stack_stat(const struct rmm *rmm, struct rmm_stack_stat *out)
{
	struct rmm_stacks *st = rmm_stacks_of(rmm);

	*out = st ? st->stat : (struct rmm_stack_stat){0};
	if (!st)
		return;
	out->live = st->live.count;
	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++)
		for (int k = 0; k < RMM_NR_CACHED_STACKS; k++)
			out->cached += st->cache[i].stack[k] != NULL;
}

/* A stack of @cpu's cache: nobody's, and a whole vmalloc area */
static int check_cached(const struct rmm *rmm, const struct rmm_stack *s,
			char *msg, size_t size)
{
	const struct rmm_stacks *st = rmm_stacks_of(rmm);
	struct rmm_vm_area area;

	if (st->config.kind == RMM_STACK_VMAP &&
	    !rmm_find_vm_area(rmm, (void *)s->va.start, &area) &&
	    area.address == s->va.start &&
	    area.nr_pages == 1ull << st->config.order &&
	    !rmm_vmap_find(&st->live, s->va.start))
		return 0;
	snprintf(
		msg, size,
		"kernel stack 0x%llx is cached, but in use, or no vmalloc area "
		"of %u pages",
		(unsigned long long)s->va.start, 1u << st->config.order);
	return -EUCLEAN;
}

/** rmm_stack_validate() - the layer's part of rmm_validate() */
int rmm_stack_validate(const struct rmm *rmm, const void *state, char *msg,
		       size_t size)
{
	const struct rmm_stacks *st = state;
	const struct rmm_vmap_area *va = st->live.first;
	struct rmm_vm_area area;
	int err = 0;

	for (; va; va = va->next) {
		if (rmm_va_size(va) == rmm_stack_bytes(rmm) &&
		    (!va->next || va->end <= va->next->start) &&
		    (st->config.kind != RMM_STACK_VMAP ||
		     !rmm_find_vm_area(rmm, (void *)va->start, &area)))
			continue;
		snprintf(msg, size,
			 "kernel stack 0x%llx-0x%llx overlaps another, or is "
			 "no vmalloc area",
			 (unsigned long long)va->start,
			 (unsigned long long)va->end);
		return -EUCLEAN;
	}
	for (unsigned int i = 0; i < rmm->config.nr_cpus; i++)
		for (int k = 0; k < RMM_NR_CACHED_STACKS && !err; k++)
			if (st->cache[i].stack[k])
				err = check_cached(rmm, st->cache[i].stack[k],
						   msg, size);
	return err;
}
