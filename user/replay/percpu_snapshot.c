/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* percpu_snapshot.c - see percpu_snapshot.h. */
#include "replay/percpu_snapshot.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "trace/text_json.h"
#include "trace/trace_io.h"

enum { PAGE_BYTES = 4096, WORD_BITS = 64, UNIT_BYTES_MAX = 1 << 25, CHUNKS_MAX = 1 << 16 };

static uint64_t field(const json_t *o, const char *name)
{
	return text_json_count(json_object_get(o, name));
}

/* UINT32_MAX: more than fits, which no kernel has */
static uint32_t at(const json_t *list, size_t i)
{
	json_int_t n = json_integer_value(json_array_get(list, i));

	return n < 0 || n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static size_t words_of_unit(const struct percpu_snapshot *s)
{
	return (s->unit_bytes / PAGE_BYTES + WORD_BITS - 1) / WORD_BITS;
}

static void take_populated(const struct percpu_snapshot *s, const json_t *runs, uint64_t *map)
{
	uint64_t pages = s->unit_bytes / PAGE_BYTES;
	const json_t *run;
	size_t i;

	json_array_foreach (runs, i, run) {
		uint64_t first = at(run, 0), end = first + at(run, 1);

		for (uint64_t page = first; page < end && page < pages; page++)
			map[page / WORD_BITS] |= 1ull << page % WORD_BITS;
	}
}

static void take_chunk(struct percpu_snapshot *s, const json_t *from)
{
	struct rmm_percpu_load_area *area = s->all + s->areas;
	uint64_t *map = s->maps + s->n * words_of_unit(s);
	struct snapshot_chunk *c = &s->chunk[s->n++];
	const json_t *list = json_object_get(from, "areas"), *one;
	size_t i;

	*c = (struct snapshot_chunk){
		.number = (uint32_t)field(from, "chunk"),
		.first = json_is_true(json_object_get(from, "first")),
		.reserved = json_is_true(json_object_get(from, "reserved")),
		.isolated = json_is_true(json_object_get(from, "isolated")),
		.slot = (int)field(from, "slot"),
		.free_bytes = field(from, "free_bytes"),
		.contig_bytes = field(from, "contig_bytes"),
		.nr_populated = (uint32_t)field(from, "nr_populated"),
		.empty_pages = (uint32_t)field(from, "empty_pages"),
		.populated = map,
		.area = area,
	};
	take_populated(s, json_object_get(from, "populated"), map);
	json_array_foreach (list, i, one) {
		area[c->n++] = (struct rmm_percpu_load_area){at(one, 0), at(one, 1)};
	}
	s->areas += c->n;
}

static bool is_layout(const struct percpu_snapshot *s)
{
	return s->unit_bytes && s->unit_bytes % PAGE_BYTES == 0 && s->unit_bytes <= UNIT_BYTES_MAX;
}

static int take(struct percpu_snapshot *s, const json_t *doc)
{
	const json_t *chunks = json_object_get(doc, "chunks"), *one;
	const json_t *times = json_object_get(doc, "time_ns");
	size_t n = json_array_size(chunks), areas = 0, firsts = 0, i;

	s->unit_bytes = field(doc, "unit_bytes");
	s->static_bytes = field(doc, "static_bytes");
	s->reserved_bytes = field(doc, "reserved_bytes");
	s->dyn_bytes = field(doc, "dyn_bytes");
	s->atom_bytes = field(doc, "atom_bytes");
	s->t_first_ns = (uint64_t)json_integer_value(json_array_get(times, 0));
	s->t_last_ns = (uint64_t)json_integer_value(json_array_get(times, 1));
	json_array_foreach (chunks, i, one) {
		areas += json_array_size(json_object_get(one, "areas"));
		firsts += json_is_true(json_object_get(one, "first"));
	}
	if (!is_layout(s) || firsts != 1 || n > CHUNKS_MAX || json_array_size(times) != 2)
		return 0;
	s->chunk = calloc(n, sizeof(*s->chunk));
	s->maps = calloc(n * words_of_unit(s), sizeof(*s->maps));
	s->all = calloc(areas + 1, sizeof(*s->all));
	if (!s->chunk || !s->maps || !s->all)
		return -ENOMEM;
	json_array_foreach (chunks, i, one) {
		take_chunk(s, one);
	}
	s->known = true;
	return 0;
}

int percpu_snapshot_read(struct percpu_snapshot *s, struct trace_reader *r, uint16_t phase)
{
	json_t *doc = trace_reader_json(r, "kmemlab/percpu", phase);
	int err;

	memset(s, 0, sizeof(*s));
	err = doc ? take(s, doc) : 0;
	json_decref(doc);
	return err;
}

void percpu_snapshot_free(struct percpu_snapshot *s)
{
	free(s->chunk);
	free(s->maps);
	free(s->all);
	memset(s, 0, sizeof(*s));
}

uint64_t percpu_snapshot_pages(const struct percpu_snapshot *s)
{
	uint64_t pages = (s->static_bytes + s->reserved_bytes + s->dyn_bytes) / PAGE_BYTES;

	for (size_t i = 0; i < s->n; i++)
		if (!s->chunk[i].first && !s->chunk[i].reserved)
			pages += s->chunk[i].nr_populated;
	return pages;
}

/* ---- As percpu_stats has it ------------------------------------------------ */

static int by_size(const void *x, const void *y)
{
	const struct rmm_percpu_load_area *a = x, *b = y;

	return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* @scratch has room for all areas of a chunk. */
static struct proc_percpu_chunk stats_of(const struct snapshot_chunk *c,
					 struct rmm_percpu_load_area *scratch)
{
	struct proc_percpu_chunk o = {
		.first = c->first,
		.reserved = c->reserved,
		.areas = c->n,
		.free_bytes = c->free_bytes,
		.contig_bytes = c->contig_bytes,
	};

	if (!c->n)
		return o;
	memcpy(scratch, c->area, c->n * sizeof(*scratch));
	qsort(scratch, c->n, sizeof(*scratch), by_size);
	o.min_bytes = scratch[0].bytes;
	o.med_bytes = scratch[(c->n - 1) / 2].bytes;
	o.max_bytes = scratch[c->n - 1].bytes;
	return o;
}

int percpu_snapshot_stats(const struct percpu_snapshot *s, struct proc_percpu *out)
{
	struct rmm_percpu_load_area *scratch = calloc(s->areas + 1, sizeof(*scratch));

	*out = (struct proc_percpu){
		.unit_bytes = s->unit_bytes,
		.static_bytes = s->static_bytes,
		.reserved_bytes = s->reserved_bytes,
		.dyn_bytes = s->dyn_bytes,
		.atom_bytes = s->atom_bytes,
		.areas = s->areas,
		.chunks = calloc(s->n + 1, sizeof(*out->chunks)),
	};
	if (!scratch || !out->chunks) {
		proc_percpu_free(out);
		free(scratch);
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct snapshot_chunk *c = &s->chunk[i];

		out->chunks[out->n++] = stats_of(c, scratch);
		/* pcpu_nr_chunks and pcpu_nr_empty_pop_pages */
		out->nr_chunks += !c->reserved;
		out->empty_pages += c->reserved || c->isolated ? 0 : c->empty_pages;
	}
	free(scratch);
	return 0;
}

static bool is_alike(const struct proc_percpu_chunk *a, const struct proc_percpu_chunk *b)
{
	return a->first == b->first && a->reserved == b->reserved && a->areas == b->areas &&
	       a->free_bytes == b->free_bytes && a->contig_bytes == b->contig_bytes &&
	       a->min_bytes == b->min_bytes && a->med_bytes == b->med_bytes &&
	       a->max_bytes == b->max_bytes;
}

size_t percpu_stats_alike(const struct proc_percpu *a, const struct proc_percpu *b)
{
	bool *taken = calloc(b->n + 1, sizeof(*taken));
	size_t alike = 0;

	for (size_t i = 0; taken && i < a->n; i++) {
		size_t k = 0;

		while (k < b->n && (taken[k] || !is_alike(&a->chunks[i], &b->chunks[k])))
			k++;
		if (k == b->n)
			continue;
		taken[k] = true;
		alike++;
	}
	free(taken);
	return alike;
}
