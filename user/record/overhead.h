/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * overhead.h - keep the recorder's share of the machine below a limit, by
 * recording fewer allocations. Pure.
 *
 * One allocation in 2^shift is kept, chosen by a hash of its address: what is
 * kept at one rate is kept at every higher rate, and an allocation and its free
 * go together.
 */
#ifndef KMEMLAB_RECORD_OVERHEAD_H
#define KMEMLAB_RECORD_OVERHEAD_H

#include <stdint.h>

enum {
	OVERHEAD_SHIFT_MAX = 10,
	OVERHEAD_CHANGES_MAX = 1024, /* remembered */
};

struct overhead_change {
	uint64_t time_ns;
	unsigned int shift;
};

struct overhead {
	double limit; /* of all CPUs' time, 0..1; 0: no limit */
	unsigned int cpus;
	unsigned int shift;
	unsigned int calm;	  /* steps in a row far below the limit */
	uint64_t time_ns, own_ns; /* at the last step */
	double share;		  /* of the last step */
	struct overhead_change change[OVERHEAD_CHANGES_MAX];
	unsigned int changes; /* made; the first OVERHEAD_CHANGES_MAX are remembered */
};

/**
 * overhead_step() - look at the cost since the last step
 * @now_ns: monotonic; @own_ns: CPU time that the recording has used until now,
 * programs included
 * Return: whether the rate changed; o->shift is the new one.
 */
int overhead_step(struct overhead *o, uint64_t now_ns, uint64_t own_ns);

#endif
