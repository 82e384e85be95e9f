/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * folded.c - who allocates, as stacks: command, the kernel's functions where the trace
 * has stacks, then cache (or the order of pages and their type), then, without stacks, call
 * site. Flame graph tools take the lines; speedscope takes JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "export/export.h"
#include "metrics/objects.h"
#include "metrics/stat_count.h"

enum { BATCH = 1 << 12, STACK_BYTES = 1 << 14, PAGE_BYTES = 4096 };

struct stack {
	char *frames; /* the outermost first, with semicolons between */
	uint64_t weight;
};

struct stacks {
	struct stack *at;
	size_t n, room;
};

/* One stack being put together. */
struct frames {
	char text[STACK_BYTES];
	size_t n;
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

	if (!page && !objects_allocates(c->kind))
		return 0;
	if (weight == EXPORT_ALLOCS)
		return allocs;
	if (weight == EXPORT_BYTES)
		return allocs * each;
	return page ? s->live * PAGE_BYTES : s->live * each;
}

/* One frame more, if it has a name. Semicolons and spaces mean something in folded stacks. */
static void add_frame(struct frames *f, const char *name, size_t bytes)
{
	if (!bytes || f->n + bytes + 2 > sizeof(f->text))
		return;
	if (f->n)
		f->text[f->n++] = ';';
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)name[i];

		f->text[f->n++] = c <= ' ' || c >= 0x7f || c == ';' ? '_' : (char)c;
	}
	f->text[f->n] = '\0';
}

static void add_name(struct frames *f, const char *name)
{
	add_frame(f, name, strlen(name));
}

/* Functions without offsets: a function is one frame, wherever in it calls are. */
static bool add_callers(struct frames *f, const struct view *v, const struct kmt_class *c)
{
	const uint32_t *frame;
	uint32_t n = trace_reader_stack(v->reader, trace_class_stack(c), &frame);

	for (uint32_t i = n; i-- > 0;) {
		const char *name = trace_reader_string(v->reader, frame[i]);

		add_frame(f, *name ? name : "?", *name ? strcspn(name, "+") : 1);
	}
	return n > 0;
}

/* What was allocated, and, where no stack tells it, by whom or of what type. */
static void add_allocated(struct frames *f, const struct view *v, const struct kmt_class *c,
			  bool has_stack)
{
	const char *cache = trace_reader_string(v->reader, c->cache);
	char order[32];

	switch (c->kind) {
	case KMT_STACK_PAGE:
		add_name(f, "kernel_stacks");
		break;
	case KMT_BULK_PAGE:
		add_name(f, "pages_in_bulk");
		break;
	case KMT_PAGE_ALLOC:
		snprintf(order, sizeof(order), "pages_of_order_%u", c->order);
		add_name(f, order);
		add_name(f, view_type(v, c->migratetype));
		break;
	default:
		add_name(f, *cache ? cache : "large_kmalloc");
		if (!has_stack)
			add_name(f, trace_reader_string(v->reader, c->call_site));
	}
}

static int add(struct stacks *all, const char *frames, uint64_t weight)
{
	if (all->n == all->room) {
		size_t room = all->room ? all->room * 2 : 256;
		struct stack *more = realloc(all->at, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		all->at = more;
		all->room = room;
	}
	all->at[all->n] = (struct stack){strdup(frames), weight};
	if (!all->at[all->n].frames)
		return -ENOMEM;
	all->n++;
	return 0;
}

static void free_stacks(struct stacks *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->at[i].frames);
	free(all->at);
}

static int add_source(struct stacks *all, const struct view *v, const struct stat_source *s,
		      enum export_weight weight)
{
	const struct kmt_class *c = trace_reader_class(v->reader, s->class_id);
	const char *comm = trace_reader_string(v->reader, s->comm);
	uint64_t n = c ? weight_of(s, c, weight) : 0;
	struct frames f = {.n = 0};

	if (!n)
		return 0;
	add_name(&f, *comm ? comm : "(unknown)");
	add_allocated(&f, v, c, add_callers(&f, v, c));
	return add(all, f.text, n);
}

static int by_frames(const void *x, const void *y)
{
	return strcmp(((const struct stack *)x)->frames, ((const struct stack *)y)->frames);
}

/* Sorted, equal stacks summed. */
static void join(struct stacks *all)
{
	size_t kept = 0;

	if (all->n)
		qsort(all->at, all->n, sizeof(*all->at), by_frames);
	for (size_t i = 0; i < all->n; i++) {
		if (kept && !by_frames(&all->at[kept - 1], &all->at[i])) {
			all->at[kept - 1].weight += all->at[i].weight;
			free(all->at[i].frames);
		} else {
			all->at[kept++] = all->at[i];
		}
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

	for (size_t i = 0; i < all.n && !err; i++)
		fprintf(out, "%s %" PRIu64 "\n", all.at[i].frames, all.at[i].weight);
	free_stacks(&all);
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
		char *rest = all->at[i].frames, *frame;

		while ((frame = strsep(&rest, ";")))
			json_array_append_new(sample, frame_index(frames, known, frame));
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
	free_stacks(&all);
	if (!err && (putc('\n', out) == EOF || fflush(out)))
		err = -EIO;
	return err;
}
