/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tasks.h - which task each CPU runs, as a trace's TASK events tell.
 *
 * An event belongs to the task that ran on its CPU. Before a CPU's first TASK event that
 * is not known.
 */
#ifndef KMEMLAB_TASKS_H
#define KMEMLAB_TASKS_H

#include <stdint.h>
#include <stdlib.h>

#include "trace/trace_reader.h"

#define TASKS_UNKNOWN UINT32_MAX

struct tasks {
	uint32_t *on_cpu; /* class number of the CPU's last TASK event */
	unsigned int cpus;
};

/** tasks_init() - nothing known yet; 0 or -1 on no memory */
static inline int tasks_init(struct tasks *t, unsigned int cpus)
{
	t->cpus = cpus;
	t->on_cpu = malloc(((size_t)cpus + 1) * sizeof(*t->on_cpu));
	for (unsigned int i = 0; t->on_cpu && i < cpus; i++)
		t->on_cpu[i] = TASKS_UNKNOWN;
	return t->on_cpu ? 0 : -1;
}

static inline void tasks_destroy(struct tasks *t)
{
	free(t->on_cpu);
}

/** tasks_see() - the next event, of any kind */
static inline void tasks_see(struct tasks *t, const struct trace_event *e)
{
	if (e->kind == KMT_TASK && e->cpu < t->cpus)
		t->on_cpu[e->cpu] = e->class_id;
}

/** tasks_at() - class of the task that @cpu runs, or TASKS_UNKNOWN */
static inline uint32_t tasks_at(const struct tasks *t, unsigned int cpu)
{
	return cpu < t->cpus ? t->on_cpu[cpu] : TASKS_UNKNOWN;
}

#endif
