/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json.c - the document as JSON; reports/README.md describes it. */
#include <math.h>

#include "report/report.h"

static json_t *number(double value, enum report_unit unit)
{
	bool whole =
		unit == UNIT_COUNT || unit == UNIT_CHANGE || unit == UNIT_BYTES || unit == UNIT_NS;

	if (!isfinite(value))
		return json_null();
	return whole && fabs(value) < 9e15 ? json_integer(llround(value)) : json_real(value);
}

static const char *unit_name(enum report_unit unit)
{
	static const char *const name[] = {
		[UNIT_TEXT] = "text",	 [UNIT_COUNT] = "count",     [UNIT_CHANGE] = "count",
		[UNIT_BYTES] = "bytes",	 [UNIT_PERCENT] = "percent", [UNIT_POINTS] = "points",
		[UNIT_ERROR] = "points", [UNIT_REAL] = "number",     [UNIT_NS] = "ns",
	};
	return name[unit];
}

/* The table's cell that holds a figure: what a reader follows to check it. */
static json_t *json_place(const struct report_doc *d, size_t i, const struct doc_figure *f,
			  bool start)
{
	char id[DOC_ID_BYTES];
	struct doc_place p;

	if (!doc_find(d, doc_anchor_id(id, i, f->key, start), &p))
		return NULL;
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "section", p.section->id, "caption",
			 p.table->caption, "table", (json_int_t)p.table_index, "row",
			 (json_int_t)p.row, "column", (json_int_t)p.column, "name",
			 p.table->columns[p.column].name);
}

static json_t *json_figure(const struct report_doc *d, size_t i, const struct doc_figure *f)
{
	json_t *v = json_pack("{s:s, s:o, s:s, s:o*}", "name", f->name, "value",
			      number(f->value, f->unit), "unit", unit_name(f->unit), "at",
			      json_place(d, i, f, false));

	if (isnan(f->from))
		return v;
	json_object_set_new(v, "from", number(f->from, f->unit));
	json_t *at = json_place(d, i, f, true);
	if (at)
		json_object_set_new(v, "from_at", at);
	return v;
}

static json_t *json_sentence(const struct report_doc *d, size_t of, const struct doc_sentence *s)
{
	json_t *figures = json_array();

	for (size_t i = 0; i < s->n_figures; i++)
		json_array_append_new(figures, json_figure(d, of, &s->figures[i]));
	return json_pack("{s:s, s:s, s:s, s:o}", "id", s->id, "tag", s->tag, "text", s->text,
			 "figures", figures);
}

static json_t *json_verdict(const struct report_doc *d, size_t of)
{
	const struct doc_verdict *v = &d->verdicts[of];
	json_t *sentences = json_array();

	for (size_t i = 0; i < DOC_SENTENCES; i++)
		json_array_append_new(sentences, json_sentence(d, of, &v->sentences[i]));
	return json_pack("{s:s, s:s, s:b, s:o}", "result", v->label, "trust", v->trust, "complete",
			 v->complete, "sentences", sentences);
}

static json_t *json_row(const struct doc_table *t, size_t r)
{
	json_t *row = json_array();

	for (size_t c = 0; c < t->n_columns; c++) {
		const struct doc_cell *cell = &t->cells[r * t->n_columns + c];
		if (t->columns[c].unit != UNIT_TEXT)
			json_array_append_new(row, number(cell->value, t->columns[c].unit));
		else
			json_array_append_new(row,
					      cell->text ? json_string(cell->text) : json_null());
	}
	return row;
}

static json_t *json_table(const struct doc_table *t)
{
	json_t *columns = json_array();
	json_t *rows = json_array();

	for (size_t c = 0; c < t->n_columns; c++)
		json_array_append_new(columns,
				      json_pack("{s:s, s:s, s:s?}", "name", t->columns[c].name,
						"unit", unit_name(t->columns[c].unit), "help",
						t->columns[c].help));
	for (size_t r = 0; r < t->rows; r++)
		json_array_append_new(rows, json_row(t, r));
	return json_pack("{s:s, s:o, s:o}", "caption", t->caption, "columns", columns, "rows",
			 rows);
}

static json_t *json_lines(const struct doc_line *l)
{
	json_t *lines = json_array();

	for (; l; l = l->next)
		json_array_append_new(lines, json_string(l->text));
	return lines;
}

static json_t *json_section(const struct doc_section *s)
{
	json_t *tables = json_array();

	for (const struct doc_table *t = s->tables; t; t = t->next)
		json_array_append_new(tables, json_table(t));
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "id", s->id, "title", s->title, "remarks",
			 json_lines(s->remarks), "absent", json_lines(s->absent), "tables", tables);
}

json_t *report_json(const struct report_doc *d)
{
	json_t *verdicts = json_array();
	json_t *sections = json_array();

	for (size_t i = 0; i < d->n_verdicts; i++)
		json_array_append_new(verdicts, json_verdict(d, i));
	for (const struct doc_section *s = d->sections; s; s = s->next)
		json_array_append_new(sections, json_section(s));
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "schema", REPORT_SCHEMA, "title", d->title,
			 "subtitle", d->subtitle, "verdicts", verdicts, "sections", sections);
}
