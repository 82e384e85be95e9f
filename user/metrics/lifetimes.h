/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lifetimes.h - how long things live, by the class that allocated them.
 *
 * What is still live at the end has lived at least until then: right-censored. Such
 * lives are counted apart and enter no quantile, so that neither the recording's length
 * nor a leak passes for a lifetime.
 *
 * Buckets are log-linear: four to a power of two. A quantile is the upper end of its
 * bucket: never too low, and less than 25 % too high.
 * Memory: 24 bytes a slot of a table between 3/8 and 3/4 full, and 1.4 KB a class.
 */
#ifndef KMEMLAB_LIFETIMES_H
#define KMEMLAB_LIFETIMES_H

#include <stddef.h>
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
	uint32_t age[LIFETIME_BUCKETS]; /* of what is live, at the last event */
};

/* So many of those that lived for @ns were still live then. */
struct lifetime_point {
	uint64_t ns;
	double share;
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

/**
 * lifetime_survival() - Kaplan and Meier's estimate: the share that lives longer than a
 * time. What is live counts as at risk up to its age, and no further
 * @out: room for @max >= 2 points: at 0, then at ends of buckets, falling
 * Return: points stored; 0 if no life ended.
 */
size_t lifetime_survival(const struct lifetime *l, struct lifetime_point *out, size_t max);

#endif
