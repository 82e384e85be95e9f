/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cost.h - what the recording itself costs, by part. */
#ifndef KMEMLAB_RECORD_COST_H
#define KMEMLAB_RECORD_COST_H

#include <stdint.h>

enum cost_part {
	COST_OTHER = 0, /* loading, attaching, waiting, the summary */
	COST_CONSUME,	/* rings to blocks, encoding and all */
	COST_SNAPSHOT,	/* page states and texts at a begin or an end */
	COST_SAMPLE,	/* texts on the timer, ACCOUNT blocks */
	COST_PARTS,
};

/* CPU time of this process, and of the programs as far as it is known. */
struct cost {
	uint64_t ns[COST_PARTS];
	enum cost_part now;
	uint64_t since_ns;
	double run_ns; /* of a program, as measured at the start; 0: not known */
	int stats_fd;  /* -1: not measuring */
};

/** cost_begin() - all that was used so far is COST_OTHER */
void cost_begin(struct cost *c);
/** cost_enter() - from here on @part. Return: the part until now, to go back to */
enum cost_part cost_enter(struct cost *c, enum cost_part part);
/** cost_measure_programs() - have the kernel take the programs' times, or stop it.
 *  Takes CAP_SYS_ADMIN and two clock reads a run, so it is for a moment only. */
void cost_measure_programs(struct cost *c, int on);
/** cost_programs() - the kernel measured @runs runs in @run_ns; the clock read that is
 *  part of each is taken off */
void cost_programs(struct cost *c, uint64_t run_ns, uint64_t runs);
/** cost_cpu_ns() - CPU time of this process until now */
uint64_t cost_cpu_ns(void);

#endif
