/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* result_lifetimes.c - how long things live, by call site, and pages by order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/result.h"
#include "replay/result_evidence.h"
#include "trace/trace_io.h"

enum { HELD_MAX = 40, FREED_MAX = 40, POINTS_MAX = 40, PAGE_BYTES = 4096 };

/* Sites by string; pages by order and type, above all strings. */
#define PAGES_KEY (1ull << 32)

struct row {
	uint64_t key;
	uint64_t live_bytes;
	struct lifetime life;
	bool shown;
};

struct keyed {
	uint64_t key;
	uint32_t class_id;
};

static int by_key(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->class_id > b->class_id) - (a->class_id < b->class_id);
}

static int by_held(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->live_bytes != b->live_bytes)
		return a->live_bytes < b->live_bytes ? 1 : -1;
	return (a->key > b->key) - (a->key < b->key);
}

static int by_freed(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->life.freed != b->life.freed)
		return a->life.freed < b->life.freed ? 1 : -1;
	return (a->key > b->key) - (a->key < b->key);
}

static bool is_page(const struct kmt_class *c)
{
	return c->kind == KMT_PAGE_ALLOC || c->kind == KMT_BULK_PAGE;
}

static uint64_t key_of(const struct kmt_class *c)
{
	return is_page(c) ? PAGES_KEY | (uint64_t)c->order << 8 | c->migratetype : c->call_site;
}

/* Classes that allocated something, with what they are counted under. */
static struct keyed *keyed_classes(const struct replay *p, const struct lifetimes *l, size_t *n)
{
	struct keyed *k = calloc((size_t)p->nr_classes + 1, sizeof(*k));

	*n = 0;
	for (uint32_t i = 0; k && i < p->nr_classes; i++) {
		const struct lifetime *life = lifetimes_of(l, i);

		if (p->classes[i] && (life->freed || life->live))
			k[(*n)++] = (struct keyed){key_of(p->classes[i]), i};
	}
	if (*n)
		qsort(k, *n, sizeof(*k), by_key);
	return k;
}

static uint64_t bytes_of(const struct kmt_class *c)
{
	return is_page(c) ? (uint64_t)PAGE_BYTES << c->order : c->bytes_alloc;
}

static struct row *rows(const struct replay *p, const struct lifetimes *l, size_t *n)
{
	size_t nr_keyed;
	struct keyed *k = keyed_classes(p, l, &nr_keyed);
	struct row *r = calloc(nr_keyed + 1, sizeof(*r));

	*n = 0;
	for (size_t i = 0; k && r && i < nr_keyed; i++) {
		const struct lifetime *life = lifetimes_of(l, k[i].class_id);

		if (!*n || r[*n - 1].key != k[i].key)
			r[(*n)++].key = k[i].key;
		lifetime_add(&r[*n - 1].life, life);
		r[*n - 1].live_bytes += life->live * bytes_of(p->classes[k[i].class_id]);
	}
	free(k);
	return r;
}

static json_t *survival(const struct lifetime *l)
{
	struct lifetime_point at[POINTS_MAX];
	size_t n = lifetime_survival(l, at, POINTS_MAX);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("[I, f]", (json_int_t)at[i].ns, at[i].share));
	return list;
}

static json_t *row_json(const struct replay *p, const struct row *r)
{
	const struct lifetime *l = &r->life;
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:o}", "freed", (json_int_t)l->freed,
			      "freed_on_another_cpu", (json_int_t)l->across, "live",
			      (json_int_t)l->live, "live_bytes", (json_int_t)r->live_bytes,
			      "survival", survival(l));
	char name[64];

	if (r->key & PAGES_KEY) {
		snprintf(name, sizeof(name), "pages of order %u, %.40s",
			 (unsigned int)(r->key >> 8 & 0xff),
			 result_type_name(p, (unsigned int)(r->key & 0xff)));
		json_object_set_new(o, "name", json_string(name));
	} else {
		const char *site = trace_reader_string(p->reader, (uint32_t)r->key);

		json_object_set_new(o, "name", json_string(*site ? site : "(unknown)"));
	}
	if (l->freed) {
		json_object_set_new(o, "p50_ns",
				    json_integer((json_int_t)lifetime_quantile(l, 0.5)));
		json_object_set_new(o, "p90_ns",
				    json_integer((json_int_t)lifetime_quantile(l, 0.9)));
		json_object_set_new(o, "p99_ns",
				    json_integer((json_int_t)lifetime_quantile(l, 0.99)));
	}
	if (l->oldest_ns)
		json_object_set_new(o, "oldest_age_ns",
				    json_integer((json_int_t)(p->last_ns - l->oldest_ns)));
	return o;
}

json_t *result_lifetimes(const struct replay *p, const struct evidence *v)
{
	size_t n, shown = 0;
	struct row *r = rows(p, v->lifetimes, &n);
	json_t *list = json_array();

	if (r && n)
		qsort(r, n, sizeof(*r), by_freed);
	for (size_t i = 0; r && i < n && i < FREED_MAX; i++)
		r[i].shown = r[i].life.freed != 0;
	if (r && n)
		qsort(r, n, sizeof(*r), by_held);
	for (size_t i = 0; r && i < n; i++) {
		if (!r[i].shown && (i >= HELD_MAX || !r[i].live_bytes))
			continue;
		json_array_append_new(list, row_json(p, &r[i]));
		shown++;
	}
	free(r);
	return json_pack("{s:o, s:I}", "rows", list, "left_out", (json_int_t)(n - shown));
}
