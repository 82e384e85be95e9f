/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * procfs.h - /proc text in, structs out. Pure: nothing here opens a file.
 *
 * Texts are NUL-terminated. Lines that a parser does not know are passed over,
 * so fields that newer kernels add do no harm. All parsers return 0, -ENOMEM,
 * or -EINVAL when the text holds nothing of what it should; on error @out
 * needs no freeing.
 */
#ifndef KMEMLAB_PROCFS_H
#define KMEMLAB_PROCFS_H

#include <stddef.h>
#include <stdint.h>

enum proc_limits {
	PROC_ORDERS = 16,
	PROC_NAME_BYTES = 16,	    /* of a zone or migrate type */
	PROC_CACHE_NAME_BYTES = 64, /* of a slab cache */
	PROC_PROTECTIONS = 8,
	PROC_TYPES = 8, /* migrate types */
};

/* One CPU's page list of a zone. 6.1 has one mark: high = high_min = high_max. */
struct proc_pcp {
	uint32_t cpu;
	uint32_t count; /* pages on the lists */
	uint32_t high, batch, high_min, high_max;
};

/* A zone of /proc/zoneinfo; numbers are pages. */
struct proc_zone {
	unsigned int node;
	char name[PROC_NAME_BYTES];
	uint64_t free_pages, boost, min, low, high, promo;
	uint64_t spanned, present, managed, cma, start_pfn;
	uint64_t protection[PROC_PROTECTIONS]; /* lowmem_reserve */
	unsigned int protections;
	struct proc_pcp *pcp;
	unsigned int pcps;
};

struct proc_zoneinfo {
	struct proc_zone *zones;
	size_t n;
};

/** proc_zoneinfo_parse() - all zones, the empty ones too */
int proc_zoneinfo_parse(const char *text, struct proc_zoneinfo *out);
void proc_zoneinfo_free(struct proc_zoneinfo *z);
/** proc_zone_pcp_pages() - pages on all CPUs' lists of a zone */
uint64_t proc_zone_pcp_pages(const struct proc_zone *z);

/* A line of /proc/buddyinfo. */
struct proc_buddy {
	unsigned int node;
	char name[PROC_NAME_BYTES];
	uint64_t blocks[PROC_ORDERS]; /* free, by order */
	unsigned int orders;
};

struct proc_buddyinfo {
	struct proc_buddy *zones;
	size_t n;
};

int proc_buddyinfo_parse(const char *text, struct proc_buddyinfo *out);
void proc_buddyinfo_free(struct proc_buddyinfo *b);

/* A zone of /proc/pagetypeinfo. */
struct proc_pagetype {
	unsigned int node;
	char name[PROC_NAME_BYTES];
	/* The kernel stops counting a list at 100000: then it is a lower bound. */
	uint64_t free[PROC_TYPES][PROC_ORDERS];
	uint64_t pageblocks[PROC_TYPES];
};

struct proc_pagetypeinfo {
	unsigned int pageblock_order;
	unsigned int types, orders;
	char type_names[PROC_TYPES][PROC_NAME_BYTES];
	struct proc_pagetype *zones;
	size_t n;
};

int proc_pagetypeinfo_parse(const char *text, struct proc_pagetypeinfo *out);
void proc_pagetypeinfo_free(struct proc_pagetypeinfo *p);

/* A line of /proc/slabinfo. */
struct proc_slab {
	char name[PROC_CACHE_NAME_BYTES];
	uint64_t active_objects, objects, active_slabs, slabs;
	uint32_t object_bytes, objects_per_slab, pages_per_slab;
};

struct proc_slabinfo {
	struct proc_slab *caches;
	size_t n;
};

int proc_slabinfo_parse(const char *text, struct proc_slabinfo *out);
void proc_slabinfo_free(struct proc_slabinfo *s);
/** proc_slabinfo_find() - by name; NULL if there is none */
const struct proc_slab *proc_slabinfo_find(const struct proc_slabinfo *s, const char *name);

/** proc_vmstat() - a counter of /proc/vmstat by name; -ENOENT */
int proc_vmstat(const char *text, const char *name, uint64_t *value);
/** proc_vmstat_sum() - sum of all counters whose names start with @prefix */
uint64_t proc_vmstat_sum(const char *text, const char *prefix);

/**
 * proc_line() - copy the next line without its newline
 * @cursor: advanced past the line
 * @line: the copy, cut to @size - 1 bytes
 * Return: @line, or NULL at the end of the text.
 */
char *proc_line(const char **cursor, char *line, size_t size);

#endif
