/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rows.h - events as rows of flat columns, the same for CSV, JSON lines and Parquet.
 */
#ifndef KMEMLAB_EXPORT_ROWS_H
#define KMEMLAB_EXPORT_ROWS_H

#include <stdbool.h>

#include "cli/view.h"

/* Columns, in order. The first three are always there. */
enum row_column {
	ROW_TIME_NS, /* CLOCK_BOOTTIME */
	ROW_CPU,
	ROW_EVENT, /* tracepoint */
	ROW_PID,   /* of the task that ran on the CPU */
	ROW_COMM,
	ROW_PFN,    /* page events */
	ROW_PHYS,   /* object events: physical address */
	ROW_OPAQUE, /* objects outside the direct map: a number of this trace's own */
	ROW_ORDER,
	ROW_MIGRATETYPE,
	ROW_GFP,
	ROW_FALLBACK_ORDER,
	ROW_FALLBACK_TYPE,
	ROW_CALL_SITE,
	ROW_CACHE,
	ROW_BYTES_REQ,
	ROW_BYTES_ALLOC,
	ROW_NODE,
	ROW_PAGES,   /* of a contiguous range, or a vmalloc area with its guard page */
	ROW_NUMBER,  /* see number_of() */
	ROW_DETAIL,  /* kind's own: see detail in kinds.h; percpu_refill */
	ROW_FAILED,  /* 1: the kernel had none; pages that did not migrate */
	ROW_CONTEXT, /* of requests that may not block: where from, enum kmt_context */
	ROW_COLUMNS,
};

enum row_type { ROW_U64, ROW_I32, ROW_STRING };

struct row_field {
	const char *name;
	enum row_type type;
};

extern const struct row_field row_fields[ROW_COLUMNS];

/* By the column's type; strings are valid as long as the view. */
union row_value {
	uint64_t u;
	int32_t i;
	const char *s;
};

struct row {
	uint32_t have; /* bit per column that the event has */
	union row_value at[ROW_COLUMNS];
};

static inline bool row_has(const struct row *r, unsigned int column)
{
	return r->have >> column & 1;
}

struct rows {
	const struct view *view;
	struct {
		uint32_t pid;
		const char *comm;
	} * task; /* by CPU */
	unsigned int cpus;
};

/** rows_init() - 0 or -ENOMEM */
int rows_init(struct rows *r, const struct view *v);
void rows_destroy(struct rows *r);

/** rows_fill() - @e as a row; false: it is none (a task switch, a lost class) */
bool rows_fill(struct rows *r, const struct trace_event *e, struct row *out);

/* What takes rows: begin, a row each, end. Return 0 or -errno. */
struct row_writer {
	int (*begin)(void *ctx);
	int (*row)(void *ctx, const struct row *row);
	int (*end)(void *ctx);
};

#endif
