/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmalloc_context.c - may what runs on a CPU sleep?
 *
 * vmalloc() and kmap() may sleep, so an interrupt handler, or whoever holds a
 * spinlock, must not call them. One counter for each CPU says so:
 *
 *      bits 16-31  interrupts, nested      in_interrupt: > 0
 *      bits  0-15  preempt_disable()       in_atomic: the whole is > 0
 *
 * get_cpu() of per-CPU data and kmap_atomic() count here too: who holds either
 * must not sleep. A CPU that the machine lacks is in no context.
 *
 * Locking: a CPU's own counter.
 *
 * Modelled: preempt_count, irq_enter, preempt_disable, in_interrupt, in_atomic.
 * Simplified: no softirq, no NMI. (6.12, include/linux/preempt.h; LKD3 ch. 7
 * "Interrupt Context")
 */
#include "vmalloc.h"

enum { HARDIRQ_OFFSET = 1 << 16 };

/** rmm_irq_enter() - irq_enter() */
void rmm_irq_enter(struct rmm *rmm, unsigned int cpu)
{
	if (cpu < rmm->config.nr_cpus)
		rmm->cpu[cpu].preempt_count += HARDIRQ_OFFSET;
}

/** rmm_irq_exit() - irq_exit(); one too many does nothing */
void rmm_irq_exit(struct rmm *rmm, unsigned int cpu)
{
	if (rmm_in_interrupt(rmm, cpu))
		rmm->cpu[cpu].preempt_count -= HARDIRQ_OFFSET;
}

/** rmm_preempt_disable() - preempt_disable(), spin_lock() */
void rmm_preempt_disable(struct rmm *rmm, unsigned int cpu)
{
	if (cpu < rmm->config.nr_cpus)
		rmm->cpu[cpu].preempt_count++;
}

/** rmm_preempt_enable() - the inverse; one too many does nothing */
void rmm_preempt_enable(struct rmm *rmm, unsigned int cpu)
{
	if (cpu < rmm->config.nr_cpus &&
	    rmm->cpu[cpu].preempt_count % HARDIRQ_OFFSET)
		rmm->cpu[cpu].preempt_count--;
}

/** rmm_in_interrupt() - in_interrupt() */
bool rmm_in_interrupt(const struct rmm *rmm, unsigned int cpu)
{
	return cpu < rmm->config.nr_cpus &&
	       rmm->cpu[cpu].preempt_count >= HARDIRQ_OFFSET;
}

/** rmm_in_atomic() - in_atomic(): nothing here may sleep */
bool rmm_in_atomic(const struct rmm *rmm, unsigned int cpu)
{
	return cpu < rmm->config.nr_cpus && rmm->cpu[cpu].preempt_count;
}
