/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * doc.c - see doc.h. When memory runs out, the pool remembers it and callers
 * get scratch objects, so that builders need no checks of their own; the
 * document must not be rendered then.
 */
#include "report/doc.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct doc_section *doc_section(struct report_doc *d, const char *id, const char *title)
{
	static struct doc_section scratch;
	struct doc_section *s = pool_alloc(&d->pool, sizeof(*s));

	if (!s) {
		memset(&scratch, 0, sizeof(scratch));
		s = &scratch;
	}
	s->id = id;
	s->title = title;
	s->remarks_end = &s->remarks;
	s->absent_end = &s->absent;
	s->tables_end = &s->tables;
	s->notes_end = &s->notes;
	if (s == &scratch)
		return s;
	if (!d->sections_end)
		d->sections_end = &d->sections;
	*d->sections_end = s;
	d->sections_end = &s->next;
	return s;
}

static void add_line(struct report_doc *d, struct doc_line ***end, const char *text)
{
	struct doc_line *l = pool_alloc(&d->pool, sizeof(*l));

	if (!l)
		return;
	l->text = text;
	**end = l;
	*end = &l->next;
}

void doc_remark(struct report_doc *d, struct doc_section *s, const char *text)
{
	add_line(d, &s->remarks_end, text);
}

void doc_absent(struct report_doc *d, struct doc_section *s, const char *text)
{
	add_line(d, &s->absent_end, text);
}

void doc_note(struct report_doc *d, struct doc_section *s, const char *summary, const char *text)
{
	struct doc_note *n = pool_alloc(&d->pool, sizeof(*n));
	if (!n)
		return;
	n->summary = summary;
	n->text = text;
	*s->notes_end = n;
	s->notes_end = &n->next;
}

struct doc_table *doc_table_new(struct report_doc *d, const char *caption,
				const struct doc_column *columns, size_t n)
{
	static struct doc_table scratch;
	struct doc_table *t = pool_alloc(&d->pool, sizeof(*t));

	if (!t)
		t = &scratch;
	*t = (struct doc_table){.caption = caption, .columns = columns};
	t->n_columns = n < DOC_COLUMNS_MAX ? n : DOC_COLUMNS_MAX;
	return t;
}

void doc_table_add(struct doc_section *s, struct doc_table *t)
{
	*s->tables_end = t;
	s->tables_end = &t->next;
}

struct doc_cell *doc_row(struct report_doc *d, struct doc_table *t)
{
	static struct doc_cell scratch[DOC_COLUMNS_MAX];

	if (t->rows == t->room) {
		size_t room = t->room ? 2 * t->room : 8;
		struct doc_cell *cells = pool_alloc(&d->pool, room * t->n_columns * sizeof(*cells));
		if (!cells)
			return scratch;
		if (t->rows)
			memcpy(cells, t->cells, t->rows * t->n_columns * sizeof(*cells));
		t->cells = cells;
		t->room = room;
	}
	struct doc_cell *row = t->cells + t->rows++ * t->n_columns;
	for (size_t i = 0; i < t->n_columns; i++)
		row[i] = (struct doc_cell){.value = NAN};
	return row;
}

void doc_figure_change(struct doc_sentence *s, const char *key, const char *name, double from,
		       double to, enum report_unit unit)
{
	if (isnan(to))
		return;
	assert(s->n_figures < DOC_FIGURES_MAX);
	s->figures[s->n_figures++] = (struct doc_figure){name, key, from, to, unit};
}

void doc_figure(struct doc_sentence *s, const char *key, const char *name, double value,
		enum report_unit unit)
{
	doc_figure_change(s, key, name, NAN, value, unit);
}

const char *doc_anchor_id(char *out, size_t i, const char *key, bool start)
{
	snprintf(out, DOC_ID_BYTES, "r%zu-%s%s", i, key, start ? "-start" : "");
	return out;
}

void doc_anchor(struct report_doc *d, struct doc_cell *c, size_t i, const char *key)
{
	char id[DOC_ID_BYTES];

	c->id = pool_printf(&d->pool, "%s", doc_anchor_id(id, i, key, false));
}

static bool find_in_table(const struct doc_table *t, const char *id, struct doc_place *out)
{
	for (size_t k = 0; k < t->rows * t->n_columns; k++) {
		if (!t->cells[k].id || strcmp(t->cells[k].id, id) != 0)
			continue;
		out->table = t;
		out->row = k / t->n_columns;
		out->column = k % t->n_columns;
		return true;
	}
	return false;
}

bool doc_find(const struct report_doc *d, const char *id, struct doc_place *out)
{
	for (const struct doc_section *s = d->sections; s; s = s->next) {
		*out = (struct doc_place){.section = s};
		for (const struct doc_table *t = s->tables; t; t = t->next, out->table_index++)
			if (find_in_table(t, id, out))
				return true;
	}
	return false;
}
