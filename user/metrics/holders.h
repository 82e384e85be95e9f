/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * holders.h - who holds what is live, since when, and whether it grows; and on which CPU
 * things are allocated and freed.
 *
 * A holder is a call site with its objects, or a command with its pages of an order.
 * What leaks grows in every part of a recording and is not freed: `at` tells what a
 * holder held at the end of each quarter, `early` and `early_live` what became of what it
 * allocated in the first half.
 *
 * A block of pages ends with the first free at its beginning, whatever that frees.
 * Memory: 40 to 56 bytes a live thing; beyond HOLDERS_LIVE_MAX they are counted only.
 */
#ifndef KMEMLAB_HOLDERS_H
#define KMEMLAB_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_event;
struct kmt_class;
struct holders;

enum { HOLDERS_QUARTERS = 4, HOLDERS_LIVE_MAX = 1 << 25 };

struct holder {
	uint32_t name; /* string: a call site, of pages a command */
	bool pages;
	uint8_t order;	 /* of pages */
	uint64_t allocs; /* events */
	uint64_t freed;	 /* of these; and whose address was allocated again: an unseen free */
	uint64_t unseen;
	uint64_t live, live_bytes;
	uint64_t early, early_live; /* allocated in the first half; and still live */
	uint64_t early_bytes;	    /* of these */
	uint64_t at[HOLDERS_QUARTERS];
	uint64_t median_ns, oldest_ns; /* ages at the end; 0: nothing is live */
};

/* Of a CPU; [0] objects, [1] blocks of pages. */
struct holders_cpu {
	uint64_t allocs[2];
	uint64_t freed[2];     /* of what was allocated here */
	uint64_t elsewhere[2]; /* of these, on another CPU */
	uint64_t frees[2];     /* here, of what was allocated anywhere in the trace */
};

/** holders_new() - @classes by number, kept; the recording's time; its CPUs */
struct holders *holders_new(const struct kmt_class *const *classes, uint32_t n,
			    const uint64_t times[2], unsigned int cpus);
void holders_free(struct holders *h);
/** holders_feed() - @n events of any kind; 0 or -ENOMEM */
int holders_feed(struct holders *h, const struct trace_event *e, long n);
/** holders_finish() - no event follows: ages are told */
void holders_finish(struct holders *h);

/** holders_list() - the holders; @n their number */
const struct holder *holders_list(const struct holders *h, size_t *n);
/** holders_cpus() - by CPU number; @n their number */
const struct holders_cpu *holders_cpus(const struct holders *h, size_t *n);
/** holders_untracked() - allocations beyond HOLDERS_LIVE_MAX */
uint64_t holders_untracked(const struct holders *h);

/** holder_growth() - bytes that it grew by in the quarter in which it grew least; 0 where
 *  it shrank in one, and where more ends were unseen than seen: then it only seems to grow */
uint64_t holder_growth(const struct holder *h);
/** holder_grew() - quarters in which it grew */
unsigned int holder_grew(const struct holder *h);

#endif
