/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rings.h - hand-made rings in, a trace out, read back.
 *
 * The rings are plain memory; put() writes cells as the BPF programs do.
 */
#ifndef KMEMLAB_TEST_RINGS_H
#define KMEMLAB_TEST_RINGS_H

#include "../support/test.h"

#include <fcntl.h>
#include <record/consume.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	CPUS = 2,
	CELL_BYTES = 4096,
	MEMORY = 1 << 30,
};

static const struct kernel_bases bases = {
	.vmemmap = 0xffffea0000000000,
	.page_offset = 0xffff888000000000,
	.direct_map_bytes = MEMORY,
	.page_struct_bytes = 64,
};

/* The consumer's clock; a test moves it. */
static uint64_t clock_now = 1000000000000;

static inline uint64_t test_clock(void)
{
	return clock_now;
}

struct fixture {
	struct rings rings;
	struct trace_writer *writer;
	struct definitions *definitions;
	struct consumer *consumer;
	uint64_t now;
	int fd;
};

static inline void setup(struct fixture *f)
{
	f->rings = (struct rings){
		.stride = sizeof(struct kml_ring) + CELL_BYTES,
		.cell_bytes = CELL_BYTES,
		.cpus = CPUS,
	};
	f->rings.base = aligned_alloc(4096, f->rings.stride * CPUS);
	assert_non_null(f->rings.base);
	memset(f->rings.base, 0, f->rings.stride * CPUS);
	f->fd = memfd_create("trace", MFD_CLOEXEC);
	f->writer = trace_writer_new(f->fd, CPUS);
	assert_int_equal(trace_writer_header(f->writer, "{}"), 0);
	f->definitions = definitions_new(f->writer, NULL, CPUS);
	f->consumer = consumer_new(&f->rings, f->writer, f->definitions, &bases, test_clock);
	assert_non_null(f->consumer);
	f->now = clock_now;
}

static inline void put(struct fixture *f, unsigned int cpu, uint64_t low, uint64_t high,
		       uint64_t word1)
{
	struct kml_ring *r = ring_of(&f->rings, cpu);
	uint64_t lap = (r->head / CELL_BYTES + 1) & KML_LAP_MASK;
	struct kml_cell *c = &r->cell[r->head % CELL_BYTES / KML_CELL_BYTES];

	c->word1 = word1;
	c->word0 = low | lap | high << KML_TIME_SHIFT;
	r->head += KML_CELL_BYTES;
}

static inline void define(struct fixture *f, unsigned int cpu, unsigned int kind, unsigned int slot,
			  const uint64_t *word)
{
	for (unsigned int i = 0; i < KML_DEF_WORDS; i++)
		put(f, cpu, KML_DEF_BIT | kind << KML_KIND_SHIFT | slot << KML_SLOT_SHIFT, i,
		    word[i]);
}

static inline void event(struct fixture *f, unsigned int cpu, unsigned int kind, uint64_t time,
			 uint64_t address)
{
	put(f, cpu, kind << KML_KIND_SHIFT | 7 << KML_SLOT_SHIFT, time, address);
}

/* Slot 7 of PAGE_ALLOC (order 3) and PAGE_FREE (order 3) on @cpu. */
static inline void define_pages(struct fixture *f, unsigned int cpu)
{
	const uint64_t alloc[KML_DEF_WORDS] = {KML_SLOT_USED | 3 | 1 << 8 | 0xcc0ull << 32};
	const uint64_t freed[KML_DEF_WORDS] = {KML_SLOT_USED | 3};

	define(f, cpu, KML_PAGE_ALLOC, 7, alloc);
	define(f, cpu, KML_PAGE_FREE, 7, freed);
}

static inline struct trace_reader *read_back(struct fixture *f)
{
	struct trace_reader *r;
	char path[64], error[256];

	while (consume(f->consumer, true) > 0)
		;
	assert_int_equal(trace_writer_end(f->writer), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	r = trace_reader_open(path, error);
	if (!r)
		fail_msg("%s", error);
	return r;
}

static inline void teardown(struct fixture *f, struct trace_reader *r)
{
	trace_reader_close(r);
	consumer_free(f->consumer);
	definitions_free(f->definitions);
	trace_writer_free(f->writer);
	free(f->rings.base);
	close(f->fd);
}

#endif
