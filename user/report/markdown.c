/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * markdown.c - the document as GitHub's Markdown. What comes from the trace is written
 * so that it stays text; long tables are cut, as in text.c.
 */
#include <math.h>
#include <string.h>

#include "report/report.h"

enum { ROWS_SHOWN = 15 };

/* Characters that Markdown or HTML would make something of. */
static void md_text(struct report_buf *b, const char *text)
{
	struct report_buf clean = {0};

	buf_ascii(&clean, text);
	for (const char *c = clean.data ? clean.data : ""; *c; c++) {
		if (*c == '<' || *c == '&' || *c == '>') {
			buf_puts(b, *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : "&amp;");
			continue;
		}
		if (strchr("\\`*_[]|#~!", *c))
			buf_puts(b, "\\");
		buf_add(b, c, 1);
	}
	b->failed = b->failed || clean.failed;
	buf_free(&clean);
}

static void md_line(struct report_buf *b, const char *before, const char *text, const char *after)
{
	buf_puts(b, before);
	md_text(b, text);
	buf_puts(b, after);
}

static void md_cell(struct report_buf *b, const struct doc_column *c, const struct doc_cell *cell)
{
	char number[REPORT_NUMBER_BYTES];

	buf_puts(b, " ");
	if (c->unit == UNIT_TEXT)
		md_text(b, cell->text && *cell->text ? cell->text : "-");
	else
		buf_puts(b, format_number(number, cell->value, c->unit));
	buf_puts(b, " |");
}

static void md_table(struct report_buf *b, const struct doc_table *t)
{
	md_line(b, "\n**", t->caption, "**\n\n|");
	for (size_t c = 0; c < t->n_columns; c++)
		md_line(b, " ", t->columns[c].name, " |");
	buf_puts(b, "\n|");
	for (size_t c = 0; c < t->n_columns; c++)
		buf_puts(b, t->columns[c].unit == UNIT_TEXT ? "---|" : "---:|");
	buf_puts(b, "\n");
	for (size_t r = 0; r < t->rows && r < ROWS_SHOWN; r++) {
		buf_puts(b, "|");
		for (size_t c = 0; c < t->n_columns; c++)
			md_cell(b, &t->columns[c], &t->cells[r * t->n_columns + c]);
		buf_puts(b, "\n");
	}
	if (t->rows > ROWS_SHOWN)
		buf_printf(b, "\n%zu more rows: `--format json` has all.\n", t->rows - ROWS_SHOWN);
}

static void md_figure(struct report_buf *b, const struct doc_figure *f)
{
	char from[REPORT_NUMBER_BYTES], to[REPORT_NUMBER_BYTES];

	md_line(b, "   - ", f->name, ": ");
	if (!isnan(f->from))
		buf_printf(b, "%s to ", format_number(from, f->from, f->unit));
	buf_printf(b, "%s\n", format_number(to, f->value, f->unit));
}

static void md_verdict(struct report_buf *b, const struct doc_verdict *v, bool named)
{
	if (named)
		md_line(b, "\n### ", v->label, "\n");
	md_line(b, "\nTrust: ", v->trust, "\n\n");
	for (size_t i = 0; i < DOC_SENTENCES; i++) {
		const struct doc_sentence *s = &v->sentences[i];

		buf_printf(b, "%zu. ", i + 1);
		md_text(b, s->text);
		buf_puts(b, "\n");
		for (size_t k = 0; k < s->n_figures; k++)
			md_figure(b, &s->figures[k]);
	}
}

static void md_lines(struct report_buf *b, const struct doc_line *l)
{
	for (; l; l = l->next)
		md_line(b, "\n", l->text, "\n");
}

void report_markdown(struct report_buf *b, const struct report_doc *d)
{
	md_line(b, "# kmemlab report: ", d->title, "\n\n");
	md_line(b, "", d->subtitle, "\n");
	if (d->n_verdicts)
		buf_puts(b, "\n## Verdict\n");
	for (size_t i = 0; i < d->n_verdicts; i++)
		md_verdict(b, &d->verdicts[i], d->n_verdicts > 1);
	for (const struct doc_section *s = d->sections; s; s = s->next) {
		md_line(b, "\n## ", s->title, "\n");
		md_lines(b, s->remarks);
		md_lines(b, s->absent);
		for (const struct doc_table *t = s->tables; t; t = t->next)
			md_table(b, t);
	}
}
