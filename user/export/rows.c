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
	[ROW_PAGES] = {"pages", ROW_U64},
	[ROW_NUMBER] = {"number", ROW_U64},
	[ROW_DETAIL] = {"detail", ROW_I32},
	[ROW_FAILED] = {"failed", ROW_U64},
	[ROW_CONTEXT] = {"context", ROW_STRING},
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

/* Which fields of struct kmt_class a kind has, as kinds.h says. */
#define BIT(kind)     (1ull << (kind))
#define OBJECT_ALLOCS (BIT(KMT_KMALLOC) | BIT(KMT_CACHE_ALLOC) | BIT(KMT_CACHE_BULK_ALLOC))
#define RECLAIM_BEGINS                                                                             \
	(BIT(KMT_RECLAIM_BEGIN) | BIT(KMT_MEMCG_RECLAIM_BEGIN) | BIT(KMT_NODE_RECLAIM_BEGIN))
#define WAKES                                                                                      \
	(BIT(KMT_KSWAPD_WAKE) | BIT(KMT_WAKEUP_KSWAPD) | BIT(KMT_KCOMPACTD_WAKE) |                 \
	 BIT(KMT_WAKEUP_KCOMPACTD))

static const uint64_t with_order = RECLAIM_BEGINS | WAKES | BIT(KMT_COMPACT_BEGIN) |
				   BIT(KMT_VMALLOC_ALLOC) |
				   BIT(KMT_PERCPU_ALLOC); /* beside all of pages */
static const uint64_t with_type =
	BIT(KMT_PAGE_ALLOC) | BIT(KMT_ZONE_LOCKED) | BIT(KMT_PCPU_DRAIN) | BIT(KMT_EXTFRAG);
static const uint64_t with_gfp = OBJECT_ALLOCS | RECLAIM_BEGINS | BIT(KMT_PAGE_ALLOC) |
				 BIT(KMT_BULK_PAGE) | BIT(KMT_CONTIG_ALLOC) |
				 BIT(KMT_PERCPU_ALLOC) | BIT(KMT_COMPACT_BEGIN) |
				 BIT(KMT_WAKEUP_KSWAPD);
static const uint64_t with_fallback_order = BIT(KMT_EXTFRAG) | BIT(KMT_PAGE_SPLIT);
static const uint64_t with_bytes =
	OBJECT_ALLOCS | BIT(KMT_CACHE_CREATE) | BIT(KMT_CACHE_DESTROY) | BIT(KMT_PERCPU_ALLOC);
static const uint64_t with_node = OBJECT_ALLOCS | WAKES | BIT(KMT_NODE_RECLAIM_BEGIN) |
				  BIT(KMT_KSWAPD_SLEEP) | BIT(KMT_KCOMPACTD_SLEEP) |
				  BIT(KMT_THROTTLED);
static const uint64_t with_pages = BIT(KMT_CONTIG_ALLOC) | BIT(KMT_VMALLOC_ALLOC);
static const uint64_t with_detail = WAKES | BIT(KMT_COMPACT_BEGIN) | BIT(KMT_COMPACT_END) |
				    BIT(KMT_THROTTLED) | BIT(KMT_PERCPU_ALLOC) |
				    BIT(KMT_PERCPU_FAIL);

static bool has(const struct kmt_class *c, uint64_t kinds)
{
	return kinds >> c->kind & 1;
}

static void fill_order(const struct view *v, const struct kmt_class *c, struct row *out)
{
	bool pages = kind_info(c->kind)->family == FAMILY_PAGE && c->kind != KMT_CONTIG_ALLOC;

	/* Alignments of per-CPU memory are 0 where older traces do not tell them. */
	if (pages || (has(c, with_order) && (c->kind != KMT_PERCPU_ALLOC || c->order)))
		put_i(out, ROW_ORDER, c->order);
	if (has(c, with_type))
		put_s(out, ROW_MIGRATETYPE, view_type(v, c->migratetype));
	if (has(c, with_fallback_order))
		put_i(out, ROW_FALLBACK_ORDER, c->fallback_order);
	if (c->kind == KMT_EXTFRAG)
		put_s(out, ROW_FALLBACK_TYPE, view_type(v, c->fallback_type));
}

static void fill_class(const struct view *v, const struct kmt_class *c, struct row *out)
{
	fill_order(v, c, out);
	put_s(out, ROW_CALL_SITE, trace_reader_string(v->reader, c->call_site));
	put_s(out, ROW_CACHE, trace_reader_string(v->reader, c->cache));
	put_s(out, ROW_CONTEXT, trace_context_name(c));
	if (has(c, with_gfp))
		put_u(out, ROW_GFP, c->gfp);
	if (has(c, with_bytes | BIT(KMT_PERCPU_FAIL)))
		put_u(out, ROW_BYTES_REQ, c->bytes_req);
	if (has(c, with_bytes))
		put_u(out, ROW_BYTES_ALLOC, c->bytes_alloc);
	if (has(c, with_pages))
		put_u(out, ROW_PAGES, c->bytes_alloc);
	if (has(c, with_node) && c->node >= 0)
		put_i(out, ROW_NODE, c->node);
	if (has(c, with_detail))
		put_i(out, ROW_DETAIL, c->fallback_type);
	if (c->kind == KMT_ZONE_LOCKED)
		put_i(out, ROW_DETAIL, c->percpu_refill);
}

/*
 * What a kind counts (kind_info.number), or where it is, if that is no frame or object:
 * per-CPU memory at chunk << 32 | offset, a vmalloc area at the page from the first. An
 * OOM kill has its victim's pid, a failed per-CPU allocation its alignment.
 */
static void fill_number(const struct trace_event *e, const struct kmt_class *c, struct row *out)
{
	const struct kind_info *k = kind_info(e->kind);

	if (e->kind == KMT_MIGRATE_PAGES) {
		put_u(out, ROW_NUMBER, (uint32_t)e->address);
		put_u(out, ROW_FAILED, e->address >> 32);
	} else if (e->kind == KMT_OOM_VICTIM) {
		put_u(out, ROW_NUMBER, c->pid);
	} else if (e->kind == KMT_PERCPU_FAIL) {
		put_u(out, ROW_NUMBER, c->bytes_alloc);
	} else if (k->address == ADDRESS_NUMBER || k->address == ADDRESS_PERCPU ||
		   k->address == ADDRESS_VMALLOC) {
		put_u(out, ROW_NUMBER, e->address);
	}
}

static void fill_address(const struct trace_event *e, const struct kmt_class *c, struct row *out)
{
	const struct kind_info *k = kind_info(e->kind);
	bool number = k->address == ADDRESS_NUMBER || k->address == ADDRESS_NONE;

	if (!number && e->address == KMT_NO_PAGE) {
		if (!k->frees)
			put_u(out, ROW_FAILED, 1);
	} else if (!number && e->address & KMT_OPAQUE) {
		put_u(out, ROW_OPAQUE, e->address & ~KMT_OPAQUE);
	} else if (k->address == ADDRESS_OBJECT) {
		put_u(out, ROW_PHYS, e->address << 3);
	} else if (k->address == ADDRESS_PFN) {
		put_u(out, ROW_PFN, e->address);
	} else {
		fill_number(e, c, out);
	}
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
	fill_address(e, c, out);
	fill_class(r->view, c, out);
	return true;
}
