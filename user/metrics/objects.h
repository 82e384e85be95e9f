/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * objects.h - slab objects and call sites: who holds what.
 *
 * A free tells only an address, so live objects are kept in an open-addressing
 * table from address to the class that allocated it (12 bytes an object).
 */
#ifndef KMEMLAB_OBJECTS_H
#define KMEMLAB_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include <kmemlab/kinds.h>

struct trace_event;
struct kmt_class;
struct objects;

/* Of a cache or a call site; frees are those of objects seen allocated, and
 * for caches, of objects known by name only too. */
struct object_counts {
	uint32_t string; /* name of the cache or call site */
	uint64_t allocs, frees;
	uint64_t bytes_req, bytes_alloc; /* allocated, ever */
	uint64_t freed_bytes;		 /* of bytes_alloc, given back */
	int64_t *live;			 /* caches: objects since the start, per sample */
};

/* Things that do not match: each counted, none dropped. */
struct objects_unmatched {
	uint64_t free_unknown;	/* allocated before the recording, or untraced */
	uint64_t alloc_live;	/* address already live: an untraced free */
	uint64_t class_unknown; /* class lost with a damaged block */
	uint64_t traced_twice;	/* large kmalloc(): one allocation, two events */
	uint64_t failed;	/* the kernel had no memory: nothing is live */
};

/**
 * objects_traced_twice() - is an allocation of class @later the one of class
 * @earlier, at an address that is still live?
 *
 * Where a size is too large for any cache, the kernel traces kmalloc() twice: in
 * __kmalloc_large_node() and in its caller, whose call site is the right one.
 */
bool objects_traced_twice(const struct kmt_class *earlier, const struct kmt_class *later);

/** objects_allocates(), objects_frees() - does an event of @kind, of one object? */
static inline bool objects_allocates(unsigned int kind)
{
	return kind == KMT_KMALLOC || kind == KMT_CACHE_ALLOC || kind == KMT_CACHE_BULK_ALLOC;
}

static inline bool objects_frees(unsigned int kind)
{
	return kind == KMT_KFREE || kind == KMT_CACHE_FREE || kind == KMT_CACHE_BULK_FREE;
}

/**
 * objects_new() - none live yet
 * @classes: by class number, NULL where undefined; kept
 * @n: how many
 * @samples: how many times objects_sample() will be called at most
 */
struct objects *objects_new(const struct kmt_class *const *classes, uint32_t n,
			    unsigned int samples);
void objects_free(struct objects *o);

/** objects_feed() - take @n events of any kind; 0 or -ENOMEM */
int objects_feed(struct objects *o, const struct trace_event *e, long n);

/** objects_sample() - note the live objects of each cache as sample @i */
void objects_sample(struct objects *o, unsigned int i);

/** objects_caches() - sorted by bytes allocated, most first; @n their number.
 *  Sorting in place ends the feeding; so does objects_sites(). */
const struct object_counts *objects_caches(struct objects *o, uint32_t *n);
/** objects_sites() - sorted by live bytes, most first; @n their number */
const struct object_counts *objects_sites(struct objects *o, uint32_t *n);
void objects_get_unmatched(const struct objects *o, struct objects_unmatched *out);

#endif
