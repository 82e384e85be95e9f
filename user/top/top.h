/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * top.h - kmemlab top: what the kernel's allocators do, now.
 *
 *   kernel.c   the programs, and what they counted
 *   rows.c     slots to rows by cache, call site, command, order
 *   host.c     free memory, slabs, vmstat
 *   reading.c  one reading after another, and what lies between two
 *   view.c     which rows, in which order
 *   lines.c    a reading as lines of text
 *   json.c     a reading as JSON
 *   screen.c   a terminal and its keys
 *   run.c      one run: the screen, or batches
 */
#ifndef KMEMLAB_TOP_TOP_H
#define KMEMLAB_TOP_TOP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "top/host.h"
#include "top/kernel.h"
#include "top/rows.h"

struct symbols;

enum top_column {
	TOP_BY_RATE, /* bytes given a second */
	TOP_BY_ALLOCS,
	TOP_BY_WASTE, /* bytes given and not asked for, a second */
	TOP_BY_LIVE,
	TOP_BY_GROWTH, /* of live bytes, a second */
	TOP_BY_SLABS,  /* of caches: their slabs' bytes */
	TOP_BY_NAME,
	TOP_COLUMNS,
};

enum { TOP_FILTER_BYTES = 64, TOP_RECENT = 3 };

/* Which rows are shown, and in what order. */
struct top_view {
	enum top_group group;
	enum top_column sort;
	bool reverse;
	unsigned int trend_order;
	char filter[TOP_FILTER_BYTES]; /* in the name, either case; "": all */
};

struct top_options {
	uint64_t interval_ns;
	unsigned long count;	   /* readings; 0: until told to stop */
	unsigned int sample_shift; /* one in 2^it lives is followed */
	unsigned int top;	   /* rows of a table; 0: all */
	bool batch, json;
	struct top_view view;
};

/** top_run() - Return: an exit code; everything worth saying has been said */
int top_run(const struct top_options *o);

/* ---- reading.c ---- */

struct top_reading {
	struct top_kernel *kernel;
	struct top_rows *rows;
	struct top_host host;
	unsigned int one_in;		       /* lives followed */
	uint64_t begin_ns, time_ns, before_ns; /* CLOCK_BOOTTIME; attached, now, the one before */
	struct timespec clock;		       /* now, for people */
	struct top_totals now, before;
	bool vmstat;				 /* could be read */
	uint64_t vmstat_allocated, vmstat_freed; /* between the two */
	uint64_t vmstat_base_allocated, vmstat_base_freed;
	struct top_stall_sum stalls[KML_TOP_STALL_KINDS]; /* since the beginning */
	struct kml_top_stall stall[KML_TOP_STALLS];	  /* new in this reading, oldest first */
	unsigned int n_stalls;
	struct kml_top_stall recent[TOP_RECENT]; /* the newest of all readings, newest first */
	unsigned int n_recent;
	uint64_t next_stall, stalls_missed;
	uint64_t lost;		     /* events, since the beginning */
	double run_ns;		     /* of a program; 0: not known */
	uint64_t own_ns, own_before; /* CPU time of this process */
};

/** top_reading_begin() - the programs are attached: the first interval begins.
 *  Return: 0 or -errno */
int top_reading_begin(struct top_reading *r);
/** top_reading_take() - read everything. Return: 0 or -errno */
int top_reading_take(struct top_reading *r);
/** top_seconds() - of the interval */
double top_seconds(const struct top_reading *r);
/** top_programs_share() - of one CPU, spent in the programs; below 0: not known */
double top_programs_share(const struct top_reading *r);
/** top_own_share() - of one CPU, spent by this process */
double top_own_share(const struct top_reading *r);
/** top_stall_name() - of an enum kml_top_stall_kind, as JSON has it */
const char *top_stall_name(unsigned int kind);

/* ---- view.c ---- */

/* What a row says of an interval. */
struct top_figures {
	double allocs, rate, waste; /* a second; bytes */
	double waste_percent;	    /* of the bytes given */
	uint64_t live;		    /* bytes, estimated */
	uint64_t lives;		    /* in the sample: what the estimate rests on */
	double growth;		    /* bytes a second, estimated */
};

void top_figures(const struct top_reading *r, const struct top_row *row, struct top_figures *out);
/** top_view_rows() - what is shown, in its order; @n their number. Return: to be freed,
 *  NULL on no memory */
const struct top_row **top_view_rows(const struct top_reading *r, const struct top_view *v,
				     size_t *n);
const char *top_group_name(enum top_group group);
/** top_group_find() - by name; TOP_GROUPS: there is none */
enum top_group top_group_find(const char *name);
const char *top_column_name(enum top_column column);
enum top_column top_column_find(const char *name);
/** top_has_column() - slabs are of caches only, waste is of objects */
bool top_has_column(enum top_group group, enum top_column column);

/* ---- lines.c ---- */

enum top_style { TOP_PLAIN, TOP_TITLE, TOP_HEAD, TOP_WARN };

/* Where lines go: one call a line, without a newline. */
struct top_pen {
	void (*line)(void *context, enum top_style style, const char *text);
	void *context;
	unsigned int width; /* columns; 0: as many as it takes */
};

/** top_lines_head() - what is above the table */
void top_lines_head(const struct top_reading *r, const struct top_view *v,
		    const struct top_pen *pen);
/** top_lines_table() - its head and at most @max rows from the @first; 0: all.
 *  Return: rows there are, or -ENOMEM */
long top_lines_table(const struct top_reading *r, const struct top_view *v, size_t first,
		     size_t max, const struct top_pen *pen);

/* ---- screen.c ---- */

struct top_screen;

/** top_screen_open() - take the terminal. Return: NULL with what to say in @error (256) */
struct top_screen *top_screen_open(const struct top_options *o, char *error);
/** top_screen_close() - give the terminal back as it was */
void top_screen_close(struct top_screen *s);
/** top_screen_draw() - Return: 0 or -ENOMEM */
int top_screen_draw(struct top_screen *s, const struct top_reading *r);
/** top_screen_frozen() - no reading is to be taken */
bool top_screen_frozen(const struct top_screen *s);
/** top_screen_wait() - keys, for so long. Return: 1: draw again, 0: time is up, -1: quit */
int top_screen_wait(struct top_screen *s, uint64_t ns);
/** top_screen_interval() - nanoseconds between readings, as keys have set it */
uint64_t top_screen_interval(const struct top_screen *s);

/* ---- json.c ---- */

/** top_print_json() - one line. Return: 0 or -ENOMEM */
int top_print_json(const struct top_reading *r, const struct top_options *o);

#endif
