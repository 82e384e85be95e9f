/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rows.h - the slots of all CPUs as rows of tables: by cache, call site, command,
 * order. Pure: slots in, rows out.
 *
 * A slot's meaning never changes, so it is looked up once; then a reading is a sum.
 * Rows stay, so that what they were a reading ago is known.
 */
#ifndef KMEMLAB_TOP_ROWS_H
#define KMEMLAB_TOP_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include <kmemlab/top.h>

enum top_group {
	TOP_CACHE,   /* objects by cache */
	TOP_SITE,    /* objects by call site */
	TOP_COMMAND, /* objects by command */
	TOP_PAGES,   /* pages by command */
	TOP_ORDER,   /* pages by order */
	TOP_GROUPS,
};

/* Since the beginning; bytes. */
struct top_sums {
	uint64_t allocs, req, given;
	uint64_t begun, begun_bytes, ended, ended_bytes; /* of the sample */
};

struct top_row {
	char *name;
	struct top_sums now, before;	 /* this reading and the one before */
	uint64_t slab_bytes, slab_start; /* of a cache, as /proc/slabinfo has it; 0: not there */
};

struct top_rows;

/** top_rows_new() - of so many CPUs. @site: name of the call site @address into @buf
 *  Return: NULL on no memory */
struct top_rows *top_rows_new(unsigned int cpus,
			      void (*site)(const void *context, uint64_t address, char *buf,
					   size_t size),
			      const void *context);
void top_rows_free(struct top_rows *r);

/** top_rows_begin() - a reading: what was `now` is `before`, and sums begin at 0 */
void top_rows_begin(struct top_rows *r);
/** top_rows_add() - a CPU's slots to the reading. Return: 0 or -ENOMEM */
int top_rows_add(struct top_rows *r, unsigned int cpu, const struct kml_top_cpu *c);

/** top_rows_of() - rows of a group, in no order; @n their number */
struct top_row *top_rows_of(const struct top_rows *r, enum top_group group, size_t *n);
/** top_rows_find() - by name; NULL: there is none */
struct top_row *top_rows_find(const struct top_rows *r, enum top_group group, const char *name);

/** top_row_lives() - of this row, in the sample, that have not ended */
uint64_t top_row_lives(const struct top_sums *s);
/** top_row_live_bytes() - of these; never below 0 */
uint64_t top_row_live_bytes(const struct top_sums *s);

#endif
