/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * calltimer.h - how long an allocator of a replay takes for a block, by path and order.
 *
 * One call in CALL_TIMER_EVERY is timed, the first of each order among them, and what
 * reading the clock costs is taken off. This is user space on the machine that replays:
 * no interrupts, no contention, warm caches. It compares runs with one another, and tells
 * slow paths from fast ones; it does not predict the kernel's times.
 */
#ifndef KMEMLAB_REPLAY_CALL_TIMER_H
#define KMEMLAB_REPLAY_CALL_TIMER_H

#include <stdint.h>

#include "replay/heat.h"
#include "replay/paths.h"

enum { CALL_TIMER_EVERY = 16, CALL_TIMER_ORDERS = 32 };

struct call_timer {
	uint64_t first_ns; /* of the trace: columns begin here */
	uint64_t clock_ns; /* cost of reading the clock twice */
	uint64_t calls[CALL_TIMER_ORDERS];
	struct kml_latency_cell timed[PATHS][CALL_TIMER_ORDERS];
	struct heat *heat;
};

/** call_timer_new() - for a trace from @first_ns to @last_ns; NULL on no memory */
struct call_timer *call_timer_new(uint64_t first_ns, uint64_t last_ns);
void call_timer_free(struct call_timer *w);

/** call_timer_counts() - one more call; whether it is one to be timed */
bool call_timer_counts(struct call_timer *w, unsigned int order);
/** call_timer_begin() - the time, for call_timer_stop() */
uint64_t call_timer_begin(void);
/** call_timer_stop() - how long a call took that began at @begin, in ns */
uint64_t call_timer_stop(const struct call_timer *w, uint64_t begin);
/** call_timer_add() - a call of @ns on @path, at @now_ns of the trace; PATH_HIT where the
 *  allocator does not tell */
void call_timer_add(struct call_timer *w, enum path path, unsigned int order, uint64_t ns,
		    uint64_t now_ns);

#endif
