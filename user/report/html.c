/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html.c - the document as one page. Words and tables are written here, so the
 * page can be read without scripts; the built template (reports/page) brings
 * style and the charts, which read the embedded data.
 *
 * Everything from a result goes through buf_html(). The template's policy
 * forbids inline styles and scripts, so none are written.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

static void tag_text(struct report_buf *b, const char *open, const char *text, const char *close)
{
	buf_puts(b, open);
	buf_html(b, text);
	buf_puts(b, close);
}

static const char *tone_class(enum doc_tone tone)
{
	static const char *const name[] = {
		[TONE_NEUTRAL] = "neutral",
		[TONE_GOOD] = "good",
		[TONE_CAUTION] = "caution",
		[TONE_BAD] = "bad",
	};
	return name[tone];
}

/* A number of result @i's verdict, as a link to the table's cell that holds it. */
static void html_figure(struct report_buf *b, const struct report_doc *d, size_t i,
			const struct doc_figure *f, bool start)
{
	char number[REPORT_NUMBER_BYTES], id[DOC_ID_BYTES];
	struct doc_place p;
	bool found = doc_find(d, doc_anchor_id(id, i, f->key, start), &p);

	if (found)
		buf_printf(b, "<a href=\"#%s\">", id);
	buf_html(b, format_number(number, start ? f->from : f->value, f->unit));
	buf_puts(b, found ? "</a>" : "");
}

static void html_sentence(struct report_buf *b, const struct report_doc *d, size_t of,
			  const struct doc_sentence *s)
{

	buf_printf(b, "<li class=\"sentence %s\"><div class=\"tag\">", tone_class(s->tone));
	buf_html(b, s->tag);
	tag_text(b, "</div><p>", s->text, "</p>");
	if (s->n_figures) {
		buf_puts(b, "<dl class=\"figures\">");
		for (size_t i = 0; i < s->n_figures; i++) {
			const struct doc_figure *f = &s->figures[i];
			tag_text(b, "<div><dt>", f->name, "</dt><dd>");
			if (!isnan(f->from)) {
				html_figure(b, d, of, f, true);
				buf_puts(b, " <span class=\"to\">to</span> ");
			}
			html_figure(b, d, of, f, false);
			buf_puts(b, "</dd></div>");
		}
		buf_puts(b, "</dl>");
	}
	buf_puts(b, "</li>\n");
}

static void html_badge(struct report_buf *b, const struct doc_verdict *v)
{
	buf_printf(b, "<a class=\"badge %s\" href=\"#trust\">", v->complete ? "good" : "bad");
	buf_puts(b, v->complete ? "<span aria-hidden=\"true\">&#10003;</span> "
				: "<span aria-hidden=\"true\">!</span> ");
	buf_html(b, v->trust);
	buf_puts(b, "</a>");
}

static void html_verdicts(struct report_buf *b, const struct report_doc *d)
{
	buf_puts(b, "<section id=\"verdict\" aria-labelledby=\"h-verdict\">"
		    "<h2 id=\"h-verdict\">Verdict</h2>\n");
	for (size_t i = 0; i < d->n_verdicts; i++) {
		const struct doc_verdict *v = &d->verdicts[i];
		if (d->n_verdicts > 1) {
			tag_text(b, "<h3>", v->label, " ");
			html_badge(b, v);
			buf_puts(b, "</h3>");
		}
		buf_puts(b, "<ol class=\"verdict\">\n");
		for (size_t k = 0; k < DOC_SENTENCES; k++)
			html_sentence(b, d, i, &v->sentences[k]);
		buf_puts(b, "</ol>\n");
	}
	buf_puts(b, "</section>\n");
}

static void html_head_cell(struct report_buf *b, const struct doc_column *c)
{
	buf_printf(b, "<th scope=\"col\"%s>", c->unit == UNIT_TEXT ? "" : " class=\"num\"");
	if (c->help) {
		tag_text(b, "<abbr title=\"", c->help, "\">");
		tag_text(b, "", c->name, "</abbr></th>");
		return;
	}
	tag_text(b, "", c->name, "</th>");
}

static void html_bar(struct report_buf *b, double share)
{
	buf_printf(b,
		   "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
		   "aria-hidden=\"true\"><rect width=\"%.1f\" height=\"8\"/></svg>",
		   share);
}

/* @largest: of the column if the cell shows a bar, else 0. */
static void html_cell(struct report_buf *b, const struct doc_column *c, const struct doc_cell *cell,
		      double largest)
{
	char number[REPORT_NUMBER_BYTES];

	if (c->unit == UNIT_TEXT) {
		tag_text(b, "<td>", cell->text ? cell->text : "\xe2\x80\x93", "</td>");
		return;
	}
	if (isnan(cell->value)) {
		buf_puts(b, "<td class=\"num na\">\xe2\x80\x93</td>");
		return;
	}
	buf_printf(b, "<td class=\"num\" data-v=\"%.17g\"", cell->value);
	if (cell->id)
		buf_printf(b, " id=\"%s\"", cell->id);
	if (c->unit == UNIT_BYTES)
		buf_printf(b, " title=\"%s B\"", format_number(number, cell->value, UNIT_COUNT));
	buf_puts(b, ">");
	if (largest > 0)
		html_bar(b, 100 * fmax(cell->value, 0) / largest);
	tag_text(b, "", format_number(number, cell->value, c->unit), "</td>");
}

static double largest_of(const struct doc_table *t, size_t column)
{
	double most = 0;

	for (size_t i = 0; i < t->rows; i++)
		most = fmax(most, t->cells[i * t->n_columns + column].value);
	return most;
}

static void html_column_help(struct report_buf *b, const struct doc_table *t)
{
	bool any = false;

	for (size_t i = 0; i < t->n_columns; i++)
		any = any || t->columns[i].help;
	if (!any)
		return;
	buf_puts(b, "<details class=\"columns\"><summary>What the columns mean</summary><dl>");
	for (size_t i = 0; i < t->n_columns; i++) {
		if (!t->columns[i].help)
			continue;
		tag_text(b, "<dt>", t->columns[i].name, "</dt><dd>");
		tag_text(b, "", t->columns[i].help, "</dd>");
	}
	buf_puts(b, "</dl></details>");
}

static void html_rows(struct report_buf *b, const struct doc_table *t)
{
	double most = t->bars ? largest_of(t, t->n_columns - 1) : 0;

	for (size_t r = 0; r < t->rows; r++) {
		buf_puts(b, "<tr>");
		for (size_t i = 0; i < t->n_columns; i++)
			html_cell(b, &t->columns[i], &t->cells[r * t->n_columns + i],
				  i + 1 == t->n_columns ? most : 0);
		buf_puts(b, "</tr>\n");
	}
}

static void html_table(struct report_buf *b, const struct doc_table *t)
{
	if (t->folded)
		tag_text(b, "<details class=\"fold\"><summary>", t->caption, "</summary>");
	buf_puts(b, t->listed ? "<figure class=\"table words\">" : "<figure class=\"table\">");
	tag_text(b, "<figcaption>", t->caption, "</figcaption>");
	tag_text(b, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"",
		 t->caption, "\"><table>\n<thead><tr>");
	for (size_t i = 0; i < t->n_columns; i++)
		html_head_cell(b, &t->columns[i]);
	buf_puts(b, "</tr></thead>\n<tbody>\n");
	html_rows(b, t);
	buf_puts(b, "</tbody></table></div>");
	html_column_help(b, t);
	buf_puts(b, t->folded ? "</figure></details>\n" : "</figure>\n");
}

static void html_lines(struct report_buf *b, const struct doc_line *l, const char *class)
{
	for (; l; l = l->next) {
		buf_printf(b, "<p class=\"%s\">", class);
		tag_text(b, "", l->text, "</p>\n");
	}
}

static void html_section(struct report_buf *b, const struct doc_section *s)
{
	buf_printf(b, "<section id=\"%s\" aria-labelledby=\"h-%s\"><h2 id=\"h-%s\">", s->id, s->id,
		   s->id);
	tag_text(b, "", s->title, "</h2>\n");
	if (s->lead)
		tag_text(b, "<p class=\"lead\">", s->lead, "</p>\n");
	html_lines(b, s->remarks, "remark");
	html_lines(b, s->absent, "absent");
	if (s->chart)
		buf_printf(b,
			   "<div class=\"chart-slot\" data-chart=\"%s\"><p class=\"absent\">The "
			   "charts need JavaScript; the table holds the main figures.</p></div>\n",
			   s->chart);
	for (const struct doc_table *t = s->tables; t; t = t->next)
		html_table(b, t);
	for (const struct doc_note *n = s->notes; n; n = n->next) {
		tag_text(b, "<details class=\"note\"><summary>", n->summary, "</summary><p>");
		tag_text(b, "", n->text, "</p></details>\n");
	}
	buf_puts(b, "</section>\n");
}

static void html_head(struct report_buf *b, const struct report_doc *d)
{
	bool verdict = d->n_verdicts;

	buf_printf(b,
		   "<a class=\"skip\" href=\"#%s\">Skip to the %s</a>\n"
		   "<header class=\"top\"><div class=\"brand\">kmemlab report</div><h1>",
		   verdict ? "verdict" : "comparison", verdict ? "verdict" : "comparison");
	tag_text(b, "", d->title, "</h1>");
	tag_text(b, "<p class=\"subtitle\">", d->subtitle, "</p>");
	if (d->n_verdicts == 1)
		html_badge(b, &d->verdicts[0]);
	buf_puts(b, "</header>\n<nav aria-label=\"Sections\"><ol>");
	if (verdict)
		buf_puts(b, "<li><a href=\"#verdict\">Verdict</a></li>");
	for (const struct doc_section *s = d->sections; s; s = s->next) {
		buf_printf(b, "<li><a href=\"#%s\">", s->id);
		tag_text(b, "", s->title, "</a></li>");
	}
	buf_puts(b, "</ol></nav>\n<main>\n");
}

static void html_body(struct report_buf *b, const struct report_doc *d)
{
	html_head(b, d);
	if (d->n_verdicts)
		html_verdicts(b, d);
	for (const struct doc_section *s = d->sections; s; s = s->next)
		html_section(b, s);
}

/* Copy the template up to @marker and step over it. */
static const char *until(struct report_buf *b, const char *template, const char *marker)
{
	const char *at = strstr(template, marker);

	if (!at)
		return template + strlen(template);
	buf_add(b, template, (size_t)(at - template));
	return at + strlen(marker);
}

/* The charts' data in at most @room bytes, every @step-th sample of it. */
static int thin_data(struct report_buf *b, const struct report_input *in, size_t room, size_t *step)
{
	for (*step = 1; *step <= 64; *step *= 2) {
		json_t *data = report_page_data(in, *step);
		char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;

		json_decref(data);
		if (!text)
			return -ENOMEM;
		buf_free(b);
		buf_script_json(b, text);
		free(text);
		if (b->failed || b->len <= room)
			return b->failed ? -ENOMEM : 0;
	}
	return -EFBIG;
}

/* What is left out of a page that has to stay small is said in it. */
static void html_foot(struct report_buf *b, const struct report_doc *d, size_t step)
{
	bool several = d->n_verdicts > 1;

	if (step > 1)
		buf_printf(
			b,
			"<p class=\"absent\" id=\"binned\">To stay below %d MiB, the charts show "
			"every %zuth sample%s and their lists are as much shorter; the tables%s%s "
			"are of all.</p>\n",
			REPORT_HTML_MAX_BYTES >> 20, step, several ? " of each result" : "",
			d->n_verdicts ? " and the verdict" : "", several ? "s" : "");
	buf_puts(b, "</main>\n<footer>kmemlab " KMEMLAB_VERSION
		    ". This page is complete in itself: it loads nothing.</footer>\n");
}

int report_html(struct report_buf *b, const struct report_doc *d, const struct report_input *in)
{
	size_t template_bytes, step;
	const char *t = report_template(&template_bytes);
	struct report_buf data = {0};

	t = until(b, t, "@@TITLE@@");
	buf_html(b, d->title);
	t = until(b, t, "@@BODY@@");
	html_body(b, d);
	/* The rest of the template and what is said at the foot come on top. */
	size_t used = b->len + strlen(t) + 4096;
	int err = used < REPORT_HTML_MAX_BYTES
			  ? thin_data(&data, in, REPORT_HTML_MAX_BYTES - used, &step)
			  : -EFBIG;
	if (!err)
		html_foot(b, d, step);
	t = until(b, t, "@@RESULT@@");
	if (!err)
		buf_add(b, data.data, data.len);
	buf_puts(b, t);
	buf_free(&data);
	if (b->failed)
		return -ENOMEM;
	return !err && b->len > REPORT_HTML_MAX_BYTES ? -EFBIG : err;
}
