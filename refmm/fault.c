/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fault.c - failing on request.
 *
 * Memory runs out rarely, and code that handles it rots. So each step that may
 * fail asks here first:
 *
 *   call --> point set? --> order, gfp pass? --> n-th? random? --> fails
 *
 * Chance is a function of seed and call number: the same run fails the same
 * way.
 *
 * Locking: counters are atomic; settings change while no threads run.
 *
 * Modelled: should_fail_alloc_page with the attributes nth, probability, times
 * and filters of order and gfp mask. Simplified: no interval, space and stack
 * filter. (6.12, lib/fault-inject.c, mm/fail_page_alloc.c; not in LKD3)
 */
#include "layers.h"

/* splitmix64: the @n-th number of sequence @seed */
static uint64_t random_at(uint64_t seed, uint64_t n)
{
	uint64_t z = seed + n * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static bool passes(const struct rmm_fault *f, unsigned int gfp,
		   unsigned int order)
{
	if (f->orders && !(order < 32 && (f->orders >> order & 1)))
		return false;
	if (f->gfp_any && !(gfp & f->gfp_any))
		return false;
	return !(gfp & f->gfp_never);
}

/** rmm__should_fail() - a step that somebody waits to see fail */
bool rmm__should_fail(struct rmm *rmm, unsigned int gfp, unsigned int order)
{
	const struct rmm_fault *f = &rmm->fault;
	uint64_t call;

	if (!passes(f, gfp, order))
		return false;
	call = __atomic_add_fetch(&rmm->fault_calls, 1, __ATOMIC_RELAXED);
	if (call != f->nth &&
	    random_at(f->seed, call) % 1000000 >= f->probability)
		return false;
	if (f->times && RMM_READ(rmm->faults) >= f->times)
		return false;
	__atomic_add_fetch(&rmm->faults, 1, __ATOMIC_RELAXED);
	return true;
}

/** rmm_set_fault() - see refmm_fault.h */
void rmm_set_fault(struct rmm *rmm, const struct rmm_fault *fault)
{
	rmm->fault = fault ? *fault : (struct rmm_fault){0};
	rmm->fault_calls = rmm->faults = 0;
	rmm_set_watch(rmm);
}

/** rmm_fail_alloc() - see refmm_fault.h */
void rmm_fail_alloc(struct rmm *rmm, uint64_t nth)
{
	const struct rmm_fault fault = {
		.points = nth ? RMM_FAULT_ALLOC : 0,
		.nth = nth,
	};

	rmm_set_fault(rmm, &fault);
}

/** rmm_nr_faults() - see refmm_fault.h */
uint64_t rmm_nr_faults(const struct rmm *rmm)
{
	return RMM_READ(rmm->faults);
}

/** rmm_nr_fault_calls() - see refmm_fault.h */
uint64_t rmm_nr_fault_calls(const struct rmm *rmm)
{
	return RMM_READ(rmm->fault_calls);
}
