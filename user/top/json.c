// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* json.c - a reading as one line of JSON, documented in user/README.md. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/out.h"
#include "top/top.h"

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *text(const char *s)
{
	json_t *j = json_string(s);

	return j ? j : json_string("(not UTF-8)");
}

/* What lies between two readings. */
static json_t *pages(const struct top_reading *r)
{
	const struct top_totals *a = &r->before, *b = &r->now;
	json_t *freed = json_array(), *out;

	for (unsigned int o = 0; o < KML_TOP_ORDERS; o++)
		json_array_append_new(freed, number(b->freed_by_order[o] - a->freed_by_order[o]));
	out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "allocs",
			number(b->page_allocs - a->page_allocs), "allocated",
			number(b->pages - a->pages), "frees", number(b->page_frees - a->page_frees),
			"freed", number(b->pages_freed - a->pages_freed), "failed",
			number(b->pages_failed - a->pages_failed), "frees_by_order", freed);
	if (out && r->vmstat) {
		json_object_set_new(out, "vmstat_allocated", number(r->vmstat_allocated));
		json_object_set_new(out, "vmstat_freed", number(r->vmstat_freed));
	}
	return out;
}

static json_t *objects(const struct top_reading *r)
{
	const struct top_totals *a = &r->before, *b = &r->now;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "allocs",
			 number(b->objects - a->objects), "frees",
			 number(b->objects_freed - a->objects_freed), "bytes_req",
			 number(b->bytes_req - a->bytes_req), "bytes_alloc",
			 number(b->bytes_alloc - a->bytes_alloc), "failed",
			 number(b->objects_failed - a->objects_failed), "traced_twice",
			 number(b->twice - a->twice));
}

static json_t *row_json(const struct top_reading *r, const struct top_view *v,
			const struct top_row *row)
{
	struct top_figures f;
	json_t *out;

	top_figures(r, row, &f);
	out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:f}", "name", text(row->name), "allocs",
			number(row->now.allocs - row->before.allocs), "bytes_alloc",
			number(row->now.given - row->before.given), "live_bytes", number(f.live),
			"live_samples", number(f.lives), "growth_bytes_per_second", f.growth);
	if (out && top_has_column(v->group, TOP_BY_WASTE))
		json_object_set_new(out, "bytes_req", number(row->now.req - row->before.req));
	if (out && v->group == TOP_CACHE && row->slab_bytes) {
		json_object_set_new(out, "slab_bytes", number(row->slab_bytes));
		json_object_set_new(out, "slab_change_bytes",
				    json_integer((json_int_t)(row->slab_bytes - row->slab_start)));
	}
	return out;
}

static json_t *group_json(const struct top_reading *r, const struct top_view *v, unsigned int top)
{
	json_t *out = json_array();
	size_t n;
	const struct top_row **rows = top_view_rows(r, v, &n);

	for (size_t i = 0; rows && i < n && (!top || i < top); i++)
		json_array_append_new(out, row_json(r, v, rows[i]));
	free(rows);
	return out;
}

static json_t *groups(const struct top_reading *r, const struct top_options *o)
{
	json_t *out = json_object();
	struct top_view v = o->view;

	for (unsigned int g = 0; g < TOP_GROUPS; g++) {
		v.group = (enum top_group)g;
		json_object_set_new(out, top_group_name(v.group), group_json(r, &v, o->top));
	}
	return out;
}

static json_t *free_json(const struct top_free *f)
{
	json_t *blocks = json_array(), *unusable = json_array();

	for (unsigned int o = 0; o < f->orders; o++) {
		json_array_append_new(blocks, number(f->blocks[o]));
		json_array_append_new(unusable, json_real(f->unusable[o] / 1000.0));
	}
	return json_pack("{s:o, s:o}", "blocks", blocks, "unusable", unusable);
}

static json_t *stall_json(const struct kml_top_stall *s)
{
	char comm[17] = "";

	memcpy(comm, s->comm, sizeof(s->comm));
	return json_pack("{s:s, s:o, s:o, s:i, s:o, s:i}", "kind", top_stall_name(s->kind),
			 "end_ns", number(s->end_ns), "ns", number(s->ns), "order", (int)s->order,
			 "command", text(comm), "pid", (int)s->pid);
}

static json_t *stalls_json(const struct top_reading *r)
{
	json_t *sums = json_object(), *new = json_array();

	for (unsigned int k = 0; k < KML_TOP_STALL_KINDS; k++)
		json_object_set_new(sums, top_stall_name(k),
				    json_pack("{s:o, s:o}", "events", number(r->stalls[k].events),
					      "ns", number(r->stalls[k].ns)));
	for (unsigned int i = 0; i < r->n_stalls; i++)
		json_array_append_new(new, stall_json(&r->stall[i]));
	return json_pack("{s:o, s:o, s:o}", "since_start", sums, "new", new, "missed",
			 number(r->stalls_missed));
}

static json_t *cost(const struct top_reading *r)
{
	double share = top_programs_share(r);
	json_t *out = json_pack("{s:f, s:o, s:o}", "own_share", top_own_share(r), "own_ns",
				number(r->own_ns - r->own_before), "program_runs",
				number(r->now.runs - r->before.runs));

	if (out && share >= 0) {
		json_object_set_new(out, "programs_share", json_real(share));
		json_object_set_new(out, "program_run_ns", json_real(r->run_ns));
	}
	return out;
}

static json_t *missing(const struct top_reading *r)
{
	json_t *out = json_array();
	const char *name;

	for (size_t i = 0; (name = top_kernel_missing(r->kernel, i)); i++)
		json_array_append_new(out, text(name));
	return out;
}

int top_print_json(const struct top_reading *r, const struct top_options *o)
{
	json_t *doc =
		json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema",
			  "kmemlab-top/1", "time_ns", number(r->time_ns), "interval_ns",
			  number(r->time_ns - r->before_ns), "pages", pages(r), "objects",
			  objects(r), "groups", groups(r, o), "free", free_json(&r->host.now),
			  "stalls", stalls_json(r), "sample",
			  json_pack("{s:i, s:o, s:o}", "one_in", (int)r->one_in, "untracked",
				    number(r->now.untracked), "replaced", number(r->now.replaced)),
			  "cost", cost(r), "missing", missing(r));
	char *line;

	if (!doc)
		return -ENOMEM;
	json_object_set_new(doc, "lost_recursion", number(r->lost));
	json_object_set_new(doc, "no_place", number(r->now.other));
	line = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(doc);
	if (!line)
		return -ENOMEM;
	out_bytes(line, strlen(line));
	out_bytes("\n", 1);
	free(line);
	return 0;
}
