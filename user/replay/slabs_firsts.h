/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slabs_firsts.h - look ahead: what each object's first event says of the start.
 *
 * An object that is freed first was live; one that is allocated first was free,
 * if its slab was there: the slab's first page is not allocated in between.
 * kfree() tells no cache; the other objects on its page do.
 */
#ifndef KMEMLAB_REPLAY_SLABS_FIRSTS_H
#define KMEMLAB_REPLAY_SLABS_FIRSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slabs;
struct trace_reader;

struct slabs_first {
	uint64_t address; /* as in the trace */
	uint32_t cache;	  /* index */
	uint16_t cpu;	  /* of the event */
	bool live;
};

struct slabs_firsts {
	struct slabs_first *items; /* by cache, then in order of events */
	size_t n, room;
	size_t *of_cache; /* [caches + 1]: where each cache's begin */
};

/** slabs_firsts_read() - all events after the start; rewinds. 0 or -errno */
int slabs_firsts_read(struct slabs_firsts *f, const struct slabs *s, uint64_t nr_pfns,
		      struct trace_reader *r);
void slabs_firsts_free(struct slabs_firsts *f);

/** slabs_head() - first frame of the slab of order @order that @address is in */
static inline uint64_t slabs_head(uint64_t address, unsigned int order)
{
	return address >> 9 >> order << order;
}

#endif
