/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* consume.h - from the rings to the trace writer; see consume.c. */
#ifndef KMEMLAB_RECORD_CONSUME_H
#define KMEMLAB_RECORD_CONSUME_H

#include "record.h"

struct consumer;

/** consumer_new() - @clock_ns: boottime_ns(), or a test's. Return: NULL on no memory */
struct consumer *consumer_new(const struct rings *r, struct trace_writer *w, struct definitions *d,
			      const struct kernel_bases *bases, uint64_t (*clock_ns)(void));
void consumer_free(struct consumer *c);
/**
 * consume() - move what the rings hold into the writer
 * @flush: end the round although it is not full
 * Return: the largest fill of any ring before, in percent (0: all were empty),
 * or -errno of a write (what it lost is counted by the writer).
 */
int consume(struct consumer *c, bool flush);

/** consumer_restate() - say anew, before each CPU's next event, which task it runs:
 *  for a file or window that begins there */
void consumer_restate(struct consumer *c);

/* What a watch is shown: allocations that failed, and the kinds of pressure. */
struct seen_event {
	unsigned int kind;
	unsigned int order;
	uint64_t time_ns;
	uint32_t task; /* class of the task that the CPU runs */
};

struct event_watch {
	void (*see)(void *context, const struct seen_event *e);
	void *context;
};

void consumer_watch(struct consumer *c, const struct event_watch *watch);
/** consumer_own_events() - events that this process caused */
uint64_t consumer_own_events(const struct consumer *c);

/** consumer_vmalloc_page() - what the trace has for @address of vmalloc's: trace.h */
uint64_t consumer_vmalloc_page(const struct consumer *c, uint64_t address);

/** consumer_percpu_chunk() - what the trace has for the chunk of per-CPU memory at @base:
 *  addresses.h */
uint64_t consumer_percpu_chunk(struct consumer *c, uint64_t base);

/** consumer_pages() - pages seen allocated and freed while covered */
void consumer_pages(const struct consumer *c, uint64_t *allocated, uint64_t *freed);
/** consumer_cover() - count pages of events from @from_ns on, from none */
void consumer_cover(struct consumer *c, uint64_t from_ns);
/** consumer_stop_cover() - and of none from @to_ns on */
void consumer_stop_cover(struct consumer *c, uint64_t to_ns);

#endif
