/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dump_line.c - an event as a line.
 *
 * A line is head (time, CPU, kind), address and the class's fields. All but the
 * numbers is a copy, so ten million lines take seconds.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dump_line.h"
#include "trace/kinds.h"

enum { TEXT_MAX = DUMP_LINE_MAX - 256, NAME_MAX_BYTES = VIEW_STACK_BYTES };

/* What all events of a class share. */
struct shared {
	char *text; /* from behind the address to the newline */
	size_t bytes;
};

struct dump_lines {
	const struct view *v;
	bool json;
	struct shared *shared;
	uint32_t classes;
};

struct dump_lines *dump_lines_new(const struct view *v, bool json)
{
	struct dump_lines *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->v = v;
	d->json = json;
	d->classes = trace_reader_classes(v->reader);
	d->shared = calloc((size_t)d->classes + 1, sizeof(*d->shared));
	if (!d->shared) {
		free(d);
		return NULL;
	}
	return d;
}

void dump_lines_free(struct dump_lines *d)
{
	if (!d)
		return;
	for (uint32_t i = 0; i < d->classes; i++)
		free(d->shared[i].text);
	free(d->shared);
	free(d);
}

/* ---- A class's fields -------------------------------------------------- */

struct text {
	char data[TEXT_MAX];
	size_t n;
	bool json;
};

static void add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->data + t->n, sizeof(t->data) - t->n, format, ap);
	va_end(ap);
	if (n > 0)
		t->n += (size_t)n < sizeof(t->data) - t->n ? (size_t)n : sizeof(t->data) - t->n - 1;
}

static void add_number(struct text *t, const char *key, uint64_t value)
{
	add(t, t->json ? ",\"%s\":%" PRIu64 : " %s=%" PRIu64, key, value);
}

/* Names come from user space (commands): nothing that steers a terminal, and
 * nothing that ends a JSON string. */
static void add_name(struct text *t, const char *key, const char *name)
{
	char clean[NAME_MAX_BYTES];
	size_t n = 0;

	if (!*name)
		return;
	for (; *name && n + 1 < sizeof(clean); name++) {
		unsigned char c = (unsigned char)*name;
		bool bad = c < 0x20 || c >= 0x7f || (t->json && (c == '"' || c == '\\'));

		clean[n++] = bad ? '?' : (char)c;
	}
	clean[n] = 0;
	add(t, t->json ? ",\"%s\":\"%s\"" : " %s=%s", key, clean);
}

static void add_gfp(struct text *t, const struct kmt_class *c)
{
	add(t, t->json ? ",\"gfp\":%u" : " gfp=0x%x", c->gfp);
}

static void add_page(struct text *t, const struct view *v, const struct kmt_class *c)
{
	bool typed = c->kind == KMT_PAGE_ALLOC || c->kind == KMT_ZONE_LOCKED ||
		     c->kind == KMT_EXTFRAG || c->kind == KMT_PCPU_DRAIN;

	if (c->kind == KMT_CONTIG_ALLOC)
		add_number(t, "pages", c->bytes_alloc);
	else
		add_number(t, "order", c->order);
	if (typed)
		add_name(t, "migratetype", view_type(v, c->migratetype));
	if (c->kind == KMT_PAGE_ALLOC || c->kind == KMT_BULK_PAGE || c->kind == KMT_CONTIG_ALLOC)
		add_gfp(t, c);
	if (c->kind == KMT_PAGE_SPLIT)
		add_number(t, "new_order", c->fallback_order);
	if (c->kind == KMT_ZONE_LOCKED)
		add_number(t, "percpu_refill", c->percpu_refill);
	if (c->kind == KMT_EXTFRAG) {
		add_number(t, "fallback_order", c->fallback_order);
		add_name(t, "fallback_type", view_type(v, c->fallback_type));
	}
}

static void add_object(struct text *t, const struct view *v, const struct kmt_class *c)
{
	bool alloc = c->kind == KMT_KMALLOC || c->kind == KMT_CACHE_ALLOC ||
		     c->kind == KMT_CACHE_BULK_ALLOC;

	add_name(t, "call_site", trace_reader_string(v->reader, c->call_site));
	add_name(t, "cache", trace_reader_string(v->reader, c->cache));
	if (alloc || c->kind == KMT_CACHE_CREATE || c->kind == KMT_CACHE_DESTROY) {
		add_number(t, "bytes_req", c->bytes_req);
		add_number(t, "bytes_alloc", c->bytes_alloc);
	}
	if (!alloc)
		return;
	add_gfp(t, c);
	add_name(t, "context", trace_context_name(c));
	if (c->node >= 0)
		add_number(t, "node", (uint64_t)c->node);
}

static void add_area(struct text *t, const struct view *v, const struct kmt_class *c)
{
	if (c->kind == KMT_VMALLOC_ALLOC) {
		add_number(t, "pages", c->bytes_alloc);
		add_number(t, "align_order", c->order);
	}
	if (c->kind != KMT_PERCPU_ALLOC && c->kind != KMT_PERCPU_FAIL)
		return;
	add_name(t, "call_site", trace_reader_string(v->reader, c->call_site));
	add_number(t, "bytes_req", c->bytes_req);
	add_number(t, c->kind == KMT_PERCPU_ALLOC ? "bytes_alloc" : "align", c->bytes_alloc);
	if (c->kind == KMT_PERCPU_ALLOC && c->order && c->order < 32)
		add_number(t, "align", 1ull << c->order);
	add_number(t, "reserved", c->fallback_type & 1);
	add_number(t, "atomic", c->fallback_type >> 1 & 1);
	if (c->kind == KMT_PERCPU_ALLOC)
		add_gfp(t, c);
}

/* Which of the fields a kind has, as kinds.h says. */
static void add_pressure(struct text *t, const struct view *v, const struct kmt_class *c)
{
	static const struct {
		const char *detail;
		bool order, gfp;
	} has[KMT_KINDS] = {
		[KMT_RECLAIM_BEGIN] = {NULL, true, true},
		[KMT_MEMCG_RECLAIM_BEGIN] = {NULL, true, true},
		[KMT_NODE_RECLAIM_BEGIN] = {NULL, true, true},
		[KMT_COMPACT_BEGIN] = {"sync", true, true},
		[KMT_COMPACT_END] = {"result", false, false},
		[KMT_KSWAPD_WAKE] = {"zone", true, false},
		[KMT_WAKEUP_KSWAPD] = {"zone", true, true},
		[KMT_KCOMPACTD_WAKE] = {"zone", true, false},
		[KMT_WAKEUP_KCOMPACTD] = {"zone", true, false},
		[KMT_THROTTLED] = {"reason", false, false},
	};

	if (c->node >= 0)
		add_number(t, "node", (uint64_t)c->node);
	if (has[c->kind].order)
		add_number(t, "order", c->order);
	if (has[c->kind].detail)
		add_number(t, has[c->kind].detail, c->fallback_type);
	if (has[c->kind].gfp)
		add_gfp(t, c);
	if (c->kind == KMT_OOM_VICTIM) {
		add_name(t, "comm", trace_reader_string(v->reader, c->comm));
		add_number(t, "pid", c->pid);
	}
}

static void add_stack(struct text *t, const struct view *v, const struct kmt_class *c)
{
	char stack[VIEW_STACK_BYTES];

	add_name(t, "stack", view_stack(v, trace_class_stack(c), stack, sizeof(stack)));
}

static void add_task(struct text *t, const struct view *v, const struct kmt_class *c)
{
	add_name(t, "comm", trace_reader_string(v->reader, c->comm));
	add_number(t, "pid", c->pid);
	add_number(t, "tgid", c->tgid);
}

static const struct shared *shared_of(struct dump_lines *d, uint32_t id)
{
	struct shared *s = &d->shared[id];
	const struct kmt_class *c = trace_reader_class(d->v->reader, id);
	struct text t = {.json = d->json};

	if (s->text || !c)
		return s;
	switch (kind_info(c->kind)->family) {
	case FAMILY_PAGE:
		add_page(&t, d->v, c);
		break;
	case FAMILY_SLAB:
		add_object(&t, d->v, c);
		break;
	case FAMILY_PRESSURE:
		add_pressure(&t, d->v, c);
		break;
	case FAMILY_PERCPU:
	case FAMILY_VMALLOC:
		add_area(&t, d->v, c);
		break;
	default:
		add_task(&t, d->v, c);
	}
	add_stack(&t, d->v, c);
	add(&t, d->json ? "}\n" : "\n");
	s->text = malloc(t.n);
	if (!s->text)
		return s;
	memcpy(s->text, t.data, t.n);
	s->bytes = t.n;
	return s;
}

/* ---- A line ------------------------------------------------------------ */

static char *put_text(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

/* @value with at least @digits digits. */
static char *put_number(char *to, uint64_t value, unsigned int digits)
{
	char text[20];
	unsigned int n = 0;

	do {
		text[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value || n < digits);
	while (n)
		*to++ = text[--n];
	return to;
}

static char *put_hex(char *to, uint64_t value)
{
	unsigned int n = 1;

	while (n < 16 && value >> (4 * n))
		n++;
	*to++ = '0';
	*to++ = 'x';
	while (n--)
		*to++ = "0123456789abcdef"[value >> (4 * n) & 15];
	return to;
}

/* A name and its value, behind what stands before; text has most in hex. */
static char *put_value(const struct dump_lines *d, char *to, const char *key, uint64_t value)
{
	to = put_text(to, d->json ? ",\"" : " ");
	to = put_text(to, key);
	to = put_text(to, d->json ? "\":" : "=");
	return d->json ? put_number(to, value, 1) : put_hex(to, value);
}

/* A count of something: decimal in text too. */
static char *put_count(const struct dump_lines *d, char *to, const char *key, uint64_t value)
{
	to = put_text(to, d->json ? ",\"" : " ");
	to = put_text(to, key);
	to = put_text(to, d->json ? "\":" : "=");
	return put_number(to, value, 1);
}

/* What the address column tells, by its name; or that there is no address. */
static char *put_address(const struct dump_lines *d, char *to, const struct trace_event *e)
{
	const struct kind_info *k = kind_info(e->kind);

	if (k->address == ADDRESS_NONE)
		return to;
	if (e->address == KMT_NO_PAGE)
		return put_value(d, to, k->frees ? "null" : "failed", 1);
	if (k->address == ADDRESS_PFN)
		return put_value(d, to, "pfn", e->address);
	if (e->kind == KMT_MIGRATE_PAGES) {
		to = put_count(d, to, k->number, (uint32_t)e->address);
		return put_count(d, to, "failed", e->address >> 32);
	}
	if (k->address == ADDRESS_NUMBER)
		return put_count(d, to, k->number, e->address);
	if (e->address & KMT_OPAQUE)
		return put_value(d, to, "opaque", e->address & ~KMT_OPAQUE);
	if (k->address == ADDRESS_PERCPU) {
		to = put_count(d, to, "chunk", e->address >> 32);
		return put_value(d, to, "offset", (uint32_t)e->address);
	}
	return k->address == ADDRESS_VMALLOC ? put_value(d, to, "vmalloc_page", e->address)
					     : put_value(d, to, "phys", e->address << 3);
}

static char *text_head(const struct dump_lines *d, char *to, const struct trace_event *e,
		       uint64_t origin_ns)
{
	uint64_t t = e->time_ns - origin_ns;

	to = put_number(to, t / 1000000000, 1);
	*to++ = '.';
	to = put_number(to, t % 1000000000, 9);
	to = put_text(to, " [");
	to = put_number(to, e->cpu, 3);
	to = put_text(to, "] ");
	to = put_text(to, trace_kind_name(e->kind));
	return put_address(d, to, e);
}

static char *json_head(const struct dump_lines *d, char *to, const struct trace_event *e)
{
	to = put_text(to, "{\"time_ns\":");
	to = put_number(to, e->time_ns, 1);
	to = put_text(to, ",\"cpu\":");
	to = put_number(to, e->cpu, 1);
	to = put_text(to, ",\"kind\":\"");
	to = put_text(to, trace_kind_name(e->kind));
	*to++ = '"';
	return put_address(d, to, e);
}

size_t dump_line(struct dump_lines *d, const struct trace_event *e, uint64_t origin_ns, char *line)
{
	const struct shared *s = shared_of(d, e->class_id);
	char *to;

	if (!s->text)
		return 0;
	to = d->json ? json_head(d, line, e) : text_head(d, line, e, origin_ns);
	memcpy(to, s->text, s->bytes);
	return (size_t)(to + s->bytes - line);
}
