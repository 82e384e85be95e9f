/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.c - the document for a terminal: ASCII, no colour needed, within the
 * width given. Long tables are cut; the JSON and HTML forms have all rows.
 */
#include <math.h>
#include <string.h>

#include "report/report.h"

enum { ROWS_SHOWN = 15, TEXT_MIN = 12, WRAP_MIN = 30, CELL_BYTES = 512, GAP = 2 };

/* Append words of @text, broken at @columns, later lines indented. */
static void text_wrap(struct report_buf *b, const char *text, size_t indent, size_t columns)
{
	struct report_buf clean = {0};
	size_t at = indent;

	buf_ascii(&clean, text);
	const char *w = clean.data ? clean.data : "";
	while (*w) {
		size_t len = strcspn(w, " ");
		if (at > indent && at + 1 + len > columns) {
			buf_printf(b, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			buf_puts(b, " ");
			at++;
		}
		buf_add(b, w, len);
		at += len;
		w += len + strspn(w + len, " ");
	}
	buf_puts(b, "\n");
	b->failed = b->failed || clean.failed;
	buf_free(&clean);
}

static void cell_text(char out[CELL_BYTES], const struct doc_column *c, const struct doc_cell *cell)
{
	struct report_buf clean = {0};

	if (c->unit != UNIT_TEXT) {
		format_number(out, cell->value, c->unit);
		return;
	}
	buf_ascii(&clean, cell->text && *cell->text ? cell->text : "-");
	strncpy(out, clean.data ? clean.data : "", CELL_BYTES - 1);
	out[CELL_BYTES - 1] = '\0';
	buf_free(&clean);
}

struct layout {
	size_t width[DOC_COLUMNS_MAX];
	size_t rows;	 /* shown */
	size_t from, to; /* columns shown side by side */
};

static void measure_columns(struct layout *l, const struct doc_table *t)
{
	char text[CELL_BYTES];

	l->rows = t->rows > ROWS_SHOWN ? ROWS_SHOWN : t->rows;
	for (size_t c = 0; c < t->n_columns; c++) {
		l->width[c] = strlen(t->columns[c].name);
		for (size_t r = 0; r < l->rows; r++) {
			cell_text(text, &t->columns[c], &t->cells[r * t->n_columns + c]);
			if (strlen(text) > l->width[c])
				l->width[c] = strlen(text);
		}
	}
}

static size_t total_width(const struct layout *l, size_t n)
{
	size_t sum = 0;

	for (size_t c = 0; c < n; c++)
		sum += l->width[c] + GAP;
	return sum;
}

/* A last column of words is broken into lines; others are cut. */
static bool is_wrapped(const struct doc_table *t, size_t c)
{
	return c + 1 == t->n_columns && c && t->columns[c].unit == UNIT_TEXT;
}

static size_t text_min(const struct doc_table *t, size_t c)
{
	return is_wrapped(t, c) ? WRAP_MIN : TEXT_MIN;
}

/*
 * Narrow the widest text columns until the table fits. Where it must be folded
 * anyway, they stay readable.
 */
static void squeeze(struct layout *l, const struct doc_table *t, size_t columns)
{
	struct layout tight = *l;

	while (total_width(&tight, t->n_columns) > columns) {
		size_t widest = t->n_columns;
		for (size_t c = 0; c < t->n_columns; c++)
			if (t->columns[c].unit == UNIT_TEXT && tight.width[c] > text_min(t, c) &&
			    (widest == t->n_columns || tight.width[c] > tight.width[widest]))
				widest = c;
		if (widest == t->n_columns)
			break;
		tight.width[widest]--;
	}
	if (total_width(&tight, t->n_columns) <= columns) {
		*l = tight;
		return;
	}
	for (size_t c = 0; c < t->n_columns; c++)
		if (t->columns[c].unit == UNIT_TEXT && l->width[c] > columns / 2)
			l->width[c] = columns / 2;
}

static size_t left_of(const struct layout *l, size_t column)
{
	size_t at = column >= l->from && l->from ? l->width[0] + GAP : 0;

	for (size_t c = l->from; c < column; c++)
		at += l->width[c] + GAP;
	return at + GAP;
}

static void put_cell(struct report_buf *b, char *text, size_t width, bool left)
{
	if (strlen(text) > width)
		memcpy(text + width - 2, "..", 3);
	buf_printf(b, left ? "%-*s" : "%*s", (int)width, text);
}

/* One line: row @r, or the names where @r is -1; trailing blanks are cut. */
static void put_row(struct report_buf *b, const struct doc_table *t, const struct layout *l, long r)
{
	char text[CELL_BYTES];

	for (size_t c = 0; c < l->to; c++) {
		if (c && c < l->from)
			continue;
		buf_printf(b, "%*s", GAP, "");
		if (r < 0) {
			strncpy(text, t->columns[c].name, CELL_BYTES - 1);
			text[CELL_BYTES - 1] = '\0';
		} else {
			cell_text(text, &t->columns[c], &t->cells[(size_t)r * t->n_columns + c]);
		}
		if (is_wrapped(t, c) && strlen(text) > l->width[c]) {
			size_t at = left_of(l, c);
			text_wrap(b, text, at, at + l->width[c]);
			return;
		}
		put_cell(b, text, l->width[c], t->columns[c].unit == UNIT_TEXT);
	}
	while (b->len && b->data[b->len - 1] == ' ')
		b->data[--b->len] = '\0';
	buf_puts(b, "\n");
}

/* A table too wide even so is folded; its first column is repeated. */
static void fold(struct layout *l, const struct doc_table *t, size_t columns)
{
	size_t at = l->width[0] + GAP;

	l->to = l->from ? l->from : 1;
	while (l->to < t->n_columns && at + l->width[l->to] + GAP <= columns)
		at += l->width[l->to++] + GAP;
	if (l->to == l->from || (l->to == 1 && t->n_columns > 1 && !l->from))
		l->to++;
}

/* Rows of words: a line a cell, as side by side they would be cut. */
static void text_list(struct report_buf *b, const struct doc_table *t, size_t columns)
{
	char text[CELL_BYTES];

	for (size_t r = 0; r < t->rows && r < ROWS_SHOWN; r++)
		for (size_t c = 0; c < t->n_columns; c++) {
			buf_printf(b, "  %s %s: ", c ? " " : "-", t->columns[c].name);
			cell_text(text, &t->columns[c], &t->cells[r * t->n_columns + c]);
			text_wrap(b, text, 6 + strlen(t->columns[c].name), columns);
		}
}

static void text_table(struct report_buf *b, const struct doc_table *t, size_t columns)
{
	struct layout l = {0};

	buf_puts(b, "\n  ");
	text_wrap(b, t->caption, 2, columns);
	measure_columns(&l, t);
	squeeze(&l, t, columns);
	if (t->listed)
		text_list(b, t, columns);
	for (; !t->listed && l.from < t->n_columns; l.from = l.to) {
		if (l.from)
			buf_puts(b, "\n");
		fold(&l, t, columns);
		put_row(b, t, &l, -1);
		for (size_t r = 0; r < l.rows; r++)
			put_row(b, t, &l, (long)r);
	}
	if (l.rows < t->rows)
		buf_printf(b, "  ... %zu more (--format json has all)\n", t->rows - l.rows);
}

static void text_heading(struct report_buf *b, const char *title)
{
	struct report_buf clean = {0};

	buf_ascii(&clean, title);
	buf_printf(b, "\n%s\n", clean.data ? clean.data : "");
	for (size_t i = 0; i < clean.len; i++)
		buf_puts(b, "-");
	buf_puts(b, "\n");
	buf_free(&clean);
}

static void text_figure(struct report_buf *b, const struct doc_figure *f)
{
	char from[REPORT_NUMBER_BYTES], to[REPORT_NUMBER_BYTES];

	format_number(to, f->value, f->unit);
	if (isnan(f->from))
		buf_printf(b, "   %-34s %12s\n", f->name, to);
	else
		buf_printf(b, "   %-34s %12s, was %s\n", f->name, to,
			   format_number(from, f->from, f->unit));
}

static void text_verdict(struct report_buf *b, const struct doc_verdict *v, bool named,
			 size_t columns)
{
	if (named) {
		buf_puts(b, "\n");
		text_wrap(b, v->label, 0, columns);
	}
	buf_puts(b, "Trust: ");
	text_wrap(b, v->trust, 7, columns);
	for (size_t i = 0; i < DOC_SENTENCES; i++) {
		const struct doc_sentence *s = &v->sentences[i];
		buf_printf(b, "\n%zu. ", i + 1);
		text_wrap(b, s->text, 3, columns);
		for (size_t k = 0; k < s->n_figures; k++)
			text_figure(b, &s->figures[k]);
	}
}

static void text_lines(struct report_buf *b, const struct doc_line *l, size_t columns)
{
	for (; l; l = l->next)
		text_wrap(b, l->text, 0, columns);
}

void report_text(struct report_buf *b, struct report_doc *d, size_t columns)
{
	text_wrap(b, pool_printf(&d->pool, "kmemlab report: %s", d->title), 0, columns);
	text_wrap(b, d->subtitle, 0, columns);
	text_heading(b, "Verdict");
	for (size_t i = 0; i < d->n_verdicts; i++)
		text_verdict(b, &d->verdicts[i], d->n_verdicts > 1, columns);
	for (const struct doc_section *s = d->sections; s; s = s->next) {
		text_heading(b, s->title);
		text_lines(b, s->remarks, columns);
		text_lines(b, s->absent, columns);
		for (const struct doc_table *t = s->tables; t; t = t->next)
			text_table(b, t, columns);
	}
}
