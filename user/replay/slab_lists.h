/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slab_lists.h - the start's slabs that are not full, as the recorder read them in the
 * kernel's lists: trace.h, "kmemlab/slabs".
 */
#ifndef KMEMLAB_REPLAY_SLAB_LISTS_H
#define KMEMLAB_REPLAY_SLAB_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/procfs.h"

struct trace_reader;

/* Who has it. On a CPU's partial list the first is the next to be taken. */
enum slab_holder { SLAB_OF_NODE, SLAB_OF_CPU, SLAB_OF_CPU_PARTIAL, SLAB_HOLDERS };

struct listed_slab {
	uint64_t pfn; /* its first frame */
	uint32_t of;  /* node or CPU */
	uint16_t free;
	uint8_t holder; /* enum slab_holder */
};

struct listed_cache {
	char name[PROC_CACHE_NAME_BYTES];
	uint64_t slabs, objects;	/* objects: live and free */
	const struct listed_slab *slab; /* nodes' first, in order of their lists */
	size_t n;
};

struct slab_lists {
	struct listed_cache *cache;
	struct listed_slab *slab;
	size_t n, slabs;
	uint64_t time_ns; /* when all had been read */
	bool known;
};

/** slab_lists_read() - of the start; what the trace has not is not known. 0 or -ENOMEM */
int slab_lists_read(struct slab_lists *l, struct trace_reader *r);
void slab_lists_free(struct slab_lists *l);
/** slab_lists_find() - by name; NULL: not read */
const struct listed_cache *slab_lists_find(const struct slab_lists *l, const char *name);
/** listed_free_on_nodes() - objects that slabinfo would not count as active */
uint64_t listed_free_on_nodes(const struct listed_cache *c);

#endif
