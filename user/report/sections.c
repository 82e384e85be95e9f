/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sections.c - see sections.h: what the builders of sections share. */
#include "report/sections.h"

#include <math.h>
#include <string.h>

struct rows rows_begin(struct report_doc *d, const struct report_input *in, const char *caption,
		       const struct doc_column *columns, size_t n)
{
	struct rows r = {.d = d, .in = in};
	size_t skip = in->n > 1 ? 0 : 1;

	r.t = doc_table_new(d, caption, columns + skip, n - skip);
	return r;
}

struct doc_cell *rows_add(const struct rows *r, size_t i)
{
	struct doc_cell *cells = doc_row(r->d, r->t);

	if (r->in->n == 1)
		return cells;
	cells->text = r->in->results[i].label;
	return cells + 1;
}

bool rows_end(const struct rows *r, struct doc_section *s)
{
	if (r->t->rows)
		doc_table_add(s, r->t);
	return r->t->rows;
}

const char *result_prefix(struct report_doc *d, const struct report_input *in, size_t i)
{
	return in->n > 1 ? pool_printf(&d->pool, "%s: ", in->results[i].label) : "";
}

void section_missing(struct report_doc *d, struct doc_section *s, const struct report_input *in,
		     size_t i, const char *text)
{
	doc_absent(d, s, pool_printf(&d->pool, "%s%s", result_prefix(d, in, i), text));
}

const char *run_title(struct report_doc *d, const struct report_input *in, size_t i,
		      const json_t *run)
{
	const char *name = jstr(run, "name", "");

	if (!strcmp(name, "observed"))
		name = "kernel";
	if (in->n == 1)
		return pool_printf(&d->pool, "%s", name);
	return pool_printf(&d->pool, "%s: %s", in->results[i].label, name);
}

const char *copy_text(struct report_doc *d, const char *text)
{
	return text ? pool_printf(&d->pool, "%s", text) : NULL;
}

const char *counter_name(struct report_doc *d, const char *key)
{
	char *name = pool_alloc(&d->pool, strlen(key) + 1);

	if (!name)
		return "";
	for (size_t i = 0; key[i]; i++)
		name[i] = key[i] == '_' ? ' ' : key[i];
	return name;
}

double order_bytes(const json_t *root, size_t order)
{
	return ldexp(report_page_bytes(root), (int)order);
}
