/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.h - what the kernel itself said of its free lists while recording: the
 * witness that runs are held against.
 */
#ifndef KMEMLAB_REPLAY_KERNEL_H
#define KMEMLAB_REPLAY_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "replay/host.h"

struct trace_reader;

/* One reading of /proc/buddyinfo. */
struct kernel_sample {
	uint64_t time_ns;		 /* as the trace has it: just after the reading */
	uint64_t (*blocks)[HOST_ORDERS]; /* by zone */
	uint16_t flags;			 /* enum kmt_flags */
};

struct kernel_samples {
	struct kernel_sample *at; /* in order of time */
	size_t n;
	size_t end; /* the end snapshot's, else the last one; n: none */
};

/** kernel_samples_load() - all buddyinfo texts; 0 or -ENOMEM */
int kernel_samples_load(struct kernel_samples *k, struct trace_reader *r, const struct host *h);
/** kernel_sample_sum() - free blocks of all zones, into @blocks[the host's orders] */
void kernel_sample_sum(const struct kernel_sample *k, const struct host *h, uint64_t *blocks);
void kernel_samples_destroy(struct kernel_samples *k);

#endif
