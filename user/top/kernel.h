/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kernel.h - the programs behind `kmemlab top`: loaded, attached, read. */
#ifndef KMEMLAB_TOP_KERNEL_H
#define KMEMLAB_TOP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmemlab/top.h>

struct top_kernel;

/* What all CPUs counted since the programs were attached. */
struct top_totals {
	uint64_t page_allocs, pages, page_frees, pages_freed; /* events; 4 KiB pages */
	uint64_t freed_by_order[KML_TOP_ORDERS];	      /* events */
	uint64_t pages_failed, objects_failed;
	uint64_t objects, bytes_req, bytes_alloc, objects_freed;
	uint64_t twice;		      /* large kmallocs traced twice, counted once */
	uint64_t untracked, replaced; /* of the sample: no place; ended unseen */
	uint64_t runs;		      /* of programs */
	uint64_t other;		      /* allocations in slots 0: their source had no place */
};

/* Stalls of a kind, until now. */
struct top_stall_sum {
	uint64_t events, ns;
};

/**
 * top_kernel_open() - load the programs; one in 2^@sample_shift lives is followed
 * @error: 256 bytes
 * Return: not attached yet, or NULL with errno.
 */
struct top_kernel *top_kernel_open(unsigned int sample_shift, char *error);
/** top_kernel_attach() - sums grow from here. Return: 0 or -errno, @error set */
int top_kernel_attach(struct top_kernel *k, char *error);
/** top_kernel_close() - nothing stays attached */
void top_kernel_close(struct top_kernel *k);

/** top_kernel_bytes() - of kernel memory that the tables take */
size_t top_kernel_bytes(const struct top_kernel *k);
unsigned int top_kernel_cpus(const struct top_kernel *k);
/** top_kernel_cpu() - a CPU's sums, mapped: they go on growing */
const struct kml_top_cpu *top_kernel_cpu(const struct top_kernel *k, unsigned int cpu);
/** top_kernel_totals() - add up what the CPUs counted */
void top_kernel_totals(const struct top_kernel *k, struct top_totals *out);
/** top_kernel_lost() - events that fired while their own program ran on that CPU */
uint64_t top_kernel_lost(const struct top_kernel *k);
/** top_kernel_missing() - the i-th tracepoint that this kernel lacks; NULL: no more */
const char *top_kernel_missing(const struct top_kernel *k, size_t i);

/** top_kernel_stalls() - KML_TOP_STALL_KINDS sums */
void top_kernel_stalls(const struct top_kernel *k, struct top_stall_sum *out);
/**
 * top_kernel_stall() - the newest stalls, one after another
 * @next: number of the next to read, from 1; moved on
 * @missed: grows by those that were overwritten before they were read
 * Return: whether @out has one.
 */
bool top_kernel_stall(const struct top_kernel *k, uint64_t *next, uint64_t *missed,
		      struct kml_top_stall *out);

/** top_kernel_run_ns() - CPU time that a run of a program takes, by the kernel's own
 *  statistics over a burst of this process's allocations; 0: not known (no CAP_SYS_ADMIN,
 *  or a clock too slow to tell) */
double top_kernel_run_ns(const struct top_kernel *k);

#endif
