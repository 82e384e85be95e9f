/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_stat.c - kmemlab stat: who allocates what, and what is left at the end. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/stat_tables.h"
#include "cli/view.h"
#include "common/log.h"
#include "common/nearest.h"
#include "common/out.h"

enum {
	KEY_SORT = 0x100,
	KEY_BY,
	KEY_CSV,
	KEY_LINES,
	KEY_DEBUG_INFO,
	DEFAULT_TOP = 10,
	TOP_UNSET = -1
};

struct options {
	const char *path;
	const char *sort;
	const struct stat_table *by;
	enum out_format format;
	long top;
	bool lines;		/* of source, beside call sites */
	const char *debug_info; /* NULL: where it usually is */
};

static const struct argp_option option_list[] = {
	{"by", KEY_BY, "TABLE", 0,
	 "One table only: kind, order, type, fallback, gfp, context, cache, site, size, stack, "
	 "command, fit, lifetime, leak or cpu",
	 0},
	{"top", 'n', "N", 0, "At most N rows a table, 0 = all (default 10; JSON and CSV: all)", 0},
	{"sort", KEY_SORT, "COLUMN", 0, "Sort by a column's JSON name, largest first, names rising",
	 0},
	{"lines", KEY_LINES, NULL, 0,
	 "Tell call sites' lines of source too, from the kernel's debug information", 0},
	{"debug-info", KEY_DEBUG_INFO, "PATH", 0,
	 "A vmlinux with debug information, or a directory that holds one (default: "
	 "/usr/lib/debug, /lib/modules, then DEBUGINFOD_URLS); implies --lines",
	 0},
	{"json", 'j', NULL, 0, "Print JSON (documented in user/README.md)", 0},
	{"csv", KEY_CSV, NULL, 0, "Print the table of --by as CSV", 0},
	{0},
};

static error_t parse_top(struct options *o, const char *arg)
{
	char *end;

	errno = 0;
	o->top = strtol(arg, &end, 10);
	if (errno || end == arg || *end || o->top < 0)
		return cmd_usage("--top wants a number of rows, not '%s'", arg);
	return 0;
}

/* "kind, order, ..." */
static const char *table_names(char *text, size_t size)
{
	size_t at = 0;

	for (const struct stat_table *t = stat_tables; t->name && at < size; t++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", at ? ", " : "", t->name);
	return text;
}

/* The same of a table's columns, by the names that --sort takes. */
static const char *column_names(const struct stat_table *t, char *text, size_t size)
{
	size_t at = 0;

	for (unsigned int c = 0; c < t->columns && at < size; c++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", at ? ", " : "",
				       t->column[c].key);
	return text;
}

static error_t parse_by(struct options *o, const char *arg)
{
	const char *hint;
	char names[256];

	o->by = stat_table_find(arg, &hint);
	if (o->by)
		return 0;
	if (hint)
		return cmd_usage("no table '%s'; did you mean '%s'?", arg, hint);
	return cmd_usage("no table '%s'; there are %s", arg, table_names(names, sizeof(names)));
}

/* --sort and --csv make sense for some tables only. */
static error_t check(const struct options *o)
{
	struct nearest near = {.word = o->sort};
	char names[256];
	bool found = !o->sort;

	if (o->format == OUT_CSV && !o->by)
		return cmd_usage("--csv prints one table; choose it with --by");
	for (const struct stat_table *t = stat_tables; o->sort && t->name; t++) {
		if (o->by ? t != o->by : t->read != NULL)
			continue;
		found |= stat_table_column(t, o->sort) >= 0;
		for (unsigned int c = 0; c < t->columns; c++)
			nearest_offer(&near, t->column[c].key);
	}
	if (found)
		return 0;
	if (nearest_name(&near))
		return cmd_usage("no column '%s'; did you mean '%s'?", o->sort,
				 nearest_name(&near));
	if (o->by)
		return cmd_usage("no column '%s'; '%s' has %s", o->sort, o->by->name,
				 column_names(o->by, names, sizeof(names)));
	return cmd_usage("no column '%s' in any table; choose one by --by", o->sort);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_BY:
		return parse_by(o, arg);
	case 'n':
		return parse_top(o, arg);
	case KEY_SORT:
		o->sort = arg;
		return 0;
	case KEY_DEBUG_INFO:
		o->debug_info = arg;
		o->lines = true;
		return 0;
	case KEY_LINES:
		o->lines = true;
		return 0;
	case 'j':
		o->format = OUT_JSON;
		return 0;
	case KEY_CSV:
		o->format = OUT_CSV;
		return 0;
	case ARGP_KEY_ARG:
		return view_path(&o->path, arg);
	case ARGP_KEY_NO_ARGS:
		return cmd_usage("no trace given; try 'kmemlab stat FILE.kmt'");
	case ARGP_KEY_END:
		return check(o);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse,
	"TRACE",
	"Print who allocated what, by order, migrate type, gfp flags, context, cache, call site, "
	"size class and command, the waste inside objects, and what is live at the end.\v"
	"TRACE is a .kmt file, or - for standard input. Frees of what was allocated before the "
	"recording, or unseen, are counted apart. context: where requests without "
	"__GFP_DIRECT_RECLAIM were made (may-sleep: nothing was seen that forbids to wait; "
	"preemptible, in imported text: RCU readers are not told). Printed only if asked for:\n"
	"  lifetime  how long things live\n"
	"  leak      what is live at the end, first what grew all the time and is not freed\n"
	"  cpu       allocated on one CPU, freed on another\n\n"
	"Examples:\n"
	"  kmemlab stat host.kmt\n"
	"  kmemlab stat --by site --sort live_bytes --top 20 host.kmt\n"
	"  kmemlab stat --by cache --csv host.kmt >caches.csv\n"
	"  kmemlab stat --by leak --top 20 host.kmt\n"
	"  kmemlab stat --by site --debug-info vmlinux-6.12.debug host.kmt\n\n"
	"Memory: 16 to 32 bytes per page block and object live at a time, up to 32 million of "
	"each.\n"
	"Exit status is 5 if the trace is damaged; intact parts are counted.",
	NULL,
	NULL,
	NULL,
};

static long count(const struct view *v, struct stat_count *counts)
{
	static struct trace_event e[4096];
	uint64_t total = 0;
	long n;

	while ((n = trace_reader_next(v->reader, e, 4096)) > 0) {
		int err = stat_count_feed(counts, e, n);

		if (err)
			return err;
		total += (uint64_t)n;
		log_progress("%" PRIu64 " events", total);
	}
	log_progress_done();
	return n;
}

/* ---- Output ------------------------------------------------------------ */

static size_t rows_of(const struct options *o, const struct stat_table *t)
{
	bool own = t->build || t->read;

	if (o->top != TOP_UNSET)
		return (size_t)o->top;
	/* A handful of orders, types and size classes is not cut by default. */
	return o->format == OUT_TEXT && (own || t->sort != STAT_KEY) ? DEFAULT_TOP : 0;
}

static int column_of(const struct options *o, const struct stat_table *t)
{
	return o->sort ? stat_table_column(t, o->sort) : -1;
}

static json_t *unmatched_json(const struct stat_unmatched *u)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "pages_freed_unknown",
			 (json_int_t)u->pages_freed_unknown, "objects_freed_unknown",
			 (json_int_t)u->objects_freed_unknown, "pages_reallocated",
			 (json_int_t)u->pages_reallocated, "objects_reallocated",
			 (json_int_t)u->objects_reallocated, "traced_twice",
			 (json_int_t)u->traced_twice, "pages_failed", (json_int_t)u->pages_failed,
			 "objects_failed", (json_int_t)u->objects_failed, "untracked",
			 (json_int_t)u->untracked);
}

static void print_unmatched(const struct stat_unmatched *u)
{
	out_text("allocated before the start or unseen, then freed: %" PRIu64 " pages, %" PRIu64
		 " objects\nfreed unseen, then allocated again: %" PRIu64 " pages, %" PRIu64
		 " objects\n",
		 u->pages_freed_unknown, u->objects_freed_unknown, u->pages_reallocated,
		 u->objects_reallocated);
	if (u->traced_twice)
		out_text("large kmalloc, which the kernel traces twice, counted once: %" PRIu64
			 "\n",
			 u->traced_twice);
	if (u->pages_failed || u->objects_failed)
		out_text("refused by the kernel, counted as nothing: %" PRIu64
			 " allocations of pages, %" PRIu64 " of objects\n",
			 u->pages_failed, u->objects_failed);
	if (u->untracked)
		out_text("not followed for want of memory: %" PRIu64 " allocations\n",
			 u->untracked);
}

/* One table in the chosen format, which it frees; JSON goes into @doc. */
static int print_table(const struct options *o, const struct stat_table *t, struct out_table *table,
		       size_t left_out, json_t *doc)
{
	if (!table)
		return -ENOMEM;
	if (o->format == OUT_JSON) {
		json_object_set_new(doc, t->name, out_table_json(table));
	} else if (o->format == OUT_CSV) {
		out_table_print(table, OUT_CSV);
	} else if (out_table_rows(table) || o->by) {
		out_text("== %s\n", t->title);
		out_table_print(table, OUT_TEXT);
		if (left_out)
			out_text("... and %zu more (--by %s --top 0 shows all)\n", left_out,
				 t->name);
		out_text("\n");
	}
	out_table_free(table);
	return 0;
}

/* A table of stacks is of use only where there are some. */
static bool shown(const struct view *v, const struct stat_table *t)
{
	return strcmp(t->name, "stack") || trace_reader_stacks(v->reader);
}

static int print_all(const struct options *o, const struct view *v, const struct stat_count *counts)
{
	json_t *doc = o->format == OUT_JSON ? json_object() : NULL;
	int err = 0;

	for (const struct stat_table *t = stat_tables; !err && t->name; t++) {
		struct out_table *table;
		size_t left_out;

		if (o->by ? t != o->by : t->read || !shown(v, t))
			continue;
		table = stat_table_build(t, v, counts, column_of(o, t), rows_of(o, t), &left_out);
		err = print_table(o, t, table, left_out, doc);
	}
	if (o->format == OUT_TEXT)
		print_unmatched(stat_count_unmatched(counts));
	if (doc) {
		json_object_set_new(doc, "unmatched", unmatched_json(stat_count_unmatched(counts)));
		json_object_set_new(doc, "damage", view_damage(v));
		out_json(doc);
	}
	return err;
}

/* A table that reads the trace itself. */
static long print_read(const struct options *o, const struct view *v)
{
	json_t *doc = o->format == OUT_JSON ? json_object() : NULL;
	size_t left_out = 0;
	int err;
	struct out_table *table = o->by->read(o->by, v, &err);

	if (table && stat_table_arrange(table, column_of(o, o->by), rows_of(o, o->by), &left_out))
		err = -ENOMEM;
	if (!err)
		err = print_table(o, o->by, table, left_out, doc);
	else
		out_table_free(table);
	if (doc && !err) {
		json_object_set_new(doc, "damage", view_damage(v));
		out_json(doc);
	}
	return err;
}

static long print_counts(const struct options *o, const struct view *v)
{
	struct stat_count *counts = stat_count_new(v->reader);
	long err = counts ? count(v, counts) : -ENOMEM;

	if (!err)
		err = print_all(o, v, counts);
	stat_count_free(counts);
	return err;
}

int cmd_stat(int argc, char **argv)
{
	struct options o = {.top = TOP_UNSET};
	struct view v;
	int status = cmd_parse(&argp, argc, argv, 0, &o);
	long err;

	if (status >= 0)
		return status;
	status = view_open(&v, o.path);
	if (status >= 0)
		return status;
	if (o.lines) {
		status = view_open_lines(&v, o.debug_info);
		if (status >= 0)
			return view_close(&v, status);
	}
	err = o.by && o.by->read ? print_read(&o, &v) : print_counts(&o, &v);
	return view_close(&v, err ? view_read_failed(&v, err) : EXIT_DONE);
}
