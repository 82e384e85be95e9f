// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * percpu_walk.c - run the programs of percpu_walk.bpf.c and write what they found. All
 * or nothing: a chunk left out would be read as one that is not there.
 */
#include "percpu_walk.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kmemlab/percpu_walk.h>

#include "consume.h"
#include "percpu_areas.h"
#include "percpu_walk.skel.h"
#include "record.h"
#include "run_prog.h"

enum {
	TRIES = 50,	   /* of all */
	CHUNK_TRIES = 200, /* of one chunk */
	NAP_NS = 50000,
	AREAS_MAX = 1 << 20, /* a block of the trace has room for these */
	PAGE_BYTES = 4096,
	PROVOKED_BYTES = 32 << 10, /* the most that there can be: not in the first chunk */
};

/* Have the kernel make an area while a program watches. It lives until @fd is closed. */
static int provoke(struct percpu_walk *w)
{
	int fd = -1, err;

	w->bss->tgid = (uint32_t)getpid();
	w->links.see_area = bpf_program__attach(w->progs.see_area);
	if (w->links.see_area)
		fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "kmemlab", 4, PROVOKED_BYTES, 1,
				    NULL);
	err = fd < 0 ? -errno : 0;
	percpu_walk__detach(w);
	return err ? err : fd;
}

/* Lists that never are whole are none. */
static int settle(struct percpu_walk *w)
{
	int err;

	for (int i = 0; i < TRIES; i++) {
		err = run_prog(w->progs.find_chunks);
		if (err || w->bss->percpu.status != KML_PERCPU_BUSY)
			break;
	}
	if (!err && w->bss->percpu.status != KML_PERCPU_DONE)
		err = -ENOENT;
	return err;
}

/* Where kallsyms shows no data, by an area of our own. */
static int seek(struct percpu_walk *w)
{
	int err = settle(w), fd;

	if (err != -ENOENT)
		return err;
	fd = provoke(w);
	if (fd < 0)
		return fd;
	err = run_prog(w->progs.search_chunks);
	err = err ? err : settle(w);
	close(fd);
	return err;
}

struct percpu_walk *percpu_walk_open(const struct kernel_bases *bases)
{
	struct percpu_walk *w = percpu_walk__open();
	int err;

	if (!w)
		return NULL;
	w->rodata->vmemmap_base = bases->vmemmap;
	w->rodata->page_offset = bases->page_offset;
	w->rodata->page_struct_bytes = bases->page_struct_bytes;
	err = percpu_walk__load(w);
	err = err ? err : seek(w);
	if (!err)
		return w;
	percpu_walk__destroy(w);
	errno = -err;
	return NULL;
}

void percpu_walk_close(struct percpu_walk *w)
{
	percpu_walk__destroy(w);
}

const char *percpu_walk_why(int err)
{
	switch (-err) {
	case ENOENT:
		return "the kernel's chunks were not found";
	case EBUSY:
		return "they changed all the time";
	case E2BIG:
		return "there are too many";
	default:
		return strerror(-err);
	}
}

/* ---- Reading ------------------------------------------------------------- */

static int status_error(const struct kml_percpu *p)
{
	switch (p->status) {
	case KML_PERCPU_DONE:
		return 0;
	case KML_PERCPU_BUSY:
		return -EBUSY;
	case KML_PERCPU_FULL:
		return -E2BIG;
	default:
		return -ENOENT;
	}
}

/* The reserved chunk is on no list: it comes first, as in percpu_stats. */
static int find(struct percpu_walk *w)
{
	struct kml_percpu *p = &w->bss->percpu;
	int err = run_prog(w->progs.find_chunks);

	err = err ? err : status_error(p);
	if (err || !p->reserved)
		return err;
	if (p->n == KML_PERCPU_CHUNKS)
		return -E2BIG;
	memmove(&p->chunk[1], &p->chunk[0], p->n++ * sizeof(p->chunk[0]));
	p->chunk[0] = (struct kml_percpu_place){.address = p->reserved};
	return 0;
}

static int run_read(struct percpu_walk *w)
{
	int err = run_prog(w->progs.read_chunk);

	return err ? err : status_error(&w->bss->percpu);
}

/* Until two readings, one after the other, are alike. */
static int read_chunk(struct percpu_walk *w, uint64_t at, struct kml_percpu_chunk *before)
{
	struct kml_percpu *p = &w->bss->percpu;
	int err;

	p->at = at;
	err = run_read(w);
	for (int i = 0; i < CHUNK_TRIES && !err; i++) {
		*before = p->of;
		err = run_read(w);
		if (!err && percpu_chunk_same(before, &p->of) && percpu_chunk_sound(&p->of))
			return 0;
	}
	return err ? err : -EBUSY;
}

/* ---- Writing ------------------------------------------------------------- */

typedef bool next_run(const struct kml_percpu_chunk *c, struct percpu_run *r);

/* [[where, how many], ...] */
static json_t *runs_json(const struct kml_percpu_chunk *c, next_run *next)
{
	struct percpu_run r = {0};
	json_t *o = json_array();

	while (next(c, &r))
		json_array_append_new(o, json_pack("[I, I]", (json_int_t)r.at, (json_int_t)r.n));
	return o;
}

/* What comes of a reading. */
struct reading {
	json_t *chunks;
	struct kml_percpu_chunk *scratch;
	long areas;
	/* Bytes of a unit: static variables, the reserved chunk, the first chunk */
	uint64_t fixed, reserved, dyn;
};

static json_t *chunk_json(const struct kml_percpu *p, const struct kml_percpu_place *place,
			  struct consumer *consumer)
{
	const struct kml_percpu_chunk *c = &p->of;

	return json_pack("{s:I, s:b, s:b, s:i, s:b, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "chunk",
			 (json_int_t)consumer_percpu_chunk(consumer, c->base), "first",
			 place->address == p->first, "reserved", place->address == p->reserved,
			 "slot", (int)place->slot, "isolated", (int)c->isolated, "pages",
			 (int)c->pages, "free_bytes", (int)c->free_bytes, "contig_bytes",
			 (int)c->contig_bits * 4, "nr_populated", (int)c->nr_populated,
			 "empty_pages", (int)c->empty_pages, "populated",
			 runs_json(c, percpu_next_populated), "areas",
			 runs_json(c, percpu_next_area));
}

/* Of the chunk just read; the first one begins where the reserved one ends. */
static void note_layout(const struct kml_percpu *p, uint64_t address, struct reading *r)
{
	const struct kml_percpu_chunk *c = &p->of;
	uint64_t own = (uint64_t)c->pages * PAGE_BYTES - (uint64_t)c->start_offset -
		       (uint64_t)c->end_offset;

	if (address == p->reserved)
		r->reserved = own;
	if (address != p->first)
		return;
	r->dyn = own;
	r->fixed = c->base + (uint64_t)c->start_offset - p->base;
}

static int add_chunks(struct percpu_walk *w, struct reading *r, struct consumer *consumer)
{
	struct kml_percpu *p = &w->bss->percpu;

	for (uint32_t i = 0; i < p->n; i++) {
		int err = read_chunk(w, p->chunk[i].address, r->scratch);
		json_t *o = err ? NULL : chunk_json(p, &p->chunk[i], consumer);

		if (err || json_array_append_new(r->chunks, o))
			return err ? err : -ENOMEM;
		note_layout(p, p->chunk[i].address, r);
		r->areas += (long)json_array_size(json_object_get(o, "areas"));
		if (r->areas > AREAS_MAX)
			return -E2BIG;
	}
	return 0;
}

static int by_address(const void *x, const void *y)
{
	const struct kml_percpu_place *a = x, *b = y;

	return (a->address > b->address) - (a->address < b->address);
}

/* The same chunks as @before, whatever slots they are in now, and none twice? */
static int find_again(struct percpu_walk *w, struct kml_percpu_place *before, uint32_t n)
{
	struct kml_percpu *p = &w->bss->percpu;
	int err = find(w);

	if (err || p->n != n)
		return err ? err : -EBUSY;
	qsort(before, n, sizeof(*before), by_address);
	qsort(p->chunk, n, sizeof(*before), by_address);
	for (uint32_t i = 0; i < n; i++)
		if (p->chunk[i].address != before[i].address ||
		    (i && before[i].address == before[i - 1].address))
			return -EBUSY;
	return 0;
}

static int read_once(struct percpu_walk *w, struct reading *r, struct consumer *consumer)
{
	struct kml_percpu *p = &w->bss->percpu;
	struct kml_percpu_place *before;
	int err = find(w);
	uint32_t n = p->n;

	if (err)
		return err;
	before = calloc(n + 1, sizeof(*before));
	if (!before)
		return -ENOMEM;
	memcpy(before, p->chunk, n * sizeof(*before));
	r->areas = 0;
	json_array_clear(r->chunks);
	err = add_chunks(w, r, consumer);
	err = err ? err : find_again(w, before, n);
	free(before);
	return err;
}

/* A new reference, of which @r keeps none. */
static json_t *doc_json(const struct kml_percpu *p, struct reading *r, uint64_t from_ns)
{
	uint64_t fixed = r->fixed - r->reserved;
	json_t *chunks = r->chunks;

	r->chunks = NULL;
	return json_pack("{s:[I, I], s:i, s:i, s:I, s:I, s:I, s:o}", "time_ns", (json_int_t)from_ns,
			 (json_int_t)boottime_ns(), "unit_bytes", (int)p->unit_bytes, "atom_bytes",
			 (int)p->atom_bytes, "static_bytes", (json_int_t)fixed, "reserved_bytes",
			 (json_int_t)r->reserved, "dyn_bytes", (json_int_t)r->dyn, "chunks",
			 chunks);
}

static int record(struct percpu_walk *w, struct reading *r, struct trace_writer *to, uint16_t phase,
		  struct consumer *consumer)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	uint64_t from_ns = boottime_ns();
	int err = read_once(w, r, consumer);
	json_t *doc;

	for (int i = 0; i < TRIES && err == -EBUSY; i++) {
		nanosleep(&nap, NULL);
		from_ns = boottime_ns();
		err = read_once(w, r, consumer);
	}
	if (err)
		return err;
	doc = doc_json(&w->bss->percpu, r, from_ns);
	err = record_json(to, phase, "kmemlab/percpu", doc);
	json_decref(doc);
	return err;
}

long percpu_walk_record(struct percpu_walk *w, struct trace_writer *to, uint16_t phase,
			struct consumer *consumer)
{
	struct reading r = {.chunks = json_array(), .scratch = malloc(sizeof(*r.scratch))};
	int err = -ENOMEM;

	if (r.chunks && r.scratch)
		err = record(w, &r, to, phase, consumer);
	json_decref(r.chunks);
	free(r.scratch);
	return err ? err : r.areas;
}
