/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * folded.c - who allocates, as stacks: command, then cache (or the order of pages), then
 * call site. Flame graph tools take the lines; speedscope takes JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "export/export.h"
#include "metrics/stat_count.h"

enum { BATCH = 1 << 12, FRAMES = 3, FRAME_BYTES = 256, PAGE_BYTES = 4096 };

struct stack {
	char frame[FRAMES][FRAME_BYTES]; /* "" ends it early */
	uint64_t weight;
};

struct stacks {
	struct stack *at;
	size_t n, room;
};

static bool is_page(const struct kmt_class *c)
{
	return c->kind == KMT_PAGE_ALLOC || c->kind == KMT_STACK_PAGE || c->kind == KMT_BULK_PAGE;
}

/* What a source weighs: 0 for frees and what is no allocation. */
static uint64_t weight_of(const struct stat_source *s, const struct kmt_class *c,
			  enum export_weight weight)
{
	bool page = is_page(c);
	uint64_t each = page ? (uint64_t)PAGE_BYTES << c->order : c->bytes_alloc;
	uint64_t allocs = s->events - s->twice - s->failed;

	if (!page && c->kind != KMT_KMALLOC && c->kind != KMT_CACHE_ALLOC)
		return 0;
	if (weight == EXPORT_ALLOCS)
		return allocs;
	if (weight == EXPORT_BYTES)
		return allocs * each;
	return page ? s->live * PAGE_BYTES : s->live * each;
}

/* Semicolons and spaces mean something in folded stacks. */
static void name_frame(char *frame, const char *name)
{
	size_t n = 0;

	for (; *name && n + 1 < FRAME_BYTES; name++) {
		unsigned char c = (unsigned char)*name;

		frame[n++] = c <= ' ' || c >= 0x7f || c == ';' ? '_' : (char)c;
	}
	frame[n] = '\0';
}

static int add(struct stacks *all, const struct stack *s)
{
	if (all->n == all->room) {
		size_t room = all->room ? all->room * 2 : 256;
		struct stack *more = realloc(all->at, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		all->at = more;
		all->room = room;
	}
	all->at[all->n++] = *s;
	return 0;
}

static int add_source(struct stacks *all, const struct view *v, const struct stat_source *s,
		      enum export_weight weight)
{
	const struct kmt_class *c = trace_reader_class(v->reader, s->class_id);
	const char *comm = trace_reader_string(v->reader, s->comm);
	struct stack stack = {0};

	stack.weight = c ? weight_of(s, c, weight) : 0;
	if (!stack.weight)
		return 0;
	name_frame(stack.frame[0], *comm ? comm : "(unknown)");
	if (c->kind == KMT_STACK_PAGE) {
		name_frame(stack.frame[1], "kernel_stacks");
	} else if (c->kind == KMT_BULK_PAGE) {
		name_frame(stack.frame[1], "pages_in_bulk");
	} else if (c->kind == KMT_PAGE_ALLOC) {
		snprintf(stack.frame[1], FRAME_BYTES, "pages_of_order_%u", c->order);
		name_frame(stack.frame[2], view_type(v, c->migratetype));
	} else {
		const char *cache = trace_reader_string(v->reader, c->cache);

		name_frame(stack.frame[1], *cache ? cache : "large_kmalloc");
		name_frame(stack.frame[2], trace_reader_string(v->reader, c->call_site));
	}
	return add(all, &stack);
}

static int by_frames(const void *x, const void *y)
{
	const struct stack *a = x, *b = y;
	int order = 0;

	for (int i = 0; i < FRAMES && !order; i++)
		order = strcmp(a->frame[i], b->frame[i]);
	return order;
}

/* Sorted, equal stacks summed. */
static void join(struct stacks *all)
{
	size_t kept = 0;

	if (all->n)
		qsort(all->at, all->n, sizeof(*all->at), by_frames);
	for (size_t i = 0; i < all->n; i++) {
		if (kept && !by_frames(&all->at[kept - 1], &all->at[i]))
			all->at[kept - 1].weight += all->at[i].weight;
		else
			all->at[kept++] = all->at[i];
	}
	all->n = kept;
}

static int collect(struct stacks *all, const struct view *v, enum export_weight weight)
{
	static struct trace_event e[BATCH];
	struct stat_count *counts = stat_count_new(v->reader);
	const struct stat_source *sources;
	uint32_t n_sources;
	int err = counts ? 0 : -ENOMEM;
	long n;

	while (!err && (n = trace_reader_next(v->reader, e, BATCH)) != 0)
		err = n < 0 ? (int)n : stat_count_feed(counts, e, n);
	if (!err) {
		sources = stat_count_sources(counts, &n_sources);
		for (uint32_t i = 0; i < n_sources && !err; i++)
			err = add_source(all, v, &sources[i], weight);
	}
	stat_count_free(counts);
	join(all);
	return err;
}

int export_folded(const struct view *v, FILE *out, enum export_weight weight)
{
	struct stacks all = {0};
	int err = collect(&all, v, weight);

	for (size_t i = 0; i < all.n && !err; i++) {
		const struct stack *s = &all.at[i];

		fprintf(out, "%s;%s%s%s %" PRIu64 "\n", s->frame[0], s->frame[1],
			*s->frame[2] ? ";" : "", s->frame[2], s->weight);
	}
	free(all.at);
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	return err;
}

/* Index of a frame's name in @frames; added if it is new. */
static json_t *frame_index(json_t *frames, json_t *known, const char *name)
{
	json_t *index = json_object_get(known, name);

	if (!index) {
		index = json_integer((json_int_t)json_array_size(frames));
		json_object_set_new(known, name, index);
		json_array_append_new(frames, json_pack("{s:s}", "name", name));
	}
	return json_incref(index);
}

static json_t *speedscope(const struct stacks *all, const char *name, enum export_weight weight)
{
	json_t *frames = json_array(), *known = json_object();
	json_t *samples = json_array(), *weights = json_array();
	uint64_t sum = 0;

	for (size_t i = 0; i < all->n; i++) {
		json_t *sample = json_array();

		for (int f = 0; f < FRAMES && *all->at[i].frame[f]; f++)
			json_array_append_new(sample,
					      frame_index(frames, known, all->at[i].frame[f]));
		json_array_append_new(samples, sample);
		json_array_append_new(weights, json_integer((json_int_t)all->at[i].weight));
		sum += all->at[i].weight;
	}
	json_decref(known);
	return json_pack("{s:s, s:s, s:{s:o}, s:[{s:s, s:s, s:s, s:i, s:I, s:o, s:o}]}", "$schema",
			 "https://www.speedscope.app/file-format-schema.json", "exporter",
			 "kmemlab " KMEMLAB_VERSION, "shared", "frames", frames, "profiles", "type",
			 "sampled", "name", name, "unit",
			 weight == EXPORT_ALLOCS ? "none" : "bytes", "startValue", 0, "endValue",
			 (json_int_t)sum, "samples", samples, "weights", weights);
}

int export_speedscope(const struct view *v, FILE *out, enum export_weight weight)
{
	struct stacks all = {0};
	int err = collect(&all, v, weight);
	json_t *doc = err ? NULL : speedscope(&all, v->name, weight);

	if (!err && (!doc || json_dumpf(doc, out, JSON_COMPACT)))
		err = doc ? -EIO : -ENOMEM;
	json_decref(doc);
	free(all.at);
	if (!err && (putc('\n', out) == EOF || fflush(out)))
		err = -EIO;
	return err;
}
