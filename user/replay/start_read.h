/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * start_read.h - lists and pageblock types as the recorder read them in the kernel
 * (trace.h, "start/pcp"), taken back to the start state's moment.
 *
 *   last PAGES block     lists of CPU 0   lists of CPU 1   types
 *	  t_ns --- events --- at_ns --- events --- at_ns ----- types_ns --->
 *	    |<----- undo ------|
 *	    |<---------------- undo ---------------|
 *
 * Events in between are kept and undone, newest first: what was allocated is back at
 * the head, what was drained at the tail, what was freed or came from the buddy lists
 * is on no list.
 */
#ifndef KMEMLAB_REPLAY_START_READ_H
#define KMEMLAB_REPLAY_START_READ_H

#include <stddef.h>
#include <stdint.h>

struct host;
struct kmt_class;
struct pagemap;
struct trace_event;
struct trace_reader;

/* 12 of orders 0 to 3, two of huge pages: see start_read_list(). */
enum { START_READ_LISTS = 14 };

/* One list: first pages of its blocks, the head's first. */
struct read_list {
	uint32_t *pfn;
	size_t n, room;
};

/* One CPU's lists of a zone. */
struct read_lists {
	uint64_t at_ns; /* 0: not read, the CPU was offline */
	uint32_t count, high;
	uint32_t free_factor, free_count, alloc_factor; /* at that time */
	struct read_list list[START_READ_LISTS];
};

struct read_event {
	uint64_t time_ns, pfn;
	uint16_t cpu;
	uint8_t kind, order, migratetype;
};

struct start_read {
	struct read_lists *at; /* [zone * cpus + cpu]; NULL: the trace has none */
	unsigned int zones, cpus, pageblock_order;
	uint64_t last_ns;	   /* the last list was read */
	uint64_t types_ns;	   /* pageblocks' types were read; 0: they are not there */
	uint8_t *type;		   /* by pageblock, 0xff: not read */
	struct read_event *events; /* up to last_ns */
	size_t events_n, events_room;
};

/** start_read_init() - what the trace has of both; 0 or -ENOMEM. What cannot be is
 *  as if it were not there */
int start_read_init(struct start_read *s, const struct host *h, const struct pagemap *m,
		    struct trace_reader *r);
void start_read_destroy(struct start_read *s);

/** start_read_event() - an event after the start state's moment; 0 or -ENOMEM */
int start_read_event(struct start_read *s, const struct trace_event *e, const struct kmt_class *c);

/** start_read_undo() - after all events: lists are those of the moment; 0 or -ENOMEM */
int start_read_undo(struct start_read *s, const struct pagemap *m);

/** start_read_order() - of the blocks on the list of this number */
static inline unsigned int start_read_order(const struct start_read *s, unsigned int list)
{
	return list < 12 ? list / 3 : s->pageblock_order;
}

static inline uint8_t start_read_type(unsigned int list)
{
	return (uint8_t)(list < 12 ? list % 3 : list == 13);
}

#endif
