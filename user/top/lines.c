// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lines.c - a reading as lines of text, for a screen or a batch. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/out.h"
#include "top/top.h"

enum {
	LINE_BYTES = 512,
	TEXT_BYTES = 24,
	CELL = 9,	/* columns of a figure, the gap before it included */
	NAME_MIN = 16,	/* columns of a name, before figures are left out */
	LIVES_FEW = 16, /* below it an estimate is marked */
	ORDER_CELL = 6, /* columns of an order */
	SPARKS = 30,
};

static void print(const struct top_pen *pen, enum top_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void print(const struct top_pen *pen, enum top_style style, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	pen->line(pen->context, style, text);
}

/* "950", "12.3k", "4.5M" */
static const char *human_count(double n, char *text)
{
	static const char units[] = " kMG";
	size_t u = 0;

	while (n >= 9999.5 && u + 2 < sizeof(units)) {
		n /= 1000;
		u++;
	}
	if (!u)
		snprintf(text, TEXT_BYTES, "%.0f", n);
	else
		snprintf(text, TEXT_BYTES, n < 99.95 ? "%.1f%c" : "%.0f%c", n, units[u]);
	return text;
}

static const char *human_bytes(double bytes, char *text)
{
	bool below = bytes < 0;

	text[0] = '-';
	out_human_bytes((uint64_t)(below ? -bytes : bytes), text + below);
	return text;
}

/* ---- The head ------------------------------------------------------------- */

static void line_title(const struct top_reading *r, const struct top_pen *pen)
{
	struct tm tm;
	char clock[16] = "";

	if (localtime_r(&r->clock.tv_sec, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	print(pen, TOP_TITLE, "kmemlab top  %s  last %.1f s of %.0f s  1 life in %u followed",
	      clock, top_seconds(r), (double)(r->time_ns - r->begin_ns) / 1e9, r->one_in);
}

/* "99.8 % of what /proc/vmstat counted" */
static void coverage(const struct top_reading *r, char *text, size_t size)
{
	uint64_t seen = r->now.pages - r->before.pages;

	text[0] = '\0';
	if (r->vmstat && r->vmstat_allocated)
		snprintf(text, size, ", seen %.1f %% of vmstat",
			 100 * (double)seen / (double)r->vmstat_allocated);
}

static void line_pages(const struct top_reading *r, const struct top_pen *pen)
{
	double s = top_seconds(r);
	char a[TEXT_BYTES], b[TEXT_BYTES], f[TEXT_BYTES], seen[64];
	uint64_t pages = r->now.pages - r->before.pages;

	coverage(r, seen, sizeof(seen));
	print(pen, TOP_PLAIN, "pages    %s/s allocated (%s/s), %s/s freed%s",
	      human_count((double)pages / s, a), human_bytes((double)pages * 4096 / s, b),
	      human_count((double)(r->now.pages_freed - r->before.pages_freed) / s, f), seen);
}

static void line_objects(const struct top_reading *r, const struct top_pen *pen)
{
	double s = top_seconds(r);
	double given = (double)(r->now.bytes_alloc - r->before.bytes_alloc);
	double req = (double)(r->now.bytes_req - r->before.bytes_req);
	char a[TEXT_BYTES], b[TEXT_BYTES], f[TEXT_BYTES], w[TEXT_BYTES];

	print(pen, TOP_PLAIN, "objects  %s/s allocated (%s/s), %s/s freed, waste %s/s (%.1f %%)",
	      human_count((double)(r->now.objects - r->before.objects) / s, a),
	      human_bytes(given / s, b),
	      human_count((double)(r->now.objects_freed - r->before.objects_freed) / s, f),
	      human_bytes((given - req) / s, w), given > 0 ? 100 * (given - req) / given : 0);
}

static void line_cost(const struct top_reading *r, const struct top_pen *pen)
{
	double share = top_programs_share(r);
	char programs[96], maps[TEXT_BYTES];

	if (share < 0)
		snprintf(programs, sizeof(programs), "programs not known");
	else
		snprintf(programs, sizeof(programs), "programs %.2f %% of a CPU (%.0f ns a run)",
			 100 * share, r->run_ns);
	print(pen, TOP_PLAIN, "cost     %s, kmemlab %.2f %%, maps %s", programs,
	      100 * top_own_share(r), human_bytes((double)top_kernel_bytes(r->kernel), maps));
}

/* What is not in the figures, if anything. */
static void line_holes(const struct top_reading *r, const struct top_pen *pen)
{
	const struct top_totals *t = &r->now;

	if (r->lost || t->untracked || t->other || r->stalls_missed)
		print(pen, TOP_WARN,
		      "holes    lost to recursion %" PRIu64 ", no place for %" PRIu64
		      " sources, %" PRIu64 " lives, %" PRIu64 " stalls",
		      r->lost, t->other, t->untracked, r->stalls_missed);
}

static void lines_free(const struct top_reading *r, const struct top_pen *pen)
{
	const struct top_free *f = &r->host.now;
	char head[LINE_BYTES] = "", blocks[LINE_BYTES] = "", unusable[LINE_BYTES] = "";
	char text[TEXT_BYTES];
	size_t at = 0;

	for (unsigned int o = 0; o < f->orders; o++, at += ORDER_CELL) {
		snprintf(head + at, sizeof(head) - at, "%*u", ORDER_CELL, o);
		snprintf(blocks + at, sizeof(blocks) - at, "%*s", ORDER_CELL,
			 human_count((double)f->blocks[o], text));
		snprintf(unusable + at, sizeof(unusable) - at, "%*.3f", ORDER_CELL,
			 f->unusable[o] / 1000.0);
	}
	print(pen, TOP_PLAIN, "order    %s", head);
	print(pen, TOP_PLAIN, "free     %s", blocks);
	print(pen, TOP_PLAIN, "unusable %s", unusable);
}

/* The newest readings of the trend, as heights between its least and its most. */
static void sparks(const struct top_host *h, unsigned int order, char *text)
{
	static const char heights[] = "_.-:=+*#";
	unsigned int first = h->readings > SPARKS ? h->readings - SPARKS : 0;
	unsigned int least = 1000, most = 0, n = 0;

	for (unsigned int i = first; i < h->readings; i++) {
		least = h->trend[i][order] < least ? h->trend[i][order] : least;
		most = h->trend[i][order] > most ? h->trend[i][order] : most;
	}
	for (unsigned int i = first; i < h->readings; i++)
		text[n++] = most > least ? heights[(h->trend[i][order] - least) *
						   (sizeof(heights) - 2) / (most - least)]
					 : heights[0];
	text[n] = '\0';
}

static void line_trend(const struct top_reading *r, unsigned int wanted, const struct top_pen *pen)
{
	const struct top_host *h = &r->host;
	unsigned int order = top_trend_order(h, wanted);
	char marks[SPARKS + 1];
	int now, then;

	if (!h->readings)
		return;
	now = (int)h->trend[h->readings - 1][order];
	then = (int)h->trend[0][order];
	sparks(h, order, marks);
	print(pen, TOP_PLAIN, "trend    order %u unusable: %.3f, %+.3f in %u readings  %s", order,
	      now / 1000.0, (now - then) / 1000.0, h->readings, marks);
}

static void line_stalls(const struct top_reading *r, const struct top_pen *pen)
{
	char text[LINE_BYTES] = "", ns[TEXT_BYTES];
	size_t at = 0;

	for (unsigned int k = 0; k < KML_TOP_STALL_KINDS; k++) {
		const struct top_stall_sum *s = &r->stalls[k];

		if (!s->events || at >= sizeof(text))
			continue;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %" PRIu64,
				       at ? ", " : "", top_stall_name(k), s->events);
		if (s->ns && at < sizeof(text))
			at += (size_t)snprintf(text + at, sizeof(text) - at, " (%s)",
					       out_human_ns(s->ns, ns));
	}
	print(pen, TOP_PLAIN, "stalls   %s", at ? text : "none so far");
}

static void line_stall(const struct top_reading *r, const struct kml_top_stall *s,
		       const struct top_pen *pen)
{
	char ns[TEXT_BYTES], comm[17] = "";

	memcpy(comm, s->comm, sizeof(s->comm));
	for (char *c = comm; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	print(pen, TOP_PLAIN, "         %.1f s ago  %s[%u]  %s  order %u  %s",
	      (double)(int64_t)(r->time_ns - s->end_ns) / 1e9, comm, s->pid,
	      top_stall_name(s->kind), s->order, s->ns ? out_human_ns(s->ns, ns) : "");
}

void top_lines_head(const struct top_reading *r, const struct top_view *v,
		    const struct top_pen *pen)
{
	line_title(r, pen);
	line_pages(r, pen);
	line_objects(r, pen);
	line_cost(r, pen);
	line_holes(r, pen);
	lines_free(r, pen);
	line_trend(r, v->trend_order, pen);
	line_stalls(r, pen);
	for (unsigned int i = 0; i < r->n_recent; i++)
		line_stall(r, &r->recent[i], pen);
}

/* ---- The table ------------------------------------------------------------ */

struct column {
	const char *title;
	enum top_column what; /* also its sort key */
	bool percent, change; /* another figure of the same */
};

/* Where there is no room, the last go first. */
static const struct column columns[] = {
	{"given/s", TOP_BY_RATE, false, false},	 {"allocs/s", TOP_BY_ALLOCS, false, false},
	{"live", TOP_BY_LIVE, false, false},	 {"growth/s", TOP_BY_GROWTH, false, false},
	{"waste/s", TOP_BY_WASTE, false, false}, {"waste%", TOP_BY_WASTE, true, false},
	{"slabs", TOP_BY_SLABS, false, false},	 {"+-slabs", TOP_BY_SLABS, false, true},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/* Which columns there are for @v, in @index; @name gets the columns of the name, where
 * there is a width. */
static unsigned int fit(const struct top_view *v, unsigned int width, unsigned int *index,
			unsigned int *name)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < COLUMNS; i++)
		if (top_has_column(v->group, columns[i].what) &&
		    (!width || NAME_MIN + (n + 1) * CELL <= width))
			index[n++] = i;
	if (width)
		*name = width - n * CELL;
	return n;
}

/* Columns that the longest name of @n rows takes, within a line's. */
static unsigned int longest(const struct top_row *const *rows, size_t n)
{
	size_t most = NAME_MIN;

	for (size_t i = 0; i < n; i++)
		most = strlen(rows[i]->name) > most ? strlen(rows[i]->name) : most;
	return (unsigned int)most;
}

static const char *cell(const struct column *c, const struct top_row *row,
			const struct top_figures *f, char *text)
{
	char bytes[TEXT_BYTES];

	switch (c->what) {
	case TOP_BY_ALLOCS:
		return human_count(f->allocs, text);
	case TOP_BY_WASTE:
		if (!c->percent)
			return human_bytes(f->waste, text);
		snprintf(text, TEXT_BYTES, "%.1f", f->waste_percent);
		return text;
	case TOP_BY_LIVE:
		snprintf(text, TEXT_BYTES, "%s%s", f->lives && f->lives < LIVES_FEW ? "~" : "",
			 human_bytes((double)f->live, bytes));
		return text;
	case TOP_BY_GROWTH:
		return human_bytes(f->growth, text);
	case TOP_BY_SLABS:
		if (!row->slab_bytes)
			return "-";
		return human_bytes(c->change ? (double)row->slab_bytes - (double)row->slab_start
					     : (double)row->slab_bytes,
				   text);
	default:
		return human_bytes(f->rate, text);
	}
}

/* A line of @n columns into @text, which the sort column's mark is in. */
static void table_head(const struct top_view *v, const unsigned int *index, unsigned int n,
		       unsigned int name, char *text)
{
	size_t at = (size_t)snprintf(text, LINE_BYTES, "%-*.*s", (int)name, (int)name,
				     top_group_name(v->group));

	for (unsigned int i = 0; i < n && at < LINE_BYTES; i++) {
		const struct column *c = &columns[index[i]];
		bool mark = c->what == v->sort && !c->percent && !c->change;
		char title[TEXT_BYTES];

		snprintf(title, sizeof(title), "%s%s", mark ? "*" : "", c->title);
		at += (size_t)snprintf(text + at, LINE_BYTES - at, "%*s", CELL, title);
	}
}

static void table_row(const struct top_reading *r, const struct top_row *row,
		      const unsigned int *index, unsigned int n, unsigned int name, char *text)
{
	size_t at = (size_t)snprintf(text, LINE_BYTES, "%-*.*s", (int)name, (int)name, row->name);
	struct top_figures f;
	char figure[TEXT_BYTES + 2];

	top_figures(r, row, &f);
	for (unsigned int i = 0; i < n && at < LINE_BYTES; i++)
		at += (size_t)snprintf(text + at, LINE_BYTES - at, "%*s", CELL,
				       cell(&columns[index[i]], row, &f, figure));
}

long top_lines_table(const struct top_reading *r, const struct top_view *v, size_t first,
		     size_t max, const struct top_pen *pen)
{
	unsigned int index[COLUMNS], name, n;
	char text[LINE_BYTES];
	size_t all, end;
	const struct top_row **rows = top_view_rows(r, v, &all);

	if (!rows)
		return -ENOMEM;
	end = max && first + max < all ? first + max : all;
	name = first < end ? longest(rows + first, end - first) : NAME_MIN;
	n = fit(v, pen->width, index, &name);
	if (name > LINE_BYTES / 2)
		name = LINE_BYTES / 2;
	table_head(v, index, n, name, text);
	pen->line(pen->context, TOP_HEAD, text);
	for (size_t i = first; i < end; i++) {
		table_row(r, rows[i], index, n, name, text);
		pen->line(pen->context, TOP_PLAIN, text);
	}
	free(rows);
	return (long)all;
}
