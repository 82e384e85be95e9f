/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table_print.c - a table as text, CSV or Markdown. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"

enum { CELL_BYTES = 32 };

/* The cell's text: in @text (CELL_BYTES), or the string itself. */
static const char *cell(enum out_type type, union out_value v, bool human, char *text)
{
	if (!out_value_known(type, v))
		return human ? "-" : "";
	switch (type) {
	case OUT_STRING:
		return v.s ? v.s : "";
	case OUT_INT:
		snprintf(text, CELL_BYTES, "%" PRId64, v.i);
		return text;
	case OUT_PERCENT:
		snprintf(text, CELL_BYTES, "%.1f", v.f);
		return text;
	case OUT_BYTES:
		if (human)
			return out_human_bytes(v.u, text);
		break;
	case OUT_NS:
		if (human)
			return out_human_ns(v.u, text);
		break;
	case OUT_UINT:
		break;
	}
	snprintf(text, CELL_BYTES, "%" PRIu64, v.u);
	return text;
}

static size_t width_of(const struct out_table *t, size_t c)
{
	size_t width = strlen(t->columns[c].title);
	char text[CELL_BYTES];

	for (size_t r = 0; r < t->rows_n; r++) {
		size_t n = strlen(cell(t->columns[c].type, t->rows[r * t->n + c], true, text));

		if (n > width)
			width = n;
	}
	return width;
}

/* A text in the last column is not padded, and may run over the edge of a terminal. */
static bool is_open(const struct out_table *t, size_t c)
{
	return c + 1 == t->n && t->columns[c].type == OUT_STRING;
}

static void print_text_cell(const struct out_table *t, size_t c, size_t width, const char *text)
{
	const char *gap = c ? "  " : "";

	if (t->columns[c].type != OUT_STRING)
		out_text("%s%*s", gap, (int)width, text);
	else if (!is_open(t, c))
		out_text("%s%-*s", gap, (int)width, text);
	else
		out_text("%s%s", gap, text);
}

/* The first column, and those from @from up to before @to. */
static void print_part(const struct out_table *t, const size_t *width, size_t from, size_t to)
{
	char text[CELL_BYTES];

	print_text_cell(t, 0, width[0], t->columns[0].title);
	for (size_t c = from; c < to; c++)
		print_text_cell(t, c, width[c], t->columns[c].title);
	out_text("\n");
	for (size_t r = 0; r < t->rows_n; r++) {
		const union out_value *row = t->rows + r * t->n;

		print_text_cell(t, 0, width[0], cell(t->columns[0].type, row[0], true, text));
		for (size_t c = from; c < to; c++)
			print_text_cell(t, c, width[c],
					cell(t->columns[c].type, row[c], true, text));
		out_text("\n");
	}
}

/* Past the columns from @from on that fit beside the first one; at least one does. */
static size_t part_end(const struct out_table *t, const size_t *width, size_t from, size_t room)
{
	size_t at = width[0], c = from;

	while (c < t->n) {
		at += 2 + (is_open(t, c) ? strlen(t->columns[c].title) : width[c]);
		if (room && at > room && c > from)
			break;
		c++;
	}
	return c;
}

/* Where a terminal is too narrow for all columns, the others follow below. */
static int print_text(const struct out_table *t)
{
	size_t *width = calloc(t->n, sizeof(*width));
	size_t room = out_columns(), from = 1, to;

	if (!width)
		return -ENOMEM;
	for (size_t c = 0; c < t->n; c++)
		width[c] = width_of(t, c);
	do {
		to = part_end(t, width, from, room);
		if (from > 1)
			out_text("\n");
		print_part(t, width, from, to);
		from = to;
	} while (from < t->n);
	free(width);
	return 0;
}

static void print_csv_string(const char *s)
{
	if (!s[strcspn(s, ",\"\r\n")]) {
		out_text("%s", s);
		return;
	}
	out_text("\"");
	for (; *s; s++)
		out_text(*s == '"' ? "\"\"" : "%c", *s);
	out_text("\"");
}

static int print_csv(const struct out_table *t)
{
	char text[CELL_BYTES];

	for (size_t c = 0; c < t->n; c++)
		out_text("%s%s", t->columns[c].key, c + 1 < t->n ? "," : "\n");
	for (size_t i = 0; i < t->rows_n * t->n; i++) {
		size_t c = i % t->n;

		print_csv_string(cell(t->columns[c].type, t->rows[i], false, text));
		out_text("%s", c + 1 < t->n ? "," : "\n");
	}
	return 0;
}

/* A bar in a cell would end it. */
static void print_markdown_cell(const char *s)
{
	out_text(" ");
	for (; *s; s++)
		out_text(*s == '|' ? "\\|" : "%c", *s);
	out_text(" |");
}

static int print_markdown(const struct out_table *t)
{
	char text[CELL_BYTES];

	out_text("|");
	for (size_t c = 0; c < t->n; c++)
		print_markdown_cell(t->columns[c].title);
	out_text("\n|");
	for (size_t c = 0; c < t->n; c++)
		out_text(t->columns[c].type == OUT_STRING ? "---|" : "---:|");
	for (size_t i = 0; i < t->rows_n * t->n; i++) {
		if (i % t->n == 0)
			out_text("\n|");
		print_markdown_cell(cell(t->columns[i % t->n].type, t->rows[i], true, text));
	}
	out_text("\n");
	return 0;
}

int out_table_print(const struct out_table *t, enum out_format format)
{
	switch (format) {
	case OUT_CSV:
		return print_csv(t);
	case OUT_MARKDOWN:
		return print_markdown(t);
	default:
		return print_text(t);
	}
}
