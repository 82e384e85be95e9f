/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cpu.c - which thread acts on which simulated CPU.
 *
 * A thread gets the CPU with the fewest threads when it first allocates, and
 * gives it back when it ends. Where there are more threads than CPUs, some
 * share one; the CPU's lock, which is always taken, keeps them apart.
 *
 * fork() copies one thread only. So all locks are taken before, when no call is
 * under way, and given in both processes; the child's CPUs belong to nobody but
 * the thread that is left.
 */
#include <pthread.h>

#include "preload.h"

struct cpu cpus[RMM_MAX_CPUS];
__thread int my_cpu = -1;

static struct lock hand_out_lock;
static pthread_key_t at_thread_end;
static bool have_key;

/* The thread may allocate yet: in later destructors. It keeps the number, as a
 * guest that is not counted. */
static void thread_ends(void *cpu)
{
	lock_take(&hand_out_lock);
	cpus[(uintptr_t)cpu - 1].users--;
	lock_give(&hand_out_lock);
}

static int fewest(void)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < machine.nr_cpus; i++)
		if (cpus[i].users < cpus[best].users)
			best = i;
	return (int)best;
}

/** cpu_hand_out() - a CPU for this thread, which has none */
int cpu_hand_out(void)
{
	lock_take(&hand_out_lock);
	my_cpu = fewest();
	cpus[my_cpu].users++;
	lock_give(&hand_out_lock);
	/* May allocate: my_cpu is set. */
	if (have_key)
		pthread_setspecific(at_thread_end, (void *)((uintptr_t)my_cpu + 1));
	return my_cpu;
}

void cpu_init(void)
{
	have_key = pthread_key_create(&at_thread_end, thread_ends) == 0;
}

void cpu_lock_all(void)
{
	lock_take(&hand_out_lock);
	for (unsigned int i = 0; i < machine.nr_cpus; i++)
		lock_take(&cpus[i].lock);
}

void cpu_unlock_all(void)
{
	for (unsigned int i = machine.nr_cpus; i-- > 0;)
		lock_give(&cpus[i].lock);
	lock_give(&hand_out_lock);
}

/** cpu_after_fork() - in the child, all locks held */
void cpu_after_fork(void)
{
	for (unsigned int i = 0; i < machine.nr_cpus; i++)
		cpus[i].users = (int)i == my_cpu;
}
