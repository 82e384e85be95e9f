/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rows.c - see rows.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/rows.h"
#include "trace/kinds.h"

const struct row_field row_fields[ROW_COLUMNS] = {
	[ROW_TIME_NS] = {"time_ns", ROW_U64},
	[ROW_CPU] = {"cpu", ROW_I32},
	[ROW_EVENT] = {"event", ROW_STRING},
	[ROW_PID] = {"pid", ROW_I32},
	[ROW_COMM] = {"comm", ROW_STRING},
	[ROW_PFN] = {"pfn", ROW_U64},
	[ROW_PHYS] = {"phys", ROW_U64},
	[ROW_OPAQUE] = {"opaque", ROW_U64},
	[ROW_ORDER] = {"order", ROW_I32},
	[ROW_MIGRATETYPE] = {"migratetype", ROW_STRING},
	[ROW_GFP] = {"gfp", ROW_U64},
	[ROW_FALLBACK_ORDER] = {"fallback_order", ROW_I32},
	[ROW_FALLBACK_TYPE] = {"fallback_type", ROW_STRING},
	[ROW_CALL_SITE] = {"call_site", ROW_STRING},
	[ROW_CACHE] = {"cache", ROW_STRING},
	[ROW_BYTES_REQ] = {"bytes_req", ROW_U64},
	[ROW_BYTES_ALLOC] = {"bytes_alloc", ROW_U64},
	[ROW_NODE] = {"node", ROW_I32},
};

int rows_init(struct rows *r, const struct view *v)
{
	r->view = v;
	r->cpus = trace_reader_cpus(v->reader);
	r->task = calloc((size_t)r->cpus + 1, sizeof(*r->task));
	return r->task ? 0 : -ENOMEM;
}

void rows_destroy(struct rows *r)
{
	free(r->task);
}

static void put_u(struct row *out, enum row_column column, uint64_t v)
{
	out->at[column].u = v;
	out->have |= 1u << column;
}

static void put_i(struct row *out, enum row_column column, int32_t v)
{
	out->at[column].i = v;
	out->have |= 1u << column;
}

static void put_s(struct row *out, enum row_column column, const char *s)
{
	out->at[column].s = s;
	if (*s)
		out->have |= 1u << column;
}

static bool has_type(const struct kmt_class *c)
{
	return c->kind == KMT_PAGE_ALLOC || c->kind == KMT_ZONE_LOCKED ||
	       c->kind == KMT_PCPU_DRAIN || c->kind == KMT_EXTFRAG;
}

static void fill_page(const struct view *v, const struct kmt_class *c, struct row *out)
{
	put_i(out, ROW_ORDER, c->order);
	if (has_type(c))
		put_s(out, ROW_MIGRATETYPE, view_type(v, c->migratetype));
	if (c->kind == KMT_PAGE_ALLOC || c->kind == KMT_BULK_PAGE)
		put_u(out, ROW_GFP, c->gfp);
	if (c->kind == KMT_EXTFRAG) {
		put_i(out, ROW_FALLBACK_ORDER, c->fallback_order);
		put_s(out, ROW_FALLBACK_TYPE, view_type(v, c->fallback_type));
	}
}

static void fill_object(const struct view *v, const struct kmt_class *c, struct row *out)
{
	put_s(out, ROW_CALL_SITE, trace_reader_string(v->reader, c->call_site));
	put_s(out, ROW_CACHE, trace_reader_string(v->reader, c->cache));
	if (c->kind != KMT_KMALLOC && c->kind != KMT_CACHE_ALLOC && c->kind != KMT_CACHE_BULK_ALLOC)
		return;
	put_u(out, ROW_GFP, c->gfp);
	put_u(out, ROW_BYTES_REQ, c->bytes_req);
	put_u(out, ROW_BYTES_ALLOC, c->bytes_alloc);
	if (c->node >= 0)
		put_i(out, ROW_NODE, c->node);
}

static bool is_object(unsigned int kind)
{
	return kind_info(kind)->family == FAMILY_SLAB;
}

static void fill_address(const struct trace_event *e, struct row *out)
{
	if (e->address == KMT_NO_PAGE)
		return;
	if (e->address & KMT_OPAQUE)
		put_u(out, ROW_OPAQUE, e->address & ~KMT_OPAQUE);
	else if (is_object(e->kind))
		put_u(out, ROW_PHYS, e->address << 3);
	else if (kind_info(e->kind)->address == ADDRESS_PFN)
		put_u(out, ROW_PFN, e->address);
}

bool rows_fill(struct rows *r, const struct trace_event *e, struct row *out)
{
	const struct kmt_class *c = trace_reader_class(r->view->reader, e->class_id);

	if (!c || e->cpu >= r->cpus)
		return false;
	if (e->kind == KMT_TASK) {
		r->task[e->cpu].pid = c->pid;
		r->task[e->cpu].comm = trace_reader_string(r->view->reader, c->comm);
		return false;
	}
	out->have = 0;
	put_u(out, ROW_TIME_NS, e->time_ns);
	put_i(out, ROW_CPU, e->cpu);
	put_s(out, ROW_EVENT, trace_kind_name(e->kind));
	if (r->task[e->cpu].comm) {
		put_i(out, ROW_PID, (int32_t)r->task[e->cpu].pid);
		put_s(out, ROW_COMM, r->task[e->cpu].comm);
	}
	fill_address(e, out);
	if (is_object(e->kind))
		fill_object(r->view, c, out);
	else if (kind_info(e->kind)->family == FAMILY_PAGE)
		fill_page(r->view, c, out);
	return true;
}
