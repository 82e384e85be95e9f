/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lifetimes.h - how long things live, by the class that allocated them.
 *
 * What is still live at the end has lived at least until then: right-censored. Such
 * lives are counted apart and enter no quantile, so that neither the recording's length
 * nor a leak passes for a lifetime.
 *
 * Buckets are log-linear: four to a power of two, so a quantile is at most 1/8 off.
 * Memory: 32 bytes a slot of a table between 3/8 and 3/4 full, and 700 bytes a class.
 */
#ifndef KMEMLAB_LIFETIMES_H
#define KMEMLAB_LIFETIMES_H

#include <stdint.h>

struct trace_event;
struct kmt_class;
struct lifetimes;

enum { LIFETIME_BUCKETS = 4 * 42 }; /* up to 2^42 ns, over an hour */

struct lifetime {
	uint64_t freed;	    /* lives that ended in the trace */
	uint64_t across;    /* of them, on another CPU than they began */
	uint64_t live;	    /* at the end: censored */
	uint64_t oldest_ns; /* of these: when it was allocated; 0: none */
	uint32_t bucket[LIFETIME_BUCKETS];
};

struct lifetimes *lifetimes_new(const struct kmt_class *const *classes, uint32_t n);
void lifetimes_free(struct lifetimes *l);

/** lifetimes_feed() - @n events of any kind; 0 or -ENOMEM */
int lifetimes_feed(struct lifetimes *l, const struct trace_event *e, long n);

/** lifetimes_finish() - no event follows: what is live is counted */
void lifetimes_finish(struct lifetimes *l);

/** lifetimes_of() - of a class; all zero if it allocated nothing */
const struct lifetime *lifetimes_of(const struct lifetimes *l, uint32_t class_id);

/** lifetime_add() - @from's lives to @to's */
void lifetime_add(struct lifetime *to, const struct lifetime *from);

/** lifetime_quantile() - ns by which the share @q (0..1) of ended lives had ended; the
 *  upper end of a bucket; 0 if none ended */
uint64_t lifetime_quantile(const struct lifetime *l, double q);

#endif
