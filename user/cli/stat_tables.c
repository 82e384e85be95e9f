/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stat_tables.c - how a source adds to a row of a table, and rows become one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmemlab/refmm_types.h>

#include "cli/stat_tables.h"
#include "replay/gfp.h"
#include "symbols/lines.h"
#include "trace/gfp_text.h"

/* Keys of contexts beside those of enum kmt_context that are told. */
enum { CONTEXT_MAY_BLOCK = KMT_CONTEXT_UNKNOWN, CONTEXT_NOT_TOLD = KMT_CONTEXTS };

struct row {
	uint64_t key;
	uint64_t v[STAT_FIELDS];
};

/* ---- Adding up --------------------------------------------------------- */

/* Where a request that may not block was made; all others are one. */
static uint64_t context_of(const struct gfp_map *gfp, const struct kmt_class *c)
{
	if (gfp_translate(gfp, c->gfp) & RMM_GFP_DIRECT_RECLAIM)
		return CONTEXT_MAY_BLOCK;
	return *trace_context_name(c) ? c->context : CONTEXT_NOT_TOLD;
}

static uint64_t key_of(const struct stat_table *t, const struct gfp_map *gfp,
		       const struct stat_source *s, const struct kmt_class *c)
{
	switch (t->name[0]) {
	case 'k':
		return c->kind;
	case 'o':
		return c->order;
	case 't':
		return c->migratetype;
	case 'f':
		return (uint64_t)c->migratetype << 8 | c->fallback_type;
	default:
		break;
	}
	if (!strcmp(t->name, "cache"))
		return c->cache;
	if (!strcmp(t->name, "context"))
		return context_of(gfp, c);
	if (!strcmp(t->name, "gfp"))
		return c->gfp;
	if (!strcmp(t->name, "site"))
		return c->call_site;
	if (!strcmp(t->name, "stack"))
		return trace_class_stack(c);
	return !strcmp(t->name, "size") ? c->bytes_alloc : s->comm;
}

static void fill(struct row *row, const struct stat_source *s, const struct kmt_class *c)
{
	uint64_t kind = STAT_BIT(c->kind);

	row->v[STAT_EVENTS] = s->events;
	if (kind & (STAT_PAGE_ALLOCS | STAT_OBJECT_ALLOCS)) {
		row->v[STAT_ALLOCS] = s->events - s->twice - s->failed;
		row->v[STAT_FREED] = s->freed;
	}
	if (kind & (STAT_BIT(KMT_PAGE_FREE) | STAT_OBJECT_FREES))
		row->v[STAT_FREES] = s->events;
	if (kind & STAT_PAGE_ALLOCS) {
		row->v[STAT_PAGES] = row->v[STAT_ALLOCS] << (c->order & 31);
		row->v[STAT_LIVE_PAGES] = s->live;
	}
	if (kind & STAT_OBJECT_ALLOCS) {
		row->v[STAT_BYTES_REQ] = row->v[STAT_ALLOCS] * c->bytes_req;
		row->v[STAT_BYTES_ALLOC] = row->v[STAT_ALLOCS] * c->bytes_alloc;
		row->v[STAT_LIVE] = s->live;
		row->v[STAT_LIVE_BYTES] = s->live * c->bytes_alloc;
	}
}

static int by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static size_t merge(struct row *rows, size_t n)
{
	size_t to = 0;

	qsort(rows, n, sizeof(*rows), by_key);
	for (size_t i = 0; i < n; i++) {
		if (!i || rows[i].key != rows[to - 1].key) {
			rows[to++] = rows[i];
			continue;
		}
		for (int f = 0; f < STAT_FIELDS; f++)
			rows[to - 1].v[f] += rows[i].v[f];
	}
	return to;
}

static struct row *add_up(const struct stat_table *t, const struct view *v,
			  const struct stat_count *counts, size_t *n)
{
	uint32_t sources_n;
	const struct stat_source *s = stat_count_sources(counts, &sources_n);
	struct row *rows = calloc((size_t)sources_n + 1, sizeof(*rows));
	struct gfp_map gfp;

	*n = 0;
	gfp_map_init(&gfp, json_object_get(v->header, "gfp_bits"));
	for (uint32_t i = 0; rows && i < sources_n; i++) {
		const struct kmt_class *c = trace_reader_class(v->reader, s[i].class_id);

		if (!c || !(t->kinds & STAT_BIT(c->kind)))
			continue;
		rows[*n].key = key_of(t, &gfp, &s[i], c);
		fill(&rows[(*n)++], &s[i], c);
	}
	if (rows)
		*n = merge(rows, *n);
	return rows;
}

/* ---- Sorting and printing ---------------------------------------------- */

static double waste(const struct row *r)
{
	uint64_t given = r->v[STAT_BYTES_ALLOC], asked = r->v[STAT_BYTES_REQ];

	return given > asked ? 100.0 * (double)(given - asked) / (double)given : 0.0;
}

static int by_field(const void *a, const void *b, void *field)
{
	enum stat_field f = *(const enum stat_field *)field;
	double x, y;

	if (f == STAT_KEY)
		return by_key(a, b);
	x = f == STAT_WASTE ? waste(a) : (double)((const struct row *)a)->v[f];
	y = f == STAT_WASTE ? waste(b) : (double)((const struct row *)b)->v[f];
	if (x != y)
		return x > y ? -1 : 1;
	return by_key(a, b);
}

static const char *context_name(uint64_t key)
{
	const struct kmt_class c = {.kind = KMT_KMALLOC, .context = (uint8_t)key};

	if (key == CONTEXT_MAY_BLOCK)
		return "(may block)";
	return key == CONTEXT_NOT_TOLD ? "(not told)" : trace_context_name(&c);
}

/* The name of a row, where its key is not the number itself. */
static const char *name_of(const struct stat_table *t, const struct view *v, uint64_t key,
			   char *text, size_t size)
{
	const char *s;

	switch (t->name[0]) {
	case 'k':
		return trace_kind_name((unsigned int)key);
	case 't':
		return view_type(v, (unsigned int)key);
	case 'f':
		snprintf(text, size, "%s", view_type(v, (unsigned int)(key >> 8)));
		s = view_type(v, (unsigned int)(key & 255));
		snprintf(text + strlen(text), size - strlen(text), " <- %s", s);
		return text;
	default:
		break;
	}
	if (!strcmp(t->name, "cache") && !key)
		return "(large: pages)";
	if (!strcmp(t->name, "context"))
		return context_name(key);
	if (!strcmp(t->name, "gfp")) {
		gfp_text(json_object_get(v->header, "gfp_bits"), (uint32_t)key, text, size);
		return text;
	}
	if (!strcmp(t->name, "stack"))
		return *view_stack(v, (uint32_t)key, text, size) ? text : "(none)";
	s = trace_reader_string(v->reader, (uint32_t)key);
	return *s ? s : "(unknown)";
}

static const char *line_of(const struct view *v, uint64_t key)
{
	const char *line = lines_find(v->lines, trace_reader_string(v->reader, (uint32_t)key));

	return line ? line : "";
}

/* A table of call sites has one column more where there is debug information. */
static unsigned int columns_of(const struct stat_table *t, const struct view *v)
{
	return t->columns + (v->lines && t->field[t->columns] == STAT_LINE);
}

static union out_value value_of(const struct stat_table *t, const struct view *v, unsigned int c,
				const struct row *r, char *text)
{
	enum stat_field f = t->field[c];

	if (f == STAT_WASTE)
		return (union out_value){.f = waste(r)};
	if (f == STAT_LINE)
		return (union out_value){.s = line_of(v, r->key)};
	if (f != STAT_KEY)
		return (union out_value){.u = r->v[f]};
	if (t->column[c].type == OUT_UINT)
		return (union out_value){.u = r->key};
	return (union out_value){.s = name_of(t, v, r->key, text, VIEW_STACK_BYTES)};
}

int stat_table_arrange(struct out_table *t, int column, size_t top, size_t *left_out)
{
	int err = column < 0 ? 0 : out_table_sort(t, (size_t)column);

	if (!err)
		*left_out = out_table_cut(t, top);
	return err;
}

static struct out_table *build_own(const struct stat_table *t, const struct view *v,
				   const struct stat_count *counts, int column, size_t top,
				   size_t *left_out)
{
	struct out_table *out = t->build(t, v, counts);

	if (!out || !stat_table_arrange(out, column, top, left_out))
		return out;
	out_table_free(out);
	return NULL;
}

static struct out_table *build_sums(const struct stat_table *t, const struct view *v,
				    const struct stat_count *counts, int column, size_t top,
				    size_t *left_out)
{
	enum stat_field sort = column < 0 ? t->sort : t->field[column];
	unsigned int columns = columns_of(t, v);
	struct out_table *out = out_table_new(t->name, t->column, columns);
	size_t n;
	struct row *rows = add_up(t, v, counts, &n);
	union out_value values[STAT_COLUMNS];
	char text[VIEW_STACK_BYTES];

	if (rows && out) {
		qsort_r(rows, n, sizeof(*rows), by_field, &sort);
		*left_out = top && n > top ? n - top : 0;
		for (size_t i = 0; i < n - *left_out; i++) {
			for (unsigned int c = 0; c < columns; c++)
				values[c] = value_of(t, v, c, &rows[i], text);
			out_table_row(out, values);
		}
	}
	if (!rows) {
		out_table_free(out);
		out = NULL;
	}
	free(rows);
	return out;
}

struct out_table *stat_table_build(const struct stat_table *t, const struct view *v,
				   const struct stat_count *counts, int column, size_t top,
				   size_t *left_out)
{
	*left_out = 0;
	return t->build ? build_own(t, v, counts, column, top, left_out)
			: build_sums(t, v, counts, column, top, left_out);
}
