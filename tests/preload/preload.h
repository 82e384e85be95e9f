/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * preload.h - librmm-malloc.so: malloc for ordinary programs from a simulated
 * machine with memory behind it.
 *
 *   malloc(n) --+-- n <= largest block --> rmm_kmalloc()   slabs or pages
 *               +-- larger              --> big.c           mmap
 *               +-- the machine is not there yet --> meta.c
 *
 * Three address ranges that do not overlap say who gave a pointer: the arena
 * (the machine's direct map), the metadata range, and anything else (big.c).
 *
 * refmm takes its own metadata from malloc, which must not lead back here: the
 * library is linked with --wrap, so that refmm's calls of malloc, calloc,
 * aligned_alloc, realloc and free reach meta.c, and those of qsort sort.c.
 *
 * Settings, read once:
 *   RMM_MALLOC_BYTES   address space of the machine; K, M, G; 4G
 *   RMM_MALLOC_CPUS    simulated CPUs; 4 for each real one, 64 at most
 *   RMM_MALLOC_CHECK   at exit, say what rmm_validate() finds: 1: on stderr;
 *                      /file: appended there
 *
 * Locking: a CPU's lock is held from the choice of the CPU to the end of the
 * call, so one thread at a time acts on a simulated CPU. Then refmm's own
 * locks, then meta.c's. fork() takes all of them, CPUs' first.
 */
#ifndef KMEMLAB_TESTS_PRELOAD_H
#define KMEMLAB_TESTS_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/refmm.h>
#include <kmemlab/refmm_slab.h>

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define EXPORT	    __attribute__((visibility("default")))

enum { PAGE = 4096 };

/* 0: free, 1: held, 2: held and somebody sleeps */
struct lock {
	int word;
};

struct machine {
	struct rmm *rmm; /* NULL: not there yet */
	uintptr_t arena;
	size_t arena_bytes;
	size_t block_max; /* bytes of a block of max_order */
	unsigned int nr_cpus;
};

extern struct machine machine;

/* lock.c */
void lock_take_slow(struct lock *lock);
void lock_wake(struct lock *lock);

static inline void lock_take(struct lock *lock)
{
	int none = 0;

	if (UNLIKELY(!__atomic_compare_exchange_n(&lock->word, &none, 1, false, __ATOMIC_ACQUIRE,
						  __ATOMIC_RELAXED)))
		lock_take_slow(lock);
}

static inline void lock_give(struct lock *lock)
{
	if (UNLIKELY(__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2))
		lock_wake(lock);
}

/* machine.c */
bool machine_start(void);
void machine_check(void);
_Noreturn void die(const char *what, const void *pointer, const char *why);

/** machine_ready() - false: it is being made by this very thread, or cannot be */
static inline bool machine_ready(void)
{
	return LIKELY(__atomic_load_n(&machine.rmm, __ATOMIC_ACQUIRE) != NULL) || machine_start();
}

/** machine_owns() - does @p lie in the arena? */
static inline bool machine_owns(const void *p)
{
	return (uintptr_t)p - machine.arena < machine.arena_bytes;
}

/* cpu.c */
struct cpu {
	struct lock lock;
	unsigned int users; /* threads that this CPU was handed to */
} __attribute__((aligned(64)));

extern struct cpu cpus[RMM_MAX_CPUS];
extern __thread int my_cpu; /* -1: none yet */

int cpu_hand_out(void);
void cpu_init(void);
void cpu_lock_all(void);
void cpu_unlock_all(void);
void cpu_after_fork(void);

/* meta.c */
extern struct lock meta_lock;
void *meta_alloc(size_t size, size_t align);
void meta_free(void *p);
size_t meta_size(const void *p);
bool meta_owns(const void *p);

/* big.c */
extern struct lock big_lock;
void *big_alloc(size_t size, size_t align);
void big_free(void *p);
void *big_realloc(void *p, size_t size);
size_t big_size(void *p);

#endif
