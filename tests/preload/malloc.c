/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * malloc.c - what a program calls: malloc and its family.
 *
 * malloc(0) gives an object, as glibc's does, not the kernel's ZERO_SIZE_PTR.
 * With MINALIGN 16 all size classes are multiples of 16, and a slot of 2^n
 * bytes is aligned to 2^n; so are blocks of pages. A stricter alignment is a
 * question of choosing the size.
 *
 * Where blocks of pages have run out, mmap serves, as kvmalloc falls back to
 * vmalloc; where slabs have, malloc fails.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>

#include "preload.h"

enum { GFP = RMM_GFP_KERNEL | RMM_GFP_NOWARN, ALIGNMENT = 16 };

/* A lock is not needed, either, while the process has one thread; see
 * <sys/single_threaded.h>. Whether it was taken must be remembered. */
struct turn {
	unsigned int cpu;
	bool locked;
};

static inline struct turn begin(void)
{
	int cpu = my_cpu;
	struct turn t;

	if (UNLIKELY(cpu < 0))
		cpu = cpu_hand_out();
	t.cpu = (unsigned int)cpu;
	t.locked = !__libc_single_threaded;
	if (t.locked)
		lock_take(&cpus[cpu].lock);
	return t;
}

static inline void end(struct turn t)
{
	if (t.locked)
		lock_give(&cpus[t.cpu].lock);
}

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

/* @flags: RMM_GFP_ZERO or 0 */
static inline void *from_machine(size_t size, unsigned int flags)
{
	struct turn t = begin();
	void *p = rmm_kmalloc(machine.rmm, t.cpu, size ? size : 1, GFP | flags);

	end(t);
	return p;
}

/* Too large for the machine, too early, or nothing left */
static __attribute__((noinline)) void *from_elsewhere(size_t size, size_t align, bool zero)
{
	void *p;

	if (size > PTRDIFF_MAX || align > PTRDIFF_MAX - size)
		return no_memory();
	if (!machine_ready()) {
		p = meta_alloc(size, align);
		if (p && zero)
			memset(p, 0, size);
	} else {
		p = size > RMM_KMALLOC_MAX_CACHE_BYTES || align > PAGE ? big_alloc(size, align)
								       : NULL;
	}
	return p ? p : no_memory();
}

EXPORT void *malloc(size_t size)
{
	void *p = NULL;

	if (LIKELY(machine_ready()) && size <= machine.block_max)
		p = from_machine(size, 0);
	return LIKELY(p) ? p : from_elsewhere(size, ALIGNMENT, false);
}

EXPORT void *calloc(size_t n, size_t size)
{
	size_t bytes;
	void *p = NULL;

	if (__builtin_mul_overflow(n, size, &bytes))
		return no_memory();
	if (LIKELY(machine_ready()) && bytes <= machine.block_max)
		p = from_machine(bytes, RMM_GFP_ZERO);
	return LIKELY(p) ? p : from_elsewhere(bytes, ALIGNMENT, true);
}

static void free_elsewhere(void *p)
{
	int saved = errno;

	if (!p)
		return;
	if (meta_owns(p))
		meta_free(p);
	else
		big_free(p);
	errno = saved;
}

EXPORT void free(void *p)
{
	struct turn t;
	int err;

	if (UNLIKELY(!machine_owns(p))) {
		free_elsewhere(p);
		return;
	}
	t = begin();
	err = rmm_kfree(machine.rmm, t.cpu, p);
	end(t);
	if (UNLIKELY(err))
		die("free", p, rmm_last_error(machine.rmm));
}

EXPORT size_t malloc_usable_size(void *p)
{
	if (!p)
		return 0;
	if (machine_owns(p))
		return rmm_ksize(machine.rmm, p);
	return meta_owns(p) ? meta_size(p) : big_size(p);
}

static void *move(void *p, size_t size)
{
	size_t old = malloc_usable_size(p);
	void *new = malloc(size);

	if (new) {
		memcpy(new, p, old < size ? old : size);
		free(p);
	}
	return new;
}

static void *resize(void *p, size_t size)
{
	struct turn t = begin();

	p = rmm_krealloc(machine.rmm, t.cpu, p, size, GFP);
	end(t);
	return p;
}

EXPORT void *realloc(void *p, size_t size)
{
	void *new = NULL;

	if (!p)
		return malloc(size);
	if (!size) {
		free(p);
		return NULL;
	}
	if (size > PTRDIFF_MAX)
		return no_memory();
	/* krealloc() keeps a block however little of it is wanted; the kernel
	 * shrinks nothing, and programs expect that it does. */
	if (machine_owns(p) && size <= machine.block_max) {
		if (size >= malloc_usable_size(p) / 4)
			new = resize(p, size);
		return new ? new : move(p, size);
	}
	if (!machine_owns(p) && !meta_owns(p) && size > machine.block_max) {
		new = big_realloc(p, size);
		return new ? new : no_memory();
	}
	return move(p, size);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return no_memory();
	return realloc(p, bytes);
}

/* What to ask kmalloc() for, that the slot be aligned to @align */
static size_t aligned_size(size_t size, size_t align)
{
	size_t least = size < align ? align : size, slot;

	if (align <= ALIGNMENT || least > machine.block_max)
		return least;
	slot = rmm_kmalloc_size_roundup(machine.rmm, least);
	if ((slot & -slot) >= align)
		return least;
	/* 96 and 192, which only an alignment to 32 and 64 can keep */
	return (size_t)1 << (64 - __builtin_clzll(slot - 1));
}

static void *allocate_aligned(size_t align, size_t size)
{
	void *p = NULL;
	size_t ask;

	if (machine_ready()) {
		ask = aligned_size(size, align);
		if (ask <= machine.block_max)
			p = from_machine(ask, 0);
	}
	return p ? p : from_elsewhere(size, align < ALIGNMENT ? ALIGNMENT : align, false);
}

static bool power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (!power_of_two(align) || align % sizeof(void *))
		return EINVAL;
	p = allocate_aligned(align, size);
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

/** memalign() - as glibc's, any alignment will do: the next power of two */
EXPORT void *memalign(size_t align, size_t size)
{
	if (align > PTRDIFF_MAX / 2) {
		errno = EINVAL;
		return NULL;
	}
	if (!power_of_two(align))
		align = align ? (size_t)1 << (64 - __builtin_clzll(align)) : 1;
	return allocate_aligned(align, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

EXPORT void *valloc(size_t size)
{
	return allocate_aligned(PAGE, size);
}

EXPORT void *pvalloc(size_t size)
{
	if (size > PTRDIFF_MAX)
		return no_memory();
	return allocate_aligned(PAGE, (size + PAGE - 1) & ~(size_t)(PAGE - 1));
}
