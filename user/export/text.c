/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.c - rows as CSV and JSON lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "export/export.h"

enum { BATCH = 1 << 12 };

int export_rows(const struct view *v, const struct row_writer *w, void *ctx)
{
	static struct trace_event e[BATCH];
	struct row row;
	struct rows rows;
	int err = rows_init(&rows, v);
	long n;

	if (!err)
		err = w->begin(ctx);
	while (!err && (n = trace_reader_next(v->reader, e, BATCH)) != 0) {
		if (n < 0)
			err = (int)n;
		for (long i = 0; i < n && !err; i++)
			if (rows_fill(&rows, &e[i], &row))
				err = w->row(ctx, &row);
	}
	if (!err)
		err = w->end(ctx);
	rows_destroy(&rows);
	return err;
}

static int flushed(FILE *out)
{
	return fflush(out) || ferror(out) ? -EIO : 0;
}

static int end_text(void *ctx)
{
	return flushed(ctx);
}

/* ---- CSV ----------------------------------------------------------------- */

static int begin_csv(void *ctx)
{
	for (unsigned int i = 0; i < ROW_COLUMNS; i++)
		fprintf(ctx, "%s%s", i ? "," : "", row_fields[i].name);
	fputs("\r\n", ctx);
	return 0;
}

static void put_csv(FILE *out, const char *s)
{
	if (!s[strcspn(s, ",\"\r\n")]) {
		fputs(s, out);
		return;
	}
	putc('"', out);
	for (; *s; s++) {
		if (*s == '"')
			putc('"', out);
		putc(*s, out);
	}
	putc('"', out);
}

static int row_csv(void *ctx, const struct row *row)
{
	FILE *out = ctx;

	for (unsigned int i = 0; i < ROW_COLUMNS; i++) {
		if (i)
			putc(',', out);
		if (!row_has(row, i))
			continue;
		if (row_fields[i].type == ROW_STRING)
			put_csv(out, row->at[i].s);
		else if (row_fields[i].type == ROW_I32)
			fprintf(out, "%" PRId32, row->at[i].i);
		else
			fprintf(out, "%" PRIu64, row->at[i].u);
	}
	fputs("\r\n", out);
	return ferror(out) ? -EIO : 0;
}

int export_csv(const struct view *v, FILE *out)
{
	static const struct row_writer w = {begin_csv, row_csv, end_text};

	return export_rows(v, &w, out);
}

/* ---- JSON lines ---------------------------------------------------------- */

static int begin_nothing(void *ctx)
{
	(void)ctx;
	return 0;
}

/* Names come from user space, but the reader has made them UTF-8. */
static void put_json(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static int row_jsonl(void *ctx, const struct row *row)
{
	FILE *out = ctx;
	bool first = true;

	for (unsigned int i = 0; i < ROW_COLUMNS; i++) {
		enum row_type type = row_fields[i].type;

		if (!row_has(row, i))
			continue;
		fprintf(out, "%s\"%s\":", first ? "{" : ",", row_fields[i].name);
		first = false;
		if (type == ROW_STRING)
			put_json(out, row->at[i].s);
		else if (type == ROW_I32)
			fprintf(out, "%" PRId32, row->at[i].i);
		else
			fprintf(out, "%" PRIu64, row->at[i].u);
	}
	fputs("}\n", out);
	return ferror(out) ? -EIO : 0;
}

int export_jsonl(const struct view *v, FILE *out)
{
	static const struct row_writer w = {begin_nothing, row_jsonl, end_text};

	return export_rows(v, &w, out);
}
