/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_tables.h - sums over sources, each table one typed block. */
#ifndef KMEMLAB_STAT_TABLES_H
#define KMEMLAB_STAT_TABLES_H

#include "metrics/stat_count.h"
#include "cli/view.h"
#include "common/out.h"

/* Kinds of events, as bit masks. */
#define STAT_BIT(kind) (1ull << (kind))
#define STAT_OBJECT_ALLOCS                                                                         \
	(STAT_BIT(KMT_KMALLOC) | STAT_BIT(KMT_CACHE_ALLOC) | STAT_BIT(KMT_CACHE_BULK_ALLOC))
#define STAT_OBJECT_FREES                                                                          \
	(STAT_BIT(KMT_KFREE) | STAT_BIT(KMT_CACHE_FREE) | STAT_BIT(KMT_CACHE_BULK_FREE))
#define STAT_PAGE_ALLOCS                                                                           \
	(STAT_BIT(KMT_PAGE_ALLOC) | STAT_BIT(KMT_STACK_PAGE) | STAT_BIT(KMT_BULK_PAGE))

/* What a row adds up. */
enum stat_field {
	STAT_EVENTS = 0,
	STAT_ALLOCS,
	STAT_FREES,	  /* free events */
	STAT_FREED,	  /* of what was allocated here: pages or objects */
	STAT_PAGES,	  /* allocated */
	STAT_BYTES_REQ,	  /* objects: asked for */
	STAT_BYTES_ALLOC, /* objects: given */
	STAT_LIVE,	  /* objects left at the end */
	STAT_LIVE_BYTES,
	STAT_LIVE_PAGES,
	STAT_FIELDS,
	STAT_WASTE, /* percent, computed */
	STAT_KEY,   /* what the row is about */
	STAT_LINE,  /* of source; where there is debug information */
};

enum { STAT_COLUMNS = 10 };

struct stat_table {
	const char *name;  /* for --by and JSON */
	const char *title; /* for people */
	uint64_t kinds;	   /* bit mask of the kinds that count */
	struct out_column column[STAT_COLUMNS];
	enum stat_field field[STAT_COLUMNS];
	unsigned int columns; /* and one of STAT_LINE more where call sites have lines */
	enum stat_field sort; /* descending; STAT_KEY ascending */
	/* Tables that are no sums over sources build themselves, in their own order: */
	struct out_table *(*build)(const struct stat_table *t, const struct view *v,
				   const struct stat_count *counts); /* NULL on no memory */
	/* these read the trace themselves, so they are printed only if asked for. NULL: @err */
	struct out_table *(*read)(const struct stat_table *t, const struct view *v, int *err);
};

extern const struct stat_table stat_tables[];

/** stat_table_find() - by name; NULL, with @hint the nearest name or NULL */
const struct stat_table *stat_table_find(const char *name, const char **hint);

/** stat_table_column() - column by its JSON key, or -1 */
int stat_table_column(const struct stat_table *t, const char *key);

/** stat_table_arrange() - by @column unless it is -1, the first @top rows, 0 = all; how many
 *  went into @left_out. 0 or -ENOMEM */
int stat_table_arrange(struct out_table *t, int column, size_t top, size_t *left_out);

/**
 * stat_table_build() - add up and sort
 * @column: to sort by, -1 for the table's own order
 * @top: rows at most, 0 = all
 * @left_out: how many rows did not fit
 * Return: the table, or NULL on no memory.
 */
struct out_table *stat_table_build(const struct stat_table *t, const struct view *v,
				   const struct stat_count *counts, int column, size_t top,
				   size_t *left_out);

#endif
