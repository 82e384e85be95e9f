/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slabs.h - the trace's slab objects, allocated and freed in refmm's slab layer.
 *
 *   slabinfo, start    caches with as many slabs, full
 *   the kernel's lists of slabs that are not: how many objects are free
 *   first event of     a free:       it was live at the start
 *   each object        an allocation in a slab that was there: it was free
 *   events             alloc, free on their CPU; the reference chooses its slabs
 *   slabinfo, end      beside the reference's slabs and objects
 *
 * The machine is one of its own: the trace's page events already hold the pages
 * of slabs, which the page reference (reference.h) replays as pages.
 */
#ifndef KMEMLAB_REPLAY_SLABS_H
#define KMEMLAB_REPLAY_SLABS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/procfs.h"
#include "metrics/live.h"
#include "replay/slab_lists.h"

struct host;
struct kmt_class;
struct rmm;
struct rmm_kmem_cache;
struct trace_event;
struct trace_reader;

/* Parameters of the slab layer, each plus 1; 0: as the host has it. */
struct slabs_knobs {
	uint32_t min_order, max_order, min_objects, cpu_partial, sheaf_capacity;
};

/*
 * A cache with events. In slabs, objects, bytes. Its slabs are the kernel's: size, order,
 * objects; and the reference's, which differ from these if knobs say so. Then the start's
 * objects keep their order, in slabs of that many:
 *
 *   kernel     [ 0 1 2 3 ][ 4 5 6 7 ][ 8 9 .. ]
 *   reference  [ 0 1 ][ 2 3 ][ 4 5 ][ 6 7 ][ 8 9 ]
 */
struct slabs_cache {
	uint32_t string; /* its name */
	struct proc_slab start, end;
	bool has_start, has_end;
	const struct listed_cache *listed; /* NULL: its lists were not read */
	struct rmm_kmem_cache *cache;	   /* NULL: not in the start's slabinfo */
	unsigned int size, order, objects; /* of a slab of the kernel's */
	unsigned int my_order, my_objects; /* of a slab of the reference's */
	bool differs; /* without knobs: from what slabinfo says; or that is more than fits */
	uint64_t allocs;
	uint64_t active_end;   /* objects_end as slabinfo's active_objs would show it */
	uint64_t unseen_frees; /* allocated or its slab freed while it was live */
	uint64_t slabs_start, slabs_end, pages_end, objects_end, total_end;
};

/* What does not match, in objects. */
struct slabs_counts {
	uint64_t events; /* replayed */
	uint64_t alloc_failed;
	uint64_t alloc_of_live;	 /* an unseen free came before: made up for */
	uint64_t gone_with_slab; /* freed unseen: the kernel freed the slab's pages */
	uint64_t free_unknown;	 /* neither allocated here nor placed at the start */
	uint64_t free_refused;	 /* the reference says no: a defect */
	uint64_t no_cache;	 /* cache unknown or not in slabinfo; large kmalloc */
	uint64_t start_live;	 /* known by their free to be live at the start */
	uint64_t start_free;	 /* known by their allocation to be free */
	uint64_t start_unplaced; /* of both: in more slabs than slabinfo says */
	uint64_t start_listed;	 /* slabs that are not full, as the kernel's lists have them */
	uint64_t start_unlisted; /* of those, that the reference has no such place for */
	uint64_t start_disputed; /* and of which events tell that more is live */
};

struct slabs {
	struct slabs_knobs knobs;
	const struct slabs *plain; /* with knobs: the same trace without */
	struct rmm *rmm;
	struct slabs_cache *caches;
	uint32_t n;
	uint32_t *of_class; /* index + 1 of the class's cache; 0: none */
	uint32_t nr_classes;
	struct live live;   /* address -> the reference's object, in 8 bytes */
	uintptr_t base;	    /* of these */
	uint16_t *cache_of; /* by frame: index + 1 of the cache whose slab begins there */
	uint64_t nr_pfns;
	unsigned int cpus;
	uint64_t pages_left;
	uint64_t start_ns, end_ns; /* when slabinfo was read */
	uint64_t ns;
	struct slab_lists lists;
	struct slabs_counts counts;
};

/**
 * slabs_new() - set up the start; reads all events, and rewinds
 * @s: zeroed but for knobs and plain
 * Return: 0, -ENOMEM, or -ENOENT: the trace has no slabinfo of its start, or no
 * object events.
 */
int slabs_new(struct slabs *s, const struct host *h, struct trace_reader *r,
	      const struct kmt_class *const *classes, uint32_t nr_classes);
void slabs_destroy(struct slabs *s);

/** slabs_feed() - replay @n events, timed; 0 or -ENOMEM */
int slabs_feed(struct slabs *s, const struct trace_event *e, long n);
/** slabs_finish() - no more events follow: count slabs */
void slabs_finish(struct slabs *s);
/** slabs_pages_end() - after slabs_finish(): pages of the slabs of all caches replayed */
uint64_t slabs_pages_end(const struct slabs *s);
/** slabs_find() - cache by name's string number; NULL: not replayed */
const struct slabs_cache *slabs_find(const struct slabs *s, uint32_t string);

/* slabs_start.c: caches and the state they start in */
int slabs_create(struct slabs *s, const struct host *h, struct trace_reader *r,
		 const struct kmt_class *const *classes, uint32_t nr_classes);

struct slabs_firsts;
/** slabs_at_start() - of the reference, to hold what the kernel's slabs hold */
uint64_t slabs_at_start(const struct slabs_cache *c);

/* slabs_fill.c: caches begin as the kernel's did */
int slabs_preload(struct slabs *s, const struct slabs_firsts *f);

/** slabs_object() - the reference's object for a table's value, and back */
static inline void *slabs_object(const struct slabs *s, uint32_t value)
{
	return (void *)(s->base + ((uintptr_t)value << 3));
}

static inline uint32_t slabs_value(const struct slabs *s, const void *object)
{
	return (uint32_t)(((uintptr_t)object - s->base) >> 3);
}

#endif
