/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * backend.h - the plug-in interface: put a page allocator of your own under a
 * recorded load and get the same figures as the kernel and the reference.
 *
 * A plug-in is a shared object that exports one function:
 *
 *   const struct kml_backend *kmemlab_backend(void);
 *
 *   cc -shared -fPIC -O2 -I/usr/local/include -o mine.so mine.c
 *   kmemlab replay --backend ./mine.so -o result.json trace.kmt
 *
 * Order of calls, all on one thread:
 *
 *   init -> load (every block of the start, and frames that come later)
 *	-> ready -> { alloc | free | load | count }* -> destroy
 *
 * The caller checks everything: a block that is misaligned, outside the zones
 * the request may use, reserved or in use already, a refused free, free pages
 * that do not add up, and ends the replay with a line that says what was wrong.
 * So a plug-in need not defend itself, and no figure comes from a broken one.
 *
 * user/backends/ has two examples.
 */
#ifndef KMEMLAB_BACKEND_H
#define KMEMLAB_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include <kmemlab/refmm_types.h> /* enum rmm_gfp, rmm_migratetype */

#define KML_BACKEND_ABI	   1
#define KML_BACKEND_SYMBOL "kmemlab_backend"
#define KML_NO_PFN	   UINT64_MAX

enum kml_backend_limits {
	KML_BACKEND_ORDERS = 16,
	KML_BACKEND_NAME_BYTES = 40,
};

/* Frames [start_pfn, start_pfn + spanned); those never loaded are holes or
 * reserved. */
struct kml_zone {
	uint64_t start_pfn, spanned, present, managed;
	uint32_t node;
	uint32_t type; /* enum rmm_zone_type */
};

/* The recorded host. Valid until destroy. */
struct kml_machine {
	uint64_t nr_pfns; /* one past the last zone's last frame */
	uint32_t nr_cpus;
	uint32_t nr_zones;
	uint32_t page_shift;
	uint32_t pageblock_order;
	uint32_t max_order; /* inclusive */
	uint32_t reserved;
	const struct kml_zone *zones;
	const char
		*options; /* what followed FILE: on the command line, or "" */
};

struct kml_request {
	uint64_t time_ns; /* CLOCK_BOOTTIME */
	uint32_t cpu;
	uint32_t order;
	uint32_t gfp;	       /* enum rmm_gfp */
	uint32_t migratetype;  /* mobility: enum rmm_migratetype */
	uint32_t highest_zone; /* zones of this type or a lower one may serve */
	uint32_t reserved;
};

struct kml_counter {
	char name[KML_BACKEND_NAME_BYTES];
	uint64_t value;
};

struct kml_backend {
	uint32_t abi;	  /* KML_BACKEND_ABI */
	uint32_t size;	  /* sizeof(struct kml_backend) */
	const char *name; /* of the run in results: a-z, 0-9, '-', '_' */

	/** init() - NULL: @error (@size bytes) says why, in one line */
	void *(*init)(const struct kml_machine *m, char *error, size_t size);
	/** load() - an order-aligned block, @order <= max_order, free or in
	 *  use. After ready: free frames that were reserved (a zone grows). 0,
	 *  or not: refused */
	int (*load)(void *self, uint64_t pfn, uint32_t order, int free);
	/** ready() - all is loaded; may be NULL */
	void (*ready)(void *self);
	/** alloc() - first frame of 2^order, aligned; KML_NO_PFN: none */
	uint64_t (*alloc)(void *self, const struct kml_request *r);
	/** free() - a block of alloc or load, or an aligned part of one: the
	 *  kernel splits blocks and frees their pages singly. 0, or not */
	int (*free)(void *self, uint32_t cpu, uint64_t pfn, uint32_t order);
	/** count() - free memory of @zone: aligned free blocks, as large as
	 *  they go, in @blocks[KML_BACKEND_ORDERS]. Return: free pages beside
	 *  these (caches that only a CPU may use) */
	uint64_t (*count)(void *self, uint32_t zone, uint64_t *blocks);
	/** counters() - up to @n numbers of your own for the result; how many.
	 *  May be NULL */
	size_t (*counters)(void *self, struct kml_counter *out, size_t n);
	void (*destroy)(void *self);
};

/** kmemlab_backend() - what a plug-in exports */
const struct kml_backend *kmemlab_backend(void);

#endif
