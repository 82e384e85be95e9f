/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_consume.c TRACE.kmt - the recorder's side of an event: a trace's events
 * are put into rings again, and taken from there to blocks of a file.
 *
 * CPU time of this process, by part, in ns an event; the file is /dev/null. It
 * needs neither root nor a quiet machine. What it does not have is the way of a
 * cell from one CPU's cache to another's.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <record/consume.h>
#include <trace/kinds.h>

#include "stream.h"

enum {
	RING_BYTES = 1 << 24,
	BATCH_EVENTS = 1 << 14, /* between two looks at the rings */
	ROUND_BATCHES = 8,
	REPEATS = 5,
	CPUS_MAX = 64,
};

static const struct kernel_bases bases = {
	.vmemmap = 0xffffea0000000000,
	.page_offset = 0xffff888000000000,
	.direct_map_bytes = 1ull << 40,
	.page_struct_bytes = 64,
};

/* A trace as the programs would tell of it. */
struct events {
	struct stream stream;
	uint32_t *slot; /* of each class, in its kind's table */
};

struct cost {
	double rings, encode, compress, bytes;
};

static uint64_t clock_now;

static uint64_t bench_clock(void)
{
	return clock_now;
}

static void choose_slots(struct events *s)
{
	uint32_t next[KMT_KINDS] = {0};

	s->slot = need(calloc((size_t)s->stream.classes_n + 1, sizeof(*s->slot)));
	for (uint32_t i = 0; i < s->stream.classes_n; i++) {
		uint8_t kind = s->stream.classes[i].kind;

		if (kml_has_slots(kind))
			s->slot[i] = next[kind]++ & ((1u << kml_slot_bits(kind)) - 1);
	}
}

static int load(struct events *s, const char *path)
{
	if (stream_load(&s->stream, path))
		return -1;
	choose_slots(s);
	if (s->stream.cpus && s->stream.cpus <= CPUS_MAX && s->stream.n >= BATCH_EVENTS)
		return 0;
	fprintf(stderr, "'%s' is too small, or of too many CPUs\n", path);
	return -1;
}

static void put(const struct rings *rings, unsigned int cpu, uint64_t word0, uint64_t word1)
{
	struct kml_ring *r = ring_of(rings, cpu);
	struct kml_cell *c = &r->cell[r->head % RING_BYTES / KML_CELL_BYTES];

	*c = (struct kml_cell){word0 | ((r->head / RING_BYTES + 1) & KML_LAP_MASK), word1};
	r->head += KML_CELL_BYTES;
}

/* What the programs would have had to tell of @e. */
static uint64_t word_of(const struct trace_event *e)
{
	if (e->address == KMT_NO_PAGE)
		return 0;
	if (e->kind >= KML_KMALLOC && e->kind < KML_STACK_PAGE)
		return e->address & KMT_OPAQUE ? e->address : bases.page_offset + e->address * 8;
	return bases.vmemmap + e->address * 64;
}

static void put_event(const struct events *s, const struct rings *rings,
		      const struct trace_event *e)
{
	const uint64_t task = KML_DEF_BIT | KML_TASK << KML_KIND_SHIFT;
	uint64_t at = (uint64_t)e->kind << KML_KIND_SHIFT | (uint64_t)s->slot[e->class_id]
								    << KML_SLOT_SHIFT;

	if (e->kind != KMT_TASK) {
		put(rings, e->cpu, at | e->time_ns << KML_TIME_SHIFT, word_of(e));
		return;
	}
	for (uint64_t i = 0; i < KML_TASK_WORDS; i++)
		put(rings, e->cpu, task | i << KML_TIME_SHIFT, i ? 0 : e->class_id);
}

/* Slots as if their definitions had come long ago. */
static void define_all(const struct events *s, struct trace_writer *w, struct definitions *d)
{
	for (uint32_t i = 0; i < s->stream.classes_n; i++) {
		const struct kmt_class *class = &s->stream.classes[i];
		uint32_t id = trace_writer_class(w, class);

		for (unsigned int cpu = 0; cpu < s->stream.cpus && kml_has_slots(class->kind);
		     cpu++)
			((struct slot *)definitions_slots(
				d, cpu))[kml_slot_base(class->kind) + s->slot[i]] =
				(struct slot){.class_id = id, .order = class->order};
	}
}

static double consume_all(const struct events *s, const struct rings *rings, struct consumer *c)
{
	double spent = 0;

	for (size_t i = 0; i < s->stream.n;) {
		size_t end = i + BATCH_EVENTS < s->stream.n ? i + BATCH_EVENTS : s->stream.n;
		double start;

		for (; i < end; i++)
			put_event(s, rings, &s->stream.events[i]);
		clock_now = s->stream.events[end - 1].time_ns;
		start = cpu_ns();
		if (consume(c, i / BATCH_EVENTS % ROUND_BATCHES == 0 || i == s->stream.n) < 0) {
			fputs("bench_consume: cannot write\n", stderr);
			exit(1);
		}
		spent += cpu_ns() - start;
	}
	return spent;
}

static struct cost run(const struct events *s, const struct rings *rings, int fd)
{
	struct trace_writer *w = need(trace_writer_new(fd, s->stream.cpus));
	struct definitions *d = need(definitions_new(w, NULL, s->stream.cpus));
	struct trace_writer_stats stats;
	struct consumer *c;
	struct cost cost;
	double all;

	clock_now = s->stream.events[0].time_ns;
	c = need(consumer_new(rings, w, d, &bases, bench_clock));
	define_all(s, w, d);
	consumer_cover(c, 0);
	all = consume_all(s, rings, c);
	trace_writer_stats(w, &stats);
	cost.encode = (double)stats.encode_ns / (double)s->stream.n;
	cost.compress = (double)stats.compress_ns / (double)s->stream.n;
	cost.rings = (all - (double)(stats.encode_ns + stats.compress_ns + stats.write_ns)) /
		     (double)s->stream.n;
	cost.bytes = (double)stats.event_bytes / (double)s->stream.n;
	consumer_free(c);
	definitions_free(d);
	trace_writer_free(w);
	return cost;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static void unload(struct events *s)
{
	stream_free(&s->stream);
	free(s->slot);
}

int main(int argc, char **argv)
{
	struct events s = {0};
	struct cost best = {INFINITY, INFINITY, INFINITY, 0};
	struct rings rings = {.stride = sizeof(struct kml_ring) + RING_BYTES,
			      .cell_bytes = RING_BYTES};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (argc != 2 || fd < 0) {
		fputs("usage: bench_consume TRACE.kmt\n", stderr);
		return 2;
	}
	if (load(&s, argv[1])) {
		unload(&s);
		return 1;
	}
	rings.cpus = s.stream.cpus;
	rings.base = need(aligned_alloc(4096, rings.stride * rings.cpus));
	for (int i = 0; i < REPEATS; i++) {
		struct cost c;

		memset(rings.base, 0, rings.stride * rings.cpus);
		c = run(&s, &rings, fd);
		best = (struct cost){least(best.rings, c.rings), least(best.encode, c.encode),
				     least(best.compress, c.compress), c.bytes};
	}
	printf("consume_events %zu events\n", s.stream.n);
	printf("consume_rings %.2f ns/event\n", best.rings);
	printf("consume_encode %.2f ns/event\n", best.encode);
	printf("consume_compress %.2f ns/event\n", best.compress);
	printf("consume_size %.3f bytes/event\n", best.bytes);
	free(rings.base);
	unload(&s);
	close(fd);
	return 0;
}
